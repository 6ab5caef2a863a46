"""One declaration in the source of a fleet: found by its line, its keywords given, changed and taken away.

The rest of the source stays as it is, to the byte. Positions are those of ``ast``: lines from 1, columns in bytes.
"""

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

INDENT, WIDTH = 4, 120

Written = Callable[[int, int], str]
"""Writes a value for an indentation and the columns that stand before it on its first line."""


class NotEditable(Exception):  # noqa: N818 - named for what happened, as homeops.errors
    """Raised with the reason why a declaration is to be changed by hand."""


@dataclass(frozen=True)
class DeclarationCall:
    """The call that makes a declaration, and the names that are local to where it stands."""

    text: str
    node: ast.Call
    local: frozenset[str]

    def keyword(self, name: str) -> ast.keyword | None:
        """The keyword of that name."""
        return next((keyword for keyword in self.node.keywords if keyword.arg == name), None)

    def source(self, node: ast.expr) -> str:
        """An expression as it is written."""
        return ast.get_source_segment(self.text, node) or ""


def find_call(text: str, line: int, name: str) -> DeclarationCall:
    """The call at a line whose first argument is that name; raises NotEditable where the name is computed."""
    tree = ast.parse(text)
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno == line and _first(node) == name:
            return DeclarationCall(text, node, _local(node, parents))
    raise NotEditable("its name is computed there")


def _first(call: ast.Call) -> object:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) else None


def _local(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> frozenset[str]:
    found: set[str] = set()
    while node in parents:
        node = parents[node]
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                found |= {child.arg for child in ast.walk(node) if isinstance(child, ast.arg)}
                found |= _stored(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                found |= _stored(node)
            case _:
                pass
    return frozenset(found)


def _stored(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)}


def is_plain(value: ast.expr, local: Collection[str], words: Collection[str]) -> bool:
    """Whether an expression says what it says by itself: constants, names of the module, calls of ``words``."""
    for node in ast.walk(value):
        match node:
            case ast.Name(id=name) if name in local:
                return False
            case ast.Call(func=ast.Name(id=name)) if name in words:
                pass
            case ast.Constant() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set() | ast.Name() | ast.keyword():
                pass
            case ast.UnaryOp() | ast.unaryop() | ast.expr_context():
                pass
            case _:
                return False
    return True


def changed(call: DeclarationCall, values: Mapping[str, Written | None]) -> str:
    """The text with these keywords of the call: given, in place of what is there, or taken away (None)."""
    text, line, name = call.text, call.node.lineno, str(_first(call.node))
    for keyword, written in values.items():
        # Found anew each time: the edit before moved it.
        found = find_call(text, line, name)
        there = found.keyword(keyword)
        if written is None:
            text = _without(found, there) if there is not None else text
        elif there is not None:
            text = _replaced(found, there, written)
        else:
            text = _with(found, keyword, written)
    return text


class _Bytes:
    """A text as bytes, which is what columns count."""

    def __init__(self, text: str) -> None:
        self.whole = text.encode()
        self._starts = [0]
        for line in self.whole.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.keyword) -> int:
        """Where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.keyword) -> int:
        """Where it ends."""
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def column(self, at: int) -> int:
        """Columns before a place on its line."""
        return len(self.whole[self.whole.rfind(b"\n", 0, at) + 1 : at].decode())

    def indent(self, at: int) -> int:
        """How far the line of a place is indented."""
        line = self.whole[self.whole.rfind(b"\n", 0, at) + 1 :].partition(b"\n")[0]
        return len(line) - len(line.lstrip(b" "))

    def spliced(self, start: int, end: int, text: str) -> str:
        """The text with something else between two places."""
        return (self.whole[:start] + text.encode() + self.whole[end:]).decode()


def _replaced(call: DeclarationCall, there: ast.keyword, written: Written) -> str:
    place = _Bytes(call.text)
    start = place.start(there.value)
    text = written(place.indent(place.start(there)), place.column(start) - place.indent(start))
    return place.spliced(start, place.end(there.value), text)


def _with(call: DeclarationCall, keyword: str, written: Written) -> str:
    place = _Bytes(call.text)
    last = max((*call.node.args, *call.node.keywords), key=place.end)
    end = place.end(call.node)
    after = place.whole[place.end(last) : end]
    if b"\n" in after:
        # One argument a line: one more line, after the comma of the last one and what is said beside it.
        indent = place.indent(place.start(last))
        line = f"{' ' * indent}{keyword}={written(indent, len(keyword) + 1)},\n"
        comma = "" if after.lstrip().startswith(b",") else ","
        here = place.whole.rfind(b"\n", 0, end) + 1
        return _Bytes(place.spliced(here, here, line)).spliced(place.end(last), place.end(last), comma)
    if "\n" not in (call.source(call.node)):
        return _one_a_line_if_needed(call, keyword, written)
    indent = place.indent(place.start(last))
    return place.spliced(place.end(last), place.end(last), f", {keyword}={written(indent, len(keyword) + 1)}")


def _one_a_line_if_needed(call: DeclarationCall, keyword: str, written: Written) -> str:
    place = _Bytes(call.text)
    start, end = place.start(call.node), place.end(call.node)
    indent = place.indent(start)
    line = place.whole[end:].partition(b"\n")[0].decode()
    flat = f"{call.source(call.node)[:-1].rstrip().rstrip(',')}, {keyword}={written(indent, 0)})"
    if "\n" not in flat and place.column(start) + len(flat) + len(line) <= WIDTH:
        return place.spliced(start, end, flat)
    inner = indent + INDENT
    margin = " " * inner
    arguments = [call.source(node) for node in call.node.args]
    arguments += [
        f"{item.arg}={call.source(item.value)}" if item.arg else f"**{call.source(item.value)}"
        for item in call.node.keywords
    ]
    arguments.append(f"{keyword}={written(inner, len(keyword) + 1)}")
    body = "".join(f"{margin}{argument},\n" for argument in arguments)
    return place.spliced(start, end, f"{call.source(call.node.func)}(\n{body}{' ' * indent})")


def _without(call: DeclarationCall, there: ast.keyword) -> str:
    place = _Bytes(call.text)
    start, end = place.start(there), place.end(there)
    comma = place.whole[end:].lstrip()
    line_start = place.whole.rfind(b"\n", 0, start) + 1
    after = place.whole.find(b"\n", end)
    rest = place.whole[end : after if after >= 0 else len(place.whole)].decode()
    if not place.whole[line_start:start].strip() and rest.lstrip().removeprefix(",").strip()[:1] in ("", "#"):
        # Alone on its lines: they go, and what is said beside it with them.
        return place.spliced(line_start, after + 1, "")
    before = place.whole[:start].rstrip()
    if before.endswith(b","):
        return place.spliced(len(before) - 1, end, "")
    skip = len(place.whole[end:]) - len(comma) + 1 if comma.startswith(b",") else 0
    tail = place.whole[end + skip :]
    return place.spliced(start, end + skip + len(tail) - len(tail.lstrip(b" ")), "")
