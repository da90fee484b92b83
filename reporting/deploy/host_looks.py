"""What `amparo check` says of the machine around an installation: where its folder lies, whose it is, what runs.

Reads what the system tells and small files; changes nothing and asks no network. Knows no case.
"""

from __future__ import annotations

import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from reporting.config import Settings
from reporting.deploy import front_settings
from reporting.deploy.machine import ETC, TIMERS, UNITS
from reporting.i18n import T_, said
from reporting.operations import reminder
from reporting.operations.installation_check import LookAround

MOUNTS = Path("/proc/self/mountinfo")
ROOT_FOLDER = Path("/")
# kind of a file system, as Linux calls it -> what is wrong with a folder of ours on one
NO_OWNERS = T_(
    "%(folder)s lies on a disk of a kind (%(kind)s) that knows no owners: everybody on this computer may read it. "
    "Move it to a disk of the system: amparo move pack FILE."
)
ELSEWHERE = T_(
    "%(folder)s lies on a disk of another computer (%(kind)s): a cut line can break the database, and whoever keeps "
    "that computer has a copy. Move it to a disk of this one: amparo move pack FILE."
)
IN_MEMORY = T_(
    "%(folder)s lies in memory (%(kind)s): when this computer is switched off, every report is gone. Move it to a "
    "disk: amparo move pack FILE."
)
KINDS = {
    **dict.fromkeys(("vfat", "msdos", "exfat", "fuse.exfat", "fuseblk", "ntfs", "ntfs3"), NO_OWNERS),
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "9p", "davfs", "fuse.sshfs", "fuse.rclone"), ELSEWHERE),
    **dict.fromkeys(("tmpfs", "ramfs"), IN_MEMORY),
}
# what programs that copy folders to other computers leave in them, or call their folder
MARKS = {
    ".dropbox": "Dropbox",
    ".dropbox.cache": "Dropbox",
    ".owncloudsync.log": "Nextcloud",
    ".sync_folder": "Nextcloud",
    ".stfolder": "Syncthing",
    ".syncthing": "Syncthing",
}
CALLED = re.compile(
    r"dropbox|onedrive|nextcloud|owncloud|google ?drive|mi unidad|icloud|megasync|pcloud", re.IGNORECASE
)
SYNCED = T_(
    "%(folder)s lies in %(place)s, which %(program)s copies to other computers: what somebody erases stays there. "
    "Move it out: amparo move pack FILE."
)
NOT_THEIRS = T_(
    "%(count)s files of %(folder)s do not belong to %(owner)s, who runs the program, so it cannot write them: chown "
    "-R %(owner)s: %(quoted)s"
)
READABLE = T_("Others on this computer may read %(path)s, where passwords may stand: chmod go= %(quoted)s")
NOT_ENABLED = T_("%(units)s will not start by itself: systemctl enable --now %(units)s")


# ── where the folder lies ───────────────────────────────────────────────────────────────────────────────────


def place_problems(settings: Settings, mounts: Path = MOUNTS) -> Iterator[str]:
    """Why reports do not belong where the folder lies, each in a sentence that says what to do."""
    folder = settings.instance.resolve()
    kind = kind_of(folder, mounts)
    if kind in KINDS:
        yield said(KINDS[kind], folder=folder, kind=kind)
    for place in (folder, *folder.parents):
        program = _copies(place)
        if program:
            yield said(SYNCED, folder=folder, place=place, program=program)
            return


def _copies(place: Path) -> str:
    """The program that copies this folder to other computers; empty for none."""
    called = CALLED.search(place.name)
    there = (name for mark, name in MARKS.items() if (place / mark).exists())
    return called[0] if called else next(there, "")


def kind_of(folder: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system on which a folder lies; empty where the system does not say it.

    proc(5): the fifth part of a line is where it is mounted, the first after a lone hyphen its kind.
    """
    mount, kind = "", ""
    with suppress(OSError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            parts = before.split(" ")
            where = re.sub(r"\\([0-7]{3})", lambda sign: chr(int(sign[1], 8)), parts[4]) if len(parts) > 4 else ""  # noqa: PLR2004 -- see above
            if after and where and folder.is_relative_to(where) and len(where) >= len(mount):
                mount, kind = where, after.split(" ")[0]
    return kind


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────────


def owner_problems(settings: Settings, root: Path = ROOT_FOLDER) -> Iterator[str]:
    """Files of somebody else in the folder, and settings with passwords that everybody may read."""
    folder = settings.instance
    with suppress(OSError, KeyError, NotImplementedError):  # no such thing on Windows
        owner = folder.stat().st_uid
        foreign = [path for path in folder.rglob("*") if path.lstat().st_uid != owner]
        if foreign:
            quoted = shlex.quote(str(folder))
            yield said(NOT_THEIRS, count=len(foreign), folder=folder, owner=folder.owner(), quoted=quoted)
    file = root / ETC
    with suppress(OSError):
        if stat.S_IMODE(file.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            yield said(READABLE, path=file, quoted=shlex.quote(str(file)))


# ── what runs by itself ─────────────────────────────────────────────────────────────────────────────────────


def unit_problems(_settings: Settings, root: Path = ROOT_FOLDER) -> Iterable[str] | None:
    """Units of ours that are there and not switched on; None on a machine without them."""
    there = [unit for unit in TIMERS if (root / UNITS / unit).exists()]
    if not there:
        return None
    off = [unit for unit in there if not [*(root / UNITS).glob(f"*.wants/{unit}")]]
    return [said(NOT_ENABLED, units=" ".join(off))] if off else []


def mail_problems(settings: Settings) -> Iterable[str] | None:
    """Why the reminder does not go out; None where this process may reach nobody."""
    is_asked = settings.smtp_url and settings.notify_to
    return [*reminder.problems(settings)] if front_settings.has_network() or not is_asked else None


AROUND: Mapping[str, LookAround] = {
    "front": front_settings.problems,
    "mail": mail_problems,
    "owner": owner_problems,
    "place": place_problems,
    "units": unit_problems,
}
