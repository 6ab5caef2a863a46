"""Which edits make which deploys due, and by which part; with real sops and age."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.deploy.fingerprint import CONTAINER_FIELDS, fingerprint
from homeops.errors import SecretsError
from homeops.fleet_graph import fleet_graph
from homeops.model.config.command import SystemCommand
from homeops.model.config.stack import StackConfig
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import Variable
from homeops.model.stack import Stack
from homeops.model.wire import minimal
from tests.example_site import example_site

Tool = Callable[[str], list[str]]

SITE = example_site("one", "two")
WEB, SHARED = "docker/stacks/one/web", "docker/stacks/shared/agent"


@dataclass
class Repository:
    """A repository with two hosts, a stack of its own on one, and a stack on each from a shared directory."""

    root: Path
    sops: list[str]
    recipients: list[str]

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def encrypt(self, path: str, text: str) -> None:
        self.write(path, text)
        self.run("--encrypt", "--in-place", "--age", self.recipients[0], path)

    def run(self, *arguments: str) -> str:
        home = {"SOPS_AGE_KEY_FILE": str(self.root / "key.txt"), "HOME": str(self.root), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [*self.sops, *arguments], cwd=self.root, env=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fingerprints(self, *, variable: str = "v1", web: dict[str, Any] | None = None) -> dict[str, dict[str, str]]:
        """The fingerprint of each stack; ``web``: further fields of the stack of its own."""
        hosts = [Host(name, periphery=ContainerPeriphery(path="/p")) for name in ("one", "two")]
        given: dict[str, Any] = {"env": {"LEVEL": "[[LEVEL]]", "NAME": "web"}, **(web or {})}
        stacks = [
            Stack("web", host=hosts[0], **given),
            *(Stack(f"{host.name}-agent", host=host, directory="shared/agent") for host in hosts),
        ]
        fleet = Fleet(hosts=hosts, stacks=stacks, variables=[Variable("LEVEL", value=variable)])
        graph: Graph = fleet_graph(fleet, SITE, self.root)
        return {stack.name: fingerprint(stack, graph, self.root) for stack in graph.of("Stack")}


@pytest.fixture
def repository(tmp_path: Path, tool: Tool) -> Repository:
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


def changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> dict[str, set[str]]:
    """The stacks that differ, with the parts that do."""
    return {
        name: {part for part in before[name] | after[name] if before[name].get(part) != after[name].get(part)}
        for name in before
        if before[name] != after[name]
    }


def test_the_parts_are_files_keys_environment_and_fields(repository: Repository) -> None:
    assert set(repository.fingerprints()["web"]) == {
        f"compose {WEB}/compose.yaml",
        f"config {WEB}/config/site.conf",
        f"secret {WEB}/.sops.env TOKEN",
        f"secret {WEB}/.sops.env PASSWORD",
        f"secret {WEB}/users.sops.json admin.hash",
        f"secret {WEB}/users.sops.json list[0]",
        f"secret {WEB}/users.sops.json list[1]",
        f"secret {WEB}/keys.sops.yaml key",
        "env LEVEL",
        "env NAME",
        "komodo server_id",
        "komodo project_name",
        "komodo file_paths",
        "komodo repo",
        "komodo pre_deploy",
        "komodo compose_cmd_wrapper",
    }


def test_nothing_changes_by_itself(repository: Repository) -> None:
    assert changed(repository.fingerprints(), repository.fingerprints()) == {}


def test_a_changed_file_is_one_part_of_the_stacks_that_use_it(repository: Repository) -> None:
    before = repository.fingerprints()
    repository.write(f"{WEB}/compose.yaml", "services: {web: {image: 'nginx:1.28'}}\n")
    assert changed(before, repository.fingerprints()) == {"web": {f"compose {WEB}/compose.yaml"}}
    before = repository.fingerprints()
    repository.write(f"{WEB}/config/site.conf", "listen 81;\n")
    assert changed(before, repository.fingerprints()) == {"web": {f"config {WEB}/config/site.conf"}}


def test_a_shared_directory_changes_exactly_the_stacks_that_use_it(repository: Repository) -> None:
    before = repository.fingerprints()
    repository.write(f"{SHARED}/compose.yaml", "services: {agent: {image: 'agent:2'}}\n")
    part = {f"compose {SHARED}/compose.yaml"}
    assert changed(before, repository.fingerprints()) == {"one-agent": part, "two-agent": part}


def test_a_new_override_and_a_new_config_file_are_new_parts(repository: Repository) -> None:
    before = repository.fingerprints()
    repository.write(f"{WEB}/compose.override.yaml", "services: {web: {read_only: true}}\n")
    repository.write(f"{WEB}/config/more.conf", "x\n")
    assert changed(before, repository.fingerprints()) == {
        "web": {f"compose {WEB}/compose.override.yaml", f"config {WEB}/config/more.conf", "komodo file_paths"}
    }


def test_notes_beside_the_compose_file_change_nothing(repository: Repository) -> None:
    before = repository.fingerprints()
    repository.write(f"{WEB}/README.md", "notes\n")
    repository.write(f"{WEB}/.env", "TOKEN=decrypted\n")
    repository.write(f"{WEB}/users.json", "{}\n")
    assert changed(before, repository.fingerprints()) == {}


def test_a_changed_secret_is_the_part_of_its_key_alone(repository: Repository) -> None:
    before = repository.fingerprints()
    repository.run("set", f"{WEB}/.sops.env", '["TOKEN"]', '"changed"')
    assert changed(before, repository.fingerprints()) == {"web": {f"secret {WEB}/.sops.env TOKEN"}}
    before = repository.fingerprints()
    repository.run("set", f"{WEB}/users.sops.json", '["list"][1]', '"changed"')
    assert changed(before, repository.fingerprints()) == {"web": {f"secret {WEB}/users.sops.json list[1]"}}


@pytest.mark.parametrize("path", [f"{WEB}/.sops.env", f"{WEB}/users.sops.json", f"{WEB}/keys.sops.yaml"])
def test_new_recipients_for_the_same_secrets_change_nothing(repository: Repository, path: str) -> None:
    before, text = repository.fingerprints(), (repository.root / path).read_text(encoding="utf-8")
    rules = {"creation_rules": [{"age": ",".join(repository.recipients)}]}
    repository.write(".sops.yaml", yaml.safe_dump(rules))
    repository.run("updatekeys", "--yes", path)
    assert (repository.root / path).read_text(encoding="utf-8") != text
    assert repository.recipients[1] in (repository.root / path).read_text(encoding="utf-8")
    assert changed(before, repository.fingerprints()) == {}


def test_no_plaintext_and_no_ciphertext_is_in_a_fingerprint(repository: Repository) -> None:
    shown = json.dumps(repository.fingerprints())
    assert "ENC[" not in shown
    assert all(f'"{secret}"' not in shown for secret in ("one", "two", "three"))
    for digests in repository.fingerprints().values():
        assert all(re.fullmatch(r"[0-9a-f]{12}", digest) for digest in digests.values())


def test_no_private_key_is_needed(repository: Repository) -> None:
    before = repository.fingerprints()
    (repository.root / "key.txt").unlink()
    assert changed(before, repository.fingerprints()) == {}


def test_a_variable_changes_the_environment_that_names_it(repository: Repository) -> None:
    before = repository.fingerprints(variable="v1")
    assert changed(before, repository.fingerprints(variable="v2")) == {"web": {"env LEVEL"}}


def test_a_variable_changes_the_fields_that_name_it(repository: Repository) -> None:
    web = {"extra_args": ["--label=level=[[LEVEL]]"]}
    before = repository.fingerprints(variable="v1", web=web)
    assert changed(before, repository.fingerprints(variable="v2", web=web)) == {
        "web": {"env LEVEL", "komodo extra_args"}
    }
    off = {**web, "skip_secret_interp": True}
    before = repository.fingerprints(variable="v1", web=off)
    assert changed(before, repository.fingerprints(variable="v2", web=off)) == {}


def test_a_changed_environment_is_the_part_of_its_key(repository: Repository) -> None:
    before = repository.fingerprints(web={"env": {"A": "1", "B": "1"}})
    after = repository.fingerprints(web={"env": {"B": "1", "A": "2", "C": "3"}})
    assert changed(before, after) == {"web": {"env A", "env C"}}


# A value that is not the default for each field that says how Komodo treats a stack, not what its containers are.
KOMODO_ONLY: dict[str, Any] = {
    "links": ["https://web.example"],
    "auto_pull": False,
    "run_build": True,
    "poll_for_updates": True,
    "auto_update": True,
    "auto_update_all_services": True,
    "auto_update_skip_services": ["db"],
    "destroy_before_deploy": True,
    "git_provider": "git.example",
    "git_https": False,
    "git_account": "someone",
    "clone_path": "/elsewhere",
    "reclone": True,
    "webhook_enabled": False,
    "webhook_secret": "x",
    "webhook_force_deploy": True,
    "files_on_host": True,
    "config_files": [],
    "send_alerts": False,
    "compose_cmd_wrapper_include": ["config"],
    "ignore_services": ["init"],
    "environment": "A=1\n",
}


FILES = {"files_on_host", "config_files", "environment"}


def test_every_field_of_a_stack_is_judged() -> None:
    assert set(KOMODO_ONLY) | set(CONTAINER_FIELDS) == set(StackConfig.model_fields)
    assert not set(KOMODO_ONLY) & set(CONTAINER_FIELDS)


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "another"},
        {"tags": ["another"]},
        *(
            {name: value}
            for name, value in KOMODO_ONLY.items()
            if name not in ("files_on_host", "config_files", "environment")
        ),
    ],
    ids=lambda fields: str(next(iter(fields))),
)
def test_what_changes_no_container_changes_nothing(repository: Repository, fields: dict[str, Any]) -> None:
    assert changed(repository.fingerprints(), repository.fingerprints(web=fields)) == {}


def test_what_changes_containers_is_the_part_of_its_field(repository: Repository) -> None:
    before = repository.fingerprints()
    for fields in (
        {"extra_args": ["--force-recreate"]},
        {"project_name": "other"},
        {"post_deploy": SystemCommand(command="true\n")},
        {"branch": "next"},
    ):
        (name,) = fields
        assert changed(before, repository.fingerprints(web=fields)) == {"web": {f"komodo {name}"}}


def test_a_missing_file_is_a_part_and_coming_back_changes_it(repository: Repository) -> None:
    web = {"file_paths": [f"{WEB}/absent.yaml"]}
    before = repository.fingerprints(web=web)
    assert before["web"][f"compose {WEB}/absent.yaml"] == "missing"
    repository.write(f"{WEB}/absent.yaml", "services: {}\n")
    assert f"compose {WEB}/absent.yaml" in changed(before, repository.fingerprints(web=web))["web"]


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (
            f"{WEB}/users.sops.json",
            "{",
            f"{WEB}/users.sops.json: not a readable secret file "
            "(Expecting property name enclosed in double quotes: line 1 column 2 (char 1))\n"
            f"  hint: sops -d {WEB}/users.sops.json",
        ),
        (
            f"{WEB}/keys.sops.yaml",
            "just a text\n",
            f"{WEB}/keys.sops.yaml: not a secret file: want keys and values\n  hint: sops -d {WEB}/keys.sops.yaml",
        ),
    ],
)
def test_a_broken_secret_file_is_named(repository: Repository, path: str, text: str, message: str) -> None:
    repository.write(path, text)
    with pytest.raises(SecretsError) as raised:
        repository.fingerprints()
    assert str(raised.value) == message


def test_what_is_recorded_is_plain_json(repository: Repository) -> None:
    prints = repository.fingerprints()
    assert json.loads(json.dumps(prints)) == prints == minimal(prints)
