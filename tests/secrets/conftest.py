"""The home and the checkout that commands are run in."""

import os
from pathlib import Path

import pytest

from tests.secrets.checkout import Checkout
from tests.secrets.repository import Tool


@pytest.fixture
def home(tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an operator who has sops and age-keygen on PATH, and named no key."""
    for name in [name for name in os.environ if name.startswith("SOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    bins = [str(Path(tool(name)[0]).parent) for name in ("sops", "age-keygen")]
    monkeypatch.setenv("PATH", os.pathsep.join([*bins, os.environ["PATH"]]))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def checkout(home: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(home / "checkout", tool)
    monkeypatch.setenv("SOPS_AGE_KEY", made.private)
    monkeypatch.chdir(made.root)
    return made
