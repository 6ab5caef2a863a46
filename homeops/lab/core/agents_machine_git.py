"""Checkouts on a machine, by its own git, from wherever the address of a remote leads there."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from homeops.lab.core.agents_machine_channel import Channel
from homeops.lab.core.checkouts import Checkouts, Outcome, Remote
from homeops.lab.core.places import Place


@dataclass
class MachineCheckouts(Checkouts):
    """The checkouts of the machine behind a channel."""

    channel: Channel

    def git(self, arguments: Sequence[str], directory: Place, remote: Remote | None = None) -> Outcome:  # noqa: ARG002
        """Run git there; it asks nobody for a password, and speaks English."""
        command = shlex.join(["git", *arguments])
        return self.channel.run(f"GIT_TERMINAL_PROMPT=0 LC_ALL=C {command}", str(directory))

    def remove(self, target: Place) -> None:
        """Remove a directory there."""
        self.channel.ask("Remove", path=str(target))
