"""The simulator's own door, ``/lab/...``, which a real Core does not have; it takes no credentials.

=======================  ===============================================================================
``GET /lab/faults``       the rules in force
``POST /lab/faults``      put a rule in force: the fields of :class:`~homeops.lab.core.faults.Fault` as JSON
``DELETE /lab/faults``    take all rules away
``POST /lab/host``        do something to a host, see :func:`~homeops.lab.core.control_hosts.change_host`
``POST /lab/behaviour``   what shall go wrong in a compose project of a host, see ``change_behaviour`` there
``POST /lab/restart``     ``{"seconds": 5}``: Core ends now, refuses connections so long, and begins again
``POST /lab/clock``       ``{"ahead": 7200}``: Core's clock is so many seconds ahead of this machine's
``GET /lab/requests``     how often each request was answered: ``{"read GetVersion": 3, ...}``
``POST /lab/reset``       begin again with an empty Core, the first user and its key pair as they were
``GET /lab/state``        everything that this Core holds, secrets included
=======================  ===============================================================================
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.answer import Answer, error_answer, json_answer
from homeops.lab.core.clock import SystemClock
from homeops.lab.core.control_hosts import change_behaviour, change_host
from homeops.lab.core.faults import Fault

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_ANSWER_SECONDS = 0.1
"""So long after its answer a Core ends that was told to, so that the answer arrives."""


def answer_control(core: "Core", method: str, path: str, body: bytes) -> Answer:
    """Answer a request to the simulator itself."""
    match method, path:
        case "GET", "/lab/faults":
            return json_answer(core.faults.documents())
        case "DELETE", "/lab/faults":
            core.faults.clear()
            return json_answer([])
        case "GET", "/lab/requests":
            return json_answer(dict(sorted(core.requests.items())))
        case "POST", "/lab/reset":
            core.reset()
            return json_answer({})
        case "GET", "/lab/state":
            return json_answer(core.dump())
        case "POST", _ if path in _CHANGES:
            try:
                return json_answer(_CHANGES[path](core, json.loads(body or b"{}")))
            except (ValueError, TypeError, LookupError) as error:
                return error_answer(422, f"{path.removeprefix('/lab/').removesuffix('s')}: {error}", [])
        case _:
            return error_answer(404, f"{method} {path}: the simulator has no such door", [])


def _fault(core: "Core", document: dict[str, Any]) -> Any:
    core.faults.rules.append(Fault(**document))
    return core.faults.documents()


def _restart(core: "Core", document: dict[str, Any]) -> Any:
    from homeops.lab.core.executions_restart import restart_core

    seconds = float(document["seconds"])

    def soon() -> None:
        core.clock.sleep(_ANSWER_SECONDS)
        restart_core(core, seconds)

    core.background(soon)
    return document


def _clock(core: "Core", document: dict[str, Any]) -> Any:
    if not isinstance(core.clock, SystemClock):
        raise ValueError("is moved by whoever made this Core")
    core.clock.ahead = float(document["ahead"])
    return document


_CHANGES: dict[str, Callable[["Core", dict[str, Any]], Any]] = {
    "/lab/faults": _fault,
    "/lab/host": change_host,
    "/lab/behaviour": change_behaviour,
    "/lab/restart": _restart,
    "/lab/clock": _clock,
}
