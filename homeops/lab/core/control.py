"""The simulator's own door, ``/lab/...``, which a real Core does not have; it takes no credentials.

====================  ==================================================================================
``GET /lab/faults``    the rules in force
``POST /lab/faults``   put a rule in force: the fields of :class:`~homeops.lab.core.faults.Fault` as JSON
``DELETE /lab/faults`` take all rules away
``GET /lab/requests``  how often each request was answered: ``{"read GetVersion": 3, ...}``
``POST /lab/reset``    begin again with an empty Core, the first user and its key pair as they were
``GET /lab/state``     everything that this Core holds, secrets included
====================  ==================================================================================
"""

import json
from typing import TYPE_CHECKING

from homeops.lab.core.answer import Answer, error_answer, json_answer
from homeops.lab.core.faults import Fault

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def answer_control(core: "Core", method: str, path: str, body: bytes) -> Answer:
    """Answer a request to the simulator itself."""
    match method, path:
        case "GET", "/lab/faults":
            return json_answer(core.faults.documents())
        case "POST", "/lab/faults":
            try:
                core.faults.rules.append(Fault(**json.loads(body)))
            except (ValueError, TypeError) as error:
                return error_answer(422, f"fault: {error}", [])
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
        case _:
            return error_answer(404, f"{method} {path}: the simulator has no such door", [])
