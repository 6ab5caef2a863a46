"""User groups: members, and what all of them may do (api/write/user_group.rs, api/read/user_group.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import is_object_id, lookup, object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.users import find_user, named_user, user_id

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def _admin_only(caller: Document) -> None:
    if not caller["admin"]:
        raise Refusal("This call is admin only", status=403)


def _group(core: "Core", name_or_id: str) -> Document:
    group = lookup(core.state.user_groups, name_or_id)
    if group is None:
        raise Refusal("no user group with given id")
    return group


@answers("read", "GetUserGroup")
def get_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """A group; only its members see it, and admins."""
    group = lookup(core.state.user_groups, params["user_group"])
    if group is None or not _visible(caller, group):
        raise Refusal("no UserGroup found with given name or id")
    return copied(group)


def _visible(caller: Document, group: Document) -> bool:
    return bool(caller["admin"]) or user_id(caller) in group["users"]


@answers("read", "ListUserGroups")
def list_user_groups(core: "Core", caller: Document, _params: Document) -> Any:
    """The groups that the caller sees, by name."""
    groups = [group for group in core.state.user_groups.values() if _visible(caller, group)]
    return copied(sorted(groups, key=lambda group: group["name"]))


@answers("write", "CreateUserGroup")
def create_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """A group without members; any name will do, also none."""
    _admin_only(caller)
    if _taken(core, params["name"]):
        raise Refusal("failed to create UserGroup on db", [f"Kind: E11000 duplicate key error: name {params['name']}"])
    group: Document = {
        "_id": {"$oid": core.state.new_id()},
        "name": params["name"],
        "everyone": False,
        "users": [],
        "all": {},
        "updated_at": core.now(),
    }
    core.state.user_groups[group["_id"]["$oid"]] = group
    return copied(group)


def _taken(core: "Core", name: str, but: str = "") -> bool:
    return any(group["name"] == name and key != but for key, group in core.state.user_groups.items())


@answers("write", "RenameUserGroup")
def rename_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """A new name, for the group of this id."""
    _admin_only(caller)
    failed = "failed to rename UserGroup on db"
    identifier = object_id(params["id"], error=failed, trace=("id is not valid ObjectId",))
    group = core.state.user_groups.get(identifier)
    if group is None:
        raise Refusal("no user group with given id")
    if _taken(core, params["name"], identifier):
        trace = ["failed at mongo update_one", f"Kind: E11000 duplicate key error: name {params['name']}"]
        raise Refusal(failed, trace)
    group["name"] = params["name"]
    return copied(group)


@answers("write", "DeleteUserGroup")
def delete_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """Delete the group of this id and what it was given."""
    _admin_only(caller)
    identifier = object_id(params["id"], error="failed to query db for UserGroups", trace=("id is not ObjectId",))
    group = core.state.user_groups.pop(identifier, None)
    if group is None:
        raise Refusal("no UserGroup found with given id")
    # Core compares with the id as it was sent.
    gone = {"type": "UserGroup", "id": params["id"]}
    core.state.permissions[:] = [given for given in core.state.permissions if given["user_target"] != gone]
    return group


def _change_member(core: "Core", caller: Document, params: Document, *, add: bool) -> Document:
    _admin_only(caller)
    user = find_user(core, params["user"])
    if user is None:
        raise Refusal("no matching user found")
    group, member = _group(core, params["user_group"]), user_id(user)
    if not add:
        group["users"] = [other for other in group["users"] if other != member]
    elif member not in group["users"]:
        group["users"].append(member)
    return copied(group)


@answers("write", "AddUserToUserGroup")
def add_user_to_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """Add a member."""
    return _change_member(core, caller, params, add=True)


@answers("write", "RemoveUserFromUserGroup")
def remove_user_from_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """Take a member out; whoever is none may be taken out too."""
    return _change_member(core, caller, params, add=False)


@answers("write", "SetUsersInUserGroup")
def set_users_in_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """Exactly these members: names that nobody has are dropped, ids are kept as they are, repetitions too."""
    _admin_only(caller)
    members = [name if is_object_id(name) else _id_of(core, name) for name in params["users"]]
    group = _group(core, params["user_group"])
    group["users"] = [member for member in members if member is not None]
    return copied(group)


def _id_of(core: "Core", username: str) -> str | None:
    user = named_user(core, username)
    return None if user is None else user_id(user)


@answers("write", "SetEveryoneUserGroup")
def set_everyone_user_group(core: "Core", caller: Document, params: Document) -> Any:
    """Whether everybody belongs to the group."""
    _admin_only(caller)
    group = _group(core, params["user_group"])
    group["everyone"] = params["everyone"]
    return copied(group)
