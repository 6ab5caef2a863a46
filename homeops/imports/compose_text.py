"""A compose file for another directory: the same project, to the letter of what compose counts, with few edits.

What stays is the text itself with its comments. Edited are relative paths, which become absolute ones of the directory
that the project was in; env files, which become files beside the compose file; and entries of ``environment`` that are
to be kept out of the repository, which move into such a file: compose merges both, so the service stays the same.
"""

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from homeops.compose.short_syntax import split_outside_brackets


class NotForAnotherDirectory(Exception):  # noqa: N818 - said as a reason
    """Why a compose file can only be used where it is."""


@dataclass(frozen=True, slots=True)
class Moved:
    """An entry of ``environment`` that went into an env file; ``written``: its value in the compose file."""

    service: str
    key: str
    written: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Edited:
    """The new text, and what is other in it: paths (old to new) and entries that moved into env files."""

    text: str
    paths: Mapping[str, str]
    moved: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project was and what it is there.

    ``services``: as compose understands them. ``env_files``: absolute path to the name that the file has beside the
    new compose file. ``moves``: whether an entry of an environment, with the value as written, has to leave the text.
    ``own_file``: the name of the env file of a service for what moved.
    """

    directory: str
    services: Mapping[str, Any]
    env_files: Mapping[str, str]
    moves: Callable[[str, str], bool]
    own_file: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def edited(text: str, place: Place) -> Edited:
    """The compose file for another directory. Raises NotForAnotherDirectory with the reason when it cannot be."""
    try:
        root = yaml.SafeLoader(text).get_single_node()
    except yaml.YAMLError:
        raise NotForAnotherDirectory("it is not YAML") from None
    if not isinstance(root, MappingNode):
        raise NotForAnotherDirectory("it is not a mapping")
    work = _Work(text, place)
    work.file(root)
    edits = {(edit.start, edit.end): edit for edit in work.edits}
    for edit in sorted(edits.values(), key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return Edited(text, work.paths, tuple(work.moved))


class _Work:
    def __init__(self, text: str, place: Place) -> None:
        self.text = text
        self.place = place
        self.edits: list[_Edit] = []
        self.paths: dict[str, str] = {}
        self.moved: list[Moved] = []
        self.seen: set[int] = set()

    def file(self, root: MappingNode) -> None:
        top = _entries(root)
        if "include" in top:
            raise NotForAnotherDirectory("it includes other files")
        for name, service in _entries(top.get("services")).items():
            self.service(name, service)
        for kind in ("configs", "secrets"):
            for entry in _entries(top.get(kind)).values():
                self.path(_entries(entry).get("file"))
        for entry in _entries(top.get("volumes")).values():
            options = _entries(_entries(entry).get("driver_opts"))
            if _text(options.get("device")).startswith("."):
                self.path(options.get("device"))

    def service(self, name: str, node: Node) -> None:
        service = _entries(node)
        if "file" in _entries(service.get("extends")):
            raise NotForAnotherDirectory(f"service {name} extends one of another file")
        volumes = service.get("volumes")
        for item in volumes.value if isinstance(volumes, SequenceNode) else ():
            self.volume(name, item)
        build = service.get("build")
        self.path(build if isinstance(build, ScalarNode) else _entries(build).get("context"))
        labels = service.get("label_file")
        for item in labels.value if isinstance(labels, SequenceNode) else [labels]:
            self.path(item)
        self.env_files(service.get("env_file"))
        self.environment(name, node, service)

    def volume(self, service: str, item: Node) -> None:
        if isinstance(item, MappingNode):
            entries = _entries(item)
            if _text(entries.get("type")) == "bind":
                self.path(entries.get("source"), self.mounted(service, _text(entries.get("target"))))
            return
        source, *rest = split_outside_brackets(_text(item))
        if rest and source.startswith((".", "~", "$")):
            self.path(item, self.mounted(service, rest[0]), "".join(f":{part}" for part in rest))

    def mounted(self, service: str, target: str) -> str:
        """What compose mounts there; empty when that is no directory or file of the host."""
        for volume in self.place.services.get(service, {}).get("volumes") or ():
            if volume.get("type") == "bind" and str(volume.get("target")).rstrip("/") == target.rstrip("/"):
                return str(volume.get("source", ""))
        return ""

    def path(self, node: Node | None, resolved: str = "", after: str = "") -> None:
        """Make a path absolute; ``resolved``: what it is, where a variable or ``~`` is in it."""
        if not isinstance(node, ScalarNode) or "://" in node.value:
            return
        old = node.value.removesuffix(after) if after else node.value
        if old.startswith("/") or not old:
            return
        if "$" in old or old.startswith("~"):
            if not resolved:
                return
            new = resolved.replace("$", "$$")
        else:
            new = posixpath.normpath(posixpath.join(self.place.directory, old)).replace("$", "$$")
        self.paths[old] = new
        self.replace(node, new + after)

    def env_files(self, files: Node | None) -> None:
        for entry in _env_files(files):
            node = entry if isinstance(entry, ScalarNode) else _entries(entry).get("path")
            if isinstance(node, ScalarNode):
                path = posixpath.normpath(posixpath.join(self.place.directory, node.value))
                if (new := self.place.env_files.get(path)) and new != node.value.removeprefix("./"):
                    self.paths[node.value] = new
                    self.replace(node, new)

    def environment(self, name: str, node: Node, service: dict[str, Node]) -> None:
        block = service.get("environment")
        entries = list(self.lines(block))
        leaving = [entry for entry in entries if self.place.moves(entry[0], entry[1])]
        if not leaving or block is None:
            return
        key = next((key for key, value in node.value if value is block), None)
        if key is None or self.text[block.start_mark.index] == "&" or id(block) in self.seen:
            raise NotForAnotherDirectory(f"the environment of {name} is shared with other services")
        self.seen.add(id(block))
        if isinstance(block, MappingNode | SequenceNode) and block.flow_style:
            raise NotForAnotherDirectory(f"the environment of {name} stands on one line")
        for variable, written, (start, end) in leaving:
            self.edits.append(_Edit(start, end, ""))
            self.moved.append(Moved(name, variable, written))
        start = self.line_start(key.start_mark.index)
        if len(leaving) == len(block.value):
            self.edits.append(_Edit(start, self.line_end(key.start_mark.index), ""))
        self.own_file(service.get("env_file"), f"{{ path: {self.place.own_file(name)}, format: raw }}", start, key)

    def own_file(self, files: Node | None, own: str, start: int, key: Node) -> None:
        """Give the service one more env file, the last: it counts for more than those before it."""
        indent = " " * key.start_mark.column
        if files is None:
            self.edits.append(_Edit(start, start, f"{indent}env_file:\n{indent}  - {own}\n"))
        elif isinstance(files, ScalarNode):
            begin, end = files.start_mark.index, files.end_mark.index
            replaced = next(
                (edit for edit in self.edits if edit.start == begin), _Edit(begin, end, self.text[begin:end])
            )
            self.edits = [edit for edit in self.edits if edit.start != begin]
            self.edits.append(_Edit(begin, end, f"[{replaced.text}, {own}]"))
        elif isinstance(files, SequenceNode) and files.flow_style:
            self.edits.append(_Edit(files.end_mark.index - 1, files.end_mark.index - 1, f", {own}"))
        else:
            first, last = _env_files(files)[0], _env_files(files)[-1]
            dash = self.text.rindex("-", 0, first.start_mark.index)
            end = self.line_end(max(last.end_mark.index - 1, last.start_mark.index))
            self.edits.append(_Edit(end, end, f"{' ' * (dash - self.line_start(dash))}- {own}\n"))

    def lines(self, block: Node | None) -> Iterator[tuple[str, str, tuple[int, int]]]:
        """Each entry of an environment: name, value (``$NAME`` for one without), where its lines begin and end."""
        if isinstance(block, MappingNode):
            for key, value in block.value:
                if isinstance(value, ScalarNode):
                    name = str(key.value)
                    written = f"${name}" if value.tag == "tag:yaml.org,2002:null" else str(value.value)
                    yield name, written, self.whole_lines(key, value)
        elif isinstance(block, SequenceNode):
            for item in block.value:
                name, equals, value = _text(item).partition("=")
                yield name, value if equals else f"${name}", self.whole_lines(item, item)

    def whole_lines(self, first: Node, last: Node) -> tuple[int, int]:
        return self.line_start(first.start_mark.index), self.line_end(max(last.end_mark.index - 1, 0))

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def replace(self, node: ScalarNode, new: str) -> None:
        plain = node.style is None and not new.startswith(tuple("-?:,[]{}#&*!|>'\"%@` ")) and not _needs_quotes(new)
        written = new if plain else json.dumps(new, ensure_ascii=False)
        self.edits.append(_Edit(node.start_mark.index, node.end_mark.index, written))


def _needs_quotes(value: str) -> bool:
    return ": " in value or " #" in value or any(char in value for char in ",[]{}")


def _entries(node: Node | None) -> dict[str, Node]:
    """The entries of a mapping, those that it merges (``<<``) below its own."""
    if not isinstance(node, MappingNode):
        return {}
    merged: dict[str, Node] = {}
    own: dict[str, Node] = {}
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                merged = {**_entries(source), **merged}
        else:
            own[str(key.value)] = value
    return {**merged, **own}


def _env_files(node: Node | None) -> list[Node]:
    if isinstance(node, SequenceNode):
        return list(node.value)
    return [] if node is None else [node]


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""
