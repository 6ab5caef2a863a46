"""The Core that a Pulumi stack drives, as a resource: the first one registered, so that its provider starts early.

What it does is in its provider's configure: the lists that this run will ask for are asked for in the background.
"""

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, ConfigureRequest, Resource

from homeops.komodo import session
from homeops.komodo.silent_provider import SilentProvider


class CoreProvider(SilentProvider):
    """Opens the session; which Core it is stands in the settings."""

    id = "core"

    def configure(self, req: ConfigureRequest) -> None:
        """Note where Core is, and begin to list what it has."""
        super().configure(req)
        session.list_ahead()

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Note which Pulumi stack it is: providers are not told."""
        session.of_stack(str(news.get("stack") or ""))
        return CheckResult(news, [])


class Core(Resource, module="komodo", name="Core"):
    """The session with Core."""

    def __init__(self, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CoreProvider(), "core", {"stack": pulumi.get_stack()}, opts)
