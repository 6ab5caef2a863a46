"""A checkout with a fleet of its own, and a Core in this process."""

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from homeops.adoption.comparison import Choice, Comparison, compare
from homeops.adoption.loaded import FleetSource
from homeops.adoption.writing import Kept, keep_komodos
from homeops.komodo import engine, operations
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.comparison import declared_as
from homeops.komodo.inputs import inputs_of
from homeops.komodo.session import Core as Session
from homeops.lab.core.core import Core
from homeops.lab.hosts import LoopbackAgents
from homeops.model.kinds import KINDS
from tests.example_site import example_settings
from tests.lab.clients import client_of

MODULE = "fleet_that_adopts"

INIT = """\
from fleet_that_adopts.hosts import HOSTS
from fleet_that_adopts.stacks import STACKS
from fleet_that_adopts.others import *
from homeops.model.fleet import Fleet


def declare(site):
    return Fleet(hosts=HOSTS, stacks=STACKS, variables=variables(site), tags=TAGS, builders=BUILDERS, builds=BUILDS,
                 procedures=PROCEDURES, alerters=ALERTERS)
"""

HOSTS = '''\
"""Hosts."""

from homeops.model.host import ContainerPeriphery, Host

one = Host("one", periphery=ContainerPeriphery(path="/root/periphery/compose.yaml"))
two = Host("two", periphery=ContainerPeriphery(path="/root/periphery/compose.yaml"))

HOSTS = (one, two)
'''

STACKS = '''\
"""Stacks: Frigate, the web — and its copies."""

from fleet_that_adopts.hosts import one, two
from homeops.model.stack import Stack


def facts(*names):
    return {name: f"[[{name}]]" for name in names}


web = Stack("web", host=one)

frigate = Stack(
    "frigate",
    host=two,
    description="Network video recorder",
    tags=["media"],  # of all that records
    # Compose sees no change in a mounted file.
    extra_args=["--force-recreate"],
    env={"TZ": "Etc/UTC"}
)

agent = Stack("agent", host=one, directory="shared/agent", env=facts("DOMAIN"))

COPIES = tuple(Stack(f"copy-{host.name}", host=host, directory="shared/copy") for host in (one, two))

STACKS = (web, frigate, agent, *COPIES)
'''

OTHERS = '''\
"""Everything else."""

from homeops.model.config.execution import RunBuild
from homeops.model.resources import Alerter, Build, Builder, Procedure, Tag, Variable, stage

PORT = 8971
TAGS = (Tag("media", color="Red"), *(Tag(name) for name in ("one", "two")))
makes = Builder("makes", hosts=["one"])
BUILDERS = (makes, Builder("else", hosts=["two"]))
BUILDS = (Build("image", builder=makes, directory="docker/image", args={"A": "1"}),)
PROCEDURES = (Procedure("nightly", stages=[stage("Build", RunBuild(build="image"))], schedule="Every day at 01:00"),)
ALERTERS = (Alerter("chat", enabled=True),)


def variables(site):
    return (
        Variable("DOMAIN", value=site.network.domain),
        Variable("PORT", value=f"{PORT}"),
        Variable("NAME", value="home"),
    )
'''

COMPOSE = "services:\n  app:\n    image: nginx:1\n"


class Checkout:
    """The checkout, its Core, and what ``homeops adopt`` does with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = root / MODULE
        self.package.mkdir()
        for name, text in (("__init__", INIT), ("hosts", HOSTS), ("stacks", STACKS), ("others", OTHERS)):
            (self.package / f"{name}.py").write_text(text, encoding="utf-8")
        for directory in ("one/web", "two/frigate", "shared/agent", "shared/copy"):
            (root / "docker/stacks" / directory).mkdir(parents=True)
            (root / "docker/stacks" / directory / "compose.yaml").write_text(COMPOSE)
        self.settings("test")
        self.source = FleetSource(root, MODULE, "test")
        self.core = Core()
        self.core.agents = LoopbackAgents(self.core.clock, directory=root / "core")
        self.client = client_of(self.core)

    def settings(self, stack: str, **others: Any) -> None:
        """Write the settings of a Pulumi stack."""
        config = {f"homeops:{key}": value for key, value in {**example_settings("one", "two"), **others}.items()}
        (self.root / f"Pulumi.{stack}.yaml").write_text(json.dumps({"config": config}))

    def bring_up(self) -> None:
        """Make all of the fleet in Core, as pulumi up does."""
        session = Session(self.client, Catalogue(self.client))
        for item in self.source.load().graph.resources:
            operations.create(session, declared_as(KINDS[item.kind], inputs_of(item)))

    def by_hand(self, kind: str, name: str, **config: Any) -> None:
        """Change an object in Komodo's UI; ``description`` and ``tags`` are beside the configuration."""
        meta = {key: config.pop(key) for key in ("description", "tags") if key in config}
        if config:
            self.client.write(f"Update{kind}", {"id": name, "config": config})
        if meta:
            self.client.write("UpdateResourceMeta", {"target": {"type": kind, "id": name}, **meta})

    def compare(self) -> Comparison:
        """Compare with Core as it is now."""
        return compare(self.source.load().graph, Catalogue(self.client))

    def keep(self, *names: str) -> Kept:
        """Keep Komodo's values everywhere, of these fields alone where some are named."""
        chosen = [(item, frozenset(one.name for one in item.fields)) for item in self.compare().differing]
        return keep_komodos(
            self.source, [Choice(item, fields & {*names} if names else fields) for item, fields in chosen]
        )

    def up(self) -> list[str]:
        """Adopt everything, as a Pulumi stack that begins anew does; the writes that this takes."""
        session = Session(self.client, Catalogue(self.client))
        self.core.requests.clear()
        for item in self.source.load().graph.resources:
            engine.create(session, item.kind, inputs_of(item))
        return [name for name in self.core.requests if name.startswith("write ")]

    def text(self, module: str) -> str:
        """The source of a module of the fleet."""
        return (self.package / f"{module}.py").read_text(encoding="utf-8")

    def texts(self) -> Mapping[str, str]:
        """The source of all of them."""
        return {file.name: file.read_text(encoding="utf-8") for file in self.package.glob("*.py")}

    def differing(self) -> list[str]:
        """What differs now."""
        return [f"{item.name} {field.name}" for item in self.compare().differing for field in item.fields]


@contextmanager
def checkout_with_core(root: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Checkout]:
    """A checkout all of which is in Komodo, as declared."""
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    made = Checkout(root)
    made.bring_up()
    yield made
    made.client.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == MODULE]:
        del sys.modules[name]
