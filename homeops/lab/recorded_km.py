"""What ``km``, Komodo's own command, asks Core and prints of the answers (bin/cli), for conversations that hold it.

The program itself is not here: its side is played from what the recording shows that it was told to do. What it says
without asking Core (its version, wrong arguments, a missing ENTER) is not judged: it tells nothing of Core.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from homeops.lab.core.answer import Answer
from homeops.lab.core.resource_states import STATES
from homeops.lab.recording import Bindings, Difference

Document = dict[str, Any]

_DATA = re.compile(
    r"\nMode: Execution\nData: (?P<shown>(?P<name>\w+) \{ (?P<params>.*) \})\n\n(?P<enter>Press ENTER .*\n\n)?"
)
_PARAMETER = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*"|\[\]|None)(?:, |$)')
_INFO = "\x1b[2mnow\x1b[0m \x1b[32m INFO\x1b[0m Running Execution...\n"
_UNREACHED = "ERROR: failed to reach Komodo API\n"
_WRONG = {"X-API-KEY": "K_wrong_K", "X-API-SECRET": "S_wrong_S"}


_LISTS = ("list", "ls")


def asks_core(step: Document) -> bool:
    """Whether the command came so far as to ask Core."""
    return step["cli"][1] in _LISTS or "Running Execution" in step["stdout"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the command printed, and its exit code."""

    stdout: str = ""
    stderr: str = ""
    exit: int = 0


@dataclass(frozen=True, slots=True)
class RecordedKm:
    """``send`` asks Core (None: nobody answered), ``follow`` waits for the end of an Update; ``host`` is in links."""

    send: Callable[[Document], Answer | None]
    follow: Callable[[str], Document]
    bindings: Bindings
    host: str

    def play(self, step: Document) -> list[Difference]:
        """Do what the command does; what it prints is compared with what was recorded."""
        if not asks_core(step):
            return []
        _, verb, *options = step["cli"]
        said = self._list(options[0], options, step) if verb in _LISTS else self._execute(step)
        found: list[Difference] = []
        for name in ("stdout", "stderr", "exit"):
            found += self.bindings.differences(step[name], getattr(said, name), name)
        return found

    def _ask(self, route: str, request: str, params: Document, step: Document) -> tuple[int, Any]:
        """Status and answer; 0 when nobody answered."""
        asked: Document = {"method": "POST", "path": f"/{route}", "body": {"type": request, "params": params}}
        asked |= {"headers": _WRONG} if step["as"] == "a wrong key" else {"as": step["as"]}
        answer = self.send(asked)
        return (0, None) if answer is None else (answer.status, json.loads(answer.body))

    def _execute(self, step: Document) -> Said:
        told = _DATA.match(step["stdout"])
        if told is None:
            raise ValueError(f"no execution in {step['stdout']!r}")
        params = {
            name: None if value == "None" else json.loads(value) for name, value in _PARAMETER.findall(told["params"])
        }
        said = told[0] + _INFO
        status, answer = self._ask("execute", told["name"], params, step)
        match status:
            case 0:
                return Said(said, _UNREACHED, 1)
            case 401:
                return Said(said, "ERROR: 401 Unauthorized\n", 1)
            case 200:
                return self._followed(said, answer, step)
            case _:
                context = (
                    f'    context: "{status} Internal Server Error",\n    source: {json.dumps(answer["error"])},\n'
                )
                return Said(f"{said}\x1b[2mnow\x1b[0m \x1b[31mERROR\x1b[0m Error {{\n{context}}}\n")

    def _followed(self, said: str, answer: Document | list[Document], step: Document) -> Said:
        updates = [answer] if isinstance(answer, dict) else [item["data"] for item in answer]
        for update in updates:
            said += f"Link: '{self._link(update)}'\n"
        failed = ""
        for update in updates:
            if "_id" not in update:
                # It asks for the Update without an id.
                status, _ = self._ask("read", "GetUpdate", {"id": ""}, step)
                return Said(said, f"ERROR: {status} Internal Server Error\n", 1)
            if self.follow(update["_id"]["$oid"])["success"]:
                said += "FINISHED in 1s: EXECUTION SUCCESSFUL\n"
            else:
                failed += "FINISHED in 1s: EXECUTION FAILED\n"
        return Said(said, failed)

    def _link(self, update: Document) -> str:
        if "_id" in update:
            return f"{self.host}/updates/{update['_id']['$oid']}"
        return f"{self.host}/{update['target']['type'].lower()}s/{update['target']['id']}"

    def _list(self, kind: str, options: Sequence[str], step: Document) -> Said:
        names = [name for flag, name in pairwise(options) if flag == "-n"]
        request = {"stacks": "ListStacks", "servers": "ListServers"}[kind]
        status, answer = self._ask("read", request, {"query": {"names": names}, "limit": 0}, step)
        if status != 200:
            return Said("", "ERROR: 401 Unauthorized\n" if status else _UNREACHED, 1)
        items: list[Document] = answer
        tags = {tag["_id"]["$oid"]: tag["name"] for tag in self._ask("read", "ListTags", {}, step)[1]}
        states = STATES[request.removeprefix("List").removesuffix("s")]
        items.sort(key=lambda item: (states.index(item["info"]["state"]), item["name"]))
        for item in items:
            item["tags"] = [tags[tag] for tag in item["tags"]]
            if kind == "stacks":
                item["info"]["server_id"] = item["info"]["server_name"]
        if "json" in options:
            return Said(json.dumps(items, indent=2) + "\n")
        where = {"stacks": "server_name", "servers": "address"}[kind]
        head = [kind.removesuffix("s").capitalize(), "State", {"stacks": "Server", "servers": "Address"}[kind], "Tags"]
        rows = [
            [item["name"], _kebab(item["info"]["state"]), item["info"][where], ", ".join(item["tags"])]
            for item in items
        ]
        return Said("".join(_table([head, *rows])) if items else "")


def _kebab(state: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", state).lower()


def _table(rows: list[list[str]]) -> Iterator[str]:
    """A table with a double line under its head."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    length = sum(widths) + 3 * len(widths) - 1
    yield "─" * length + "\n"
    for number, row in enumerate(rows):
        yield " ".join(f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)) + "\n"
        yield ("─" if number else "═") * length + "\n"
