"""A simulated Core with something in it, asked in this process."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from homeops.imports.found import Findings
from homeops.imports.from_core import from_core
from homeops.komodo import engine
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.props import as_props
from homeops.komodo.session import Core as Session
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from homeops.model.wire import minimal
from tests.engine.everything import EVERYTHING
from tests.lab.clients import ADDRESS, client_of


def everything() -> list[Resource]:
    """Something of every kind."""
    return [
        Resource(
            item["kind"],
            item["name"],
            KINDS[item["kind"]].config.validate_python(item["config"]),
            description=item["description"],
            tags=tuple(item["tags"]),
            template=item["template"],
        )
        for item in EVERYTHING
    ]


class SeededCore:
    """Core, and what homeops and other people ask of it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.client = client_of(core)

    @classmethod
    def new(cls, directory: Path) -> Self:
        """One of its own; its agents and git remotes are in a directory."""
        core = Core(Settings(execution_seconds=0.01))
        core.agents.directory = directory
        return cls(core)

    def apply(self, resources: Iterable[Resource]) -> Counter[str]:
        """Make the resources or take them over, as the provider does; the writes that this took."""
        session = Session(self.client, Catalogue(self.client))
        self.core.requests.clear()
        for one in resources:
            config: dict[str, Any] = minimal(one.config)
            engine.create(session, one.kind, as_props(one.name, config, one.description, one.tags, one.template))
        return Counter({name: times for name, times in self.core.requests.items() if not name.startswith("read ")})

    def sync(self, files: Mapping[str, str]) -> dict[str, Any]:
        """Let Komodo's own sync apply TOML; its Update."""
        self.core.agents.repositories.push("me/fleet", {f"k/{name}": text for name, text in files.items()}, "seed")
        config = {"repo": "me/fleet", "resource_path": ["k"], "include_variables": True, "include_user_groups": True}
        self.client.write("CreateResourceSync", {"name": "seed", "config": config})
        update = self.client.execute("RunSync", {"sync": "seed"})
        while update["status"] != "Complete":
            time.sleep(0.01)
            update = self.client.read("GetUpdate", {"id": update["_id"]["$oid"]})
        self.client.write("DeleteResourceSync", {"id": "seed"})
        return update

    def found(self) -> tuple[Findings, Counter[str]]:
        """What an import finds, and what it asked for."""
        self.core.requests.clear()
        findings = from_core(self.client, ADDRESS, str(self.client.version()))
        return findings, Counter(self.core.requests)
