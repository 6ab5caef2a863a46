"""The Core that a Pulumi stack drives, as a resource: the first one registered, so that its provider starts early.

What it does is in its provider's configure: the lists that this run will ask for are asked for in the background.
"""

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

from homeops.komodo import session


class CoreProvider(ResourceProvider):
    """Opens the session; there is nothing to create, change or delete."""

    serialize_as_secret_always: bool = False

    def configure(self, req: ConfigureRequest) -> None:
        """Note where Core is, and begin to list what it has."""
        session.configure(req.config.get)
        session.list_ahead()

    def diff(self, _id: str, _olds: Any, _news: Any) -> DiffResult:
        """Never: which Core it is stands in the settings."""
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing to do."""
        return CreateResult("core", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Nothing to read."""
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: Any, _news: dict[str, Any]) -> UpdateResult:
        """Nothing to do."""
        return UpdateResult(_news)


class Core(Resource, module="komodo", name="Core"):
    """The session with Core."""

    def __init__(self, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CoreProvider(), "core", {}, opts)
