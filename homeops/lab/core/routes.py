"""From a request as it comes off the wire to its answer: routes, credentials, body, decoding, faults."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from homeops.lab.core.agents_looks import StillLooking, answering
from homeops.lab.core.answer import TEXT, Answer, Dropped, error_answer, json_answer, text_answer
from homeops.lab.core.auth import Guard, authenticate, client_address
from homeops.lab.core.decode import decode_request, require_json
from homeops.lab.core.dispatch import Route
from homeops.lab.core.faults import Fault
from homeops.lab.core.references import named_in
from homeops.lab.core.refusal import AgentSilent, Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.users import shown_user

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_LOOK_SECONDS = 0.02
BODY_LIMIT = 2 * 1024 * 1024
_ROUTES: dict[str, tuple[Route, Guard | None]] = {
    "/read": ("read", "enabled"),
    "/write": ("write", "enabled"),
    "/execute": ("execute", "enabled"),
    "/auth/login": ("login", None),
    "/auth/manage": ("manage", "manage"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one of the routes that take typed requests; ``variant`` is its type in the path form."""

    route: Route
    guard: Guard | None
    variant: str | None


def answer_request(core: "Core", method: str, path: str, headers: Mapping[str, str], body: bytes, peer: str) -> Answer:
    """Answer one request; ``headers`` have names in lower case. Raises Dropped where a fault ends the connection."""
    path = path.split("?", 1)[0]
    plain = _plain_answer(core, method, path)
    if plain is not None:
        return plain
    try:
        if path == "/user":
            with core.state.lock:
                user = authenticate(core, headers, peer, "known")
            return json_answer(shown_user(user)) if method in ("GET", "HEAD") else Answer(405)
        request = _typed_route(path)
        if request is None:
            return Answer(404 if method in ("GET", "HEAD") else 405)
        return _typed_answer(core, request, method, headers, body, peer)
    except Refusal as refusal:
        return error_answer(refusal.status, refusal.error, refusal.trace)


def _plain_answer(core: "Core", method: str, path: str) -> Answer | None:
    texts = {"/version": core.settings.version, "/auth/version": core.settings.auth_version}
    if path not in texts:
        return None
    if method not in ("GET", "HEAD"):
        return Answer(405)
    return text_answer(texts[path]) if method == "GET" else Answer(200, b"", TEXT)


def _typed_route(path: str) -> Request | None:
    for prefix, (route, guard) in _ROUTES.items():
        if path == prefix:
            return Request(route, guard, None)
        variant = path.removeprefix(f"{prefix}/")
        if variant != path and variant and "/" not in variant:
            return Request(route, guard, unquote(variant))
    return None


def _typed_answer(
    core: "Core", request: Request, method: str, headers: Mapping[str, str], body: bytes, peer: str
) -> Answer:
    if request.guard is None:
        caller: Document = {"address": client_address(headers, peer)}
    else:
        with core.state.lock:
            caller = authenticate(core, headers, peer, request.guard)
        time.sleep(core.settings.latency_seconds)
    if method != "POST":
        return Answer(405)
    require_json(headers.get("content-type"))
    if len(body) > BODY_LIMIT:
        raise Refusal("Failed to buffer the request body: length limit exceeded", status=413)
    name, params = decode_request(request.route, request.variant, body)
    with core.state.lock:
        core.requests[f"{request.route} {name}"] += 1
        fault = core.faults.of(request.route, name, named_in(core.state, params))
    spoiled = _spoil(fault, name) if fault is not None else None
    if spoiled is not None:
        return spoiled
    try:
        return _called(core, request.route, name, caller, params)
    finally:
        if fault is not None and fault.effect == "drop_after":
            raise Dropped


def _called(core: "Core", route: Route, name: str, caller: Document, params: Document) -> Answer:
    """What Core answers; a read waits for an agent, and others meanwhile get their answers."""
    began = time.monotonic()
    deadline = began + core.settings.silence_seconds
    while True:
        try:
            # Answers may share what the state holds, so they are written while it is locked.
            with core.state.lock, answering(again=route == "read", began=began):
                if core.down:
                    raise Dropped
                return json_answer(core.call(route, name, caller, params))
        except StillLooking as look:
            while look.still():
                time.sleep(_LOOK_SECONDS)
        except AgentSilent as silence:
            while silence.still() and route == "read" and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)
            if silence.still():
                raise


def _spoil(fault: Fault, name: str) -> Answer | None:
    """What the client gets instead of Core's answer; None when the request goes on."""
    match fault.effect:
        case "status":
            return error_answer(fault.status, fault.error, [])
        case "locked":
            return error_answer(429, "Too many attempts | Try again in 15s", [])
        case "busy":
            kind = name.removeprefix("Update").removeprefix("Delete").removeprefix("Rename")
            return error_answer(500, f"{kind} busy", [])
        case "html":
            return Answer(200, b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html; charset=utf-8")
        case "redirect":
            return Answer(302, b"", None, {"Location": "https://login.example.invalid/"})
        case "drop_before":
            raise Dropped
        case "delay":
            time.sleep(fault.seconds)
            return None
        case "drop_after" | "hangs" | "hangs_done":
            return None
