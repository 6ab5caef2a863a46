"""How an object of each kind is created, changed, renamed and deleted: Komodo's requests, one sequence a kind.

All functions take what shall be and what is; none compares more than it is given. Configurations that come in are
canonical and may hold ``env:NAME`` for secrets; the requests hold the values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from homeops.errors import KomodoError, KomodoVersion, Problem
from homeops.komodo import stacks
from homeops.komodo.catalogue import document_id
from homeops.komodo.documents import Live
from homeops.komodo.secret_values import reveal, revealed
from homeops.komodo.session import Core
from homeops.komodo.stacks import Tell
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.builder import AwsBuilder, UrlBuilder
from homeops.model.config.variable import Permission, TagConfig, UserGroupConfig, VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import DEPLOYMENT, KINDS, STACK, Kind
from homeops.model.references import rename_references
from homeops.model.wire import defaults, minimal, whole

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """An object as it shall be."""

    kind: Kind
    name: str
    config: KomodoModel
    description: str = ""
    tags: tuple[str, ...] = ()
    template: bool = False


def create(core: Core, declared: Declared) -> str:
    """Create the object and return its id: one request, and one more for description, tags and template."""
    match declared.config:
        case VariableConfig():
            _create_variable(core, declared, declared.config)
            return declared.name
        case TagConfig():
            document = core.client.write("CreateTag", {"name": declared.name, "color": declared.config.color})
        case UserGroupConfig():
            document = core.client.write("CreateUserGroup", {"name": declared.name})
            _update_group(core, document["_id"]["$oid"], declared.config, UserGroupConfig())
        case _:
            config = _payload(core, declared.config, None)
            document = core.client.write(f"Create{declared.kind.name}", {"name": declared.name, "config": config})
            try:
                _all_fields_known(core, declared, document)
            except KomodoVersion:
                core.client.write(f"Delete{declared.kind.name}", {"id": document_id(declared.kind, document)})
                raise
    core.catalogue.put(declared.kind, document)
    id_ = document_id(declared.kind, document)
    if declared.kind.resource:
        _update_meta(core, declared, id_, Live(id_, declared.name, declared.config))
    return id_


def update(core: Core, declared: Declared, is_: Live, tell: Tell) -> None:
    """Change what differs: the name first, then changed fields, then description, tags and template."""
    kind = declared.kind
    if is_.name != declared.name:
        if kind is STACK:
            # Komodo renames a stack in the middle of a deploy, and then loses what that deploy did.
            stacks.wait_until_idle(core, is_.id, is_.name, tell)
        rename(core, kind, is_.id, declared.name)
    match declared.config, is_.config:
        case VariableConfig() as want, VariableConfig() as have:
            _update_variable(core, declared, want, have, is_.description)
        case TagConfig() as want, TagConfig() as have:
            if want != have:
                core.client.write("UpdateTagColor", {"tag": is_.id, "color": want.color})
                core.catalogue.note(kind, is_.id, color=want.color)
        case UserGroupConfig() as want, UserGroupConfig() as have:
            _update_group(core, is_.id, want, have)
            core.catalogue.forget(kind)
        case want, have:
            for config in _steps(core, want, have):
                document = core.client.write(f"Update{kind.name}", {"id": is_.id, "config": config})
                _all_fields_known(core, declared, document)
                core.catalogue.put(kind, document)
            _update_meta(core, declared, is_.id, is_)


def rename(core: Core, kind: Kind, id_: str, name: str) -> None:
    """Give the object another name; its id, containers and history stay."""
    core.client.write(f"Rename{kind.name}", {"id": id_, "name": name})
    core.catalogue.note(kind, id_, name=name)


def delete(core: Core, kind: Kind, id_: str, name: str, tell: Tell) -> None:
    """Delete the object; says what Komodo does to containers. An object that is gone already is no error."""
    before = _BEFORE_DELETE.get(kind.name)
    try:
        if before is not None:
            before(core, id_, name, tell)
        key = "name" if kind.name == "Variable" else "id"
        core.client.write(f"Delete{kind.name}", {key: id_})
    except KomodoError:
        core.catalogue.forget(kind)
        if core.catalogue.by_id(kind, id_) is not None:
            raise
    core.catalogue.drop(kind, id_)


def _before_stack(core: Core, id_: str, name: str, tell: Tell) -> None:
    there = stacks.standing(core, id_)
    if there is None:
        return
    if why := there.why_not_deleted():
        raise _not_deleted("stack", name, why, there.server)
    if there.state not in ("down", "unknown"):
        tell(f'stack "{name}": Komodo stops and removes its containers (docker compose down); {stacks.VOLUMES_STAY}')


def _before_server(core: Core, id_: str, name: str, tell: Tell) -> None:
    del tell
    if left := stacks.on_server(core, id_):
        raise KomodoError(
            Problem(
                f'server "{name}"',
                f"not deleted: {stacks.still_on_it(left)}",
                "delete or move them first; what is declared nowhere, in Komodo's UI; then run again",
            )
        )


def _before_deployment(core: Core, id_: str, name: str, tell: Tell) -> None:
    there = core.catalogue.documents(DEPLOYMENT).get(id_)
    server, state = stacks.server_of(core, there["config"]["server_id"] if there else "")
    if state not in ("", "Ok"):
        raise _not_deleted("deployment", name, stacks.out_of_reach(server, state), server)
    tell(f'deployment "{name}": Komodo stops and removes its container; volumes stay on the host')


def _not_deleted(kind: str, name: str, why: str, server: str) -> KomodoError:
    hint = f"bring {server} back; if it is gone for good, delete the {kind} in Komodo's UI; then run again"
    return KomodoError(Problem(f'{kind} "{name}"', f"not deleted: {why}", hint))


def _before_repo(core: Core, id_: str, name: str, tell: Tell) -> None:
    # With a server that is disabled or gone Core refuses the delete; without one it only forgets the object.
    repo = core.catalogue.by_id(KINDS["Repo"], id_)
    if repo is None or not getattr(repo.config, "server_id", ""):
        return
    core.client.write("UpdateRepo", {"id": id_, "config": {"server_id": ""}})
    tell(f'repo "{name}": its checkout stays on the host')


_BEFORE_DELETE: Mapping[str, Callable[[Core, str, str, Tell], None]] = {
    "Server": _before_server,
    "Stack": _before_stack,
    "Deployment": _before_deployment,
    "Repo": _before_repo,
}


def _steps(core: Core, want: KomodoModel, have: KomodoModel) -> list[Json]:
    """The partial configurations that turn one into the other; none when they are equal."""
    if want == have:
        return []
    if type(want) is not type(have):
        # Core ignores a change of type to another type's defaults, so such a change goes over a value that differs.
        payload = cast(Json, whole(revealed(want)))
        if want == type(want)():
            return [_detour(core, want), payload]
        return [payload]
    return [_payload(core, want, have)]


def _detour(core: Core, want: KomodoModel) -> Json:
    if isinstance(want, UrlBuilder):
        return {"type": "Url", "params": {"address": "https://moving:8120"}}
    if isinstance(want, AwsBuilder):
        return {"type": "Aws", "params": {"region": "moving"}}
    servers = list(core.catalogue.documents(KINDS["Server"]))
    if not servers:
        what = "Komodo turns a builder into one of servers only where there is a server"
        raise KomodoError(Problem("builder", what, "declare its hosts"))
    return {"type": "Server", "params": {"server_ids": servers[:1]}}


def _payload(core: Core, want: KomodoModel, have: KomodoModel | None) -> Json:
    """What to send: at creation what is not default, later what changed; values whole, as Core replaces them whole."""
    default = defaults(type(want))
    if "params" in type(want).model_fields:
        return cast(Json, whole(revealed(want)))
    clear = revealed(want)
    if isinstance(clear, AlerterConfig):
        # Everywhere else Core looks names up itself.
        clear = rename_references(clear, core.catalogue.id_of)
    return {
        name: whole(getattr(clear, name))
        for name in type(want).model_fields
        if getattr(want, name) != (default.get(name) if have is None else getattr(have, name))
        or (have is None and name == "file_contents" and type(want).__name__ == "ActionConfig")
    }


def _all_fields_known(core: Core, declared: Declared, document: Mapping[str, Any]) -> None:
    """Core ignores fields that it does not know, so a declared one that does not come back is one that it lacks."""
    sent = cast(Json, minimal(declared.config))
    lacking = sorted(set(sent) - set(document["config"]))
    if lacking:
        version = core.client.version()
        raise KomodoVersion(
            Problem(
                f'{declared.kind.name.lower()} "{declared.name}"',
                f"this Core ({version}) has no field {', '.join(lacking)}",
                "upgrade Core and every Periphery to 2.3.2, or leave the field out",
            )
        )


def _update_meta(core: Core, declared: Declared, id_: str, is_: Live) -> None:
    changes: Json = {}
    if declared.description != is_.description:
        changes["description"] = declared.description
    if declared.tags != is_.tags:
        changes["tags"] = list(declared.tags)
    if declared.template != is_.template:
        changes["template"] = declared.template
    if changes:
        target = {"type": declared.kind.name, "id": id_}
        core.client.write("UpdateResourceMeta", {"target": target, **changes})
        # Tags are noted by name: the answer holds no ids, and a name that no tag has as its id stands for itself.
        core.catalogue.note(declared.kind, id_, **changes)


def _create_variable(core: Core, declared: Declared, config: VariableConfig) -> None:
    document = core.client.write(
        "CreateVariable",
        {
            "name": declared.name,
            "value": reveal(config.value),
            "description": declared.description,
            "is_secret": config.is_secret,
        },
    )
    core.catalogue.put(declared.kind, document)


def _update_variable(
    core: Core, declared: Declared, want: VariableConfig, have: VariableConfig, description: str
) -> None:
    name = declared.name
    if want.value != have.value:
        core.client.write("UpdateVariableValue", {"name": name, "value": reveal(want.value)})
    if want.is_secret != have.is_secret:
        core.client.write("UpdateVariableIsSecret", {"name": name, "is_secret": want.is_secret})
    if declared.description != description:
        core.client.write("UpdateVariableDescription", {"name": name, "description": declared.description})
    core.catalogue.forget(declared.kind)


def _update_group(core: Core, id_: str, want: UserGroupConfig, have: UserGroupConfig) -> None:
    if want.users != have.users:
        core.client.write("SetUsersInUserGroup", {"user_group": id_, "users": want.users})
    if want.everyone != have.everyone:
        core.client.write("SetEveryoneUserGroup", {"user_group": id_, "everyone": want.everyone})
    for target in sorted(set(want.all) | set(have.all)):
        level = want.all.get(target, Permission())
        if level != have.all.get(target, Permission()):
            core.client.write(
                "UpdatePermissionOnResourceType",
                {
                    "user_target": {"type": "UserGroup", "id": id_},
                    "resource_type": target,
                    "permission": whole(level),
                },
            )
