"""The last lines of a run: which stacks are redeployed, or were deployed, unchanged, failed, not reached and why."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from homeops.deploy.provider import Deploy
from homeops.komodo.resources import KomodoResource
from homeops.model.graph import Graph

Made = Mapping[tuple[str, str], pulumi.Resource]


@dataclass(frozen=True, slots=True)
class Ends:
    """How the deploys of a run ended, by stack; ``missed``: those not reached, with what stood in the way."""

    deployed: list[str]
    unchanged: list[str]
    failed: list[str]
    missed: dict[str, str]

    def __str__(self) -> str:
        parts = [("deployed", self.deployed), ("unchanged", self.unchanged), ("failed", self.failed)]
        lines = [f"  {word}: {', '.join(names)}" for word, names in parts if names]
        if self.missed:
            lines.append("  not reached: " + ", ".join(f"{name} ({why})" for name, why in self.missed.items()))
        return "\n".join(lines)


async def tell(graph: Graph, made: Made, began: float) -> None:
    """Say it, unless there is nothing new; ``began`` is when the program did, in seconds since 1970."""
    deploys = {name: made["Deploy", name] for kind, name in made if kind == "Deploy"}
    known = {
        key: await resource.id.is_known() for key, resource in made.items() if isinstance(resource, KomodoResource)
    }
    at = {name: await _time(deploy) for name, deploy in deploys.items() if isinstance(deploy, Deploy)}
    if pulumi.runtime.is_dry_run():
        due = [name for name, time in at.items() if time is None]
        if due:
            pulumi.log.info(f"{len(due)} of {len(at)} stacks will be deployed: {', '.join(due)}")
        return
    ends = ends_of(graph, at, known, began)
    if ends.deployed or ends.failed or ends.missed:
        pulumi.log.info(f"stacks of this run\n{ends}")


def ends_of(graph: Graph, at: Mapping[str, float | None], known: Mapping[tuple[str, str], bool], began: float) -> Ends:
    """``at``: when each stack was deployed last, None when its deploy has no result; ``known``: what has one."""
    ends = Ends([], [], [], {})
    without = {name for name, time in at.items() if time is None}
    first = [stack.name for stack in graph.of("Stack") if stack.rollout.core and stack.name in without]
    for name, time in at.items():
        stack = graph.get("Stack", name)
        if time is not None:
            (ends.deployed if time >= began else ends.unchanged).append(name)
        elif not known.get(("Stack", name), False):
            ends.missed[name] = f"after {first[0]}" if first and name not in first else "its configuration failed"
        elif waiting := [other for other in (*first, *(stack.after if stack else ())) if other in without - {name}]:
            ends.missed[name] = f"after {waiting[0]}"
        else:
            ends.failed.append(name)
    return ends


async def _time(deploy: Deploy) -> float | None:
    known = await deploy.deployedAt.is_known()
    return await deploy.deployedAt.future() if known else None
