"""The files of a stack's directory, each in its part."""

from pathlib import Path

import pytest

from homeops.compose.directories import read_directories, stack_directories
from homeops.model.graph import StackFiles


def files_of(root: Path, *names: str) -> StackFiles:
    directory = root / "docker/stacks/nvr/web"
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()
    return read_directories(root, ["docker/stacks/nvr/web"])["docker/stacks/nvr/web"]


@pytest.mark.parametrize(
    ("names", "compose"),
    [
        (["compose.yaml"], ("compose.yaml",)),
        (["docker-compose.yml", "compose.yml"], ("compose.yml",)),
        (["docker-compose.yaml", "docker-compose.yml"], ("docker-compose.yml",)),
        (["compose.yaml", "compose.override.yaml"], ("compose.yaml", "compose.override.yaml")),
        (["compose.yaml", "compose.override.yml"], ("compose.yaml", "compose.override.yml")),
        (["compose.override.yaml"], ()),
        (["sub/compose.yaml"], ()),
        ([], ()),
    ],
)
def test_compose_files_are_those_that_compose_takes(tmp_path: Path, names: list[str], compose: tuple[str, ...]) -> None:
    files = files_of(tmp_path, *names)
    assert files.compose == compose
    assert files.secrets == ()


def test_each_file_is_in_one_part(tmp_path: Path) -> None:
    files = files_of(
        tmp_path,
        "compose.yaml",
        "config/site.conf",
        "config/more/deep.conf",
        ".sops.env",
        "users.sops.json",
        "keys.sops.yaml",
        ".htpasswd",
    )
    assert files.compose == ("compose.yaml",)
    assert files.secrets == (".sops.env", "keys.sops.yaml", "users.sops.json")
    assert files.config == (".htpasswd", "config/more/deep.conf", "config/site.conf")


def test_what_the_hook_writes_and_what_people_read_is_in_none(tmp_path: Path) -> None:
    names = ["compose.yaml", ".sops.env", ".env", "users.sops.json", "users.json", "README.md", ".gitignore"]
    assert files_of(tmp_path, *names, "env.example").config == ()


def test_a_plain_file_without_an_encrypted_one_is_configuration(tmp_path: Path) -> None:
    assert files_of(tmp_path, "compose.yaml", "users.json").config == ("users.json",)


def test_what_the_hook_does_not_decrypt_is_no_secret_file(tmp_path: Path) -> None:
    files = files_of(tmp_path, "compose.yaml", "sub/.sops.env", "x.sops.ini")
    assert files.secrets == ()
    assert files.config == ("sub/.sops.env", "x.sops.ini")


def test_a_path_that_is_no_directory_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_directories(tmp_path, ["absent", "file"]) == {}


def test_the_directories_of_the_repository(root: Path) -> None:
    found = stack_directories(root)
    assert "docker/stacks/shared/alloy" in found
    assert found == sorted(found)
    files = read_directories(root, found)
    assert set(files) == set(found)
    assert all(entry.compose == ("compose.yaml",) for entry in files.values())
    assert files["docker/stacks/server04/traefik"].config == (
        "dynamic/frigate.yml",
        "dynamic/tls.yml",
        "dynamic/vaultwarden.yml",
    )
    assert files["docker/stacks/omni/omni"].secrets == ("secrets.sops.yaml",)
