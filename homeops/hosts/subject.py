"""From the declaration to a host at hand: how it is reached, what must be true of it, whose key it holds."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from homeops.compose.directories import read_directories
from homeops.hosts.condition import Subject
from homeops.hosts.reach import reach_of
from homeops.hosts.recipients import age_recipient
from homeops.hosts.requirements import requirements
from homeops.model.fleet import Fleet
from homeops.model.graph import Directories
from homeops.model.host import AgeKey, Host
from homeops.model.site import Site
from homeops.secrets.policy import Policy
from homeops.secrets.rotation import settled_policy


@dataclass(frozen=True)
class Subjects:
    """The hosts of a fleet with the facts of a site, in the checkout at ``root``."""

    fleet: Fleet
    site: Site
    root: Path

    def of(self, host: Host) -> Subject:
        """One of them. Raises HostError as ``reach_of`` and ``age_recipient`` do, SecretsError for a bad policy."""
        reach = reach_of(host.name, self.site, self.root)
        quirk = next((quirk for quirk in host.quirks if isinstance(quirk, AgeKey)), None)
        recipient = age_recipient(host.name, self.fleet.stacks, self._directories, self._policy) if quirk else ""
        allowed = self.site.ssh is not None and self.site.ssh.install_age_key
        todo = requirements(host, self.site, recipient, self.root)
        return Subject(reach, todo, recipient, quirk if allowed else None)

    @cached_property
    def _policy(self) -> Policy:
        return settled_policy(self.root)

    @cached_property
    def _directories(self) -> Directories:
        return read_directories(self.root, [stack.path for stack in self.fleet.stacks])
