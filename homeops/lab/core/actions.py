"""Actions: RunAction and CancelAction (api/execute/action.rs).

No Action's TypeScript is ever run here. Without ``settings.deno`` Core has no Deno, as the recorded one; with it every
Action ends well, and its log says that it was not run.
"""

import json
import secrets
import tomllib
from collections.abc import Callable
from typing import Any

import yaml

from homeops.lab.core.entry_lines import entries
from homeops.lab.core.executions import RUNNING, Run, Steps, executes
from homeops.lab.core.executions_alerts import send_alert
from homeops.lab.core.executions_interpolation import interpolated, values
from homeops.lab.core.executions_logs import log, succeeded
from homeops.lab.core.refusal import Refusal

_STAGE = "Execute Action"
_NO_DENO = 'Os { code: 2, kind: NotFound, message: "No such file or directory" }'
_NOT_RUN = "The rehearsal runs no Actions.\n🦎 Action completed successfully 🦎\n"

_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "key_value": ("Failed to parse args as key value list", lambda text: dict(entries(text))),
    "toml": ("Failed to parse Toml to Action args", tomllib.loads),
    "yaml": ("Failed to parse Yaml to action args", yaml.safe_load),
    "json": ("Failed to parse Json to action args", json.loads),
}


@executes("RunAction", "Action", "action")
def run_action(run: Run) -> Steps:
    """Run an Action; several runs of one may be under way at the same time."""
    action = run.resource()
    run.hold("running")
    run.save()
    config = action["config"]
    _check_arguments(config)
    key = id(run.core), run.update["_id"]["$oid"]
    RUNNING[key] = run
    yield
    variables, hidden = values(run.core)
    own = {"ACTION_API_KEY": "", "ACTION_API_SECRET": ""}
    interpolated(config, ("file_contents",), variables, hidden | own, run.update["logs"])
    reload = " --reload" if config["reload_deno_deps"] else ""
    command = f"deno run --allow-all{reload} {run.core.agents.root}/core/actions/{secrets.token_hex(5)}.ts"
    cancelled = RUNNING.pop(key, None) is None
    if cancelled:
        run.log(log(_STAGE, command, stderr="Command cancelled (process group killed)", success=False))
    elif run.core.settings.deno:
        run.log(log(_STAGE, command, stdout=_NOT_RUN))
    else:
        run.log(log(_STAGE, command, stderr=_NO_DENO, success=False))
    if not succeeded(run.update["logs"]) and config["failure_alert"]:
        data = {"id": run.target, "name": action["name"]}
        send_alert(run.core, "WARNING", run.update["target"], "ActionFailed", data)


def _check_arguments(config: dict[str, Any]) -> None:
    told, read = _READERS[config["arguments_format"]]
    try:
        found = read(config["arguments"])
    except (ValueError, yaml.YAMLError) as reason:
        raise Refusal("Failed to parse default Action arguments", [told, str(reason)]) from reason
    except Refusal as reason:
        causes = [told, reason.error, *reason.trace]
        raise Refusal("Failed to parse default Action arguments", causes) from reason
    if not isinstance(found, dict):
        raise Refusal("Failed to parse default Action arguments", [told, "expected a map"])


@executes("CancelAction", "Action", "action")
def cancel_action(run: Run) -> Steps:
    """End a run of an Action: the one named, or the first that is under way."""
    run.resource()
    identity = run.params.get("update_id") or _under_way(run)
    if RUNNING.pop((id(run.core), identity), None) is None:
        raise Refusal("Action run cancel token not found")
    run.log(log("Cancel Triggered", stdout="The action cancel has been triggered."))
    yield


def _under_way(run: Run) -> str:
    for identity, update in run.core.state.updates.items():
        wanted = update["operation"] == "RunAction" and update["status"] == "InProgress"
        if wanted and update["target"] == run.update["target"]:
            return identity
    raise Refusal("No active run to cancel found")
