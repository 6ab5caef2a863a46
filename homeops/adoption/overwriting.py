"""The objects that may be overwritten, in the settings of a Pulumi stack: ``homeops:overwrite``."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from homeops.errors import Problem, SettingsError
from homeops.settings import NAMESPACE, load_settings, settings_file
from homeops.whole_file import write_whole

KEY = f"{NAMESPACE}:overwrite"
_PLAIN = re.compile(r"[a-z]+/[A-Za-z0-9_][A-Za-z0-9_./-]*")


def allow_overwriting(stack: str, root: Path, names: Sequence[str]) -> tuple[Path, str, str]:
    """Add names to the list and leave all else as it is; the file, its text before and after.

    Raises SettingsError where the settings are wrong, or have the list in a form that is to be changed by hand.
    """
    file = settings_file(stack, root)
    known = load_settings(stack, root).overwrite
    before = file.read_text(encoding="utf-8")
    new = [name for name in names if name not in known]
    if not new:
        return file, before, before
    after = with_names(before, new, [*known, *new], file.name)
    write_whole(file, after)
    return file, before, after


def with_names(text: str, new: Sequence[str], every: Sequence[str], where: str) -> str:
    """The text of a settings file with more names; ``every``: what the list is where the file has none yet."""
    config = _entry(yaml.SafeLoader(text).get_single_node(), "config")
    if not isinstance(config, MappingNode) or not config.value or config.flow_style:
        raise _by_hand(where, every)
    lines = text.splitlines()
    found = _entry(config, KEY)
    if found is None:
        key, _ = cast(list[tuple[Node, Node]], config.value)[-1]
        margin = " " * key.start_mark.column
        at = _end(config)
        return _joined([*lines[:at], f"{margin}{KEY}:", *(f"{margin}  - {_item(name)}" for name in every), *lines[at:]])
    if not isinstance(found, SequenceNode) or found.flow_style or not found.value:
        raise _by_hand(where, every)
    first = cast(list[Node], found.value)[0]
    dash = lines[first.start_mark.line].index("-")
    at = _end(found)
    return _joined([*lines[:at], *(f"{' ' * dash}- {_item(name)}" for name in new), *lines[at:]])


def _entry(node: Node | None, name: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    found = (value for key, value in cast(list[tuple[Node, Node]], node.value) if key.value == name)
    return next(found, None)


def _end(node: Node) -> int:
    """The number of lines up to the last value inside: a block ends where the next begins, after its comments."""
    while isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = cast(Node, last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line + (1 if node.end_mark.column else 0)


def _item(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _by_hand(where: str, names: Sequence[str]) -> SettingsError:
    items = ", ".join(map(_item, names))
    what = f"{KEY} is no block of lines, so nothing was written"
    return SettingsError(Problem(where, what, f"write it by hand: {KEY}: [{items}]"))
