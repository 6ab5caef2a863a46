"""What a user may do with a resource (bin/core/src/permission.rs), and the requests that give and show it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.komodo_types import LEVELS, SPECIFIC
from homeops.lab.core.references import find, lookup, object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.users import find_user, require_user, user_id

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass(slots=True)
class Grant:
    """A level and the specific permissions beside it, which only grow."""

    level: str = "None"
    specific: list[str] = field(default_factory=list[str])

    def add(self, permission: Any) -> None:
        """Add a permission as it is stored: a level alone, or ``{"level", "specific"}``."""
        level, specific = (permission, []) if isinstance(permission, str) else _split(permission)
        self.level = max(self.level, level, key=LEVELS.index)
        self.specific += [name for name in specific if name not in self.specific]

    def covers(self, level: str, specific: Iterable[str]) -> bool:
        """Whether this is enough."""
        return LEVELS.index(self.level) >= LEVELS.index(level) and set(specific) <= set(self.specific)

    def shown(self) -> Any:
        """As Core answers and stores it."""
        return compact({"level": self.level, "specific": self.specific})


def _split(permission: Document) -> tuple[str, list[str]]:
    return permission["level"], permission["specific"]


def compact(permission: Document) -> Any:
    """A permission without specific ones is its level alone."""
    return (
        {"level": permission["level"], "specific": list(permission["specific"])}
        if permission["specific"]
        else (permission["level"])
    )


def grant_on(core: "Core", caller: Document, kind: str, id_or_name: str) -> Grant:
    """All that the caller may do with a resource. Permissions on it count only when it is named by its id."""
    if caller["admin"]:
        return Grant("Write", list(SPECIFIC))
    document = find(core.state, kind, id_or_name)
    grant = Grant("Read" if core.settings.transparent_mode else "None")
    host = _host(kind, document)
    if host is not None:
        grant.specific = list(grant_on(core, caller, *host).specific)
    grant.add(document["base_permission"])
    for permission in _given(core, caller, kind, id_or_name):
        grant.add(permission)
    return grant


def _host(kind: str, document: Document) -> tuple[str, str] | None:
    """Whose specific permissions a Stack or Deployment takes over: those of its Swarm or Server."""
    if kind in ("Stack", "Deployment"):
        config = document["config"]
        if config["swarm_id"]:
            return "Swarm", config["swarm_id"]
        if config["server_id"]:
            return "Server", config["server_id"]
    return None


def groups_of(core: "Core", caller: Document) -> list[Document]:
    """The user groups that somebody belongs to."""
    me = user_id(caller)
    return [group for group in core.state.user_groups.values() if group["everyone"] or me in group["users"]]


def _given(core: "Core", caller: Document, kind: str, resource_id: str) -> Iterable[Any]:
    """What was given to the caller and the caller's groups, on the kind and on the resource."""
    groups = groups_of(core, caller)
    yield from (holder["all"][kind] for holder in (caller, *groups) if kind in holder["all"])
    holders = [{"type": "User", "id": user_id(caller)}]
    holders += [{"type": "UserGroup", "id": group["_id"]["$oid"]} for group in groups]
    target = {"type": kind, "id": resource_id}
    for permission in core.state.permissions:
        if permission["resource_target"] == target and permission["user_target"] in holders:
            yield permission


def demand(
    core: "Core", caller: Document, kind: str, document: Document, level: str, specific: Sequence[str] = ()
) -> None:
    """Refuse unless the caller may use a resource at this level, with these specific permissions."""
    if grant_on(core, caller, kind, document["_id"]["$oid"]).covers(level, specific):
        return
    text = f"User does not have required permissions on this {kind}. Must have at least {level} permissions"
    if specific:
        text += f", as well as these specific permissions: [{', '.join(specific)}]"
    raise Refusal(text)


def require(
    core: "Core", caller: Document, kind: str, id_or_name: str, level: str, specific: Sequence[str] = ()
) -> Document:
    """The stored document of a resource that the caller may use at this level; raises Refusal."""
    document = find(core.state, kind, id_or_name)
    demand(core, caller, kind, document, level, specific)
    return document


def readable_ids(core: "Core", caller: Document, kind: str) -> set[str]:
    """The ids of all resources of a kind that the caller may read."""
    ids = core.state.resources[kind]
    return {resource for resource in ids if grant_on(core, caller, kind, resource).covers("Read", ())}


@answers("read", "GetPermission")
def get_permission(core: "Core", caller: Document, params: Document) -> Any:
    """What the caller may do with a target; nothing on the system itself, except for admins."""
    target = params["target"]
    if target["type"] == "System" and not caller["admin"]:
        return "None"
    if caller["admin"]:
        return Grant("Write", list(SPECIFIC)).shown()
    return grant_on(core, caller, target["type"], target["id"]).shown()


@answers("read", "ListPermissions")
def list_permissions(core: "Core", caller: Document, _params: Document) -> Any:
    """What was given to the caller by name; not what the caller has from groups."""
    return _of_holder(core, {"type": "User", "id": user_id(caller)})


@answers("read", "ListUserTargetPermissions")
def list_user_target_permissions(core: "Core", caller: Document, params: Document) -> Any:
    """What was given to a user or group, by its id."""
    _admin_only(caller)
    return _of_holder(core, params["user_target"])


def _of_holder(core: "Core", holder: Document) -> list[Document]:
    return copied([permission for permission in core.state.permissions if permission["user_target"] == holder])


def _admin_only(caller: Document) -> None:
    if not caller["admin"]:
        raise Refusal("this method is admin only")


@answers("write", "UpdatePermissionOnTarget")
def update_permission_on_target(core: "Core", caller: Document, params: Document) -> Any:
    """Give a permission on one resource; the document stays when it becomes None."""
    _admin_only(caller)
    holder = params["user_target"]
    if holder["type"] == "User":
        user = require_user(core, holder["id"])
        if not user["enabled"]:
            raise Refusal("user not enabled")
        if user["admin"]:
            raise Refusal("cannot use this method to update other admins permissions")
    place = {"user_target": _holder(core, holder), "resource_target": _target(core, params["resource_target"])}
    level, specific = _split(params["permission"])
    for permission in core.state.permissions:
        if (
            permission["user_target"] == place["user_target"]
            and permission["resource_target"] == place["resource_target"]
        ):
            permission |= {"level": level, "specific": list(specific)}
            return {}
    core.state.permissions.append(
        {"_id": {"$oid": core.state.new_id()}, **place, "level": level, "specific": list(specific)}
    )
    return {}


@answers("write", "UpdatePermissionOnResourceType")
def update_permission_on_resource_type(core: "Core", caller: Document, params: Document) -> Any:
    """Give a permission on all resources of a kind."""
    _admin_only(caller)
    holder = params["user_target"]
    if holder["type"] == "User":
        user = require_user(core, holder["id"])
        if user["admin"]:
            raise Refusal("cannot use this method to update other admins permissions")
        if not user["enabled"]:
            raise Refusal("user not enabled")
    holder = _holder(core, holder)
    holders = core.state.users if holder["type"] == "User" else core.state.user_groups
    holders[holder["id"]]["all"][params["resource_type"]] = compact(params["permission"])
    return {}


def _holder(core: "Core", holder: Document) -> Document:
    """A user or group by its id."""
    if holder["type"] == "User":
        found, word = find_user(core, holder["id"]), "user"
    else:
        found, word = lookup(core.state.user_groups, holder["id"]), "user_group"
    if found is None:
        raise Refusal(f"No matching {word} found")
    return {"type": holder["type"], "id": found["_id"]["$oid"]}


def _target(core: "Core", target: Document) -> Document:
    """A resource by its id; the system is taken as it is sent."""
    if target["type"] == "System":
        return dict(target)
    found = lookup(core.state.resources[target["type"]], target["id"])
    if found is None:
        word = "resource sync" if target["type"] == "ResourceSync" else target["type"].lower()
        raise Refusal(f"No matching {word} found")
    return {"type": target["type"], "id": found["_id"]["$oid"]}


@answers("write", "UpdateUserAdmin")
def update_user_admin(core: "Core", caller: Document, params: Document) -> Any:
    """Make a user an admin, or take that away."""
    if not caller["super_admin"]:
        raise Refusal("Only super admins can call this method.")
    user = _user_by_id(core, params["user_id"])
    if not user["enabled"]:
        raise Refusal("User is disabled. Enable user first.")
    if user["super_admin"]:
        raise Refusal("Cannot update other super admins")
    user["admin"] = params["admin"]
    return {}


@answers("write", "UpdateUserBasePermissions")
def update_user_base_permissions(core: "Core", caller: Document, params: Document) -> Any:
    """Enable or disable a user, and say whether it may create Servers and Builds."""
    _admin_only(caller)
    user = _user_by_id(core, params["user_id"])
    if user["super_admin"]:
        raise Refusal("Cannot use this method to update super admins permissions")
    if user["admin"] and not caller["super_admin"]:
        raise Refusal("Only super admins can use this method to update other admins permissions")
    names = (
        ("enabled", "enabled"),
        ("create_servers", "create_server_permissions"),
        ("create_builds", "create_build_permissions"),
    )
    user |= {stored: params[sent] for sent, stored in names if params[sent] is not None}
    return {}


def _user_by_id(core: "Core", identifier: str) -> Document:
    found = core.state.users.get(
        object_id(identifier, error="failed to query mongo for user", trace=("id is not ObjectId",))
    )
    if found is None:
        raise Refusal("did not find user with given id")
    return found
