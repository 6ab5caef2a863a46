"""Executions: an answer at once, the work behind it, and the Update that tells of it (api/execute/mod.rs).

What runs is a generator. Up to its first ``yield`` it looks whether it may run at all, with the lock held; the rest is
done in the background without it. A Refusal or AgentFailure anywhere becomes the log entry ``Task Error``.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from homeops.lab.core.agents import Agent, AgentFailure, AgentGone
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions_logs import error_log, log, succeeded
from homeops.lab.core.faults import Effect, Fault
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find, named_in, permitted
from homeops.lab.core.refusal import AgentSilent, Refusal
from homeops.lab.core.resource_kinds import RESOURCES
from homeops.lab.core.resource_states import flags_of, server_state
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import SYSTEM_TARGET, answered, new_update, store

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

Steps = Iterator[None]
T = TypeVar("T")
Work = Callable[["Run"], Steps]

_POLL_SECONDS = 0.02
_HANG_SECONDS = 1.0

REMOTE_ERROR = "Decoded error message over Core-Periphery communication channel"
"""What Core puts before an error that an agent answered with."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One execution: what it works on (``key`` is its parameter; System has none), and how."""

    request: str
    kind: str
    key: str
    work: Work
    stored: bool = True

    @property
    def composed(self) -> bool:
        """Whether it consists of other executions, which begin at once."""
        return self.kind in ("Procedure", "ResourceSync")

    def operation(self, params: Document) -> str:
        """The operation of its Update; a Stack's is another one when services are named."""
        if self.request == "DeployStackIfChanged":
            return "DeployStack"
        named = self.kind == "Stack" and params.get("services") and self.request != "RunStackService"
        return f"{self.request}Service" if named else self.request


KINDS: dict[str, Kind] = {}


@dataclass(eq=False)
class Run:
    """One execution that runs: who wanted it, its parameters, its Update, and what it holds busy."""

    core: "Core"
    caller: Document
    params: Document
    update: Document
    kind: Kind
    held: list[tuple[tuple[str, str], str]] = field(default_factory=list[tuple[tuple[str, str], str]])
    outcome: Document | None = None
    """The Update that tells how it went, where that is not its own."""
    connections: dict[int, int] = field(default_factory=dict[int, int])
    children: list["Run"] = field(default_factory=list["Run"])
    afterwards: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    """What is done when its Update is complete already."""
    fault: Fault | None = None
    """What goes wrong with it because somebody wanted so."""
    abandoned: bool = False
    """Whether it was cancelled: what it still does changes nothing that Core shows."""

    def meets(self, effect: Effect) -> bool:
        """Whether this is what goes wrong with it."""
        return self.fault is not None and self.fault.effect == effect

    @property
    def target(self) -> str:
        """The id of what it works on."""
        return self.update["target"]["id"]

    def resource(self, level: str = "Execute") -> Document:
        """A copy of what it works on, as far as the caller may do that."""
        return copied(permitted(self.core, self.caller, self.kind.kind, self.target, level))

    def busy(self, flag: str) -> None:
        """Keep the resource busy with this until the end; refused when it already is."""
        state, key = self.core.state, (self.kind.kind, self.target)
        with state.lock:
            flags = flags_of(state, *key)
            if self.meets("busy") or flags & RESOURCES[self.kind.kind].busy:
                raise Refusal("Resource is busy")
            state.action_states[key] = flags | {flag}
        self.held.append((key, flag))

    def hold(self, flag: str) -> None:
        """Say that the resource does this until the end, though others may do the same at the same time."""
        state, key = self.core.state, (self.kind.kind, self.target)
        with state.lock:
            state.action_states[key] = flags_of(state, *key) | {flag}
        self.held.append((key, flag))

    def free(self) -> None:
        """Be busy no more."""
        with self.core.state.lock:
            others = {held for run in ACTIVE.get(id(self.core), []) if run is not self for held in run.held}
            for key, flag in self.held:
                if (key, flag) not in others:
                    self.core.state.action_states[key] = flags_of(self.core.state, *key) - {flag}
        self.held.clear()

    def log(self, entry: Document) -> None:
        """Add a log entry."""
        self.update["logs"].append(entry)

    def note_services(self) -> None:
        """Say which services were named."""
        if names := self.params.get("services"):
            self.log(log("Service/s", stdout=f"Execution requested for Stack service/s {', '.join(names)}"))

    def save(self) -> None:
        """Store the Update as it is, still in progress."""
        self.core.go_on()
        if not self.abandoned:
            store(self.core, self.update)

    def abandon(self) -> None:
        """Go on without anybody who waits: busy no more, and the Update stays as it is."""
        self.abandoned = True
        self.free()
        for child in self.children:
            child.abandon()

    def agent(self, config: Document, without: str = "Must attach either swarm or server") -> Agent:
        """The agent of the Server that a configuration names (``agent_for``)."""
        _, agent = agent_for(self.core, config, without, silent=True)
        self.connections[id(agent)] = agent.connection
        return agent

    def ask(self, agent: Agent, work: Callable[[], T]) -> T:
        """Have an agent do something and wait for it; refused when it has not been heard of for ten seconds."""
        core, connection = self.core, self.connections.get(id(agent), agent.connection)
        done: list[T] = []
        failed: list[AgentFailure | AgentGone] = []
        ended = threading.Event()

        def run() -> None:
            try:
                if agent.connection != connection:
                    raise AgentGone
                done.append(work())
            except (AgentFailure, AgentGone) as reason:
                failed.append(reason)
            finally:
                ended.set()

        core.background(run)
        quiet = 0.0
        while not ended.is_set() or (failed and isinstance(failed[0], AgentGone)):
            core.clock.sleep(_POLL_SECONDS)
            core.go_on()
            lost = agent.silent or agent.connection != connection
            quiet = quiet + _POLL_SECONDS if lost else 0.0
            if quiet >= core.settings.silence_seconds:
                raise AgentSilent(lambda: agent.silent)
        if failed:
            raise failed[0]
        return done[0]

    @contextmanager
    def document(self) -> Generator[Document]:
        """What it works on as it is stored, to change it; nothing comes of it when that is gone."""
        nothing: Document = {"info": {}, "config": {}}
        with self.core.state.lock:
            known = self.core.state.resources[self.kind.kind]
            yield nothing if self.abandoned else known.get(self.target, nothing)


def executes(request: str, kind: str, key: str = "") -> Callable[[Work], Work]:
    """Register how an execution is done: ``@executes("DeployStack", "Stack", "stack")``."""

    def register(work: Work) -> Work:
        registered = Kind(request, kind, key, work, stored=request != "DeployStackIfChanged")
        KINDS[request] = registered

        def handler(core: "Core", caller: Document, params: Document) -> Document:
            return start(core, caller, request, params)

        answers("execute", request)(handler)
        return work

    return register


def begin(core: "Core", caller: Document, request: str, params: Document) -> Run:
    """Resolve the target, which must be there, and make the Update."""
    core.go_on()
    kind = KINDS[request]
    target = SYSTEM_TARGET
    if kind.key:
        target = {"type": kind.kind, "id": find(core.state, kind.kind, params[kind.key])["_id"]["$oid"]}
    update = new_update(core, kind.operation(params), target, caller["_id"]["$oid"])
    update["status"] = "InProgress"
    if kind.stored:
        store(core, update)
    fault = core.faults.of_execution(request, named_in(core.state, params))
    run = Run(core, caller, params, update, kind, fault=fault)
    ACTIVE.setdefault(id(core), []).append(run)
    return run


ACTIVE: dict[int, list[Run]] = {}
"""The executions under way, by Core."""

RUNNING: dict[tuple[int, str], Run] = {}
"""The executions under way that may be cancelled, by Core and target."""


def start(core: "Core", caller: Document, request: str, params: Document) -> Document:
    """Answer with the Update that has begun, and do the work in the background."""
    run = begin(core, caller, request, params)
    shown = answered(copied(run.update))
    steps = run.kind.work(run)
    failure = _advance(steps)

    def rest() -> None:
        if failure is not None or not run.kind.composed:
            core.clock.sleep(core.settings.execution_seconds)
        if run.meets("hangs"):
            return
        _end(run, failure or _advance(steps))
        for work in run.afterwards:
            work()

    core.background(rest)
    return shown


def perform(
    core: "Core",
    caller: Document,
    request: str,
    params: Document,
    *,
    stage: str | None = None,
    wait: float = 0.0,
    parent: Run | None = None,
) -> Document:
    """Do an execution within another and wait for it; returns its Update.

    Where its task ends in an error, that is logged as ``stage`` and the Update completed; without a stage the error is
    raised and the Update stays in progress, as Core forgets it. ``wait`` is how long it holds back, in seconds.
    """
    with core.state.lock:
        run = begin(core, caller, request, params)
        if parent is not None:
            parent.children.append(run)
        steps = run.kind.work(run)
        failure = _advance(steps)
    core.clock.sleep(core.settings.execution_seconds + wait)
    while run.meets("hangs") and not run.abandoned:
        core.clock.sleep(_HANG_SECONDS)
        core.go_on()
    failure = failure or _advance(steps)
    if failure is not None and stage is None:
        run.free()
        raise failure
    _end(run, failure, stage or "")
    for work in run.afterwards:
        core.background(work)
    return run.outcome or run.update


def _advance(steps: Steps) -> Refusal | AgentFailure | None:
    """Run to the next ``yield`` or the end; the reason when it could not."""
    try:
        next(steps, None)
    except (Refusal, AgentFailure) as reason:
        return reason
    return None


def _end(run: Run, failure: Refusal | AgentFailure | None, stage: str = "Task Error") -> None:
    core, update = run.core, run.update
    core.go_on()
    if run.meets("hangs_done"):
        run.free()
        return
    if run in ACTIVE.get(id(core), []):
        ACTIVE[id(core)].remove(run)
    if "_id" not in update or run.abandoned:
        run.free()
        return
    with core.state.lock:
        known = core.state.updates.get(update["_id"]["$oid"])
        if known is None or known["status"] == "Complete":
            # Cancelled, or ended by a restart of Core: what is written then stays.
            run.free()
            return
        if failure is not None:
            update["logs"] = [*copied(known["logs"]), task_error(failure, stage)]
    run.free()
    update["success"] = succeeded(update["logs"])
    update["end_ts"] = core.now()
    update["status"] = "Complete"
    store(core, update)


def task_error(reason: Refusal | AgentFailure, stage: str = "Task Error") -> Document:
    """The log entry of a task that ended in an error."""
    return error_log(stage, *error_and_trace(reason))


def error_and_trace(reason: Refusal | AgentFailure) -> tuple[str, list[str]]:
    """An error as Core tells it; one of an agent came from afar, unless Core did not even ask."""
    if isinstance(reason, Refusal):
        return reason.error, reason.trace
    if len(reason.causes) == 1:
        return reason.causes[0], []
    return REMOTE_ERROR, list(reason.causes)


def together(core: "Core", works: Sequence[Callable[[], None]]) -> None:
    """Do several things at the same time, from background work, and wait for the last."""
    left = len(works)
    if not left:
        return
    guard = threading.Lock()

    def counted(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            nonlocal left
            try:
                work()
            finally:
                with guard:
                    left -= 1
                    if not left:
                        # Who waits is at work again before the last one is counted as done.
                        core.clock.began()

        return run

    threads = [core.background(counted(work)) for work in works]
    core.clock.ended()
    for thread in threads:
        thread.join()


def service_user(number: int) -> Document:
    """One of Komodo's own users: 1 Procedure, 2 Action, 4 Auto Redeploy, 5 Resource Sync, 7 Build Manager."""
    return {"_id": {"$oid": f"{number:024}"}, "username": f"{number:024}", "admin": True, "super_admin": True}


def agent_for(
    core: "Core", config: Document, without: str = "Must attach either swarm or server", *, silent: bool = False
) -> tuple[Document, Agent]:
    """The Server that a Stack or Deployment runs on, and its agent; refused when there is none that answers.

    ``without`` is what Core says when neither Swarm nor Server is set; ``silent`` as in ``agent_of``.
    """
    if config.get("swarm_id"):
        raise Refusal("No managers connected")
    if not config["server_id"]:
        raise Refusal(without)
    return agent_of(core, config["server_id"], silent=silent)


def agent_of(core: "Core", server_id: str, *, silent: bool = False) -> tuple[Document, Agent]:
    """A Server and its agent; refused when that does not answer, of which Core may not have taken notice yet.

    ``silent``: also one that is silent for now, for those who then wait for it themselves.
    """
    server = find(core.state, "Server", server_id)
    agent = core.agents.of(server) if server_state(core, server) == "Ok" else None
    if agent is None:
        raise Refusal("Cannot send command when Server is unreachable or disabled")
    if agent.silent and not silent:
        raise AgentSilent(lambda: agent.silent)
    return server, agent
