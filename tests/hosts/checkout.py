"""A checkout whose hosts are machines of a test, and the command that is run in it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.cli.main import app
from tests.sshd import Sshd

DEAD = 9
"""A port of this machine where nobody listens."""


def new_checkout(root: Path, there: Path, hosts: Mapping[str, Sshd | None], **ssh: Any) -> Path:
    """A copy of what declares the fleet, with settings ``test``: these hosts answer, all others are dead."""
    shutil.copytree(root / "docker", there / "docker")
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.lab.yaml", ".sops.yaml"):
        shutil.copy(root / name, there / name)
    names = yaml.safe_load((root / "Pulumi.prod.yaml").read_text())["config"]["homeops:hosts"]
    facts = {
        name: {"address": f"127.0.0.{number}", "sshPort": DEAD, "sshUser": "nobody"}
        for number, name in enumerate(names, start=2)
    }
    for name, sshd in hosts.items():
        if sshd is not None:
            reach = sshd.reach(name)
            facts[name] = {"address": reach.address, "sshPort": reach.port, "sshUser": reach.user}
    settings = {"homeops:like": "lab", "homeops:hosts": facts, "homeops:ssh": {"connectTimeoutSeconds": 2, **ssh}}
    (there / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": settings}), encoding="utf-8")
    return there


def homeops(patch: pytest.MonkeyPatch, directory: Path, *arguments: str) -> int:
    """Run a command of ``homeops hosts`` in a directory; its exit code."""
    patch.chdir(directory)
    patch.setattr("sys.argv", ["homeops", "hosts", *arguments, "-s", "test"])
    with pytest.raises(SystemExit) as ended:
        app()
    return int(ended.value.code or 0)
