"""The census: what exists in Komodo and is declared nowhere, said in every preview.

It is a resource because only the provider's process has the lists of this run: so each kind is listed once, for the
census, for adoption and for refresh together. It never shows a difference of its own.
"""

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckResult, Resource

from homeops.errors import HomeopsError
from homeops.komodo import session
from homeops.komodo.silent_provider import SilentProvider
from homeops.model.kinds import KINDS

if TYPE_CHECKING:
    from homeops.model.graph import Graph


class CensusProvider(SilentProvider):
    """Counts in check, where a preview shows what it prints; everything else does nothing."""

    id = "census"

    def check(self, _olds: Any, news: dict[str, Any]) -> CheckResult:
        """Say what is declared nowhere, or that Core could not be asked."""
        try:
            undeclared = _undeclared(news["declared"])
        except HomeopsError as error:
            session.give_up_asking(error)
            session.tell(f"warning: Komodo was not asked, so this preview compares with Pulumi's state alone\n{error}")
            return CheckResult(news, [])
        for kind, names in undeclared.items():
            session.tell(f"in Komodo, declared nowhere: {kind} {', '.join(names)}")
        return CheckResult(news, [])


class Census(Resource, module="komodo", name="Census"):
    """What the fleet declares, by kind."""

    def __init__(self, graph: "Graph", opts: pulumi.ResourceOptions | None = None) -> None:
        declared = {kind: sorted(resource.name for resource in graph.of(kind)) for kind in session.COUNTED}
        props = {"declared": {kind: names for kind, names in declared.items() if names}}
        super().__init__(CensusProvider(), "census", props, opts)


def _undeclared(declared: dict[str, list[str]]) -> dict[str, list[str]]:
    core = session.reachable_core()
    found: dict[str, list[str]] = {}
    for kind in session.COUNTED:
        names = {str(document["name"]) for document in core.catalogue.documents(KINDS[kind]).values()}
        if extra := sorted(names - set(declared.get(kind, ()))):
            found[kind] = extra
    return found
