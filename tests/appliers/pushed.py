"""Cores with nothing in them yet, and the repository from which they read what they are to have."""

import json
import shutil
from pathlib import Path
from typing import Any

from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.komodo.toml.layout import DIRECTORY, rendered
from homeops.lab.core.settings import Settings
from homeops.lab.hosts import LoopbackAgents, RehearsalHost
from homeops.model.graph import Graph
from homeops.settings import load_settings
from tests.engine.core import TestCore

Document = dict[str, Any]

LAB = "lab"
"""The settings of the rehearsal: every address in them is one of this machine."""

PENDING = ("resource_updates", "variable_updates", "user_group_updates", "pending_deploys")
ERRORS = ("remote_errors", "pending_error", "pending_deploy_error")


def lab_graph(root: Path) -> Graph:
    """The fleet of this repository, on this machine."""
    site = load_settings(LAB, root)
    return fleet_graph(declared_fleet("homeops.fleet", site), site, root)


class EmptyCore(TestCore):
    """A Core whose hosts and git remotes are in a directory; two of them can be compared."""

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self.place = directory / "core"
        self.place.mkdir(parents=True)
        super().__init__(self.place, settings)
        # What is pushed is seen at once: Core and agents otherwise pull no more often than each five seconds.
        self.agents.repositories.cache_seconds = 0

    @property
    def agents(self) -> LoopbackAgents:
        """Its hosts and git remotes."""
        assert isinstance(self.core.agents, LoopbackAgents)
        return self.core.agents

    def execute(self, request: str, **params: Any) -> Document:
        """Run an execution to its end; its Update."""
        update = self.ask("execute", request, params)
        while update["status"] != "Complete":
            self.core.clock.sleep(0.02)
            update = self.read("GetUpdate", id=update["_id"]["$oid"])
        return update

    def pending(self, sync: str) -> Document:
        """What a sync would do, and what keeps it from saying so; nothing of what is empty."""
        info = self.write("RefreshResourceSyncPending", sync=sync)["info"]
        return {key: info[key] for key in (*PENDING, *ERRORS) if info[key]}

    def deployed(self) -> dict[str, list[bool]]:
        """Whether each deploy of a stack went well, by stack."""
        state = self.core.state
        found: dict[str, list[bool]] = {}
        for update in state.updates.values():
            if update["operation"] == "DeployStack":
                name = state.resources["Stack"][update["target"]["id"]]["name"]
                found.setdefault(name, []).append(update["success"])
        return found

    def documents(self) -> Document:
        """Everything that it holds but history, keys and times; names in place of what only this Core calls so."""
        stored = self.core.dump()
        for history in ("updates", "alerts", "api_keys", "signing_key", "public_key"):
            del stored[history]
        return self._without_own(stored)

    def hosts(self) -> Document:
        """What is on each host: its containers by name, and every file that is no history of git."""
        found: Document = {}
        for address, agent in self.agents.by_address.items():
            assert isinstance(agent, RehearsalHost)
            containers = {
                name: {
                    "project": one.project,
                    "service": one.service,
                    "definition": one.definition,
                    "image": one.image_id,
                    "labels": one.labels,
                    "networks": one.networks,
                    "volumes": one.volumes,
                    "state": one.state,
                }
                for name, one in agent.engine.containers.items()
            }
            files = {
                str(file.relative_to(agent.directory)): file.read_text()
                for file in agent.directory.rglob("*")
                if file.is_file() and ".git" not in file.parts
            }
            found[address] = self._without_own({"containers": containers, "files": files})
        return found

    def container_ids(self) -> dict[str, str]:
        """The id of each container of all hosts, by name."""
        hosts = [agent for agent in self.agents.by_address.values() if isinstance(agent, RehearsalHost)]
        return {name: one.id for agent in hosts for name, one in agent.engine.containers.items()}

    def _without_own(self, value: Document) -> Document:
        return json.loads(self._plain(json.dumps(value)), object_pairs_hook=_comparable)

    def _plain(self, text: str) -> str:
        """Without ids, directories and commits of this Core alone."""
        state = self.core.state
        names = {id_: item["name"] for documents in state.resources.values() for id_, item in documents.items()}
        names |= {id_: item["name"] for id_, item in (state.tags | state.user_groups).items()}
        names |= {id_: item["username"] for id_, item in state.users.items()}
        names[str(self.place)] = "(directory)"
        commits = {stack["info"]["latest_hash"] for stack in state.resources["Stack"].values()} - {None}
        names |= dict.fromkeys(commits, "(newest)")
        for own, name in names.items():
            text = text.replace(own, name)
        return text


class PushedCore(EmptyCore):
    """A Core for the rehearsal's fleet, which is rendered and pushed."""

    def __init__(self, directory: Path, root: Path) -> None:
        super().__init__(directory)
        self._graph, self.tree = lab_graph(root), directory / "pushed"
        self._repository = load_settings(LAB, root).repository.name
        shutil.copytree(root / "docker", self.tree / "docker")

    def push(self, *, deploys: bool = False) -> None:
        """Render the fleet and push it; with ``deploys`` the sync deploys, too."""
        for name, text in rendered(self._graph, "homeops/fleet", deploys=deploys).items():
            (self.tree / DIRECTORY / name).write_text(text)
        self.agents.repositories.serve(self._repository, self.tree)


_INCOMPARABLE = frozenset({"created_at", "updated_at", "last_sync_ts", "com.docker.compose.config-hash"})
"""Moments, and compose's digest of a service with the absolute paths of its host."""


def _comparable(pairs: list[tuple[str, Any]]) -> Document:
    return {key: value for key, value in pairs if key not in _INCOMPARABLE}
