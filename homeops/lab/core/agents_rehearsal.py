"""The agent of a rehearsal host: files and git are real, in a directory of this machine; containers are not.

It does what Periphery 2.3.2 does, in the same order and with the same log stages. Hooks are run for real only where
``run_hooks`` is set; otherwise they are said to have succeeded, because the programs that they call are on the real
hosts.
"""

from dataclasses import dataclass

from homeops.lab.core.agents_containers import ContainerAgent
from homeops.lab.core.agents_repos import RepoAgent
from homeops.lab.core.agents_stacks import StackAgent


@dataclass
class RehearsalAgent(StackAgent, RepoAgent, ContainerAgent):
    """One host, whole."""
