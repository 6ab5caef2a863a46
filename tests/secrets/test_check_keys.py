"""Compose files and secret files agree: what is read exists, what exists is read, and nothing leaks into Komodo."""

from pathlib import Path

import pytest

from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.secrets.check import secret_findings
from homeops.secrets.environments import StackEnvironment, stack_environments
from homeops.settings import load_settings
from tests.secrets.repository import COMPOSE, SECRET, STACK, Repository, Tool

RAW = "[{path: .env, format: raw}]"


@pytest.fixture
def repository(tmp_path: Path, tool: Tool) -> Repository:
    made = Repository(tmp_path / "repository", tool)
    made.policy(made.key()[1])
    made.secret(SECRET, "TOKEN=1\nPASSWORD=2\n")
    return made


def stack(*variables: str, name: str = "web", written: str = ".env", compose: str = COMPOSE) -> StackEnvironment:
    return StackEnvironment(name, (compose,), frozenset(variables), written)


@pytest.mark.parametrize(
    "text",
    ["env_file: .env", "env_file: [.env]", f"env_file: {RAW}", "env_file: ./.env", "volumes: ['.:/all:ro']"],
)
def test_a_secret_file_that_a_container_gets_is_in_order(text: str, repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    {text}\n")
    assert repository.found() == []


def test_a_secret_file_for_a_service_of_another_directory_is_read(repository: Repository) -> None:
    repository.compose(
        "services:\n  other:\n    env_file: ../../nvr/web/.env\n", "docker/stacks/shared/other/compose.yaml"
    )
    assert repository.found() == []


def test_secrets_and_configs_of_compose_read_their_files(repository: Repository) -> None:
    repository.secret(f"{STACK}/token.sops.yaml", "token: 1\n")
    repository.compose(
        "services: {web: {image: example/web, env_file: .env}}\nsecrets: {token: {file: ./token.yaml}}\n"
    )
    assert repository.found() == []


def test_a_secret_file_that_nobody_reads_is_a_warning(repository: Repository) -> None:
    repository.compose("services:\n  web:\n    image: example/web\n")
    assert repository.found() == [(SECRET, 0, "unread", "warning")]


def test_an_env_file_without_a_secret_file_is_found_unless_it_is_in_the_repository(repository: Repository) -> None:
    repository.compose(
        """\
        services:
          web:
            env_file:
              - .env
              - path: plain.conf
              - path: maybe.env
                required: false
              - /etc/web/host.env
              - ${SOMEWHERE:-.}/x.env
              - path: databse.env
              - .env.production
        """
    )
    repository.write(f"{STACK}/plain.conf", "A=1\n")
    repository.secret(f"{STACK}/database.sops.env", "DATABASE=1\n")
    found = [each for each in repository.findings() if each.rule == "no-secret-file"]
    assert [(each.path, each.line) for each in found] == [(COMPOSE, 10), (COMPOSE, 11)]
    assert "there is no databse.sops.env" in found[0].what
    assert 'did you mean "database.sops.env"?' in found[0].what
    assert found[1].what == "service web reads .env.production, and the repository has no such file"


def test_an_env_file_that_komodo_writes_needs_no_secret_file(repository: Repository) -> None:
    place = "docker/stacks/nvr/other"
    repository.compose("services:\n  web:\n    env_file: .env\n", f"{place}/compose.yaml")
    repository.compose("services:\n  web:\n    env_file: .env\n")
    other = stack("A", name="other", written=f"{place}/.env", compose=f"{place}/compose.yaml")
    assert repository.found([other]) == []
    assert repository.found([stack("A")]) == [(f"{place}/compose.yaml", 3, "no-secret-file", "error")]
    assert repository.found() == []


@pytest.mark.parametrize(
    "use",
    [
        "command: [run, $TOKEN]",
        'command: "${TOKEN}"',
        'command: "${TOKEN:-none}"',
        "environment: [TOKEN]",
        "environment: {TOKEN: }",
        'environment: ["A=${B:-${TOKEN:?}}"]',
        "image: example/$TOKEN",
    ],
)
def test_a_secret_that_compose_fills_in_is_a_leak(use: str, repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n    {use}\n")
    assert repository.found() == [(COMPOSE, 4, "leak", "error")]


def test_a_secret_that_is_read_inside_of_the_container_is_no_leak(repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n    command: sh -c 'run $$TOKEN $${{PASSWORD}}'\n")
    assert repository.found() == []


def test_a_variable_that_the_stack_itself_sets_is_no_leak_though_a_secret_has_its_name(repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n    command: [run, $TOKEN]\n")
    assert repository.found([stack("TOKEN")]) == []
    both = [stack("TOKEN"), stack("OTHER", name="second")]
    assert repository.found(both) == [(COMPOSE, 4, "leak", "error")]


def test_a_variable_that_nothing_sets_is_found_with_the_stacks_that_do_not(repository: Repository) -> None:
    command = "[$DOMAIN, '${ZONE:?}', '${X:-y}', $COMPOSE_PROJECT_NAME]"
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n    command: {command}\n")
    found = repository.findings([stack("DOMAIN"), stack("DOMAINS", "ZONE", name="second")])
    assert [(each.line, each.rule, each.what) for each in found] == [
        (
            4,
            "no-such-key",
            'nothing gives DOMAIN a value: neither stack second nor a secret file; did you mean "DOMAINS"?',
        ),
        (4, "no-such-key", "nothing gives ZONE a value: neither stack web nor a secret file"),
    ]
    assert repository.found() == []


def test_a_key_that_a_service_says_it_needs_and_does_not_get_is_found(repository: Repository) -> None:
    repository.compose(
        f"""\
        services:
          web:
            env_file: {RAW}
            x-homeops:
              secrets:
                - TOKEN
                - PASSWRD
                - PASSWORD
          none:
            x-homeops: {{secrets: [TOKEN]}}
        """
    )
    found = repository.findings()
    assert [(each.path, each.line, each.rule) for each in found] == [
        (COMPOSE, 7, "no-such-key"),
        (COMPOSE, 10, "no-such-key"),
    ]
    assert 'did you mean "PASSWORD"?' in found[0].what
    assert found[0].hint == f"homeops secrets set {SECRET} PASSWRD"


def test_a_key_that_no_service_needs_is_a_warning_once_all_say_what_they_need(repository: Repository) -> None:
    says = f"services:\n  web:\n    env_file: {RAW}\n    x-homeops: {{secrets: [TOKEN]}}\n"
    repository.compose(says)
    assert repository.found() == [(SECRET, 2, "unread", "warning")]
    repository.compose(f"{says}  silent:\n    env_file: {RAW}\n")
    assert repository.found() == []
    repository.compose(f"{says}  second:\n    env_file: {RAW}\n    x-homeops: {{secrets: [PASSWORD]}}\n")
    assert repository.found() == []


def test_of_a_secret_file_that_cannot_be_read_nothing_else_is_said(repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n    x-homeops: {{secrets: [TOKEN]}}\n")
    repository.write(SECRET, "not a variable\n")
    assert repository.found() == [(SECRET, 1, "unreadable", "error")]


def test_a_compose_file_that_cannot_be_read_is_found_beside_everything_else(repository: Repository) -> None:
    repository.compose("services:\n  web: [\n")
    repository.compose("services:\n  web:\n    env_file: .env\n", f"{STACK}/more.yaml")
    found = repository.found()
    assert [(path, rule) for path, _, rule, _ in found] == [(COMPOSE, "compose")]


def test_yaml_that_is_no_compose_file_is_left_alone(repository: Repository) -> None:
    repository.compose(f"services:\n  web:\n    env_file: {RAW}\n")
    repository.write(f"{STACK}/config.yml", "token: [\n  ${TOKEN}\n")
    assert repository.found() == []


def test_the_repository_itself_is_in_order_and_every_stack_has_its_environment(root: Path) -> None:
    site = load_settings("prod", root)
    stacks = stack_environments(fleet_graph(declared_fleet("homeops.fleet", site), site, root))
    assert {each.name: each.variables for each in stacks}["kasm-alloy"] == {"HOSTNAME"}
    assert all((root / path).is_file() for each in stacks for path in each.compose)
    assert secret_findings(root, stacks) == []
    assert secret_findings(root) == []
