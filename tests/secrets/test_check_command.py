"""``homeops secrets check`` and the hook of git: all findings at once, exit codes that say whether there are any."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.secrets.repository import Repository, Tool

VALUE = "correct-horse-battery"
NEWT = "docker/stacks/kasm/newt/.sops.env"
ALLOY = "docker/stacks/shared/alloy/compose.yaml"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repository(tmp_path: Path, root: Path, tool: Tool) -> Repository:
    """The stacks, secrets and settings of this repository, in one of its own, all added."""
    made = Repository(tmp_path / "repository", tool)
    shutil.copytree(root / "docker", made.root / "docker", ignore=shutil.ignore_patterns(".env", "*.local"))
    for path in (*root.glob("Pulumi*.yaml"), root / ".sops.yaml", root / ".gitignore"):
        shutil.copy(path, made.root / path.name)
    for path in ("tools/env.sh", "tools/hooks/pre-commit"):
        (made.root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, made.root / path)
    made.git("add", ".")
    return made


@pytest.fixture
def environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process's environment with this very homeops on PATH, and nothing of the git that may have started it."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(root))
    return dict(os.environ)


@pytest.fixture
def check(repository: Repository, environment: dict[str, str]) -> Run:
    """Run the command in the repository."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "homeops", "secrets", "check", *arguments]
        return subprocess.run(
            command, cwd=repository.root, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_secrets_in_order_are_said_to_be_so(check: Run) -> None:
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "secrets: 0 errors, 0 warnings\n", "")


def test_everything_is_found_at_once_with_line_and_hint_and_no_value(repository: Repository, check: Run) -> None:
    encrypted = repository.read(NEWT)
    repository.write(NEWT, f"ADDED={VALUE}\n{encrypted}{encrypted.splitlines()[0]}\n".encode())
    repository.write(
        ALLOY, repository.read(ALLOY).replace("services:", "x-leak: $LOKI_PASSWORD\nservices:", 1).encode()
    )
    repository.write("docker/stacks/nvr/frigate/more.sops.env", f"TOKEN={VALUE}\n")
    done = check()
    assert done.returncode == 1
    assert VALUE not in done.stdout + done.stderr
    heads = [line.split(": ")[0] for line in done.stderr.splitlines() if not line.startswith("  hint: ")]
    leak = next(number for number, line in enumerate(repository.read(ALLOY).splitlines(), 1) if "x-leak" in line)
    last = len(repository.read(NEWT).splitlines())
    assert heads == [
        f"{NEWT}:1",
        f"{NEWT}:{last}",
        "docker/stacks/nvr/frigate/more.sops.env",
        "docker/stacks/nvr/frigate/more.sops.env",
        f"{ALLOY}:{leak}",
    ]
    assert done.stderr.count("  hint: ") == len(heads)
    assert done.stdout == "secrets: 4 errors, 1 warning\n"


def test_findings_are_json_on_demand(repository: Repository, check: Run) -> None:
    repository.write(NEWT, f"TOKEN={VALUE}\n")
    done = check("--json")
    said: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, done.stderr, said["errors"], said["warnings"]) == (1, "", 1, 0)
    assert said["findings"] == [
        {
            "path": NEWT,
            "line": 0,
            "severity": "error",
            "rule": "not-encrypted",
            "what": "not encrypted",
            "hint": f"homeops secrets encrypt {NEWT}",
        }
    ]


def test_warnings_alone_are_no_failure(repository: Repository, check: Run) -> None:
    repository.write("docker/settings.conf.env", "A=1\n")
    repository.git("add", "--force", "docker/settings.conf.env")
    done = check()
    assert (done.returncode, done.stdout) == (0, "secrets: 0 errors, 1 warning\n")
    assert "docker/settings.conf.env: warning: " in done.stderr


def test_a_stack_that_lost_a_variable_is_found(repository: Repository, check: Run) -> None:
    repository.write(ALLOY, repository.read(ALLOY).replace("services:", "x-new: $HOSTNAMES\nservices:", 1).encode())
    done = check()
    assert done.returncode == 1
    assert "nothing gives HOSTNAMES a value: neither stacks komodo-alloy, " in done.stderr
    assert 'did you mean "HOSTNAME"?' in done.stderr


def test_the_hook_refuses_what_is_staged_and_nothing_else(repository: Repository, environment: dict[str, str]) -> None:
    def commit(*arguments: str) -> subprocess.CompletedProcess[str]:
        identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "core.hooksPath=tools/hooks"]
        command = ["git", *identity, "commit", "--quiet", "--message", "text", *arguments]
        return subprocess.run(
            command, cwd=repository.root, env=environment, capture_output=True, text=True, check=False
        )

    repository.write(NEWT, f"TOKEN={VALUE}\n")
    first = commit()
    assert first.returncode == 0, first.stderr

    repository.write("other.txt", "text\n")
    repository.git("add", "other.txt")
    other = commit("--", "other.txt")
    assert other.returncode == 0, other.stderr

    refused = commit("--", NEWT)
    assert refused.returncode != 0
    assert f"{NEWT}: not encrypted\n  hint: homeops secrets encrypt {NEWT}" in refused.stderr
    assert VALUE not in refused.stderr + refused.stdout
    assert repository.git("log", "--format=%s", "--", NEWT).splitlines() == ["text"]
