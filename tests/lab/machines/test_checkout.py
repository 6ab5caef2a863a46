"""The lab's own checkout has what the working tree has, but for secrets, which are the lab's."""

import subprocess
from pathlib import Path

import pytest

from homeops.errors import ToolError
from homeops.lab.machines.checkout import LabCheckout
from homeops.secrets.sops import Sops
from tests.recovery.fleet import Tool, new_key

ENV = "docker/stacks/nvr/frigate/.sops.env"
YAML = "docker/stacks/omni/omni/secrets.sops.yaml"
RULES = """\
creation_rules:
  - path_regex: ^docker/stacks/.*\\.sops\\.(env|yaml)$
    age: {recipient}
"""


class Lab:
    """A working tree with secrets that are encrypted for its owner, and the lab's checkout of it."""

    def __init__(self, place: Path, tool: Tool) -> None:
        self.tree = place / "tree"
        self.key = place / "lab.txt"
        self.recipient = new_key(tool, self.key)
        self.owner = new_key(tool, place / "owner.txt")
        environ = {"PATH": str(Path(tool("sops")[0]).parent)}
        self.owners = Sops(self.tree, {**environ, "SOPS_AGE_KEY_FILE": str(place / "owner.txt")})
        self.checkout = LabCheckout(self.tree, place / "checkout", place / "git" / "owner" / "name", "main")
        self.labs = Sops(self.checkout.directory, {**environ, "SOPS_AGE_KEY_FILE": str(self.key)})
        self.tree.mkdir()
        subprocess.run(["git", "init", "--quiet", str(self.tree)], check=True)
        self.write(".sops.yaml", RULES.format(recipient=self.owner))
        self.write(".gitignore", "/ignored\n")
        self.write("script.sh", "#!/bin/sh\n").chmod(0o755)
        self.write("settings.yaml", "of: the tree\n")
        self.write("ignored", "x")
        self.encrypt(ENV, "TOKEN=of the owner\nEMPTY=\n")
        self.encrypt(YAML, "key: of the owner\nlist: [a, b]\n")

    def write(self, name: str, text: str) -> Path:
        file = self.tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def encrypt(self, name: str, text: str) -> None:
        self.write(name, "").unlink()
        self.owners.encrypt(text, self.tree / name, lambda _plain: None)

    def follow(self) -> list[str]:
        self.checkout.follow(self.recipient, {"settings.yaml": "of: the lab\n"})
        return self.checkout.make_secrets(self.labs, {"TOKEN": "given"})

    def plain(self, name: str) -> str:
        return self.labs.decrypt(self.checkout.directory / name)

    def pushed(self, name: str) -> str:
        show = ["git", "-C", str(self.checkout.bare), "show", f"main:{name}"]
        return subprocess.run(show, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def lab(tmp_path: Path, tool: Tool) -> Lab:
    return Lab(tmp_path, tool)


def test_it_has_the_files_of_the_working_tree_and_its_own_secrets(lab: Lab) -> None:
    assert lab.follow() == [ENV, YAML]
    assert lab.checkout.publish()
    assert lab.pushed("settings.yaml") == "of: the lab\n"
    assert lab.pushed("script.sh") == "#!/bin/sh\n"
    assert (lab.checkout.directory / "script.sh").stat().st_mode & 0o777 == 0o755
    assert not (lab.checkout.directory / "ignored").exists()
    assert lab.plain(ENV) == "TOKEN=given\nEMPTY=\n"
    assert "of the owner" not in lab.plain(YAML)
    assert "key: " in lab.plain(YAML)
    assert lab.owner not in lab.pushed(ENV) + lab.pushed(".sops.yaml")


def test_it_follows_what_changes_and_keeps_secrets_whose_keys_do_not(lab: Lab) -> None:
    lab.follow()
    lab.checkout.publish()
    lab.labs.set(lab.checkout.directory / ENV, ["TOKEN"], "set by hand", lambda _plain: None)
    lab.labs.set(lab.checkout.directory / ENV, ["EMPTY"], "not empty", lambda _plain: None)
    assert lab.follow() == []
    assert lab.plain(ENV) == "TOKEN=set by hand\nEMPTY=not empty\n"
    assert lab.checkout.publish()
    assert not lab.checkout.publish()
    (lab.tree / "script.sh").unlink()
    lab.encrypt(ENV, "OTHER=of the owner\n")
    (lab.tree / YAML).unlink()
    assert lab.follow() == [ENV]
    assert lab.plain(ENV).startswith("OTHER=")
    assert not (lab.checkout.directory / "script.sh").exists()
    assert not (lab.checkout.directory / YAML).exists()


def test_a_tree_that_git_does_not_know_is_said_so(lab: Lab, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    checkout = LabCheckout(strange, tmp_path / "other", tmp_path / "bare", "main")
    with pytest.raises(ToolError, match="git ls-files failed"):
        checkout.follow(lab.recipient, {})
