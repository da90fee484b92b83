"""The page for whoever needs help this minute: three numbers of her country before anything is read."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from reporting.web import assets
from tests.phone import Phone

HEIGHT = 640
BUTTON = re.compile(r'<a class="c-call c-now" href="(tel:\d+)">(.*?): (\d+)</a>')


def test_three_buttons_name_what_happens_and_the_number_of_the_country(app: Flask) -> None:
    phone = Phone(app)
    buttons = BUTTON.findall(phone.opens("/es/ahora"))
    assert [(words, number) for _, words, number in buttons] == [
        ("Sangro, no puedo respirar", "106"),
        ("Pienso en acabar con mi vida", "113"),
        ("Alguien me hace daño", "100"),
    ]
    assert all(link == f"tel:{number}" for link, _, number in buttons)


def test_each_line_has_one_doubt_in_sight_and_the_rest_behind_a_touch(app: Flask) -> None:
    page = Phone(app).opens("/es/ahora")
    for line in page.split('class="c-offer"')[1:]:
        assert line.count('class="c-warning"') <= 1
        assert line.index("<details>") > line.rfind('class="c-warning"')


def test_the_three_buttons_stand_on_the_first_screen(app: Flask, player: Any) -> None:
    from tests.browsers import headless

    page = Phone(app).opens("/es/ahora")
    browser = headless(player)
    window = browser.new_context(viewport={"width": 360, "height": HEIGHT}, java_script_enabled=False).new_page()
    window.set_content(page.replace("</head>", f"<style>{assets.served('style.css').decode()}</style></head>"))
    boxes = [box for link in window.locator(".c-now").all() if (box := link.bounding_box())]
    browser.close()
    assert len(boxes) == 3
    assert max(box["y"] + box["height"] for box in boxes) <= HEIGHT
    assert min(box["height"] for box in boxes) >= 44
