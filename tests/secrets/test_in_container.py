"""From ``homeops secrets set`` into a running container: through git's file, the hook and compose, on a real engine."""

import json
import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from homeops.cli import secrets_files
from tests.host_image import host_image
from tests.secrets.checkout import SEVERAL_LINES, VALUES, Checkout
from tests.secrets.repository import STACK, Tool

HOOK = "docker/periphery/scripts/sops-decrypt.sh"
COMPOSE = """\
services:
  web:
    image: IMAGE
    network_mode: none
    command: [sleep, infinity]
    init: true
    env_file:
      - .env
      - path: raw.env
        format: raw
    volumes:
      - ./app.json:/app.json:ro
      - ./app.yaml:/app.yaml:ro
"""
LINES = {f"LINES_{number}": value for number, value in enumerate((VALUES | SEVERAL_LINES).values())}
RAW = {f"RAW_{number}": value for number, value in enumerate(VALUES.values())}


@pytest.fixture
def compose(checkout: Checkout, tool: Tool) -> Generator[Callable[..., bytes]]:
    """Run compose on the stack; what it brings up is gone afterwards."""
    checkout.repository.compose(COMPOSE.replace("IMAGE", host_image()))
    command = [*tool("docker-compose"), "-p", f"homeops-test-{uuid4().hex[:8]}"]

    def run(*arguments: str) -> bytes:
        done = subprocess.run([*command, *arguments], cwd=checkout.root / STACK, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("down", "--timeout", "0")


def test_every_value_arrives_in_the_container_as_it_was_set(
    checkout: Checkout, compose: Callable[..., bytes], root: Path, tmp_path: Path
) -> None:
    checkout.file.unlink()
    files = {".sops.env": LINES, "raw.sops.env": RAW, "app.sops.json": LINES, "app.sops.yaml": LINES}
    for name, values in files.items():
        for key, value in values.items():
            checkout.done(secrets_files.set_key, f"{STACK}/{name}", key, "--exact", stdin=value.encode())
        checkout.done(secrets_files.set_key, f"{STACK}/{name}", "NOTHING", "--empty")
    key = tmp_path / "keys.txt"
    key.write_text(checkout.private)
    environ = {**os.environ, "SOPS_AGE_KEY_FILE": str(key)}
    subprocess.run(["sh", str(root / HOOK)], cwd=checkout.root / STACK, env=environ, check=True, capture_output=True)

    compose("up", "--detach", "--quiet-pull")

    printed = compose("exec", "-T", "web", "cat", "/proc/1/environ").decode().split("\0")
    found = dict(entry.split("=", 1) for entry in printed if entry)
    wanted = LINES | RAW | {"NOTHING": ""}
    assert {key: found.get(key) for key in wanted} == wanted
    assert json.loads(compose("exec", "-T", "web", "cat", "/app.json")) == LINES | {"NOTHING": ""}
    assert yaml.safe_load(compose("exec", "-T", "web", "cat", "/app.yaml")) == LINES | {"NOTHING": ""}
