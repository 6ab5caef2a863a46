"""Keywords of one call in a source; everything else stays to the byte."""

import ast
from collections.abc import Callable

import pytest

from homeops.adoption.call import NotEditable, find_call, is_plain, spliced
from homeops.adoption.keyword_edits import changed
from homeops.adoption.module_imports import with_imports

Written = Callable[[int, int], str]


def written(text: str) -> Written:
    """A value that is written the same everywhere."""
    return lambda _indent, _before: text


LONG = f'"{"x" * 90}"'

CASES: list[tuple[str, str, str | None, str]] = [
    ('S("a")', "k", "1", 'S("a", k=1)'),
    ('S("a", k=0)', "k", "1", 'S("a", k=1)'),
    ('S("a", k=0)', "k", None, 'S("a")'),
    ('S("a", k=0, j=1)', "k", None, 'S("a", j=1)'),
    ('S("a", j=1)', "k", None, 'S("a", j=1)'),
    ('x = [S("a", j=f(1)), S("b")]', "k", "1", 'x = [S("a", j=f(1), k=1), S("b")]'),
    ('S("a", **more)', "k", "1", 'S("a", **more, k=1)'),
    ('ü = S("a", k="ä")  # ö', "k", '"é"', 'ü = S("a", k="é")  # ö'),
    ('S("a", j=1)', "k", LONG, f'S("a", j=1, k={LONG})'),
    (
        'long = S("a", description="what it is")',
        "k",
        LONG,
        f'long = S(\n    "a",\n    description="what it is",\n    k={LONG},\n)',
    ),
    ('S(\n    "a",\n    j=1,\n)', "k", "1", 'S(\n    "a",\n    j=1,\n    k=1,\n)'),
    ('S(\n    "a",\n    j=1  # why, so\n)', "k", "1", 'S(\n    "a",\n    j=1,  # why, so\n    k=1,\n)'),
    ('S(\n    "a",\n    j=1,\n    # more\n)', "k", "1", 'S(\n    "a",\n    j=1,\n    # more\n    k=1,\n)'),
    ('S(\n    "a",\n    k=0,  # gone\n    j=1,\n)', "k", None, 'S(\n    "a",\n    j=1,\n)'),
    ('S(\n    "a",\n    k=[\n        0,\n    ],\n)', "k", None, 'S(\n    "a",\n)'),
    ('S("a", j=[\n    1,\n])', "k", "1", 'S("a", j=[\n    1,\n], k=1)'),
    ('S("a",\n  k=0, j=1)', "k", None, 'S("a", j=1)'),
]


@pytest.mark.parametrize(("text", "keyword", "value", "after"), CASES)
def test_a_keyword_is_given_replaced_and_taken_away(text: str, keyword: str, value: str | None, after: str) -> None:
    made = text
    for _ in range(2):
        call = find_call(made, 1, "a")
        made = spliced(made, [(call, changed(call, {keyword: None if value is None else written(value)}))])
        assert made == after
        ast.parse(made)


def test_a_name_that_is_computed_is_not_found() -> None:
    for text in ("S(name)", "S(f'{host}-a')", "for n in ('a',): S(n)", "S()"):
        with pytest.raises(NotEditable):
            find_call(text, 1, "a")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("1", True),
        ("-1.5", True),
        ('{"a": [True, None]}', True),
        ("nvr", True),
        ("[Word(x=1), stage('a', Word())]", True),
        ("site", False),
        ("site.name", False),
        ("facts('A')", False),
        ("f'{x}'", False),
        ("'a' + 'b'", False),
        ("[x for x in y]", False),
    ],
)
def test_what_is_plain(value: str, plain: bool) -> None:
    call = find_call(f"def declare(site):\n    return S('a', k={value})\n", 2, "a")
    there = call.keyword("k")
    assert there is not None
    assert is_plain(there.value, call.local, {"Word", "stage"}) is plain


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "from homeops.m import A\n\nx = 1\n"),
        ('"""Doc."""\n\nx = 1\n', '"""Doc."""\n\nfrom homeops.m import A\n\nx = 1\n'),
        ("from homeops.m import B\n", "from homeops.m import A, B\n"),
        ("from homeops.m import A\n", "from homeops.m import A\n"),
        (
            "from homeops.a import x\nfrom homeops.z import y\n",
            "from homeops.a import x\nfrom homeops.m import A\nfrom homeops.z import y\n",
        ),
        (
            "import os\n\nfrom homeops.a import x\n\nz = 1\n",
            "import os\n\nfrom homeops.a import x\nfrom homeops.m import A\n\nz = 1\n",
        ),
        ("from homeops.m import B as C\n", "from homeops.m import B as C\nfrom homeops.m import A\n"),
    ],
)
def test_an_import_is_put_where_isort_would_have_it(before: str, after: str) -> None:
    assert with_imports(before, {"homeops.m": {"A"}}) == after
