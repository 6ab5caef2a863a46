"""Executions of Core itself, for admins: backup, updates of everything, keys (api/execute/maintenance.rs)."""

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.executions import Run, Steps, error_and_trace, executes
from homeops.lab.core.executions_logs import bold, error_log, log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.public_keys import any_public_key
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import deployment_state, reached_server, server_state, stack_state
from homeops.lab.core.server_keys import rotated_key
from homeops.lab.core.state import Document

_NO_COMMAND = 'Os { code: 2, kind: NotFound, message: "No such file or directory" }'


def _admin(run: Run) -> None:
    if not run.caller["admin"]:
        raise Refusal("This method is admin only.", status=403)


@executes("ClearRepoCache", "System")
def clear_repo_cache(run: Run) -> Steps:
    """Forget Core's checkouts: they are cloned anew when they are needed."""
    _admin(run)
    yield
    run.core.agents.forget_checkouts()


@executes("BackupCoreDatabase", "System")
def backup_core_database(run: Run) -> Steps:
    """The rehearsal keeps no backups: Core's command line tool is not there."""
    _admin(run)
    yield
    run.log(log("Backup Core Database", "km database backup --yes", stderr=_NO_COMMAND, success=False))


@executes("GlobalAutoUpdate", "System")
def global_auto_update(run: Run) -> Steps:
    """Look for newer images of all that runs and asks for it; the rehearsal never finds one."""
    _admin(run)
    yield
    core = run.core
    checked: list[str] = []
    for kind, state_of, running in (("Stack", stack_state, "running"), ("Deployment", deployment_state, "running")):
        with core.state.lock:
            documents = [copied(document) for document in core.state.resources[kind].values()]
        checked += [
            f"Checked {kind} {bold(document['name'])} ✅"
            for document in documents
            if _polled(document["config"])
            and reached_server(core, document["config"]) is not None
            and state_of(core, document) == running
        ]
    run.log(log("Auto Pull", stdout="\n".join(checked)))


def _polled(config: Document) -> bool:
    return config["poll_for_updates"] or config["auto_update"]


@executes("RotateAllServerKeys", "System")
def rotate_all_server_keys(run: Run) -> Steps:
    """New keys for the agents of all Servers that allow it."""
    _admin(run)
    yield
    core = run.core
    lines: list[str] = []
    with core.state.lock:
        servers = list(core.state.resources["Server"].values())
    for server in servers:
        name = bold(server["name"])
        skipped = _skipped(run, server)
        if not server["config"]["auto_rotate_keys"]:
            lines.append(f"\nSkipping {name}: Key Rotation Disabled ⚙️")
            continue
        if skipped:
            lines.append(skipped)
            continue
        try:
            key = rotated_key(core, server)
        except Refusal as reason:
            failed = f"Failed to rotate {name} keys", [reason.error, *reason.trace]
            run.log(error_log("Key Rotation Failure", *failed))
            continue
        with core.state.lock:
            server["info"] = server["info"] | {"public_key": key}
        lines.append(f"\nRotated keys for {name} ✅")
    run.log(log("Rotate Server Keys", stdout="".join(lines)))


@executes("RotateCoreKeys", "System")
def rotate_core_keys(run: Run) -> Steps:
    """A new key for Core, told to every agent; refused while one does not answer, unless forced.

    An agent that has Core's key in its settings, and not in a file, answers that all is well and goes on to let the old
    Core in, and nobody else.
    """
    _admin(run)
    yield
    core = run.core
    with core.state.lock:
        servers = [copied(server) for server in core.state.resources["Server"].values()]
    lost = next((server for server in servers if server_state(run.core, server) == "NotOk"), None)
    if lost is not None and not run.params["force"]:
        told = f"Server {lost['name']} is NotOk, stopping key rotation. Pass `force: true` to continue anyways."
        raise Refusal(told)
    key = any_public_key()
    lines: list[str] = []
    for server in servers:
        name = bold(server["name"])
        if skipped := _skipped(run, server):
            lines.append(skipped)
            continue
        try:
            core.agents.the(server).take_core_key(key)
        except AgentFailure as failure:
            told = f"Failed to rotate for {name}. The new Core public key will have to be added manually."
            error, trace = error_and_trace(failure)
            run.log(error_log("Key Rotation Failure", told, [error, *trace]))
            continue
        lines.append(f"\nRotated key for {name} ✅")
    # Told over connections that Core made with its old key.
    core.public_key = key
    run.log(log("Rotate Core Keys", stdout=f"New Public Key: {key}\n{''.join(lines)}"))


def _skipped(run: Run, server: Document) -> str:
    match server_state(run.core, server):
        case "Disabled":
            return f"\nSkipping {bold(server['name'])}: Server Disabled ⚙️"
        case "NotOk":
            return f"\nSkipping {bold(server['name'])}: Server Not Ok ⚠️"
        case _:
            return ""
