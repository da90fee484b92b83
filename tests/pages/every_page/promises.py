"""What holds on every page, in whichever look: a walk shows it, and each file of this folder takes one walk.

They are files of their own so that two processors have something to do until the end.
"""

from __future__ import annotations

import re

from tests.pages.every_page.walk import TEMPLATES, Seen, Sites, is_page


class Promises:
    """The tests of a look; a class that takes them over says which."""

    look: str

    def test_every_page_can_be_used_by_everybody(self, seen: Seen) -> None:
        assert not seen.broken, seen.in_words()

    def test_no_page_is_forgotten(self, seen: Seen, sites: Sites) -> None:
        rules = [rule for rule in sites.running.app.url_map.iter_rules() if is_page(rule.endpoint)]
        doors = {(rule.endpoint, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
        forgotten = doors - seen.reached
        assert not forgotten, sorted(forgotten)

    def test_no_template_is_forgotten(self, seen: Seen) -> None:
        sources = {
            path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")
        }
        extended = {name for source in sources.values() for name in re.findall(r'{% extends "(.*?)"', source)}
        # pieces of a page; and the page of a practice, which no installation has (tests/stories/test_practice.py)
        pages = {name for name in sources if not name.startswith(("parts/", "practice/")) and "/_" not in name}
        forgotten = pages - extended - seen.rendered
        assert not forgotten, sorted(forgotten)

    def test_no_button_is_forgotten(self, seen: Seen) -> None:
        forgotten = seen.offered - seen.pressed
        assert not forgotten, sorted(forgotten)
