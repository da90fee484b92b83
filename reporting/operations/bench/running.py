"""A command of ours in processes of its own, with an invented installation; what its processes take. No measure."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reporting.config import ROOT, Settings
from reporting.operations.apart.desk import FIRST_TO_GO
from reporting.operations.bench.client import PATIENCE, Line

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def environment_of(settings: Settings) -> dict[str, str]:
    """What a command has to know so that it works on this installation and on no other."""
    return os.environ | {"AMPARO_INSTANCE": str(settings.instance), "DATABASE_URL": settings.database_url}


@contextmanager
def running(settings: Settings, command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A server in processes of its own; how long it took until it answered."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = environment_of(settings) | {"PRACTICE": "0", "LANGUAGES": "es,en"}
    environment["TRUSTED_PROXY"] = ""  # nobody stands in front here
    begin = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-m", "reporting", *command, "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > begin + PATIENCE:
                raise TimeoutError("the server does not answer")
            time.sleep(0.01)
        yield process, port, time.monotonic() - begin
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    line = Line(port)
    try:
        line.ask("GET", "/0")
    except OSError:
        return False
    finally:
        line.close()
    return True


def _family(pid: int) -> list[int]:
    """The process and its children, as Linux tells; elsewhere only itself."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, listed.read_text("ascii").split())] if listed.exists() else [pid]


def apart(pid: int) -> tuple[list[int], list[int]]:
    """The processes of a server that answer reporters (itself among them), and those that answer the desk."""
    desk = [process for process in _family(pid) if _of(process, "oom_score_adj").strip() == str(FIRST_TO_GO)]
    return [process for process in _family(pid) if process not in desk], desk


def processor(pid: int) -> float:
    """Seconds of processor time of a server, in all its processes."""
    return sum(map(processor_of, _family(pid)))


def processor_of(process: int) -> float:
    """Seconds of processor time of one process; 0 where the system does not say."""
    fields = _of(process, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def largest(pid: int) -> float:
    """Megabytes of the largest process of a server, as it stands."""
    return max(_megabytes(process, "VmRSS") for process in _family(pid))


def most(process: int) -> float:
    """Megabytes, the most that a process ever held; 0 where the system does not say."""
    return _megabytes(process, "VmHWM")


def _megabytes(process: int, name: str) -> float:
    return sum(int(kb) for kb in re.findall(rf"{name}:\s+(\d+)", _of(process, "status"))) / 1024


def _of(process: int, name: str) -> str:
    """What Linux says of a process; nothing elsewhere, and of one that is gone."""
    try:
        return Path(f"/proc/{process}/{name}").read_text("ascii", errors="replace")
    except OSError:
        return ""
