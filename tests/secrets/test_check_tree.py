"""What is looked at is what git tracks or would track, and with --staged what the next commit will hold."""

from pathlib import Path

import pytest

from homeops.errors import ToolError
from homeops.secrets.git_tree import read_staged, read_tree
from tests.secrets.repository import COMPOSE, SECRET, STACK, Repository, Tool

PLAIN = f"{STACK}/.env"


@pytest.fixture
def repository(tmp_path: Path, tool: Tool) -> Repository:
    made = Repository(tmp_path / "repository", tool)
    made.policy(made.key()[1])
    made.secret(SECRET, "TOKEN=1\n")
    made.compose("services:\n  web:\n    env_file: .env\n")
    made.git("add", ".")
    return made


def test_files_are_those_of_the_index_and_those_that_would_be_added(repository: Repository) -> None:
    repository.write("new name with ü.txt", "1")
    repository.write(PLAIN, "TOKEN=1\n")
    (repository.root / COMPOSE).unlink()
    (repository.root / "link").symlink_to("/etc/hostname")
    tree = read_tree(repository.root)
    assert {path: file.tracked for path, file in tree.items()} == {
        ".gitignore": True,
        ".sops.yaml": True,
        SECRET: True,
        "new name with ü.txt": False,
    }


def test_staged_files_are_as_they_were_added(repository: Repository) -> None:
    before = (repository.root / SECRET).read_bytes()
    repository.write(SECRET, "TOKEN=1\n")
    repository.write("new.txt", "1")
    staged = read_staged(repository.root)
    assert list(staged) == [".gitignore", ".sops.yaml", SECRET, COMPOSE]
    assert staged[SECRET].data == before
    assert [each.rule for each in repository.findings(staged=True)] == []
    assert [each.rule for each in repository.findings()] == ["not-encrypted"]
    repository.git("add", SECRET)
    assert [each.rule for each in repository.findings(staged=True)] == ["not-encrypted"]


def test_a_directory_below_a_repository_is_looked_at_alone(repository: Repository) -> None:
    assert list(read_tree(repository.root / STACK)) == [".sops.env", "compose.yaml"]
    assert list(read_staged(repository.root / STACK)) == [".sops.env", "compose.yaml"]


def test_a_file_with_conflicts_is_looked_at_once(repository: Repository) -> None:
    repository.git("commit", "--quiet", "--message", "first")
    repository.git("switch", "--quiet", "--create", "other")
    repository.write("text", "other")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message", "other")
    repository.git("switch", "--quiet", "-")
    repository.write("text", "ours")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message", "ours")
    with pytest.raises(AssertionError):
        repository.git("merge", "--quiet", "other")
    assert read_staged(repository.root)["text"].data == b"ours"


def test_without_a_repository_everything_is_looked_at(tmp_path: Path) -> None:
    for name in ("a/b.txt", ".hidden/c.txt", ".env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert {path: (file.data, file.tracked) for path, file in read_tree(tmp_path).items()} == {
        ".env": (b".env", False),
        "a/b.txt": (b"a/b.txt", False),
    }


def test_git_that_fails_is_one_message_and_not_a_tree_without_findings(repository: Repository) -> None:
    (repository.root / ".git" / "index").write_bytes(b"not an index")
    with pytest.raises(ToolError, match=r"git ls-files failed: .*index") as error:
        read_tree(repository.root)
    assert len(error.value.problems) == 1


def test_without_git_it_is_said(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.root))
    with pytest.raises(ToolError, match="git: is not installed"):
        read_tree(repository.root)


def test_an_ignored_plaintext_is_in_order(repository: Repository) -> None:
    repository.write(PLAIN, "TOKEN=1\n")
    assert repository.findings() == []


def test_a_plaintext_that_would_be_added_is_found(repository: Repository) -> None:
    repository.write(".gitignore", "")
    repository.write(PLAIN, "TOKEN=1\n")
    found = repository.findings()
    assert [(each.path, each.rule, each.severity) for each in found] == [(PLAIN, "plaintext-twin", "error")]
    assert "neither tracked nor ignored" in found[0].what


def test_a_plaintext_that_is_tracked_is_found_though_it_is_ignored(repository: Repository) -> None:
    repository.write(PLAIN, "TOKEN=1\n")
    repository.git("add", "--force", PLAIN)
    found = repository.findings()
    assert [(each.path, each.rule, each.severity) for each in found] == [(PLAIN, "plaintext-twin", "error")]
    assert found[0].hint.startswith(f"git rm --cached {PLAIN}")


@pytest.mark.parametrize(("secret", "plain"), [("app.sops.json", "app.json"), ("app.sops.yaml", "app.yaml")])
def test_plaintext_of_every_kind_is_found(secret: str, plain: str, repository: Repository) -> None:
    repository.secret(f"{STACK}/{secret}", '{"token": "1"}\n')
    repository.compose(f"services:\n  web:\n    env_file: .env\n    volumes: ['./{plain}:/x:ro']\n")
    repository.write(f"{STACK}/{plain}", '{"token": "1"}\n')
    assert repository.found() == [(f"{STACK}/{plain}", 0, "plaintext-twin", "error")]


def test_an_environment_file_without_a_secret_file_is_a_warning(repository: Repository) -> None:
    repository.write("docker/other.env", "A=1\n")
    repository.write("docker/other.env.example", "A=1\n")
    assert repository.found() == [("docker/other.env", 0, "plaintext", "warning")]


def test_a_private_key_is_found_in_any_file_and_not_shown(repository: Repository) -> None:
    private, _ = repository.key()
    repository.write("docs/how.md", f"# keys\n\nput {private} into\n")
    repository.write("image.bin", b"\x00\xff\n" + private.encode() + b"\x00")
    repository.write("docs/what.md", "a private key begins with AGE-SECRET-KEY-1...\n")
    found = repository.findings()
    assert [(each.path, each.line, each.rule) for each in found] == [
        ("docs/how.md", 3, "private-key"),
        ("image.bin", 2, "private-key"),
    ]
    assert private not in repr(found)


def test_a_private_key_that_is_ignored_is_in_order(repository: Repository) -> None:
    repository.write(".gitignore", ".env\n*.agekey\n")
    repository.write("mine.agekey", repository.key()[0])
    assert repository.findings() == []
