"""A fleet as its files say it at this moment, for every Pulumi stack that has settings here."""

import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from functools import cached_property
from importlib import invalidate_caches
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from homeops.errors import HomeopsError
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.model.declaration import Declaration
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.place import Place
from homeops.settings import load_settings


@dataclass(frozen=True)
class Loaded:
    """The fleet for one Pulumi stack, its graph, those of other Pulumi stacks that it resolves for, its modules."""

    fleet: Fleet
    graph: Graph
    others: Mapping[str, Graph]

    modules: Mapping[Path, Mapping[str, object]]

    def declaration(self, kind: str, name: str) -> Declaration:
        """A declaration that the graph has."""
        return self._declarations[kind, name]

    def made_at(self, declaration: Declaration) -> int:
        """How many declarations the same line made."""
        return self._at[declaration.place]

    def names_in(self, file: Path) -> Mapping[str, object]:
        """The names of the module in a file of the fleet; empty when it is none of its modules."""
        return self.modules.get(file.resolve(), {})

    @cached_property
    def _declarations(self) -> dict[tuple[str, str], Declaration]:
        return {(item.kind, item.name): item for item in self.fleet.declarations()}

    @cached_property
    def _at(self) -> Counter[Place]:
        return Counter(item.place for item in self.fleet.declarations())


@dataclass(frozen=True, slots=True)
class FleetSource:
    """Where a fleet is declared: a checkout, the module with ``declare(site)``, and the Pulumi stack that counts."""

    root: Path
    module: str
    stack: str

    def load(self) -> Loaded:
        """Read the files anew; raises HomeopsError, or whatever the fleet's own code raises."""
        self._forget()
        with chdir(self.root):
            site = load_settings(self.stack, self.root)
            fleet = declared_fleet(self.module, site)
            graph = fleet_graph(fleet, site, self.root)
            modules = (module for module in self._modules().values() if module.__file__)
            files = {Path(str(module.__file__)).resolve(): vars(module) for module in modules}
            return Loaded(fleet, graph, dict(self._others()), files)

    def _others(self) -> "list[tuple[str, Graph]]":
        found: list[tuple[str, Graph]] = []
        for file in sorted(self.root.glob("Pulumi.*.yaml")):
            stack = file.name.split(".")[1]
            if stack == self.stack:
                continue
            try:
                site = load_settings(stack, self.root)
                found.append((stack, fleet_graph(declared_fleet(self.module, site), site, self.root)))
            except HomeopsError:
                # It did not hold before either, or the comparison of the graphs says so.
                continue
        return found

    def _modules(self) -> dict[str, ModuleType]:
        inside = f"{self.module}."
        return {name: item for name, item in sys.modules.items() if name == self.module or name.startswith(inside)}

    def _forget(self) -> None:
        """Let Python read the files again, also one that was written twice within a second."""
        for name, module in self._modules().items():
            if module.__file__:
                Path(cache_from_source(module.__file__)).unlink(missing_ok=True)
            del sys.modules[name]
        invalidate_caches()
