"""Which secret files differ from what agents pull: the branch of the remote, as this machine last saw it."""

import subprocess
from pathlib import Path

from homeops.errors import Problem, SecretsError, ToolError
from homeops.secrets.files import STACKS, encrypted_files, shown
from homeops.secrets.sops import CONFIG


def unpublished(root: Path, branch: str) -> tuple[str, ...]:
    """Rules and secret files that are not as they stand on the remote's ``branch``: not committed, or not pushed.

    Raises SecretsError where the remote or its branch was never seen here, ToolError where git fails.
    """
    reference = _reference(root, branch)
    mine = {CONFIG, *(shown(path, root) for path in encrypted_files(root))}
    differ = _git(root, "diff", "--name-only", "--no-renames", "-z", reference, "--", CONFIG, str(STACKS)).split("\0")
    new = _git(root, "ls-files", "--others", "-z", "--", CONFIG, str(STACKS)).split("\0")
    # A secret file that is gone here and not there is one too.
    gone = {path for path in differ if path and ".sops." in path}
    return tuple(sorted((mine & {*differ, *new}) | gone))


def _reference(root: Path, branch: str) -> str:
    remotes = _git(root, "remote").split()
    if not remotes:
        raise SecretsError(Problem(str(root), "has no git remote for agents to pull from", "git remote add origin URL"))
    remote = "origin" if "origin" in remotes else remotes[0]
    reference = f"refs/remotes/{remote}/{branch}"
    if not _git(root, "for-each-ref", reference):
        raise SecretsError(Problem(str(root), f"branch {branch} of {remote} is not known here", f"git fetch {remote}"))
    return reference


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError(Problem("git", "is not installed")) from None
    if done.returncode:
        raise ToolError(Problem(f"git {arguments[0]}", done.stderr.strip() or f"exit code {done.returncode}"))
    return done.stdout
