"""What tests of deploys may ask for."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.repository import SHARED, WEB, Repository


@pytest.fixture
def repository(tmp_path: Path, tool: Callable[[str], list[str]]) -> Repository:
    """Encrypted with real sops and age."""
    made = Repository(tmp_path, tool("sops"), [])
    for name in ("key.txt", "other.txt"):
        subprocess.run([*tool("age-keygen"), "-o", str(tmp_path / name)], check=True, capture_output=True)
        found = re.search(r"public key: (age1\w+)", (tmp_path / name).read_text(encoding="utf-8"))
        assert found
        made.recipients.append(found[1])
    made.write(f"{WEB}/compose.yaml", "services: {web: {image: 'nginx:1.27'}}\n")
    made.write(f"{WEB}/config/site.conf", "listen 80;\n")
    made.encrypt(f"{WEB}/.sops.env", "TOKEN=one\nPASSWORD=two\n")
    made.encrypt(f"{WEB}/users.sops.json", json.dumps({"admin": {"hash": "x"}, "list": ["a", "b"]}))
    made.encrypt(f"{WEB}/keys.sops.yaml", "key: y\n")
    made.write(f"{SHARED}/compose.yaml", "services: {agent: {image: 'agent:1'}}\n")
    made.encrypt(f"{SHARED}/.sops.env", "PUSH=three\n")
    return made
