"""Git for the rehearsal: bare repositories on this machine behind every remote address, and checkouts of them.

Checkouts are made by real git, so their logs, hashes and diffs are git's own; no address is ever contacted, because git
is told to take every remote from here.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from homeops.lab.core.clock import Clock, SystemClock
from homeops.lab.core.executions_logs import bold, log, muted, succeeded
from homeops.lab.core.state import Document, now_ms

PULL_CACHE_SECONDS = 5.0
"""A checkout pulled less than this long ago is not pulled again; the earlier result is given (lib/git/src/pull.rs)."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What is checked out: ``repo`` is ``owner/name``; ``commit`` is empty for the newest of the branch."""

    provider: str
    repo: str
    branch: str = "main"
    commit: str = ""
    https: bool = True
    token: str = ""

    def url(self, *, masked: bool = False) -> str:
        """The address as git is given it, with the token in it (``masked``: as logs show it)."""
        user, colon, secret = self.token.partition(":")
        pair = f"{quote(user.strip())}:{quote(secret.strip())}@" if colon else f"token:{quote(self.token.strip())}@"
        credentials = "" if not self.token else "token:<TOKEN>@" if masked else pair
        return f"{'https' if self.https else 'http'}://{credentials}{self.provider}/{self.repo}"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The result of a clone or pull: git's log entries, and short hash and message of the commit when it worked."""

    logs: list[Document]
    hash: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    exit: int
    stdout: str
    stderr: str


@dataclass
class Repositories:
    """Repositories by ``owner/name`` under one directory. ``private`` ones are not given without a token."""

    directory: Path
    clock: Clock = field(default_factory=SystemClock)
    private: set[str] = field(default_factory=set[str])
    cache_seconds: float = PULL_CACHE_SECONDS
    _sources: dict[str, Path] = field(default_factory=dict[str, Path])
    _pulled: dict[Path, tuple[float, Checkout]] = field(default_factory=dict[Path, tuple[float, Checkout]])
    _locks: dict[Path, threading.Lock] = field(default_factory=dict[Path, threading.Lock])
    _guard: threading.Lock = field(default_factory=threading.Lock)

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

    def clone(self, remote: Remote, target: Path) -> Checkout:
        """Delete the directory and clone anew."""
        with self._lock(target):
            return self._clone(remote, target)

    def pull(self, remote: Remote, target: Path) -> Checkout:
        """Fetch and reset an existing checkout, unless that was done a moment ago."""
        with self._lock(target):
            return self._pull(remote, target)

    def pull_or_clone(self, remote: Remote, target: Path) -> tuple[Checkout, bool]:
        """Pull where the directory exists, else clone; also whether it was cloned."""
        with self._lock(target):
            if target.exists():
                return self._pull(remote, target), False
            return self._clone(remote, target), True

    def commit_file(self, remote: Remote, checkout: Path, path: str, contents: str, message: str) -> list[Document]:
        """Write one file of a checkout, commit it and push it; the log entries (lib/git/src/commit.rs)."""
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(contents)
        logs = [log("Write file", stdout=f'File contents written to "{target}"')]
        logs.append(self._logged("Add Files", f"git add {path}", ["add", path], remote, checkout))
        if not logs[-1]["success"]:
            return logs
        said = f'[Komodo] {message}: update "{path}"'
        commit = self._logged("Commit", f'git commit -m "{said}"', ["commit", "-m", said], remote, checkout)
        if commit["success"] or "nothing to commit" not in commit["stdout"]:
            logs.append(commit)
        if not logs[-1]["success"]:
            return logs
        logs.append(_latest_commit(self.head(checkout)))
        push = ["push", "--set-upstream", "origin", remote.branch]
        logs.append(self._logged("Push", "git " + " ".join(push), push, remote, checkout))
        return logs

    def _clone(self, remote: Remote, target: Path) -> Checkout:
        self._snapshot(remote.repo)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        shown = f"git clone {remote.url(masked=True)} {target} -b {remote.branch}"
        if remote.repo in self.private and not remote.token:
            origin = remote.url().removesuffix(f"/{remote.repo}")
            said = f"fatal: could not read Username for '{origin}': No such device or address\n"
            return Checkout([_failed_clone(shown, target, said)])
        if not (self.directory / remote.repo).is_dir():
            return Checkout([_failed_clone(shown, target, f"fatal: repository '{remote.url()}/' not found\n")])
        arguments = ["clone", remote.url(), str(target), "-b", remote.branch]
        logs = [self._logged("Clone Repo", shown, arguments, remote, target.parent)]
        if logs[0]["success"] and remote.commit:
            logs.append(self._reset("set commit", remote, target))
        return self._with_head(logs, target)

    def _pull(self, remote: Remote, target: Path) -> Checkout:
        pulled = self._pulled.get(target)
        if pulled and self.clock.now() - pulled[0] < self.cache_seconds:
            return replace(pulled[1], logs=[dict(entry) for entry in pulled[1].logs])
        self._snapshot(remote.repo)
        result = self._pull_now(remote, target)
        self._pulled[target] = (self.clock.now(), result)
        return result

    def _pull_now(self, remote: Remote, target: Path) -> Checkout:
        logs: list[Document] = []
        if not (target / ".git").exists():
            if not target.is_dir():
                return Checkout([log("Git Init", "git init", stderr=NOT_FOUND, success=False)])
            logs.append(self._logged("Git Init", "git init", ["init"], remote, target))
            self._git(["remote", "add", "origin", remote.url()], remote, target)
            self._git(["switch", "-c", remote.branch], remote, target)
        set_remote = ["remote", "set-url", "origin"]
        shown = f"git {' '.join(set_remote)} {remote.url(masked=True)}"
        logs.append(self._logged("Set Git Remote", shown, [*set_remote, remote.url()], remote, target))
        fetch = ["fetch", "--all", "--prune"]
        fetched = self._logged("Git Fetch", "git " + " ".join(fetch), fetch, remote, target)
        if not fetched["success"]:
            return Checkout([*logs, fetched])
        for stage, arguments in (
            ("Checkout branch", ["checkout", "-f", remote.branch]),
            ("Git pull", ["pull", "--rebase", "--force", "origin", remote.branch]),
        ):
            logs.append(self._logged(stage, "git " + " ".join(arguments), arguments, remote, target))
            if not logs[-1]["success"]:
                return Checkout(logs)
        if remote.commit:
            logs.append(self._reset("Set commit", remote, target))
        return self._with_head(logs, target)

    def _reset(self, stage: str, remote: Remote, target: Path) -> Document:
        arguments = ["reset", "--hard", remote.commit]
        return self._logged(stage, "git " + " ".join(arguments), arguments, remote, target)

    def _with_head(self, logs: list[Document], target: Path) -> Checkout:
        if not succeeded(logs):
            return Checkout(logs)
        commit, message = self.head(target)
        return Checkout([*logs, _latest_commit((commit, message))], commit, message)

    def head(self, target: Path) -> tuple[str, str]:
        """Short hash and message of what is checked out."""
        commit = self._run(["rev-parse", "--short", "HEAD"], target).stdout.strip()
        return commit, self._run(["log", "-1", "--pretty=%B"], target).stdout.strip()

    def _logged(self, stage: str, shown: str, arguments: Sequence[str], remote: Remote, directory: Path) -> Document:
        start = now_ms()
        outcome = self._git(arguments, remote, directory)
        stdout, stderr = (
            text.replace(f"file://{self.directory}/", f"{remote.url(masked=True).removesuffix(remote.repo)}")
            for text in (outcome.stdout, outcome.stderr)
        )
        entry = log(stage, shown, stdout=stdout, stderr=stderr, success=outcome.exit == 0)
        return entry | {"start_ts": start}

    def _git(self, arguments: Sequence[str], remote: Remote, directory: Path) -> Outcome:
        parts = urlsplit(remote.url())
        here = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{self.directory}/.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{parts.scheme}://{parts.netloc}/",
        }
        return self._run(arguments, directory, here)

    def _run(self, arguments: Sequence[str], directory: Path, more: Mapping[str, str] | None = None) -> Outcome:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
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

    def _lock(self, target: Path) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(target, threading.Lock())


NOT_FOUND = 'Os { code: 2, kind: NotFound, message: "No such file or directory" }'
"""What Periphery says when a command's directory does not exist."""

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


def _latest_commit(head: tuple[str, str]) -> Document:
    shown = f"{muted('hash:')} {bold(head[0])}\n{muted('message:')} {bold(head[1])}"
    return log("Latest Commit", "git rev-parse --short HEAD && git log -1 --pretty=%B", stdout=shown)


def _failed_clone(shown: str, target: Path, said: str) -> Document:
    return log("Clone Repo", shown, stderr=f"Cloning into '{target}'...\n{said}", success=False)


def remote_of(config: Document, token: str = "") -> Remote:
    """Where the git settings of a Stack, Build, Repo or ResourceSync point."""
    return Remote(
        config["git_provider"] or "github.com",
        config["repo"],
        config["branch"] or "main",
        config["commit"],
        config["git_https"],
        token,
    )
