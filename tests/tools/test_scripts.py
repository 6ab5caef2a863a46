"""The shell scripts that set the environment up."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.install import ROOT

SHOWN = ("PATH", "PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE")


def environment(root: Path, times: int = 1, **environ: str) -> dict[str, str]:
    """The environment after sourcing tools/env.sh so many times."""
    script = ("source tools/env.sh; " * times) + "env -0"
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in run.stdout.split("\0") if line)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the scripts and nothing else."""
    root = tmp_path / "checkout"
    (root / "tools").mkdir(parents=True)
    for script in ("env.sh", "venv", "preview"):
        shutil.copy(ROOT / "tools" / script, root / "tools" / script)
    (root / "requirements.txt").write_text("# nothing\n", encoding="utf-8")
    return root


def script(root: Path, name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / "tools" / name), *arguments],
        cwd=root.parent,
        env={"PATH": os.environ["PATH"], "HOME": str(root), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


class TestEnvironment:
    def test_our_programs_come_first_the_virtual_environment_before_all(self, checkout: Path) -> None:
        path = environment(checkout)["PATH"].split(":")
        assert path[:2] == [f"{checkout}/.venv/bin", f"{checkout}/.tools/bin"]

    def test_sourcing_twice_is_sourcing_once(self, checkout: Path) -> None:
        once, twice = environment(checkout), environment(checkout, times=2)
        assert {name: once[name] for name in SHOWN} == {name: twice[name] for name in SHOWN}

    def test_without_a_backend_everything_stays_in_the_checkout(self, checkout: Path) -> None:
        environ = environment(checkout)
        assert environ["PULUMI_BACKEND_URL"] == f"file://{checkout}/.state"
        assert environ["PULUMI_HOME"] == f"{checkout}/.tools/pulumi-home"
        assert environ["PULUMI_CONFIG_PASSPHRASE"] == ""

    def test_an_owners_backend_is_left_alone_and_gets_no_empty_passphrase(self, checkout: Path) -> None:
        environ = environment(checkout, PULUMI_BACKEND_URL="s3://state")
        assert environ["PULUMI_BACKEND_URL"] == "s3://state"
        assert "PULUMI_CONFIG_PASSPHRASE" not in environ
        assert "PULUMI_HOME" not in environ


class TestVirtualEnvironment:
    def test_a_current_one_is_left_alone(self, checkout: Path) -> None:
        (checkout / ".venv").mkdir()
        (checkout / ".venv" / "made-of").write_text(f"{checkout}\n# nothing\n", encoding="utf-8")
        run = script(checkout, "venv", PYTHON="/nonexistent/python")
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")

    @pytest.mark.parametrize("made_of", ["/elsewhere\n# nothing\n", "{checkout}\n# something\n", ""])
    def test_one_of_other_requirements_or_of_another_place_is_made_anew(self, checkout: Path, made_of: str) -> None:
        (checkout / ".venv").mkdir()
        text = made_of.replace("{checkout}", str(checkout))
        (checkout / ".venv" / "made-of").write_text(text, encoding="utf-8")
        run = script(checkout, "venv", PYTHON="/nonexistent/python")
        assert run.returncode == 1
        assert "hint: make PYTHON=" in run.stderr

    def test_it_has_the_command_and_finds_the_package_where_it_stands(self, checkout: Path) -> None:
        command = checkout / "homeops" / "cli"
        command.mkdir(parents=True)
        (command / "main.py").write_text("def app():\n    print('here', __file__)\n", encoding="utf-8")
        made = script(checkout, "venv")
        assert made.returncode == 0, made.stderr
        run = subprocess.run(
            [str(checkout / ".venv" / "bin" / "homeops")], cwd="/", capture_output=True, text=True, check=True
        )
        assert run.stdout == f"here {command}/main.py\n"
        assert script(checkout, "venv", PYTHON="/nonexistent/python").returncode == 0


class TestPreview:
    def test_a_stack_without_settings_is_an_error_that_names_the_file(self, checkout: Path) -> None:
        run = script(checkout, "preview", "prd")
        assert run.returncode == 1
        assert run.stderr.startswith("Pulumi.prd.yaml: there is no such file\n  hint: ")

    def test_a_look_leaves_the_owners_settings_alone_and_needs_no_passphrase(self, checkout: Path) -> None:
        settings = (
            "config:\n  homeops:komodo:\n    address: http://core.test\n"
            "  homeops:komodoKey:\n    secure: v1:abc:def\nencryptionsalt: v1:abc=:v1:def\n"
        )
        (checkout / "Pulumi.prod.yaml").write_text(settings, encoding="utf-8")
        (checkout / "Pulumi.yaml").write_text("name: homeops\nruntime: python\n", encoding="utf-8")
        pulumi = checkout / ".tools" / "bin" / "pulumi"
        pulumi.parent.mkdir(parents=True)
        pulumi.write_text('#!/bin/sh\necho "$PULUMI_BACKEND_URL $@"\n', encoding="utf-8")
        pulumi.chmod(0o755)
        run = script(checkout, "preview", "prod", "--diff")
        assert (
            run.stdout
            == f"file://{checkout}/.state preview --stack prod --config-file .state/look/Pulumi.prod.yaml --diff\n"
        )
        assert (checkout / "Pulumi.prod.yaml").read_text(encoding="utf-8") == settings
        copy = (checkout / ".state" / "look" / "Pulumi.prod.yaml").read_text(encoding="utf-8")
        assert copy == "config:\n  homeops:komodo:\n    address: http://core.test\n"

    def test_with_a_backend_it_is_plain_pulumi(self, checkout: Path) -> None:
        pulumi = checkout / ".tools" / "bin" / "pulumi"
        pulumi.parent.mkdir(parents=True)
        pulumi.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
        pulumi.chmod(0o755)
        run = script(checkout, "preview", "prod", PULUMI_BACKEND_URL="s3://state")
        assert run.stdout == "preview --stack prod\n"
