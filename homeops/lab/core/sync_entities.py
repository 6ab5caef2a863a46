"""Variables and user groups of a sync (sync/variables.rs, sync/user_groups.rs)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeops.lab.core.executions import service_user
from homeops.lab.core.executions_batches import matching
from homeops.lab.core.executions_logs import bold, colored, log, muted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document, State
from homeops.lab.core.toml_export import (
    is_granted,
    level_and_specific,
    permission_order,
    user_group_declaration,
    user_group_toml,
    variable_toml,
)

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


class Journal:
    """What a step of a sync did: lines of one log entry, failed when one of them is."""

    def __init__(self, subject: str) -> None:
        self._stage = f"Update {subject}"
        self._text = f"running updates on {subject}"
        self._failed = False

    def did(self, text: str, color: str, verb: str) -> None:
        """Note something done, e.g. ``did("variable 'X'", "green", "created")``."""
        self._text += f"\n{muted('INFO')}: {colored(verb, color)} {text}"

    def note(self, text: str) -> None:
        """Note something in other words."""
        self._text += f"\n{muted('INFO')}: {text}"

    def failed(self, what: str, reason: Refusal) -> None:
        """Note a failure."""
        self._failed = True
        error = ": ".join([reason.error, *reason.trace])
        self._text += f"\n{colored('ERROR', 'red')}: {what} | {error}"

    def call(self, core: "Core", request: str, params: Document, what: str) -> bool:
        """Send one write request as the sync; ``what`` is what failed when it does."""
        try:
            core.call("write", request, service_user(5), params)
        except Refusal as reason:
            self.failed(what, reason)
            return False
        return True

    def entry(self) -> Document:
        """The log entry."""
        if self._failed:
            return log(self._stage, stderr=self._text, success=False)
        return log(self._stage, stdout=self._text)


def variable_views(state: State, declared: Sequence[Document], *, delete: bool) -> list[Document]:
    """Variables that are not as declared, as ``variable_updates`` shows them; one that only became secret is not."""
    names = {variable["name"] for variable in declared}
    found: list[Document] = []
    if delete:
        gone = (variable for name, variable in state.variables.items() if name not in names)
        found += [{"type": "Delete", "data": {"current": variable_toml(variable)}} for variable in gone]
    for variable in declared:
        stored = state.variables.get(variable["name"])
        proposed = variable_toml(variable)
        if stored is None:
            found.append({"type": "Create", "data": {"name": variable["name"], "proposed": proposed}})
        elif variable["value"] != stored["value"] or variable["description"] != stored.get("description", ""):
            current = variable_toml(stored)
            found.append({"type": "Update", "data": {"proposed": proposed, "current": current}})
    return found


def apply_variables(core: "Core", declared: Sequence[Document], *, delete: bool) -> Document | None:
    """Make the variables as declared; the log entry, None when there was nothing to do."""
    state = core.state
    names = {variable["name"] for variable in declared}
    create = [variable for variable in declared if variable["name"] not in state.variables]
    update = [
        (variable, changed)
        for variable in declared
        if variable["name"] in state.variables
        and (changed := _variable_fields(variable, state.variables[variable["name"]]))
    ]
    gone = [name for name in state.variables if name not in names] if delete else []
    if not create and not update and not gone:
        return None
    journal = Journal("Variables")
    for variable in create:
        name = bold(variable["name"])
        if journal.call(core, "CreateVariable", dict(variable), f"failed to create variable '{name}'"):
            journal.did(f"variable '{name}'", "green", "created")
    for variable, changed in update:
        for field, request, words in _VARIABLE_SETTERS:
            name = bold(variable["name"])
            if field not in changed:
                continue
            params = {"name": variable["name"], field: variable[field]}
            if journal.call(core, request, params, f"failed to update variable {words} for '{name}'"):
                journal.did(f"variable '{name}' {words}", "blue", "updated")
    for name in gone:
        if journal.call(core, "DeleteVariable", {"name": name}, f"failed to delete variable '{bold(name)}'"):
            journal.did(f"variable '{bold(name)}'", "red", "deleted")
    return journal.entry()


_VARIABLE_SETTERS = (
    ("value", "UpdateVariableValue", "value"),
    ("description", "UpdateVariableDescription", "description"),
    ("is_secret", "UpdateVariableIsSecret", "is secret"),
)


def _variable_fields(declared: Document, stored: Document) -> set[str]:
    return {field for field, _, _ in _VARIABLE_SETTERS if declared[field] != stored.get(field, "")}


def group_views(state: State, declared: Sequence[Document], *, delete: bool) -> list[Document]:
    """User groups that are not as declared, as ``user_group_updates`` shows them."""
    stored = {group["name"]: user_group_declaration(state, group) for group in state.user_groups.values()}
    names = {group["name"] for group in declared}
    found: list[Document] = []
    if delete:
        gone = (group for name, group in stored.items() if name not in names)
        found += [{"type": "Delete", "data": {"current": user_group_toml(group)}} for group in gone]
    for group in declared:
        wanted, current = expanded(state, group), stored.get(group["name"])
        if current is None:
            found.append({"type": "Create", "data": {"name": group["name"], "proposed": user_group_toml(wanted)}})
        elif differs(wanted, current):
            proposed = user_group_toml(sorted_group(wanted))
            found.append({"type": "Update", "data": {"proposed": proposed, "current": user_group_toml(current)}})
    return found


def expanded(state: State, group: Document) -> Document:
    r"""A declared group with its patterns (``\^web-.*\`` or ``web-*`` as id) replaced by the names that they mean."""
    permissions: list[Document] = []
    for permission in group["permissions"]:
        if permission["level"] == "None":
            continue
        target = permission["target"]
        names = [document["name"] for document in state.resources.get(target["type"], {}).values()]
        meant = sorted(matching(names, target["id"]))
        permissions += [permission | {"target": {"type": target["type"], "id": name}} for name in meant]
    return group | {"users": [] if group["everyone"] else group["users"], "permissions": permissions}


def sorted_group(group: Document) -> Document:
    """With users and permissions in Komodo's order."""
    return group | {
        "users": sorted(group["users"]),
        "permissions": sorted(group["permissions"], key=permission_order),
    }


def differs(wanted: Document, current: Document) -> bool:
    """Whether a group must be changed; what is granted on whole kinds counts by level and specifics."""
    one, other = sorted_group(wanted), sorted_group(current)
    return (
        one["everyone"] != other["everyone"]
        or one["users"] != other["users"]
        or _granted(one["all"]) != _granted(other["all"])
        or [_permission_key(p) for p in one["permissions"]] != [_permission_key(p) for p in other["permissions"]]
    )


def _granted(on_kinds: Document) -> dict[str, tuple[str, list[str]]]:
    return {kind: level_and_specific(value) for kind, value in on_kinds.items() if is_granted(value)}


def _permission_key(permission: Document) -> tuple[str, str, str, tuple[str, ...]]:
    target = permission["target"]
    return target["type"], target["id"], permission["level"], tuple(permission["specific"])


def apply_groups(core: "Core", declared: Sequence[Document], *, delete: bool) -> Document | None:
    """Make the user groups as declared; the log entry, None when there was nothing to do."""
    state = core.state
    stored = {group["name"]: group for group in state.user_groups.values()}
    names = {group["name"] for group in declared}
    gone = [group for name, group in stored.items() if name not in names] if delete else []
    wanted = [expanded(state, group) for group in declared]
    create = [group for group in wanted if group["name"] not in stored]
    nothing: Document = {"everyone": False, "users": [], "all": {}, "permissions": []}
    update = [
        (group, current)
        for group in wanted
        if group["name"] in stored and differs(group, current := user_group_declaration(state, stored[group["name"]]))
    ]
    if not create and not update and not gone:
        return None
    journal = Journal("UserGroups")
    for group in create:
        name = bold(group["name"])
        if not journal.call(core, "CreateUserGroup", {"name": group["name"]}, f"failed to create user group '{name}'"):
            continue
        journal.did(f"user group '{name}'", "green", "created")
        _set_group(core, journal, group, nothing, fresh=True)
    for group, current in update:
        _set_group(core, journal, group, current)
    for group in gone:
        name = bold(group["name"])
        if journal.call(core, "DeleteUserGroup", {"id": group["_id"]["$oid"]}, f"failed to delete user group '{name}'"):
            journal.did(f"user group '{name}'", "red", "deleted")
    return journal.entry()


def _set_group(core: "Core", journal: Journal, wanted: Document, current: Document, *, fresh: bool = False) -> None:
    """Set what differs; of a ``fresh`` group users and everyone are set in any case."""
    name, shown = wanted["name"], bold(wanted["name"])
    user_target = {"type": "UserGroup", "id": name}
    if fresh or sorted(wanted["users"]) != current["users"]:
        params = {"user_group": name, "users": wanted["users"]}
        if journal.call(core, "SetUsersInUserGroup", params, f"failed to set users in group {shown}"):
            journal.did(f"user group '{shown}' users", "blue", "updated")
    if fresh or wanted["everyone"] != current["everyone"]:
        params = {"user_group": name, "everyone": wanted["everyone"]}
        if journal.call(core, "SetEveryoneUserGroup", params, f"failed to set everyone for group {shown}"):
            journal.did(f"user group '{shown}' everyone", "blue", "updated")
    granted, before = _granted(wanted["all"]), _granted(current["all"])
    for kind in [*granted, *(kind for kind in before if kind not in granted)]:
        level, specific = granted.get(kind, ("None", []))
        if (level, specific) == before.get(kind):
            continue
        params = {
            "user_target": user_target,
            "resource_type": kind,
            "permission": {"level": level, "specific": specific},
        }
        what = f"failed to set base permissions on {kind} in group {shown}"
        if journal.call(core, "UpdatePermissionOnResourceType", params, what):
            journal.did(f"user group '{shown}' base permissions on {kind}", "blue", "updated")
    known = {_permission_key(permission) for permission in current["permissions"]}
    targets = [permission["target"] for permission in wanted["permissions"]]
    removed = [
        permission | {"level": "None", "specific": []}
        for permission in current["permissions"]
        if permission["target"] not in targets
    ]
    for permission in [*wanted["permissions"], *removed]:
        if _permission_key(permission) in known:
            continue
        _set_permission(core, journal, shown, user_target, permission)


def _set_permission(core: "Core", journal: Journal, shown: str, user_target: Document, permission: Document) -> None:
    target, level, specific = permission["target"], permission["level"], permission["specific"]
    params = {
        "user_target": user_target,
        "resource_target": target,
        "permission": {"level": level, "specific": specific},
    }
    told = f'{target["type"]}("{target["id"]}")'
    if journal.call(
        core, "UpdatePermissionOnTarget", params, f"failed to set permission in group {shown} | target: {told}"
    ):
        details = f"{muted('target')}: {told} | {muted('level')}: {level} | {muted('specific')}: {', '.join(specific)}"
        journal.did(f"user group '{shown}' permissions | {details}", "blue", "updated")
