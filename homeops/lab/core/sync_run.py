"""RunSync: make everything as the files declare it, then deploy (api/execute/sync.rs)."""

from typing import TYPE_CHECKING

from homeops.lab.core.executions import Run, Steps, executes, service_user
from homeops.lab.core.executions_logs import bold, colored, error_log, log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find, is_object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resources import change, create, delete
from homeops.lab.core.state import Document
from homeops.lab.core.sync_changes import Change, Matches, changes, everything, tag_names
from homeops.lab.core.sync_deploys import Due, Key, deploy_in_rounds, due_deploys
from homeops.lab.core.sync_entities import Journal, apply_groups, apply_variables, group_views, variable_views
from homeops.lab.core.sync_pending import refresh_sync
from homeops.lab.core.sync_remote import Remote, read_remote

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

RUN_ORDER = (
    "Server",
    "Alerter",
    "Action",
    "Swarm",
    "Builder",
    "Repo",
    "Build",
    "Stack",
    "ResourceSync",
    "Deployment",
    "Procedure",
)
"""The order in which kinds are made as declared: what others refer to comes first."""

_PROCEDURE_ROUNDS = 10


@executes("RunSync", "ResourceSync", "sync")
def run_sync(run: Run) -> Steps:
    """Read the files, apply them, deploy, and look again."""
    sync = run.resource()
    if sync["config"]["linked_repo"] and not sync["config"]["files_on_host"]:
        find(run.core.state, "Repo", sync["config"]["linked_repo"])
    run.busy("syncing")
    yield
    core = run.core
    with core.state.lock:
        remote = read_remote(core, sync)
    run.update["logs"] += remote.logs
    run.save()
    if remote.errors:
        raise Refusal("Found file errors. Cannot execute sync.")
    if remote.failure is not None:
        raise Refusal(remote.failure[0], remote.failure[1])
    whole = run.params["resource_type"] is None and run.params["resources"] is None
    with core.state.lock:
        plan = _plan(core, sync, remote, _matches(run))
        due = _due(core, sync, remote, _matches(run))
        entities = whole and _entities_differ(core, sync, remote)
    if not due and not any(plan.values()) and not entities:
        run.log(log("No Changes", stdout=f"{colored('nothing to do', 'green')}. exiting."))
        return
    if entities:
        _apply_entities(run, sync, remote)
    for kind in RUN_ORDER:
        if plan[kind]:
            apply = _apply_procedures if kind == "Procedure" else _apply
            run.log(apply(core, kind, plan[kind]))
    deployed = deploy_in_rounds(run, due)
    if deployed is not None:
        run.log(deployed)
    _note_end(run, remote)


def _note_end(run: Run, remote: Remote) -> None:
    with run.document() as document:
        if run.abandoned:
            # The Core that ran it has ended, and another one knows nothing of it.
            return
        document["info"] = document["info"] | {
            "last_sync_ts": run.core.now(),
            "last_sync_hash": remote.hash,
            "last_sync_message": remote.message,
        }
        try:
            refresh_sync(run.core, document)
        except Refusal as reason:
            causes = [reason.error, *reason.trace]
            run.log(error_log("refresh sync", "failed to refresh sync pending after run", causes))


def _matches(run: Run) -> Matches:
    """Which resources the run is about: all, those of a kind, those of a name (or of an id, of a known kind)."""
    wanted_kind: str | None = run.params["resource_type"]
    resources: list[str] | None = run.params["resources"]
    if wanted_kind is None and resources is None:
        return everything
    names = resources
    if resources is not None and wanted_kind is not None:
        known = run.core.state.resources[wanted_kind]
        names = [
            known[name]["name"] if name in known else name
            for name in resources
            if name in known or not is_object_id(name)
        ]

    def matches(kind: str, name: str) -> bool:
        return (wanted_kind is None or kind == wanted_kind) and (names is None or name in names)

    return matches


def _plan(core: "Core", sync: Document, remote: Remote, matches: Matches) -> dict[str, list[Change]]:
    config = sync["config"]
    if not config["include_resources"]:
        return {kind: [] for kind in RUN_ORDER}
    return {
        kind: changes(
            core.state,
            kind,
            remote.declared.resources[kind],
            delete=config["managed"] or config["delete"],
            match_tags=config["match_tags"],
            matches=matches,
        )
        for kind in RUN_ORDER
    }


def _due(core: "Core", sync: Document, remote: Remote, matches: Matches) -> list[Due]:
    wanted = set(sync["config"]["match_tags"])
    stored: dict[Key, Document] = {
        (kind, document["name"]): document
        for kind in ("Deployment", "Stack")
        for document in core.state.resources[kind].values()
        if matches(kind, document["name"]) and wanted <= set(tag_names(core.state, document))
    }
    return due_deploys(core, remote.declared, stored)


def _entities_differ(core: "Core", sync: Document, remote: Remote) -> bool:
    config = sync["config"]
    removing = config["managed"] or config["delete"]
    declared = remote.declared
    variables = config["include_variables"] and (
        variable_views(core.state, declared.variables, delete=removing)
        or any(
            variable["is_secret"] != core.state.variables[variable["name"]]["is_secret"]
            for variable in declared.variables
            if variable["name"] in core.state.variables
        )
    )
    groups = config["include_user_groups"] and group_views(core.state, declared.user_groups, delete=removing)
    return bool(variables or groups)


def _apply_entities(run: Run, sync: Document, remote: Remote) -> None:
    config = sync["config"]
    removing = config["managed"] or config["delete"]
    steps = (
        ("include_variables", apply_variables, remote.declared.variables),
        ("include_user_groups", apply_groups, remote.declared.user_groups),
    )
    for included, apply, declared in steps:
        entry = apply(run.core, declared, delete=removing) if config[included] else None
        if entry is not None:
            run.log(entry)


def _apply(core: "Core", kind: str, planned: list[Change]) -> Document:
    """Create, then update, then delete; what fails is noted and the rest goes on."""
    journal = Journal(f"{kind}s")
    for one in planned:
        if one.stored is None:
            _create(core, journal, one)
    for one in planned:
        if one.stored is not None and one.declared is not None:
            _update(core, journal, one)
    for one in planned:
        if one.declared is None:
            _delete(core, journal, one)
    return journal.entry()


def _apply_procedures(core: "Core", _kind: str, planned: list[Change]) -> Document:
    """Deletes first; then again and again, because procedures may refer to each other."""
    journal = Journal("Procedures")
    for one in planned:
        if one.declared is None:
            _delete(core, journal, one)
    left = [one for one in planned if one.declared is not None]
    for number in range(_PROCEDURE_ROUNDS):
        last = number == _PROCEDURE_ROUNDS - 1
        updates = [one for one in left if one.stored is not None]
        creates = [one for one in left if one.stored is None]
        done = [one for one in updates if _update_procedure(core, journal, one, last=last)]
        done += [one for one in creates if _create(core, journal, one, quiet=not last)]
        left = [one for one in left if one not in done]
        if not left:
            return journal.entry()
    return log("run procedure", stderr="procedure sync loop exited after max iterations", success=False)


def _create(core: "Core", journal: Journal, one: Change, *, quiet: bool = False) -> bool:
    declared = one.declared or {}
    name = bold(one.name)
    try:
        with core.state.lock:
            document = create(core, service_user(5), one.kind, one.name, copied(declared["config"]))
    except Refusal as reason:
        if not quiet:
            journal.failed(f"failed to create {one.kind} '{name}'", reason)
        return False
    meta = {key: declared[key] for key in ("description", "template", "tags")}
    _meta(core, journal, one, document["_id"]["$oid"], meta)
    journal.did(f"{one.kind} '{name}'", "green", "created")
    return True


def _meta(core: "Core", journal: Journal, one: Change, identity: str, meta: Document) -> None:
    name = bold(one.name)
    absent: Document = {"description": None, "template": None, "tags": None}
    params = {"target": {"type": one.kind, "id": identity}, **absent, **meta}
    if journal.call(core, "UpdateResourceMeta", params, f"failed to update tags on {one.kind} '{name}'"):
        journal.did(f"{one.kind} '{name}' meta", "blue", "updated")


def _update(core: "Core", journal: Journal, one: Change) -> None:
    identity, name = (one.stored or {})["_id"]["$oid"], bold(one.name)
    if one.meta:
        _meta(core, journal, one, identity, one.meta)
    if one.fields is None:
        return
    try:
        with core.state.lock:
            change(core, service_user(5), one.kind, identity, copied(one.fields))
    except Refusal as reason:
        journal.failed(f"failed to update config on {one.kind} '{name}'", reason)
    else:
        journal.did(f"{one.kind} '{name}' configuration", "blue", "updated")


def _update_procedure(core: "Core", journal: Journal, one: Change, *, last: bool) -> bool:
    identity, name = (one.stored or {})["_id"]["$oid"], bold(one.name)
    if one.meta:
        _meta(core, journal, one, identity, one.meta)
    if one.fields is not None:
        try:
            with core.state.lock:
                change(core, service_user(5), one.kind, identity, copied(one.fields))
        except Refusal as reason:
            if last:
                journal.failed(f"failed to update Procedure '{name}'", reason)
            return False
    journal.note(f"Procedure '{name}' updated")
    return True


def _delete(core: "Core", journal: Journal, one: Change) -> None:
    name = bold(one.name)
    try:
        with core.state.lock:
            delete(core, service_user(5), one.kind, one.name)
    except Refusal as reason:
        journal.failed(f"failed to delete {one.kind} '{name}'", reason)
    else:
        journal.did(f"{one.kind} '{name}'", "red", "deleted")
