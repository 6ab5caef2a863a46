"""From what was found to the files of a fleet package, proved before they are written.

The fleet is put together and resolved as Pulumi's program would; what stands in its way is left out and told, and what
is left is compared with what was found. So a package that is written loads, and means what its report says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeops.errors import FleetError
from homeops.imports.declarations import Conventions, Declared, declared
from homeops.imports.facts import Facts, facts_of
from homeops.imports.found import Findings, Found
from homeops.imports.package import FIELDS, Entry, package
from homeops.imports.report import Note, Sort, counted
from homeops.imports.settings import settings_text
from homeops.imports.settled import settled
from homeops.model.canonical import canonical
from homeops.model.declaration import Declaration
from homeops.model.fleet import Fleet, resolve
from homeops.model.graph import Directories, Graph, Resource

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Imported:
    """A fleet package that is not written yet: its files, its settings, and what is to be said of it."""

    files: Mapping[str, str]
    settings: str
    counts: dict[str, int]
    notes: Sequence[Note]
    exports: Sequence[str]


def imported(findings: Findings, versions: Mapping[str, Any], directories: Directories) -> Imported:
    """The package of what was found.

    ``versions``: the block of settings of that name, as far as there is one; ``directories``: the stack directories of
    the checkout, whose conventions are used where they fit.
    """
    found = settled(findings.found)
    notes = [*findings.notes, *found.notes]
    entries, facts = _proved(found.found, findings, versions, directories, notes)
    notes += _unknown_to_komodo([one.resource for one, _ in entries])
    return Imported(
        files=package((Entry(made, one.comments) for one, made in entries), f"Imported from {findings.source}."),
        settings=settings_text(facts, findings.source),
        counts=counted(one.resource.kind for one, _ in entries),
        notes=notes,
        exports=found.exports,
    )


_CORE = re.compile(r"core|komodo([-_]?core)?")
"""How a stack is called that may be Core's own."""


def _unknown_to_komodo(resources: Sequence[Resource]) -> Iterator[Note]:
    """What homeops wants to know of hosts and stacks, and Komodo has no field for."""
    if any(resource.kind == "Server" for resource in resources):
        what = "how Periphery runs on a host is nowhere in Komodo: PERIPHERY is taken for all of them"
        yield Note(Sort.COMPLETE, "hosts.py", what, "needed once homeops manages hosts over SSH (docs/hosts.md)")
    stacks = [one for one in resources if one.kind == "Stack" and not one.template]
    for stack in stacks:
        if _CORE.fullmatch(stack.name):
            what = "if this runs Komodo Core itself, its deploy ends Core in the middle of it"
            yield Note(Sort.COMPLETE, stack.where, what, "declare control_plane=True before you deploy")
    if stacks:
        what = f"{len(stacks)} to deploy: homeops deploys every declared stack, whatever its TOML says of deploy"
        hint = "the settings written here have homeops:deploy: false; set it to true when the preview is clean"
        yield Note(Sort.COMPLETE, "homeops:deploy", what, hint)


def _proved(
    found: Sequence[Found],
    findings: Findings,
    versions: Mapping[str, Any],
    directories: Directories,
    notes: list[Note],
) -> tuple[list[tuple[Found, Declared]], Facts]:
    """The declarations that make a fleet together; notes on the others."""
    kept = {one.resource.key: one for one in found}
    while True:
        facts, said = facts_of([one.resource for one in kept.values()], findings.core, findings.version, versions)
        by = Conventions(facts.site, directories)
        made = {key: declared(one.resource, by) for key, one in kept.items()}
        objects = {key: one.declaration() for key, one in made.items()}
        try:
            graph = resolve(_fleet(objects), by.site, directories)
        except FleetError as error:
            named = {one.where: key for key, one in objects.items()}
            wrong = {named[problem.where]: problem for problem in error.problems if problem.where in named}
            if not wrong:
                raise
            for key, problem in wrong.items():
                hint = "homeops import --core knows more than TOML says" if not findings.core else ""
                notes.append(Note(Sort.LEFT_OUT, kept.pop(key).where, problem.what, hint))
            continue
        notes += [*said, *(note for one in kept.values() for note in _different(one, graph))]
        return [(kept[key], one) for key, one in made.items()], facts


def _fleet(objects: Mapping[Key, Declaration]) -> Fleet:
    parts: dict[str, list[Any]] = {}
    for (kind, _), one in objects.items():
        parts.setdefault(FIELDS[kind], []).append(one)
    return Fleet(**parts)


def _different(one: Found, graph: Graph) -> list[Note]:
    """What the declaration means otherwise than what was found: nothing, unless homeops is wrong."""
    there = graph.get(*one.resource.key)
    fields = "it" if there is None else ", ".join(differing(one.resource, there))
    return [Note(Sort.CHANGED, one.where, f"{fields} cannot be declared as found")] if fields else []


_BESIDE = ("description", "tags", "template", "after")


def differing(wanted: Resource, there: Resource) -> list[str]:
    """The fields in which two resources differ, apart from those that Komodo keeps no account of."""
    names = [name for name in _BESIDE if getattr(wanted, name) != getattr(there, name)]
    first, second = canonical(wanted.config), canonical(there.config)
    if type(first) is not type(second):
        return [*names, "config"]
    return [*names, *(name for name in type(first).model_fields if getattr(first, name) != getattr(second, name))]
