"""Checkouts as Periphery and Core make them: git's commands, log stages and results (lib/git)."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from homeops.lab.core.clock import Clock, SystemClock
from homeops.lab.core.executions_logs import bold, log, muted, succeeded
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document, now_ms
from homeops.lab.periphery.commands import NOT_FOUND

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


@dataclass(kw_only=True)
class Checkouts(ABC):
    """The checkouts of one machine, made by its git; each is worked on by one at a time."""

    clock: Clock = field(default_factory=SystemClock)
    cache_seconds: float = PULL_CACHE_SECONDS
    _pulled: dict[str, tuple[float, Checkout]] = field(default_factory=dict[str, tuple[float, Checkout]])
    _locks: dict[str, threading.Lock] = field(default_factory=dict[str, threading.Lock])
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @abstractmethod
    def git(self, arguments: Sequence[str], directory: Place, remote: Remote | None = None) -> Outcome:
        """Run git in a directory; with a remote where it may be spoken to."""

    @abstractmethod
    def remove(self, target: Place) -> None:
        """Remove a directory with all that is in it, if there is one."""

    def shown(self, text: str, remote: Remote) -> str:
        """What git said, as logs show it: without the token."""
        return text.replace(remote.url(), remote.url(masked=True))

    def clone(self, remote: Remote, target: Place) -> Checkout:
        """Delete the directory and clone anew."""
        with self._lock(target):
            return self._clone(remote, target)

    def pull(self, remote: Remote, target: Place) -> Checkout:
        """Fetch and reset an existing checkout, unless that was done a moment ago."""
        with self._lock(target):
            return self._pull(remote, target)

    def pull_or_clone(self, remote: Remote, target: Place) -> tuple[Checkout, bool]:
        """Pull where the directory exists, else clone; also whether it was cloned."""
        with self._lock(target):
            if target.exists():
                return self._pull(remote, target), False
            return self._clone(remote, target), True

    def _clone(self, remote: Remote, target: Place) -> Checkout:
        target.parent.mkdir(parents=True, exist_ok=True)
        self.remove(target)
        shown = f"git clone {remote.url(masked=True)} {target} -b {remote.branch}"
        arguments = ["clone", remote.url(), str(target), "-b", remote.branch]
        logs = [self.logged("Clone Repo", shown, arguments, remote, target.parent)]
        if logs[0]["success"] and remote.commit:
            logs.append(self._reset("set commit", remote, target))
        return self._with_head(logs, target)

    def _pull(self, remote: Remote, target: Place) -> Checkout:
        pulled = self._pulled.get(str(target))
        if pulled and self.clock.now() - pulled[0] < self.cache_seconds:
            return replace(pulled[1], logs=[dict(entry) for entry in pulled[1].logs])
        result = self._pull_now(remote, target)
        self._pulled[str(target)] = (self.clock.now(), result)
        return result

    def _pull_now(self, remote: Remote, target: Place) -> Checkout:
        logs: list[Document] = []
        if not (target / ".git").exists():
            if not target.is_dir():
                return Checkout([log("Git Init", "git init", stderr=NOT_FOUND, success=False)])
            logs.append(self.logged("Git Init", "git init", ["init"], remote, target))
            self.git(["remote", "add", "origin", remote.url()], target, remote)
            self.git(["switch", "-c", remote.branch], target, remote)
        set_remote = ["remote", "set-url", "origin"]
        shown = f"git {' '.join(set_remote)} {remote.url(masked=True)}"
        logs.append(self.logged("Set Git Remote", shown, [*set_remote, remote.url()], remote, target))
        fetch = ["fetch", "--all", "--prune"]
        fetched = self.logged("Git Fetch", "git " + " ".join(fetch), fetch, remote, target)
        if not fetched["success"]:
            return Checkout([*logs, fetched])
        for stage, arguments in (
            ("Checkout branch", ["checkout", "-f", remote.branch]),
            ("Git pull", ["pull", "--rebase", "--force", "origin", remote.branch]),
        ):
            logs.append(self.logged(stage, "git " + " ".join(arguments), arguments, remote, target))
            if not logs[-1]["success"]:
                return Checkout(logs)
        if remote.commit:
            logs.append(self._reset("Set commit", remote, target))
        return self._with_head(logs, target)

    def _reset(self, stage: str, remote: Remote, target: Place) -> Document:
        arguments = ["reset", "--hard", remote.commit]
        return self.logged(stage, "git " + " ".join(arguments), arguments, remote, target)

    def _with_head(self, logs: list[Document], target: Place) -> Checkout:
        if not succeeded(logs):
            return Checkout(logs)
        commit, message = self.head(target)
        return Checkout([*logs, latest_commit((commit, message))], commit, message)

    def head(self, target: Place) -> tuple[str, str]:
        """Short hash and message of what is checked out."""
        commit = self.git(["rev-parse", "--short", "HEAD"], target).stdout.strip()
        return commit, self.git(["log", "-1", "--pretty=%B"], target).stdout.strip()

    def logged(self, stage: str, shown: str, arguments: Sequence[str], remote: Remote, directory: Place) -> Document:
        """Run git; its log entry, with ``shown`` for its command."""
        start = now_ms()
        outcome = self.git(arguments, directory, remote)
        stdout, stderr = (self.shown(text, remote) for text in (outcome.stdout, outcome.stderr))
        return log(stage, shown, stdout=stdout, stderr=stderr, success=outcome.exit == 0, start=start)

    def _lock(self, target: Place) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(str(target), threading.Lock())


def latest_commit(head: tuple[str, str]) -> Document:
    """The log entry that tells what is checked out."""
    shown = f"{muted('hash:')} {bold(head[0])}\n{muted('message:')} {bold(head[1])}"
    return log("Latest Commit", "git rev-parse --short HEAD && git log -1 --pretty=%B", stdout=shown)


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
