"""API keys, and service users, who have nothing else (api/write/service_user.rs, auth/api_key.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.auth import digest, new_key_pair
from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.users import named_user, new_user, require_user, user_id
from homeops.lab.core.validation import check_api_key_name, check_username

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def create_key(core: "Core", owner: str, name: str, expires: int) -> Document:
    """A new key pair for a user; ``expires`` is a time in ms, 0 for never. Names need not be unique."""
    check_api_key_name(name)
    key, secret = new_key_pair()
    core.state.api_keys[key] = {
        "key": key,
        "secret": digest(secret),
        "user_id": owner,
        "name": name,
        "created_at": core.now(),
        "expires": expires,
    }
    return {"key": key, "secret": secret}


def _keys_of(core: "Core", owner: str) -> list[Document]:
    return [key | {"secret": ""} for key in core.state.api_keys.values() if key["user_id"] == owner]


@answers("read", "ListApiKeys")
def list_api_keys(core: "Core", caller: Document, _params: Document) -> Any:
    """The caller's keys by name."""
    return sorted(_keys_of(core, user_id(caller)), key=lambda key: key["name"])


@answers("read", "ListApiKeysForServiceUser")
def list_api_keys_for_service_user(core: "Core", caller: Document, params: Document) -> Any:
    """A service user's keys, oldest first."""
    if not caller["admin"]:
        raise Refusal("This method is admin only.")
    user = require_user(core, params["user"])
    if user["config"]["type"] != "Service":
        raise Refusal("Given user is not service user")
    return _keys_of(core, user_id(user))


def _admin_only(caller: Document) -> None:
    if not caller["admin"]:
        raise Refusal("Only Admins can manage Service Users", status=403)


def _service_user(user: Document | None, missing: str) -> Document:
    if user is None:
        raise Refusal(missing)
    if user["config"]["type"] != "Service":
        raise Refusal("Target user is not Service User", status=403)
    return user


@answers("write", "CreateServiceUser")
def create_service_user(core: "Core", caller: Document, params: Document) -> Any:
    """A user without a login."""
    _admin_only(caller)
    check_username(params["username"])
    if named_user(core, params["username"]) is not None:
        trace = [f"Kind: E11000 duplicate key error: username {params['username']}"]
        raise Refusal("failed to create service user on db", trace)
    config = {"type": "Service", "data": {"description": params["description"]}}
    return copied(new_user(core, params["username"], config, enabled=True))


@answers("write", "UpdateServiceUserDescription")
def update_service_user_description(core: "Core", caller: Document, params: Document) -> Any:
    """Say anew what a service user is for."""
    _admin_only(caller)
    user = _service_user(named_user(core, params["username"]), "No user with given username")
    user["config"]["data"]["description"] = params["description"]
    return copied(user)


@answers("write", "CreateApiKeyForServiceUser")
def create_api_key_for_service_user(core: "Core", caller: Document, params: Document) -> Any:
    """A key pair for a service user, by id."""
    _admin_only(caller)
    identifier = object_id(params["user_id"], error="Failed to query db for user", trace=("id is not ObjectId",))
    user = _service_user(core.state.users.get(identifier), "No user found with id")
    return create_key(core, user_id(user), params["name"], params["expires"])


@answers("write", "DeleteApiKeyForServiceUser")
def delete_api_key_for_service_user(core: "Core", caller: Document, params: Document) -> Any:
    """Take a key from a service user."""
    _admin_only(caller)
    key = core.state.api_keys.get(params["key"])
    if key is None:
        raise Refusal("did not find matching api key")
    _service_user(core.state.users.get(key["user_id"]), "no user found with id")
    del core.state.api_keys[params["key"]]
    return {}
