"""Names are stored as a real Core stored them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.model.kinds import KINDS
from homeops.model.names import VARIABLE_NAME, is_object_id, is_variable_value, stored_name
from tests.model.recorded import Exchange, exchanges, of_file
from tests.model.strategies import TEXTS


def _creations(number: str) -> list[Exchange]:
    return [exchange for exchange in of_file(number) if exchange.request.startswith(("Create", "Copy"))]


@pytest.mark.parametrize("number", ["25", "26", "28"])
def test_a_name_is_stored_as_core_stored_it(number: str) -> None:
    stored = 0
    for exchange in _creations(number):
        if exchange.status == 200:
            kind = exchange.request.removeprefix("Create").removeprefix("Copy")
            assert stored_name(kind, exchange.params["name"]) == exchange.response["name"], exchange
            stored += 1
    assert stored >= 25


@pytest.mark.parametrize("number", ["25", "26", "28"])
def test_a_name_is_taken_for_an_id_where_core_takes_it_for_one(number: str) -> None:
    refused = [exchange for exchange in _creations(number) if "ObjectIds" in str(exchange.response)]
    assert len(refused) == 3
    assert all(is_object_id(exchange.params["name"]) for exchange in refused)
    accepted = [exchange for exchange in _creations(number) if exchange.status == 200]
    assert not any(is_object_id(exchange.params["name"]) for exchange in accepted)


def test_a_renamed_resource_is_stored_under_a_name_of_the_same_rule() -> None:
    for number, kind, stored in [
        ("25", "Server", "New Name.1"),
        ("26", "Stack", "new_name_1"),
        ("28", "Repo", "New_Name.1"),
    ]:
        sent = next(e.params["name"] for e in of_file(number) if e.request == f"Rename{kind}" and e.status == 200)
        assert stored_name(kind, sent) == stored


@pytest.mark.parametrize("kind", KINDS)
@given(name=TEXTS | st.text(max_size=12))
def test_a_stored_name_is_stored_as_it_is(kind: str, name: str) -> None:
    assert stored_name(kind, stored_name(kind, name)) == stored_name(kind, name)


def test_names_and_values_of_variables_are_those_that_core_takes() -> None:
    judged = 0
    for exchange in exchanges():
        if exchange.request == "CreateVariable" and exchange.status in (200, 400):
            name, value = exchange.params["name"], exchange.params.get("value", "")
            taken = VARIABLE_NAME.fullmatch(name) is not None and is_variable_value(value)
            assert taken is (exchange.status == 200), exchange
            judged += 1
    assert judged > 25


def test_names_of_tags_are_stored_as_they_are() -> None:
    made = [exchange for exchange in exchanges() if exchange.request == "CreateTag" and exchange.status == 200]
    for exchange in made:
        assert stored_name("Tag", exchange.params["name"]) == exchange.response["name"], exchange
    assert len(made) > 8
