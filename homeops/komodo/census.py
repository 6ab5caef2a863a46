"""The census: what this run would delete, and what exists in Komodo and is declared nowhere; said in every preview.

It is the gate of a run: registered first and waited for, so that nothing was done yet when it refuses what would be
deleted. Its inputs in the state are what the last run declared, and what that was still to delete.

It is a resource because only the provider's process has the lists of this run: so each kind is listed once, for the
census, for adoption and for refresh together. It never shows a difference of its own.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from homeops.errors import HomeopsError
from homeops.komodo import removals, session
from homeops.komodo.silent_provider import SilentProvider
from homeops.model.kinds import KINDS

if TYPE_CHECKING:
    from homeops.model.graph import Graph
    from homeops.model.site import DeleteBudget


class CensusProvider(SilentProvider):
    """Counts in check, where a preview shows what it prints and a failure ends the run; does nothing else."""

    id = "census"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what must not be deleted; say what will be, what is declared nowhere, or that Core is silent."""
        olds = _olds or {}
        going = removals.leaving(olds, news)
        try:
            core = session.reachable_core()
            going = removals.existing(core, olds, going)
            lines = [*removals.told(core, going), *removals.left_over(olds, going), *_undeclared(core, news, going)]
        except HomeopsError as error:
            session.give_up_asking(error)
            asked_nobody = "warning: Komodo was not asked, so this preview compares with Pulumi's state alone"
            lines = [*removals.told_unseen(going), f"{asked_nobody}\n{error}"]
        refused = [CheckFailure("", str(problem)) for problem in removals.refusals(olds, news, going)]
        if not refused:
            for line in lines:
                session.tell(line)
        return CheckResult(news | {"leaving": going}, refused)


class Census(Resource, module="komodo", name="Census"):
    """What the fleet declares, by kind; to be registered, and its ``urn`` waited for, before anything else."""

    def __init__(
        self,
        graph: "Graph",
        budget: "DeleteBudget",
        protected: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``protected``: why a stack must not be deleted, by its name."""
        declared = {kind: sorted(item.name for item in graph.of(kind)) for kind in KINDS}
        former = {kind: sorted(item.former for item in graph.of(kind) if item.former) for kind in KINDS}
        props = {
            "declared": {kind: names for kind, names in declared.items() if names},
            "former": {kind: names for kind, names in former.items() if names},
            "protected": dict(protected or {}),
            "budget": {"objects": budget.objects, "percent": budget.percent},
        }
        super().__init__(CensusProvider(), "census", props, opts)


def _undeclared(core: session.Core, news: Mapping[str, Any], going: removals.Names) -> Iterator[str]:
    for kind in session.COUNTED:
        names = {str(document["name"]) for document in core.catalogue.documents(KINDS[kind]).values()}
        known = (news["declared"], news["former"], going)
        if extra := sorted(names.difference(*(part.get(kind, ()) for part in known))):
            yield f"in Komodo, declared nowhere: {kind} {', '.join(extra)}"
