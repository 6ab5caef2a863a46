"""One declaration in the source of a fleet: found by its line and name, put back as something else."""

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from homeops.adoption.positions import Positions


class NotEditable(Exception):  # noqa: N818 - named for what happened, as homeops.errors
    """Raised with the reason why a declaration is to be changed by hand."""


@dataclass(frozen=True)
class DeclarationCall:
    """The call that makes a declaration, in a text of its own that has the same columns; and where it stands.

    ``start`` and ``end`` are bytes of the whole source; ``local`` are the names that are local to the place.
    """

    start: int
    end: int
    name: str
    text: str
    local: frozenset[str]
    node: ast.Call

    def keyword(self, name: str) -> ast.keyword | None:
        """The keyword of that name."""
        return next((keyword for keyword in self.node.keywords if keyword.arg == name), None)

    def source(self, node: ast.expr) -> str:
        """An expression as it is written."""
        return ast.get_source_segment(self.text, node) or ""


def find_call(text: str, line: int, name: str) -> DeclarationCall:
    """The call at a line whose first argument is that name; raises NotEditable where the name is computed."""
    found = _calls(text).get((line, name))
    if found is None:
        raise NotEditable("its name is computed there")
    node, local = found
    place = Positions.of(text)
    start, end = place.start(node), place.end(node)
    return alone(place.text(start, end), place.before(start), place.after(end), name, local, start, end)


def spliced(text: str, edits: Iterable[tuple[DeclarationCall, str]]) -> str:
    """The text with other sources of calls that were found in it; raises NotEditable for one inside another."""
    whole, kept = text.encode(), len(text.encode())
    for call, source in sorted(edits, key=lambda edit: -edit[0].start):
        if call.end > kept:
            raise NotEditable("another declaration stands inside of it")
        whole, kept = whole[: call.start] + source.encode() + whole[call.end :], call.start
    return whole.decode()


@lru_cache(maxsize=8)
def _calls(text: str) -> dict[tuple[int, str], tuple[ast.Call, frozenset[str]]]:
    """Every call whose first argument is a text, by its line and that text."""
    found: dict[tuple[int, str], tuple[ast.Call, frozenset[str]]] = {}

    def visit(node: ast.AST, local: frozenset[str]) -> None:
        match node:
            case ast.Call(args=[ast.Constant(value=str(first)), *_]):
                found.setdefault((node.lineno, first), (node, local))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                arguments = {child.arg for child in ast.walk(node.args) if isinstance(child, ast.arg)}
                local = local | arguments | _stored(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                local = local | _stored(node)
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            visit(child, local)

    visit(ast.parse(text), frozenset())
    return found


def _stored(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)}


def alone(
    call: str, before: str, after: str, name: str, local: frozenset[str], start: int, end: int
) -> DeclarationCall:
    """A call by itself, between brackets, where any indentation will do; what stands beside it leaves its columns."""
    margin = before[: len(before) - len(before.lstrip(" "))]
    beside = len(before) - len(margin)
    head = f"(\n{margin}{'_' * (beside - 1)}{'-' * (beside > 0)}"
    text = f"{head}{call}{'#' * len(after)}\n)"
    place, at = Positions(text), len(head.encode())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and (place.start(node), place.end(node)) == (at, at + len(call.encode())):
            return DeclarationCall(start, end, name, text, local, node)
    raise NotEditable("it cannot be read by itself")


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
