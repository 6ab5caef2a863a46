"""Runs of Pulumi and deploys of Komodo under way: held, interrupted, joined; and what must hold after each of them."""

import os
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic, sleep

from homeops.lab.core.fates import Behaviour
from tests.engine.core import TestCore
from tests.engine.engine import Project, Run
from tests.engine.fleets import COMPOSE, FleetProject


def fleet(project: Project, core: TestCore, *stacks: str, options: str = "") -> FleetProject:
    """Stacks of host one, none of which waits for another."""
    made = FleetProject(project, core, "one")
    project.configure(**project.settings, deploysPerHost=3)
    lines = [f'Stack("{name}", host=one{options})' for name in stacks]
    made.declare(
        "from homeops.model.rollout import Health\n"
        'one = Host("one", periphery=RUNS)\n'
        f"return Fleet(hosts=[one], stacks=[{', '.join(lines)}])"
    )
    made.write({f"one/{name}/compose.yaml": COMPOSE.format(1) for name in stacks})
    return made


def behave(made: FleetProject, stack: str, **options: object) -> None:
    """Say what shall come of the next ``compose up`` of a stack, and of that one alone."""
    engine = made.host("one").engine
    during = options.pop("during", None)

    def once() -> None:
        engine.behaviours.pop(stack, None)
        if callable(during):
            during()

    engine.behaviours[stack] = Behaviour(**options, during=once)  # pyright: ignore[reportArgumentType]


@contextmanager
def held(made: FleetProject, *stacks: str) -> Generator[Event]:
    """Let the next ``compose up`` of each stack go on until the event is set."""
    gate = Event()
    for name in stacks:
        behave(made, name, during=lambda: gate.wait(60))
    try:
        yield gate
    finally:
        gate.set()


def deployed(made: FleetProject, stack: str = "web") -> int:
    """How often a stack was deployed."""
    return sum(row[:2] == ("DeployStack", stack) for row in made.executions())


def clean(project: Project, text: str) -> None:
    """Assert that nobody saw a traceback, and that no credential is anywhere that was written."""
    assert "Traceback" not in text, text
    assert 'File "' not in text, text
    written = [text, project.state_file.read_text()]
    written += [file.read_text() for file in project.directory.glob("events-*.json")]
    written += [file.read_text() for file in project.directory.glob(".homeops/*")]
    for secret in (project.environ["KOMODO_API_SECRET"], "hunter2"):
        assert not any(secret in found for found in written)


def good(project: Project) -> Run:
    """A run that ends well."""
    run = project.up().check()
    clean(project, run.text)
    return run


def bad(project: Project, *words: str) -> Run:
    """A run that fails with these words."""
    run = project.up()
    assert run.exit != 0, run.text
    for part in words:
        assert part in run.text, f"{part}\n{run.text}"
    clean(project, run.text)
    return run


def recorded(project: Project, made: FleetProject, *stacks: str) -> None:
    """Assert that all stacks run and that the state has their deploys."""
    assert {f"Deploy {name}" for name in stacks} <= project.ids().keys()
    assert {state for _, state in made.containers("one").values()} == {"running"}


def idle(project: Project, made: FleetProject) -> None:
    """Assert that a further run has nothing to do."""
    before = len(made.executions())
    assert good(project).steps == []
    assert len(made.executions()) == before


def until(condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Wait for something."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it did not come about"
        sleep(0.05)


@contextmanager
def running(project: Project) -> Generator[subprocess.Popen[str]]:
    """``pulumi up`` in a process group of its own, as a terminal gives it one."""
    process = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "--stack", project.stack],
        cwd=project.directory,
        env=dict(project.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def at_work(project: Project) -> dict[int, str]:
    """The living processes that were started with this project's environment: the commands by their ids."""
    mark = f"HOME={project.environ['HOME']}\0".encode()
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
    return found


def ended(project: Project, run: subprocess.Popen[str]) -> str:
    """Wait for a run that ends well; what it said."""
    text = run.communicate(timeout=120)[0]
    assert run.returncode == 0, text
    clean(project, text)
    return text


def joined(project: Project, core: TestCore, gate: Event) -> str:
    """A run that begins while something is held, until it has looked whether a deploy is under way; what it says."""
    core.core.requests.clear()
    with running(project) as run:
        until(lambda: core.core.requests["read GetStackActionState"] or run.poll() is not None)
        sleep(1.0)
        gate.set()
        return ended(project, run)
