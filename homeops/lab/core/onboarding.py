"""Onboarding keys, with which new Periphery agents introduce themselves (api/write/onboarding.rs)."""

import base64
import hashlib
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from homeops.lab.core.auth import random_text
from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

# The head of an X25519 public key in DER: what Komodo's keys begin with.
_X25519 = bytes.fromhex("302a300506032b656e032100")


def public_key_of(private_key: str) -> str:
    """A public key that belongs to a private one; like Komodo's in form, but made of a digest."""
    return base64.b64encode(_X25519 + hashlib.sha256(private_key.encode("utf-8", "surrogatepass")).digest()).decode()


def _admin_only(caller: Document) -> None:
    if not caller["admin"]:
        raise Refusal("This call is admin only", status=403)


def _tag_names(core: "Core", tags: list[str]) -> list[str]:
    """Tags by name or id as names; those that do not exist are dropped."""
    names = {tag["name"]: tag["name"] for tag in core.state.tags.values()}
    ids = {identifier: tag["name"] for identifier, tag in core.state.tags.items()}
    return [known for tag in tags if (known := ids.get(tag) or names.get(tag)) is not None]


@answers("read", "ListOnboardingKeys")
def list_onboarding_keys(core: "Core", caller: Document, _params: Document) -> Any:
    """All keys: first those that never expire, then the ones that last longest."""
    _admin_only(caller)

    def longer(left: Document, right: Document) -> int:
        if left["expires"] == right["expires"]:
            return 0
        if 0 in (left["expires"], right["expires"]):
            return -1 if left["expires"] == 0 else 1
        return right["expires"] - left["expires"]

    return copied(sorted(core.state.onboarding_keys.values(), key=cmp_to_key(longer)))


@answers("write", "CreateOnboardingKey")
def create_onboarding_key(core: "Core", caller: Document, params: Document) -> Any:
    """A new key, for a private key that is given or made; neither name nor ``copy_server`` is checked."""
    _admin_only(caller)
    private_key = params["private_key"] if params["private_key"] is not None else f"O_{random_text(28)}_O"
    public_key = public_key_of(private_key)
    if public_key in core.state.onboarding_keys:
        trace = [f"Kind: E11000 duplicate key error: public_key {public_key}"]
        raise Refusal("Failed to create Server onboarding key on database", trace)
    key: Document = {
        "public_key": public_key,
        "enabled": True,
        "expires": params["expires"],
        "name": params["name"],
        "onboarded": [],
        "created_at": core.now(),
        "tags": _tag_names(core, params["tags"]),
        "privileged": params["privileged"],
        "copy_server": params["copy_server"],
        "create_builder": params["create_builder"],
    }
    core.state.onboarding_keys[public_key] = key
    return {"private_key": private_key, "created": copied(key)}


@answers("write", "UpdateOnboardingKey")
def update_onboarding_key(core: "Core", caller: Document, params: Document) -> Any:
    """Change what is sent; null changes nothing."""
    _admin_only(caller)
    key = core.state.onboarding_keys.get(params["public_key"])
    if key is None:
        raise Refusal("No matching onboarding key found", status=404)
    sent = {name: value for name, value in params.items() if name != "public_key" and value is not None}
    if "tags" in sent:
        sent["tags"] = _tag_names(core, sent["tags"])
    key |= sent
    return copied(key)


@answers("write", "DeleteOnboardingKey")
def delete_onboarding_key(core: "Core", caller: Document, params: Document) -> Any:
    """Take a key away."""
    _admin_only(caller)
    key = core.state.onboarding_keys.pop(params["public_key"], None)
    if key is None:
        raise Refusal("Server onboarding key matching provided public key not found", status=404)
    return key
