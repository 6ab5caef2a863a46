"""What the simulator's own door does to hosts: to an agent, to a disk, to what becomes of a compose project."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.fates import Behaviour, Fate
from homeops.lab.core.references import lookup
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def change_host(core: "Core", document: Document) -> Document:
    """Change one host: ``{"server": NAME, ...}`` with any of these.

    * ``"agent"``: ``end`` or ``freeze`` (with ``"seconds"`` for so long), ``begin``, ``thaw``
    * ``"full"``: whether its disk has no space left
    * ``"hooks"``: ``{STACK: TEXT}``, hooks that fail with that text on stderr; replaces those said before
    """
    agent = _agent(core, document["server"])
    seconds: float | None = document.get("seconds")
    match document.get("agent"):
        case None:
            pass
        case "end":
            agent.end(seconds)
        case "freeze":
            agent.freeze(seconds)
        case "begin":
            agent.begin()
        case "thaw":
            agent.thaw()
        case other:
            raise ValueError(f"agent: {other!r} is not one of begin, end, freeze, thaw")
    if "full" in document:
        agent.engine.full = bool(document["full"])
    if "hooks" in document:
        agent.hook_failures = dict(document["hooks"])
    return {
        "server": document["server"],
        "reachable": agent.reachable,
        "silent": agent.silent,
        "full": agent.engine.full,
        "hooks": agent.hook_failures,
    }


def change_behaviour(core: "Core", document: Document) -> Document:
    """Say what shall go wrong in ``{"server": NAME, "project": NAME, ...}`` with the fields of Behaviour as JSON.

    ``fates`` are ``{SERVICE: {fields of Fate}}``; ``during`` is ``{"core": SECONDS}`` (Core ends in the middle of
    ``up`` and is down so long) or what ``change_host`` takes. Replaces what was said of the project before.
    """
    agent = _agent(core, document["server"])
    given = {key: value for key, value in document.items() if key not in ("server", "project")}
    fates: dict[str, Document] = given.pop("fates", {})
    during: Document | None = given.pop("during", None)
    agent.engine.behaviours[document["project"]] = Behaviour(
        **given,
        fates={service: Fate(**fate) for service, fate in fates.items()},
        during=_during(core, document["server"], during) if during else None,
    )
    return document


def _during(core: "Core", server: str, wanted: Document) -> Callable[[], None]:
    if "core" in wanted:
        from homeops.lab.core.executions_restart import restart_core

        seconds = float(wanted["core"])
        return lambda: restart_core(core, seconds)
    return lambda: cast(None, change_host(core, {"server": server} | wanted))


def _agent(core: "Core", name: Any) -> RehearsalAgent:
    server = lookup(core.state.resources["Server"], str(name))
    address = str(name) if server is None else server["config"]["address"] or server["name"]
    core.agents.reachable(address)  # a host on this machine comes into being when it is asked for
    agent = core.agents.by_address.get(address)
    if not isinstance(agent, RehearsalAgent):
        raise LookupError(f"server: no host answers for {name!r}")
    return agent
