"""Procedures: stages one after the other, the executions of a stage at the same time (helpers/procedure.rs)."""

import json
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from homeops.lab.core.executions import (
    KINDS,
    RUNNING,
    Run,
    Steps,
    executes,
    perform,
    service_user,
    start,
    together,
)
from homeops.lab.core.executions_alerts import send_alert
from homeops.lab.core.executions_batches import BATCHES, DEFAULTS, batch_targets
from homeops.lab.core.executions_logs import bold, colored, error_log, log, muted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import finish

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass
class _Journal:
    """The first log entry of a running procedure, to which lines are added by several threads."""

    run: Run
    guard: threading.Lock = field(default_factory=threading.Lock)

    def line(self, text: str, kind: str = "INFO") -> None:
        """Add a line and store the Update."""
        with self.guard:
            self.run.update["logs"][0]["stdout"] += f"\n{muted(kind)}: {text}"
            self.run.save()


@executes("RunProcedure", "Procedure", "procedure")
def run_procedure(run: Run) -> Steps:
    """Run every enabled stage until one fails."""
    procedure = run.resource()
    run.log(log("Execute procedure", stdout=f"{muted('INFO')}: executing procedure '{bold(procedure['name'])}'"))
    run.busy("running")
    run.save()
    yield
    journal = _Journal(run)
    failure: tuple[str, list[str]] | None = None
    RUNNING[id(run.core), run.target] = run
    for stage in procedure["config"]["stages"]:
        if stage["enabled"] and failure is None and not run.abandoned:
            failure = _run_stage(run, journal, stage)
    RUNNING.pop((id(run.core), run.target), None)
    if run.abandoned:
        return
    if failure is None:
        run.log(log("Execution ok", stdout=f"{muted('INFO')}: The procedure has {_green('completed')} with no errors"))
        return
    run.log(error_log("Execution error", *failure))
    if procedure["config"]["failure_alert"]:
        data = {"id": run.target, "name": procedure["name"]}
        send_alert(run.core, "WARNING", run.update["target"], "ProcedureFailed", data)


def _green(text: str) -> str:
    return colored(text, "green")


def _run_stage(run: Run, journal: _Journal, stage: Document) -> tuple[str, list[str]] | None:
    """Run the executions of a stage to their ends; what went wrong first, in the order of the declaration."""
    began = run.core.clock.now()
    journal.line(f"Executing stage: '{bold(stage['name'])}'")
    executions: list[Document] = []
    for entry in stage["executions"]:
        if entry["enabled"]:
            executions += expanded(run.core, entry["execution"])
    failures: dict[int, list[str]] = {}
    for execution in executions:
        journal.line(f"Executing: {debug_text(execution)}")

    def work(index: int, execution: Document) -> None:
        started = run.core.clock.now()
        failed = _execute(run, execution, index * 0.001)
        if failed is not None:
            failures[index] = failed
        elapsed = _duration(run.core.clock.now() - started)
        journal.line(f"{_green('Finished')} execution in {elapsed}: {debug_text(execution)}")

    together(run.core, [partial(work, index, execution) for index, execution in enumerate(executions)])
    elapsed = _duration(run.core.clock.now() - began)
    if failures:
        first = min(failures)
        failed_on = f"{colored('ERROR', 'red')}: Failed on {debug_text(executions[first])}"
        return f"Failed stage '{bold(stage['name'])}' execution after {elapsed}", [failed_on, *failures[first]]
    journal.line(f"{_green('Finished')} stage '{bold(stage['name'])}' execution in {elapsed}")
    return None


def _execute(run: Run, execution: Document, wait: float) -> list[str] | None:
    """Do one execution; the causes when it failed."""
    core = run.core
    request, params = execution["type"], execution["params"]
    if request == "None":
        return None
    if request == "Sleep":
        core.clock.sleep(params["duration_ms"] / 1000)
        return None
    caller = service_user(1)
    try:
        if request == "CommitSync":
            update = core.call("write", "CommitSync", caller, params)
        else:
            update = perform(core, caller, request, params, stage="Execution error", wait=wait, parent=run)
    except Refusal as reason:
        return [reason.error, *reason.trace]
    except KeyError:
        return [f"The simulated Core has no answer to {request}"]
    if update["success"]:
        return None
    link = f"{core.settings.host}/updates/{update['_id']['$oid']}"
    return [f"{colored('ERROR', 'red')}: Execution not successful, see update: '{link}'"]


def expanded(core: "Core", execution: Document) -> list[Document]:
    """An execution, or those that a batch means; of a batch only the pattern counts here, not the tags."""
    single = BATCHES.get(execution["type"])
    if single is None:
        return [execution]
    kind = KINDS[single]
    names = batch_targets(core, service_user(1), kind.kind, {"pattern": execution["params"]["pattern"]})
    return [{"type": single, "params": {kind.key: name} | DEFAULTS.get(single, {})} for name in names]


def debug_text(execution: Document) -> str:
    """An execution as Rust prints it for debugging: ``Sleep(Sleep { duration_ms: 10 })``."""
    name = execution["type"]
    fields = ", ".join(f"{key}: {_debug_value(value)}" for key, value in execution["params"].items())
    return f"{name}({name} {{ {fields} }})" if fields else f"{name}({name})"


def _debug_value(value: Any) -> str:
    match value:
        case None:
            return "None"
        case list():
            return f"[{', '.join(_debug_value(entry) for entry in cast(list[Any], value))}]"
        case bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return (
                "Object {"
                + ", ".join(f"{json.dumps(k)}: {_debug_value(v)}" for k, v in cast(Document, value).items())
                + "}"
            )
        case _:
            return str(value)


def _duration(seconds: float) -> str:
    return f"{seconds:.9g}s" if seconds >= 1 else f"{seconds * 1000:.6g}ms"


@executes("CancelProcedure", "Procedure", "procedure")
def cancel_procedure(run: Run) -> Steps:
    """End a running procedure at once; what it runs goes on at the hosts, and nobody waits for it any more."""
    run.resource()
    running = RUNNING.pop((id(run.core), run.target), None)
    if running is None:
        raise Refusal("Procedure run cancel token not found")
    yield
    told = "Procedure cancel has been triggered. The procedure will exit after the currently running stage is complete."
    run.log(log("Cancel Triggered", stdout=told))
    running.abandon()
    running.log(error_log("Execution error", "Procedure cancelled before completion"))
    finish(run.core, running.update)


def run_scheduled(core: "Core", kind: str, name: str) -> None:
    """Start a Procedure or Action because its time has come."""
    request, number = ("RunProcedure", 1) if kind == "Procedure" else ("RunAction", 2)
    key = kind.lower()
    params: Document = {key: name} | DEFAULTS.get(request, {})
    with core.state.lock:
        start(core, service_user(number), request, params)
