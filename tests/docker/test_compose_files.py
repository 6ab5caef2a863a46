"""The stacks of this repository, judged by the real ``docker compose config`` and by the rules of the house."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.compose.compose_file import ComposeFile, read_compose
from homeops.compose.image import parse_image
from homeops.compose.secret_files import encrypted_path, secret_files

Tool = Callable[[str], list[str]]
Config = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
STACKS = ROOT / "docker" / "stacks"
PATHS = sorted(STACKS.rglob("compose.yaml"))
NAMES = [path.parent.relative_to(STACKS).as_posix() for path in PATHS]
every_stack = pytest.mark.parametrize("path", PATHS, ids=NAMES)

# Compose must hand such a value on unchanged.
TRICKY = "p$a${HOME}s$$\"s'w # ord"
# Names that shells, systemd and container engines set by themselves; for compose they win over --env-file.
SET_BY_OTHERS = {"HOME", "HOSTNAME", "LANG", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "TZ", "USER"}
SECRET = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|_KEY|AUTH", re.IGNORECASE)


def keys_of(dotenv: Path) -> dict[str, str]:
    """Keys and values as written of a dotenv file, without those that sops adds."""
    pairs = (line.split("=", 1) for line in dotenv.read_text().splitlines() if "=" in line)
    return {key: value for key, value in pairs if not key.startswith(("sops_", "#"))}


@dataclass
class Checkout:
    """One stack as it lies on a host once the hook has run: placeholders for its secrets and its environment."""

    path: Path
    environment: dict[str, str]

    @property
    def root_env(self) -> Path:
        """Komodo's own file: the stack's ``environment``, at the root of the checkout."""
        return self.path.parents[4] / ".env"

    def write_environment(self) -> None:
        self.root_env.write_text("".join(f"{key}={value}\n" for key, value in self.environment.items()))


@pytest.fixture
def checkout(path: Path, tmp_path: Path) -> Checkout:
    directory = tmp_path / path.parent.relative_to(ROOT)
    shutil.copytree(path.parent, directory)
    for secret in secret_files(directory):
        keys = keys_of(secret.encrypted) if secret.format == "env" else {}
        secret.plain.write_text("".join(f"{key}={TRICKY}\n" for key in keys))
    names = {variable.name for variable in read_compose(path).interpolations}
    environment = {name: f"{name.lower()}-value" for name in sorted(names)}
    here = Checkout(directory / path.name, environment | {"HOSTNAME": "the-host"})
    here.write_environment()
    return here


@pytest.fixture
def config(tool: Tool, checkout: Checkout) -> Config:
    """``docker compose config`` the way Komodo runs it, in a container that has a HOSTNAME of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*tool("docker-compose"), "-p", "stack", "-f", str(checkout.path), "--env-file", ".env", "config"]
        return subprocess.run(
            [*command, *arguments],
            cwd=checkout.root_env.parent,
            env={"PATH": "/usr/bin:/bin", "HOME": "/root", "HOSTNAME": "0123456789ab"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@every_stack
def test_compose_accepts_the_file_without_a_warning(path: Path, config: Config) -> None:
    done = config()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    services = {service.name for service in read_compose(path).services}
    assert set(yaml.safe_load(done.stdout)["services"]) == services


@every_stack
def test_secrets_reach_the_container_unchanged(path: Path, config: Config) -> None:
    resolved: dict[str, Any] = yaml.safe_load(config().stdout)["services"]
    for service in read_compose(path).services:
        for entry in service.env_files:
            source = encrypted_path(path.parent / entry.path)
            for key in keys_of(source) if source.is_file() else ():
                # In compose's own output a dollar sign is doubled.
                assert resolved[service.name]["environment"][key].replace("$$", "$") == TRICKY, key


@every_stack
def test_no_secret_is_printed_when_env_files_are_not_resolved(path: Path, config: Config) -> None:
    done = config("--no-env-resolution")
    assert done.returncode == 0, done.stderr
    assert "p$$a" not in done.stdout, f"a secret of {path} would be stored by Komodo"


@every_stack
def test_a_secret_file_that_was_not_decrypted_fails_the_deploy(checkout: Checkout, config: Config) -> None:
    for service in read_compose(checkout.path).services:
        for entry in service.env_files:
            plain = checkout.path.parent / entry.path
            content = plain.read_bytes()
            plain.unlink()
            done = config()
            assert done.returncode != 0, f"{service.name} starts without {entry.path}"
            assert str(plain.resolve()) in done.stderr
            plain.write_bytes(content)


@every_stack
def test_a_variable_missing_in_the_environment_fails_and_is_named(checkout: Checkout, config: Config) -> None:
    for name in sorted({variable.name for variable in read_compose(checkout.path).interpolations}):
        value = checkout.environment.pop(name)
        checkout.write_environment()
        done = config()
        assert done.returncode != 0
        assert f"set {name} in the environment of the stack" in done.stderr
        checkout.environment[name] = value


def test_alloy_reports_the_name_of_its_host_and_not_that_of_the_agents_container(tool: Tool, tmp_path: Path) -> None:
    path = STACKS / "shared/alloy/compose.yaml"
    directory = tmp_path / path.parent.relative_to(ROOT)
    shutil.copytree(path.parent, directory)
    (directory / ".env").touch()
    (tmp_path / ".env").write_text("HOSTNAME=nvr\n")
    done = subprocess.run(
        [*tool("docker-compose"), "-f", str(directory / path.name), "--env-file", ".env", "config"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": "/root", "HOSTNAME": "0123456789ab"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["services"]["alloy"]["environment"]["HOSTNAME"] == "nvr"


@every_stack
def test_every_service_names_one_version_of_its_image(path: Path) -> None:
    for service in read_compose(path).services:
        assert parse_image(service.image).pinned, f"{service.name}: {service.image}"


def test_the_version_of_komodo_stands_in_no_compose_file() -> None:
    images = [service.image for path in PATHS for service in read_compose(path).services if "moghtech" in service.image]
    assert len(images) == 1
    assert ":${KOMODO_VERSION:?" in images[0]


@every_stack
def test_every_service_has_a_health_check_or_says_why_not(path: Path) -> None:
    for service in read_compose(path).services:
        assert service.healthcheck != bool(service.no_healthcheck), service.name


@every_stack
@pytest.mark.usefixtures("path")
def test_every_service_comes_back_after_a_reboot_and_cannot_fill_the_disk_with_logs(config: Config) -> None:
    resolved: dict[str, Any] = yaml.safe_load(config().stdout)["services"]
    for name, service in resolved.items():
        assert service["restart"] in ("unless-stopped", "always"), name
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys(), name


@every_stack
def test_names_of_projects_and_containers_are_left_to_komodo(path: Path) -> None:
    file = read_compose(path)
    assert file.project_name == ""
    assert [service.container_name for service in file.services] == [""] * len(file.services)


@every_stack
def test_variables_are_required_not_secret_and_ours_alone(path: Path) -> None:
    for variable in read_compose(path).interpolations:
        assert not SECRET.search(variable.name), f"line {variable.line}: secrets come by env_file"
        assert variable.name not in SET_BY_OTHERS, f"line {variable.line}: {variable.name}"


@every_stack
def test_every_env_file_has_an_encrypted_source_and_is_read_as_it_is(path: Path) -> None:
    for service in read_compose(path).services:
        for entry in service.env_files:
            if (path.parent / entry.path).resolve() == ROOT / ".env":
                continue  # the stack's environment, written by Komodo
            assert encrypted_path(path.parent / entry.path).is_file(), f"line {entry.line}: {entry.path}"
            assert entry.format == "raw", f"line {entry.line}: compose would expand dollar signs in secrets"


@every_stack
def test_every_mounted_file_of_the_checkout_is_in_it(path: Path) -> None:
    decrypted = {secret.plain for secret in secret_files(path.parent)}
    for service in read_compose(path).services:
        for volume in service.volumes:
            if volume.kind == "bind" and volume.source.startswith("."):
                source = path.parent / volume.source
                assert source.exists() or source in decrypted, f"line {volume.line}: {volume.source}"
                assert volume.read_only, f"line {volume.line}: a container must not write into the checkout"


@every_stack
def test_no_secret_file_is_without_use(path: Path) -> None:
    services = read_compose(path).services
    used = {path.parent / entry.path for service in services for entry in service.env_files}
    used |= {path.parent / volume.source for service in services for volume in service.volumes}
    assert {secret.plain for secret in secret_files(path.parent)} <= used


def test_an_external_network_is_made_by_another_stack_of_the_host() -> None:
    files: list[ComposeFile] = [read_compose(path) for path in PATHS]
    for file in files:
        for network in file.networks:
            if network.external:
                makers = {
                    other.path.parents[1].name
                    for other in files
                    for made in other.networks
                    if made.name == network.name and not made.external
                }
                assert makers == {file.path.parents[1].name}, f"{file.path}:{network.line}: {network.name}"
