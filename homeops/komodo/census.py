"""The census: what exists in Komodo and is declared nowhere, and what is wrong with agents; said in every preview.

It is a resource because only the provider's process has the lists of this run: so each kind is listed once, for the
census, for adoption and for refresh together. It is the last one, so that nothing waits for the lists; and it never
shows a difference of its own.
"""

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckResult, Resource

from homeops.errors import HomeopsError
from homeops.komodo import agents, session, undeclared
from homeops.komodo.gate import declared_names
from homeops.komodo.silent_provider import SilentProvider

if TYPE_CHECKING:
    from homeops.model.graph import Graph


class CensusProvider(SilentProvider):
    """Counts in check, where a preview shows what it prints; does nothing else."""

    id = "census"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Say what is declared nowhere and what is wrong with agents, or that Core could not be asked."""
        try:
            core = session.reachable_core()
            for line in (*undeclared.told(core, _olds or {}, news), *agents.told(core)):
                session.tell(line)
        except HomeopsError as error:
            session.give_up_asking(error)
            session.tell(f"warning: Komodo was not asked, so this preview compares with Pulumi's state alone\n{error}")
        return CheckResult(news, [])


class Census(Resource, module="komodo", name="Census"):
    """What the fleet declares, by kind."""

    def __init__(self, graph: "Graph", opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            CensusProvider(), "census", {**declared_names(graph), "used": undeclared.used_names(graph)}, opts
        )
