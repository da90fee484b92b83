"""Settings of one installation, and whether they are safe: told in words, at start, never to a reporter.

Settings come from the environment; secrets lie in the instance folder, apart from the database, so that a copy
of the database alone cannot be guessed at. Knows nothing of what they are used for.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reporting.errors import AmparoError
from reporting.i18n import said

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent  # in a checkout templates/, translations/ and instance/ lie here
IS_CHECKOUT = (ROOT / "pyproject.toml").is_file()
SECRET = 32  # bytes
# setting -> (default, what it is for). README.md shows the same table to people.
SETTINGS = {
    "AMPARO_INSTANCE": ("instance", "folder of the database, the secrets and the pin"),
    "DATABASE_URL": ("", "SQLAlchemy address; empty means SQLite in the instance folder"),
    "RATELIMIT_STORAGE_URI": ("memory://", "where requests are counted; Redis where there are several hosts"),
    "MEMORY_FOLDER": ("", "folder in memory for the pages of a trip, 64 MB; empty means /dev/shm, where there is one"),
    "BASE_URL": ("http://127.0.0.1:8080", "the address people type; https, or an onion"),
    "SITE_NAME": ("Hoja", "the name on screen; a telling name can put a reporter in danger"),
    "TEAM_NAME": ("", "who reads the reports, as she will see it"),
    "LANGUAGES": ("es,en", "languages offered, the first is the default"),
    "COUNTRY": ("PE", "where reporters live, two letters; decides which lines and services are shown, and the exit"),
    "EXIT_URL": ("", "another neutral page for the exit; empty means the weather service of the country"),
    "TIME_ZONE": ("", "the clock of the place, for days and hours; empty means that of the country, where we know it"),
    "TRUSTED_PROXY": ("", "address of the web server in front of this one, for example 127.0.0.1"),
    "PROXY_PROTOCOL": ("", "1 where TRUSTED_PROXY begins each line with who sends it, as tor does behind an onion"),
    "FIGURES_HOST": ("", "a host name of its own for the published figures; then they are only there"),
    "STAFF_HOST": ("", "a host name of its own for the pages of the staff; then they are only there"),
    "ONION_HOST": ("", "the onion service of the reporters' pages beside their https address; browsers are told of it"),
    "SMTP_URL": ("", "mail server for the reminder, such as smtps://name:password@mail.example; empty: no reminder"),
    "NOTIFY_FROM": ("", "sender of the reminder; nobody reads what is answered to it"),
    "NOTIFY_TO": ("", "addresses to remind, with commas between; they are kept nowhere else"),
    "PLAN_REVIEW": ("", "1 where a second case worker looks at each safety plan and case plan"),
    "PRACTICE": ("", "1 marks every page as practice"),
}
# country -> its weather service: looked at by everybody, the same for everybody
EXITS = {"PE": "https://www.senamhi.gob.pe/"}
ZONES = {"PE": "America/Lima"}  # country -> its clock
HOST = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"  # a name as it stands in an address
ONION = r"[a-z2-7]{56}\.onion"  # the third version of such names, the only one that tor still opens
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1", "testserver"}


class BadSettings(AmparoError):
    """The installation cannot start. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one installation was told, and its secrets (never printed)."""

    instance: Path
    database_url: str
    limits_url: str
    memory_folder: str
    base_url: str
    site_name: str
    team_name: str
    languages: tuple[str, ...]
    country: str
    exit_url: str
    trusted_proxy: str
    proxy_protocol: bool
    figures_host: str
    staff_host: str
    onion_host: str
    smtp_url: str
    notify_from: str
    notify_to: tuple[str, ...]
    practice: bool
    plan_review: bool
    time_zone: str
    server_secret: bytes
    pepper: bytes
    workers: int = 1  # processes that count requests, each alone where there is no Redis

    def __repr__(self) -> str:
        return f"Settings({self.instance})"

    @property
    def pin_file(self) -> Path:
        """Fingerprint and highest epoch of each team; outside the database, not in backups."""
        return self.instance / "team.pin"

    @property
    def figures_hosts(self) -> tuple[str, ...]:
        """The names under which the published figures are, and nothing else; none where they have no own."""
        return _listed(self.figures_host)

    @property
    def staff_hosts(self) -> tuple[str, ...]:
        """The names under which the pages of the staff are, and nothing else; none where they have no own."""
        return _listed(self.staff_host)

    @property
    def staff_url(self) -> str:
        """What addresses of pages of the staff begin with."""
        url = urlsplit(self.base_url)
        port = f":{url.port}" if url.port else ""
        return f"{url.scheme}://{self.staff_hosts[0]}{port}" if self.staff_hosts else self.base_url

    @property
    def secure(self) -> bool:
        """Whether pages travel under TLS, so that cookies can be marked so."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def clock_of_services(self) -> str:
        """The clock of the country, where we know it: opening hours are its, whatever clock the team's pages have."""
        return ZONES.get(self.country, self.time_zone)

    def with_changes(self, **changes: object) -> Settings:
        """The same settings with some of them changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings, checked. Raises `BadSettings` with every problem in words."""
    variables = os.environ if environment is None else environment
    value = {name: variables.get(name, default).strip() for name, (default, _) in SETTINGS.items()}
    instance = instance_folder(value["AMPARO_INSTANCE"])
    secrets, country = _read_secrets(instance), value["COUNTRY"].upper()
    settings = Settings(
        instance=instance,
        database_url=value["DATABASE_URL"] or f"sqlite:///{instance / 'amparo.db'}",
        limits_url=value["RATELIMIT_STORAGE_URI"],
        memory_folder=value["MEMORY_FOLDER"],
        base_url=value["BASE_URL"].rstrip("/"),
        site_name=value["SITE_NAME"],
        team_name=value["TEAM_NAME"],
        languages=tuple(part.strip() for part in value["LANGUAGES"].split(",") if part.strip()),
        country=country,
        exit_url=value["EXIT_URL"] or EXITS.get(country, ""),
        trusted_proxy=value["TRUSTED_PROXY"],
        proxy_protocol=value["PROXY_PROTOCOL"] not in {"", "0", "no"},
        figures_host=value["FIGURES_HOST"].lower(),
        staff_host=value["STAFF_HOST"].lower(),
        onion_host=value["ONION_HOST"].lower(),
        smtp_url=value["SMTP_URL"],
        notify_from=value["NOTIFY_FROM"],
        notify_to=tuple(part.strip() for part in value["NOTIFY_TO"].split(",") if part.strip()),
        practice=value["PRACTICE"] not in {"", "0", "no"},
        plan_review=value["PLAN_REVIEW"] not in {"", "0", "no"},
        time_zone=value["TIME_ZONE"] or ZONES.get(country, ""),
        server_secret=secrets["server_secret"],
        pepper=secrets["pepper"],
    )
    problems = problems_of(settings)
    if problems:
        raise BadSettings(*problems)
    return settings


def instance_folder(setting: str) -> Path:
    """Where an installation lies: a relative path begins at the checkout, and without one at the current folder."""
    return (ROOT if IS_CHECKOUT else Path.cwd()) / (setting or SETTINGS["AMPARO_INSTANCE"][0])


def shipped(name: str) -> Path:
    """A folder that lies beside the packages in a checkout, and in this one where they were installed."""
    return (ROOT if IS_CHECKOUT else HERE) / name


def problems_of(settings: Settings) -> tuple[str, ...]:
    """What would endanger somebody, each in a sentence that says what to do."""
    url, exit_url = urlsplit(settings.base_url), urlsplit(settings.exit_url)
    host = url.hostname or ""
    safe = url.scheme == "https" or host in LOCAL_HOSTS or host.endswith(".onion") or settings.practice
    checks = (
        (
            url.scheme in {"http", "https"} and bool(host),
            said("BASE_URL must be a full address such as https://hoja.example."),
        ),
        (
            safe,
            said(
                "BASE_URL is plain http: use https, or an onion address. Only practice and this computer may do "
                "without."
            ),
        ),
        (
            exit_url.scheme == "https" and bool(exit_url.hostname),
            said(
                "EXIT_URL must be a full https address. It can be empty only where we know the country's weather "
                "service."
            ),
        ),
        (bool(re.fullmatch("[A-Z]{2}", settings.country)), said("COUNTRY must be two capital letters, such as PE.")),
        (
            _is_zone(settings.time_zone),
            said(
                "TIME_ZONE must be a name such as America/Lima. It can be empty only where we know the country's clock."
            ),
        ),
        *_checks_of_hosts(settings, host),
        (
            bool(settings.trusted_proxy) or not settings.proxy_protocol,
            said(
                "PROXY_PROTOCOL is set: say in TRUSTED_PROXY who may name the sender of a line, for example 127.0.0.1."
            ),
        ),
        (bool(settings.languages), said("LANGUAGES is empty: name at least one, for example es.")),
        (bool(re.fullmatch(r"[^<>\n]{1,40}", settings.site_name)), said("SITE_NAME must be 1 to 40 characters.")),
    )
    return tuple(sentence for holds, sentence in checks if not holds)


def _checks_of_hosts(settings: Settings, host: str) -> tuple[tuple[bool, str], ...]:
    """(whether it holds, what to change) of the names under which pages are served beside BASE_URL."""
    apart = [*settings.figures_hosts, *settings.staff_hosts]
    named = [name for name in (host, settings.onion_host, *apart) if name]
    return (
        (
            all(re.fullmatch(HOST, name) for name in apart),
            said("FIGURES_HOST and STAFF_HOST must be names of hosts, such as equipo.example, with commas between."),
        ),
        (
            not settings.onion_host or bool(re.fullmatch(ONION, settings.onion_host)),
            said("ONION_HOST must be the whole name of an onion service: 56 letters and digits, then .onion."),
        ),
        (
            len(set(named)) == len(named),
            said("The hosts in BASE_URL, ONION_HOST, STAFF_HOST and FIGURES_HOST must be different ones."),
        ),
    )


OTHERS = stat.S_IRWXG | stat.S_IRWXO


SWAPS = Path("/proc/swaps")


def problems_on_this_machine(swaps: Path = SWAPS, disks: Path = Path("/sys/class/block")) -> tuple[str, ...]:
    """What could leave a picture of the memory on the disk, each in a sentence that says what to do."""
    try:
        used = swaps.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return ()
    plain = [name for name in (line.split()[0] for line in used if line.strip()) if not _is_safe_swap(name, disks)]
    return tuple(
        said(
            "This computer swaps to %(disk)s: encrypt it or turn it off (swapoff -a), because what passes through "
            "the memory can end up there.",
            disk=name,
        )
        for name in plain
    )


def open_to_others(instance: Path) -> tuple[str, ...]:
    """The folder, and each file in it, that others on this machine may read, in a sentence that says what to do."""
    paths = [instance, *sorted(path for path in instance.rglob("*") if not path.is_symlink())]
    loose = [path for path in paths if path.exists() and stat.S_IMODE(path.stat().st_mode) & OTHERS]
    return tuple(
        said(
            "Others on this computer may read %(path)s: chmod go= %(quoted)s", path=path, quoted=shlex.quote(str(path))
        )
        for path in loose
    )


def _is_safe_swap(name: str, disks: Path) -> bool:
    """In the memory itself, or on a disk that the system's mapper encrypts. A file on an encrypted disk is not seen."""
    disk = Path(name).resolve().name
    try:
        mapped = (disks / disk / "dm" / "uuid").read_text(encoding="ascii", errors="replace")
    except OSError:
        mapped = ""
    return disk.startswith("zram") or mapped.startswith("CRYPT-")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True


def make_secrets(instance: Path, random_bytes: bytes) -> None:
    """Write the secrets of a new installation, readable by its owner only. An existing file is left alone."""
    instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = instance / "secrets.toml"
    if path.exists():
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("# Keep this file out of every backup of the database.\n")
        file.write(f'server_secret = "{random_bytes[:SECRET].hex()}"\n')
        file.write(f'pepper = "{random_bytes[SECRET : 2 * SECRET].hex()}"\n')


def secrets_in(raw: bytes) -> dict[str, bytes]:
    """What a file of secrets says. `ValueError` where it is none."""
    try:
        entries = tomllib.loads(raw.decode())
        return {name: bytes.fromhex(entries[name]) for name in ("server_secret", "pepper")}
    except (KeyError, TypeError):
        raise ValueError("no secrets") from None


def _read_secrets(instance: Path) -> dict[str, bytes]:
    path = instance / "secrets.toml"
    try:
        secrets = secrets_in(path.read_bytes())
    except FileNotFoundError:
        raise BadSettings(
            said("There is no installation in %(instance)s: run `amparo init` first.", instance=instance)
        ) from None
    except ValueError:
        raise BadSettings(said("%(path)s cannot be read: restore it from where you keep it safe.", path=path)) from None
    if any(len(secret) != SECRET for secret in secrets.values()):
        raise BadSettings(said("%(path)s is damaged: each secret has 64 hexadecimal digits.", path=path))
    return secrets
