"""What always comes out the same and costs much is worked out once in a process of tests: nothing is replaced.

A stretched password by password, salt and pepper; the catalogues of ours, parsed; a template, compiled, by its source
and the catalogue it was translated with; how an address is put together, by its rule; the card of a service, by its row
and where it counts. Each is worked out by the real code, by what it depends on; a process of its
own (a server, the terminal) works out everything anew. Half of what a test of pages took was this.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from referrals.directory import card
from reporting.crypto import sealing
from reporting.web import languages, templating
from reporting.web.languages import Catalogue


class _Compiled(BytecodeCache):
    """Templates as they were compiled with one catalogue, by name and source."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


def remember() -> None:
    """From here on, in this process."""
    sealing.stretch_password = functools.cache(sealing.stretch_password)
    _remember_catalogues()
    _remember_templates()
    _remember_rules()
    _remember_cards()


def _remember_catalogues() -> None:
    load, ours = languages.load, functools.cache(languages.load)

    def loaded(codes: tuple[str, ...], *rest: Any, **more: Any) -> dict[str, Catalogue]:
        is_ours = not rest and more.keys() <= {"country"}  # another folder may be written into
        return dict(ours(codes, **more)) if is_ours else load(codes, *rest, **more)

    languages.load = loaded


def _remember_templates() -> None:
    compiled: WeakKeyDictionary[Catalogue, _Compiled] = WeakKeyDictionary()
    make = templating.environments

    def environments(*known: Any, **more: Any) -> dict[str, templating.LanguageEnvironment]:
        made = make(*known, **more)
        for env in made.values():
            env.bytecode_cache = compiled.setdefault(env.catalogue, _Compiled())
        return made

    templating.environments = environments


def _remember_rules() -> None:
    """Half of what an application takes to be made."""
    build, built = Rule._compile_builder, dict[Any, Any]()  # noqa: SLF001

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return build(rule, append_unknown)
        key = (*rule._trace, append_unknown)  # noqa: SLF001
        if key not in built:
            built[key] = build(rule, append_unknown)
        return built[key]

    Rule._compile_builder = once  # type: ignore[assignment, method-assign] # noqa: SLF001


def _remember_cards() -> None:
    make, made = card.card_of, dict[Any, Any]()

    def once(row: Any, coverage: frozenset[str], here: Any, *, waits: bool = False) -> Any:
        cells = vars(row).items() if isinstance(row, SimpleNamespace) else row
        key = (*cells, coverage, here.country, here.zone, waits)
        if key not in made:
            made[key] = make(row, coverage, here, waits=waits)
        return made[key]

    card.card_of = once
