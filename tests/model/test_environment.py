"""The entries of an environment field as Komodo reads them (recorded: 72-environment-file)."""

import pytest

from homeops.model.environment import entries


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("\n# A=1\n  // B=2\n", []),
        ("A=1\nB = two words \n", [("A", "1"), ("B", "two words")]),
        ("A: 1\n- B=2\n- C: x=y\n", [("A", "1"), ("B", "2"), ("C", "x=y")]),
        ("URL=https://x:1/#top # the door\n", [("URL", "https://x:1/#top")]),
        ("A='1'\nB=\"2 #3\"\n", [("A", "'1'"), ("B", '"2')]),
        ("\"A=1\"\n'B: 2'\n", [("A", "1"), ("B", "2")]),
        ("A=first\nsecond\n", [("A", "first"), ("", "second")]),
        ("A=\n=1\n", [("A", ""), ("", "1")]),
    ],
)
def test_each_line_is_an_entry(text: str, pairs: list[tuple[str, str]]) -> None:
    assert list(entries(text)) == pairs
