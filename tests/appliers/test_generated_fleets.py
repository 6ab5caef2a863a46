"""Any fleet: what the provider makes of it on one fresh Core, and the sync of its TOML on another, is the same."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeops.errors import KomodoError
from homeops.komodo.toml.writer import write_toml
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.variable import UserGroupConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from homeops.model.references import rename_references
from tests.appliers.in_process import Applying
from tests.appliers.pushed import Document
from tests.model.strategies import configs
from tests.toml.test_round_trips import TEXTS, sayable

KINDS_IN_ORDER = (
    *("Variable", "UserGroup", "Server", "Alerter", "Action", "Swarm", "Builder", "Repo", "Build", "Stack"),
    *("ResourceSync", "Deployment", "Procedure"),
)
"""What others refer to comes first, as in a run of a sync."""


def sync_of(fleet: list[Resource]) -> Resource:
    """A sync of a fleet that keeps its text in Core, where no git has to fetch it."""
    config = ResourceSyncConfig(
        file_contents=write_toml(fleet), delete=True, include_variables=True, include_user_groups=True
    )
    return Resource("ResourceSync", "sync", config)


@st.composite
def fleets(draw: st.DrawFn) -> list[Resource]:
    """Objects of some kinds, each of which refers to earlier ones alone."""
    kinds = draw(st.lists(st.sampled_from(KINDS_IN_ORDER), min_size=2, max_size=7))
    fleet: list[Resource] = []
    for kind in sorted(kinds, key=KINDS_IN_ORDER.index):
        config = _of_this_fleet(sayable(draw(configs(kind))), fleet)
        one = Resource(kind, f"{kind.lower()}_{len(fleet)}", config)
        if KINDS[kind].resource:
            tags = draw(st.lists(st.sampled_from(["blue", "red"]), unique=True))
            one = replace(one, description=draw(TEXTS), tags=tuple(tags), template=draw(st.booleans()))
        fleet.append(one)
    return fleet


def _of_this_fleet(config: KomodoModel, fleet: list[Resource]) -> KomodoModel:
    """A configuration that refers to nothing but objects of the fleet."""

    def named(kind: str, name: str) -> str:
        known = [one.name for one in fleet if one.kind == kind]
        return known[len(name) % len(known)] if name and known else ""

    config = rename_references(config, named)
    match config:
        case AlerterConfig():
            # With names of what it is about, Komodo's sync makes another alerter: test_alerters_about_something.
            return config.model_copy(update={"resources": [], "except_resources": []})
        case UserGroupConfig():
            # Komodo keeps a specific permission once.
            once = {
                kind: level.model_copy(update={"specific": list(dict.fromkeys(level.specific))})
                for kind, level in config.all.items()
            }
            return config.model_copy(update={"users": [], "all": once})
        case ResourceSyncConfig():
            # One without a source, or with a text in Core, is none of a sync's business.
            return config.model_copy(update={"repo": config.repo or "me/other", "file_contents": ""})
        case _:
            return config


def made(core: Applying, fleet: list[Resource]) -> Iterator[Resource]:
    """Create a fleet as Pulumi does; what Core refuses (a port without a colon, say) it refuses of either applier."""
    for one in fleet:
        try:
            core.create([one])
        except KomodoError:
            continue
        yield one


def comparable(core: Applying) -> Document:
    """What a Core holds, but for what a sync notes of itself, and for whom Komodo says that a tag is of."""
    documents = core.documents()
    for one in documents["resources"]["ResourceSync"].values():
        one["info"] = {}
    for tag in documents["tags"].values():
        del tag["owner"]
    return documents


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleets())
def test_both_ways_make_the_same_of_any_fleet(fleet: list[Resource]) -> None:
    with tempfile.TemporaryDirectory() as place:
        by_pulumi, by_sync = Applying(Path(place, "pulumi")), Applying(Path(place, "sync"))
        sync = sync_of(list(made(by_pulumi, fleet)))
        for core in (by_pulumi, by_sync):
            core.create([sync])
        update = by_sync.execute("RunSync", sync=sync.name)
        assert update["success"], update["logs"]
        assert comparable(by_sync) == comparable(by_pulumi)
        for core in (by_pulumi, by_sync):
            assert core.pending(sync.name) == {}
