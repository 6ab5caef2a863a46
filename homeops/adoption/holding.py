"""Whether a fleet that was written into is what it was, but for what was chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from homeops.adoption.comparison import Choice, Field, fields_that_differ
from homeops.adoption.loaded import Loaded
from homeops.model.fields import KomodoModel
from homeops.model.graph import Graph, Resource

Key = tuple[str, str]


class Broken(Exception):  # noqa: N818 - named for what happened, as homeops.errors
    """Raised with the reason why what was written does not hold."""


def hold(before: Loaded, after: Loaded, chosen: Sequence[Choice]) -> None:
    """Raise Broken when anything but the chosen fields became something else, for any Pulumi stack."""
    if lost := sorted(before.others.keys() - after.others.keys()):
        raise Broken(f"the fleet does not hold any more for Pulumi stack {', '.join(lost)}")
    by_key = {choice.difference.resource.key: choice for choice in chosen}
    for was, is_ in [
        (before.graph, after.graph),
        *((before.others[name], after.others[name]) for name in before.others),
    ]:
        if other := next(_others(was, is_, by_key), None):
            raise Broken(f"{other} would change too")
    for choice in chosen:
        if (field := next(_other_fields(choice, before.graph, after.graph), None)) is not None:
            raise Broken(f"its {field} would change too")


def _others(was: Graph, is_: Graph, chosen: Mapping[Key, Choice]) -> Iterator[str]:
    had, have = ({item.key: _compared(item, chosen) for item in graph.resources} for graph in (was, is_))
    for key in {**had, **have}:
        if had.get(key) != have.get(key):
            yield f'{key[0].lower()} "{key[1]}"'


def _compared(resource: Resource, chosen: Mapping[Key, Choice]) -> Resource:
    """What must stay: of a chosen object what no field of Komodo's says."""
    if resource.key not in chosen:
        return replace(resource, where="")
    return replace(resource, where="", config=KomodoModel(), description="", tags=(), template=False)


def _other_fields(choice: Choice, before: Graph, after: Graph) -> Iterator[str]:
    """The fields that were not chosen, and differ otherwise than before or not any more."""
    was, is_ = (_differing(choice, graph) for graph in (before, after))
    for name in {**was, **is_}:
        if was.get(name) != is_.get(name) and not (name in choice.fields and name not in is_):
            yield name


def _differing(choice: Choice, graph: Graph) -> dict[str, Field]:
    resource = graph.get(*choice.difference.resource.key) or choice.difference.resource
    return {field.name: field for field in fields_that_differ(resource, choice.difference.live)}
