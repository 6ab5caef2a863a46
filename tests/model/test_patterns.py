"""Batch patterns take in what Core's would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.model.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "name", "taken"),
    [
        ("*", "komodo-core", True),
        ("komodo-*", "komodo-core", True),
        ("komodo-*", "my-komodo-core", False),
        ("komodo-cor?", "komodo-core", True),
        ("komodo-core?", "komodo-core", False),
        ("komodo-core", "komodo-core", True),
        ("Komodo-core", "komodo-core", False),
        ("frigate, komodo-core", "komodo-core", True),
        ("frigate\nkomodo-core", "komodo-core", True),
        ("# komodo-core\nfrigate", "komodo-core", False),
        ("frigate # komodo-core", "komodo-core", False),
        ("a#b", "a#b", True),
        (" komodo-core ", "komodo-core", True),
        ("", "komodo-core", False),
        (",\n,", "", False),
        # A bracket is a bracket: Komodo's wildcards know * and ? alone.
        ("[k]omodo-core", "komodo-core", False),
        ("[k]", "[k]", True),
        (r"\*", "*", True),
        (r"\*", "komodo", False),
        (r"\\", "komodo", True),
        ("\\^komodo\\", "komodo-core", True),
        ("\\core$\\", "komodo-core", True),
        ("\\^core\\", "komodo-core", False),
        # A regex with a comma is two patterns for Core, neither of which is a regex.
        ("\\o{1,2}\\", "komodo-core", False),
        # What Core cannot compile fails the whole batch, and so takes in nothing.
        ("\\(\\", "komodo-core", False),
        ("\\", "komodo-core", False),
    ],
)
def test_a_pattern_takes_in_what_komodo_says(pattern: str, name: str, taken: bool) -> None:
    assert matches(pattern, name) is taken


@given(name=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True))
def test_a_name_takes_in_itself_and_a_star_takes_in_all(name: str) -> None:
    assert matches(name, name)
    assert matches("*", name)
    assert matches(f"{name[:1]}*", name)
    assert not matches(f"{name}?", name)


@given(pattern=st.text(max_size=20), name=st.text(max_size=20))
def test_no_pattern_is_an_error(pattern: str, name: str) -> None:
    assert matches(pattern, name) in (True, False)
