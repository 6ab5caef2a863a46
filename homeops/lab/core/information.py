"""Reads that describe Core itself and its configuration (api/read/mod.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("read", "GetVersion")
def get_version(core: "Core", _caller: Document, _params: Document) -> Any:
    """Core's version."""
    return {"version": core.settings.version}


@answers("read", "GetCoreInfo")
def get_core_info(core: "Core", _caller: Document, _params: Document) -> Any:
    """What the user interface needs to know."""
    settings = core.settings
    return {
        "title": settings.title,
        "monitoring_interval": settings.monitoring_interval,
        "webhook_base_url": settings.webhook_base_url or settings.host,
        "transparent_mode": settings.transparent_mode,
        "ui_write_disabled": settings.ui_write_disabled,
        "disable_non_admin_create": settings.disable_non_admin_create,
        "disable_confirm_dialog": settings.disable_confirm_dialog,
        "disable_websocket_reconnect": settings.disable_websocket_reconnect,
        "enable_fancy_toml": settings.enable_fancy_toml,
        "timezone": settings.timezone,
        "public_key": core.public_key,
        "default_pagination_limit": settings.default_pagination_limit,
    }


def _targeted_builder(core: "Core", target: Document | None, *, status: int) -> Document:
    """The configuration of the AWS builder that a read is about; empty for another target.

    A Server's own agent would be asked as well; the agents here have no providers, registries or secrets of their own.
    """
    if target is None:
        return {}
    if target["type"] not in ("Server", "Builder"):
        raise Refusal("target must be `Server` or `Builder`", status=status)
    config = find(core.state, target["type"], target["id"])["config"]
    return config["params"] if target["type"] == "Builder" and config["type"] == "Aws" else {}


@answers("read", "ListSecrets")
def list_secrets(core: "Core", _caller: Document, params: Document) -> Any:
    """The names of the secrets in Core's configuration and in that of a target."""
    more = _targeted_builder(core, params["target"], status=400).get("secrets", [])
    return sorted({*core.settings.secrets, *more})


@answers("read", "ListGitProvidersFromConfig")
def list_git_providers(core: "Core", caller: Document, params: Document) -> Any:
    """The git providers of the configuration, and those that Builds, Repos and syncs name."""
    builder = _targeted_builder(core, params["target"], status=400)
    providers: list[Document] = copied(builder.get("git_providers", []))
    known = {provider["domain"] for provider in providers}
    for kind in ("Build", "Repo", "ResourceSync"):
        documents = sorted(core.state.resources[kind].values(), key=lambda document: document["name"])
        for document in visible(core, caller, kind, documents):
            config = document["config"]
            if config["git_provider"] not in known:
                known.add(config["git_provider"])
                providers.append({"domain": config["git_provider"], "https": config["git_https"], "accounts": []})
    return sorted(providers, key=lambda provider: (provider["domain"], provider["https"]))


@answers("read", "ListImageRegistriesFromConfig")
def list_image_registries(core: "Core", _caller: Document, params: Document) -> Any:
    """The image registries of the configuration."""
    builder = _targeted_builder(core, params["target"], status=500)
    return sorted(copied(builder.get("image_registries", [])), key=lambda registry: registry["domain"])
