"""Deploys of the homelab: how long all of them take, next to the longest chain and to one after the other."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import yaml

from bench.chain import longest_chain
from bench.core import Served, served
from bench.figures import Figure
from bench.projects import ROOT, STACK, Project, homelab
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.komodo.client import Client
from homeops.komodo.credentials import ADDRESS, KEY, SECRET, Credentials
from homeops.komodo.updates import follow, update_of
from homeops.settings import load_settings

COMPOSE_SECONDS = 5.0

Counted = Callable[[Served, Callable[[], object]], Mapping[str, int]]


def figures(parent: Path, repository: str, counted: Counted) -> list[Figure]:
    """All stacks deployed by ``pulumi up``, whose configuration Komodo has already; then by a loop of km's kind."""
    site = load_settings("lab", ROOT)
    graph = fleet_graph(declared_fleet("homeops.fleet", site), site, ROOT)
    names = [stack.name for stack in graph.of("Stack")]
    with served(ROOT, repository, compose_seconds=COMPOSE_SECONDS) as core:
        project = homelab(parent, core.environ)
        _set(project, deploy=False)
        project.up()
        _set(project, deploy=True)
        took: list[float] = []
        counts = counted(core, lambda: took.append(project.up().seconds))
        loop = _one_after_the_other(core, names)
        plain = min(project.preview().seconds for _ in range(3))
        unchanged = min(project.up().seconds for _ in range(3))
    requests = sum(counts.values()) / len(names)
    chain = longest_chain(graph, dict.fromkeys(names, COMPOSE_SECONDS))
    by_hosts = longest_chain(graph, dict.fromkeys(names, COMPOSE_SECONDS), one_a_host=True)
    title = f"{len(names)} deploys of {COMPOSE_SECONDS:g} s"
    return [
        Figure(f"{title}: longest chain of the graph", chain, "s"),
        Figure(f"{title}: longest chain when a host deploys one at a time", by_hosts, "s"),
        Figure(f"{title}: pulumi up", round(took[0], 1), "s"),
        Figure(f"{title}: pulumi up, to the longest chain with one at a time", round(took[0] / by_hosts, 2), "x", 1.3),
        Figure(f"{title}: one after the other, health not looked at", round(loop, 1), "s"),
        Figure(f"{title}: requests a deploy, all of the run counted", round(requests, 1), "requests"),
        Figure("homelab: no-change up, to a no-change preview", round(unchanged / plain, 2), "x", 1.5),
    ]


def _set(project: Project, *, deploy: bool) -> None:
    file = project.directory / f"Pulumi.{STACK}.yaml"
    kept = yaml.safe_load(file.read_text())
    kept["config"]["homeops:deploy"] = deploy
    file.write_text(yaml.safe_dump(kept))


def _one_after_the_other(core: Served, names: list[str]) -> float:
    """Each stack deployed and waited for, as ``km execute deploy-stack`` in a loop does."""
    began = perf_counter()
    with Client(core.environ[ADDRESS], Credentials(core.environ[KEY], core.environ[SECRET])) as client:
        for name in names:
            follow(client, update_of(client.execute("DeployStack", {"stack": name})).id, deadline=60)
    return perf_counter() - began
