"""Secret files that sops made pass; what was done to them since is found, with its line and without its values."""

from pathlib import Path

import pytest

from homeops.errors import SecretsError
from homeops.secrets.documents import parse_document, read_document
from homeops.secrets.finding import Finding
from tests.secrets.repository import COMPOSE, SECRET, STACK, Repository, Tool

VALUE = "correct-horse-battery"

CONTENTS = {
    ".sops.env": f"# of the vault\nTOKEN={VALUE}\n\nEMPTY=\nDOLLARS=a$b=c#d 'e' \"f\"\nUNICODE=grün\n"
    f"LONG={'x' * 10_000}\n",
    "app.sops.json": f'{{"token": "{VALUE}", "list": ["{VALUE}", 1, true], "deep": {{"empty": "", "none": null}}}}\n',
    "app.sops.yaml": f'# of the vault\ntoken: {VALUE}\nlist: [{VALUE}, 1, true]\ndeep: {{empty: "", none: null}}\n'
    f"text: |\n  {VALUE}\n  more\n",
}
READS = """\
    services:
      web:
        image: example/web:1
        env_file: [{path: .env, format: raw}]
        volumes: [./app.json:/app.json:ro, ./app.yaml:/app.yaml:ro]
    """


@pytest.fixture
def repository(tmp_path: Path, tool: Tool) -> Repository:
    """A repository in order: a policy for one key, a secret file, a compose file that reads it."""
    made = Repository(tmp_path / "repository", tool)
    made.policy(made.key()[1])
    made.compose(READS)
    made.secret(SECRET, CONTENTS[".sops.env"])
    return made


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    assert VALUE not in repr(found)
    return found[0]


def changed(repository: Repository, path: str, old: str, new: str) -> None:
    text = repository.read(path)
    assert old in text
    repository.write(path, text.replace(old, new, 1).encode())


@pytest.mark.parametrize("name", CONTENTS)
def test_what_sops_encrypted_is_found_to_be_so(name: str, repository: Repository) -> None:
    file = read_document(repository.secret(f"{STACK}/{name}", CONTENTS[name]))
    assert file.encrypted
    assert not file.clear_comments
    assert repository.findings() == []


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (".sops.env", ("TOKEN", "EMPTY", "DOLLARS", "UNICODE", "LONG")),
        ("app.sops.json", ("token", "list.0", "list.1", "list.2", "deep.empty", "deep.none")),
        ("app.sops.yaml", ("token", "list.0", "list.1", "list.2", "deep.empty", "deep.none", "text")),
    ],
)
def test_keys_are_read_without_a_private_key(name: str, keys: tuple[str, ...], repository: Repository) -> None:
    file = read_document(repository.secret(f"{STACK}/{name}", CONTENTS[name]))
    assert file.keys == keys
    lines = repository.read(f"{STACK}/{name}").splitlines()
    assert all(
        value.key.rpartition(".")[2] in lines[value.line - 1] for value in file.values if "list" not in value.key
    )


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_was_never_encrypted_is_one_finding(name: str, repository: Repository) -> None:
    repository.write(f"{STACK}/{name}", CONTENTS[name])
    finding = only(repository.findings())
    assert (finding.path, finding.rule, finding.severity) == (f"{STACK}/{name}", "not-encrypted", "error")
    assert finding.hint == f"homeops secrets encrypt {STACK}/{name}"


def test_a_value_written_by_hand_is_found_with_its_key_and_line(repository: Repository) -> None:
    changed(repository, SECRET, "\nEMPTY=", f"\nADDED={VALUE}\nEMPTY=")
    finding = only(repository.findings())
    assert (finding.line, finding.rule, finding.what) == (3, "not-encrypted", "ADDED stands in the clear")


@pytest.mark.parametrize("name", ["app.sops.json", "app.sops.yaml"])
def test_a_value_written_by_hand_is_found_in_a_tree(name: str, repository: Repository) -> None:
    path = f"{STACK}/{name}"
    repository.secret(path, CONTENTS[name])
    old, new = ('"empty": ""', f'"empty": "{VALUE}"') if "json" in name else ('empty: ""', f"empty: {VALUE}")
    changed(repository, path, old, new)
    finding = only(repository.findings())
    assert (finding.rule, finding.what) == ("not-encrypted", "deep.empty stands in the clear")
    assert VALUE in repository.read(path).splitlines()[finding.line - 1]


def test_a_value_that_sops_leaves_in_the_clear_by_its_name_is_found(repository: Repository) -> None:
    repository.secret(SECRET, f"TOKEN_unencrypted={VALUE}\n")
    finding = only(repository.findings())
    assert finding.rule == "not-encrypted"
    assert "rename it" in finding.hint


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_without_a_mac_is_found(name: str, repository: Repository) -> None:
    path = f"{STACK}/{name}"
    repository.secret(path, CONTENTS[name])
    text = repository.read(path)
    kept = [
        line for line in text.splitlines(keepends=True) if not line.strip().strip('"').startswith(("sops_mac", "mac"))
    ]
    assert len(kept) == len(text.splitlines()) - 1
    repository.write(path, "".join(kept).encode())
    assert only(repository.findings()).what.startswith("no MAC")


def test_a_comment_written_by_hand_is_a_warning(repository: Repository) -> None:
    changed(repository, SECRET, "EMPTY=", f"# was {VALUE}\nEMPTY=")
    finding = only(repository.findings())
    assert (finding.line, finding.rule, finding.severity) == (3, "clear-comment", "warning")


def test_a_comment_written_by_hand_behind_a_value_is_a_warning(repository: Repository) -> None:
    path = f"{STACK}/app.sops.yaml"
    repository.secret(path, CONTENTS["app.sops.yaml"] + "last: 1 # of the vault\n")
    assert "#ENC[" in next(line for line in repository.read(path).splitlines() if line.startswith("last"))
    assert repository.findings() == []
    lines = repository.read(path).splitlines(keepends=True)
    repository.write(path, "".join([lines[0], lines[1].rstrip("\n"), f" # was {VALUE}\n", *lines[2:]]).encode())
    finding = only(repository.findings())
    assert (finding.line, finding.rule, finding.severity) == (2, "clear-comment", "warning")


def test_a_missing_and_a_surplus_recipient_are_each_named(repository: Repository) -> None:
    (_, one), (_, two), (_, three) = (repository.key() for _ in range(3))
    repository.policy(one, two)
    repository.secret(SECRET, f"TOKEN={VALUE}\n")
    repository.policy(two, three)
    found = repository.findings()
    assert [(each.rule, each.what) for each in found] == [
        ("recipients", f"not encrypted for {three}, which .sops.yaml:2 names"),
        ("recipients", f"encrypted for {one}, which .sops.yaml:2 does not name"),
    ]
    assert one in repository.read(SECRET).splitlines()[found[1].line - 1]


def test_hosts_decrypt_their_own_stacks_and_the_shared_ones(repository: Repository) -> None:
    (_, operator), (_, nvr), (_, komodo) = (repository.key() for _ in range(3))
    both = "docker/stacks/shared/alloy"
    repository.write(
        ".sops.yaml",
        f"""\
        keys:
          - &operator {operator}
          - &nvr {nvr}
          - &komodo {komodo}
        creation_rules:
          - path_regex: ^docker/stacks/nvr/
            key_groups: [{{age: [*operator, *nvr]}}]
          - path_regex: ^docker/stacks/shared/
            key_groups: [{{age: [*operator, *nvr, *komodo]}}]
        """,
    )
    for stack in (STACK, both):
        repository.compose(READS, f"{stack}/compose.yaml")
        repository.secret(f"{stack}/.sops.env", f"TOKEN={VALUE}\n")
    assert repository.findings() == []
    repository.write(SECRET, repository.read(f"{both}/.sops.env").encode())
    assert only(repository.findings()).what == f"encrypted for {komodo}, which .sops.yaml:6 does not name"


@pytest.mark.parametrize("name", CONTENTS)
def test_recipients_are_found_in_every_key_group(name: str, repository: Repository) -> None:
    one, two = (repository.key()[1] for _ in range(2))
    repository.write(".sops.yaml", f"creation_rules: [{{key_groups: [{{age: [{one}]}}, {{age: [{two}]}}]}}]\n")
    assert read_document(repository.secret(f"{STACK}/{name}", CONTENTS[name])).recipients == {one, two}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".sops.env", "sops_pgp__list_0__map_fp=FBC7\nsops_kms__list_0__map_arn=arn:aws\n"),
        ("app.sops.json", '{"sops": {"pgp": [{"fp": "FBC7"}], "kms": [{"arn": "arn:aws"}]}}'),
        ("app.sops.yaml", "sops: {pgp: [{fp: FBC7}], kms: [{arn: 'arn:aws'}]}"),
    ],
)
def test_recipients_other_than_age_keys_are_named_with_their_kind(name: str, text: str) -> None:
    assert parse_document(text, Path(name)).recipients == {"pgp:FBC7", "kms:arn:aws"}


def test_a_file_that_no_rule_is_for_is_found(repository: Repository) -> None:
    text = repository.read(SECRET)
    repository.write("docker/other/.sops.env", text.encode())
    repository.compose(READS, "docker/other/compose.yaml")
    assert [(each.path, each.rule) for each in repository.findings()] == [("docker/other/.sops.env", "no-rule")]


def test_without_a_policy_secret_files_are_refused_and_nothing_else_is(repository: Repository) -> None:
    (repository.root / ".sops.yaml").unlink()
    assert only(repository.findings()).rule == "policy"
    (repository.root / SECRET).unlink()
    (repository.root / COMPOSE).unlink()
    assert repository.findings() == []


def test_duplicate_keys_are_found_with_both_lines(repository: Repository) -> None:
    repository.secret(SECRET, f"A=1\nB=2\nA={VALUE}\n")
    finding = only(repository.findings())
    assert (finding.line, finding.rule, finding.what) == (
        3,
        "duplicate",
        "A stands here a second time; first on line 1",
    )


def test_duplicate_keys_of_a_tree_are_found_at_any_depth() -> None:
    file = parse_document("a:\n  b: 1\n  c: 2\n  b: 3\na: 4\n", Path("x.sops.yaml"))
    assert file.duplicates == (("a", 5, 1), ("a.b", 4, 2))


@pytest.mark.parametrize("name", CONTENTS)
def test_crlf_is_found_on_its_first_line(name: str, repository: Repository) -> None:
    path = f"{STACK}/{name}"
    repository.secret(path, CONTENTS[name])
    lines = repository.read(path).split("\n")
    repository.write(path, ("\n".join(lines[:2]) + "\n" + "\r\n".join(lines[2:])).encode())
    finding = only(repository.findings())
    assert (finding.path, finding.line, finding.rule) == (path, 3, "crlf")


def test_a_line_that_names_no_variable_is_found_and_not_quoted(repository: Repository) -> None:
    repository.secret(SECRET, f"export TOKEN=1\n{VALUE}/=2\n")
    found = repository.findings()
    assert [(each.line, each.rule) for each in found] == [(1, "name"), (2, "name")]
    assert VALUE not in repr(found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".sops.env", f"TOKEN=1\n{VALUE}\n"),
        ("app.sops.json", f'{{"token": "{VALUE}"'),
        ("app.sops.yaml", f"token: [{VALUE}"),
        ("app.sops.yaml", f"- {VALUE}\n"),
        ("app.sops.json", ""),
    ],
)
def test_a_file_that_is_not_of_its_format_is_found_and_not_quoted(name: str, text: str, repository: Repository) -> None:
    repository.write(f"{STACK}/{name}", text)
    finding = only(repository.findings())
    assert (finding.path, finding.rule) == (f"{STACK}/{name}", "unreadable")


def test_bytes_that_are_no_text_are_found(repository: Repository) -> None:
    repository.write(SECRET, b"TOKEN=\xff\xfe\n")
    assert only(repository.findings()).rule == "unreadable"


@pytest.mark.parametrize("name", ["app.sops.ini", ".sops.env.bak", "app.sops.yml", "key.sops"])
def test_a_file_that_no_host_decrypts_is_found_unless_it_is_none_by_name(name: str, repository: Repository) -> None:
    repository.write(f"{STACK}/{name}", "text\n")
    repository.write(f"{STACK}/README.sops.md", "about it\n")
    repository.write(f"{STACK}/.sops.env.example", "TOKEN=\n")
    found = repository.findings()
    assert [each.rule for each in found] == (["kind"] if ".sops." in name else [])


def test_a_name_that_is_none_is_refused_where_it_is_asked_for() -> None:
    with pytest.raises(SecretsError, match=r"compose\.yaml: not a secret file by its name"):
        parse_document("a: b", Path("compose.yaml"))


def test_aliases_that_lead_in_a_circle_end() -> None:
    assert parse_document("a: &a\n  b: *a\n  c: text\n", Path("x.sops.yaml")).keys == ("a.c",)
