"""The Deploy of a stack: its containers, brought up to the declaration and followed until Komodo is done with them.

Inputs: ``{"stack", "server", "fingerprint": {part: digest}, "timeout"}``. A deploy is due when the fingerprint differs. A
failed one is not recorded, so the next preview still shows it as due.
"""

from time import monotonic
from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from homeops.errors import DeployFailed, Problem
from homeops.komodo import session
from homeops.komodo.updates import Log, Update, follow, update_of

PROGRESS_SECONDS = 10
_LAST_LINES = 15

Props = dict[str, Any]


class DeployProvider(ResourceProvider):
    """Deploys on create and on update; deleting it leaves the containers to the Stack's own delete."""

    serialize_as_secret_always: bool = False

    def configure(self, req: ConfigureRequest) -> None:
        """Note where Core is."""
        session.configure(req.config.get)

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Due when a part of the fingerprint differs, or the stack runs elsewhere."""
        keys = ("stack", "server", "fingerprint")
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in keys))

    def create(self, props: Props) -> CreateResult:
        """Deploy."""
        return CreateResult(str(props["stack"]), props | _deploy(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Deploy again."""
        return UpdateResult(_news | _deploy(_news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """As recorded: what runs is Komodo's to say, see homeops status."""
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing: the Stack's delete takes its containers down."""


class Deploy(Resource, module="komodo", name="Deploy"):
    """The containers of a stack.

    ``update``: id of Komodo's Update. ``state``: the stack's state after it. ``seconds``: how long it took.
    """

    update: pulumi.Output[str]
    state: pulumi.Output[str]
    seconds: pulumi.Output[float]

    def __init__(
        self,
        stack: str,
        server: str,
        fingerprint: dict[str, str],
        timeout_seconds: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {
            "stack": stack,
            "server": server,
            "fingerprint": fingerprint,
            "timeout": timeout_seconds,
            "update": None,
            "state": None,
            "seconds": None,
        }
        quiet = pulumi.ResourceOptions(hide_diffs=["__provider"])
        super().__init__(DeployProvider(), stack, props, pulumi.ResourceOptions.merge(opts, quiet))


def _deploy(props: Props) -> Props:
    stack, server = str(props["stack"]), str(props["server"])
    where = f'stack "{stack}" on {server}'
    client = session.core().client
    began = monotonic()
    started = update_of(client.execute("DeployStack", {"stack": stack}))
    said = 0.0

    def progress(elapsed: float, update: Update | None) -> None:
        nonlocal said
        if elapsed - said >= PROGRESS_SECONDS:
            said = elapsed
            session.tell(f"{where}: {'deploying' if update else 'Core is silent'}, {elapsed:.0f} s")

    update = follow(client, started.id, deadline=float(props["timeout"]), on_progress=progress)
    seconds = round(monotonic() - began, 1)
    if not update.success:
        raise DeployFailed(_failure(where, update))
    items = client.read("ListStacks", {"query": {"names": [stack]}, "limit": 0})
    state = str(items[0]["info"]["state"]) if items else "unknown"
    session.tell(f"{where}: deployed in {seconds} s, {state}")
    return {"update": update.id, "state": state, "seconds": seconds}


def _failure(where: str, update: Update) -> Problem:
    if update.cut_short:
        return Problem(
            where,
            "Core or the agent fell silent in the middle of the deploy; what the host did is not known",
            "look at it (homeops status), then run again: the deploy is still due",
        )
    log = update.failed
    if log is None:
        return Problem(where, "the deploy failed and Komodo logged no reason", f"see update {update.id} in Komodo")
    return Problem(where, f"{log.stage} failed\n{_tail(log)}", "mend it and run again: the deploy is still due")


def _tail(log: Log) -> str:
    lines = [line for line in (log.stderr.strip() or log.stdout.strip()).splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
