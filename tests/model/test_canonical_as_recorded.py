"""The canonical form of what was sent is what a real Core answered."""

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from homeops.model.canonical import canonical
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS
from homeops.model.references import rename_references
from homeops.model.wire import whole
from tests.model.recorded import Exchange, Json, exchanges, of_file

# Conversations about how Core stores values, with how many of their writes are values of the model's types.
NORMALISED = {"29": 40, "30": 10, "31": 23, "32": 15, "33": 21, "35": 35, "36": 25, "37": 14}


def _kind(exchange: Exchange) -> str:
    return exchange.request.removeprefix("Create").removeprefix("Update")


def _config_of(kind: str, fields: Json) -> KomodoModel | None:
    """The configuration, or None when the request used one of Core's other spellings of a value."""
    try:
        return KINDS[kind].config.validate_python(fields)
    except ValidationError:
        return None


def _names(exchange: Exchange) -> dict[str, str]:
    """What each id of the conversation is called: Core answers ids where names were sent."""
    names: dict[str, str] = {}
    for other in of_file(exchange.file.partition("-")[0]):
        if other.request.startswith("Create") and other.status == 200 and isinstance(other.response, dict):
            identity = other.response["_id"]
            names[identity["$oid"] if isinstance(identity, dict) else identity] = other.response["name"]
    return names


def _named(config: KomodoModel, names: dict[str, str]) -> KomodoModel:
    return rename_references(config, lambda _, name: names.get(name, name))


def _sent_fields(config: KomodoModel, exchange: Exchange) -> Json:
    """The fields that the request gave, as JSON; those of a Builder are its type's."""
    if "params" in exchange.config:
        return {field: whole(config)["params"][field] for field in exchange.config["params"]}
    return {field: whole(config)[field] for field in exchange.config}


def _writes(number: str) -> list[tuple[Exchange, KomodoModel]]:
    found: list[tuple[Exchange, KomodoModel]] = []
    for exchange in of_file(number):
        kind = _kind(exchange)
        if kind not in KINDS or exchange.status != 200 or not isinstance(exchange.config, dict):
            continue
        config = _config_of(kind, exchange.config)
        # A field that was sent under its second name is not in the answer under it.
        if config is not None and isinstance(exchange.response["config"], dict) and _own_names(kind, exchange):
            found.append((exchange, config))
    return found


def _own_names(kind: str, exchange: Exchange) -> bool:
    if kind == "Builder":
        return set(exchange.config["params"]) <= set(exchange.response["config"]["params"])
    return set(exchange.config) <= set(exchange.response["config"])


@pytest.mark.parametrize("number", NORMALISED)
def test_what_is_stored_is_the_canonical_form_of_what_was_sent(number: str) -> None:
    writes = _writes(number)
    for exchange, sent in writes:
        names = _names(exchange)
        received = _named(KINDS[_kind(exchange)].config.validate_python(exchange.response["config"]), names)
        asked = canonical(_named(sent, names))
        assert _sent_fields(asked, exchange) == _sent_fields(received, exchange), exchange
    assert len(writes) == NORMALISED[number]


def _configs_in(value: Any) -> list[tuple[str, Json]]:
    """Every whole configuration in an answer, with the kind that its request was about."""
    if isinstance(value, list):
        return [found for item in value for found in _configs_in(item)]
    if isinstance(value, dict) and isinstance(value.get("config"), dict) and "base_permission" in value:
        return [("", value["config"])]
    return []


def test_every_configuration_that_core_answered_is_canonical() -> None:
    """Nothing that Core ever answered changes by its canonical form, in all recorded conversations."""
    counts: Counter[str] = Counter()
    for exchange in exchanges():
        kind = next((name for name in KINDS if exchange.request.endswith((name, f"Full{KINDS[name].plural}"))), None)
        if kind is None or exchange.status != 200:
            continue
        for _, config in _configs_in(exchange.response):
            if "<any>" in config.values():
                continue
            received = KINDS[kind].config.validate_python(config)
            assert canonical(received) is received, exchange
            counts[kind] += 1
    assert {kind for kind, described in KINDS.items() if described.resource} <= set(counts), counts
    assert sum(counts.values()) > 500
