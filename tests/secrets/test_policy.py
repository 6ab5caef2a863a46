"""The policy says of every path what sops does with it."""

from pathlib import Path
from textwrap import dedent

import pytest

from homeops.errors import SecretsError
from homeops.secrets.documents import read_document
from homeops.secrets.policy import parse_policy, read_policy
from tests.secrets.repository import Repository, Tool

PATHS = (
    "docker/stacks/nvr/web/.sops.env",
    "docker/stacks/komodo/core/database.sops.env",
    "docker/stacks/shared/alloy/.sops.env",
    "elsewhere/.sops.env",
)

POLICIES = {
    "one key for all": """\
        creation_rules:
          - path_regex: ^docker/stacks/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]*\\.sops\\.(env|json|yaml)$
            age: {a}
        """,
    "several in one text": """\
        creation_rules:
          - path_regex: ^docker/
            age: "{a}, {b}"
        """,
    "the first rule that fits": """\
        creation_rules:
          - path_regex: nvr
            age: {a}
          - path_regex: ^docker/stacks/
            age: {b}
          - age: {c}
        """,
    "hosts by anchors and key groups": """\
        keys:
          - &operator {a}
          - &nvr {b}
          - &komodo {c}
        creation_rules:
          - path_regex: ^docker/stacks/nvr/
            key_groups:
              - age: [*operator, *nvr]
          - path_regex: ^docker/stacks/komodo/
            key_groups:
              - age: [*operator, *komodo]
          - path_regex: ^docker/stacks/shared/
            key_groups:
              - age: [*operator, *nvr, *komodo]
        """,
    "key groups win over age": """\
        creation_rules:
          - path_regex: ^docker/
            age: {a}
            key_groups:
              - age: [{b}]
        """,
    "a list of keys": """\
        creation_rules:
          - path_regex: ^docker/
            age:
              - {a}
              - {b}
        """,
}


@pytest.fixture
def repository(tmp_path: Path, tool: Tool) -> Repository:
    return Repository(tmp_path / "repository", tool)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_file_is_for_whom_sops_encrypts_it(policy: str, repository: Repository) -> None:
    a, b, c = (repository.key()[1] for _ in range(3))
    repository.write(".sops.yaml", dedent(POLICIES[policy]).format(a=a, b=b, c=c))
    rules = read_policy(repository.root)
    for path in PATHS:
        file = repository.write(path, "TOKEN=text\n")
        done = repository.encrypt(path)
        if done.returncode:
            assert "no matching creation rules" in done.stderr
            assert rules.recipients(path) is None
        else:
            assert rules.recipients(path) == read_document(file).recipients


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SecretsError) as error:
        parse_policy(dedent(text), Path(".sops.yaml"))
    return [(problem.where, problem.what.partition(":")[0]) for problem in error.value.problems]


def test_everything_wrong_with_a_policy_is_said_at_once_with_its_line() -> None:
    found = problems(
        """\
        creation_rules:
          - path_regex: "["
            age: age1example
          - path_regex: ^docker/
          - pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4
            age: age1example
          - key_groups:
              - age: [age1one]
              - age: [age1two]
          - path_regex: ^docker/[[:alnum:]]+/
            age: age1example
        """
    )
    assert found == [
        (".sops.yaml:2", "path_regex is not a regular expression"),
        (".sops.yaml:4", "the rule names no age recipient"),
        (".sops.yaml:5", "pgp"),
        (".sops.yaml:7", "several key groups"),
        (".sops.yaml:10", "path_regex has a class like [["),
    ]


@pytest.mark.parametrize("text", ["", "creation_rules: [", "- a list", "stores: {}", "creation_rules: text"])
def test_a_text_that_is_no_policy_is_refused_by_name(text: str) -> None:
    with pytest.raises(SecretsError, match=r"^\.sops\.yaml"):
        parse_policy(text, Path(".sops.yaml"))


def test_a_missing_policy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match=r"\.sops\.yaml: no such file"):
        read_policy(tmp_path)


def test_a_rule_for_nobody_is_refused_as_sops_refuses_it(repository: Repository) -> None:
    repository.write(".sops.yaml", "creation_rules:\n  - path_regex: ^docker/\n")
    repository.write("docker/.sops.env", "TOKEN=text\n")
    assert repository.encrypt("docker/.sops.env").returncode != 0
    with pytest.raises(SecretsError, match="names no age recipient"):
        read_policy(repository.root)
