"""What always comes out the same and costs much is worked out once in a process of tests: nothing is replaced.

A stretched password by password, salt and pepper; the catalogues of ours, parsed; a template, compiled, by its source
and the catalogue it was translated with. Each is worked out by the real code, by what it depends on; a process of its
own (a server, the terminal) works out everything anew. Half of what a test of pages took was this.
"""

from __future__ import annotations

import functools
from typing import Any
from weakref import WeakKeyDictionary

from jinja2.bccache import Bucket, BytecodeCache

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
