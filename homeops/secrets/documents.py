"""A SOPS file as it stands in the repository: its keys, whether each value is encrypted, and for whom; needs no key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from homeops.compose.nodes import is_null, line_of
from homeops.compose.secret_files import Format, format_of
from homeops.errors import Problem, SecretsError
from homeops.secrets.dotenv import METADATA
from homeops.secrets.trees import yaml_nodes

State = Literal["encrypted", "empty", "clear"]
"""Of a value. sops leaves an empty text as it is: there is nothing to hide but that."""

_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:[^,\]]*,iv:[^,\]]*,tag:[^,\]]*,type:[a-z]+\]")
_CLEAR_COMMENT = re.compile(rf"(?:^|\s)#(?!{_ENCRYPTED.pattern}\s*$)")

# What names a recipient in sops' own block, by the kind of key.
_IDENTITIES = ("recipient", "fp", "arn", "resource_id", "vault_url", "vault_address", "key_id")
_FLAT_IDENTITY = re.compile(rf"^sops_(?:key_groups__list_\d+__map_)?(\w+?)__list_\d+__map_({'|'.join(_IDENTITIES)})$")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a file. ``key`` is its name, dotted below the top (``auth.users.0``); no value itself is kept."""

    key: str
    state: State
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is, or ought to be, encrypted.

    ``recipients``: age recipients as they are; of other kinds with the kind before them (``pgp:FBC7...``).
    ``mac``: whether there is a MAC; only who can decrypt can tell whether it is right.
    ``metadata``: whether sops' own block is there at all. ``clear_comments``: lines of comments that are not encrypted.
    ``duplicates``: keys that stand there again, each with the line of the later one and of the first.
    """

    path: Path
    format: Format
    values: tuple[Value, ...]
    recipients: frozenset[str]
    mac: bool
    metadata: bool
    clear_comments: tuple[int, ...] = ()
    duplicates: tuple[tuple[str, int, int], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all values, each once, in the order of the file."""
        return tuple(dict.fromkeys(value.key for value in self.values))

    @property
    def encrypted(self) -> bool:
        """Whether sops made the file and nothing in it stands in the clear."""
        return self.metadata and self.mac and all(value.state != "clear" for value in self.values)


def read_document(path: Path) -> Document:
    """Read a secret file. Raises ``SecretsError`` when it is none, cannot be read, or is not of its format."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise SecretsError(Problem(str(path), "no such secret file")) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SecretsError(Problem(str(path), f"cannot read the secret file: {error}")) from error
    return parse_document(text, path)


def parse_document(text: str, path: Path) -> Document:
    """What the text of a secret file says; ``path`` tells its format. Raises ``SecretsError``, without any value."""
    kind = format_of(path)
    if kind is None:
        raise SecretsError(
            Problem(str(path), "not a secret file by its name", "name it [NAME].sops.env, .sops.json or .sops.yaml")
        )
    return _dotenv(text, path) if kind == "env" else _tree(text, path, kind)


def state_of(text: str) -> State:
    """Whether the text of one value is sops' ciphertext."""
    if not text:
        return "empty"
    return "encrypted" if _ENCRYPTED.fullmatch(text) else "clear"


def _dotenv(text: str, path: Path) -> Document:
    """By sops' own rule: a line is ``KEY=VALUE``, a comment, or empty; nothing is quoted or trimmed."""
    values: list[Value] = []
    metadata: dict[str, str] = {}
    comments: list[int] = []
    wrong: list[Problem] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if not line:
            continue
        if line.startswith("#"):
            if state_of(line[1:]) == "clear":
                comments.append(number)
            continue
        key, equals, value = line.partition("=")
        if not equals:
            wrong.append(Problem(f"{path}:{number}", "neither KEY=VALUE nor a comment", "one variable a line"))
        elif key.startswith(METADATA):
            metadata[key] = value
        else:
            values.append(Value(key, state_of(value), number))
    if wrong:
        raise SecretsError(*wrong)
    matches = ((_FLAT_IDENTITY.match(key), value) for key, value in metadata.items())
    return Document(
        path,
        "env",
        tuple(values),
        frozenset(_recipient(match[1], value) for match, value in matches if match),
        state_of(metadata.get("sops_mac", "")) == "encrypted",
        bool(metadata),
        tuple(comments),
        tuple(_repeated((value.key, value.line) for value in values)),
    )


def _tree(text: str, path: Path, kind: Format) -> Document:
    # sops indents JSON with tabs, which YAML forbids; in JSON no text holds a bare tab.
    source = text.replace("\t", " ") if kind == "json" else text
    try:
        documents = list(yaml_nodes(source))
    except yaml.YAMLError as error:
        # Of the error, its line alone: its text quotes the file.
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SecretsError(Problem(where, f"not {kind.upper()}")) from error
    if not documents or not all(isinstance(node, MappingNode) for node in documents):
        raise SecretsError(Problem(str(path), "want a mapping of keys to values: sops encrypts nothing else"))

    values: list[Value] = []
    duplicates: list[tuple[str, int, int]] = []
    block: MappingNode | None = None
    for node in cast(list[MappingNode], documents):
        for key, value in node.value:
            if key.value == "sops" and isinstance(value, MappingNode):
                block = value
        values += (value for value in _values(node) if block is None or not value.key.startswith("sops."))
        duplicates += _duplicates(node)
    return Document(
        path,
        kind,
        tuple(values),
        frozenset(_recipients(block)) if block else frozenset(),
        bool(block) and state_of(_text_at(block, "mac")) == "encrypted",
        block is not None,
        tuple(_clear_comments(text)) if kind == "yaml" else (),
        tuple(duplicates),
    )


def _values(root: Node) -> Iterator[Value]:
    for key, node in _walk(root):
        if isinstance(node, ScalarNode):
            yield Value(key, "empty" if is_null(node) else state_of(str(node.value)), line_of(node))


def _duplicates(root: Node) -> Iterator[tuple[str, int, int]]:
    for key, node in _walk(root):
        if isinstance(node, MappingNode):
            yield from _repeated((_dotted(key, name), line) for name, line, _ in _children(node))


def _walk(root: Node) -> Iterator[tuple[str, Node]]:
    """Every node and its dotted key, in order; a collection once, though aliases may lead to it again."""
    seen: set[int] = set()
    waiting = [("", root)]
    while waiting:
        key, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield key, node
        waiting += reversed([(_dotted(key, name), child) for name, _, child in _children(node)])


def _dotted(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _children(node: Node) -> Iterator[tuple[str, int, Node]]:
    """Name or number, line, and node of each child."""
    if isinstance(node, MappingNode):
        yield from ((str(key.value), line_of(key), value) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        yield from ((str(index), line_of(item), item) for index, item in enumerate(node.value))


def _repeated(keys: Iterator[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    first: dict[str, int] = {}
    for key, line in keys:
        if key in first:
            yield key, line, first[key]
        first.setdefault(key, line)


def _recipients(block: MappingNode) -> Iterator[str]:
    for kind, _, keys in _children(block):
        if kind == "key_groups":
            for _, _, group in _children(keys):
                if isinstance(group, MappingNode):
                    yield from _recipients(group)
        elif isinstance(keys, SequenceNode):
            for _, _, key in _children(keys):
                yield from (_recipient(kind, text) for name in _IDENTITIES if (text := _text_at(key, name)))


def _recipient(kind: str, identity: str) -> str:
    return identity if kind == "age" else f"{kind}:{identity}"


def _text_at(node: Node, name: str) -> str:
    found = (value for key, _, value in _children(node) if key == name and isinstance(value, ScalarNode))
    return next((str(value.value) for value in found), "")


def _clear_comments(text: str) -> Iterator[int]:
    """Lines with a comment in the clear, outside of sops' block, which comes last."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("sops:"):
            return
        if _CLEAR_COMMENT.search(line):
            yield number
