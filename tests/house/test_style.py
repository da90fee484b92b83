"""The style sheet and the templates name the same classes, each with the first letters of its family."""

from __future__ import annotations

import re
from pathlib import Path

from reporting.web import assets

ROOT = Path(__file__).parents[2]
FAMILIES = ("o-", "c-", "case-", "queue-", "paper-", "figure-", "is-")
STATE = "is-"  # set by the script, not by a template
UNSTYLED: dict[str, str] = {}  # class of a template that has no rule -> why it is there all the same
TEMPLATES = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "templates").rglob("*.html")))
SCRIPT = (assets.STATIC / "leave.js").read_text("utf-8")
SHEET = (assets.STATIC / "style.css").read_text("utf-8")
OF_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def selectors() -> str:
    """The sheet without its comments and without what stands between braces that hold no other braces."""
    return re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", SHEET, flags=re.DOTALL)


def classes_of_the_sheet() -> set[str]:
    return set(re.findall(r"\.([a-z][\w-]*)", selectors()))


def classes_of_templates() -> set[str]:
    """What stands in `class="..."`, and what statements and values of Jinja put there, which they spell in full."""
    attributes = re.findall(r'\sclass="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"', TEMPLATES, re.DOTALL)
    plain = {name for attribute in attributes for name in OF_JINJA.sub(" ", attribute).split()}
    texts = re.findall(r"""["']([a-z-]+)["']""", " ".join(OF_JINJA.findall(TEMPLATES)))
    return plain | {text for text in texts if text.startswith(FAMILIES)}


def test_every_class_of_the_sheet_says_its_family() -> None:
    assert not {name for name in classes_of_the_sheet() if not name.startswith(FAMILIES)}


def test_every_class_of_the_sheet_is_used() -> None:
    styled = classes_of_the_sheet()
    assert len(styled) > 50, "the sheet was not read"
    assert not {name for name in styled if not name.startswith(STATE)} - classes_of_templates()
    assert not {name for name in styled if name.startswith(STATE) and f'"{name}"' not in SCRIPT}


def test_every_class_of_a_template_stands_in_the_sheet() -> None:
    used = classes_of_templates()
    assert not used - classes_of_the_sheet() - UNSTYLED.keys()
    assert UNSTYLED.keys() <= used, "no longer used"


def test_the_script_looks_for_classes_that_templates_have() -> None:
    assert set(re.findall(r"[\" ]\.([a-z-]+)", SCRIPT)) <= classes_of_templates()


def test_what_only_readers_of_the_sheet_need_does_not_travel() -> None:
    served = assets.served("style.css").decode()
    assert "/*" not in served
    assert not re.search(r"\s{2}|\n|;}|[{};]\s|\s[{}]", served)
    squeezed = re.sub(r"/\*.*?\*/|[\s;]", "", SHEET, flags=re.DOTALL)
    assert re.sub(r"[\s;]", "", served) == squeezed, "and all else does"


def test_a_line_of_a_template_is_as_long_as_its_sentence_needs() -> None:
    """What can be broken is broken; a sentence stays whole, so that it is found as it stands in the catalogue."""
    sentence = re.compile(r'_\("(?:[^"\\]|\\.)*"')
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert len(sentence.sub("", line)) <= 140, f"{path.relative_to(ROOT)}:{number}"
