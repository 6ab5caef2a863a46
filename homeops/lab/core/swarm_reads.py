"""What a Docker swarm is asked (api/read/swarm.rs). No host here manages a swarm: lists are empty, the rest fails."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import Handler, answers
from homeops.lab.core.permissions import require
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_LISTS = ("Nodes", "Configs", "Secrets", "Stacks", "Tasks", "Services")
_LOGS = ("GetSwarmServiceLog", "SearchSwarmServiceLog")


@answers("read", *(f"ListSwarm{what}" for what in _LISTS))
def list_nothing(core: "Core", caller: Document, params: Document) -> Any:
    """What a swarm holds, as far as Core has seen it."""
    require(core, caller, "Swarm", params["swarm"], "Read")
    return []


@answers("read", "ListSwarmNetworks")
def list_swarm_networks(core: "Core", caller: Document, params: Document) -> Any:
    """The networks of the first manager that Core has seen."""
    require(core, caller, "Swarm", params["swarm"], "Read")
    raise Refusal("Failed to retrieve swarm networks from any manager node.")


@answers("read", "InspectSwarm")
def inspect_swarm(core: "Core", caller: Document, params: Document) -> Any:
    """The swarm itself."""
    require(core, caller, "Swarm", params["swarm"], "Read", ("Inspect",))
    raise Refusal("SwarmInspectInfo not available")


def unreachable_swarm(swarm: Document) -> Refusal:
    """What Core says after asking every manager in vain."""
    reason = "No managers connected" if swarm["config"]["server_ids"] else "Unknown error"
    return Refusal("Failed to request from Swarm", [reason])


def _asking(specific: Sequence[str]) -> Handler:
    def ask(core: "Core", caller: Document, params: Document) -> Any:
        raise unreachable_swarm(require(core, caller, "Swarm", params["swarm"], "Read", specific))

    return ask


answers("read", *(f"InspectSwarm{what.removesuffix('s')}" for what in _LISTS))(_asking(("Inspect",)))
answers("read", *_LOGS)(_asking(("Logs",)))
