"""YAML nodes read by expectation: each accessor gives a plain value or notes what is wrong and on which line."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from homeops.errors import ComposeError, Problem

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"


def _node(text: str) -> Node | None:
    """The document, by libyaml where there is one: ten times as fast. The other refuses in better words."""
    if yaml.__with_libyaml__:
        with suppress(yaml.YAMLError):
            return yaml.CSafeLoader(text).get_single_node()
    return yaml.SafeLoader(text).get_single_node()


class Entry(NamedTuple):
    """A value of a mapping and the line of its key."""

    value: Node
    line: int


def line_of(node: Node) -> int:
    """The line on which a node begins, counted from 1."""
    return node.start_mark.line + 1


def is_null(node: Node) -> bool:
    """Whether the value is absent: ``key:`` with nothing after it."""
    return isinstance(node, ScalarNode) and node.tag == _NULL


class Nodes:
    """The nodes of one file and the problems found in it so far; ``path`` is what the messages name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._problems: list[tuple[int, str, str]] = []

    def root(self, text: str) -> Node:
        """The document of a file. Raises ``ComposeError`` when it is empty or not YAML."""
        try:
            node = _node(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{self.path}:{mark.line + 1}" if mark else self.path
            raise ComposeError(Problem(where, f"not YAML: {error.problem or error.context}")) from error
        except yaml.YAMLError as error:
            raise ComposeError(Problem(self.path, f"not YAML: {error}")) from error
        if node is None:
            raise ComposeError(Problem(self.path, "the file is empty"))
        return node

    def wrong(self, line: int, what: str, hint: str = "") -> None:
        """Note a problem."""
        self._problems.append((line, what, hint))

    def refuse_if_wrong(self) -> None:
        """Raise ``ComposeError`` with every problem noted, in order of lines."""
        if self._problems:
            raise ComposeError(*(Problem(f"{self.path}:{line}", *rest) for line, *rest in sorted(self._problems)))

    def mapping(self, node: Node, what: str) -> dict[str, Entry]:
        """The entries of a mapping, merge keys (``<<``) included; nothing for an absent value."""
        if isinstance(node, MappingNode):
            return self._entries(node)
        if not is_null(node):
            self.wrong(line_of(node), f"{what}: want a mapping")
        return {}

    def items(self, node: Node, what: str) -> list[Node]:
        """The items of a list; nothing for an absent value."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        if not is_null(node):
            self.wrong(line_of(node), f"{what}: want a list")
        return []

    def text(self, entry: Entry | Node | None, what: str) -> str:
        """The text of a scalar as written (``8080``, ``true``); an empty one for an absent value."""
        node = entry.value if isinstance(entry, Entry) else entry
        if node is None or is_null(node):
            return ""
        if isinstance(node, ScalarNode):
            return str(node.value)
        self.wrong(line_of(node), f"{what}: want a text")
        return ""

    def scalars(self, node: Node) -> Iterator[ScalarNode]:
        """Every scalar that is a value, not a key, once even where it is referred to by aliases."""
        seen: set[int] = set()
        waiting: list[Node] = [node]
        while waiting:
            here = waiting.pop()
            if id(here) in seen:
                continue
            seen.add(id(here))
            if isinstance(here, ScalarNode):
                yield here
            elif isinstance(here, SequenceNode):
                waiting.extend(reversed(here.value))
            elif isinstance(here, MappingNode):
                waiting.extend(value for _, value in reversed(here.value))

    def _entries(self, node: MappingNode) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    if isinstance(source, MappingNode):
                        merged = {**self._entries(source), **merged}
                    else:
                        self.wrong(line_of(key), "<<: want a mapping")
                continue
            name = str(key.value)
            if name in own:
                self.wrong(line_of(key), f"{name} stands here a second time; first on line {own[name].line}")
            own[name] = Entry(value, line_of(key))
        return {**merged, **own}
