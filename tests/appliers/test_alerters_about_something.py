"""Alerters that are about some resources: the one thing that a sync of Komodo 2.3.2 makes wrong out of what it reads.

It stores the names of its TOML, Core compares them with ids (sync/replace_ids.rs has no way back): nothing is ever
alerted, and the sync has it pending for ever.
"""

from pathlib import Path
from typing import Any

import pytest

from homeops.errors import AdoptionRefused
from homeops.komodo.toml.writer import write_toml
from homeops.model.config.alerter import AlerterConfig, ResourceTarget
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.graph import Resource
from tests.appliers.in_process import Applying

FLEET = (
    Resource("Server", "nvr", ServerConfig()),
    Resource("Alerter", "ops", AlerterConfig(resources=[ResourceTarget(type="Server", id="nvr")])),
)
SYNC = Resource("ResourceSync", "sync", ResourceSyncConfig(file_contents=write_toml(FLEET)))


def stored(core: Applying) -> Any:
    """What the alerter is about, as Core has it."""
    return core.config("Alerter", "ops")["resources"]


def test_what_pulumi_made_the_sync_leaves_alone(tmp_path: Path) -> None:
    core = Applying(tmp_path)
    core.create([*FLEET, SYNC])
    assert core.pending("sync") == {}
    before = stored(core)
    assert core.name_of("Server", before[0]["id"]) == "nvr"
    assert core.execute("RunSync", sync="sync")["success"]
    assert stored(core) == before


def test_what_the_sync_made_is_no_alerter_about_it(tmp_path: Path) -> None:
    core = Applying(tmp_path)
    core.create([SYNC])
    assert core.execute("RunSync", sync="sync")["success"]
    assert stored(core) == [{"type": "Server", "id": "nvr"}]
    assert core.pending("sync")


def test_pulumi_does_not_take_such_an_alerter_for_what_it_looks_like(tmp_path: Path) -> None:
    core = Applying(tmp_path)
    core.create([SYNC])
    core.execute("RunSync", sync="sync")
    core.adopt(FLEET[0])
    with pytest.raises(AdoptionRefused, match=r'alerter "ops": exists in Komodo and differs in 1 field'):
        core.adopt(FLEET[1])
    core.adopt(FLEET[1], overwrite=True)
    assert core.name_of("Server", stored(core)[0]["id"]) == "nvr"
    assert core.pending("sync") == {}
