"""What ``pulumi up`` would do, from a preview: which stacks it deploys and why, what it changes in Komodo.

Names of parts and fields only, never their values. As JSON (``homeops plan --json``)::

    {
      "schema": 1,                  a new number when the form changes
      "stack": "prod",              the Pulumi stack
      "complete": true,             false: the preview failed, so what follows is not all; see refusals
      "changes": true,              whether pulumi up has anything to do
      "stacks": [{                  every stack that is deployed, in the order of their deploys
        "name": "frigate", "host": "nvr",
        "due": true,                whether it is deployed
        "first": false,             for the first time
        "leaves": null,             the host that it runs on now, when it moves to another
        "parts": [{                 what makes it due
          "part": "env TZ",
          "how": "changed"          added, changed, removed
        }],
        "after": ["mosquitto"],     the stacks that are deployed before it, due or not
        "deployed": {               the last deploy that ended well; null when there was none
          "commit": "1a2b3c4...", "update": "66f0...", "at": 1767323045.5, "seconds": 12.5
        }
      }],
      "objects": [{                 Komodo's objects, and others, that change
        "kind": "Stack", "name": "frigate",
        "how": "update",            create, adopt (it is in Komodo already), update, replace, delete
        "was": null,                the name that it had, when it is renamed
        "fields": ["config.environment"]
      }],
      "refusals": [],               what pulumi up will not do, and why
      "warnings": [],
      "notes": []                   what exists and is declared nowhere, what a deletion stops, ...
    }
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from graphlib import TopologicalSorter
from typing import Any

from homeops.deploy.due import Due, due
from homeops.komodo.props import differences

SCHEMA = 1

Item = Mapping[str, Any]

_DEPLOY = "komodo:Deploy"
_OURS = ("komodo:Census", "komodo:Core", "komodo:Gate", "komodo:Pushed")
"""Resources that stand for nothing outside of Pulumi."""

_CHANGES = ("create", "update", "replace", "delete")
_EXISTS = re.compile(r'(\w+) "(.*)" exists in Komodo(: it will be adopted| and equals the declaration)?')
_CONSEQUENCES = re.compile(r"(update|preview) failed|Resource monitor has terminated, shutting down")
_SAID_BY_THE_PLAN = re.compile(r'stack "[^"]*" will be redeployed: |\d+ of \d+ stacks will be deployed: ')
_REFUSED = re.compile(r"\bwill refuse\b|\bwill NOT be\b")
_OF_PULUMI = re.compile(r"(error|warning): |\S+ resource '[^']*' has a problem: ")
"""What Pulumi puts before a message."""

_DETAILS = (" ", "komodo http")
"""How the lines begin that go on with the message before them: fields, hints, why Core was not asked."""

_FIELD = re.compile(r"^    ([\w.]+): Komodo has[ ,]", re.MULTILINE)
_WAYS_OUT = re.compile(r"^ +(?:hint|or): .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Last:
    """The last deploy that ended well, as the state has it; ``at``: its end, seconds since 1970."""

    commit: str
    update: str
    at: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """One stack; ``after``: the stacks that are deployed before it."""

    name: str
    host: str
    why: Due
    after: list[str]
    deployed: Last | None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "host": self.host,
            "due": bool(self.why),
            "first": self.why.first,
            "leaves": self.why.moved_from or None,
            "parts": [asdict(change) for change in self.why.changes],
            "after": self.after,
            "deployed": asdict(self.deployed) if self.deployed else None,
        }


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object that changes."""

    kind: str
    name: str
    how: str
    was: str | None = None
    fields: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole."""

    stack: str
    complete: bool
    stacks: list[PlannedStack]
    objects: list[PlannedObject]
    refusals: list[str]
    warnings: list[str]
    notes: list[str]

    @property
    def due(self) -> list[PlannedStack]:
        """The stacks that are deployed, in order."""
        return [stack for stack in self.stacks if stack.why]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.due or self.objects)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "schema": SCHEMA,
            "stack": self.stack,
            "complete": self.complete,
            "changes": self.changes,
            "stacks": [stack.document() for stack in self.stacks],
            "objects": [asdict(item) for item in self.objects],
            "refusals": self.refusals,
            "warnings": self.warnings,
            "notes": self.notes,
        }


def plan_of(stack: str, preview: Item) -> Plan:
    """The plan in a preview (homeops/cli/preview.py)."""
    steps: list[Item] = [step for step in preview.get("steps") or () if step["op"] != "refresh"]
    messages = list(_messages(preview.get("diagnostics") or ()))
    refusals, warnings, notes = _told(messages)
    objects = (_object(step) for step in steps if step["op"] in _CHANGES and _is_object(step))
    return Plan(
        stack,
        preview["exit"] == 0,
        _in_order(_stacks([step for step in steps if step.get("newState")])),
        sorted(_adopted(objects, [text for _, text in messages]), key=lambda item: (item.kind, item.name)),
        refusals,
        warnings,
        notes,
    )


def _state(step: Item) -> Item:
    return _inside(step, "newState") or _inside(step, "oldState")


def _type(step: Item) -> str:
    return str(_state(step).get("type", ""))


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]


def _stacks(steps: Sequence[Item]) -> Iterator[PlannedStack]:
    needs = {str(step["urn"]): step["newState"].get("dependencies") or () for step in steps}
    for step in steps:
        if _type(step).endswith(_DEPLOY):
            new: Item = step["newState"]["inputs"]
            # What the state has without an outcome was never deployed from here.
            old: Item | None = _inside(step, "oldState").get("outputs") or None
            before = sorted(map(_name, _deploys_before(step["urn"], needs)))
            yield PlannedStack(_name(step["urn"]), str(new["server"]), due(old, new), before, _last(old))


def _deploys_before(urn: str, needs: Mapping[str, Iterable[str]]) -> set[str]:
    """The Deploys that a resource waits for, itself or through what it needs, down to the first on each way."""
    found: set[str] = set()
    seen: set[str] = set()
    ahead = [*needs[urn]]
    while ahead:
        need = ahead.pop()
        if _DEPLOY in need:
            found.add(need)
        elif need not in seen:
            seen.add(need)
            ahead += needs.get(need, ())
    return found


def _inside(of: Item, key: str) -> Item:
    return of.get(key) or {}


def _last(outputs: Item | None) -> Last | None:
    if outputs is None:
        return None
    commit, update = (str(outputs.get(key) or "") for key in ("commit", "update"))
    return Last(commit, update, outputs.get("deployedAt"), outputs.get("seconds"))


def _in_order(stacks: Iterable[PlannedStack]) -> list[PlannedStack]:
    known = {stack.name: stack for stack in sorted(stacks, key=lambda stack: stack.name)}
    graph = {name: [other for other in stack.after if other in known] for name, stack in known.items()}
    return [known[name] for name in TopologicalSorter(graph).static_order()]


def _is_object(step: Item) -> bool:
    return bool(_state(step).get("custom")) and not _type(step).endswith((_DEPLOY, *_OURS))


def _object(step: Item) -> PlannedObject:
    old, new = step.get("oldState"), step.get("newState")
    was = _name(old["urn"]) if old and new and _name(old["urn"]) != _name(step["urn"]) else None
    fields: list[str] = []
    if old and new:
        if _type(step).startswith("pulumi-python:dynamic/komodo:"):
            fields = [path for path, _, _ in differences(new["inputs"], old.get("outputs") or old["inputs"])]
        else:
            fields = sorted(step.get("detailedDiff") or step.get("diffReasons") or ())
    return PlannedObject(_type(step).rpartition(":")[2], _name(step["urn"]), step["op"], was, fields)


def _adopted(objects: Iterable[PlannedObject], texts: Iterable[str]) -> Iterator[PlannedObject]:
    """The objects without what is refused; what Komodo has already is not created, but for Pulumi."""
    there = {(found[1], found[2]): (found[3], text) for text in texts if (found := _EXISTS.match(text))}
    for item in objects:
        adopted, text = there.get((item.kind.lower(), item.name), (None, ""))
        if item.how != "create" or not text:
            yield item
        elif adopted:
            yield replace(item, how="adopt", fields=_FIELD.findall(text))


def _told(messages: Iterable[tuple[str, str]]) -> tuple[list[str], list[str], list[str]]:
    """Refusals, warnings and notes, each once; of fields that differ the names alone."""
    refusals: dict[str, None] = {}
    warnings: dict[str, None] = {}
    notes: dict[str, None] = {}
    for severity, text in messages:
        first = text.partition("\n")[0]
        fields = _FIELD.findall(text)
        told = f"{first}: {', '.join(fields)}" if fields else first
        if severity == "error":
            if not _CONSEQUENCES.fullmatch(text):
                refusals[text] = None
        elif severity == "warning" or text.startswith("warning: "):
            warnings[_OF_PULUMI.sub("", text, count=1)] = None
        elif _REFUSED.search(first):
            refusals["\n".join([told, *_WAYS_OUT.findall(text)])] = None
        elif not _SAID_BY_THE_PLAN.match(first) and not _EXISTS.match(first):
            notes[told] = None
    return list(refusals), list(warnings), list(notes)


def _messages(diagnostics: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """Severity and text; what a provider prints comes line by line."""
    lines: list[str] = []
    for item in diagnostics:
        severity, text = str(item["severity"]), str(item["message"]).strip("\n")
        if severity not in ("info", "info#err"):
            text = text.strip()
            while found := _OF_PULUMI.match(text):
                text = text[found.end() :]
            yield severity, text
            continue
        for line in text.splitlines():
            if line.startswith(_DETAILS) and lines:
                lines[-1] += f"\n{line}"
            elif line.strip():
                lines.append(line)
    yield from (("info", line) for line in lines)
