"""Keywords of a call: given, changed and taken away; the rest of it stays as it is, to the byte."""

import ast
from collections.abc import Callable, Mapping

from homeops.adoption.call import DeclarationCall, alone
from homeops.adoption.positions import Positions
from homeops.imports.python_text import INDENT, WIDTH

Written = Callable[[int, int], str]
"""Writes a value for an indentation and the columns that stand before it on its first line."""


def changed(call: DeclarationCall, values: Mapping[str, Written | None]) -> str:
    """The source of the call with these keywords: given, in place of what is there, or taken away (None)."""
    place = Positions.of(call.text)
    start, rest = place.start(call.node), len(place.whole) - place.end(call.node)
    before, after = place.before(start), place.text(len(place.whole) - rest, len(place.whole)).partition("\n")[0]
    for keyword, written in values.items():
        there = call.keyword(keyword)
        if written is None:
            text = _without(call, there) if there is not None else call.text
        elif there is not None:
            text = _replaced(call, there, written)
        else:
            text = _with(call, keyword, written)
        source = text.encode()[start : len(text.encode()) - rest].decode()
        # Read anew each time: the edit moved everything in it.
        call = alone(source, before, after, call.name, call.local, call.start, call.end)
    return call.source(call.node)


def _replaced(call: DeclarationCall, there: ast.keyword, written: Written) -> str:
    place = Positions.of(call.text)
    start = place.start(there.value)
    text = written(place.indent(place.start(there)), place.column(start) - place.indent(start))
    return place.spliced(start, place.end(there.value), text)


def _with(call: DeclarationCall, keyword: str, written: Written) -> str:
    place = Positions.of(call.text)
    last = max((*call.node.args, *call.node.keywords), key=place.end)
    end = place.end(call.node)
    after = place.whole[place.end(last) : end]
    if b"\n" in after:
        # One argument a line: one more line, after the comma of the last one and what is said beside it.
        indent = place.indent(place.start(last))
        line = f"{' ' * indent}{keyword}={written(indent, len(keyword) + 1)},\n"
        comma = "" if after.lstrip().startswith(b",") else ","
        here = place.whole.rfind(b"\n", 0, end) + 1
        return Positions(place.spliced(here, here, line)).spliced(place.end(last), place.end(last), comma)
    if "\n" not in (call.source(call.node)):
        return _one_a_line_if_needed(call, keyword, written)
    indent = place.indent(place.start(last))
    return place.spliced(place.end(last), place.end(last), f", {keyword}={written(indent, len(keyword) + 1)}")


def _one_a_line_if_needed(call: DeclarationCall, keyword: str, written: Written) -> str:
    place = Positions.of(call.text)
    start, end = place.start(call.node), place.end(call.node)
    indent = place.indent(start)
    line = place.after(end)
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
    place = Positions.of(call.text)
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
