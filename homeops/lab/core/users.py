"""Users: their documents, and the requests that make, delete and show them (api/write/user.rs, api/read/user.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.auth import digest
from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import is_object_id, object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.validation import check_password, check_username

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_MASK = "########"
_RECENT = 10
KOMODO_USERS = (
    "System",
    "Procedure",
    "Action",
    "Git Webhook",
    "Auto Redeploy",
    "Resource Sync",
    "Stack Wizard",
    "Build Manager",
    "Repo Manager",
)
"""Komodo's own users, which are in no database; the id of each is its place in this list."""


def new_user(core: "Core", username: str, config: Document, *, enabled: bool, admin: bool = False) -> Document:
    """Store a new user and return the stored document; an ``admin`` here is a super admin, as the first user is."""
    document = _document(core.state.new_id(), username, config, core.now(), enabled=enabled, admin=admin)
    core.state.users[document["_id"]["$oid"]] = document
    return document


def _document(
    identifier: str, username: str, config: Document, updated_at: int, *, enabled: bool, admin: bool
) -> Document:
    return {
        "_id": {"$oid": identifier},
        "username": username,
        "enabled": enabled,
        "super_admin": admin,
        "admin": admin,
        "create_server_permissions": admin,
        "create_build_permissions": admin,
        "config": config,
        "linked_logins": {},
        "totp": {"secret": "", "confirmed_at": 0, "recovery_codes": []},
        "passkey": {"passkey": None, "created_at": 0},
        "external_skip_2fa": False,
        "last_update_view": 0,
        "recents": {},
        "all": {},
        "updated_at": updated_at,
    }


def user_id(user: Document) -> str:
    """The id of a user document."""
    return str(user["_id"]["$oid"])


def shown_user(user: Document) -> Document:
    """A copy of a user as Core shows it in most answers: the hash of the password is masked."""
    shown = copied(user)
    if user["config"]["type"] == "Local" and user["config"]["data"]["password"]:
        shown["config"]["data"]["password"] = _MASK
    return shown


def find_user(core: "Core", name_or_id: str) -> Document | None:
    """A user by name, or by id where the text could be one."""
    if is_object_id(name_or_id):
        return core.state.users.get(name_or_id.lower())
    return named_user(core, name_or_id)


def named_user(core: "Core", username: str) -> Document | None:
    """A user by name."""
    return next((user for user in core.state.users.values() if user["username"] == username), None)


def require_user(core: "Core", name_or_id: str) -> Document:
    """A user by name or id, Komodo's own among them; raises Refusal."""
    for number, username in enumerate(KOMODO_USERS):
        if name_or_id in (username, f"{number:024}"):
            config = {"type": "Service", "data": {"description": ""}}
            own = _document(f"{number:024}", username, config, 0, enabled=True, admin=False)
            return own | {"admin": True, "create_server_permissions": True, "create_build_permissions": True}
    user = find_user(core, name_or_id)
    if user is None:
        raise Refusal(f"No user found matching '{name_or_id}'")
    return user


@answers("read", "ListUsers")
def list_users(core: "Core", caller: Document, params: Document) -> Any:
    """All users by name."""
    if not caller["admin"]:
        raise Refusal("this route is only accessable by admins")
    wanted = {"Include": (True, False), "Exclude": (False,), "Only": (True,)}[params["service_users"]]
    users = [user for user in core.state.users.values() if (user["config"]["type"] == "Service") in wanted]
    return [shown_user(user) for user in sorted(users, key=lambda user: user["username"])]


@answers("read", "FindUser")
def get_user(core: "Core", caller: Document, params: Document) -> Any:
    """A user with everything, the hash of the password too."""
    if not caller["admin"]:
        raise Refusal("This method is admin only.")
    return copied(require_user(core, params["user"]))


@answers("read", "GetUsername")
def get_username(core: "Core", _caller: Document, params: Document) -> Any:
    """The name behind an id."""
    identifier = params["user_id"]
    for number, username in enumerate(KOMODO_USERS):
        if identifier in (username, f"{number:024}"):
            return {"username": username, "avatar": None}
    user = core.state.users.get(
        object_id(identifier, error="failed at mongo query for user", trace=("id is not ObjectId",))
    )
    if user is None:
        raise Refusal("no user found with id")
    return {"username": user["username"], "avatar": None}


@answers("write", "CreateLocalUser")
def create_local_user(core: "Core", caller: Document, params: Document) -> Any:
    """A user with a password, enabled from the start."""
    if not caller["admin"]:
        raise Refusal("This method is Admin Only.", status=403)
    check_username(params["username"])
    check_password(params["password"], core.settings.min_password_length)
    if named_user(core, params["username"]) is not None:
        raise Refusal("Username already taken.")
    config = {"type": "Local", "data": {"password": digest(params["password"])}}
    return shown_user(new_user(core, params["username"], config, enabled=True))


@answers("write", "DeleteUser")
def delete_user(core: "Core", caller: Document, params: Document) -> Any:
    """Delete a user, who leaves the groups; keys and permissions stay behind. Answers the hash of the password."""
    if not caller["admin"]:
        raise Refusal("This method is admin-only.", status=403)
    if params["user"] in (caller["username"], user_id(caller)):
        raise Refusal("User cannot delete themselves.")
    user = find_user(core, params["user"])
    if user is None:
        raise Refusal("No user found with given id / username")
    if user["super_admin"]:
        raise Refusal("Cannot delete a super admin user.")
    if user["admin"] and not caller["super_admin"]:
        raise Refusal("Only a Super Admin can delete an admin user.")
    gone = user_id(user)
    del core.state.users[gone]
    for group in core.state.user_groups.values():
        group["users"] = [member for member in group["users"] if member != gone]
    return user


@answers("write", "PushRecentlyViewed")
def push_recently_viewed(_core: "Core", caller: Document, params: Document) -> Any:
    """Note what the caller looked at last; nothing is checked."""
    kind, identifier = params["resource"]["type"], params["resource"]["id"]
    before = [other for other in caller["recents"].get(kind, []) if other != identifier]
    caller["recents"][kind] = [identifier, *before[: _RECENT - 1]]
    return {}


@answers("write", "SetLastSeenUpdate")
def set_last_seen_update(core: "Core", caller: Document, _params: Document) -> Any:
    """Note that the caller has seen all Updates."""
    caller["last_update_view"] = core.now()
    return {}
