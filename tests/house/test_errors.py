"""Every error of ours belongs to one family and has a name of its own; pages catch it by that name."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter

from werkzeug.exceptions import HTTPException

from reporting.errors import AmparoError
from tests.house.figures import modules


def ours() -> set[type[BaseException]]:
    """Every class of an error that a module of ours defines."""
    found = set[type[BaseException]]()
    for name in (module.name for module in modules() if not module.name.endswith("__main__")):
        for _, thing in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(thing, BaseException) and thing.__module__ == name:
                found.add(thing)
    return found


def test_every_error_of_ours_is_of_one_family() -> None:
    strangers = {error for error in ours() if not issubclass(error, AmparoError | HTTPException)}
    assert len(ours()) > 20
    assert not strangers


def test_no_two_errors_share_a_name_and_each_says_what_it_means() -> None:
    count = Counter(error.__name__ for error in ours())
    assert not {name for name, times in count.items() if times > 1}
    assert not {error.__name__ for error in ours() if not error.__doc__ or error.__doc__ == AmparoError.__doc__} - {
        "AmparoError"
    }
