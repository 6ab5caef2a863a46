"""The canonical form of what was sent is what a real Core answered."""

from collections import Counter
from typing import Any, cast

import pytest
from pydantic import ValidationError

from homeops.model.canonical import canonical
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS
from homeops.model.references import rename_references
from homeops.model.wire import whole
from tests.model.recorded import Exchange, Json, as_json, exchanges, of_file

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
    made = [other for other in of_file(exchange.file.partition("-")[0]) if other.request.startswith("Create")]
    answers = [as_json(other.response) or {} for other in made if other.status == 200]
    return {answer["_id"]["$oid"]: answer["name"] for answer in answers if as_json(answer.get("_id"))}


def _named(config: KomodoModel, names: dict[str, str]) -> KomodoModel:
    return rename_references(config, lambda _, name: names.get(name, name))


def _fields(config: Any) -> Json:
    """The fields of a configuration in JSON; those of a Builder are its type's."""
    return as_json(config.get("params")) or config


def _writes(number: str) -> list[tuple[Exchange, KomodoModel, Json]]:
    """The writes of a conversation that are values of the model's types: as sent, and what was stored."""
    found: list[tuple[Exchange, KomodoModel, Json]] = []
    for exchange in of_file(number):
        kind, given, stored = _kind(exchange), exchange.config, exchange.stored
        if kind not in KINDS or given is None or stored is None:
            continue
        config = _config_of(kind, given)
        # A field that was sent under its second name is not in the answer under it.
        if config is not None and set(_fields(given)) <= set(_fields(stored)):
            found.append((exchange, config, stored))
    return found


@pytest.mark.parametrize("number", NORMALISED)
def test_what_is_stored_is_the_canonical_form_of_what_was_sent(number: str) -> None:
    writes = _writes(number)
    for exchange, sent, stored in writes:
        names, given = _names(exchange), _fields(exchange.config)
        received = _fields(whole(_named(KINDS[_kind(exchange)].config.validate_python(stored), names)))
        asked = _fields(whole(canonical(_named(sent, names))))
        assert {name: asked[name] for name in given} == {name: received[name] for name in given}, exchange
    assert len(writes) == NORMALISED[number]


def _configs_in(answer: Any) -> list[Json]:
    """Every whole configuration in an answer: of one resource, or of each in a list."""
    resources = cast(list[Any], answer) if isinstance(answer, list) else [answer]
    found = (as_json(resource) or {} for resource in resources)
    configs = (as_json(resource.get("config")) for resource in found if "base_permission" in resource)
    return [config for config in configs if config and "<any>" not in config.values()]


def test_every_configuration_that_core_answered_is_canonical() -> None:
    """Nothing that Core ever answered changes by its canonical form, in all recorded conversations."""
    counts: Counter[str] = Counter()
    for exchange in exchanges():
        kind = next((name for name in KINDS if exchange.request.endswith((name, f"Full{KINDS[name].plural}"))), None)
        if kind is None or exchange.status != 200:
            continue
        for config in _configs_in(exchange.response):
            received = KINDS[kind].config.validate_python(config)
            assert canonical(received) is received, exchange
            counts[kind] += 1
    assert {kind for kind, described in KINDS.items() if described.resource} <= set(counts), counts
    assert sum(counts.values()) > 500
