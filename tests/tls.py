"""TLS before a server of a test: a certificate that nobody vouches for, and a pipe."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path, days: float = 1) -> ssl.SSLContext:
    """For localhost, from yesterday to so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + days * day)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def over_tls(folder: Path, port: int, to: str, days: float = 1) -> Iterator[None]:
    """Take TLS on a port of this machine and hand on what comes to an address (http://host:port)."""
    host, _, inner = to.removeprefix("http://").partition(":")
    context, door = certificate(folder, days), socket.create_server(("127.0.0.1", port))

    def opens() -> None:
        with contextlib.suppress(OSError):  # the door is closed
            while True:
                line = door.accept()[0]
                threading.Thread(target=_pipes, args=(line, context, (host, int(inner))), daemon=True).start()

    threading.Thread(target=opens, daemon=True).start()
    try:
        yield
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def _pipes(line: socket.socket, context: ssl.SSLContext, to: tuple[str, int]) -> None:
    """One connection, until either side is gone."""
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(line, server_side=True) as outer,
        socket.create_connection(to) as inner,
    ):
        other = {outer: inner, inner: outer}
        while True:
            for one in [outer] if outer.pending() else select.select([outer, inner], [], [])[0]:
                raw = one.recv(65536)
                if not raw:
                    return
                other[one].sendall(raw)
