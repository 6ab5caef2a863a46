"""Which Stacks and Deployments a sync deploys, and the rounds in which it does (sync/deploy.rs)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.executions import Run, error_and_trace, perform, service_user, together
from homeops.lab.core.executions_batches import DEFAULTS
from homeops.lab.core.executions_logs import bold, colored, log, muted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import deployment_state, stack_state
from homeops.lab.core.state import Document
from homeops.lab.core.sync_changes import config_difference
from homeops.lab.core.sync_toml import Declared

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_STACK_FIELDS = frozenset(
    (
        *("server_id", "project_name", "run_directory", "file_paths", "file_contents", "skip_secret_interp"),
        *("extra_args", "environment", "env_file_path", "additional_env_files", "linked_repo", "repo", "branch"),
        *("commit", "compose_cmd_wrapper"),
    )
)
_DEPLOYMENT_FIELDS = frozenset(
    (
        *("server_id", "image", "image_registry_account", "skip_secret_interp", "network", "restart", "command"),
        *("extra_args", "ports", "volumes", "environment", "labels"),
    )
)
"""The fields whose change makes a running one be deployed again."""

Key = tuple[str, str]
"""Kind and name."""


@dataclass(frozen=True, slots=True)
class Due:
    """One that is to be deployed, why, and after which others."""

    key: Key
    reason: str
    after: tuple[Key, ...]

    def view(self) -> Document:
        """As ``pending_deploys`` shows it."""
        return {"target": _target(self.key), "reason": self.reason, "after": [_target(key) for key in self.after]}


def _target(key: Key) -> Document:
    return {"type": key[0], "id": key[1]}


class _Decision:
    def __init__(self, core: "Core", declared: Declared, stored: Mapping[Key, Document]) -> None:
        self._core, self._stored = core, stored
        self._declared = {
            (kind, one["name"]): one for kind in ("Deployment", "Stack") for one in declared.resources[kind]
        }
        self._found: dict[Key, tuple[str, tuple[Key, ...]] | None] = {}

    def due(self) -> list[Due]:
        """All that are to be deployed; of what they come after, those that are deployed too."""
        for key in self._declared:
            self._decide(key)
        deploying = {key: found for key, found in self._found.items() if found is not None}
        return [
            Due(key, reason, tuple(parent for parent in after if parent in deploying))
            for key, (reason, after) in reversed(deploying.items())
        ]

    def _decide(self, key: Key) -> None:
        if key in self._found:
            return
        declared = self._declared[key]
        if not declared["deploy"]:
            self._found[key] = None
            return
        after = tuple(self._parent(key[0], name) for name in declared["after"])
        reason = self._own_reason(key, declared)
        # Nothing stops here at a circle: Core's own process ends by it.
        self._found[key] = (reason, after) if reason else self._through_parents(after) if reason == "" else None

    def _parent(self, kind: str, name: str) -> Key:
        if ("Deployment", name) in self._stored:
            return "Deployment", name
        return ("Deployment" if kind == "Deployment" else "Stack"), name

    def _own_reason(self, key: Key, declared: Document) -> str | None:
        """Why it is deployed for its own sake; empty when it is not, None when nothing can be said of it."""
        kind, word = key[0], key[0].lower()
        stored = self._stored.get(key)
        if stored is None:
            return "deploy on creation"
        state = stack_state(self._core, stored) if kind == "Stack" else deployment_state(self._core, stored)
        if state == "unknown":
            return None
        if state != "running":
            return f"{word} has {colored(state, 'red')} state"
        if kind == "Stack" and (changed := _changed_file(stored["info"])):
            return changed
        fields = config_difference(self._core.state, kind, stored, declared["config"]) or {}
        counted = _STACK_FIELDS if kind == "Stack" else _DEPLOYMENT_FIELDS
        return f"{word} config has changed" if counted & fields.keys() else ""

    def _through_parents(self, after: tuple[Key, ...]) -> tuple[str, tuple[Key, ...]] | None:
        for parent in after:
            if parent not in self._declared:
                continue
            self._decide(parent)
            if self._found[parent] is not None:
                return f"{parent[0]} parent dependency '{bold(parent[1])}' is deploying", after
        return None


def _changed_file(info: Document) -> str:
    if info["deployed_contents"] is None or info["remote_contents"] is None:
        return ""
    known = {file["path"]: file["contents"] for file in info["deployed_contents"]}
    for file in info["remote_contents"]:
        if file["path"] not in known:
            return f"New file contents at {file['path']}"
        if known[file["path"]] != file["contents"]:
            return f"File contents for {file['path']} have changed"
    return ""


def due_deploys(core: "Core", declared: Declared, stored: Mapping[Key, Document]) -> list[Due]:
    """What is to be deployed, as things are now; ``stored`` are the Stacks and Deployments that the run is about."""
    return _Decision(core, declared, stored).due()


def deploy_in_rounds(run: Run, due: list[Due]) -> Document | None:
    """Deploy, in each round all that wait for none of the others; the log entry.

    What a deploy says of itself does not count, only that it could be begun. Members of a circle wait for ever.
    """
    if not due:
        return None
    text = f"{muted('INFO')}: running executions to sync deployment / stack state"
    number = 1
    while due:
        waiting = {one.key for one in due}
        ready = [one for one in due if not waiting & set(one.after)]
        failures = _deploy(run, ready)
        for one in ready:
            kind, name = one.key
            if one.key in failures:
                text += (
                    f"\n{colored('ERROR', 'red')}: failed to deploy {kind} '{bold(name)}' in round {bold(str(number))}"
                )
                text += f" | {failures[one.key]}"
            else:
                text += f"\n{muted('INFO')}: deployed {kind} '{bold(name)}' in round {bold(str(number))}"
                text += f" with reason: {one.reason}"
        if failures:
            text += f"\n{muted('INFO')}: exited in round {bold(str(number))} {colored('with errors', 'red')}"
            return log("Sync Deploy", stderr=text, success=False)
        due = [one for one in due if one not in ready]
        if due:
            number += 1
            run.core.clock.sleep(1.0)
    text += f"\n{muted('INFO')}: finished after {bold(str(number))} round{'s' if number > 1 else ''}"
    return log("Sync Deploy", stdout=text)


def _deploy(run: Run, ready: list[Due]) -> dict[Key, str]:
    failures: dict[Key, str] = {}

    def work(one: Due, wait: float) -> None:
        request = "DeployStack" if one.key[0] == "Stack" else "Deploy"
        params = DEFAULTS[request] | {one.key[0].lower(): one.key[1]}
        try:
            perform(run.core, service_user(5), request, params, wait=wait)
        except (Refusal, AgentFailure) as reason:
            error, trace = error_and_trace(reason)
            failures[one.key] = ": ".join([error, *trace])

    together(run.core, [partial(work, one, position * 0.001) for position, one in enumerate(ready)])
    return failures
