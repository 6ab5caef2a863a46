"""Imports that a module of a fleet lacks, put where isort would have them."""

import ast
from collections.abc import Iterator, Mapping

from homeops.imports.python_text import Imports


def with_imports(text: str, names: Mapping[str, set[str]]) -> str:
    """The text with these names imported, by module; what it imports already stays as it is."""
    for module in sorted(names):
        text = _with(text, module, names[module])
    return text


def _with(text: str, module: str, names: set[str]) -> str:
    tree = ast.parse(text)
    there = list(_imports(tree))
    own = [node for node in there if node.module == module and not node.level]
    lacking = names - {alias.name for node in own for alias in node.names if alias.asname is None}
    if not lacking:
        return text
    lines = text.splitlines(keepends=True)
    if own and all(alias.asname is None for alias in own[0].names):
        statement = _statement(module, lacking | {alias.name for alias in own[0].names})
        start, end = own[0].lineno - 1, own[0].end_lineno or own[0].lineno
        return "".join([*lines[:start], statement, *lines[end:]])
    at = _place(tree, there, module)
    new = [_statement(module, lacking)]
    if not any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body):
        new = ["\n", *new] if at else [*new, "\n"]
    return "".join([*lines[:at], *new, *lines[at:]])


def _imports(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    return (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module != "__future__")


def _place(tree: ast.Module, there: list[ast.ImportFrom], module: str) -> int:
    """The number of lines that stand before a new import."""
    family = [node for node in there if not node.level and (node.module or "").partition(".")[0] == "homeops"]
    for node in family:
        if (node.module or "") > module:
            return node.lineno - 1
    before = family or [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    docstring = [node for node in tree.body[:1] if isinstance(node, ast.Expr)]
    return max((node.end_lineno or 0 for node in before or docstring), default=0)


def _statement(module: str, names: set[str]) -> str:
    imports = Imports()
    for name in names:
        imports.add(module, name)
    return f"{imports.text()}\n"
