"""Create, copy, update, rename and delete resources of every kind (resource/mod.rs)."""

import json
import math
from typing import TYPE_CHECKING, Any

from homeops.lab.core.config_rules import checked
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions_logs import log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import is_object_id, permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.renames import follower
from homeops.lab.core.resource_effects import after_delete, after_write, before_delete
from homeops.lab.core.resource_kinds import RESOURCES, ResourceKind, default_config
from homeops.lab.core.resource_states import flags_of
from homeops.lab.core.state import Document, State
from homeops.lab.core.toml_export import resource_toml
from homeops.lab.core.update_documents import finish, new_update
from homeops.model.names import stored_name

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def target_of(kind: str, document: Document) -> Document:
    """How an Update or a permission points at a resource."""
    return {"type": kind, "id": document["_id"]["$oid"]}


def create(core: "Core", caller: Document, kind: str, name: str, sent: Document, info: Any = None) -> Document:
    """Create a resource and its Update; returns the document as it is before its files are read.

    ``sent`` are the fields that somebody gave, ``info`` replaces what a new resource of the kind knows of itself.
    """
    if not _may_create(core, caller, RESOURCES[kind]):
        raise Refusal(f"User does not have permissions to create {kind}.", status=403)
    if not name:
        raise Refusal("Must provide non-empty name for resource", status=400)
    name = stored_name(kind, name)
    if is_object_id(name):
        raise Refusal("Valid ObjectIds cannot be used as names", status=400)
    if _named(core.state, kind, name) is not None:
        raise Refusal(f"Resource with name '{name}' already exists", status=409)
    started = core.now()
    config = _new_config(kind, checked(core, caller, kind, sent))
    if _unstorable(config):
        raise Refusal(f"Failed to add {kind} to db", [_INFINITY])
    document: Document = {
        "_id": {"$oid": core.state.new_id()},
        "name": name,
        "description": "",
        "template": False,
        "tags": [],
        "info": copied(RESOURCES[kind].info) if info is None else info,
        "config": config,
        "base_permission": "None",
        "updated_at": started,
    }
    core.state.resources[kind][document["_id"]["$oid"]] = document
    _give_to_creator(core, caller, kind, document)
    answer = copied(document)
    update = new_update(core, f"Create{kind}", target_of(kind, document), caller["_id"]["$oid"])
    update["start_ts"] = started
    told = f"Created {kind}\nid: {document['_id']['$oid']}\nname: {name}"
    update["logs"] = [
        log(f"Create {kind}", stdout=told),
        log("Config", stdout=json.dumps(config, indent=2, ensure_ascii=False)),
    ]
    after_write(core, kind, document, update)
    finish(core, update)
    return answer


def change(core: "Core", caller: Document, kind: str, id_or_name: str, sent: Document) -> Document:
    """Set the fields that were sent and differ; without a difference nothing happens and no Update is made."""
    document = permitted(core, caller, kind, id_or_name, "Write")
    _refuse_busy(core.state, kind, document)
    fields = checked(core, caller, kind, sent, document)
    config = _changed_config(kind, document["config"], fields)
    if config is None:
        return copied(document)
    if _unstorable(config):
        raise Refusal("failed to update resource on database", ["failed at mongo update_one", _INFINITY])
    before = _toml(core, kind, document)
    document["config"] = config
    update = new_update(core, f"Update{kind}", target_of(kind, document), caller["_id"]["$oid"])
    update["prev_toml"] = before
    update["current_toml"] = _toml(core, kind, document)
    answer = copied(document)
    after_write(core, kind, document, update)
    finish(core, update)
    return answer


def rename(core: "Core", caller: Document, kind: str, id_or_name: str, name: str) -> Document:
    """Give a resource another name, and what is named after it on its host; answers with the Update."""
    document = permitted(core, caller, kind, id_or_name, "Write")
    update = new_update(core, f"Rename{kind}", target_of(kind, document), caller["_id"]["$oid"])
    before, name = document["name"], stored_name(kind, name)
    follow = follower(core, kind, document)
    taken = _named(core.state, kind, name)
    if taken is not None and taken is not document:
        refusal = f"Failed to update {kind} on db. This name may already be taken."
        if kind == "Deployment" or follow is not None:
            refusal = f"Failed to update {kind} name on db"
        trace = ["failed at mongo update_one", f"Kind: E11000 duplicate key error: name {name}"]
        raise Refusal(refusal, trace)
    document["name"] = name
    document["updated_at"] = core.now()
    if follow is not None:
        follow(before, update)
    whose = kind if kind == "Deployment" or follow is not None else f"{kind} {document['_id']['$oid']}"
    update["logs"].append(log(f"Rename {kind}", stdout=f"Renamed {whose} from {before} to {name}"))
    return finish(core, update)


def delete(core: "Core", caller: Document, kind: str, id_or_name: str) -> Document:
    """Delete a resource, after taking down what it runs and clearing what refers to it; returns what it was."""
    document = permitted(core, caller, kind, id_or_name, "Write")
    _refuse_busy(core.state, kind, document)
    toml = _toml(core, kind, document)
    update = new_update(core, f"Delete{kind}", target_of(kind, document), caller["_id"]["$oid"])
    answer = copied(document)
    before_delete(core, kind, document, update)
    core.state.resources[kind].pop(document["_id"]["$oid"], None)
    update["logs"] += [
        log(f"Delete {kind}", stdout=f"Deleted {kind} {document['name']}"),
        log("Deleted Toml", stdout=toml),
    ]
    after_delete(core, kind, document)
    finish(core, update)
    return answer


def _toml(core: "Core", kind: str, document: Document) -> str:
    """A resource as its Update shows it; Core exports no ResourceSync but those whose files are elsewhere."""
    if kind == "ResourceSync":
        config = document["config"]
        elsewhere = config["files_on_host"] or config["repo"] or config["linked_repo"]
        if config["file_contents"] or not elsewhere:
            return ""
    return resource_toml(core, kind, document)


def _may_create(core: "Core", caller: Document, kind: ResourceKind) -> bool:
    if caller["admin"]:
        return True
    if kind.creator == "admin" or core.settings.disable_non_admin_create:
        return False
    return kind.creator == "anyone" or bool(caller[kind.creator])


def _named(state: State, kind: str, name: str) -> Document | None:
    return next((document for document in state.resources[kind].values() if document["name"] == name), None)


def _refuse_busy(state: State, kind: str, document: Document) -> None:
    if flags_of(state, kind, document["_id"]["$oid"]) & RESOURCES[kind].busy:
        raise Refusal(f"{kind} busy")


_INFINITY = "Kind: the database does not store infinite numbers"


def _unstorable(config: Document) -> bool:
    """Whether a number is too large for the 32 bits that it has; only a Server has such numbers."""
    return any(isinstance(value, float) and not math.isfinite(value) for value in config.values())


def _new_config(kind: str, fields: Document) -> Document:
    if kind == "Builder":
        params = default_config(kind, fields["type"]) | fields["params"]
        return {"type": fields["type"], "params": params}
    return default_config(kind) | fields


def _changed_config(kind: str, current: Document, fields: Document) -> Document | None:
    """The configuration with the sent fields set; None when they say nothing new.

    Another type of Builder starts from the defaults of that type, and changes nothing when nothing differs from them
    (entities/builder.rs, ``partial_diff``).
    """
    if kind != "Builder":
        changed = current | fields
        return None if changed == current else changed
    same_type = current["type"] == fields["type"]
    base = current["params"] if same_type else default_config(kind, fields["type"])
    params = base | fields["params"]
    return None if params == base else {"type": fields["type"], "params": params}


_CREATOR_SPECIFICS = {
    "Server": ["Terminal", "Inspect", "Attach", "Logs", "Processes"],
    "Stack": ["Inspect", "Logs", "Terminal"],
    "Deployment": ["Inspect", "Logs", "Terminal"],
    "Builder": ["Attach"],
}


def _give_to_creator(core: "Core", caller: Document, kind: str, document: Document) -> None:
    """Who creates a resource without being an admin may write it (helpers/mod.rs, ``create_permission``)."""
    if caller["admin"]:
        return
    core.state.permissions.append(
        {
            "_id": {"$oid": core.state.new_id()},
            "user_target": {"type": "User", "id": caller["_id"]["$oid"]},
            "resource_target": target_of(kind, document),
            "level": "Write",
            "specific": list(_CREATOR_SPECIFICS.get(kind, [])),
        }
    )


def _register(kind: ResourceKind) -> None:
    name = kind.name

    def creating(core: "Core", caller: Document, params: Document) -> Document:
        return create(core, caller, name, params["name"], params["config"], _info(params))

    def copying(core: "Core", caller: Document, params: Document) -> Document:
        # Core asks more of whoever copies a Builder (api/write/builder.rs).
        source = permitted(core, caller, name, params["id"], "Write" if name == "Builder" else "Read")
        config = source["config"]
        if name == "Build":
            config = config | {"version": {"major": 0, "minor": 0, "patch": 0}}
        return create(core, caller, name, params["name"], config, _info(params))

    def updating(core: "Core", caller: Document, params: Document) -> Document:
        return change(core, caller, name, params["id"], params["config"])

    def renaming(core: "Core", caller: Document, params: Document) -> Document:
        return rename(core, caller, name, params["id"], params["name"])

    def deleting(core: "Core", caller: Document, params: Document) -> Document:
        return delete(core, caller, name, params["id"])

    answers("write", f"Create{name}")(creating)
    answers("write", f"Copy{name}")(copying)
    answers("write", f"Update{name}")(updating)
    answers("write", f"Rename{name}")(renaming)
    answers("write", f"Delete{name}")(deleting)


def _info(params: Document) -> Document | None:
    """What ``CreateServer`` and ``CopyServer`` may say beside the configuration: the key of the agent."""
    key = params.get("public_key")
    return None if key is None else {"attempted_public_key": "", "public_key": key}


for _kind in RESOURCES.values():
    _register(_kind)
