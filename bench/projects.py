"""Pulumi projects to measure, each in a directory of its own: an empty program, the homelab, synthetic fleets."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import yaml

from bench.fleets import HOSTS, SIZE
from homeops.lab.pulumi_cli import environment

STACK = "bench"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """One run of ``pulumi``: seconds on the clock, and MB of the largest of its processes."""

    seconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Project:
    """A Pulumi project with its stack made."""

    directory: Path
    environ: Mapping[str, str]

    def pulumi(self, *arguments: str) -> Run:
        """Run ``pulumi`` in the project; raises RuntimeError with what it said when it failed."""
        began = perf_counter()
        process = subprocess.Popen(
            ["pulumi", *arguments, "--stack", STACK, "--non-interactive", "--color", "never", "--suppress-outputs"],
            cwd=self.directory,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"pulumi {' '.join(arguments)} failed:\n{said[-3000:]}")
        return Run(perf_counter() - began, usage.ru_maxrss / 1024)

    def preview(self, *, refresh: bool = False) -> Run:
        """A preview that must show no change."""
        return self.pulumi("preview", "--expect-no-changes", *(["--refresh"] if refresh else []))

    def up(self) -> Run:
        """Bring everything up."""
        return self.pulumi("up", "--yes", "--skip-preview", "--suppress-progress")


def make(
    directory: Path, program: str, core: Mapping[str, str], settings: Mapping[str, object], **extra: str
) -> Project:
    """Write a project and make its stack; ``core`` are the KOMODO_ variables."""
    directory.mkdir(parents=True)
    name = directory.name
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(Path(sys.prefix))}}
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump({"name": name, "runtime": runtime}))
    (directory / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": dict(settings)}))
    (directory / "__main__.py").write_text(program)
    state = directory.parent / "state"
    state.mkdir(exist_ok=True)
    environ = {
        **environment(ROOT, os.environ),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_HOME": str(directory.parent / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(directory.parent / "pycache"),
        **core,
        **extra,
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    project = Project(directory, environ)
    subprocess.run(
        ["pulumi", "stack", "init", STACK, "--non-interactive"],
        cwd=directory,
        env=environ,
        check=True,
        capture_output=True,
    )
    return project


def empty(parent: Path) -> Project:
    """A program that declares nothing: what Pulumi itself costs."""
    return make(parent / "empty", "import pulumi\n", {}, {})


def trivial(parent: Path, count: int) -> Project:
    """So many dynamic resources that do nothing: what no provider can go below."""
    return make(parent / "trivial", f"from bench.trivial import register\n\nregister({count})\n", {}, {})


def homelab(parent: Path, core: Mapping[str, str]) -> Project:
    """The homelab's fleet with the rehearsal's settings."""
    project = make(parent / "homelab", 'from homeops.program import run\n\nrun("homeops.fleet")\n', core, {})
    for file in ("Pulumi.lab.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / file, project.directory / file)
    settings = project.directory / f"Pulumi.{STACK}.yaml"
    kept: dict[str, Any] = yaml.safe_load(settings.read_text()) or {}
    settings.write_text(yaml.safe_dump({**kept, "config": {"homeops:like": "lab"}}))
    (project.directory / "docker").symlink_to(ROOT / "docker")
    return project


def shared_directory(parent: Path) -> Path:
    """A repository that holds the one directory of a synthetic fleet."""
    repository = parent / "repository"
    app = repository / "docker/stacks/shared/app"
    app.mkdir(parents=True)
    (app / "compose.yaml").write_text("services:\n  app:\n    image: busybox:1.36\n    command: sleep infinity\n")
    return repository


def synthetic(parent: Path, core: Mapping[str, str], stacks: int, repository: Path, *, deploy: bool = True) -> Project:
    """So many stacks on ten hosts."""
    prod = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    settings = {
        **prod,
        "homeops:komodo": {"address": core["KOMODO_ADDRESS"], "url": core["KOMODO_ADDRESS"]},
        "homeops:deploy": deploy,
        # None of these hosts is a machine.
        "homeops:ssh": False,
        "homeops:hosts": {host.name: {"address": f"127.0.1.{place + 1}"} for place, host in enumerate(HOSTS)},
    }
    program = 'from homeops.program import run\n\nrun("bench.fleets")\n'
    project = make(parent / f"synthetic{stacks}", program, core, settings, **{SIZE: str(stacks)})
    (project.directory / "docker").symlink_to(repository / "docker")
    return project
