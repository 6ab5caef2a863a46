"""Secret files in the repository: encrypted, for one recipient, with no plain twin."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.compose.secret_files import SecretFile, secret_files

Tool = Callable[[str], list[str]]

ROOT = Path(__file__).resolve().parents[2]
RECIPIENT = "age1y6dnshya496nf3072zudw3vd33723v02g3tfvpt563zng0xd9ghqwzj5xk"
DIRECTORIES = sorted({ROOT, *(path.parent for path in (ROOT / "docker").rglob("*") if path.is_file())})
SECRETS = [secret for directory in DIRECTORIES for secret in secret_files(directory) if directory != ROOT]
every_secret = pytest.mark.parametrize(
    "secret", SECRETS, ids=[str(secret.encrypted.relative_to(ROOT)) for secret in SECRETS]
)


def test_every_stack_that_the_seed_gives_secrets_has_a_secret_file() -> None:
    stacks = {secret.encrypted.parent.relative_to(ROOT / "docker/stacks").as_posix() for secret in SECRETS}
    assert stacks == {path.parent.relative_to(ROOT / "docker/stacks").as_posix() for path in ROOT.rglob("compose.yaml")}


def tree(secret: SecretFile) -> dict[str, Any]:
    """Content of a secret file; what sops added is under ``sops``, a dotenv file's metadata in the same shape."""
    text = secret.encrypted.read_text()
    if secret.format == "json":
        return json.loads(text)
    if secret.format == "yaml":
        return yaml.safe_load(text)
    pairs = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    content: dict[str, Any] = {key: value for key, value in pairs.items() if not key.startswith("sops_")}
    metadata = {key.removeprefix("sops_"): value for key, value in pairs.items() if key.startswith("sops_")}
    ages = [value for key, value in metadata.items() if re.fullmatch(r"age__list_\d+__map_recipient", key)]
    others = {key: value for key, value in metadata.items() if not key.startswith("age__list_")}
    return content | {"sops": others | {"age": [{"recipient": recipient} for recipient in ages]}}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


@every_secret
def test_a_secret_is_encrypted_for_the_fleets_recipient_alone(secret: SecretFile) -> None:
    metadata = tree(secret)["sops"]
    assert [key["recipient"] for key in metadata["age"]] == [RECIPIENT]
    for other in ("kms", "gcp_kms", "azure_kv", "hc_vault", "pgp", "key_groups"):
        assert not any(key == other or key.startswith(f"{other}__") for key in metadata if metadata[key])


@every_secret
def test_every_value_of_a_secret_file_is_there_and_encrypted(secret: SecretFile) -> None:
    content = {key: value for key, value in tree(secret).items() if key != "sops"}
    values = dict(leaves(content))
    assert values
    for path, value in values.items():
        assert str(value).startswith("ENC[AES256_GCM,data:"), path


@every_secret
def test_the_plain_file_is_ignored_and_never_tracked(secret: SecretFile) -> None:
    def git(*arguments: str) -> int:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).returncode

    assert git("check-ignore", "--quiet", str(secret.plain)) == 0
    assert git("check-ignore", "--quiet", str(secret.encrypted)) == 1
    assert git("ls-files", "--error-unmatch", str(secret.plain)) == 1


@pytest.mark.parametrize("name", ["nvr/frigate/.sops.env", "komodo/core/database.sops.env", "a/b/secrets.sops.yaml"])
def test_sops_encrypts_files_beside_a_compose_file_for_the_recipient(tmp_path: Path, tool: Tool, name: str) -> None:
    done = encrypt(tmp_path, tool, f"docker/stacks/{name}")
    assert done.returncode == 0, done.stderr
    assert RECIPIENT in (tmp_path / "docker/stacks" / name).read_text()


@pytest.mark.parametrize(
    "name",
    [
        ".sops.env",
        "docs/.sops.env",
        "docker/.sops.env",
        "docker/stacks/nvr/.sops.env",
        "docker/stacks/nvr/frigate/more/.sops.env",
        "docker/stacks/nvr/frigate/.env",
        "docker/stacks/nvr/frigate/config.yaml",
        "docker/stacks/nvr/frigate/x.sops.yaml.orig.yaml",
        "other/docker/stacks/nvr/frigate/.sops.env",
    ],
)
def test_sops_refuses_every_other_place(tmp_path: Path, tool: Tool, name: str) -> None:
    done = encrypt(tmp_path, tool, name)
    assert done.returncode != 0
    assert "no matching creation rules" in done.stderr


def encrypt(checkout: Path, tool: Tool, name: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / ".sops.yaml", checkout)
    path = checkout / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a: b\n" if path.suffix == ".yaml" else "A=b\n")
    return subprocess.run(
        [*tool("sops"), "encrypt", "--in-place", name], cwd=checkout, capture_output=True, text=True, check=False
    )
