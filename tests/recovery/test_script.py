"""The steps as text: what they say of any stack of Core's, and what they never say."""

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homeops.compose.directories import read_directories
from homeops.errors import FleetError
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import Host, SystemdPeriphery
from homeops.model.resources import Variable
from homeops.model.stack import Stack
from homeops.recovery.control_plane import ControlPlane, control_plane, stack_directory
from homeops.recovery.script import HOOK, Manner, prelude, script, steps
from homeops.settings import load_settings
from tests.example_site import example_site
from tests.recovery.fleet import VERSION, graph_of, homelab

REACH = {"address": "127.0.0.1", "sshUser": "somebody"}

# Both halves of an ssh that only starts what it is told to, as a login shell does.
SSH = '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n'
SUDO = '#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\necho sudo >>"$CALLS"\nexec "$@"\n'
DOCKER = '#!/bin/sh\nfor word; do printf "%s|" "$word" >>"$CALLS"; done\necho >>"$CALLS"\n'
CURL = f"#!/bin/sh\necho {VERSION}\n"


@pytest.fixture
def hook(root: Path) -> Path:
    return root / HOOK


@pytest.fixture
def real(root: Path) -> ControlPlane:
    """The control plane of this repository's fleet."""
    site = load_settings("prod", root)
    graph = fleet_graph(declared_fleet("homeops.fleet", site), site, root)
    return control_plane(graph, site, read_directories(root, [stack_directory(graph)]))


@pytest.mark.parametrize("manner", [Manner(), Manner(decrypt_here=True)])
def test_the_script_of_this_fleet_is_clean_shell(real: ControlPlane, manner: Manner, shellcheck: str) -> None:
    found = subprocess.run([shellcheck, "-"], input=script(real, manner), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("manner", [Manner(), Manner(decrypt_here=True)])
def test_the_script_of_this_fleet_has_no_secret_and_no_open_variable(real: ControlPlane, manner: Manner) -> None:
    text = script(real, manner)
    assert "ENC[" not in text
    assert "AGE-SECRET-KEY" not in text
    assert not re.search(r"\[\[[A-Z]", text)
    assert f"KOMODO_VERSION={real.version}\n" in text


@pytest.mark.parametrize("manner", [Manner(), Manner(decrypt_here=True)])
def test_nothing_is_ever_taken_down_or_removed(real: ControlPlane, manner: Manner) -> None:
    text = script(real, manner)
    asked = set(re.findall(r"^\s*(?:docker )?compose ([a-z]+)", text, re.MULTILINE))
    assert asked == {"version", "config", "pull", "up", "ps", "logs"}
    assert not re.search(r"\b(down|rm|prune|volume|--volumes|--force-recreate|--renew-anon-volumes)\b", text)


def test_the_script_reads_in_the_order_of_its_steps_each_with_purpose_and_way_out(real: ControlPlane) -> None:
    text = script(real)
    titles = [step.title for step in steps(real)]
    assert re.findall(r"^# \d+\. ([^.]+)\.", text, re.MULTILINE) == titles
    assert all(step.purpose and step.hint for step in steps(real))
    assert text.startswith("#!/usr/bin/env bash\n# Brings komodo-core up on komodo (")
    assert all(step.shell in text for step in steps(real))


def test_this_fleet_is_recovered_where_komodo_keeps_it(real: ControlPlane) -> None:
    assert real.run == real.checkout == "/etc/komodo/stacks/komodo-core"
    assert real.project == "komodo-core"
    assert real.compose == ("docker/stacks/komodo/core/compose.yaml",)
    assert real.secrets == ("docker/stacks/komodo/core/.sops.env", "docker/stacks/komodo/core/database.sops.env")
    assert set(real.files) == {*real.compose, *real.secrets}


def test_host_keys_are_never_taken_on_trust_and_nothing_asks_for_a_password(real: ControlPlane) -> None:
    assert re.findall(r"\bssh (-o .*) \\\n", prelude(real)) == [
        "-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=15"
    ]
    assert [line for step in steps(real) for line in step.shell.splitlines() if re.search(r"\bssh ", line)] == []


def test_root_needs_no_sudo_and_everybody_else_is_shown_to_become_root(real: ControlPlane) -> None:
    somebody = replace(real, reach=real.reach.model_copy(update={"ssh_user": "somebody", "ssh_port": 2222}))
    assert "sudo" not in script(real)
    assert 'on_host "sudo -n sh -euc' in prelude(somebody)
    assert "-p 2222 somebody@" in prelude(somebody)
    assert [step.title for step in steps(somebody)][:2] == [f"Reach {real.host}", "Become root"]


def test_a_host_whose_key_is_recorded_is_known_by_that_key_at_the_address_of_its_ssh(real: ControlPlane) -> None:
    elsewhere = real.reach.model_copy(update={"ssh_address": "192.0.2.7"})
    pinned = replace(real, reach=elsewhere, known_hosts="known hosts")
    assert "-o UserKnownHostsFile='known hosts' -p 22 root@192.0.2.7 " in prelude(pinned)
    assert f"homeops hosts trust --replace {real.host}" in steps(pinned)[0].hint
    assert "UserKnownHostsFile" not in prelude(replace(real, known_hosts=""))


ODD = 'it\'s an $ODD `dir` "of" \\ Ümläut & (more)'


def test_odd_names_arrive_as_they_are(tmp_path: Path, hook: Path) -> None:
    arguments = ["--scale", f"core='$5' {ODD}"]
    lab = homelab(tmp_path / ODD, hook, reach=REACH, name=ODD, extra_args=arguments, env_file_path=f"{ODD}.env")
    plane = lab.plane(tmp_path / f"host {ODD}")
    calls = run_locally(script(plane), lab.root, tmp_path)

    run = Path(plane.run)
    assert (run / lab.directory / "conf/core.toml").read_text() == "title = 'Komodo'\n"
    assert (run / f"{ODD}.env").read_text() == f"KOMODO_VERSION={VERSION}\nGREETING=it's $5 in Ulm & Graz\n"
    up = next(words for words in calls if "up" in words)
    compose = ["-f", f"docker/stacks/{ODD}/compose.yaml", "--env-file", f"{ODD}.env"]
    started = ["up", "-d", "--wait", "--wait-timeout", "180", *arguments]
    assert up == ["compose", "-p", "komodo-core", *compose, *started]
    assert ["sudo"] in calls


def run_locally(text: str, root: Path, tmp_path: Path) -> list[list[str]]:
    """Run a script with an ssh that stays here; what docker was called with, word by word."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, content in {"ssh": SSH, "sudo": SUDO, "docker": DOCKER, "curl": CURL}.items():
        (programs / name).write_text(content, encoding="utf-8")
        (programs / name).chmod(0o755)
    calls = tmp_path / "calls"
    environ = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "CALLS": str(calls)}
    done = subprocess.run(
        ["bash"], input=text, cwd=root, env=environ, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.removesuffix("|").split("|") for line in calls.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A=1\n# no\n// no\n\n B = 2 # why\n", "A=1\nB=2\n"),
        ("- A: 1\n- B: x=y\n", "A=1\nB=x=y\n"),
        ("A='1'\n\"B=two words\"\n", "A='1'\nB=two words\n"),
        ("A=[[PLACE]], [[ PLACE ]]\n", "A=Ulm & Graz, [[ PLACE ]]\n"),
        ("", ""),
    ],
)
def test_an_environment_is_written_as_komodo_writes_it(tmp_path: Path, hook: Path, written: str, read: str) -> None:
    lab = homelab(tmp_path, hook, reach=REACH, env={}, environment=written)
    plane = lab.plane()
    assert plane.environment == read
    assert ("Write the environment" in [step.title for step in steps(plane)]) == bool(read)
    assert ("--env-file" in script(plane)) == bool(read)


def test_interpolation_that_is_off_stays_off(tmp_path: Path, hook: Path) -> None:
    lab = homelab(tmp_path, hook, reach=REACH, env={"A": "[[PLACE]]"}, skip_secret_interp=True)
    assert lab.plane().environment == "A=[[PLACE]]\n"


def test_directories_that_a_stack_chooses_are_followed(tmp_path: Path, hook: Path) -> None:
    fields: dict[str, Any] = {
        "run_directory": "docker/stacks",
        "clone_path": "sources",
        "file_paths": ["core/compose.yaml"],
        "additional_env_files": [{"path": "base.env"}],
        "project_name": "elsewhere",
    }
    plane = homelab(tmp_path, hook, reach=REACH, **fields).plane()
    assert plane.checkout == "/etc/komodo/stacks/komodo-core/sources"
    assert plane.run == "/etc/komodo/stacks/komodo-core/sources/docker/stacks"
    assert "docker/stacks/core/compose.yaml" in plane.files
    compose = "docker compose -p elsewhere -f core/compose.yaml --env-file base.env --env-file .env"
    assert f'cd {plane.run}\n  compose() {{ {compose} "$@"; }}' in script(plane)


def test_a_hook_of_the_stack_itself_is_run_where_it_belongs(tmp_path: Path, hook: Path) -> None:
    lab = homelab(tmp_path, hook, reach=REACH, pre_deploy={"path": "docker", "command": "./prepare [[PLACE]]\n"})
    step = next(step for step in steps(lab.plane()) if step.title == "Run the stack's hook")
    assert "cd /etc/komodo/stacks/komodo-core/docker\n  ./prepare Ulm & Graz\n" in step.shell


def test_a_service_that_ends_is_not_waited_for(tmp_path: Path, hook: Path) -> None:
    waiting = homelab(tmp_path / "a", hook, reach=REACH, health={"deadline": 7})
    ending = homelab(tmp_path / "b", hook, reach=REACH, health={"one_shot": ["migrate"]})
    assert "compose up -d --wait --wait-timeout 7 ||" in script(waiting.plane())
    assert "compose up -d ||" in script(ending.plane())


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"env": {"A": "[[TYPO]]"}}, "[[TYPO]] is known to Core alone"),
        ({"repo": "somebody/else"}, "its files are not those of someone/fleet"),
        ({"compose_cmd_wrapper": "time [[COMPOSE_COMMAND]]"}, "its compose commands are wrapped"),
        ({"env": {}, "environment": "A=1\nnothing\n"}, "line 2 of the control plane's environment is not KEY=value"),
        ({"control_plane": False}, "one stack has to be Core's own (it is: none)"),
    ],
    ids=["variable", "repository", "wrapper", "environment", "none"],
)
def test_what_nobody_can_do_by_hand_is_refused(tmp_path: Path, hook: Path, fields: dict[str, Any], what: str) -> None:
    lab = homelab(tmp_path, hook, reach=REACH)
    graph = graph_of(lab.site, tmp_path, lab.directory, file_paths=[f"{lab.directory}/compose.yaml"], **fields)
    with pytest.raises(FleetError, match=re.escape(what)):
        control_plane(graph, lab.site, {})


@pytest.mark.parametrize("variable", [Variable("A", value="env:A"), Variable("A", value="env:A", is_secret=True)])
def test_a_secret_variable_is_refused_and_not_printed(tmp_path: Path, hook: Path, variable: Variable) -> None:
    homelab(tmp_path, hook, reach=REACH)
    graph = one_stack(tmp_path, variable)
    with pytest.raises(FleetError, match=re.escape("[[A]] is known to Core alone")):
        control_plane(graph, example_site("one"), {})


def one_stack(root: Path, variable: Variable) -> Graph:
    one = Host("one", periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"))
    stack = Stack("komodo-core", host=one, directory="docker/stacks/core", control_plane=True, env={"A": "[[A]]"})
    return fleet_graph(Fleet(hosts=[one], stacks=[stack], variables=[variable]), example_site("one"), root)
