"""One container of the lab as it should be, and making it so."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from homeops.lab.machines.archive import Entry, archive, digest
from homeops.lab.machines.engine import Engine

RECIPE = "homeops.lab.recipe"
_NEVER = "0001-01-01T00:00:00Z"

Change = Literal["made", "made anew", "started", "unchanged"]


@dataclass(frozen=True, slots=True)
class Container:
    """A container: how it is made, and the files that it has before it first starts."""

    name: str
    image: str
    options: tuple[str, ...]
    command: tuple[str, ...]
    files: Sequence[Entry] = field(default_factory=tuple[Entry, ...])

    @property
    def recipe(self) -> str:
        """What tells whether a container is this one."""
        return digest(self.image, *self.options, "--", *self.command, archive(self.files))


def have_container(engine: Engine, wanted: Container) -> Change:
    """Make it, or start it, unless it runs as wanted; says which."""
    found = engine.attempt("container", "inspect", wanted.name, "--format", "{{json .Config.Labels}}\n{{json .State}}")
    change: Change = "made"
    if found.returncode == 0:
        labels, state = (json.loads(line) for line in found.stdout.splitlines()[:2])
        # One that never started may lack its files: whoever made it was stopped in between.
        if labels.get(RECIPE) == wanted.recipe and state["StartedAt"] != _NEVER:
            if state["Running"]:
                return "unchanged"
            engine.run("start", wanted.name)
            return "started"
        engine.run("rm", "--force", wanted.name)
        change = "made anew"
    label = ("--label", f"{RECIPE}={wanted.recipe}")
    engine.run("create", "--name", wanted.name, *label, *wanted.options, wanted.image, *wanted.command)
    engine.run("cp", "-", f"{wanted.name}:/", data=archive(wanted.files))
    engine.run("start", wanted.name)
    return change
