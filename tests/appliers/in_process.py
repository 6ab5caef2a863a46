"""What Pulumi and Komodo's sync do, both in this process: the provider's requests without an engine around them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from homeops.komodo import operations
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.komodo.operations import Declared
from homeops.komodo.session import Core as Session
from homeops.lab.http import CoreTransport
from homeops.model.canonical import canonical
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from tests.appliers.pushed import EmptyCore


class Applying(EmptyCore):
    """A Core with a session of the provider; the repository is ``me/fleet``, its declarations are in ``k``."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        settings = self.core.settings
        credentials = Credentials(settings.admin_key, settings.admin_secret)
        client = Client("http://core.example:9120", credentials, transport=CoreTransport(self.core))
        self._session = Session(client, Catalogue(client))

    def create(self, resources: Iterable[Resource]) -> None:
        """Create objects as the provider does, in their order; raises KomodoError for one that Core refuses."""
        for one in resources:
            config = canonical(one.config)
            declared = Declared(KINDS[one.kind], one.name, config, one.description, one.tags, one.template)
            operations.create(self._session, declared)

    def push(self, files: Mapping[str, str]) -> None:
        """Commit declarations to the repository."""
        self.agents.repositories.push("me/fleet", {f"k/{name}": text for name, text in files.items()}, "rendered")
