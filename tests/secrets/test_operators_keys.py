"""The operator's keys are found wherever sops finds them, and only a key that sops would take is one."""

from pathlib import Path

import pytest

from homeops.errors import SecretsError
from homeops.secrets.age_keys import generate
from homeops.secrets.operators_keys import key_file, operators_key
from tests.secrets.repository import Tool

PLACES = (
    ".sops/key.txt",
    ".config/sops/age/keys.txt",
    "xdg/sops/age/keys.txt",
    "Library/Application Support/sops/age/keys.txt",
    "named.txt",
)


def environ_of(tmp_path: Path, tool: Tool, place: str) -> dict[str, str]:
    environ = {"PATH": str(Path(tool("age-keygen")[0]).parent)}
    if place.startswith("xdg/"):
        environ["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    if place == "named.txt":
        environ["SOPS_AGE_KEY_FILE"] = str(tmp_path / place)
    return environ


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_found_in_each_place_and_its_file_is_the_one_that_takes_another(
    tmp_path: Path, tool: Tool, place: str
) -> None:
    environ = environ_of(tmp_path, tool, place)
    key, other = generate(environ), generate(environ)
    with pytest.raises(SecretsError, match="there is no file with your age keys"):
        key_file(environ, tmp_path)
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{other.text}# mine\n{key.text}")
    assert operators_key(key.recipient, environ, tmp_path) == key.text
    assert key_file(environ, tmp_path) == file


def test_a_key_of_the_environment_is_found_and_one_in_a_comment_is_none(tmp_path: Path, tool: Tool) -> None:
    environ = environ_of(tmp_path, tool, "")
    key, gone = generate(environ), generate(environ)
    environ["SOPS_AGE_KEY"] = f"{key.text}# {gone.private}\n"
    assert operators_key(key.recipient, environ, tmp_path) == key.text
    with pytest.raises(SecretsError, match=f"the private key of {gone.recipient} is not at hand") as caught:
        operators_key(gone.recipient, environ, tmp_path)
    assert gone.private not in str(caught.value)
