"""What the terminal says, in the language of whoever sits at it: sentences, refusals, questions, and help.

The locale decides (LC_ALL, LC_MESSAGES, LANG), or `amparo --lang`. Help is translated where it is shown, so a command
writes its docstring and options in English and no more, and a new one gets it by being in a group. JSON is never
translated. Knows no command.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial, wraps
from typing import Any

import click

from reporting.errors import AmparoError
from reporting.i18n import T_, Sentence, said
from reporting.web import languages

ENGLISH = "en"
OFFERED = tuple(code for code, language in languages.LANGUAGES.items() if language.signed)
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that says something decides, as for every program
# where click binds gettext's functions by their short names; its own catalogue would have to be a compiled file
CLICK = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")

_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


def of_locale(environment: Mapping[str, str] = os.environ) -> str:
    """The language of the locale; English where we do not speak it, or nothing is said."""
    locale = next((environment[name] for name in LOCALE if environment.get(name)), "")
    code = locale.partition(".")[0].partition("_")[0].lower()
    return code if code in OFFERED else ENGLISH


@contextmanager
def speaking(code: str) -> Iterator[str]:
    """Everything is said in this language, which is given, until it ends."""
    before = _spoken.set(code)
    try:
        yield code
    finally:
        _spoken.reset(before)


def spoken() -> str:
    """The language in which everything is said now."""
    return _spoken.get()


def speak(code: str) -> None:
    """Say everything in this language from here on."""
    _spoken.set(code)


@cache
def _catalogue(code: str, domain: str) -> languages.Catalogue:
    return languages.load((code,), domain=domain)[code]


def _own(message: str) -> str:
    """A message of the terminal; as it is, where it is none."""
    code = _spoken.get()
    return message if code == ENGLISH or not message else _catalogue(code, languages.TERMINAL).gettext(message)


def _any(message: str, **parts: object) -> str:
    """A message of the terminal, or of the pages: some sentences are shown on both."""
    text = _own(message)
    if text == message and _spoken.get() != ENGLISH:
        text = languages.say(_catalogue(_spoken.get(), languages.PAGES), message)
    return text % parts if parts else text


def translated(text: str, **parts: object) -> str:
    """A message id with its parts, or a sentence, in the language that is spoken; another text as it is."""
    if parts:
        text = said(text, **parts)
    return text.said_by(_any) if isinstance(text, Sentence) else _any(text)


def echo(*texts: str, err: bool = False, nl: bool = True, **parts: object) -> None:
    """Print each text, which is a message id with its parts, a sentence, or what is no words, on a line of its own."""
    for text in texts:
        click.echo(translated(text, **parts), err=err, nl=nl)


def ask(question: str, *, parts: Mapping[str, object] | None = None, **options: Any) -> Any:
    """What is typed. `options` are those of `click.prompt`."""
    return click.prompt(translated(question, **(parts or {})), **options)


YES, NO = frozenset({"y", "yes", "s", "si", "sí"}), frozenset({"n", "no"})  # in whatever language it was asked


def agrees(question: str) -> bool:
    """Whether the answer is yes, as it is where Enter alone is pressed."""
    while True:
        typed = str(ask(question, default=translated("yes"), err=True)).strip().lower()
        if typed in YES | NO:
            return typed in YES
        echo("Please type yes or no.", err=True)


class Refusal(click.ClickException, AmparoError):
    """A command ends here, with a sentence that says why."""

    def __init__(self, text: str, **parts: object) -> None:
        super().__init__(translated(text, **parts))


def refusal(problem: BaseException) -> click.ClickException:
    """An error that was raised below, as the end of a command: each sentence it holds on a line of its own."""
    sentences = problem.args if all(isinstance(part, str) for part in problem.args) else (str(problem),)
    return Refusal("\n".join(translated(str(text)) for text in sentences))


def _plural(singular: str, plural: str, count: int) -> str:
    return _own(singular if count == 1 else plural)


def teach_click() -> None:
    """Let click say its own words in the language that is spoken."""
    for name in CLICK:
        module = vars(importlib.import_module(f"click.{name}"))
        module.update({"_": _own} | ({"ngettext": _plural} if "ngettext" in module else {}))
    _teach_placeholders()


# what stands in capitals for what is to be typed, in usage, help and refusals
PLACEHOLDERS = (
    T_("ADDRESS"),
    T_("DIRECTORY"),
    T_("FILE"),
    T_("FLOAT"),
    T_("INTEGER"),
    T_("INTEGER RANGE"),
    T_("MARK"),
    T_("MICRODATA"),
    T_("NAME"),
    T_("NEW"),
    T_("PATH"),
    T_("PERIOD"),
    T_("SECRET"),
    T_("TEXT"),
    T_("WORDS"),
)
IN_CAPITALS = re.compile(r"[A-Z]{2,}(?: RANGE)?")
# kinds of numbers, as a refusal calls them
NUMBERS = {
    click.types.IntParamType: T_("whole number"),
    click.types.IntRange: T_("whole number"),
    click.types.FloatParamType: T_("number"),
    click.types.FloatRange: T_("number"),
}


def _in_capitals(make: Callable[[Any, click.Context], str]) -> Callable[[Any, click.Context], str]:
    """What a parameter is shown as, in the language that is spoken."""

    @wraps(make)
    def shown(parameter: Any, ctx: click.Context) -> str:
        return IN_CAPITALS.sub(lambda word: _own(word[0]) if word[0] in PLACEHOLDERS else word[0], make(parameter, ctx))

    return shown


@cache
def _teach_placeholders() -> None:
    kind: Any
    for kind in (click.Parameter, click.Argument):
        kind.make_metavar = _in_capitals(kind.make_metavar)
    for kind, words in NUMBERS.items():
        kind.name = property(partial(_called, words))


def _called(words: str, _number: object) -> str:
    return _own(words)


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────

HELP = "Show this message and exit."
USAGE = ("[OPTIONS]", "COMMAND [ARGS]...")  # how click writes what may follow


AS_IT_STANDS = "\b\n"  # click's mark of a paragraph whose lines stay lines


def paragraphs(text: str) -> list[list[str]]:
    """Help as message ids: one a paragraph; one a line where the lines stay."""
    parts = re.split(r"\n\s*\n", inspect.cleandoc(text).partition("\f")[0])
    return [part.split("\n") if part.startswith(AS_IT_STANDS) else [" ".join(part.split())] for part in parts]


def in_words(text: str) -> str:
    """Help in the language that is spoken, paragraph by paragraph."""
    return "\n\n".join("\n".join(map(translated, lines)) for lines in paragraphs(text))


class Formatter(click.HelpFormatter):
    """Writes help in the language that is spoken."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        for piece in USAGE:
            args = args.replace(piece, translated(piece))
        super().write_usage(prog, args, prefix)

    def write_text(self, text: str) -> None:
        super().write_text(in_words(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, _with_default(text)) for name, text in rows], col_max, col_spacing)


def _with_default(text: str) -> str:
    """The help of an option; what click adds to it stands behind two spaces, and is said by click itself."""
    words, gap, added = text.partition("  [")
    return translated(words) + gap + added


class Context(click.Context):
    """A context that writes its help with our formatter."""

    formatter_class = Formatter


class Command(click.Command):
    """A command whose help is translated where it is shown."""

    context_class = Context

    def get_short_help_str(self, limit: int = 45) -> str:
        first = in_words(self.help or "").partition("\n\n")[0].partition(". ")[0].removesuffix(".")
        return textwrap.shorten(first, limit, placeholder="...")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = HELP  # click keeps it as it was said first; here it is the id again
        return option


class Group(Command, click.Group):
    """A group of them."""

    command_class = Command


Group.group_class = Group


class Main(Group):
    """The program: it finds out which language is spoken."""

    def __init__(self, *names: Any, params: Iterable[click.Parameter] = (), **options: Any) -> None:
        language = click.Option(
            ["--lang"],
            type=click.Choice(OFFERED),
            is_eager=True,
            expose_value=False,
            callback=_speak,
            help="Language of the terminal. [default: that of the locale]",
        )
        super().__init__(*names, params=[*params, language], **options)

    def main(self, *arguments: Any, **options: Any) -> Any:
        teach_click()
        with speaking(of_locale()):
            return super().main(*arguments, **options)


def _speak(_context: click.Context, _option: click.Parameter, code: str | None) -> None:
    if code:
        speak(code)
