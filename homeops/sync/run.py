"""A sync that is run, followed to its end, and the truth about its deploys.

Komodo counts a deploy within a sync as done once it was begun: RunSync succeeds although compose failed, and goes on to
what comes after (transcript 96c). So the Updates of the deploys themselves are read, and then the containers looked at,
because compose knows nothing of health. As JSON, under ``ran``::

    {
      "ok": false,                  all of it went well
      "update": "66f0...",          id of RunSync's own Update
      "seconds": 12.5,
      "commit": "1a2b3c4",          what it applied; empty when it is not from git
      "failures": [],               what went wrong beside the deploys, in words
      "deploys": [{
        "kind": "Stack", "name": "web", "host": "nvr",
        "result": "healthy",        healthy, unhealthy, unknown: what the containers show; deployed: on a swarm, where
                                    nobody looks at them; failed, not begun, under way
        "reason": "",               of its failure
        "seconds": 3.1,             null when it has no end
        "update": "66f0..."
      }],
      "pending": []                 what is pending all the same
    }
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from homeops.deploy.containers import Verdict
from homeops.deploy.health import container_until_healthy, listed, until_healthy
from homeops.deploy.order import Order, Unhealthy, tail
from homeops.errors import HomeopsError, KomodoError
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client
from homeops.komodo.updates import Log, Update, follow, update_of
from homeops.secrets.masking import masked
from homeops.sync.changes import changes_of, deploys_of, errors_of
from homeops.sync.plan import Plan

Item = Mapping[str, Any]

SYNC_USER = "000000000000000000000005"
"""The id of Komodo's own user under which a sync works."""

OPERATIONS = {"DeployStack": "Stack", "Deploy": "Deployment"}
"""The operations of deploys within a sync, and what they deploy."""

GOOD = ("healthy", "deployed")
_AT_ONCE = 8
_BUSY = "Resource is busy"


class Listener(Protocol):
    """Whoever shows it."""

    def working(self, text: str) -> None:
        """What is being done at this moment; the next one takes its place."""
        ...

    def line(self, text: str) -> None:
        """Something to keep."""
        ...


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deploy within the sync, in the form that the module describes."""

    kind: str
    name: str
    host: str
    result: str
    reason: str = ""
    seconds: float | None = None
    update: str = ""

    @property
    def where(self) -> str:
        """As messages begin."""
        return f'{self.kind.lower()} "{self.name}"' + (f" on {self.host}" if self.host else "")


@dataclass(frozen=True)
class Outcome:
    """What came of a run, in the form that the module describes."""

    update: str
    seconds: float
    commit: str = ""
    failures: Sequence[str] = ()
    deploys: Sequence[Deployed] = ()
    pending: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether all of it went well and nothing is left to do."""
        return not self.failures and not self.pending and all(one.result in GOOD for one in self.deploys)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"ok": self.ok, **asdict(self)}


@dataclass(frozen=True)
class Rollouts:
    """How stacks are judged: by name as the fleet declares it, else by the site's defaults (homeops.model.rollout)."""

    default: Mapping[str, Any]
    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def of(self, stack: str) -> Mapping[str, Any]:
        """Of one stack."""
        return self.stacks.get(stack, self.default)


def run(client: Client, plan: Plan, rollouts: Rollouts, listener: Listener, *, deadline: float) -> Outcome:
    """Run the sync and wait for its end, at most ``deadline`` seconds, and for its stacks to be healthy.

    Raises DeployFailed when it is still running then, KomodoError when Core cannot be asked.
    """
    at = plan.at
    begun = update_of(client.execute("RunSync", {"sync": at.name, **at.selection.params}))
    watch = _Watch(client, begun, listener)
    update = follow(client, begun.id, deadline=deadline, on_progress=watch.look)
    deploys = _judged(client, watch.deploys(update), rollouts, listener)
    document: Any = client.read("GetResourceSync", {"sync": at.name})
    info: Item = document["info"]
    failures = _failures(update)
    applied = str(info.get("last_sync_hash") or "")
    if update.success and plan.commit.hash and applied and applied != plan.commit.hash:
        failures.append(
            f"somebody pushed in between: commit {applied} was applied, and {plan.commit.hash} is what was shown"
        )
    return Outcome(
        update=update.id,
        seconds=_seconds(update) or 0.0,
        commit=applied if update.success else "",
        failures=failures,
        deploys=deploys,
        pending=_pending(info, Catalogue(client), plan, deploys),
    )


class _Watch:
    """The deploys that a sync began, found by who made them and when."""

    def __init__(self, client: Client, update: Update, listener: Listener) -> None:
        self._client, self._begun, self._listener = client, update, listener
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._told: set[str] = set()

    def look(self, seconds: float, update: Update | None) -> None:
        """Tell what is under way; Core being silent is no news."""
        if update is None:
            self._listener.working(f"{seconds:.0f} s: Core does not answer; waiting for it")
            return
        try:
            items = self._items(None)
            under_way = [self._name(item)[0] for item in items if item["status"] != "Complete"]
            for item in items:
                if item["status"] == "Complete" and item["id"] not in self._told:
                    self._told.add(str(item["id"]))
                    name, host = self._name(item)
                    where = f"{name} on {host}" if host else name
                    self._listener.line(f"{where}: {'composed' if item['success'] else 'FAILED'}")
        except KomodoError:
            under_way = []
        now = f"deploying {', '.join(sorted(under_way))}" if under_way else "applying"
        self._listener.working(f"{seconds:.0f} s: {now}")

    def deploys(self, update: Update) -> list[Deployed]:
        """All of them, in the order in which they began."""
        items = sorted(self._items(update.end_ts), key=lambda item: (item["start_ts"], str(item["id"])))
        return [self._deployed(item, update) for item in items]

    def _deployed(self, item: Item, sync: Update) -> Deployed:
        name, host = self._name(item)
        kind = OPERATIONS[str(item["operation"])]
        made = Deployed(kind, name, host, "deployed", update=str(item["id"]))
        update = update_of(self._client.read("GetUpdate", {"id": item["id"]}))
        if not update.complete:
            # Where it could not be begun Core never ends its Update; where Core ended, the sync did too.
            begun = not sync.success and not sync.cut_short
            reason = "Komodo could not begin it; the sync's own log says why" if begun else "it goes on by itself"
            return replace(made, result="not begun" if begun else "under way", reason=reason)
        made = replace(made, seconds=_seconds(update))
        if update.success:
            return made
        return replace(made, result="failed", reason=_words(update.failed))

    def _items(self, until: int | None) -> list[Item]:
        """The Updates of a sync's deploys since this one began: page by page, the newest first."""
        begun: dict[str, Any] = {"$gte": self._begun.start_ts} | ({"$lte": until} if until else {})
        query = {"operator": SYNC_USER, "operation": {"$in": list(OPERATIONS)}, "start_ts": begun}
        found: list[Item] = []
        page: int | None = 0
        while page is not None:
            answer: Any = self._client.read("ListUpdates", {"query": query, "page": page})
            found += answer["updates"]
            page = answer.get("next_page")
        return found

    def _name(self, item: Item) -> tuple[str, str]:
        """Name and host of what an Update is about: made by the sync itself, perhaps, so listed when first seen."""
        target = (str(item["target"]["type"]), str(item["target"]["id"]))
        if target not in self._names:
            answer: Any = self._client.read(f"List{target[0]}s", {"query": {}, "limit": 0})
            servers: Any = self._client.read("ListServers", {"query": {}, "limit": 0})
            hosts = {str(one["id"]): str(one["name"]) for one in servers}
            for one in answer:
                host = hosts.get(str(one["info"].get("server_id") or ""), "")
                self._names[target[0], str(one["id"])] = str(one["name"]), host
        return self._names.get(target, (target[1], ""))


def _judged(client: Client, deploys: Iterable[Deployed], rollouts: Rollouts, listener: Listener) -> list[Deployed]:
    """The deploys with what their containers show; the last one of each Stack and Deployment counts."""
    found = list({(one.kind, one.name): one for one in deploys}.values())

    def judge(one: Deployed) -> Deployed:
        if one.result != "deployed":
            return one
        stack = one.kind == "Stack"
        order = Order(one.name, one.host, {}, rollouts.of(one.name) if stack else rollouts.default)
        try:
            document: Any = client.read(f"Get{one.kind}", {one.kind.lower(): one.name})
            if document["config"]["swarm_id"]:
                return one
            verdicts: Mapping[str, Verdict]
            if stack:
                _, verdicts = until_healthy(client, order, document, listener.line)
            else:
                verdicts = {one.name: container_until_healthy(client, order, listener.line)}
        except Unhealthy as error:
            return replace(one, result="unhealthy", reason=error.problems[0].what)
        except HomeopsError as error:
            return replace(one, result="unknown", reason=error.problems[0].what)
        listener.line(f"{one.name} on {one.host}: {listed(verdicts)}")
        return replace(one, result="healthy")

    if any(one.result == "deployed" for one in found):
        listener.working("looking at the containers")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(judge, found))


def _failures(update: Update) -> list[str]:
    if update.success:
        return []
    if update.cut_short:
        return ["Core restarted in the middle of it; what is missing is pending: run it again"]
    if update.failed and _BUSY in update.failed.stderr:
        return ["another run of it is under way; nothing was changed by this one: run it again when that has ended"]
    found = [_words(log) for log in update.logs if not log.success]
    return found or ["it failed, and Komodo does not say why"]


def _words(log: Log | None) -> str:
    """A stage that failed with the lines that say why."""
    if log is None:
        return "it failed, and Komodo does not say why"
    lines = [line for line in (log.stderr.strip() or log.stdout.strip()).splitlines() if line.strip()]
    told = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines
    text = masked("\n".join(told)) or "no output"
    return f"{log.stage}: {text}" if len(told) == 1 else f"{log.stage}:\n{tail(text)}"


def _pending(info: Item, catalogue: Catalogue, plan: Plan, deploys: Iterable[Deployed]) -> list[str]:
    """What is pending after the run, without the deploys that are told as failed."""
    told = {(one.kind, one.name) for one in deploys if one.result not in GOOD}
    left = [
        f"{change.how} {change.kind.lower()} {change.name}"
        for change in changes_of(info, catalogue.name_of)
        if change.key in plan.at.selection
    ]
    due = [one for one in deploys_of(info) if one.key in plan.at.selection]
    left += [f"deploy {one.kind.lower()} {one.name}: {one.reason}" for one in due if one.key not in told]
    return [*left, *(f"{path}: {text}" if path else text for path, text in errors_of(info))]


def _seconds(update: Update) -> float | None:
    return round((update.end_ts - update.start_ts) / 1000, 1) if update.end_ts else None
