"""What Core checks and rewrites in a configuration before it stores it (``validate_config`` in resource/*.rs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.entry_lines import entries
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import attachable, find, permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import deployment_state
from homeops.lab.core.state import Document
from homeops.model.config.execution import EXECUTIONS, Batch
from homeops.model.fields import Reference, marked
from homeops.model.names import stored_name

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_ATTACHED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Stack": (
        ("swarm_id", "Swarm", "Cannot attach Stack to this Swarm"),
        ("server_id", "Server", "Cannot attach Stack to this Server"),
        ("linked_repo", "Repo", "Cannot attach Repo to this Stack"),
    ),
    "Deployment": (
        ("swarm_id", "Swarm", "Cannot attach Deployment to this Swarm"),
        ("server_id", "Server", "Cannot attach Deployment to this Server"),
    ),
    "Build": (
        ("builder_id", "Builder", "Cannot attach Build to this Builder"),
        ("linked_repo", "Repo", "Cannot attach Repo to this Build"),
    ),
    "Repo": (
        ("server_id", "Server", "Cannot attach Repo to this Server"),
        ("builder_id", "Builder", "Cannot attach Repo to this Builder"),
    ),
    "ResourceSync": (("linked_repo", "Repo", "Cannot attach Repo to this Resource Sync"),),
}
_LINES = {"Deployment": ("volumes", "ports", "environment"), "Build": ("build_args", "secret_args")}
_SAMPLE_ACTION = (
    "// Run actions using the pre initialized 'komodo' client.\n"
    "const version: Types.GetVersionResponse = await komodo.read('GetVersion', {});\n"
    "console.log('🦎 Komodo version:', version.version, '🦎\\n');\n"
    "\n"
    "// Access arguments using the 'ARGS' object.\n"
    "console.log(ARGS);"
)
"""What a new Action holds when its creator sent no script (transcript 35)."""


def checked(core: "Core", caller: Document, kind: str, sent: Document, current: Document | None = None) -> Document:
    """The fields to store of those that were sent: references as ids, names and lists rewritten.

    ``current`` is the resource that is being updated, None on creation. Raises what Core refuses.
    """
    config = copied(sent)
    for name, target, refusal in _ATTACHED.get(kind, ()):
        if config.get(name):
            config[name] = attachable(core, caller, target, config[name], refusal)
    rule = _RULES.get(kind)
    if rule is not None:
        rule(core, caller, config, current)
    return config


def _check_lines(kind: str, config: Document) -> None:
    for name in _LINES[kind]:
        if name in config:
            try:
                entries(config[name])
            except Refusal as reason:
                raise Refusal(f"Invalid {name}", [reason.error]) from reason


def _drop_blanks(config: Document) -> None:
    if "extra_args" in config:
        config["extra_args"] = [argument for argument in config["extra_args"] if argument.strip(" ")]


def leave_out_empty(config: Document) -> None:
    """Take out of a Stack's config files what Core leaves out when it says nothing (entities/stack.rs)."""
    for file in config.get("config_files", ()):
        if not file.get("services"):
            file.pop("services", None)
        if file.get("requires") == "None":
            del file["requires"]


def _stack(_core: "Core", _caller: Document, config: Document, _current: Document | None) -> None:
    leave_out_empty(config)


def _deployment(core: "Core", caller: Document, config: Document, current: Document | None) -> None:
    image = config.get("image")
    if image is not None and image["type"] == "Build" and image["params"]["build_id"]:
        refusal = "Cannot update deployment with this build attached."
        image["params"]["build_id"] = attachable(core, caller, "Build", image["params"]["build_id"], refusal)
    _check_lines("Deployment", config)
    if config.get("custom_name", "").strip():
        config["custom_name"] = stored_name("Deployment", config["custom_name"])
    _drop_blanks(config)
    if current is not None and "custom_name" in config:
        _follow_custom_name(core, config["custom_name"], current)


def _follow_custom_name(core: "Core", custom_name: str, current: Document) -> None:
    """Rename the container with its Deployment; one that may exist cannot follow while its host does not answer.

    A service of a Swarm cannot be renamed, so its name is kept until the next deploy.
    """
    config = current["config"]
    named = config["custom_name"].strip() or current["name"].strip()
    wanted = custom_name or current["name"]
    if named == wanted:
        return
    state = deployment_state(core, current)
    if not config["swarm_id"] and config["server_id"]:
        if state == "unknown":
            raise Refusal("Cannot change custom container name when container status is unknown")
        if state != "not_deployed":
            server = find(core.state, "Server", config["server_id"])
            core.agents.rename_container(server, current, wanted)
            current["info"] = current["info"] | {"deployed_name": wanted}
    elif config["swarm_id"] and not current["info"]["deployed_name"] and state != "not_deployed":
        current["info"] = current["info"] | {"deployed_name": named}


def _build(_core: "Core", _caller: Document, config: Document, _current: Document | None) -> None:
    _check_lines("Build", config)
    _drop_blanks(config)


def _swarm(core: "Core", caller: Document, config: Document, _current: Document | None) -> None:
    if "server_ids" in config:
        config["server_ids"] = [
            attachable(core, caller, "Server", server, f"Cannot attach Server {server} to this Swarm")
            for server in config["server_ids"]
        ]


def _builder(core: "Core", caller: Document, config: Document, _current: Document | None) -> None:
    params = config["params"]
    if config["type"] == "Server" and "server_ids" in params:
        params["server_ids"] = [attachable(core, caller, "Server", server) for server in params["server_ids"]]


def _action(_core: "Core", _caller: Document, config: Document, current: Document | None) -> None:
    if current is None:
        config.setdefault("file_contents", _SAMPLE_ACTION)


def _procedure(core: "Core", caller: Document, config: Document, current: Document | None) -> None:
    for stage in config.get("stages", ()):
        for execution in stage["executions"]:
            _resolve_execution(core, caller, execution["execution"], current)


_TARGETS: dict[str, tuple[str, str]] = {
    execution: (name, mark.kind)
    for execution, model in EXECUTIONS.items()
    for name, mark in marked(model, Reference).items()
}
"""Of each execution the field that names its target, and the kind of that target."""

_ADMINS_ONLY = {
    "ClearRepoCache": "clear repo cache",
    "BackupCoreDatabase": "trigger core database backup",
    "GlobalAutoUpdate": "trigger global auto update",
    "RotateAllServerKeys": "trigger rotate all server keys",
    "RotateCoreKeys": "trigger rotate core keys",
}


def _resolve_execution(core: "Core", caller: Document, execution: Document, current: Document | None) -> None:
    name: str = execution["type"]
    params: dict[str, Any] = execution["params"]
    if name == "SendAlert":
        params["alerters"] = [
            permitted(core, caller, "Alerter", alerter, "Execute")["_id"]["$oid"] for alerter in params["alerters"]
        ]
    elif name in _TARGETS:
        key, kind = _TARGETS[name]
        target = permitted(core, caller, kind, params[key], "Write" if name == "CommitSync" else "Execute")
        if name == "RunProcedure" and current is not None and target["_id"] == current["_id"]:
            raise Refusal("Cannot have self-referential procedure")
        params[key] = target["_id"]["$oid"]
    elif not caller["admin"]:
        if name in EXECUTIONS and issubclass(EXECUTIONS[name], Batch):
            raise Refusal("Non admin user cannot configure Batch executions")
        if name in _ADMINS_ONLY:
            raise Refusal(f"Non admin user cannot {_ADMINS_ONLY[name]}")


_Rule = Callable[["Core", Document, Document, Document | None], None]
_RULES: dict[str, _Rule] = {
    "Stack": _stack,
    "Deployment": _deployment,
    "Build": _build,
    "Swarm": _swarm,
    "Builder": _builder,
    "Action": _action,
    "Procedure": _procedure,
}
