"""A thumb on a phone without scripts: it counts each tap and each page that loads while a job is done on real pages.

One tap each: a link, a button, a fold that hides what is touched, a box ticked, an answer chosen, a field to type into.
A choice out of a list is two. Scrolling is no tap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.phone import Phone

OUT_OF_A_LIST = 2


@dataclass(frozen=True)
class Thing:
    """What can be touched: its tag and attributes, the form around it, the folds that hide it."""

    tag: str
    attributes: dict[str, str]
    form: int
    folds: tuple[int, ...]

    def has(self, **wanted: str) -> bool:
        """Whether it has these attributes."""
        return all(self.attributes.get(name) == value for name, value in wanted.items())


class _Things(HTMLParser):
    """Everything on a page that can be touched."""

    def __init__(self) -> None:
        super().__init__()
        self.things: list[Thing] = []
        self._forms, self._form, self._folds, self._closed = 0, -1, list[int](), set[int]()
        self._count, self._in_summary = 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form, self._forms = self._forms, self._forms + 1
        elif tag == "details":
            self._count += 1
            self._folds.append(self._count)
            self._closed |= set() if "open" in attributes else {self._count}
        elif tag == "summary":
            self._in_summary = True
        elif tag in {"a", "button", "input", "select", "textarea"}:
            hiding = self._folds[:-1] if self._in_summary else self._folds
            folds = tuple(fold for fold in hiding if fold in self._closed)
            self.things.append(Thing(tag, attributes, self._form, folds))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = -1
        elif tag == "details":
            self._folds.pop()
        elif tag == "summary":
            self._in_summary = False


@dataclass
class Thumb:
    """Somebody of the staff with a phone; the counting begins on the page that `desk` shows."""

    desk: Phone
    taps: int = 0
    loads: int = 0
    unfolded: set[int] = field(default_factory=set)

    def follows(self, address: str) -> None:
        """A link to this address."""
        found = next(thing for thing in self._things() if thing.tag == "a" and thing.has(href=address))
        self._touches(found)
        self.desk.walks(address.replace("&amp;", "&"))
        self._arrives()

    def presses(self, button: str, field_: str = "go", **typed: str | list[str]) -> None:
        """The first button whose value begins so, after its form was filled in."""
        things = self._things()
        pressed = next(
            thing
            for thing in things
            if thing.tag == "button" and thing.has(name=field_) and thing.attributes.get("value", "").startswith(button)
        )
        self._fills(things, pressed, typed)
        self._sends(pressed, {field_: [pressed.attributes["value"]]}, typed)

    def sends(self, **typed: str | list[str]) -> None:
        """The one button of the form that has these fields."""
        things, first = self._things(), next(iter(typed))
        form = next(thing.form for thing in things if thing.has(name=first))
        pressed = next(thing for thing in things if thing.tag == "button" and thing.form == form)
        self._fills(things, pressed, typed)
        self._sends(pressed, {}, typed)

    def _things(self) -> list[Thing]:
        reader = _Things()
        reader.feed(self.desk.text)
        return reader.things

    def _fills(self, things: list[Thing], pressed: Thing, typed: dict[str, str | list[str]]) -> None:
        for name, values in typed.items():
            fields = [thing for thing in things if thing.form == pressed.form and thing.has(name=name)]
            for value in values if isinstance(values, list) else [values]:
                chosen = [thing for thing in fields if thing.attributes.get("type") in {"radio", "checkbox"}]
                self._touches(next((thing for thing in chosen if thing.has(value=value)), fields[0]))
                self.taps += OUT_OF_A_LIST - 1 if fields[0].tag == "select" else 0

    def _sends(self, pressed: Thing, go: dict[str, list[str]], typed: dict[str, str | list[str]]) -> None:
        self._touches(pressed)
        form = self.desk.forms[pressed.form]
        values = {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
        self.desk.repeats(form.action, form.values | values | go)
        self._arrives()

    def _touches(self, thing: Thing) -> None:
        hidden = {*thing.folds} - self.unfolded
        self.unfolded |= hidden
        self.taps += 1 + len(hidden)

    def _arrives(self) -> None:
        assert self.desk.status == 203, self.desk.words[:300]
        self.loads += 1
        self.unfolded = set()
