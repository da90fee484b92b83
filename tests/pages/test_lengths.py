"""Three lengths, one way: a message, what matters most, every theme; what is left out is read the careful way."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.trips import at_random, on_the_check_page, sends, starts_telling, tells

WAYS = ("begin", "other", "message", "all")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(12))
def test_each_length_leads_to_a_receipt_whatever_is_answered(app: Flask, way: str, seed: int) -> None:
    phone = starts_telling(app, way=way)
    tells(phone, at_random(seed))
    assert on_the_check_page(phone)
    sends(phone)
