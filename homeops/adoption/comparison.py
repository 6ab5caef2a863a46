"""The fleet and Komodo, object by object: which are equal, which differ and how, which are not there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from homeops.errors import FleetError, Problem, nearest
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.comparison import declared_as, shown
from homeops.komodo.documents import Live
from homeops.komodo.inputs import inputs_of
from homeops.komodo.operations import Declared
from homeops.komodo.props import differences
from homeops.komodo.secret_values import NOT_SHOWN
from homeops.model.graph import Graph, Resource
from homeops.model.kinds import KINDS, called


@dataclass(frozen=True, slots=True)
class Field:
    """A field with both values, as in Pulumi's inputs; None is the default. ``secret``: Komodo's must not be shown."""

    path: str
    komodo: Any
    declared: Any

    @property
    def name(self) -> str:
        """The path without ``config.``."""
        return self.path.removeprefix("config.")

    @property
    def secret(self) -> bool:
        """Whether Komodo's value is one that is not shown."""
        return NOT_SHOWN in json.dumps(self.komodo)


@dataclass(frozen=True, slots=True)
class Difference:
    """A declared object that Komodo has with other values; ``shown``: as it has it, without secrets."""

    resource: Resource
    live: Live
    shown: Declared
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        """As commands call it: ``stack/frigate``."""
        return called(*self.resource.key)


@dataclass(frozen=True, slots=True)
class Choice:
    """Fields of an object, by name, that are to become Komodo's; what differs besides them stays as declared."""

    difference: Difference
    fields: frozenset[str]

    @property
    def wanted(self) -> tuple[Field, ...]:
        """The fields themselves."""
        return tuple(field for field in self.difference.fields if field.name in self.fields)

    def wants(self, field: Field) -> bool:
        """Whether to write a field that differs now: a chosen one, or one that did not differ before."""
        return field.name in self.fields or all(field.name != other.name for other in self.difference.fields)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every declared object, in the order of declaration."""

    equal: tuple[Resource, ...]
    differing: tuple[Difference, ...]
    absent: tuple[Resource, ...]


def compare(graph: Graph, catalogue: Catalogue) -> Comparison:
    """Compare every declared object with what Core has under its name: one list a kind. Raises KomodoError."""
    equal: list[Resource] = []
    differing: list[Difference] = []
    absent: list[Resource] = []
    for resource in graph.resources:
        live = catalogue.by_name(KINDS[resource.kind], resource.name)
        if live is None:
            absent.append(resource)
        elif fields := tuple(fields_that_differ(resource, live)):
            kind = KINDS[resource.kind]
            open_ = declared_as(kind, shown(kind, live, inputs_of(resource)))
            differing.append(Difference(resource, live, open_, fields))
        else:
            equal.append(resource)
    return Comparison(tuple(equal), tuple(differing), tuple(absent))


def fields_that_differ(resource: Resource, live: Live) -> Iterator[Field]:
    """The fields in which Komodo has something else than is declared."""
    props = inputs_of(resource)
    kind = KINDS[resource.kind]
    for path, declared, komodo in differences(props, shown(kind, live, props)):
        yield Field(path, komodo, declared)


def chosen(comparison: Comparison, graph: Graph, names: tuple[str, ...]) -> tuple[Difference, ...]:
    """The objects of these names that differ, all of them for no name; ``stack/frigate``, or ``frigate`` alone.

    Raises FleetError for a name that nothing has, or several that differ.
    """
    if not names:
        return comparison.differing
    known = {name for resource in graph.resources for name in (called(*resource.key), resource.name)}
    wanted: set[str] = set()
    problems: list[Problem] = []
    for name in names:
        exact = [item.name for item in comparison.differing if item.name == name]
        found = exact or [item.name for item in comparison.differing if item.resource.name == name]
        if name not in known:
            near = nearest(name, known)
            problems.append(Problem(f'"{name}"', f"is not declared{near}", "a name, or kind/name: stack/frigate"))
        elif len(found) > 1:
            problems.append(Problem(f'"{name}"', "is the name of several that differ", f"one of {', '.join(found)}"))
        wanted.update(found)
    if problems:
        raise FleetError(*problems)
    return tuple(difference for difference in comparison.differing if difference.name in wanted)
