"""``homeops recover core``: what it prints, whom it reaches, how it fails."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
import yaml

from homeops.cli.main import app
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.http import CoreServer
from homeops.recovery.control_plane import control_plane
from homeops.recovery.script import KEY, SECRET
from tests.recovery.fleet import Tool, encrypt, new_key
from tests.recovery.machine import Machine


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A checkout with the settings, the stacks' files and nothing else."""
    there = tmp_path / "checkout"
    shutil.copytree(root / "docker", there / "docker")
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml", "Pulumi.lab.yaml"):
        shutil.copy(root / name, there / name)
    return there


def homeops(patch: pytest.MonkeyPatch, directory: Path, *arguments: str, **environ: str) -> int:
    """Run the command in a directory; its exit code."""
    patch.chdir(directory)
    for name in ("STACK", "KOMODO_ADDRESS", KEY, SECRET):
        patch.delenv(name, raising=False)
    for name, value in environ.items():
        patch.setenv(name, value)
    patch.setattr("sys.argv", ["homeops", *arguments])
    with pytest.raises(SystemExit) as ended:
        app()
    return int(ended.value.code or 0)


def settle(checkout: Path, machine: Machine, core: str) -> None:
    """Write the settings ``test``: the rehearsal's, with this machine for Core's host."""
    reach = {"homeops:hosts": {"komodo": machine.reach}, "homeops:komodo": {"address": core}}
    settings = {"config": {"homeops:like": "lab", **reach}}
    (checkout / "Pulumi.test.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def test_print_shows_the_script_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    # Whoever would be started is not there.
    assert homeops(monkeypatch, checkout, "recover", "core", "--print", PATH="/nowhere") == 0
    said = capsys.readouterr()
    assert said.out.startswith("#!/usr/bin/env bash\n# Brings komodo-core up on komodo (")
    assert "\n# 5. Decrypt the secrets. On the host" in said.out
    assert said.err == ""


def test_a_rehearsal_can_be_printed_and_not_reached(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    assert homeops(monkeypatch, checkout, "recover", "core", "--print", "--decrypt-here", STACK="lab") == 0
    assert "\n# 5. Decrypt the secrets here. " in capsys.readouterr().out
    assert homeops(monkeypatch, checkout, "recover", "core", "-s", "lab", PATH="/nowhere") == 1
    assert capsys.readouterr().err.startswith("lab: its hosts are simulated, and nothing can be reached\n  hint: ")


def test_it_says_each_step_and_stops_at_the_first_that_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, machine: Machine
) -> None:
    (machine.programs / "docker").unlink()
    settle(checkout, machine, "http://127.0.0.1:9")

    assert homeops(monkeypatch, checkout, "recover", "core", "-s", "test", **machine.environ) == 1

    said = capsys.readouterr()
    told = said.err.splitlines()
    root = machine.reach["sshUser"] == "root"
    total, before = (10, ["1/10 Reach komodo"]) if root else (11, ["1/11 Reach komodo", "2/11 Become root"])
    assert told[: len(before)] == before
    assert told[len(before) :] == [
        f"recovery of komodo-core on komodo: {len(before) + 1}/{total} Look at Docker: failed",
        "    docker is not installed",
        "  hint: install Docker and its compose plugin on komodo, or start it: systemctl start docker",
    ]
    assert said.out == ""


def test_this_fleets_own_core_comes_up(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkout: Path,
    machine: Machine,
    tool: Tool,
) -> None:
    monkeypatch.setattr("homeops.cli.recover.control_plane", partial(control_plane, periphery=str(machine.periphery)))
    # Nobody here can read the real ones.
    text = "KOMODO_DATABASE_PASSWORD=of a test\n"
    secrets = {".sops.env": text, "database.sops.env": text}
    encrypt(tool, checkout / "docker/stacks/komodo/core", new_key(tool, machine.age_key), secrets)
    settings = Settings()
    with CoreServer(Core()) as server:
        settle(checkout, machine, server.address)
        environ = machine.environ | {KEY: settings.admin_key, SECRET: settings.admin_secret}
        environ["SOPS_AGE_KEY_FILE"] = str(machine.age_key)
        ended = homeops(monkeypatch, checkout, "recover", "core", "-s", "test", "--decrypt-here", **environ)

    said = capsys.readouterr()
    assert ended == 0, said.err
    assert said.out.splitlines() == [
        f"komodo-core is up on komodo: Core {settings.version} at {server.address}",
        "Next: pulumi up -s test",
    ]
    assert said.err.endswith("Read with the API key\n    the key is accepted\n")
    services = json.loads(machine.containers.read_text())["services"]
    assert services["core"]["image"] == f"ghcr.io/moghtech/komodo-core:{settings.version}"
    assert services["core"]["environment"]["KOMODO_DATABASE_PASSWORD"] == "of a test"
    assert services["mongo"]["environment"]["KOMODO_DATABASE_PASSWORD"] == "of a test"
