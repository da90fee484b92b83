"""Templates, once for each language: what they say is translated when they are compiled, not when shown.

Most of a page is sentences that never change, so this leaves little to do for each reader. Knows templates and
catalogues, nothing of requests.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from reporting.web.languages import Catalogue

GETTEXT = "_"  # what a template calls to say something


class _Translator(NodeTransformer):
    """Puts the translation in the place of every call that always says the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 -- named by the library
        message = call.args[0] if len(call.args) == 1 and not call.kwargs else None
        if isinstance(call.node, nodes.Name) and call.node.name == GETTEXT and isinstance(message, nodes.Const):
            text = self._catalogue.gettext(message.value) % {}  # as the library fills in nothing: %% is a %
            return nodes.Const(Markup(text), lineno=call.lineno)  # noqa: S704 -- our own words
        visited: nodes.Node = self.generic_visit(call)
        return visited


class _Writer(CodeGenerator):
    """Writes the code of a template whose sentences are translated already."""

    environment: LanguageEnvironment

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 -- as above
        super().visit_Template(_Translator(self.environment.catalogue).visit(node), frame)


class LanguageEnvironment(Environment):
    """Every template in one language."""

    code_generator_class = _Writer
    catalogue: Catalogue

    def make_globals(self, more: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """One plain table for all templates; nothing is added to it later."""
        return {**self.globals, **(more or {})}


def environments(app: Flask, catalogues: Mapping[str, Catalogue], **known: Any) -> dict[str, LanguageEnvironment]:
    """Language -> its templates. `known`: what every template can call."""
    by_language = {}
    for code, catalogue in catalogues.items():
        env = LanguageEnvironment(
            app,
            autoescape=app.select_jinja_autoescape,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        env.globals.update(app.jinja_env.globals, **known)
        env.catalogue = catalogue
        env.install_gettext_callables(catalogue.gettext, catalogue.ngettext, newstyle=True)  # type: ignore[attr-defined]
        by_language[code] = env
    return by_language
