"""An empty Debian in a folder, and commands that are typed in it as root.

Made by debootstrap, which fetches some hundred megabytes; one that was made before is copied from AMPARO_ROOTS, where
it lies under its name. A command runs in name spaces of its own: files, processes and, where it says so, a network in
which only this machine is. So ports 80 and 443 are free there, and nothing of it outlives the command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs_of_tests import requires

MIRROR = "http://deb.debian.org/debian"
ENTER = """
[ -z "$ALONE" ] || ip link set lo up
mount -t proc proc "$ROOT/proc" && mount --rbind /dev "$ROOT/dev" && mount -t tmpfs tmpfs "$ROOT/tmp"
exec chroot "$ROOT" bash -c "$LINE"
"""
# where some networks keep a certificate of their own, which pip must know of
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass
class Debian:
    """A root, and how commands are typed in it."""

    root: Path

    def types(self, line: str, typed: str = "", *, alone: bool = False) -> subprocess.CompletedProcess[str]:
        """A line in root's folder. `alone`: in a network without others."""
        command = ["unshare", "--mount", "--pid", "--fork", *(["--net"] if alone else []), "sh", "-ec", ENTER]
        around = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        around |= {
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_MESSAGES": "es_PE.UTF-8",
            "PIP_CERT": "/root/of-this-network.crt",
        }
        around |= {"ROOT": str(self.root), "ALONE": "1" if alone else "", "LINE": f"cd /root\n{line}"}
        return subprocess.run(command, capture_output=True, text=True, input=typed, env=around, check=False)  # noqa: S603

    def brings(self, file: Path, name: str = "") -> None:
        """A file into root's folder."""
        shutil.copy(file, self.root / "root" / (name or file.name))


@contextmanager
def an_empty_debian(suite: str, folder: Path) -> Iterator[Debian]:
    """As somebody finds a new machine."""
    program, root = requires("debootstrap"), folder / suite
    made = Path(os.environ.get("AMPARO_ROOTS", folder)) / suite
    if made != root and made.is_dir():
        subprocess.run(["cp", "-a", str(made), str(root)], check=True)  # noqa: S603, S607 -- keeps owners and links
    else:
        words = [program, "--variant=minbase", "--include=iproute2", suite, str(root), MIRROR]
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 -- a table's
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.copy(CERTIFICATES, root / "root/of-this-network.crt")
    try:
        yield Debian(root)
    finally:
        shutil.rmtree(root)
