"""Settings: the typed view of Pulumi.<stack>.yaml, the one place for each fact of an environment.

A settings file may say ``homeops:like: prod``: it then holds only what differs from Pulumi.prod.yaml, block by block,
so that a rehearsal never repeats a version or a name.
"""

from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from pathlib import Path
from textwrap import shorten
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode

from homeops.errors import Problem, SettingsError, nearest
from homeops.model.site import Site
from homeops.whole_file import write_whole

NAMESPACE = "homeops"
LIKE = "like"
CREDENTIALS = ("komodoKey", "komodoSecret")
"""Pulumi secrets that belong to the client, not to the site."""


def settings_file(stack: str, root: Path) -> Path:
    """Where the settings of a Pulumi stack stand."""
    return root / f"Pulumi.{stack}.yaml"


def load_settings(stack: str, root: Path) -> Site:
    """The site of a Pulumi stack; raises SettingsError with every wrong key at once."""
    return read_site(_merged(stack, root, seen=()), where=settings_file(stack, root).name).of_stack(stack)


def read_site(values: Mapping[str, Any], where: str) -> Site:
    """The site from settings without their namespace; ``where`` starts each message."""
    try:
        return Site.model_validate({key: value for key, value in values.items() if key not in CREDENTIALS})
    except ValidationError as error:
        problems = [_problem(detail, where) for detail in error.errors()]
        raise SettingsError(*problems) from None


def add_setting(stack: str, root: Path, block: str, key: str, value: str) -> Path:
    """Write a text at the end of a block of settings, ``homeops:<block>``, and leave all else as it is.

    Answers the file; raises SettingsError where it has no such block, which is to be made by hand.
    """
    file = settings_file(stack, root)
    _read(file)
    text = file.read_text(encoding="utf-8")
    config = _entry(yaml.SafeLoader(text).get_single_node(), "config")
    inside = _entry(config, f"{NAMESPACE}:{block}")
    if not isinstance(inside, MappingNode) or not inside.value or inside.flow_style:
        what = f"{NAMESPACE}:{block} is no block of lines, so {key} was not written"
        raise SettingsError(Problem(file.name, what, f"write it by hand: {key}: {value}"))
    last_key, last_value = cast(list[tuple[Node, Node]], inside.value)[-1]
    lines = text.splitlines()
    at = last_value.end_mark.line + (1 if last_value.end_mark.column else 0)
    lines.insert(at, f"{' ' * last_key.start_mark.column}{key}: {value}")
    write_whole(file, "\n".join(lines) + "\n")
    return file


def _entry(node: Node | None, name: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    found = (value for key, value in cast(list[tuple[ScalarNode, Node]], node.value) if key.value == name)
    return next(found, None)


def _merged(stack: str, root: Path, seen: tuple[str, ...]) -> dict[str, Any]:
    file = settings_file(stack, root)
    own = _read(file)
    like = own.pop(LIKE, None)
    if like is None:
        return own
    if not isinstance(like, str) or like in (stack, *seen):
        raise SettingsError(Problem(file.name, f"{NAMESPACE}:{LIKE} must name another Pulumi stack (it is {like!r})"))
    return _overlay(_merged(like, root, (*seen, stack)), own)


def _overlay(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below, above = _block(merged.get(key)), _block(value)
        merged[key] = value if below is None or above is None else _overlay(below, above)
    return merged


def _block(value: Any) -> dict[str, Any] | None:
    """The value as a block of settings; None when it is not one."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def _read(file: Path) -> dict[str, Any]:
    """The settings of homeops in a file, without their namespace."""
    try:
        document: Any = yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506  # a safe loader
    except FileNotFoundError:
        raise SettingsError(_no_such_file(file)) from None
    except OSError as error:
        raise SettingsError(Problem(file.name, f"cannot be read ({error.strerror})")) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise SettingsError(Problem(f"{file.name}{line}", f"not readable YAML ({_reason(error)})")) from None
    config = _block((_block(document) or {}).get("config"))
    if config is None:
        raise SettingsError(Problem(file.name, "there is no block config: with settings", "compare Pulumi.prod.yaml"))
    problems = [_wrong_namespace(str(key), file.name) for key in config if _lacks_namespace(str(key))]
    if problems:
        raise SettingsError(*problems)
    prefix = f"{NAMESPACE}:"
    return {str(key)[len(prefix) :]: value for key, value in config.items() if str(key).startswith(prefix)}


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not a value that vanishes."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in cast(list[tuple[Node, Node]], node.value):
            if isinstance(key, ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise ConstructorError(None, None, f'the key "{key.value}" stands here twice', key.start_mark)
                seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _no_such_file(file: Path) -> Problem:
    stacks = sorted(path.name.split(".")[1] for path in file.parent.glob("Pulumi.*.yaml"))
    stack = file.name.split(".")[1]
    return Problem(
        file.name,
        f"there is no such file, so Pulumi stack {stack} has no settings{nearest(stack, stacks)}",
        f"copy Pulumi.prod.yaml (settings here: {', '.join(stacks) or 'none'})",
    )


def _lacks_namespace(key: str) -> bool:
    """Whether a key is ours by its look, but would be read by nobody; other namespaces are other programs'."""
    namespace, colon, _ = key.partition(":")
    return not colon or (namespace != NAMESPACE and bool(get_close_matches(namespace, [NAMESPACE], cutoff=0.8)))


def _wrong_namespace(key: str, where: str) -> Problem:
    return Problem(where, f"{key}: unknown key", f"write {NAMESPACE}:{key.rpartition(':')[2]}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", error))


def _problem(detail: Any, where: str) -> Problem:
    path = [str(part) for part in detail["loc"]]
    shown = f"{NAMESPACE}:" + ".".join(path)
    if detail["type"] == "extra_forbidden":
        return Problem(where, f"{shown}: unknown key{nearest(path[-1], _keys_beside(path))}")
    if detail["type"] == "missing":
        return Problem(where, f"{shown} is missing")
    text = detail["msg"]
    if detail["type"] == "string_pattern_mismatch":
        text = "not of the right form"
    # YAML reads 2.10 as a number, 2.1.
    number_for_text = detail["type"] == "string_type" and isinstance(detail["input"], int | float)
    hint = f'write it in quotes: "{detail["input"]}"' if number_for_text else ""
    return Problem(where, f"{shown}: {text} (it is {shorten(repr(detail['input']), 80, placeholder=' ...')})", hint)


def _keys_beside(path: list[str]) -> list[str]:
    """The keys that are right in the block where the last key of the path stands."""
    block: Any = Site
    for part in path[:-1]:
        if isinstance(block, type) and issubclass(block, BaseModel):
            field = next((f for n, f in block.model_fields.items() if part in (n, f.alias)), None)
            block = field.annotation if field else None
        elif get_origin(block) is dict:
            block = get_args(block)[1]
        if get_origin(block) in (Union, UnionType):
            block = get_args(block)[0]
    if isinstance(block, type) and issubclass(block, BaseModel):
        keys = [field.alias or name for name, field in block.model_fields.items()]
        return [*keys, *CREDENTIALS, LIKE] if block is Site else keys
    return []
