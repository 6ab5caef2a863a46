"""Bodies are read as serde_json 1.0 reads them into Komodo's types: same values, same texts, same lines and columns."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.lab.core.decode import decode_request, require_json
from homeops.lab.core.json_source import ANYTHING, plain
from homeops.lab.core.json_text import parse
from homeops.lab.core.misfit import Misfit, debug_text, float_text
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.requests import request_type
from homeops.lab.core.schema import single_precision

_UNFIT = "Failed to deserialize the JSON body into the target type: "
_BROKEN = "Failed to parse the request body as JSON: "


def _refused(body: str, *, route: Any = "write", variant: str | None = None) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        decode_request(route, variant, body.encode("utf-8", "surrogatepass"))
    return caught.value.status, caught.value.error


def _config(kind: str, **fields: Any) -> dict[str, Any]:
    body = {"type": f"Update{kind}", "params": {"id": "x", "config": fields}}
    return decode_request("write", None, json.dumps(body).encode())[1]["config"]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_what_python_writes_is_read_back(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert plain(parse(text.encode(), ANYTHING)) == value


@given(st.binary(max_size=40))
def test_no_bytes_make_the_reader_fail_otherwise_than_with_a_misfit(body: bytes) -> None:
    with suppress(Misfit):
        value = plain(parse(body, ANYTHING))
        assert plain(parse(json.dumps(value).encode(), ANYTHING)) == value


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("[1", "EOF while parsing a list at line 1 column 2"),
        ('"a', "EOF while parsing a string at line 1 column 2"),
        ("[1,]", "trailing comma at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ('{"a" 1}', "expected `:` at line 1 column 6"),
        ('{"a":1 "b":2}', "expected `,` or `}` at line 1 column 8"),
        ("{1:2}", "key must be a string at line 1 column 2"),
        ("nul", "EOF while parsing a value at line 1 column 3"),
        ("nuXl", "expected ident at line 1 column 3"),
        ("01", "invalid number at line 1 column 2"),
        ("1.", "EOF while parsing a value at line 1 column 2"),
        ("1.x", "invalid number at line 1 column 3"),
        ("1e400", "number out of range at line 1 column 5"),
        ('"\\x"', "invalid escape at line 1 column 3"),
        ('"\\ud800"', "unexpected end of hex escape at line 1 column 8"),
        ('"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
        ('"a\nb"', "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
        ("{}\n  x", "trailing characters at line 2 column 3"),
        ("[" * 200, "recursion limit exceeded at line 1 column 128"),
    ],
)
def test_broken_json_is_told_with_line_and_column(body: str, text: str) -> None:
    with pytest.raises(Misfit) as caught:
        parse(body.encode(), ANYTHING)
    assert caught.value.message().removeprefix("?: ").split(": ")[-1] == text


def test_columns_count_bytes() -> None:
    status, error = _refused('{"type":"CreateTag","params":{"name":"é","color":5}}')
    assert (status, error) == (400, f"{_BROKEN}params.color: expected value at line 1 column 51")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"links": 5}, "links: invalid type: integer `5`, expected null or string or Vec<String>"),
        ({"links": {}}, "links: invalid type: map, expected null or string or Vec<String>"),
        ({"links": [5]}, "links[0]: invalid type: integer `5`, expected a string"),
        ({"auto_pull": "yes"}, 'auto_pull: invalid type: string "yes", expected a boolean'),
        ({"environment": [{"variable": "A"}]}, "environment[0]: missing field `value`"),
        (
            {"additional_env_files": [5]},
            "additional_env_files[0]: invalid type: integer `5`, expected string or AdditionalEnvFile (object)",
        ),
        ({"pre_deploy": 5}, "pre_deploy: invalid type: integer `5`, expected struct SystemCommand"),
    ],
)
def test_a_field_that_does_not_fit_is_told_with_its_path(config: dict[str, Any], text: str) -> None:
    body = json.dumps({"type": "UpdateStack", "params": {"id": "x", "config": config}}, separators=(",", ":"))
    status, error = _refused(body)
    assert status == 422
    assert error.startswith(f"{_UNFIT}params.config.{text} at line 1 column ")


def test_partial_configurations_hold_what_was_sent_and_is_not_null() -> None:
    assert _config("Stack", server="s", links=None, repo=None, run_build=True) == {"server_id": "s", "run_build": True}


def test_a_field_and_its_alias_are_a_duplicate() -> None:
    _, error = _refused('{"type":"UpdateStack","params":{"id":"x","config":{"server":"a","server_id":"b"}}}')
    assert "params.config: duplicate field `server_id`" in error


def test_texts_are_stored_as_core_rewrites_them() -> None:
    assert _config("Stack", file_contents="a \r\n\u00a0\n", environment="A=1", links="a, b\n# c\nd # e") == {
        "file_contents": "a\n",
        "environment": "A=1\n",
        "links": ["a", "b", "d"],
    }
    assert _config("Stack", environment=[{"variable": "A", "value": "1"}]) == {"environment": "  A = 1\n"}
    assert _config("Deployment", ports=[["80", "8080"]], termination_signal="15") == {
        "ports": "  80: 8080\n",
        "termination_signal": "SIGTERM",
    }


def test_structs_are_taken_as_lists_of_their_fields() -> None:
    command = {"path": "p", "command": "c\n", "shell_mode": True}
    assert _config("Stack", pre_deploy=["p", "c", True]) == {"pre_deploy": command}
    _, error = _refused('{"type":"UpdateStack","params":{"id":"x","config":[]}}')
    assert "params.config: invalid length 0, expected struct PartialStackConfig with 42 elements" in error


def test_an_integer_with_a_decimal_point_is_none() -> None:
    _, error = _refused('{"type":"UpdateDeployment","params":{"id":"x","config":{"replicas":24.0}}}')
    assert "replicas: invalid type: floating point `24.0`, expected i32" in error


@pytest.mark.parametrize(("sent", "kept"), [(24.123456789, 24.123457), (16777217, 16777216.0), (0.1, 0.1), (1, 1.0)])
def test_single_precision_keeps_the_shortest_decimal(sent: float, kept: float) -> None:
    assert single_precision(float(sent)) == kept


def test_a_number_too_large_for_single_precision_is_infinite() -> None:
    assert math.isinf(single_precision(1e39))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_single_precision_is_a_fixed_point(value: float) -> None:
    assert single_precision(single_precision(value)) == single_precision(value)


def test_parameters_may_stand_before_the_type() -> None:
    assert decode_request("read", None, b'{"params":{"id":"x"},"type":"GetStack"}') == ("GetStack", {"stack": "x"})
    _, error = _refused('{"params":{"stack":5},"type":"GetStack"}', route="read")
    assert error == f"{_UNFIT}invalid type: integer `5`, expected a string at line 1 column 40"


def test_the_path_form_is_refused_with_500_and_no_position() -> None:
    assert decode_request("read", "GetStack", b'{"name":"x"}') == ("GetStack", {"stack": "x"})
    assert _refused("{}", route="read", variant="GetStack") == (500, "missing field `stack`")
    assert _refused("{", route="read", variant="GetStack")[0] == 400


@pytest.mark.parametrize("content_type", ["application/json", "APPLICATION/JSON; charset=x", "application/vnd.x+json"])
def test_json_of_any_kind_passes(content_type: str) -> None:
    require_json(content_type)


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"]
)
def test_what_does_not_say_that_it_is_json_is_415(content_type: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        require_json(content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize("route", ["read", "write", "execute", "login", "manage"])
def test_every_request_of_the_table_can_be_read(route: Any) -> None:
    requests = request_type(route)
    assert len(requests.tags.variants) > 5
    for name, _ in requests.tags.variants:
        with pytest.raises(Refusal):
            decode_request(route, None, json.dumps({"type": name, "params": 5}).encode())


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e16, "1e+16"), (1.5, "1.5"), (24.0, "24.0"), (1e-5, "0.00001"), (1e-6, "1e-6"), (1e20, "1e+20")],
)
def test_numbers_are_written_as_rust_writes_them(value: float, text: str) -> None:
    assert float_text(value) == text


def test_texts_are_quoted_as_rust_quotes_them() -> None:
    assert debug_text('a"\\\n\té\x07') == '"a\\"\\\\\\n\\té\\u{7}"'
