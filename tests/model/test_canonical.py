"""The canonical form: storing what is stored changes nothing, and JSON loses nothing."""

import json
import struct
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from homeops.model.canonical import canonical, line_text, single_precision, trimmed_text
from homeops.model.config.execution import AnyExecution, Execution
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS
from homeops.model.wire import minimal, whole
from tests.model.strategies import TEXTS, configs, executions

# Drawing a configuration of forty fields is slow by itself; the first draw builds the models' validators.
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
every_kind = pytest.mark.parametrize("kind", KINDS)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@every_kind
@quick
@given(data=st.data())
def test_the_canonical_form_is_its_own_canonical_form(kind: str, data: st.DataObject) -> None:
    once = canonical(data.draw(configs(kind)))
    assert canonical(once) is once


@every_kind
@quick
@given(data=st.data())
def test_json_without_defaults_is_the_same_configuration(kind: str, data: st.DataObject) -> None:
    config = data.draw(configs(kind))
    assert KINDS[kind].config.validate_python(through_json(minimal(config))) == config


@every_kind
@quick
@given(data=st.data())
def test_whole_json_is_the_same_configuration(kind: str, data: st.DataObject) -> None:
    config = data.draw(configs(kind))
    assert KINDS[kind].config.validate_python(through_json(whole(config))) == config


@every_kind
@quick
@given(data=st.data())
def test_json_without_defaults_is_a_part_of_whole_json(kind: str, data: st.DataObject) -> None:
    config = data.draw(configs(kind))
    assert _is_part(minimal(config), whole(config))


def _is_part(part: Any, of: Any) -> bool:
    if isinstance(part, dict):
        return all(key in of and _is_part(value, of[key]) for key, value in cast(dict[str, Any], part).items())
    if isinstance(part, list):
        items = cast(list[Any], part)
        return len(items) == len(of) and all(map(_is_part, items, of))
    return bool(part == of)


@every_kind
def test_a_configuration_of_defaults_is_canonical_and_nothing_without_them(kind: str) -> None:
    config = KINDS[kind].config.validate_python({"type": "Url"} if kind == "Builder" else {})
    assert canonical(config) is config
    assert minimal(config) == ({"type": "Url"} if kind == "Builder" else {})


@quick
@given(execution=executions())
def test_an_execution_is_read_back_from_its_wire_form(execution: Execution) -> None:
    adapter: TypeAdapter[Execution] = TypeAdapter(AnyExecution)
    assert adapter.validate_python(through_json(whole(execution))) == execution
    assert adapter.validate_python(through_json(minimal(execution))) == execution
    assert adapter.validate_python(through_json(adapter.dump_python(execution))) == execution


@given(text=TEXTS)
@example("\u001c")  # white space for Python, not for Rust
def test_a_trimmed_text_ends_in_one_newline_or_is_empty(text: str) -> None:
    stored = trimmed_text(text)
    assert trimmed_text(stored) == stored
    assert stored == "" or (stored.endswith("\n") and text.startswith(stored[:-1]))


@given(text=TEXTS)
def test_a_text_of_lines_gets_a_last_newline_and_nothing_else(text: str) -> None:
    assert line_text(text) == (text if text in ("", line_text(text)) else text + "\n")
    assert line_text(line_text(text)) == line_text(text)


@given(number=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_of_single_precision_is_shown_by_its_shortest_decimal(number: float) -> None:
    shown = single_precision(number)
    assert _f32(shown) == _f32(number)
    assert single_precision(shown) == shown
    digits = len(f"{shown:e}".partition("e")[0].replace(".", "").strip("-0")) or 1
    assert digits <= 9


@given(number=st.floats(-3.4e38, 3.4e38))
def test_a_number_is_rounded_to_the_nearest_of_single_precision(number: float) -> None:
    assert _f32(single_precision(number)) == _f32(number)


@pytest.mark.parametrize(
    ("sent", "shown"), [(24, 24.0), (24.123456789, 24.123457), (0.1, 0.1), (16777217, 16777216.0), (-1, -1.0)]
)
def test_numbers_of_single_precision_as_core_shows_them(sent: float, shown: float) -> None:
    assert canonical(ServerConfig(cpu_warning=sent)).cpu_warning == shown


def _f32(number: float) -> bytes:
    return struct.pack("f", number)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Deployment", {"replicas": 3_000_000_000}),
        ("Server", {"maintenance_windows": [{"name": "w", "duration_minutes": 60, "hour": 256}]}),
        ("Server", {"maintenance_windows": [{"name": "w", "duration_minutes": -1}]}),
        ("Server", {"cpu_warning": 1e39}),
        ("Server", {"cpu_warning": float("nan")}),
        ("Server", {"mem_warning": float("inf")}),
        ("Builder", {"type": "Aws", "params": {"port": 99_999_999_999}}),
        ("Tag", {"color": "Mauve"}),
        ("Stack", {"unknown": 1}),
        ("Alerter", {"endpoint": {"type": "slack", "params": {}}}),
    ],
)
def test_what_core_would_refuse_is_refused_here(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KINDS[kind].config.validate_python(fields)


def test_a_canonical_configuration_is_returned_as_it_is() -> None:
    config: KomodoModel = StackConfig(environment="A=1\n", file_contents="services: {}\n")
    assert canonical(config) is config
