"""The Deploy of a stack: its containers, brought up to the declaration and followed until Komodo is done with them.

Inputs: ``{"stack", "server", "fingerprint": {part: digest}, "timeout"}``. A deploy is due when the fingerprint differs.
A failed one is not recorded, so the next preview still shows it as due.
"""

from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from homeops.komodo import session
from homeops.komodo.session_provider import SessionProvider
from homeops.model.kinds import STACK

Props = dict[str, Any]


class DeployProvider(SessionProvider):
    """Deploys on create and on update; deleting it leaves the containers to the Stack's own delete."""

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Due when a part of the fingerprint differs, or the stack runs elsewhere; another name alone is no reason."""
        keys = ("server", "fingerprint")
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in keys))

    def create(self, props: Props) -> CreateResult:
        """Deploy."""
        return CreateResult(str(props["stack"]), props | _deploy(props, restart=False))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Deploy again; compose sees no change in a mounted file, so a changed config file restarts the services."""
        return UpdateResult(_news | _deploy(_news, restart=_config_changed(_olds, _news)))

    def read(self, id_: str, props: Props) -> ReadResult:
        """As recorded, and gone with its stack, which took the containers down; what runs now: see homeops status."""
        stack = props.get("stackId")
        if stack and stack not in session.core().catalogue.documents(STACK):
            return ReadResult(None, {})  # pyright: ignore[reportArgumentType] - this is how a resource is reported gone
        return ReadResult(id_, props)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing: the Stack's delete takes its containers down."""


class Deploy(Resource, module="komodo", name="Deploy"):
    """The containers of a stack.

    ``update``: id of Komodo's Update. ``stackId``: of the stack that was deployed. ``state``: the stack's state after
    it. ``seconds``: how long it took.
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


def _config_changed(olds: Props, news: Props) -> bool:
    before: Props = olds.get("fingerprint") or {}
    after: Props = news["fingerprint"]
    return any(part.startswith("config ") and before.get(part) != digest for part, digest in after.items())


def _deploy(props: Props, *, restart: bool) -> Props:
    # Imported here because the program's process imports this module and deploys nothing.
    from homeops.deploy.execution import deploy

    client = session.core().client
    deployed = deploy(
        client, str(props["stack"]), str(props["server"]), float(props["timeout"]), session.tell, restart=restart
    )
    return {"update": deployed.update, "stackId": deployed.stack, "state": deployed.state, "seconds": deployed.seconds}
