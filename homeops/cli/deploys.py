"""Every deploy that is known: receipts of this machine, and Komodo's own records of those that left none here.

As JSON (``homeops history --json``)::

    {
      "schema": 1,                  a new number when the form changes
      "stack": "prod",              the Pulumi stack
      "komodo": null,               why Komodo was not asked; null when it was
      "deploys": [{                 the newest first
        "name": "frigate",
        "host": "nvr",              null where only Komodo knows of it
        "result": "healthy",        healthy, failed, rolled back, unknown; of Komodo, which does not look at health:
                                    deployed, failed, under way
        "began": "2026-01-02T03:04:05+00:00",
        "seconds": 12.5,            null while it is under way, or cut short by a restart of Core
        "commit": "1a2b3c4...",     what ran afterwards; empty when that is not known, as are the following
        "commit_before": "0f9e8d7...",
        "images_before": {"frigate": "name@sha256:..."},
        "images_after": {"frigate": "name@sha256:..."},
        "update": "66f0...",        id of Komodo's Update
        "why": ["env TZ"],          the parts that made it due
        "reason": "",               of its failure
        "by": "pulumi up",          or homeops rollback; else Komodo's name of whoever did it
        "receipt": true             whether this machine has its receipt
      }]
    }
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from homeops.deploy.receipts import Receipt, first_line
from homeops.komodo.client import Client
from homeops.komodo.updates import update_of

SCHEMA = 1
OPERATIONS = ("DeployStack", "DeployStackService")
"""Komodo's names of deploys; DeployStackIfChanged, batches, procedures and syncs are recorded as these."""

_CLOCKS = 2.0
"""By how many seconds the clocks of Core and of this machine may differ for a receipt and an Update to be the same."""

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deploy, in the form that the module describes."""

    name: str
    host: str | None
    result: str
    began: str
    seconds: float | None
    commit: str = ""
    commit_before: str = ""
    images_before: dict[str, str] = field(default_factory=dict[str, str])
    images_after: dict[str, str] = field(default_factory=dict[str, str])
    update: str = ""
    why: list[str] = field(default_factory=list[str])
    reason: str = ""
    by: str = ""
    receipt: bool = False


def document(stack: str, silence: str | None, deploys: Iterable[Deploy]) -> dict[str, Any]:
    """As JSON; ``silence``: why Komodo was not asked."""
    return {"schema": SCHEMA, "stack": stack, "komodo": silence, "deploys": [asdict(deploy) for deploy in deploys]}


def of_receipt(receipt: Receipt) -> Deploy:
    """The deploy that a receipt tells of."""
    told = asdict(receipt)
    return Deploy(name=told.pop("stack"), receipt=True, **told)


def of_komodo(client: Client, stacks: Mapping[str, str], receipts: Sequence[Receipt], most: int) -> list[Deploy]:
    """The newest deploys that Komodo knows and no receipt tells of, at most so many.

    ``stacks``: names by id, of those that are asked for. Raises KomodoError.
    """
    found: list[Deploy] = []
    for item in _foreign(_updates(client, stacks), stacks, receipts):
        if len(found) == most:
            break
        found.append(_deploy(client, item, stacks))
    return found


def _updates(client: Client, stacks: Mapping[str, str]) -> Iterator[Item]:
    """What Komodo lists, the newest first: page by page, as far as it is asked for."""
    query: dict[str, Any] = {"target.type": "Stack", "operation": {"$in": list(OPERATIONS)}}
    query["target.id"] = {"$in": sorted(stacks)}
    page: int | None = 0
    while page is not None:
        answer: Any = client.read("ListUpdates", {"query": query, "page": page})
        yield from answer["updates"]
        page = answer.get("next_page")


def _foreign(updates: Iterable[Item], stacks: Mapping[str, str], receipts: Sequence[Receipt]) -> Iterator[Item]:
    """The Updates that are no part of a deploy with a receipt.

    Those of one that failed or was repeated are found by stack and time, unless somebody else made them.
    """
    ids = {receipt.update for receipt in receipts if receipt.update}
    spans: dict[str, list[tuple[float, float]]] = {}
    for receipt in receipts:
        began = datetime.fromisoformat(receipt.began).timestamp()
        spans.setdefault(receipt.stack, []).append((began - _CLOCKS, began + receipt.seconds + _CLOCKS))
    us: set[str] = set()
    for item in updates:
        if item["id"] in ids:
            us.add(str(item["username"]))
            continue
        start = item["start_ts"] / 1000
        within = any(begin <= start <= end for begin, end in spans.get(stacks[item["target"]["id"]], ()))
        if not within or (us and item["username"] not in us):
            yield item


def _deploy(client: Client, item: Item, stacks: Mapping[str, str]) -> Deploy:
    update = update_of(client.read("GetUpdate", {"id": item["id"]}))
    seconds = round((update.end_ts - update.start_ts) / 1000, 1) if update.end_ts else None
    log = update.failed
    said = first_line(log.stderr.strip() or log.stdout) if log else ""
    return Deploy(
        name=stacks[item["target"]["id"]],
        host=None,
        result="under way" if not update.complete else "deployed" if update.success else "failed",
        began=datetime.fromtimestamp(update.start_ts / 1000, UTC).isoformat(timespec="seconds"),
        seconds=seconds,
        commit=update.commit,
        update=update.id,
        reason=f"{log.stage}: {said}" if log else "",
        by=str(item["username"]),
    )
