"""A deploy with what follows from its end: what the state keeps of it, its receipt, the way back when it failed."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time
from typing import Any

from homeops.deploy.execution import deploy
from homeops.deploy.order import DUE, Deployed, Order, Tell, Unhealthy
from homeops.deploy.receipts import Journal, Receipt, Result, journal_directory
from homeops.deploy.rollback import Healthy, roll_back
from homeops.errors import DeployFailed, HomeopsError, KomodoError, Problem
from homeops.komodo.client import Client

Props = dict[str, Any]


def deploy_and_record(
    client: Client, olds: Props | None, news: Props, reasons: Sequence[str], pulumi_stack: str, tell: Tell
) -> Props:
    """Deploy what the inputs say; ``olds`` is what the state has of the last healthy deploy, None when there was none.

    Returns the outputs. Raises the error of the deploy; with ``rollback`` in its rollout, after the last healthy commit
    was deployed again.
    """
    order = _order(olds, news)
    journal = Journal(journal_directory(Path.cwd(), os.environ), pulumi_stack)
    began, clock = datetime.now(UTC), monotonic()

    def receipt(result: Result, done: Deployed | None, reason: str = "") -> None:
        before: Props = olds or {}
        journal.append(
            Receipt(
                stack=order.stack,
                host=order.server,
                result=result,
                began=began.isoformat(timespec="seconds"),
                seconds=round(monotonic() - clock, 1),
                commit=done.commit if done else "",
                commit_before=str(before.get("commit") or ""),
                images_before=dict(before.get("images") or {}),
                images_after=done.images if done else {},
                update=done.update if done else "",
                why=list(reasons),
                reason=reason,
                by="pulumi up",
            ),
            tell,
        )

    try:
        done = deploy(client, order, tell)
    except Unhealthy as error:
        back = _last_healthy(olds) if order.rollout.get("rollback") == "previous" else None
        if back is None:
            receipt("failed", None, error.problems[0].what)
            if order.rollout.get("rollback") == "previous":
                raise DeployFailed(*error.problems, _nothing_before(order)) from None
            raise
        tell(f"{order.where}: not healthy; back to commit {back.commit[:7]}")
        try:
            runs = roll_back(client, order, back, tell)
        except KomodoError as second:
            receipt("failed", None, error.problems[0].what)
            raise DeployFailed(*error.problems, *_not_rolled_back(order, back, second)) from None
        receipt("rolled back", runs, error.problems[0].what)
        raise DeployFailed(*error.problems, _rolled_back(order, runs)) from None
    except HomeopsError as error:
        receipt("failed", None, error.problems[0].what)
        raise
    receipt("healthy", done)
    return outputs(done)


def outputs(done: Deployed) -> Props:
    """What the state keeps."""
    return {
        "update": done.update,
        "stackId": done.stack,
        "state": done.state,
        "seconds": done.seconds,
        "deployedAt": time(),
        "commit": done.commit,
        "images": done.images,
        "services": done.services,
        "config": done.config,
    }


def _order(olds: Props | None, news: Props) -> Order:
    before: Mapping[str, str] = (olds or {}).get("fingerprint") or {}
    after: Mapping[str, str] = news["fingerprint"]
    mounted = any(part.startswith("config ") and before.get(part) != digest for part, digest in after.items())
    return Order(
        stack=str(news["stack"]),
        server=str(news["server"]),
        fingerprint=after,
        rollout=news["rollout"],
        checkout=str(news.get("checkout") or ""),
        restart=olds is not None and mounted,
    )


def _last_healthy(olds: Props | None) -> Healthy | None:
    if not olds or not olds.get("commit"):
        return None
    return Healthy(str(olds["commit"]), olds.get("config") or {})


def _nothing_before(order: Order) -> Problem:
    return Problem(order.where, "not rolled back: no commit of it was healthy before", DUE)


def _rolled_back(order: Order, runs: Deployed) -> Problem:
    return Problem(
        order.where,
        f"rolled back: it runs commit {runs.commit[:7]} again, {', '.join(runs.services) or 'no service'} up",
        "the deploy is still due",
    )


def _not_rolled_back(order: Order, back: Healthy, error: HomeopsError) -> tuple[Problem, ...]:
    first = Problem(order.where, f"the rollback to commit {back.commit[:7]} failed as well", "look at it now")
    return (first, *error.problems)
