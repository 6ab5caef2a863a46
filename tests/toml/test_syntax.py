"""TOML 1.1: what plain TOML readers read alike, what 1.1 adds, what is no TOML, and where."""

import math
import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from homeops.komodo.toml.dialect import escaped, original_offset
from homeops.komodo.toml.findings import Source
from homeops.komodo.toml.syntax import MANY_ERRORS, Moment, Node, Table, parse

LETTERS = st.characters(exclude_categories=["Cs"])
KEYS = st.text(LETTERS, max_size=5) | st.sampled_from(["a", "b", "a-b", "1", "true", ""])
PLAIN = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(LETTERS, max_size=12)
    | st.text(st.sampled_from("a\"'\\\n#[]{}= "), max_size=12)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def plain(value: Any) -> Any:
    match value:
        case Table(members=members):
            return {key: plain(node.value) for key, node in members.items()}
        case list():
            return [plain(item.value) if isinstance(item, Node) else item for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def read(text: str) -> Any:
    root, errors = parse(text)
    assert not errors, errors[0].what
    return plain(root)


@settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_toml_is_read_as_by_another_reader(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    # The other reader makes LF of CRLF, which Komodo's does not.
    if "\r\n" not in text:
        assert read(text) == tomllib.loads(text)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab=.[]{},\"'\\\n#01-+_eE: tf"), max_size=20))
def test_any_text_is_toml_exactly_when_another_reader_says_so(text: str) -> None:
    root, errors = parse(text)
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # What 1.1 adds to 1.0 is in the inside of inline tables and in escapes.
        assert errors or "{" in text or "\\e" in text
    else:
        assert not errors, errors[0].what
        assert plain(root) == loaded or any(isinstance(node.value, Moment) for node in root.members.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = {\n b = 1, # one\n c = 2,\n}\n", {"a": {"b": 1, "c": 2}}),
        (r'a = "\e\x41"', {"a": "\x1bA"}),
        ("a = 07:32", {"a": Moment("07:32")}),
        ("a = 1979-05-27 07:32:00.5Z", {"a": Moment("1979-05-27 07:32:00.5Z")}),
        ('a = """\r\none\r\ntwo\\\r\n   three"""', {"a": "one\r\ntwothree"}),
        ('a = """"q"""""', {"a": '"q""'}),
        ("a = '''\n'q''''", {"a": "'q'"}),
        ("a = [1, [2,], # c\n]", {"a": [1, [2]]}),
        ("a = [0xff, 0o7, 0b11, 1_000, -0]", {"a": [255, 7, 3, 1000, 0]}),
        ("a.b.c = 1\na.d = 2\n", {"a": {"b": {"c": 1}, "d": 2}}),
        ("[a.b]\n[a]\nc = 1\n", {"a": {"b": {}, "c": 1}}),
        ("[[a]]\n[a.b]\nc = 1\n[[a]]\nb.c = 2\n", {"a": [{"b": {"c": 1}}, {"b": {"c": 2}}]}),
        ('"a b".\'c"\' = 1', {"a b": {'c"': 1}}),
        ("\ufeffa = 1", {"a": 1}),
        ("", {}),
        ("# only\n", {}),
    ],
)
def test_forms_of_toml(text: str, value: Any) -> None:
    assert read(text) == value


def test_numbers_that_are_not_finite() -> None:
    values = read("a = inf\nb = -inf\nc = nan")
    assert (values["a"], values["b"]) == (math.inf, -math.inf)
    assert math.isnan(values["c"])


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("a = 1\n[[stack]\n", 2, 8, '"]]" is missing'),
        ("a = 1\nb = \n", 2, 5, "a value is missing"),
        ("a = web\n", 1, 5, "web is not a value; a text stands in quotes"),
        ("a = 1 b = 2\n", 1, 7, "the line should end here"),
        ("a 1\n", 1, 3, '"=" is missing after the key'),
        ("= 1\n", 1, 1, "a key is missing"),
        ('a = "x\nb = 1\n', 1, 5, "the text is not closed on its line"),
        ('a = """x\nb = 1\n', 1, 5, "the text is never closed"),
        ("a = [1, 2\nb = 1\n", 2, 1, '"," or "]" is missing'),
        ("a = [1, 2\n", 1, 5, "the list is never closed"),
        ("a = { b = 1\n", 1, 5, "the table is never closed"),
        ("a = 1\na = 2\n", 2, 1, '"a" stands here twice'),
        ("a.b = 1\n[a]\n", 2, 2, '"a" stands here already'),
        ("[a]\n[a]\n", 2, 2, '"a" stands here already'),
        ("[a]\n[[a]]\n", 2, 3, '"a" stands here already, as something else than [[a]]'),
        ("a = {}\n[a.b]\n", 2, 2, '"a" is not a table that can be added to'),
        ("[a.b.c]\n[a]\nb.c.d = 1\n", 3, 1, '"b" stands here already'),
        (r'a = "C:\dir"', 1, 8, r"\d is not an escape of TOML; write \\ for a backslash"),
        (r'a = "\ud800"', 1, 6, r"\ud800 is not an escape of TOML; write \\ for a backslash"),
        ("a = '''x\x00'''", 1, 9, "U+0000 may not stand in a text"),
        ("a = 1\rb = 2\n", 1, 6, "the line should end here"),
        ("a = " + "[" * 100_000, 1, 85, "lists and tables are nested more than 80 deep"),
        ("a = " + "1" * 5000, 1, 5, "the number is too long"),
    ],
)
def test_an_error_has_its_place(text: str, line: int, column: int, what: str) -> None:
    _, errors = parse(text)
    found = Source("f.toml", text).broken(errors[0].at, errors[0].what, "")
    assert (found.line, found.column, found.what) == (line, column, f"not TOML: {what}")


def test_after_an_error_the_next_statement_is_read() -> None:
    text = '[[a]]\nb = x\nc = [\n  "y"\n  "z",\n]\n[a.d]\ne = \nf = 1\n'
    root, errors = parse(text)
    assert [error.what for error in errors] == [
        "x is not a value; a text stands in quotes",
        '"," or "]" is missing',
        "a value is missing",
    ]
    assert plain(root) == {"a": [{"d": {"f": 1}}]}


@pytest.mark.parametrize("broken", ['b = """\nc = 1\n', "b = [\nc = 1\n", "[[a]\nb = 1\n", "[a.\nb = 1\n"])
def test_where_the_end_of_an_error_is_unknown_the_next_declaration_is_read(broken: str) -> None:
    root, errors = parse(f"[[a]]\n{broken}[[a]]\nd = 1\n")
    assert len(errors) == 1
    assert plain(root) in ({"a": [{}, {"d": 1}]}, {"a": [{}], "b": 1})


def test_a_text_that_is_hopeless_is_given_up() -> None:
    assert len(parse("[[a]\n" * 1000)[1]) == MANY_ERRORS


@settings(deadline=None)
@given(st.text(st.sampled_from("ab\\\"\n'"), max_size=40))
def test_positions_lead_back_from_the_escaped_text(text: str) -> None:
    whole = escaped(text)
    assert whole.count("\n") == text.count("\n")
    for offset, letter in enumerate(whole):
        assert text[original_offset(text, offset)] == letter
    assert escaped(text.replace("\\", "")) == text.replace("\\", "")


def test_backslashes_are_literal_only_between_three_quotes() -> None:
    text = r"""a = "\t" """ + '\nb = """\n\\t\\d\\\n"""\nc = \'\\t\'\n'
    assert read(escaped(text)) == {"a": "\t", "b": "\\t\\d\\\n", "c": "\\t"}
