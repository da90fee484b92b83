"""What `amparo setup` asks: a table of questions, each with what it is for, what is taken, and what stands otherwise.

What was answered before, or lies in the settings, stands as the answer.

Asks nobody and writes nothing: the terminal does the one, `machine` the other.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reporting.config import EXITS, HOST, LOCAL_HOSTS, SETTINGS, ZONES
from reporting.i18n import N_
from reporting.teams.accounts import NAME

COORDINATOR, FIRST_READER = "coordinator", "case-worker"
Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `name`: a setting, or whom an invitation is for. `matters`: whether it matters after these."""

    name: str
    text: str
    why: str
    takes: str  # a pattern that the whole answer fits
    wrong: str
    otherwise: Callable[[], str] = str
    matters: Callable[[Answers], bool] = bool

    @property
    def option(self) -> str:
        """The option of the command with which it is answered unasked."""
        return f"--{self.name.lower().replace('_', '-')}"


def _always(_answers: Answers) -> bool:
    return True


def _needs_mail(answers: Answers) -> bool:
    return bool(answers.get("NOTIFY_TO"))


def _this_machine() -> str:
    """The address of this machine, where it has a whole name; else that of the machine itself, which is for trying."""
    name = socket.getfqdn()
    return f"https://{name}" if "." in name and not name.startswith("localhost") else SETTINGS["BASE_URL"][0]


PEOPLE_WRONG = N_("Small letters and digits, 2 to 40, without spaces.")
QUESTIONS = (
    Question(
        "SITE_NAME",
        N_("How is the site called on the screen?"),
        N_("Whoever takes her phone may read it. Choose a word that tells nothing."),
        r"[^<>\n$`{}\\']{1,40}",
        N_("1 to 40 letters, without signs such as < > { } $."),
        lambda: SETTINGS["SITE_NAME"][0],
        _always,
    ),
    Question(
        "BASE_URL",
        N_("At which address do people open it?"),
        N_("For example https://hoja.example. The name must lead to this machine; it may not tell anything either."),
        rf"https://{HOST}(:[0-9]+)?/?|http://({'|'.join(sorted(LOCAL_HOSTS))})(:[0-9]+)?/?|http://[a-z2-7]{{56}}\.onion/?",
        N_("An address that begins with https://, or an onion. Only this machine itself may do without."),
        _this_machine,
        _always,
    ),
    Question(
        "TEAM_NAME",
        N_("Who reads what they tell?"),
        N_("The name of your organisation or team, as she will see it before she sends."),
        r"[^<>\n]{1,80}",
        N_("1 to 80 letters."),
        lambda: "Equipo",
        _always,
    ),
    Question(
        "COUNTRY",
        N_("In which country do the people who tell live? Two letters."),
        N_("Only lines and services of this country are shown. PE is Peru."),
        r"[A-Za-z]{2}",
        N_("Two letters, such as PE."),
        lambda: SETTINGS["COUNTRY"][0],
        _always,
    ),
    Question(
        "EXIT_URL",
        N_("Which page opens with the quick exit?"),
        N_("A weather service that everybody looks at. We know none of this country."),
        r"https://\S+",
        N_("A whole address that begins with https://."),
        str,
        lambda answers: answers.get("COUNTRY", "").upper() not in EXITS,
    ),
    Question(
        "TIME_ZONE",
        N_("Which clock do they go by?"),
        N_("A name such as America/Lima. We do not know that of this country."),
        r"[A-Za-z_]+/[A-Za-z_/+-]+|UTC",
        N_("A name such as America/Lima."),
        lambda: "UTC",
        lambda answers: answers.get("COUNTRY", "").upper() not in ZONES,
    ),
    Question(
        COORDINATOR,
        N_("How does the coordinator sign in?"),
        N_("She looks after accounts and opens no case. A name that tells nobody who she is."),
        NAME,
        PEOPLE_WRONG,
        lambda: "coordina",
        _always,
    ),
    Question(
        FIRST_READER,
        N_("How does the first case worker sign in?"),
        N_("She makes the keys in her own browser. Better not the coordinator, and not you."),
        NAME,
        PEOPLE_WRONG,
        lambda: "primera",
        _always,
    ),
    Question(
        "NOTIFY_TO",
        N_("To which e-mail goes the reminder that it is time to look? Leave it empty for none."),
        N_("The message is always the same and tells nothing. Several addresses: with commas between."),
        r"([^\s,<>\"]+@[^\s,<>\"]+(, *[^\s,<>\"]+@[^\s,<>\"]+)*)?",
        N_("Addresses such as equipo@hoja.example, or nothing."),
        str,
        _always,
    ),
    Question(
        "SMTP_URL",
        N_("Through which mail server?"),
        N_("For example smtps://name:password@mail.example. It is written into one file that only root reads."),
        r"smtps?://\S+",
        N_("An address that begins with smtps:// or smtp://."),
        str,
        _needs_mail,
    ),
    Question(
        "NOTIFY_FROM",
        N_("From which address is it sent?"),
        N_("Nobody reads what is answered to it."),
        r"[^\s,<>\"]+@[^\s,<>\"]+",
        N_("An address such as aviso@hoja.example."),
        str,
        _needs_mail,
    ),
)
BY_NAME = {question.name: question for question in QUESTIONS}


def tidy(name: str, typed: str) -> str:
    """An answer as it is kept: an address without its last slash and with https before a bare name."""
    answer = typed.strip()
    if name == "BASE_URL":
        answer = answer.rstrip("/")
        return answer if "://" in answer or not answer else f"https://{answer}"
    return answer.upper() if name == "COUNTRY" else answer


def is_taken(question: Question, answer: str) -> bool:
    """Whether the question takes this answer."""
    return bool(re.fullmatch(question.takes, answer))


def settings_of(answers: Answers) -> dict[str, str]:
    """The settings that follow from the answers. Behind a server in front senders are told apart by what it says."""
    chosen = {name: answer for name, answer in answers.items() if name in SETTINGS and answer}
    url = urlsplit(chosen.get("BASE_URL", ""))
    if url.scheme == "https":
        chosen["TRUSTED_PROXY"] = "127.0.0.1"
    return chosen


def settings_in(file: Path) -> dict[str, str]:
    """The settings of a file that we printed; none where there is no such file, or it cannot be read."""
    try:
        lines = shlex.split(file.read_text(encoding="utf-8"), comments=True)
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs if name in SETTINGS}
