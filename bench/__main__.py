"""Measure, print a table, write bench/results.json.

Wall clock, medians of several runs; whatever is compared runs turn by turn, so that the machine's moods meet both.
``--quick`` leaves out the fleets of other sizes, which only show growth.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import yaml

from bench import toml
from bench.core import Served, served
from bench.figures import Figure, show, write
from bench.projects import ROOT, Project, Run, empty, homelab, shared_directory, synthetic

RESULTS = ROOT / "bench" / "results.json"
TURNS = 5
UNION = 378
"""The stacks of a large public collection of Komodo repositories, taken together."""


def main() -> int:
    """All figures; the exit code says whether every goal was met."""
    figures = toml.figures(UNION)
    with tempfile.TemporaryDirectory(prefix="homeops-bench-") as place:
        parent = Path(place)
        nothing = empty(parent)
        nothing.up()
        _say("the homelab")
        figures += _of_homelab(parent / "a", nothing)
        sizes = (UNION,) if "--quick" in sys.argv else (100, UNION, 1000)
        per_stack: dict[int, float] = {}
        for size in sizes:
            _say(f"{size} stacks")
            found, per_stack[size] = _of_synthetic(parent / str(size), nothing, size)
            figures += found
        if len(per_stack) > 1:
            figures.append(
                Figure("no-change preview: cost of a stack among 1000, to that among 100", _ratio(per_stack), "x", 1.3)
            )
    show(figures)
    write(figures, RESULTS)
    return 0 if all(figure.met for figure in figures) else 1


def _of_homelab(parent: Path, nothing: Project) -> list[Figure]:
    repository = _repository()
    with served(ROOT, repository) as core:
        project = homelab(parent, core.environ)
        project.up()
        plain, refreshed, base = _turns(project.preview, lambda: project.preview(refresh=True), nothing.preview)
        counts = _counted(core, lambda: project.preview(refresh=True))
    return [
        Figure("empty program: preview", _seconds(base), "s"),
        Figure("homelab: no-change preview", _seconds(plain), "s"),
        Figure("homelab: no-change preview, to an empty one", _times(plain, base), "x", 1.6),
        Figure("homelab: preview --refresh, to an empty one", _times(refreshed, base), "x", 2.0),
        Figure("homelab: most lists of one kind in a preview --refresh", _most_lists(counts), "requests", 1),
        Figure("homelab: writes of a preview --refresh", _writes(counts), "requests", 0),
        Figure("homelab: peak memory of one process", max(run.megabytes for run in plain), "MB"),
    ]


def _of_synthetic(parent: Path, nothing: Project, size: int) -> tuple[list[Figure], float]:
    repository = shared_directory(parent)
    with served(repository, _repository()) as core:
        project = synthetic(parent, core.environ, size, repository)
        made: list[Run] = []
        counts = _counted(core, lambda: made.append(project.up()))
        plain, refreshed, base = _turns(project.preview, lambda: project.preview(refresh=True), nothing.preview)
    name = f"{size} stacks"
    goals = (4.0, 7.0) if size == UNION else (None, None)
    writes = counts.get("write CreateStack", 0) + counts.get("write UpdateResourceMeta", 0)
    figures = [
        Figure(f"{name}: first up", round(made[0].seconds, 1), "s"),
        Figure(f"{name}: writes a stack at creation", round(writes / size, 2), "requests", 2),
        Figure(f"{name}: no-change preview", _seconds(plain), "s"),
        Figure(f"{name}: no-change preview, to an empty one", _times(plain, base), "x", goals[0]),
        Figure(f"{name}: preview --refresh, to an empty one", _times(refreshed, base), "x", goals[1]),
        Figure(f"{name}: peak memory of one process", round(max(run.megabytes for run in plain)), "MB"),
    ]
    return figures, (_seconds(plain) - _seconds(base)) / size


def _turns(*measured: Callable[[], Run]) -> tuple[list[Run], ...]:
    runs: tuple[list[Run], ...] = tuple([] for _ in measured)
    for _ in range(TURNS):
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


def _ratio(per_stack: Mapping[int, float]) -> float:
    return round(per_stack[max(per_stack)] / per_stack[min(per_stack)], 2)


def _repository() -> str:
    return yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]["homeops:repository"]["name"]


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
