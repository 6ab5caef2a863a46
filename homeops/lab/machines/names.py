"""What the containers, networks and volumes of one checkout's lab are called."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Names:
    """Names that no other checkout's lab has; all begin with ``prefix``."""

    prefix: str

    @classmethod
    def of(cls, root: Path) -> "Names":
        """The names of the checkout at ``root``."""
        return cls(f"homeops-lab-{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]}")

    @property
    def network(self) -> str:
        """The network of all containers."""
        return f"{self.prefix}-net"

    @property
    def registry(self) -> str:
        """The container of the registry."""
        return f"{self.prefix}-registry"

    @property
    def git(self) -> str:
        """The container of the Git server."""
        return f"{self.prefix}-git"

    @property
    def dns(self) -> str:
        """The container of the DNS server."""
        return f"{self.prefix}-dns"

    def machine(self, host: str) -> str:
        """The container of a host."""
        return f"{self.prefix}-host-{host}"

    def volume(self, host: str) -> str:
        """The volume that a host's own Docker keeps its things in."""
        return f"{self.prefix}-docker-{host}"
