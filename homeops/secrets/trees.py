"""The content of a JSON or YAML secret file as data, and places in it. Pure."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value as text. ``replaceable``: it is a text or nothing, so that a text may take its place."""

    text: str
    replaceable: bool = True


Tree = Leaf | dict[str, "Tree"] | list["Tree"]
Place = tuple[str | int, ...]


def documents(text: str, kind: str) -> list[Tree]:
    """Every document of a JSON (always one) or YAML text; raises ValueError, which names a line and quotes nothing."""
    try:
        if kind == "json":
            return [_of_json(json.loads(text))]
        return [_of_yaml(node) for node in yaml_nodes(text)]
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: line {error.lineno}") from None
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        raise ValueError(f"not YAML: line {mark.line + 1}" if mark else "not YAML") from None


def yaml_nodes(text: str) -> Iterator[Node]:
    """Every document of a YAML text that is not empty; raises yaml.YAMLError."""
    loader = yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            yield node


def text_of(key: str, value: str, kind: str) -> str:
    """A new file with one value; a dotted key makes one mapping in the other."""
    data: Any = value
    for name in reversed(key.split(".")):
        data = {name: data}
    return json.dumps(data, ensure_ascii=False) if kind == "json" else yaml.safe_dump(data, allow_unicode=True)


def leaves(tree: Tree, at: str = "") -> dict[str, str]:
    """Every value by its dotted key: ``auth.users.0``."""
    if isinstance(tree, Leaf):
        return {at: tree.text}
    children = tree.items() if isinstance(tree, dict) else ((str(index), child) for index, child in enumerate(tree))
    found: dict[str, str] = {}
    for name, child in children:
        found |= leaves(child, f"{at}.{name}" if at else name)
    return found


def place_of(key: str, tree: Tree) -> Place:
    """Where a key leads: the name of a top-level key, else a dotted path; raises ValueError where no value can be."""
    steps: list[str | int] = []
    here: Tree | None = tree
    for name in [key] if isinstance(tree, dict) and key in tree else key.split("."):
        at = ".".join(map(str, steps)) or "the file"
        if not name:
            raise ValueError("a part of the key is empty")
        if isinstance(here, list):
            if not name.isdecimal() or int(name) >= len(here):
                raise ValueError(f"{at} is a list of {len(here)}: want a number below that")
            steps.append(int(name))
            here = here[int(name)]
        elif isinstance(here, Leaf):
            raise ValueError(f"{at} is a value and holds nothing")
        else:
            steps.append(name)
            here = None if here is None else here.get(name)
    if steps[0] == "sops":
        raise ValueError("sops keeps its own data under that name")
    if isinstance(here, Leaf) and not here.replaceable:
        raise ValueError("is a number, a date or a truth value: setting it would make it a text")
    if isinstance(here, dict | list):
        raise ValueError("holds several values: name one of them, as a.b or a.0")
    return tuple(steps)


def at(tree: Tree, place: Place) -> str | None:
    """The text at a place; None when nothing is there."""
    here: Tree | None = tree
    for step in place:
        if isinstance(here, dict):
            here = here.get(str(step))
        elif isinstance(here, list):
            here = here[int(step)]
    return here.text if isinstance(here, Leaf) else None


def with_text(tree: Tree, place: Place, text: str) -> Tree:
    """The same with another text at a place; mappings on the way are made."""
    fresh = copy.deepcopy(tree)
    here: Any = fresh
    for step in place[:-1]:
        if isinstance(step, str):
            here.setdefault(step, {})
        here = here[step]
    here[place[-1]] = Leaf(text)
    return fresh


def _of_json(data: Any) -> Tree:
    if isinstance(data, dict):
        return {key: _of_json(value) for key, value in cast(dict[str, Any], data).items()}
    if isinstance(data, list):
        return [_of_json(value) for value in cast(list[Any], data)]
    return Leaf(data) if isinstance(data, str) else Leaf(json.dumps(data), replaceable=data is None)


def _of_yaml(node: Node) -> Tree:
    if isinstance(node, MappingNode):
        return {str(key.value): _of_yaml(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_of_yaml(item) for item in node.value]
    return Leaf(str(node.value), replaceable=node.tag in (_TEXT, _NULL))
