"""Where the stacks of a fleet have their files in its repository. Imports nothing, for commands that load no models."""

STACKS = "docker/stacks"
"""Below it stand the stacks' directories, relative to the checkout."""


def stack_path(host: str, name: str) -> str:
    """The directory of a stack that does not name another, relative to the checkout."""
    return f"{STACKS}/{host}/{name}"
