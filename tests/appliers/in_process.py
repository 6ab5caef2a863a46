"""What Pulumi and Komodo's sync do, both in this process: the provider's requests without an engine around them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from homeops.komodo import engine, operations
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.comparison import declared_as
from homeops.komodo.inputs import inputs_of
from homeops.komodo.props import ADOPT, OVERWRITE
from homeops.komodo.session import Core as Session
from homeops.lab.core.settings import Settings
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from tests.appliers.pushed import EmptyCore
from tests.lab.clients import client_of


class Applying(EmptyCore):
    """A Core with a session of the provider; the repository is ``me/fleet``, its declarations are in ``k``."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, Settings(execution_seconds=0))
        client = client_of(self.core)
        self._session = Session(client, Catalogue(client))

    def create(self, resources: Iterable[Resource]) -> None:
        """Create objects as the provider does, in their order; raises KomodoError for one that Core refuses."""
        for one in resources:
            operations.create(self._session, declared_as(KINDS[one.kind], inputs_of(one)))

    def adopt(self, one: Resource, *, overwrite: bool = False) -> None:
        """Take over what exists, as a run of its own; raises AdoptionRefused for what differs."""
        self._session.catalogue.forget(KINDS[one.kind])
        engine.create(self._session, one.kind, inputs_of(one) | ({ADOPT: OVERWRITE} if overwrite else {}))

    def push(self, files: Mapping[str, str]) -> None:
        """Commit declarations to the repository."""
        self.agents.repositories.push("me/fleet", {f"k/{name}": text for name, text in files.items()}, "rendered")
