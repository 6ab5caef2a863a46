"""Git for the rehearsal: bare repositories on this machine behind every remote address, and checkouts of them.

Checkouts are made by real git, so their logs, hashes and diffs are git's own; no address is ever contacted, because git
is told to take every remote from here.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from homeops.lab.core.checkouts import Checkouts, Outcome, Remote, latest_commit
from homeops.lab.core.executions_logs import log
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document


@dataclass
class Repositories(Checkouts):
    """Repositories by ``owner/name`` under one directory. ``private`` ones are not given without a token."""

    directory: Path
    private: set[str] = field(default_factory=set[str])
    _sources: dict[str, Path] = field(default_factory=dict[str, Path])

    def push(self, name: str, files: Mapping[str, str], message: str, branch: str = "main") -> str:
        """Commit exactly these files to a branch, making the repository when there is none; answers the full hash."""
        with tempfile.TemporaryDirectory() as tree:
            for path, text in files.items():
                target = Path(tree, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, newline="")
                if path.endswith(".sh"):
                    target.chmod(0o755)
            return self._commit_tree(name, Path(tree), message, branch)

    def rewind(self, name: str, commit: str, branch: str = "main") -> None:
        """Set a branch to a commit that it has been at, as a forced push does."""
        self._run(["update-ref", f"refs/heads/{branch}", commit], self.directory / name)

    def serve(self, name: str, source: Path) -> None:
        """Stand for a repository with the files of a directory, as they are at each clone or pull."""
        self._sources[name] = source
        self._snapshot(name)

    def commit_file(self, remote: Remote, checkout: Path, path: str, contents: str, message: str) -> list[Document]:
        """Write one file of a checkout, commit it and push it; the log entries (lib/git/src/commit.rs)."""
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(contents)
        logs = [log("Write file", stdout=f'File contents written to "{target}"')]
        logs.append(self.logged("Add Files", f"git add {path}", ["add", path], remote, checkout))
        if not logs[-1]["success"]:
            return logs
        said = f'[Komodo] {message}: update "{path}"'
        commit = self.logged("Commit", f'git commit -m "{said}"', ["commit", "-m", said], remote, checkout)
        if commit["success"] or "nothing to commit" not in commit["stdout"]:
            logs.append(commit)
        if not logs[-1]["success"]:
            return logs
        logs.append(latest_commit(self.head(checkout)))
        push = ["push", "--set-upstream", "origin", remote.branch]
        logs.append(self.logged("Push", "git " + " ".join(push), push, remote, checkout))
        return logs

    def shown(self, text: str, remote: Remote) -> str:
        """With the address of the remote for the directory behind it."""
        return text.replace(f"file://{self.directory}/", f"{remote.url(masked=True).removesuffix(remote.repo)}")

    def remove(self, target: Place) -> None:
        """Remove a directory."""
        shutil.rmtree(str(target), ignore_errors=True)

    def git(self, arguments: Sequence[str], directory: Place, remote: Remote | None = None) -> Outcome:
        """Run git, which takes the remote from here."""
        if remote is None:
            return self._run(arguments, directory)
        if arguments[0] in ("clone", "fetch"):
            self._snapshot(remote.repo)
        if arguments[0] == "clone" and (said := self._refusal(remote)):
            return Outcome(128, "", f"Cloning into '{arguments[2]}'...\n{said}")
        parts = urlsplit(remote.url())
        here = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{self.directory}/.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{parts.scheme}://{parts.netloc}/",
        }
        return self._run(arguments, directory, here)

    def _refusal(self, remote: Remote) -> str:
        """What git would have been told at the address; empty when it would have got what it wants."""
        if remote.repo in self.private and not remote.token:
            origin = remote.url().removesuffix(f"/{remote.repo}")
            return f"fatal: could not read Username for '{origin}': No such device or address\n"
        known = (self.directory / remote.repo).is_dir()
        return "" if known else f"fatal: repository '{remote.url()}/' not found\n"

    def _run(self, arguments: Sequence[str], directory: Place, more: Mapping[str, str] | None = None) -> Outcome:
        done = subprocess.run(
            ["git", *arguments],
            cwd=str(directory),
            env=_GIT_ENVIRONMENT | dict(more or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        # Not as text: Python would take the carriage returns of progress for ends of lines.
        return Outcome(done.returncode, *(said.decode(errors="replace") for said in (done.stdout, done.stderr)))

    def _snapshot(self, name: str) -> None:
        if source := self._sources.get(name):
            self._commit_tree(name, source, "working tree", "main")

    def _commit_tree(self, name: str, tree: Path, message: str, branch: str) -> str:
        with self._guard, tempfile.TemporaryDirectory() as scratch:
            bare = self.directory / name
            if not bare.is_dir():
                bare.mkdir(parents=True)
                self._run(["init", "--bare", "--quiet", "--initial-branch=main", "."], bare)
            place = {"GIT_DIR": str(bare), "GIT_WORK_TREE": str(tree), "GIT_INDEX_FILE": f"{scratch}/index"}
            self._run(["add", "--all", "."], tree, place)
            written = self._run(["write-tree"], tree, place).stdout.strip()
            parent = self._run(["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"], bare).stdout.strip()
            base = parent or self._run(["rev-parse", "--verify", "--quiet", "HEAD"], bare).stdout.strip()
            unchanged = parent and self._run(["rev-parse", f"{parent}^{{tree}}"], bare).stdout.strip() == written
            if unchanged and tree in self._sources.values():
                return parent
            parents = ["-p", base] if base else []
            commit = self._run(["commit-tree", written, "-m", message, *parents], bare, place).stdout.strip()
            self._run(["update-ref", f"refs/heads/{branch}", commit], bare)
            return commit


_GIT_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Komodo",
    "GIT_AUTHOR_EMAIL": "komodo@localhost",
    "GIT_COMMITTER_NAME": "Komodo",
    "GIT_COMMITTER_EMAIL": "komodo@localhost",
}
