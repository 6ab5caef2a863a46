"""Measure, print a table, write bench/results.json.

Wall clock, medians of several runs; whatever is compared runs turn by turn, so that the machine's moods meet both.
``--quick`` leaves out the fleets of other sizes, which show growth. Their stacks are configured and not deployed:
Pulumi's file backend makes the first ``up`` of a thousand deploys a matter of half an hour.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import yaml

from bench import deploys, imports, toml
from bench.core import Served, served
from bench.figures import Figure, show, write
from bench.projects import ROOT, Project, Run, empty, homelab, shared_directory, synthetic, trivial

RESULTS = ROOT / "bench" / "results.json"
TURNS = 7
UNION = 378
"""The stacks of a large public collection of Komodo repositories, taken together."""
HOMELAB = 98
"""The resources of the homelab, components included."""
GROWTH = (100, UNION, 1000)


def main() -> int:
    """All figures; a goal that was missed is marked in the table, and fails nothing."""
    figures = [*toml.figures(UNION), *imports.figures(UNION)]
    with tempfile.TemporaryDirectory(prefix="homeops-bench-") as place:
        parent = Path(place)
        nothing = empty(parent)
        nothing.up()
        _say("the homelab")
        figures += _of_homelab(parent / "a", nothing)
        _say("deploys of the homelab")
        figures += deploys.figures(parent / "deploys", _repository(), _counted)
        _say(f"{UNION} stacks")
        figures += _of_union(parent / "union", nothing)
        if "--quick" not in sys.argv:
            figures += _of_growth(parent / "growth", nothing)
    show(figures)
    write(figures, RESULTS)
    return 0


def _of_homelab(parent: Path, nothing: Project) -> list[Figure]:
    repository = _repository()
    with served(ROOT, repository) as core:
        project = homelab(parent, core.environ)
        project.up()
        floor = trivial(parent / "floor", HOMELAB)
        floor.up()
        plain, refreshed, base, least, least_refreshed = _turns(
            project.preview,
            lambda: project.preview(refresh=True),
            nothing.preview,
            floor.preview,
            lambda: floor.preview(refresh=True),
        )
        counts = _counted(core, lambda: project.preview(refresh=True))
    return [
        Figure(f"{HOMELAB} resources that do nothing: no-change preview, to an empty one", _times(least, base), "x"),
        Figure(
            f"{HOMELAB} resources that do nothing: preview --refresh, to an empty one",
            _times(least_refreshed, base),
            "x",
        ),
        Figure("empty program: preview", _seconds(base), "s"),
        Figure("homelab: no-change preview", _seconds(plain), "s"),
        Figure("homelab: no-change preview, to an empty one", _times(plain, base), "x", 1.6),
        Figure("homelab: preview --refresh, to an empty one", _times(refreshed, base), "x", 2.0),
        Figure("homelab: most lists of one kind in a preview --refresh", _most_lists(counts), "requests", 1),
        Figure("homelab: writes of a preview --refresh", _writes(counts), "requests", 0),
        Figure("homelab: peak memory of one process", round(max(run.megabytes for run in refreshed)), "MB"),
    ]


def _of_union(parent: Path, nothing: Project) -> list[Figure]:
    repository = shared_directory(parent)
    with served(repository, _repository()) as core:
        project = synthetic(parent, core.environ, UNION, repository)
        made: list[Run] = []
        counts = _counted(core, lambda: made.append(project.up()))
        plain, refreshed, base = _turns(
            project.preview, lambda: project.preview(refresh=True), nothing.preview, turns=TURNS - 2
        )
        lists = _most_lists(_counted(core, lambda: project.preview(refresh=True)))
    name = f"{UNION} stacks"
    writes = counts.get("write CreateStack", 0) + counts.get("write UpdateResourceMeta", 0)
    return [
        Figure(f"{name}: first up, deploys included", round(made[0].seconds, 1), "s"),
        Figure(f"{name}: writes a stack at creation", round(writes / UNION, 2), "requests", 2),
        Figure(f"{name}: no-change preview", _seconds(plain), "s"),
        Figure(f"{name}: no-change preview, to an empty one", _times(plain, base), "x", 4.0),
        Figure(f"{name}: preview --refresh, to an empty one", _times(refreshed, base), "x", 7.0),
        Figure(f"{name}: most lists of one kind in a preview --refresh", lists, "requests", 1),
        Figure(f"{name}: peak memory of one process", round(max(run.megabytes for run in refreshed)), "MB"),
    ]


def _of_growth(parent: Path, nothing: Project) -> list[Figure]:
    figures: list[Figure] = []
    per_stack: dict[int, float] = {}
    for size in GROWTH:
        _say(f"{size} stacks")
        repository = shared_directory(parent / str(size))
        with served(repository, _repository()) as core:
            project = synthetic(parent / str(size), core.environ, size, repository, deploy=False)
            made = project.up()
            plain, refreshed, base = _turns(
                project.preview, lambda project=project: project.preview(refresh=True), nothing.preview, turns=3
            )
        # What other tools' plans are compared with: the configuration of so many stacks, without their deploys.
        goals = (4.0, 7.0) if size == UNION else (None, None)
        per_stack[size] = (_seconds(plain) - _seconds(base)) / size
        figures += [
            Figure(f"{size} stacks, not deployed: first up", round(made.seconds, 1), "s"),
            Figure(f"{size} stacks, not deployed: no-change preview", _seconds(plain), "s"),
            Figure(
                f"{size} stacks, not deployed: no-change preview, to an empty one", _times(plain, base), "x", goals[0]
            ),
            Figure(
                f"{size} stacks, not deployed: preview --refresh, to an empty one",
                _times(refreshed, base),
                "x",
                goals[1],
            ),
            Figure(f"{size} stacks, not deployed: peak memory", round(max(run.megabytes for run in plain)), "MB"),
        ]
    small, large = GROWTH[0], GROWTH[-1]
    growth = round(per_stack[large] / per_stack[small], 2)
    return [*figures, Figure(f"preview: cost of a stack among {large}, to that among {small}", growth, "x", 1.2)]


def _turns(*measured: Callable[[], Run], turns: int = TURNS) -> tuple[list[Run], ...]:
    runs: tuple[list[Run], ...] = tuple([] for _ in measured)
    for _ in range(turns):
        for kept, measure in zip(runs, measured, strict=True):
            kept.append(measure())
    return runs


def _counted(core: Served, work: Callable[[], object]) -> Mapping[str, int]:
    before = core.requests()
    work()
    return {name: count - before.get(name, 0) for name, count in core.requests().items()}


def _most_lists(counts: Mapping[str, int]) -> int:
    return max((count for name, count in counts.items() if name.startswith("read List")), default=0)


def _writes(counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if not name.startswith("read "))


def _seconds(runs: list[Run]) -> float:
    return round(median(run.seconds for run in runs), 2)


def _times(runs: list[Run], base: list[Run]) -> float:
    return round(median(run.seconds for run in runs) / median(run.seconds for run in base), 2)


def _repository() -> str:
    return yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]["homeops:repository"]["name"]


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
