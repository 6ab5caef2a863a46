"""Which edits make which deploys due, and by which part; with real sops and age."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homeops.deploy.fingerprint import CONTAINER_FIELDS, fingerprint
from homeops.errors import SecretsError
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.model.config.build import ImageRegistryConfig
from homeops.model.config.command import SystemCommand
from homeops.model.config.stack import AdditionalEnvFile, StackConfig, StackFileDependency
from homeops.model.config.version import Version
from homeops.model.fleet import Fleet
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import Build, Builder, Repo, Swarm
from homeops.model.stack import Stack
from homeops.model.wire import minimal
from homeops.settings import load_settings
from tests.deploy.repository import SHARED, SITE, WEB, Repository
from tests.example_site import example_site


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
        "komodo project_name",
        "komodo file_paths",
        "komodo repo",
        "komodo pre_deploy",
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
    "poll_for_updates": True,
    "auto_update": True,
    "auto_update_all_services": True,
    "auto_update_skip_services": ["db"],
    "destroy_before_deploy": True,
    "git_https": False,
    "git_account": "someone",
    "reclone": True,
    "webhook_enabled": False,
    "webhook_secret": "env:HOOK",
    "webhook_force_deploy": True,
    "send_alerts": False,
    "registry_provider": "registry.example",
    "registry_account": "someone",
    "compose_cmd_wrapper_include": ["config", "pull"],
    "ignore_services": ["init"],
}

# The same for each field that changes containers, and nothing beside.
CHANGES: dict[str, Any] = {
    "swarm_id": "manager",
    "project_name": "other",
    "branch": "next",
    "commit": "0123456789abcdef",
    "clone_path": "elsewhere",
    "env_file_path": ".komodo.env",
    "additional_env_files": [AdditionalEnvFile(path="made-by-the-hook.env", track=False)],
    "skip_secret_interp": True,
    "pre_deploy": SystemCommand(path=WEB, command="sops-decrypt.sh --quiet\n"),
    "post_deploy": SystemCommand(command="true\n"),
    "run_build": True,
    "build_extra_args": ["--pull"],
    "extra_args": ["--force-recreate"],
}

# Those that take other files with them, or have a test of their own.
ELSEWHERE = {
    "linked_repo",
    "git_provider",
    "repo",
    "files_on_host",
    "run_directory",
    "file_paths",
    "file_contents",
    "compose_cmd_wrapper",
}
NOT_BY_FIELD = {"environment", "config_files", "server_id"}


def test_every_field_of_a_stack_is_judged() -> None:
    assert set(KOMODO_ONLY) | set(CONTAINER_FIELDS) | NOT_BY_FIELD == set(StackConfig.model_fields)
    assert not set(KOMODO_ONLY) & set(CONTAINER_FIELDS)
    assert set(CHANGES) | ELSEWHERE == set(CONTAINER_FIELDS)


@pytest.mark.parametrize(
    "fields",
    [{"description": "another"}, {"tags": ["another"]}, *({name: value} for name, value in KOMODO_ONLY.items())],
    ids=lambda fields: str(next(iter(fields))),
)
def test_what_changes_no_container_changes_nothing(repository: Repository, fields: dict[str, Any]) -> None:
    assert changed(repository.fingerprints(), repository.fingerprints(web=fields)) == {}


@pytest.mark.parametrize(("name", "value"), CHANGES.items(), ids=CHANGES)
def test_what_changes_containers_is_the_part_of_its_field(repository: Repository, name: str, value: Any) -> None:
    swarms = [Swarm("manager")]
    before = repository.fingerprints(web={"env": {"NAME": "web"}}, swarms=swarms)
    after = repository.fingerprints(web={"env": {"NAME": "web"}, name: value}, swarms=swarms)
    assert changed(before, after) == {"web": {f"komodo {name}"}}


def test_the_host_is_no_part_because_it_may_be_the_same_by_another_name(repository: Repository) -> None:
    assert changed(repository.fingerprints(), repository.fingerprints(web={"server_id": "two"})) == {}


def test_a_wrapper_counts_where_containers_or_images_are_made(repository: Repository) -> None:
    def parts(*include: str) -> set[str]:
        web = {"compose_cmd_wrapper": "nice [[COMPOSE_COMMAND]]", "compose_cmd_wrapper_include": list(include)}
        return changed(repository.fingerprints(), repository.fingerprints(web=web)).get("web", set())

    assert parts("config") == parts("pull", "config") == set()
    assert parts() == parts("up") == parts("config", "build") == {"komodo compose_cmd_wrapper"}


def test_what_komodo_keeps_of_an_env_file_or_does_after_a_change_of_a_config_file_is_no_part(
    repository: Repository,
) -> None:
    repository.write(f"{WEB}/a.env", "A=1\n")
    files = {"config_files": [StackFileDependency(path=f"{WEB}/config/site.conf", requires="Redeploy")]}
    tracked = {"additional_env_files": [AdditionalEnvFile(path=f"{WEB}/a.env")], **files}
    before = repository.fingerprints(web=tracked)
    assert f"env_file {WEB}/a.env" in before["web"]
    other = {"config_files": [StackFileDependency(path=f"{WEB}/config/site.conf", services=["web"], requires="None")]}
    assert changed(before, repository.fingerprints(web={**tracked, **other})) == {}
    untracked = {"additional_env_files": [AdditionalEnvFile(path=f"{WEB}/a.env", track=False)], **files}
    assert changed(before, repository.fingerprints(web=untracked)) == {
        "web": {f"env_file {WEB}/a.env", f"file {WEB}/a.env"}
    }
    before = repository.fingerprints(web=untracked)
    repository.write(f"{WEB}/a.env", "A=12\n")
    assert changed(before, repository.fingerprints(web=untracked)) == {"web": {f"file {WEB}/a.env"}}


def test_files_that_a_compose_file_names_count_wherever_they_are(repository: Repository) -> None:
    repository.write(
        f"{WEB}/compose.yaml",
        """\
include: [../../base/files/compose.yaml]
services:
  web:
    image: nginx:1.27
    extends: {file: ../../base/files/common.yml, service: common}
    env_file: [.env, ../defaults.env]
    volumes:
      - ../../base/files/motd:/etc/motd:ro
      - /etc/../../outside:/outside
      - ../../../../../outside:/outside
""",
    )
    repository.write("docker/stacks/base/files/compose.yaml", "services: {db: {image: 'db:1', env_file: db.env}}\n")
    repository.write("docker/stacks/base/files/common.yml", "services: {common: {env_file: [./db.env]}}\n")
    for name in ("base/files/db.env", "base/files/motd", "base/files/other", "one/defaults.env", "one/.env"):
        repository.write(f"docker/stacks/{name}", name)
    repository.encrypt("docker/stacks/one/defaults.sops.env", "A=1\n")
    (repository.root.parent / "outside").write_text("x", encoding="utf-8")
    before = repository.fingerprints()
    named = {f"docker/stacks/base/files/{name}" for name in ("compose.yaml", "common.yml", "db.env", "motd")}
    assert {part for part in before["web"] if part.startswith("file ")} == {f"file {path}" for path in named}
    (repository.root / "docker/stacks/one/defaults.sops.env").unlink()
    with_defaults = repository.fingerprints()
    assert changed(before, with_defaults) == {"web": {"file docker/stacks/one/defaults.env"}}
    for path in sorted(named):
        before = repository.fingerprints()
        repository.write(path, (repository.root / path).read_text(encoding="utf-8") + "# changed\n")
        assert changed(before, repository.fingerprints()) == {"web": {f"file {path}"}}


def test_paths_are_relative_to_the_run_directory(repository: Repository) -> None:
    inside = {
        "run_directory": WEB,
        "file_paths": ["compose.yaml"],
        "config_files": [StackFileDependency(path="./config/site.conf")],
        "pre_deploy": SystemCommand(path=".", command="sops-decrypt.sh\n"),
    }
    before = repository.fingerprints(web=inside)
    assert {part for part in before["web"] if not part.startswith(("komodo ", "env "))} == {
        "compose compose.yaml",
        "config ./config/site.conf",
        "secret ./.sops.env TOKEN",
        "secret ./.sops.env PASSWORD",
        "secret ./users.sops.json admin.hash",
        "secret ./users.sops.json list[0]",
        "secret ./users.sops.json list[1]",
        "secret ./keys.sops.yaml key",
    }
    repository.write(f"{WEB}/compose.yaml", "services: {web: {image: 'nginx:1.29'}}\n")
    assert changed(before, repository.fingerprints(web=inside)) == {"web": {"compose compose.yaml"}}


@pytest.mark.parametrize(
    "fields",
    [
        {"repo": "someone/else", "file_paths": [f"{WEB}/compose.yaml"]},
        {"git_provider": "git.example"},
        {"files_on_host": True, "run_directory": "/srv/web"},
        {"file_contents": "services: {}\n"},
        {"linked_repo": "theirs", "file_paths": [f"{WEB}/compose.yaml"]},
    ],
    ids=lambda fields: str(next(iter(fields))),
)
def test_files_that_are_not_in_this_repository_are_no_parts(repository: Repository, fields: dict[str, Any]) -> None:
    repos = [Repo("theirs", repo="someone/else")]
    kinds = {part.partition(" ")[0] for part in repository.fingerprints(web=fields, repos=repos)["web"]}
    assert kinds == {"komodo", "env"}


def test_a_linked_repo_counts_with_what_changes_its_files(repository: Repository) -> None:
    web = {"linked_repo": "ours", "file_paths": [f"{WEB}/compose.yaml"]}

    def prints(**fields: Any) -> dict[str, dict[str, str]]:
        return repository.fingerprints(web=web, repos=[Repo("ours", **fields)])

    before = prints()
    assert f"compose {WEB}/compose.yaml" in before["web"]
    assert changed(before, prints(branch="next")) == {"web": {"komodo linked_repo"}}
    assert changed(before, prints(on_pull=SystemCommand(command="make\n"))) == {"web": {"komodo linked_repo"}}
    assert changed(before, prints(links=["https://git.example"], description="x", webhook_enabled=False)) == {}


class TestImages:
    """A stack that uses an image of the fleet's own is due when that image has to be built again."""

    @pytest.fixture
    def prints(self, repository: Repository) -> Callable[..., dict[str, dict[str, str]]]:
        repository.write("docker/web/Dockerfile", "FROM nginx\nCOPY site.conf /etc\n")
        repository.write("docker/web/site.conf", "listen 80;\n")
        repository.write("Dockerfile", "FROM scratch\n")

        def made(image: str = "someone/web:1.2", **fields: Any) -> dict[str, dict[str, str]]:
            repository.write(f"{WEB}/compose.yaml", f"services:\n  web:\n    image: {image}\n")
            registry = ImageRegistryConfig(domain="docker.io", account="someone")
            fields_given: dict[str, Any] = {
                "image_registry": [registry],
                "directory": "docker/web",
                "args": {"A": "1"},
                **fields,
            }
            builder = Builder("here", hosts=["one"])
            return repository.fingerprints(builders=[builder], builds=[Build("web", builder=builder, **fields_given)])

        return made

    @pytest.mark.parametrize(
        "image",
        [
            "someone/web",
            "someone/web:1.2",
            "docker.io/someone/web",
            '"docker.io/someone/web:${TAG:-1}"',
            "'someone/web@sha256:00'",
        ],
    )
    def test_with_or_without_a_tag(self, prints: Callable[..., dict[str, dict[str, str]]], image: str) -> None:
        assert "build web" in prints(image)["web"]

    @pytest.mark.parametrize(
        "image", ["someone/web-app", "else/someone/web", "web", "someone/web/app", "nginx # image: someone/web"]
    )
    def test_another_image_is_not_it(self, prints: Callable[..., dict[str, dict[str, str]]], image: str) -> None:
        assert not [part for parts in prints(image).values() for part in parts if part.startswith("build ")]

    def test_what_is_in_the_image_is_the_part_of_its_build(
        self, repository: Repository, prints: Callable[..., dict[str, dict[str, str]]]
    ) -> None:
        before, part = prints(), {"web": {"build web"}}
        assert changed(before, prints()) == {}
        assert changed(before, prints(args={"A": "2"})) == part
        assert changed(before, prints(dockerfile_path="Other")) == part
        assert changed(before, prints(version=Version(major=1))) == part
        assert changed(before, prints(description="x", use_buildx=True, include_latest_tag=False)) == {}
        repository.write("docker/web/site.conf", "listen 8080;\n")
        assert changed(before, prints()) == part

    def test_of_a_build_of_the_whole_repository_the_dockerfile_counts(
        self, repository: Repository, prints: Callable[..., dict[str, dict[str, str]]]
    ) -> None:
        before = prints(directory=".")
        repository.write("docker/web/site.conf", "listen 8080;\n")
        assert changed(before, prints(directory=".")) == {}
        repository.write("Dockerfile", "FROM nginx\n")
        assert changed(before, prints(directory=".")) == {"web": {"build web"}}

    def test_of_another_repository_the_fields_count(
        self, repository: Repository, prints: Callable[..., dict[str, dict[str, str]]]
    ) -> None:
        before = prints(repo="someone/else")
        repository.write("docker/web/site.conf", "listen 8080;\n")
        assert changed(before, prints(repo="someone/else")) == {}
        assert changed(before, prints(repo="someone/else", branch="next")) == {"web": {"build web"}}


def test_of_the_homelab_exactly_the_stacks_of_a_directory_change_with_it(tmp_path: Path, root: Path) -> None:
    copytree(root / "docker", tmp_path / "docker")
    site = load_settings("prod", root)
    fleet = declared_fleet("homeops.fleet", site)

    def prints() -> dict[str, dict[str, str]]:
        graph = fleet_graph(fleet, site, tmp_path)
        return {stack.name: fingerprint(stack, graph, tmp_path, site.repository) for stack in graph.of("Stack")}

    users: dict[str, set[str]] = {}
    for stack in fleet.stacks:
        users.setdefault(stack.path, set()).add(stack.name)
    assert max(map(len, users.values())) > 1
    for path, names in users.items():
        before = prints()
        for file in (tmp_path / path).glob("*compose*.y*ml"):
            file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        after = changed(before, prints())
        assert set(after) == names
        assert all(part.startswith(f"compose {path}/") for parts in after.values() for part in parts)


def test_a_renamed_secret_is_another_key_and_comments_and_their_order_are_none(repository: Repository) -> None:
    repository.encrypt(f"{WEB}/.sops.env", "# who\nTOKEN=one\n\nPASSWORD=two\n")
    before = repository.fingerprints()
    text = (repository.root / WEB / ".sops.env").read_text(encoding="utf-8")
    repository.write(f"{WEB}/.sops.env", "\n".join(reversed(text.splitlines())) + "\n")
    assert changed(before, repository.fingerprints()) == {}
    repository.write(f"{WEB}/.sops.env", text.replace("TOKEN=", "API_TOKEN="))
    assert changed(before, repository.fingerprints()) == {
        "web": {f"secret {WEB}/.sops.env TOKEN", f"secret {WEB}/.sops.env API_TOKEN"}
    }


def test_a_secret_file_counts_by_key_without_the_hook_too(repository: Repository) -> None:
    repository.encrypt(f"{WEB}/config/more.sops.env", "MORE=1\n")
    web = {"config_files": [StackFileDependency(path=f"{WEB}/config/more.sops.env")]}
    parts = repository.fingerprints(web=web)["web"]
    assert f"secret {WEB}/config/more.sops.env MORE" in parts
    assert f"config {WEB}/config/more.sops.env" not in parts


VALUES = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="#[]'\"\\"), min_size=1, max_size=9)


@given(
    env=st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), VALUES, min_size=2, max_size=6),
    data=st.data(),
)
def test_the_environment_counts_by_key_whatever_its_order_and_looks(env: dict[str, str], data: st.DataObject) -> None:
    stack = Stack("web", host="one", file_contents="services: {}\n")
    host = Host("one", periphery=ContainerPeriphery(path="/p"))

    def parts(text: str) -> dict[str, str]:
        fleet = Fleet(hosts=[host], stacks=[stack.model_copy(update={"environment": text})])
        graph = fleet_graph(fleet, example_site("one"), Path("/nowhere"))
        (made,) = graph.of("Stack")
        return {
            part: value
            for part, value in fingerprint(made, graph, Path("/nowhere"), SITE.repository).items()
            if part.startswith("env ")
        }

    plain = parts("".join(f"{key}={value}\n" for key, value in env.items()))
    assert set(plain) == {f"env {key}" for key in env}
    lines = [
        data.draw(
            st.sampled_from([f"{key}={value}", f"  {key} = {value}  ", f"- {key}={value}", f"{key}={value} # note"])
        )
        for key, value in data.draw(st.permutations(list(env.items())))
    ]
    assert parts("# first\n\n" + "\n// note\n".join(lines)) == plain
    key = data.draw(st.sampled_from(sorted(env)))
    other = parts("".join(f"{name}={value}{'+' if name == key else ''}\n" for name, value in env.items()))
    assert {part for part in plain if plain[part] != other[part]} == {f"env {key}"}


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
