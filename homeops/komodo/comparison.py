"""A declaration and what Core has, brought to one form, and their differences in words."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from homeops.errors import Problem
from homeops.komodo.documents import Live, understood
from homeops.komodo.operations import Declared
from homeops.komodo.props import Props, as_props
from homeops.komodo.secret_values import concealed, is_source
from homeops.model.canonical import canonical
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import Kind, called
from homeops.model.wire import minimal
from homeops.secrets.masking import masked

Differences = Sequence[tuple[str, Any, Any]]
"""Path, declared, present; as ``props.differences`` answers them."""


def declared_as(kind: Kind, props: Mapping[str, Any]) -> Declared:
    """The declaration in inputs; raises ValidationError for one that is wrong."""
    return _with_config(kind, props, canonical(kind.config.validate_python(props.get("config") or {})))


def remembered_as(kind: Kind, props: Mapping[str, Any]) -> Declared:
    """What a state says, which an earlier homeops may have written: what is not understood counts as the default."""
    return _with_config(kind, props, canonical(understood(kind, props.get("config") or {})))


def _with_config(kind: Kind, props: Mapping[str, Any], config: KomodoModel) -> Declared:
    return Declared(
        kind,
        str(props["name"]),
        config,
        str(props.get("description") or ""),
        tuple(props.get("tags") or ()),
        bool(props.get("template") or False),
    )


def props_of(object_: Declared | Live) -> Props:
    """The form of inputs and states."""
    config = cast(Props, minimal(object_.config))
    return as_props(object_.name, config, object_.description, object_.tags, object_.template)


def shown(kind: Kind, there: Live, props: Mapping[str, Any]) -> Props:
    """A live object in the form of inputs, without its secrets; ``props`` is its declaration or its state."""
    config, declared = there.config, remembered_as(kind, props).config
    open_ = isinstance(config, VariableConfig) and not config.is_secret
    if not (open_ and isinstance(declared, VariableConfig) and not is_source(declared.value)):
        config = concealed(config, declared)
    return as_props(there.name, cast(Props, minimal(config)), there.description, there.tags, there.template)


def refused(kind: Kind, name: str, changed: Differences, stack: str) -> Problem:
    """Why an object is not taken over; ``stack`` is the Pulumi stack, empty when nobody said it."""
    return Problem(
        f'{kind.name.lower()} "{name}"',
        f"exists in Komodo and differs in {counted(changed)}; nothing was changed\n{listed(changed)}",
        choice(kind, name, stack),
    )


def choice(kind: Kind, name: str, stack: str) -> str:
    """The two commands that settle a difference, one below the other."""
    command = f"homeops adopt {called(kind.name, name)}{f' -s {stack}' if stack else ''} --keep"
    return (
        f"{command} komodo   writes Komodo's values into the fleet\n"
        f"    or: {command} fleet    lets pulumi up overwrite them"
    )


def counted(changed: Differences) -> str:
    """How many fields."""
    return f"{len(changed)} field{'s' * (len(changed) != 1)}"


def listed(changed: Differences) -> str:
    """A line for each field, with both values; of texts of several lines those lines that differ."""
    return "\n".join(f"    {path}: {both(want, have)}" for path, want, have in changed)


def both(want: Any, have: Any) -> str:
    """What is declared and what Core has, in a line; of texts of several lines those that only one of them has."""
    if isinstance(want, str) and isinstance(have, str) and min(want.count("\n"), have.count("\n")) > 1:
        wanted, had = dict.fromkeys(want.splitlines()), dict.fromkeys(have.splitlines())
        more, less = (
            "\n".join(line for line in one if line not in other) for one, other in ((had, wanted), (wanted, had))
        )
        if more or less:
            return f"Komodo has, where lines differ, {_in_words(more)}, declared is {_in_words(less)}"
    return f"Komodo has {_in_words(have)}, declared is {_in_words(want)}"


def _in_words(value: Any) -> str:
    """A value in a line, without what looks like a secret in it; a long one is cut."""
    if value is None:
        return "the default"
    text = repr(without_secrets(value))
    return text if len(text) <= 120 else f"{text[:117]}..."


def without_secrets(value: Any) -> Any:
    """A value with what looks like a secret in its texts masked: an environment holds what nobody declared as one."""
    match value:
        case str():
            return masked(value)
        case list():
            return [without_secrets(item) for item in cast(list[Any], value)]
        case dict():
            return {key: without_secrets(item) for key, item in cast(dict[str, Any], value).items()}
        case _:
            return value
