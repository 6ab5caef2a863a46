"""What a real Core exported: read as what it had stored, and written as what means the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeops.komodo.documents import known_fields
from homeops.komodo.toml.findings import Effect
from homeops.komodo.toml.groups import GroupConfig
from homeops.komodo.toml.reader import read_toml
from homeops.komodo.toml.writer import write_toml
from homeops.model.canonical import canonical
from homeops.model.config.swarm import SwarmConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS
from homeops.model.references import rename_references
from tests.toml.meaning import meaning

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts"


def steps(name: str) -> list[dict[str, Any]]:
    return json.loads((TRANSCRIPTS / f"{name}.json").read_text(encoding="utf-8"))["steps"]


def exports(name: str) -> Iterator[str]:
    for step in steps(name):
        response: Any = step["response"]
        toml = str(response["toml"]) if "toml" in response else ""
        if toml and toml != "<any>":
            yield toml


def stored(name: str) -> dict[tuple[str, str], KomodoModel]:
    """The configurations that Core answered with, by kind and name, with names for ids."""
    names: dict[str, str] = {}
    found: dict[tuple[str, str], KomodoModel] = {}
    for step in steps(name):
        request = step["body"]["type"]
        kind = request.removeprefix("Create").removeprefix("Update")
        if step["status"] != 200 or kind == request or kind not in KINDS or not KINDS[kind].resource:
            continue
        document = step["response"]
        names[document["_id"]["$oid"]] = document["name"]
        config = KINDS[kind].config.validate_python(known_fields(KINDS[kind], document["config"]))
        found[kind, document["name"]] = canonical(rename_references(config, lambda _kind, id_: names.get(id_, id_)))
    return found


EXPORTS = [(name, toml) for name in ("58-toml-each-kind", "59-toml-all") for toml in exports(name)]
# Komodo writes these as no TOML reader, its own included, can read them: backslashes within one-line texts, three
# quotes within a text of several lines, and targets whose id it could not resolve.
UNREADABLE = ('{ type = "Server" }', '" \\ bye"', "\\ back", '"""q"""', 'u\\sh"')


@pytest.mark.parametrize(
    ("name", "toml"), EXPORTS, ids=[f"{name[:2]}-{place}" for place, (name, _) in enumerate(EXPORTS)]
)
def test_an_export_is_read_as_what_was_stored_and_written_as_what_means_the_same(name: str, toml: str) -> None:
    reading = read_toml(toml, "export.toml")
    assert reading.rejected == any(part in toml for part in UNREADABLE)
    documents = stored(name)
    rejected = [finding for finding in reading.findings if finding.effect is Effect.REJECTED]
    for one in reading.declared:
        resource = one.resource
        first, last = one.place.line, max([one.place.line, *(place.line for place in one.places().values())])
        config = documents.get(resource.key)
        if config is None or any(first <= finding.line <= last + 1 for finding in rejected):
            continue
        if isinstance(config, SwarmConfig) and not config.send_unhealthy_alerts:
            # The export leaves out this false, and whoever reads it, Komodo too, takes it for true.
            config = config.model_copy(update={"send_unhealthy_alerts": True})
        if resource.key == ("Build", "b"):
            # A version that Core counts itself is not exported.
            config = config.model_copy(update={"version": resource.config.version})  # pyright: ignore
        if resource.key != ("Alerter", "al"):
            assert resource.config == config, resource.key
    again = read_toml(write_toml(reading.resources), "again.toml")
    assert not again.rejected
    assert meaning(again.resources) == meaning(reading.resources)


def test_variables_and_groups_of_an_export() -> None:
    (toml,) = [toml for toml in exports("59-toml-all") if toml.startswith("[[variable]]") and "SECRET" in toml][:1]
    reading = read_toml(toml, "export.toml")
    assert [(one.name, one.description, one.config.model_dump()) for one in reading.resources] == [
        ("A", "d", {"value": "1", "is_secret": False}),
        ("EMPTY", "", {"value": "", "is_secret": False}),
        ("SECRET", "", {"value": "", "is_secret": True}),
    ]
    assert [(finding.line, finding.column) for finding in reading.findings] == [(17, 14)]
    groups = next(toml for toml in exports("59-toml-all") if toml.startswith("[[user_group]]"))
    everyone, devs = read_toml(groups, "export.toml").resources
    assert everyone.config.model_dump() == {"everyone": True, "users": [], "all": {}}
    assert isinstance(devs.config, GroupConfig)
    assert [(one.target.type, one.target.id) for one in devs.config.permissions] == [("Stack", "web")]
