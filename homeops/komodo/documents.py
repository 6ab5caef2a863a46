"""Core's documents as declarations: names for ids, canonical, without what homeops does not know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from homeops.komodo.catalogue import document_id
from homeops.model.canonical import canonical
from homeops.model.config.alerter import AlerterConfig, ResourceTarget
from homeops.model.fields import KomodoModel
from homeops.model.kinds import BUILDER, Kind
from homeops.model.references import rename_references
from homeops.model.wire import DISCRIMINATOR

Names = Callable[[str, str], str]
"""``(kind, id)`` to the name of the object, or the id itself when nothing has it."""


@dataclass(frozen=True, slots=True)
class Live:
    """An object as Core has it, in the terms of a declaration."""

    id: str
    name: str
    config: KomodoModel
    description: str = ""
    tags: tuple[str, ...] = ()
    template: bool = False


def live(kind: Kind, document: Mapping[str, Any], names: Names) -> Live:
    """The object in a document of ``ListFull…`` or of a write's answer."""
    if not kind.resource:
        return _kept_beside(kind, document, names)
    config = config_of(kind, document)
    if isinstance(config, AlerterConfig):
        config = _with_targets_by_id(config, names)
    return Live(
        id=document_id(kind, document),
        name=str(document["name"]),
        config=canonical(rename_references(config, names)),
        description=str(document.get("description", "")),
        tags=tuple(names("Tag", tag) for tag in document.get("tags", ())),
        template=bool(document.get("template", False)),
    )


def _with_targets_by_id(config: AlerterConfig, names: Names) -> AlerterConfig:
    """Without targets that are no ids: a ResourceSync stores the names of its TOML, which Core compares with ids.

    Such an alerter is not what it looks like, and Core's own comparison empties these names as well (sync/
    replace_ids.rs), so that a sync has it pending for ever.
    """

    def known(target: ResourceTarget) -> ResourceTarget:
        there = target.type == "System" or names(target.type, target.id) != target.id
        return target if there else target.model_copy(update={"id": ""})

    fields = ("resources", "except_resources")
    return config.model_copy(update={field: [known(target) for target in getattr(config, field)] for field in fields})


def _kept_beside(kind: Kind, document: Mapping[str, Any], names: Names) -> Live:
    config = {key: value for key, value in document.items() if key in kind.shape.model_fields}
    if kind.name == "UserGroup":
        config["users"] = [names("User", user) for user in config.get("users", ())]
        # A permission that was taken away stays in the document, with the level None.
        levels = {target: _permission(level) for target, level in config.get("all", {}).items()}
        config["all"] = {
            target: level for target, level in levels.items() if level["level"] != "None" or level["specific"]
        }
    return Live(
        id=document_id(kind, document),
        name=str(document["name"]),
        config=kind.config.validate_python(config),
        description=str(document.get("description", "")) if kind.name == "Variable" else "",
    )


def _permission(level: Any) -> dict[str, Any]:
    return {"level": level, "specific": []} if isinstance(level, str) else {"specific": [], **level}


def config_of(kind: Kind, document: Mapping[str, Any]) -> KomodoModel:
    """The configuration in a resource's document, as far as this version knows it."""
    return kind.config.validate_python(known_fields(kind, document["config"]))


def known_fields(kind: Kind, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without fields that another version of Core or homeops has and this one does not know."""
    return _known(type(kind.config.validate_python(_outline(kind, config))), config)


def understood(kind: Kind, config: Mapping[str, Any]) -> KomodoModel:
    """A configuration that an earlier homeops may have written: what cannot be read counts as the default."""
    try:
        known = known_fields(kind, config)
    except ValidationError:
        return kind.config.validate_python(_outline(kind, {}))
    try:
        return kind.config.validate_python(known)
    except ValidationError as error:
        wrong = {place for detail in error.errors() for place in detail["loc"]}
        return kind.config.validate_python(
            _outline(kind, known) | {name: value for name, value in known.items() if name not in wrong}
        )


def _outline(kind: Kind, config: Mapping[str, Any]) -> dict[str, Any]:
    """What tells the member of a union: its type."""
    return {DISCRIMINATOR: config.get(DISCRIMINATOR, "Url")} if kind is BUILDER else {}


def _known(model: type[KomodoModel], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _known(field.annotation, cast(Mapping[str, Any], values[name]))
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, KomodoModel)
        and isinstance(values[name], Mapping)
        else values[name]
        for name, field in model.model_fields.items()
        if name in values and values[name] is not None
    }
