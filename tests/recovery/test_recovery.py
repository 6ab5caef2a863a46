"""Recovery on a host with the field's own parts: sshd, sops, age, compose; Core is simulated."""

import json
import shutil
import stat
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from homeops.errors import ToolError
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.http import CoreServer
from homeops.recovery.control_plane import ControlPlane
from homeops.recovery.run import run
from homeops.recovery.script import HOOK, KEY, SECRET, Manner, script
from tests.recovery.fleet import COMPOSE, JWT, PASSWORD, VERSION, Homelab, Tool, encrypt, homelab, new_key
from tests.recovery.machine import Machine

SETTINGS = Settings()
SECRETS = (JWT, PASSWORD, PASSWORD[:12])


@dataclass
class Scene:
    """A host without Core, a checkout beside it, and a Core that will answer."""

    machine: Machine
    lab: Homelab
    plane: ControlPlane
    manner: Manner
    environ: dict[str, str]

    def recover(self, **environ: str) -> list[str]:
        """Take all steps; what was told, a step's title before what it said."""
        told: list[str] = []
        run(
            self.plane,
            self.lab.root,
            {**self.environ, **environ},
            began=lambda _: None,
            ended=lambda name, said: told.extend([name, *said.splitlines()]),
            manner=self.manner,
        )
        return told

    def failure(self, **environ: str) -> str:
        """Take the steps that can be taken; the message of the one that failed."""
        with pytest.raises(ToolError) as raised:
            self.recover(**environ)
        said = str(raised.value)
        assert not any(secret in said for secret in SECRETS)
        return said

    @property
    def stack(self) -> Path:
        """The stack's directory on the host."""
        return self.machine.periphery / "stacks/komodo-core" / self.lab.directory


@pytest.fixture
def core() -> Generator[CoreServer]:
    with CoreServer(Core()) as server:
        yield server


@pytest.fixture
def scene(tmp_path: Path, root: Path, tool: Tool, machine: Machine, core: CoreServer) -> Scene:
    lab = homelab(tmp_path / "checkout", root / HOOK, reach=machine.reach, core=core.address)
    encrypt(tool, lab.files, new_key(tool, machine.age_key))
    manner = Manner(age_key=str(machine.age_key), patience=2)
    keys = {KEY: SETTINGS.admin_key, SECRET: SETTINGS.admin_secret}
    return Scene(machine, lab, lab.plane(machine.periphery), manner, {**machine.environ, **keys})


def test_core_comes_up_as_komodo_would_bring_it_up_and_a_second_time_nothing_is_in_the_way(scene: Scene) -> None:
    for _ in range(2):
        told = scene.recover()
        assert f"Core {VERSION}" in told
        assert "the key is accepted" in told

        service = json.loads(scene.machine.containers.read_text())["services"]["core"]
        assert service["image"] == f"komodo-core:{VERSION}"
        assert service["environment"] == {
            "GREETING": "it's $$5 in Ulm & Graz",  # compose doubles the sign when it prints
            "ADMIN": JWT,
            "DATABASE_PASSWORD": PASSWORD.replace("$", "$$"),
        }
        assert service["volumes"][0]["source"] == str(scene.stack / "conf/core.toml")
    assert scene.machine.commands == ["version", "version", "config", "pull", "up"] * 2


def test_files_are_where_periphery_keeps_them_and_plain_secrets_are_the_owners_alone(scene: Scene) -> None:
    scene.recover()
    checkout = scene.machine.periphery / "stacks/komodo-core"
    assert (checkout / ".env").read_text() == f"KOMODO_VERSION={VERSION}\nGREETING=it's $5 in Ulm & Graz\n"
    assert (scene.stack / ".env").read_text() == f"ADMIN={JWT}\n"
    assert (scene.stack / "compose.yaml").read_text() == COMPOSE
    plain = [checkout / ".env", scene.stack / ".env", scene.stack / "database.env"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in plain} == {0o600}
    left = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    sent = {"compose.yaml", "conf/core.toml", ".sops.env", "database.sops.env", ".env", "database.env"}
    assert left == {".env", *(f"{scene.lab.directory}/{name}" for name in sent)}


def test_another_age_key_stops_before_compose_and_leaves_the_files_of_yesterday(scene: Scene, tool: Tool) -> None:
    scene.recover()
    scene.machine.age_key.unlink()
    new_key(tool, scene.machine.age_key)
    before = scene.machine.commands

    said = scene.failure()

    assert "Decrypt the secrets: failed" in said
    assert ".sops.env: cannot decrypt" in said
    assert "homeops recover core --decrypt-here" in said
    assert (scene.stack / ".env").read_text() == f"ADMIN={JWT}\n"
    assert scene.machine.commands == [*before, "version", "version"]


def test_a_host_without_sops_and_key_gets_its_secrets_through_standard_input(scene: Scene) -> None:
    here = scene.machine.sshd.client / "keys.txt"
    scene.machine.age_key.rename(here)
    assert "cannot read the age key" in scene.failure()
    (scene.machine.programs / "sops").unlink()
    assert "sops is not installed" in scene.failure()

    scene.manner = replace(scene.manner, decrypt_here=True)
    told = scene.recover(SOPS_AGE_KEY_FILE=str(here))

    assert (scene.stack / ".env").read_text() == f"ADMIN={JWT}\n"
    assert (scene.stack / "database.env").read_text() == f"DATABASE_PASSWORD={PASSWORD}\n"
    assert stat.S_IMODE((scene.stack / "database.env").stat().st_mode) == 0o600
    assert json.loads(scene.machine.containers.read_text())["services"]["core"]["environment"]["ADMIN"]
    everything_shown = scene.machine.command_lines + "\n".join(told)
    assert not any(secret in everything_shown for secret in SECRETS)


def test_without_a_key_here_either_nothing_is_sent(scene: Scene) -> None:
    scene.manner = replace(scene.manner, decrypt_here=True)
    said = scene.failure()
    assert "Decrypt the secrets here: failed" in said
    assert "SOPS_AGE_KEY_FILE" in said
    assert not (scene.stack / ".env").exists()


def test_a_host_without_docker_is_told_apart(scene: Scene) -> None:
    (scene.machine.programs / "docker").unlink()
    said = scene.failure()
    assert "Look at Docker: failed\n    docker is not installed\n  hint: install Docker" in said
    assert not scene.machine.periphery.exists()


@pytest.mark.parametrize("known", ["nothing", "another key"])
def test_a_host_whose_key_is_not_known_gets_nothing(scene: Scene, known: str) -> None:
    if known == "nothing":
        scene.machine.sshd.known_hosts.write_text("")
    else:
        other = (scene.machine.sshd.client / "id.pub").read_text()
        scene.machine.sshd.known_hosts.write_text(f"{scene.machine.sshd.name} {other}")
    said = scene.failure()
    assert "Reach one: failed" in said
    assert "Host key verification failed." in said
    assert f"ssh-keygen -R '[127.0.0.1]:{scene.machine.port}'" in said
    assert not scene.machine.periphery.exists()
    assert scene.machine.commands == []


def test_a_host_that_is_off_is_told_with_its_address(scene: Scene) -> None:
    scene.machine.stop()
    said = scene.failure()
    assert f"connect to host 127.0.0.1 port {scene.machine.port}: Connection refused" in said


@pytest.mark.parametrize(
    ("compose", "reason"),
    [
        (COMPOSE.replace("image:", "imagee:"), "imagee"),
        (COMPOSE.replace("KOMODO_VERSION:?", "UNSET:?"), "UNSET"),
        (COMPOSE.replace("path: .env", "path: other.env"), "other.env not found"),
    ],
    ids=["unknown key", "unset variable", "missing file"],
)
def test_a_compose_file_that_compose_does_not_take_starts_nothing(scene: Scene, compose: str, reason: str) -> None:
    (scene.lab.files / "compose.yaml").write_text(compose, encoding="utf-8")
    said = scene.failure()
    assert "Check the compose files: failed" in said
    assert reason in said
    assert scene.machine.commands == ["version", "version", "config"]


def test_containers_that_do_not_get_well_fail_with_their_state_and_log(scene: Scene) -> None:
    log = f"core | no access with DATABASE_PASSWORD={JWT}\ncore | ADMIN={JWT}\ncore | giving up\n"
    scene.machine.trouble("up", log)
    said = scene.failure()
    assert "Start komodo-core: failed" in said
    assert "container komodo-core-1 is unhealthy" in said
    assert "komodo-core-1 Up 3 seconds (unhealthy)" in said
    assert "core | giving up" in said
    assert scene.machine.commands[-3:] == ["up", "ps", "logs"]


def test_without_a_registry_the_images_of_the_host_do(scene: Scene) -> None:
    scene.machine.trouble("pull")
    told = scene.recover()
    assert "not pulled: going on with the images that are on the host" in told
    assert scene.machine.containers.exists()


def test_a_core_that_does_not_answer_afterwards_is_a_failure(scene: Scene) -> None:
    with CoreServer(Core()) as gone:
        scene.plane = replace(scene.plane, core=gone.address)
    said = scene.failure()
    assert "Ask Core for its version: failed" in said
    assert f"hint: see what answers at {gone.address}" in said


def test_a_core_of_another_version_is_a_failure(scene: Scene) -> None:
    scene.plane = replace(scene.plane, version="9.8.7")
    assert f"Core is {VERSION}, not 9.8.7" in scene.failure()


def test_a_key_that_core_does_not_know_is_a_failure_and_without_a_key_none_is_tried(scene: Scene) -> None:
    said = scene.failure(**{SECRET: "S_" + "2" * 40 + "_S"})
    assert "Read with the API key: failed" in said
    assert "restore a backup" in said
    assert f"not tried: no {KEY} and {SECRET}" in scene.recover(**{KEY: ""})


@pytest.mark.parametrize("missing", ["", ".sops.env"])
def test_the_printed_script_does_the_same_by_hand(scene: Scene, missing: str) -> None:
    if missing:
        (scene.lab.files / missing).unlink()
    text = script(scene.plane, scene.manner)
    done = by_hand(text, scene)
    if missing:
        assert done.returncode != 0
        assert f"{missing}: Cannot stat" in done.stderr
        assert "Bring the files: failed\n  hint: run it in the root of a checkout" in done.stderr
        assert not scene.machine.containers.exists()
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "the key is accepted"
        assert "failed" not in done.stderr
        assert scene.machine.containers.exists()


def by_hand(text: str, scene: Scene) -> subprocess.CompletedProcess[Any]:
    """Through a pipe: what reads the script's own standard input would eat the rest of it."""
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(
        [bash], input=text, cwd=scene.lab.root, env=scene.environ, capture_output=True, text=True, check=False
    )
