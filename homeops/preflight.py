"""What is looked at before anything is registered: the secrets of the checkout, without any key."""

from collections.abc import Iterator
from pathlib import Path

from homeops.errors import SecretsError
from homeops.model.graph import Graph
from homeops.secrets.check import secret_findings
from homeops.secrets.environments import stack_environments
from homeops.secrets.finding import errors


def secret_warnings(graph: Graph, root: Path) -> Iterator[str]:
    """The warnings of ``homeops secrets check``; raises SecretsError with all of its errors.

    A directory that is no checkout of git is not looked at: nothing of it gets to a host.
    """
    if not (root / ".git").exists():
        return
    found = secret_findings(root, stack_environments(graph))
    if wrong := errors(found):
        raise SecretsError(*(finding.problem for finding in wrong))
    yield from (f"secrets: {finding.problem}" for finding in found)
