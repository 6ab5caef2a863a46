"""Any value as Python source means that value; any resource, declared and written, means that resource."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeops.imports.declarations import Conventions, declared
from homeops.imports.package import FIELDS, Entry, package
from homeops.imports.python_text import Imports, literal, source
from homeops.model.canonical import canonical
from homeops.model.conventions import config_of
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from tests.example_site import example_site
from tests.model.strategies import configs

BY = Conventions(example_site())
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text(st.sampled_from("a\"'\\\n\r\t# \x7f\u2028漢"))
VALUES = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.integers(0, 8), st.integers(0, 60))
def test_a_value_is_written_as_itself(value: Any, indent: int, before: int) -> None:
    assert eval(source(value, Imports(), indent=indent * 4, before=before)) == value  # noqa: S307 - our own text


@given(TEXTS)
def test_a_literal_is_one_line_that_shows_everything(text: str) -> None:
    written = literal(text)
    assert eval(written) == text  # noqa: S307 - our own text
    assert written.isprintable()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(data=st.data())
def test_a_resource_is_declared_as_itself(kind: str, data: st.DataObject) -> None:
    config = canonical(data.draw(configs(kind)))
    made = declared(Resource(kind, "one", config), BY)
    files = package([Entry(made)], "A test.")
    (module,) = [name for name in files if not name.endswith("__init__.py")]
    names: dict[str, Any] = {"__name__": "imported"}
    exec(compile(files[module], module, "exec"), names)  # noqa: S102 - our own text
    (declaration,) = names[FIELDS[kind].upper()]
    assert not declaration.problems
    assert canonical(config_of(declaration, BY.site, BY.directories)) == config


def test_long_and_awkward_values_are_laid_out_as_ruff_does(tmp_path: Path, root: Path) -> None:
    words = " ".join(["word"] * 30)
    values = [
        ["short", "list"],
        [words, words],
        {"key": words, "other": [words, "x"], "text": f"{words}\n{words} \n"},
        f"{words} \n{words}\n",
        "short \nlines\n",
        "block\nof\nlines\n",
        'say "it"\n',
        'it\'s "both"',
        {"deep": {"deeper": {"deepest": [words] * 2}}},
        "漢字" * 40,
    ]
    text = '"""Values."""\n\n' + "\n".join(
        f"value{number} = {source(value, Imports(), before=9)}" for number, value in enumerate(values)
    )
    file = tmp_path / "values.py"
    file.write_text(f"{text}\n")
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--diff",
            "--no-cache",
            "--config",
            str(root / "pyproject.toml"),
            file,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
