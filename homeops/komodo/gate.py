"""The gate of a run: what it would delete is counted, told, and refused when it is too much or protected.

It is the first resource that the fleet registers, and waited for: when it refuses, nothing was done yet. Its inputs in
the state are what the last run declared, and what that was still to delete. Core is asked only when something goes.
"""

from collections.abc import Mapping
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


class GateProvider(SilentProvider):
    """Counts in check, where a preview shows what it prints and a failure ends the run; does nothing else."""

    id = "gate"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what must not be deleted; say what will be."""
        olds = _olds or {}
        going = removals.leaving(olds, news)
        lines: list[str] = []
        if going:
            try:
                core = session.reachable_core()
                going = removals.existing(core, olds, going)
                lines = [*removals.told(core, going), *removals.left_over(olds, going)]
            except HomeopsError as error:
                session.give_up_asking(error)
                lines = list(removals.told_unseen(going))
        refused = [CheckFailure("", str(problem)) for problem in removals.refusals(olds, news, going)]
        if not refused:
            for line in lines:
                session.tell(line)
        return CheckResult(news | {"leaving": going}, refused)


class Gate(Resource, module="komodo", name="Gate"):
    """What the fleet declares, by kind; to be registered, and its ``urn`` waited for, before anything else of it."""

    def __init__(
        self,
        graph: "Graph",
        budget: "DeleteBudget",
        protected: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``protected``: why a stack must not be deleted, by its name."""
        props = {
            **declared_names(graph),
            "protected": dict(protected or {}),
            "budget": {"objects": budget.objects, "percent": budget.percent},
        }
        super().__init__(GateProvider(), "gate", props, opts)


def declared_names(graph: "Graph") -> dict[str, dict[str, list[str]]]:
    """``declared``: the names of each kind; ``former``: the names that some of them had."""
    declared = {kind: sorted(item.name for item in graph.of(kind)) for kind in KINDS}
    former = {kind: sorted(item.former for item in graph.of(kind) if item.former) for kind in KINDS}
    return {
        "declared": {kind: names for kind, names in declared.items() if names},
        "former": {kind: names for kind, names in former.items() if names},
    }
