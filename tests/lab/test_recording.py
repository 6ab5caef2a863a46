"""Placeholders of recordings: what they stand for, and that a difference is found."""

from typing import Any

import pytest

from homeops.lab.recording import Bindings

_ID = "6a1f2b3c4d5e6f7081920a1b"
_OTHER = "6a1f2b3c4d5e6f7081920a1c"


def _equal(expected: Any, actual: Any, bindings: Bindings | None = None) -> bool:
    return not list((bindings or Bindings()).differences(expected, actual))


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        (24, 24, True),
        (24, 24.0, False),
        (1, True, False),
        (None, None, True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ("<ts>", 1700000000000, True),
        ("<ts>", "1700000000000", False),
        ("<any>", [1], True),
        ("at <any> o'clock", "at \n12 o'clock", True),
        ("at <any> o'clock", "at 12", False),
        ("a < b > c", "a < b > c", True),
        ("<id:1>", "short", False),
    ],
)
def test_differences_are_found(expected: Any, actual: Any, same: bool) -> None:
    assert _equal(expected, actual) is same


def test_a_placeholder_binds_where_it_is_first_seen() -> None:
    bindings = Bindings()
    assert _equal({"_id": "<id:1>", "text": "see <id:1>"}, {"_id": _ID, "text": f"see {_ID}"}, bindings)
    assert not _equal("<id:1>", _OTHER, bindings)
    assert bindings.fill({"id": "<id:1>", "up": "<ID:1>", "new": "<id:2>"}) == {
        "id": _ID,
        "up": _ID.upper(),
        "new": "<id:2>",
    }


def test_the_token_last_answered_counts() -> None:
    bindings = Bindings()
    assert _equal({"jwt": "<jwt>"}, {"jwt": "a.b.c"}, bindings)
    assert _equal({"jwt": "<jwt>"}, {"jwt": "d.e.f"}, bindings)
    assert bindings.fill("Bearer <jwt>") == "Bearer d.e.f"


def test_placeholders_stand_in_keys_too() -> None:
    bindings = Bindings({"id:1": _ID})
    assert _equal({"<id:1>": {"a": "<any>"}}, {_ID: {"a": 5}}, bindings)
