"""Users: their documents, and the requests that make, change and show them."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

MASK = "########"


def new_user(core: "Core", username: str, config: Document, *, enabled: bool, admin: bool = False) -> Document:
    """Store a new user; an ``admin`` here is a super admin, as the first user is."""
    document: Document = {
        "_id": {"$oid": core.state.new_id()},
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
        "updated_at": core.now(),
    }
    core.state.users[document["_id"]["$oid"]] = document
    return document


def user_id(user: Document) -> str:
    """The id of a user document."""
    return str(user["_id"]["$oid"])


def shown_user(user: Document) -> Document:
    """A user as Core shows it: passwords masked."""
    shown = dict(user)
    if user["config"]["type"] == "Local":
        shown["config"] = {"type": "Local", "data": {"password": MASK}}
    return shown


def find_user(core: "Core", name_or_id: str) -> Document | None:
    """A user by id or by name."""
    by_id = core.state.users.get(name_or_id.lower())
    return by_id or next((user for user in core.state.users.values() if user["username"] == name_or_id), None)


@answers("read", "ListUsers")
def list_users(core: "Core", _caller: Document, _params: Document) -> Any:
    """All users by name."""
    return [shown_user(user) for user in sorted(core.state.users.values(), key=lambda user: user["username"])]


@answers("write", "CreateServiceUser")
def create_service_user(core: "Core", _caller: Document, params: Document) -> Any:
    """A user without a login, for a key pair of its own."""
    return new_user(
        core, params["username"], {"type": "Service", "data": {"description": params["description"]}}, enabled=True
    )
