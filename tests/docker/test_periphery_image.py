"""The Dockerfile of the Periphery image: its download steps run here, with a curl that serves prepared files."""

import hashlib
import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

DIRECTORY = Path(__file__).resolve().parents[2] / "docker" / "periphery"
DOCKERFILE = (DIRECTORY / "Dockerfile").read_text()
DOWNLOADS = re.findall(r"^RUN (url=.*?[^\\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)

Build = Callable[..., subprocess.CompletedProcess[str]]


def test_no_version_stands_in_the_dockerfile() -> None:
    arguments = re.findall(r"^ARG (.*)$", DOCKERFILE, re.MULTILINE)
    assert arguments == ["PERIPHERY_TAG", "SOPS_VERSION", "SOPS_SHA256", "AGE_VERSION", "AGE_SHA256"]
    assert not re.search(r"\d+\.\d+", DOCKERFILE)


def test_the_image_gets_all_that_the_hook_needs() -> None:
    assert set(re.findall(r"/tools/(\w+(?:-\w+)?)", DOCKERFILE.partition("COPY --from=tools")[2])) == {
        "sops",
        "age",
        "age-keygen",
    }
    assert "scripts/sops-decrypt.sh /usr/local/bin/sops-decrypt.sh" in DOCKERFILE
    assert os.access(DIRECTORY / "scripts/sops-decrypt.sh", os.X_OK)


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, str]:
    """Releases as they lie on the server, and build arguments that fit them."""
    served = tmp_path / "served"
    (served / "age").mkdir(parents=True)
    (served / "sops-v1.2.3.linux.amd64").write_text("#!/bin/sh\necho sops\n")
    for name in ("age", "age-keygen", "LICENSE"):
        (served / "age" / name).write_text(name)
    with tarfile.open(served / "age-v4.5.6-linux-amd64.tar.gz", "w:gz") as archive:
        archive.add(served / "age", "age")

    def digest(name: str) -> str:
        return hashlib.sha256((served / name).read_bytes()).hexdigest()

    return {
        "SOPS_VERSION": "1.2.3",
        "SOPS_SHA256": digest("sops-v1.2.3.linux.amd64"),
        "AGE_VERSION": "4.5.6",
        "AGE_SHA256": digest("age-v4.5.6-linux-amd64.tar.gz"),
    }


@pytest.fixture
def build(tmp_path: Path) -> Build:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dpkg").write_text("#!/bin/sh\necho amd64\n")
    (programs / "curl").write_text(
        f'#!/bin/sh\nwhile [ $# -gt 1 ]; do case "$1" in --output) out=$2 ;; esac; shift; done\n'
        f'exec cp "{tmp_path}/served/${{1##*/}}" "$out"\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    tools = tmp_path / "tools"
    tools.mkdir()

    def step(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tools,
            env={"PATH": f"{programs}:{os.environ['PATH']}"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """The first step that fails, else the last one."""
        steps = [step(script, environment) for script in DOWNLOADS]
        return next((done for done in steps if done.returncode), steps[-1])

    return run


def test_the_programs_are_unpacked(build: Build, arguments: dict[str, str], tmp_path: Path) -> None:
    assert len(DOWNLOADS) == 2
    done = build(arguments)
    assert done.returncode == 0, done.stderr
    tools = tmp_path / "tools"
    assert os.access(tools / "sops", os.X_OK)
    assert {path.name for path in tools.iterdir()} == {"sops", "age", "age-keygen", "age.tar.gz"}


@pytest.mark.parametrize("name", ["SOPS_VERSION", "SOPS_SHA256", "AGE_VERSION", "AGE_SHA256"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_argument_fails_the_build(
    build: Build, arguments: dict[str, str], name: str, value: str | None
) -> None:
    arguments.pop(name)
    done = build(arguments if value is None else arguments | {name: value})
    assert done.returncode != 0
    assert name in done.stderr


@pytest.mark.parametrize("name", ["SOPS_SHA256", "AGE_SHA256"])
def test_a_download_with_another_checksum_fails_the_build(build: Build, arguments: dict[str, str], name: str) -> None:
    done = build(arguments | {name: hashlib.sha256(b"another file").hexdigest()})
    assert done.returncode != 0
    assert "FAILED" in done.stdout
