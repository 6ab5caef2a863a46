"""Play recorded conversations against a simulated Core: ``python -m homeops.lab.replay FILE...``.

One line per file, ``FILE: N of M steps match``. With ``-v`` the first differences follow, with ``-vv`` all of them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homeops.lab.core.answer import JSON, Answer, Dropped
from homeops.lab.core.clock import SteppedClock
from homeops.lab.core.core import Core
from homeops.lab.core.heartbeat import Heartbeat
from homeops.lab.core.settings import Settings
from homeops.lab.recorded_feed import RecordedFeed
from homeops.lab.recorded_km import RecordedKm
from homeops.lab.recorded_world import ADDRESSES, RecordedWorld, core_secrets
from homeops.lab.recording import Bindings, Difference

Step = dict[str, Any]
_POLL_SECONDS = 0.05
_POLL_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Played:
    """One step and how it went: no differences means that the answer was the recorded one."""

    index: int
    step: Step
    differences: list[Difference]


@dataclass
class Replay:
    """One conversation on a Core of its own."""

    recording: dict[str, Any]
    core: Core = field(init=False)
    bindings: Bindings = field(init=False)
    feed: RecordedFeed = field(init=False)
    clock: SteppedClock = field(init=False)
    heart: Heartbeat = field(init=False)
    identities: dict[str, dict[str, str]] = field(init=False)
    world: RecordedWorld | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.clock = SteppedClock()
        # Where schedules are recorded, the next multiple of 5 s came before the next of 3 s.
        self.clock.advance((3.5 - self.clock.now()) % 60)
        if "world" not in self.recording and "periphery" in self.recording["needs"]:
            self.recording = _with_host(self.recording)
        world: dict[str, Any] | None = self.recording.get("world")
        settings = Settings.of_environment(self.recording.get("core_config") or {})
        if world is not None:
            settings = replace(
                settings, secrets=core_secrets(world.get("core_config") or []), host="http://127.0.0.1:9320"
            )
        self.core = Core(settings, clock=self.clock)
        self.heart = Heartbeat(self.core)
        settings = self.core.settings
        known = {"key:0": settings.admin_key, "secret:0": settings.admin_secret, "periphery": ADDRESSES["alpha"]}
        self.bindings = Bindings(known)
        self.feed = RecordedFeed(self.core, self.bindings)
        if world is not None:
            self.world = RecordedWorld(world, self.recording["steps"], self.core, self.bindings, self.clock)
        admin = next(iter(self.core.state.users))
        self.identities = {
            "admin": {"X-API-KEY": settings.admin_key, "X-API-SECRET": settings.admin_secret},
            "admin-jwt": {"Authorization": self.core.tokens.issue(admin, self.core.now())},
        }

    def play(self) -> list[Played]:
        """Play every step; a step that differs does not end the conversation."""
        return [Played(index, step, self._attempt(step)) for index, step in enumerate(self.recording["steps"])]

    def _attempt(self, step: Step) -> list[Difference]:
        """Play one step; one that cannot be played, for want of what an earlier one should have left, differs."""
        try:
            return list(self._play_step(step))
        except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
            return [Difference("step", "to be played", f"{type(error).__name__}: {error}")]

    def _play_step(self, step: Step) -> list[Difference]:
        match step:
            case {"wait_seconds": seconds}:
                self._pass(seconds)
                return []
            case {"wait_update": update}:
                body = {"type": "GetUpdate", "params": {"id": update}}
                request = {"method": "POST", "path": "/read", "body": body}
                return self._poll({**request, "status": 200, "response": step["response"]}, finished=True)
            case {"wait_until": request}:
                return self._poll({**request, "status": step["status"], "response": step["response"]})
            case {"parallel": requests}:
                return self._parallel(requests, step)
            case {"ws": _}:
                self.clock.settle()
                return self.feed.play(step)
            case {"cli": _}:
                return RecordedKm(self._send, self._followed, self.bindings, self.core.settings.host).play(step)
            case {"world": world} if self.world is not None:
                return self.world.play(world)
            case {"no_answer": said, "method": _, "path": _}:
                answer = self._send(step)
                return [] if answer is None else [Difference("answer", said, answer.status)]
            case {"method": _, "path": _, "status": _}:
                return self._compare(step, self._send(step))
            case _:
                form = next(iter(step), "an empty step")
                return [Difference("step", "a form that the replay knows", form)]

    def _pass(self, seconds: float) -> None:
        """Let time pass, at most a second at once, so that schedules fire."""
        while seconds > 0:
            self.clock.advance(min(seconds, 1.0))
            self.heart.beat()
            seconds -= 1.0

    def _send(self, request: Step) -> Answer | None:
        # What runs in the background comes as far as it can without time passing.
        self.clock.settle()
        headers = {"Content-Type": JSON} | self._credentials(request)
        for name, value in self.bindings.fill(request.get("headers") or {}).items():
            headers = {known: kept for known, kept in headers.items() if known.lower() != name.lower()}
            if value is not None:
                headers[name] = value
        try:
            return self.core.answer(request["method"], request["path"], headers, self._body(request))
        except Dropped:
            return None

    def _credentials(self, request: Step) -> dict[str, str]:
        if "headers" in request:
            return {}
        return self.identities.get(request.get("as", "admin"), {})

    def _body(self, request: Step) -> bytes:
        raw = self.bindings.fill(request.get("raw_body"))
        if isinstance(raw, dict):
            return f"{raw['start']}{raw['repeat'] * raw['times']}{raw['end']}".encode()
        if isinstance(raw, str):
            return raw.encode()
        if "body" not in request:
            return b""
        body = self.bindings.fill(request["body"])
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    def _compare(self, step: Step, answer: Answer | None) -> list[Difference]:
        if answer is None:
            return [Difference("answer", step["status"], "the connection was dropped")]
        found = list[Difference]()
        if answer.status != step["status"]:
            found.append(Difference("status", step["status"], answer.status))
        expected_type = step.get("content_type", JSON)
        if answer.content_type != expected_type:
            found.append(Difference("content_type", expected_type, answer.content_type))
        text = answer.body.decode("utf-8", "replace")
        if self.world is None and self.core.agents.directory is not None:
            # Where nothing is said of the world, Core's own files lay at the root of its disk.
            text = text.replace(str(self.core.agents.directory / "core"), "")
        actual = json.loads(text) if answer.content_type == JSON else text
        found.extend(self.bindings.differences(step["response"], actual))
        self._remember(step, actual)
        return found

    def _remember(self, step: Step, actual: Any) -> None:
        """Keep the key pair that a service user was given, or a token, for steps that are sent ``as`` that user."""
        body = step.get("body")
        match body, actual:
            case {"type": "CreateApiKeyForServiceUser", "params": {"user_id": user}}, {"key": key, "secret": secret}:
                document = self.core.state.users.get(self.bindings.fill(user))
                if document is not None:
                    self.identities[document["username"]] = {"X-API-KEY": key, "X-API-SECRET": secret}
            case {"type": "LoginLocalUser", "params": {"username": username}}, {"data": {"jwt": jwt}}:
                self.identities[f"{username}-jwt"] = {"Authorization": jwt}
            case _:
                pass

    def _poll(self, step: Step, *, finished: bool = False) -> list[Difference]:
        """Ask until the answer is the recorded one; with ``finished`` until the Update is complete."""
        found = list[Difference]()
        for _ in range(_POLL_LIMIT):
            before = dict(self.bindings.values)
            answer = self._send(step)
            found = self._compare(step, answer)
            complete = answer is not None and b'"status":"Complete"' in answer.body
            if not found or (finished and complete):
                return found
            self.bindings.values = before
            self._pass(_POLL_SECONDS)
        return found

    def _followed(self, update: str) -> dict[str, Any]:
        """An Update once it is complete."""
        body = {"type": "GetUpdate", "params": {"id": update}}
        for _ in range(_POLL_LIMIT):
            answer = self._send({"method": "POST", "path": "/read", "body": body})
            document: dict[str, Any] = json.loads(answer.body) if answer is not None else {}
            if document.get("status") == "Complete":
                return document
            self._pass(_POLL_SECONDS)
        raise TimeoutError(f"Update {update} does not end")

    def _parallel(self, requests: list[Step], step: Step) -> list[Difference]:
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = list(pool.map(self._send, requests))
        if "responses" in step:
            pairs = zip(step["responses"], answers, strict=True)
            return [difference for expected, answer in pairs for difference in self._compare(expected, answer)]
        before = dict(self.bindings.values)
        nearest = list[Difference]()
        for outcome in step["outcomes"]:
            self.bindings.values = dict(before)
            found = self._outcome(outcome, answers)
            if not found:
                return []
            nearest = found if not nearest or len(found) < len(nearest) else nearest
        return nearest

    def _outcome(self, outcome: list[Step], answers: Sequence[Answer | None]) -> list[Difference]:
        """Whether the answers are those of an outcome in some order."""
        rest, found = list(answers), list[Difference]()
        for expected in outcome:
            before = dict(self.bindings.values)
            for answer in rest:
                self.bindings.values = dict(before)
                differences = self._compare(expected, answer)
                if not differences:
                    rest.remove(answer)
                    break
            else:
                found.append(Difference("outcome", expected, [answer and answer.body[:300] for answer in rest]))
        return found


def _with_host(recording: dict[str, Any]) -> dict[str, Any]:
    """A recording in which a host answers at ``<periphery>``, told as those recordings that have a world."""
    told: dict[str, Any] = json.loads(json.dumps(recording).replace("/etc/komodo", "<dir>/periphery"))
    return told | {"world": {"servers_reachable": {ADDRESSES["alpha"]: True}}}


def play_file(path: Path) -> list[Played]:
    """Play one recording."""
    return Replay(json.loads(path.read_text(encoding="utf-8"))).play()


def _title(step: Step) -> str:
    text = json.dumps({name: value for name, value in step.items() if name != "response"}, ensure_ascii=False)
    return text if len(text) < 400 else f"{text[:400]}…"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the files named on the command line; 1 when a step differs."""
    parser = argparse.ArgumentParser(prog="homeops.lab.replay", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-v", "--verbose", action="count", default=0)
    options = parser.parse_args(arguments)
    wrong_files = 0
    for path in options.files:
        played = play_file(path)
        wrong = [step for step in played if step.differences]
        wrong_files += bool(wrong)
        print(f"{path.name}: {len(played) - len(wrong)} of {len(played)} steps match", flush=True)
        limit = {0: 0, 1: 3}.get(options.verbose, len(wrong))
        for step in wrong[:limit]:
            print(f"  step {step.index}: {_title(step.step)}")
            for difference in step.differences[: 5 if options.verbose < 3 else None]:
                text = str(difference)
                print(f"    {text if options.verbose > 1 else text[:1000]}")
    return 1 if wrong_files else 0


if __name__ == "__main__":
    sys.exit(main())
