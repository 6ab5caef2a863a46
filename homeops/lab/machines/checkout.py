"""The checkout that a rehearsal on machines works in: the working tree, with secrets and settings of the lab's own.

It is a clone: what is committed and pushed there is what the lab's hosts pull. The owner's secrets stay closed: every
encrypted file has the same keys with made-up values here, encrypted for the lab's own age key.
"""

import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from homeops.compose.secret_files import SecretFile, secret_file
from homeops.lab.hosts import placeholders
from homeops.secrets.documents import read_document
from homeops.secrets.git import git, names
from homeops.secrets.policy import POLICY_FILE
from homeops.secrets.sops import Sops
from homeops.whole_file import write_whole

_RECIPIENT = re.compile(r"\bage1[0-9a-z]{58}\b")
_BORROWED = (".venv", ".tools")
"""What git does not know and programs need: the working tree's."""


@dataclass(frozen=True, slots=True)
class LabCheckout:
    """The clone at ``directory`` of the working tree at ``source``; ``bare`` is the repository that it pushes to."""

    source: Path
    directory: Path
    bare: Path
    branch: str

    def follow(self, recipient: str, generated: Mapping[str, str]) -> None:
        """Have the files of the working tree, as they are now, and ``generated`` ones by their paths.

        Encrypted files are not copied: see ``make_secrets``. Raises ToolError where the working tree is none of git's.
        """
        self._begin()
        files = list(_files(self.source))
        policy = (self.source / POLICY_FILE).read_text(encoding="utf-8")
        written = {**generated, POLICY_FILE: _RECIPIENT.sub(recipient, policy)}
        taken = [path for path in files if _secret(path) is None and str(path) not in written]
        for path in taken:
            _copy(self.source / path, self.directory / path)
        for name, text in written.items():
            _write(self.directory / name, text)
        kept = {*taken, *map(Path, written), *(secret.encrypted for secret in self._secrets())}
        for path in _files(self.directory):
            if path not in kept:
                (self.directory / path).unlink()

    def make_secrets(self, sops: Sops, values: Mapping[str, str]) -> list[str]:
        """Have every encrypted file of the working tree, with ``values`` by key and made-up ones; those made anew.

        A file that has the keys already stays as it is, whatever its values.
        """
        made: list[str] = []
        for secret in self._secrets():
            path = secret.encrypted
            source, file = self.source / path, self.directory / path
            if file.is_file() and set(read_document(file).keys) == set(read_document(source).keys):
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8")
            plain = placeholders(secret, text, lambda: secrets.token_urlsafe(18))
            for key, value in values.items():
                plain = re.sub(rf"(?m)^{re.escape(key)}=.*$", f"{key}={value}", plain)
            file.unlink(missing_ok=True)
            sops.encrypt(plain, file, lambda _plain: None)
            made.append(str(path))
        return made

    def publish(self) -> bool:
        """Commit what differs from the last time, and push; says whether there was something."""
        git(self.directory, "add", "--all")
        changed = bool(git(self.directory, "status", "--porcelain").strip())
        if changed:
            git(self.directory, "commit", "--quiet", "--message", "As in the working tree")
        git(self.directory, "push", "--quiet", "--force", "--set-upstream", "origin", self.branch)
        return changed

    def _secrets(self) -> list[SecretFile]:
        return [secret for secret in map(_secret, _files(self.source)) if secret is not None]

    def _begin(self) -> None:
        """Have the two repositories."""
        if not (self.bare / "HEAD").is_file():
            self.bare.mkdir(parents=True, exist_ok=True)
            git(self.bare, "init", "--quiet", "--bare", f"--initial-branch={self.branch}")
        if not (self.directory / ".git").is_dir():
            self.directory.mkdir(parents=True, exist_ok=True)
            git(self.directory, "init", "--quiet", f"--initial-branch={self.branch}")
            for name, value in (("user.name", "homeops lab"), ("user.email", "lab@localhost")):
                git(self.directory, "config", name, value)
            git(self.directory, "remote", "add", "origin", str(self.bare))
            ignored = self.directory / ".git" / "info" / "exclude"
            ignored.write_text("".join(f"/{name}\n" for name in _BORROWED), encoding="utf-8")
        for name in _BORROWED:
            link = self.directory / name
            if (self.source / name).exists() and not link.is_symlink():
                link.symlink_to(self.source / name)


def _files(root: Path) -> Iterator[Path]:
    """The files of a working tree that git knows or would add, relative to it."""
    listed = names(git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
    for path in map(Path, sorted(set(listed))):
        if path.parts[0] not in _BORROWED and ((root / path).is_symlink() or (root / path).is_file()):
            yield path


def _secret(path: Path) -> SecretFile | None:
    """An encrypted file; the policy only has a name like one."""
    return secret_file(path) if path != Path(POLICY_FILE) else None


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(source.readlink())
        return
    mode = source.stat().st_mode
    if target.is_file() and target.stat().st_mode == mode and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _write(file: Path, text: str) -> None:
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        file.unlink(missing_ok=True)
        write_whole(file, text)
