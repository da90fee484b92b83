"""A reminder by e-mail at fixed hours: the same words to everybody, also when nothing is new.

Whoever reads somebody's mail learns that they are asked to look at something, and nothing else: no count, no
name of the site, no address to answer to. Off as long as no server is named. The addresses stand in the
settings, not in the database. Knows nothing of cases.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from reporting.config import LOCAL_HOSTS as LOCAL_HOSTS
from reporting.config import Settings
from reporting.errors import AmparoError
from reporting.i18n import N_, T_, said

SUBJECT = N_("Reminder")
BODY = N_("It is time to have a look. This reminder comes always at the same hours.")
PORTS = {"smtp": 587, "smtps": 465}
WAIT = 30  # seconds
NOBODY = "nobody@localhost"


class CannotSend(AmparoError):
    """The reminder did not go out. The message says why, without an address."""


def is_on(settings: Settings) -> bool:
    """Whether a server and somebody to remind are named."""
    return bool(settings.smtp_url and settings.notify_to)


def messages(settings: Settings, subject: str, body: str) -> list[EmailMessage]:
    """One message a person: nobody sees who else is reminded."""
    sender = settings.notify_from or NOBODY
    mails = []
    for address in settings.notify_to:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, address, subject
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: absence notes do not answer it
        message.set_content(body)
        mails.append(message)
    return mails


def problems(settings: Settings) -> Iterator[str]:
    """Why the reminder would not go out, in a sentence that says what to do. Nothing is sent."""
    url = urlsplit(settings.smtp_url)
    if not is_on(settings):
        if settings.smtp_url or settings.notify_to:
            yield T_("The reminder is off: it needs both SMTP_URL and NOTIFY_TO.")
        return
    try:
        with _connected(url.scheme, url.hostname or "", url.port or PORTS.get(url.scheme, 0)) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.noop()
    except (OSError, smtplib.SMTPException) as problem:
        words = T_("The mail server of SMTP_URL does not take the reminder (%(why)s): try `amparo notify`.")
        yield said(words, why=type(problem).__name__)


def send(settings: Settings, subject: str, body: str) -> int:
    """Send the reminder. Returns to how many; `CannotSend` where the server cannot be reached or trusted."""
    url = urlsplit(settings.smtp_url)
    host, port = url.hostname or "", url.port or PORTS.get(url.scheme, 0)
    if url.scheme not in PORTS or not host:
        raise CannotSend(T_("SMTP_URL must look like smtps://name:password@mail.example or smtp://mail.example:587."))
    sent = 0
    try:
        with _connected(url.scheme, host, port) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            for message in messages(settings, subject, body):
                server.send_message(message)
                sent += 1
    except (OSError, smtplib.SMTPException) as problem:
        words = T_("The mail server did not take it (%(why)s); %(sent)s went out.")
        raise CannotSend(said(words, why=type(problem).__name__, sent=sent)) from None
    return sent


def _connected(scheme: str, host: str, port: int) -> smtplib.SMTP:
    """A connection that nobody can read along; in the open only on this very machine."""
    trusted = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=WAIT, context=trusted)
    server = smtplib.SMTP(host, port, timeout=WAIT)
    if host not in LOCAL_HOSTS:
        server.starttls(context=trusted)
    return server
