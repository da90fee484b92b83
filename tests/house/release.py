"""A release: the source archive and the wheel of one commit, the same bytes wherever and whenever they are built.

python -m tests.house.release FOLDER [COMMIT]     writes both and SHA256SUMS; what is not committed is not in them

The only time in them is that of the commit. Whoever compares builds with the same Python: packing is its zlib's.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
import zlib
from pathlib import Path

from tests.house.figures import ROOT

WHEEL = "from setuptools import build_meta; import sys; print(build_meta.build_wheel(sys.argv[1]))"
RUNS, READ = 0o755, 0o644
SUMS = "SHA256SUMS"


def build(folder: Path, commit: str = "HEAD") -> list[Path]:
    """The files of a release, written into the folder."""
    when = int(git("log", "-1", "--format=%ct", commit))
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "tree"
        unpack(git("-c", "tar.umask=0022", "archive", "--format=tar", commit), tree)
        files = {path.relative_to(tree).as_posix(): path for path in sorted(tree.rglob("*")) if path.is_file()}
        held = {name: (path.read_bytes(), path.stat().st_mode & RUNS | READ) for name, path in files.items()}
        wheel = wheel_of(tree, folder, when)
    with zipfile.ZipFile(wheel) as packed:
        about = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        held["PKG-INFO"] = packed.read(about), READ
    project = tomllib.loads(held["pyproject.toml"][0].decode())["project"]
    name = f"{project['name']}-{project['version']}"
    archive = folder / f"{name}.tar.gz"
    archive.write_bytes(packed_source(name, held, when))
    made = [archive, wheel]
    (folder / SUMS).write_text("".join(f"{digest(path)}  {path.name}\n" for path in made), "ascii")
    return [*made, folder / SUMS]


def git(*words: str) -> bytes:
    """What git prints about this checkout."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603, S607


def unpack(archive: bytes, tree: Path) -> None:
    """The files of an archive, with its modes and whatever this shell's umask is."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(tree, filter="data")
    for path in [tree, *tree.rglob("*")]:
        path.chmod(RUNS if path.is_dir() or path.stat().st_mode & 0o100 else READ)


def wheel_of(tree: Path, folder: Path, when: int) -> Path:
    """The wheel, built from the tree by a process of its own in which nothing of this shell is left."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"SOURCE_DATE_EPOCH": str(when), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", WHEEL, str(folder.resolve())],
        cwd=tree,
        env=kept | told,
        umask=0o022,
        check=True,
        capture_output=True,
        text=True,
    )
    return folder / done.stdout.split()[-1]


def packed_source(name: str, held: dict[str, tuple[bytes, int]], when: int) -> bytes:
    """The archive: names in order, nobody's, of one time."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=when) as pressed,
        tarfile.open(fileobj=pressed, mode="w", format=tarfile.PAX_FORMAT) as packed,
    ):
        for path, (text, mode) in sorted(held.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode, entry.mtime = len(text), mode, when
            packed.addfile(entry, io.BytesIO(text))
    return out.getvalue()


def digest(path: Path) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    *_, sums = build(Path(sys.argv[1]), *sys.argv[2:])
    sys.stderr.write(f"Python {sys.version.split()[0]}, zlib {zlib.ZLIB_RUNTIME_VERSION}\n")
    sys.stdout.write(sums.read_text("ascii"))
