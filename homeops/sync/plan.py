"""A sync before it is run: Core looks at its files anew, and all that is known then is brought together.

As JSON (``homeops sync --json``)::

    {
      "schema": 1,                  a new number when the form changes
      "stack": "prod",              the Pulumi stack
      "sync": "owner/homeops",
      "commit": {"hash": "1a2b3c4", "message": "..."},     null for a sync that is not from git
      "selection": null,            or {"resource_type": "Stack", "resources": ["web"]}, as RunSync takes it
      "deletes_undeclared": true,   delete = true, or managed mode
      "changes": [{                 deletes first, then updates, then creations
        "how": "update",            delete, update, create
        "kind": "Stack", "name": "frigate",
        "fields": [{"field": "config.auto_pull", "from": "true", "to": "false"}],    in words, never a secret
        "all_fields": true,         false: Komodo's TOML of it could not be read as a whole
        "effect": ""                what becomes of containers
      }],
      "deploys": [{"kind": "Stack", "name": "frigate", "reason": "stack config has changed", "after": []}],
      "refusals": [],               why it is not run
      "warnings": [],
      "ran": null                   what came of it, homeops/sync/run.py says its form; null when it was not run
    }
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from homeops.errors import FleetError, HomeopsError, KomodoError, Problem, nearest
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client
from homeops.komodo.documents import config_of
from homeops.komodo.toml.findings import Effect
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.kinds import RESOURCE_SYNC
from homeops.model.sync_rules import deletes
from homeops.sync.changes import Change, Selection, changes_of, deploys_of, errors_of
from homeops.sync.containers import read_estate, with_effects
from homeops.sync.declared import Contents, contents_of
from homeops.sync.fields import Field
from homeops.sync.guards import Fleet, Leave, Other, Situation, refusals, unreadable, warnings

SCHEMA = 1

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """Which commit the files are of; empty for a sync that is not from git."""

    hash: str = ""
    message: str = ""


@dataclass(frozen=True)
class Plan:
    """What a run would do, and why it is refused."""

    at: Situation
    commit: Commit = field(default_factory=Commit)
    refusals: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.at.changes and not self.at.deploys

    def document(self, stack: str, ran: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As JSON, in the form that the module describes."""
        at = self.at
        return {
            "schema": SCHEMA,
            "stack": stack,
            "sync": at.name,
            "commit": {"hash": self.commit.hash, "message": self.commit.message} if self.commit.hash else None,
            "selection": at.selection.params if at.selection.partial else None,
            "deletes_undeclared": deletes(at.config),
            "changes": [_change(change) for change in at.changes],
            "deploys": [
                {"kind": due.kind, "name": due.name, "reason": due.reason, "after": list(due.after)}
                for due in at.deploys
            ],
            "refusals": [str(problem) for problem in self.refusals],
            "warnings": [str(problem) for problem in self.warnings],
            "ran": ran,
        }


def _change(change: Change) -> dict[str, Any]:
    return {
        "how": change.how,
        "kind": change.kind,
        "name": change.name,
        "fields": [{"field": one.path, "from": one.old, "to": one.new} for one in change.fields],
        "all_fields": change.whole,
        "effect": change.effect,
    }


def find_sync(documents: Iterable[Item], name: str | None, declared: Sequence[str]) -> Item:
    """The sync of a name; without one the only one there is, or the only one that the fleet declares.

    Raises FleetError when there is none, or it cannot be told which.
    """
    found = {str(document["name"]): document for document in documents}
    there = ", ".join(sorted(found)) or "none"
    if name is not None:
        if name not in found:
            raise FleetError(Problem(f'sync "{name}"', f"is not in Komodo{nearest(name, found)}", f"there: {there}"))
        return found[name]
    candidates = [one for one in declared if one in found] if len(found) > 1 else list(found)
    if len(candidates) != 1:
        if not found:
            hint = "declare one in homeops/fleet/sync.py; pulumi up makes it"
            raise FleetError(Problem("homeops sync", "there is no ResourceSync in Komodo", hint))
        what = "there are several syncs, and none was named"
        raise FleetError(Problem("homeops sync", what, f"homeops sync NAME; one of {there}"))
    return found[candidates[0]]


def look(client: Client, sync: Item, others: Iterable[Item], selection: Selection, fleet: Fleet, leave: Leave) -> Plan:
    """Let Core read the files of a sync again, and say what a run would do.

    ``sync``, ``others``: documents of ListFullResourceSyncs. Raises HomeopsError where Core must not even be asked to
    look, KomodoError when it cannot say what is pending.
    """
    name, config = str(sync["name"]), _config(sync)
    if hopeless := list(unreadable(name, config)):
        raise HomeopsError(*hopeless)
    fresh = client.write("RefreshResourceSyncPending", {"sync": name})
    info: Item = fresh["info"]
    contents = contents_of(info, config)
    if errors := list(errors_of(info)):
        # Komodo does not say which file of a directory it is.
        found = [finding.problem for finding in contents.findings if finding.effect is Effect.REJECTED]
        raise KomodoError(*found, *(_unread(name, path, text) for path, text in errors))
    changes = changes_of(info, Catalogue(client).name_of)
    _known(name, selection, {*(one.name for one in contents.resources), *(change.name for change in changes)})
    changes = [change for change in changes if change.key in selection]
    if config.include_variables and not selection.partial:
        changes += _secrecy(client, contents, changes)
    if any(change.kind in ("Stack", "Deployment", "Server", "Repo") and change.how != "create" for change in changes):
        changes = [*with_effects(changes, read_estate(client, changes))]
    deploys = [due for due in deploys_of(info) if due.key in selection]
    at = Situation(name, config, contents, changes, deploys, selection, [*map(_other, others)], fleet)
    commit = Commit(str(info.get("pending_hash") or ""), str(info.get("pending_message") or "").strip())
    return Plan(at, commit, [*refusals(at, leave)], [*warnings(at)])


def _config(document: Item) -> ResourceSyncConfig:
    return cast(ResourceSyncConfig, config_of(RESOURCE_SYNC, document))


def _known(name: str, selection: Selection, names: set[str]) -> None:
    if unknown := [one for one in selection.names if one not in names]:
        problems = (
            Problem(f'--only "{one}"', f"is nothing that sync {name} declares or changes{nearest(one, names)}")
            for one in unknown
        )
        raise FleetError(*problems)


def _other(document: Item) -> Other:
    config = _config(document)
    declares = {resource.key for resource in contents_of(document["info"], config).resources}
    return Other(str(document["name"]), config, declares)


def _secrecy(client: Client, contents: Contents, known: Sequence[Change]) -> list[Change]:
    """Variables that only become secret, or open: a run does that, and Core does not list it."""
    listed: list[Item] = client.read("ListVariables", {})
    there = {str(item["name"]): bool(item.get("is_secret")) for item in listed}
    told = {change.name for change in known if change.kind == "Variable"}
    found: list[Change] = []
    for resource in contents.of("Variable"):
        config, secret = resource.config, there.get(resource.name)
        if isinstance(config, VariableConfig) and secret not in (None, config.is_secret) and resource.name not in told:
            shown = Field("config.is_secret", str(secret).lower(), str(config.is_secret).lower())
            found.append(Change("update", "Variable", resource.name, (shown,), new=resource))
    return found


def _unread(name: str, path: str, text: str) -> Problem:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    where = f'sync "{name}": {path}' if path else f'sync "{name}"'
    what = f"Komodo cannot tell what is pending: {' | '.join(lines[:6]) or 'it does not say why'}"
    return Problem(where, f"{what}; nothing was changed", "mend that, push, and run this again")
