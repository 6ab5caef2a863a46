"""From bare hosts and no Core to a fleet that Pulumi can drive: Core on its host, a key for it, an agent on each host.

Everything is done by what does it later, too: the hosts' requirements, the recovery of Core. So it may be run at any
point, and does only what is missing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from homeops.compose.directories import read_directories
from homeops.errors import HomeopsError, Problem, SecretsError
from homeops.hosts.condition import condition_of, side_by_side
from homeops.hosts.repair import repair
from homeops.hosts.subject import Subjects
from homeops.komodo.client import Client
from homeops.komodo.credentials import Access
from homeops.komodo.first_key import (
    ADMIN_NAME,
    ADMIN_PASSWORD,
    check_profile,
    create_key,
    is_accepted,
    keep,
    known_access,
)
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import Host
from homeops.model.site import Site
from homeops.recovery.control_plane import ControlPlane, control_plane, stack_directory
from homeops.recovery.run import run
from homeops.secrets.dotenv import lines
from homeops.secrets.operators_keys import operators_key
from homeops.secrets.sops import Sops

Tell = Callable[[str], None]

KEY_NAME = "homeops"
"""The name of the API key in Core's list."""


@dataclass(frozen=True)
class Bootstrap:
    """The fleet of a Pulumi stack, in the checkout at ``root``; ``home``: where the operator's keys and profile are.

    ``working`` is told what is being done, ``tell`` what was done.
    """

    fleet: Fleet
    graph: Graph
    site: Site
    root: Path
    environ: Mapping[str, str]
    home: Path
    working: Tell
    tell: Tell

    @property
    def core_host(self) -> Host:
        """Where Core runs."""
        return next(host for host in self.fleet.hosts if host.name == self.plane.host)

    @cached_property
    def plane(self) -> ControlPlane:
        """Core's own stack; raises FleetError when there is none that can be brought up by hand."""
        return control_plane(self.graph, self.site, read_directories(self.root, [stack_directory(self.graph)]))

    def set_right(self, hosts: Iterable[Host]) -> list[Problem]:
        """Make hosts as they have to be, side by side; the problems of those that are not."""
        subjects = Subjects(self.fleet, self.site, self.root)
        declared = list(hosts)
        self.working(f"looking at {', '.join(host.name for host in declared)}")
        return [
            problem
            for found in side_by_side(lambda host: self._set_right(host, subjects), declared)
            for problem in found
        ]

    def _set_right(self, host: Host, subjects: Subjects) -> tuple[Problem, ...]:
        try:
            subject = subjects.of(host)
        except HomeopsError as error:
            return error.problems
        condition = condition_of(subject)
        if condition.problems:
            return condition.problems
        if not condition.drifted:
            self.tell(f"{host.name}: nothing to change")
            return ()
        return repair(subject, condition, self.tell, lambda of: operators_key(of, self.environ, self.home)).problems

    def bring_core_up(self) -> None:
        """Start Core's stack on its host from this checkout; raises ToolError with the step that failed."""

        def ended(name: str, said: str) -> None:
            self.tell(name)
            for line in said.splitlines():
                self.tell(f"    {line}")

        # A key of an earlier Core would be tried at the end, and may be of no use here: ours is tried after this.
        environ = {**self.environ, "KOMODO_API_KEY": "", "KOMODO_API_SECRET": ""}
        run(self.plane, self.root, environ, began=self.working, ended=ended)

    def key(self) -> Access:
        """The API key for this Core: the known one where it is accepted, else a new one, kept in ``km``'s profile."""
        address = self.site.komodo.address
        known = known_access(address, self.home, self.environ)
        if known and is_accepted(known):
            self.tell(f"API key: the one of {known.source} is accepted")
            return known
        if known and known.source == "the environment":
            what = "Core does not accept KOMODO_API_KEY of the environment"
            raise HomeopsError(
                Problem("komodo", what, "unset KOMODO_API_KEY KOMODO_API_SECRET: a new key is made then")
            )
        check_profile(self.home, address)
        name, password = self._admin()
        made = Access(address, create_key(address, name, password, KEY_NAME), "a new key")
        self.tell(f"API key: made for {name}, kept in {keep(made, self.home)}")
        return made

    def core_public_key(self, access: Access) -> str:
        """The key that agents know Core by."""
        with Client(access.address, access.credentials) as client:
            return str(client.read("GetCoreInfo", {})["public_key"])

    def _admin(self) -> tuple[str, str]:
        """Name and password of Core's first admin, from its stack's secrets, with the operator's age key."""
        sops = Sops(self.root, self.environ)
        found: dict[str, str] = {}
        for file in self.plane.secrets:
            if file.endswith(".env"):
                found |= lines(sops.decrypt(self.root / file))
        missing = [name for name in (ADMIN_NAME, ADMIN_PASSWORD) if not found.get(name)]
        if missing:
            what = f"{' and '.join(missing)} not in {', '.join(self.plane.secrets) or 'any secret file'}"
            hint = "Core makes its first admin from them: homeops secrets set"
            raise SecretsError(Problem(f"stack {self.plane.stack}", what, hint))
        return found[ADMIN_NAME], found[ADMIN_PASSWORD]
