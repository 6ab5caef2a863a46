"""What a rehearsal remembers over a restart of its process: Core's documents, and the containers of simulated hosts."""

from dataclasses import asdict, fields
from typing import Any

from homeops.lab.core.containers import Container
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.core import Core
from homeops.lab.core.executions_restart import begin_again
from homeops.lab.core.fates import Fate
from homeops.lab.hosts import LoopbackAgents, RehearsalHost

Document = dict[str, Any]


def remember(core: Core) -> Document:
    """Core and its hosts as JSON."""
    hosts = {
        address: _engine(agent.engine)
        for address, agent in sorted(core.agents.by_address.items())
        if isinstance(agent, RehearsalHost)
    }
    return {"core": core.dump(), "hosts": hosts}


def recall(core: Core, document: Document) -> None:
    """Go on from what was remembered; executions that were under way have failed, as after a real restart."""
    core.load(document["core"])
    for address, engine in document["hosts"].items():
        host = core.agents.meet(address) if isinstance(core.agents, LoopbackAgents) else None
        if host is not None:
            _restore(host.engine, engine)
    begin_again(core)


def _engine(engine: Engine) -> Document:
    with engine.lock:
        return {
            "containers": [_container(container) for container in engine.containers.values()],
            "networks": sorted(engine.networks),
            "volumes": sorted(engine.volumes),
            "files": dict(engine.files),
            "images": {"ids": dict(engine.images.ids), "digests": dict(engine.images.digests)},
        }


def _container(container: Container) -> Document:
    return {
        item.name: asdict(container.fate) if item.name == "fate" else getattr(container, item.name)
        for item in fields(Container)
        if item.name != "now"
    }


def _restore(engine: Engine, document: Document) -> None:
    for item in document["containers"]:
        ended = item["ended"]
        known = item | {"fate": Fate(**item["fate"]), "ended": (ended[0], ended[1]) if ended else None}
        container = Container(**known, now=engine.clock.now)
        engine.containers[container.name] = container
    engine.networks.update(document["networks"])
    engine.volumes.update(document["volumes"])
    engine.files.update(document["files"])
    engine.images.ids.update(document["images"]["ids"])
    engine.images.digests.update(document["images"]["digests"])
