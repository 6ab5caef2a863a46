"""What a sync would change: declared against stored resources (sync/execute.rs, sync/view.rs, sync/resources.rs).

A field that is not declared has its default. Names are compared as they stand; so are tags, in their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from homeops.lab.core.config_rules import leave_out_empty
from homeops.lab.core.json_copy import copied
from homeops.lab.core.resource_kinds import default_config
from homeops.lab.core.state import Document, State
from homeops.lab.core.toml_export import declaration, declaration_toml
from homeops.lab.core.toml_names import name_of, with_references
from homeops.lab.core.toml_requests import exported_sync

VIEW_ORDER = (
    "Server",
    "Swarm",
    "Stack",
    "Deployment",
    "Build",
    "Repo",
    "Procedure",
    "Action",
    "Builder",
    "Alerter",
    "ResourceSync",
)
"""The order in which pending changes are listed."""

Matches = Callable[[str, str], bool]
"""Whether a run is about a resource: ``matches(kind, name)``."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that is not as declared; ``stored`` is None for one to create, ``declared`` for one to delete.

    ``fields`` are the fields of the configuration that differ, None when none does.
    """

    kind: str
    name: str
    stored: Document | None
    declared: Document | None
    fields: Document | None = None
    meta: Document = field(default_factory=dict[str, Any])

    @property
    def visible(self) -> bool:
        """Whether it is listed as pending: one that only becomes a template, or none, is not."""
        only_template = self.fields is None and set(self.meta) == {"template"}
        return not (self.stored is not None and self.declared is not None and only_template)

    def view(self, state: State) -> Document:
        """As ``resource_updates`` shows it."""
        target_id = self.stored["_id"]["$oid"] if self.stored else ""
        return {"target": {"type": self.kind, "id": target_id}, "data": self._data(state)}

    def _data(self, state: State) -> Document:
        if self.declared is None and self.stored is not None:
            current = declaration_toml(self.kind, declaration(state, self.kind, self.stored))
            return {"type": "Delete", "data": {"current": current}}
        assert self.declared is not None  # noqa: S101 - a change has one of the two
        if self.stored is None:
            proposed = declaration_toml(self.kind, self.declared)
            return {"type": "Create", "data": {"name": self.name, "proposed": proposed}}
        whole = self.declared | {"config": merged(self.kind, self.declared["config"])}
        current = declaration(state, self.kind, self.stored, self.declared["deploy"], self.declared["after"])
        return {
            "type": "Update",
            "data": {
                "proposed": declaration_toml(self.kind, whole),
                "current": declaration_toml(self.kind, current),
            },
        }


def everything(_kind: str, _name: str) -> bool:
    """A run that is about all resources."""
    return True


def changes(
    state: State,
    kind: str,
    declared: Sequence[Document],
    *,
    delete: bool,
    match_tags: Sequence[str],
    matches: Matches = everything,
) -> list[Change]:
    """The changes of one kind: deletes first, then creates and updates in the order of the declarations."""
    stored = {
        document["name"]: document
        for document in state.resources[kind].values()
        if matches(kind, document["name"])
        and _has_tags(tag_names(state, document), match_tags)
        and (kind != "ResourceSync" or exported_sync(document["config"]))
    }
    wanted = [
        one
        for one in declared
        if matches(kind, one["name"])
        and _has_tags(one["tags"], match_tags)
        and (kind != "ResourceSync" or exported_sync(merged(kind, one["config"])))
    ]
    found: list[Change] = []
    if delete:
        names = {one["name"] for one in wanted}
        found += [Change(kind, name, copied(document), None) for name, document in stored.items() if name not in names]
    for one in wanted:
        document = stored.get(one["name"])
        change = Change(kind, one["name"], None, one) if document is None else _update(state, kind, document, one)
        if change is not None:
            found.append(change)
    return found


def _update(state: State, kind: str, document: Document, declared: Document) -> Change | None:
    fields = config_difference(state, kind, document, declared["config"])
    meta: Document = {}
    if declared["description"] != document["description"]:
        meta["description"] = declared["description"]
    if declared["template"] != document["template"]:
        meta["template"] = declared["template"]
    if declared["tags"] != tag_names(state, document):
        meta["tags"] = declared["tags"]
    if fields is None and not meta:
        return None
    return Change(kind, document["name"], copied(document), declared, fields, meta)


def config_difference(state: State, kind: str, document: Document, declared: Document) -> Document | None:
    """The declared fields, on top of the defaults, that differ from the stored ones; None when none does."""
    stored = with_references(kind, document["config"], name_of(state))
    whole = merged(kind, declared)
    if kind == "Builder":
        same = stored["type"] == whole["type"]
        base = stored["params"] if same else default_config(kind, whole["type"])
        differing = {key: value for key, value in whole["params"].items() if base.get(key) != value}
        return {"type": whole["type"], "params": differing} if differing else None
    differing = {key: value for key, value in whole.items() if stored.get(key) != value}
    if kind == "Build" and not any(whole["version"].values()):
        # A version is never set back to none.
        differing.pop("version", None)
    return differing or None


def merged(kind: str, declared: Document) -> Document:
    """A declared configuration on top of the defaults."""
    if kind == "Builder":
        params = default_config(kind, declared["type"]) | declared["params"]
        return {"type": declared["type"], "params": params}
    whole = default_config(kind) | copied(declared)
    if kind == "Stack":
        leave_out_empty(whole)
    return whole


def tag_names(state: State, document: Document) -> list[str]:
    """The names of a resource's tags, in their order."""
    return [state.tags[tag]["name"] for tag in document["tags"] if tag in state.tags]


def _has_tags(tags: Sequence[str], wanted: Sequence[str]) -> bool:
    return all(tag in tags for tag in wanted)
