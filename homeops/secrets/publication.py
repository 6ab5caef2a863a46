"""Which secret files differ from what agents pull: the branch of the remote, as this machine last saw it."""

from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.model.stack_paths import STACKS
from homeops.secrets.files import is_secret_file
from homeops.secrets.git import git, names
from homeops.secrets.policy import POLICY_FILE


def unpublished(root: Path, branch: str) -> tuple[str, ...]:
    """Rules and secret files that are not as they stand on the remote's ``branch``: not committed, or not pushed.

    Raises SecretsError where the remote or its branch was never seen here, ToolError where git fails.
    """
    reference = _reference(root, branch)
    places = (POLICY_FILE, STACKS)
    differ = names(git(root, "diff", "--name-only", "--no-renames", "-z", reference, "--", *places))
    new = names(git(root, "ls-files", "--others", "-z", "--", *places))
    return tuple(sorted(path for path in {*differ, *new} if path == POLICY_FILE or is_secret_file(Path(path))))


def _reference(root: Path, branch: str) -> str:
    remotes = git(root, "remote").decode().split()
    if not remotes:
        raise SecretsError(Problem(str(root), "has no git remote for agents to pull from", "git remote add origin URL"))
    remote = "origin" if "origin" in remotes else remotes[0]
    reference = f"refs/remotes/{remote}/{branch}"
    if not git(root, "for-each-ref", reference):
        raise SecretsError(Problem(str(root), f"branch {branch} of {remote} is not known here", f"git fetch {remote}"))
    return reference
