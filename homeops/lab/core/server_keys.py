"""The key by which Core knows the agent of a Server (api/write/server.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import error_and_trace
from homeops.lab.core.executions_logs import bold, log
from homeops.lab.core.references import permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import no_connection, server_state
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import finish, new_update

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_FAILED = "Failed to rotate Periphery private key"


@answers("write", "UpdateServerPublicKey")
def update_server_public_key(core: "Core", caller: Document, params: Document) -> Any:
    """Expect another key from now on; any text will do. Answers with the Update."""
    server = permitted(core, caller, "Server", params["server"], "Write")
    return _expect(core, caller, server, params["public_key"])


@answers("write", "RotateServerKeys")
def rotate_server_keys(core: "Core", caller: Document, params: Document) -> Any:
    """Let the agent of a Server make itself a new key, and expect that one. Answers with the Update."""
    server = permitted(core, caller, "Server", params["server"], "Write")
    match server_state(core, server):
        case "Disabled":
            raise Refusal("server not enabled")
        case "Ok":
            return _expect(core, caller, server, rotated_key(core, server))
        case _:
            reason = no_connection(core, server)
            raise Refusal(_FAILED, [reason["error"], *reason["trace"]])


def rotated_key(core: "Core", server: Document) -> str:
    """The public key of the new one that the agent of a Server made itself; refused where it made none."""
    try:
        agent = core.agents.the(server)
        with core.state.lock.released():
            return agent.rotated_key()
    except AgentFailure as failure:
        error, trace = error_and_trace(failure)
        raise Refusal(_FAILED, [error, *trace]) from failure


def _expect(core: "Core", caller: Document, server: Document, key: str) -> Document:
    server["info"] = server["info"] | {"public_key": key}
    target = {"type": "Server", "id": server["_id"]["$oid"]}
    update = new_update(core, "UpdateServerKey", target, caller["_id"]["$oid"])
    update["logs"] = [log("Update Server Public Key", stdout=f"Public key updated to {bold(key)}")]
    return finish(core, update)
