#!/usr/bin/env python3
"""The one start script: makes the environment from the lock file, then runs what was asked.

Needs only Python 3.11 with pip and venv; no compiler, nothing installed before. Every package is checked
against the hash in its lock file. It knows nothing of the application but the name of its command.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PLACE = ROOT / ".venv"
PROGRAMS = PLACE / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)
RUN = "requirements.txt"
HOSTS = "requirements-hosts.txt"  # RUN, and what speaks to PostgreSQL and Redis, where there are several hosts
TEST = "requirements-dev.txt"  # holds all of HOSTS, in the same versions

# word -> (lock file, program, what always follows it, what it is for)
ACTS = {
    "demo": (RUN, "amparo", ("demo",), "a practice copy with invented reports on http://127.0.0.1:8080"),
    "test": (TEST, "pytest", (), "the tests (--quick: in a minute); names of files or options of pytest may follow"),
    "amparo": (RUN, "amparo", (), "any other command, for example: amparo init, amparo --help"),
    "hosts": (HOSTS, "amparo", (), "as amparo, with what PostgreSQL and Redis need (once; then amparo keeps it)"),
}
QUICK = "--quick"
QUICK_TESTS = ("tests/unit", "tests/house")  # what needs no installation, and what the house promises
HELP = """\
usage: python3 start.py {{{words}}} [options]

{acts}

The first time it makes the folder .venv here and fetches the packages (a minute or two; needs the network).
After that it starts at once. To begin anew, delete the folder .venv; nothing else is kept there.
"""
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that says something decides, as for every program
SPANISH = {
    HELP: """\
uso: python3 start.py {{{words}}} [opciones]

{acts}

La primera vez hace aquí la carpeta .venv y trae los paquetes (uno o dos minutos; necesita la red).
Después empieza enseguida. Para empezar de nuevo, borra la carpeta .venv; ahí no se guarda nada más.
""",
    "a practice copy with invented reports on http://127.0.0.1:8080": (
        "una copia de práctica con reportes inventados en http://127.0.0.1:8080"
    ),
    "the tests (--quick: in a minute); names of files or options of pytest may follow": (
        "las pruebas (--quick: en un minuto); pueden seguir nombres de archivos u opciones de pytest"
    ),
    "any other command, for example: amparo init, amparo --help": (
        "cualquier otro comando, por ejemplo: amparo init, amparo --help"
    ),
    "as amparo, with what PostgreSQL and Redis need (once; then amparo keeps it)": (
        "como amparo, con lo que PostgreSQL y Redis necesitan (una sola vez; después amparo lo conserva)"
    ),
    "There is no '{word}' here.": "Aquí no hay '{word}'.",
    "This is Python {have}; Amparo needs 3.11 or later.\n"
    "Install a newer one (Debian 12 and later have it) and call it by name: python3.11 start.py demo": (
        "Este es Python {have}; Amparo necesita 3.11 o más nuevo.\n"
        "Instala uno más nuevo (Debian 12 y posteriores lo tienen) y llámalo por su nombre: python3.11 start.py demo"
    ),
    "This Python cannot make an environment: its venv module is missing.\n"
    "On Debian and Ubuntu: apt install python3-venv": (
        "Este Python no puede hacer un entorno: le falta el módulo venv.\nEn Debian y Ubuntu: apt install python3-venv"
    ),
    "Making the folder .venv ...": "Haciendo la carpeta .venv ...",
    "the folder .venv could not be made": "no se pudo hacer la carpeta .venv",
    "Fetching up to {count} packages and checking their hashes (once; a minute or two) ...": (
        "Trayendo hasta {count} paquetes y revisando sus huellas (una sola vez; uno o dos minutos) ..."
    ),
    "the packages could not be installed.\nIs this machine connected? The lines above say what is missing. "
    "Then run the same command again": (
        "no se pudieron instalar los paquetes.\n¿Está conectada esta máquina? Las líneas de arriba dicen qué falta. "
        "Después corre otra vez el mismo comando"
    ),
    "Installing Amparo itself ...": "Instalando Amparo ...",
    "Amparo could not be installed": "no se pudo instalar Amparo",
    "Ready.\n": "Listo.\n",
    "Stopped: {trouble}.": "Detenido: {trouble}.",
    "\nStopped.": "\nDetenido.",
}


class CannotStart(Exception):
    """What is missing, and what to do about it."""


def main(words: list[str]) -> None:
    """Do what was asked, or say what can be asked."""
    if not words or words[0] in {"-h", "--help", "help"}:
        print(help_text())
        return
    if words[0] not in ACTS:
        raise CannotStart(words_of("There is no '{word}' here.", word=words[0]) + "\n\n" + help_text())
    check_python()
    lock, command = command_of(words)
    prepare(lock)
    if lock == TEST:
        os.chdir(ROOT)  # pytest reads its settings from here
    hand_over(command)


def command_of(words: list[str]) -> tuple[str, list[str]]:
    """The lock file that an act needs, and the command that it becomes."""
    lock, program, always, _ = ACTS[words[0]]
    options = words[1:]
    if lock == RUN and stamp_of(HOSTS).exists():
        lock = HOSTS
    if lock == TEST and QUICK in options:
        options = [*QUICK_TESTS, *(option for option in options if option != QUICK)]
    return lock, [str(PROGRAMS / program), *always, *options]


def help_text() -> str:
    """What can be asked, from the table of acts."""
    acts = "\n".join(f"  {word:8} {words_of(purpose)}" for word, (*_, purpose) in ACTS.items())
    return words_of(HELP, words=",".join(ACTS), acts=acts)


def words_of(text: str, **parts: object) -> str:
    """A text with its parts, in Spanish where the locale is."""
    locale = next((os.environ[name] for name in LOCALE if os.environ.get(name)), "")
    return (SPANISH[text] if locale.startswith("es") else text).format(**parts)


def check_python() -> None:
    """Python is new enough and can make an environment."""
    if sys.version_info < OLDEST:
        have = ".".join(str(part) for part in sys.version_info[:2])
        raise CannotStart(
            words_of(
                "This is Python {have}; Amparo needs 3.11 or later.\n"
                "Install a newer one (Debian 12 and later have it) and call it by name: python3.11 start.py demo",
                have=have,
            )
        )
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise CannotStart(
            words_of(
                "This Python cannot make an environment: its venv module is missing.\n"
                "On Debian and Ubuntu: apt install python3-venv"
            )
        )


def prepare(lock: str) -> None:
    """Make .venv hold exactly what the lock file says; quick when it does already."""
    stamp = stamp_of(lock)
    now = fingerprint(lock)
    if runs() and stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return
    if not runs():
        say("Making the folder .venv ...")
        run("the folder .venv could not be made", sys.executable, "-m", "venv", "--clear", str(PLACE))
    count = (ROOT / lock).read_text(encoding="utf-8").count("==")
    say("Fetching up to {count} packages and checking their hashes (once; a minute or two) ...", count=count)
    pip(
        "the packages could not be installed.\nIs this machine connected? The lines above say what is missing. "
        "Then run the same command again",
        *("--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / lock)),
    )
    say("Installing Amparo itself ...")
    pip("Amparo could not be installed", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp.write_text(now, encoding="ascii")
    say("Ready.\n")


def stamp_of(lock: str) -> Path:
    """The file that says that .venv was filled from this lock."""
    return PLACE / f"made-from-{lock}"


def fingerprint(lock: str) -> str:
    """One line that changes when the lock, pyproject.toml, setup.py, the folder or Python's version does."""
    parts = [(ROOT / name).read_bytes() for name in (lock, "pyproject.toml", "setup.py")]
    parts += [str(ROOT).encode(), repr(sys.version_info[:2]).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def runs() -> bool:
    """Whether .venv holds a Python of our version that starts (a folder that was moved does not)."""
    python = PROGRAMS / "python"
    asked = [str(python), "-c", "import sys; print(sys.version_info[:2], sys.prefix)"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return False
    return told == f"{sys.version_info[:2]} {PLACE}"


def pip(trouble: str, *told: str) -> None:
    """Call the pip of .venv, quietly; its errors are shown."""
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input"]
    without_home = [] if os.environ.get("HOME", "") else ["--no-cache-dir"]
    run(trouble, str(PROGRAMS / "python"), "-m", "pip", "install", *quietly, *without_home, *told)


def run(trouble: str, *command: str) -> None:
    """Run a step; if it fails, say in words what could not be done."""
    if subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, "PIP_USER": "0"}).returncode:
        raise CannotStart(words_of("Stopped: {trouble}.", trouble=words_of(trouble)))


def hand_over(command: list[str]) -> None:
    """Become the program, so that Ctrl+C and signals reach it."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    sys.exit(subprocess.run(command, check=False).returncode)


def say(sentence: str, **parts: object) -> None:
    """Tell what is happening, at once."""
    print(words_of(sentence, **parts), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CannotStart as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(words_of("\nStopped."))
