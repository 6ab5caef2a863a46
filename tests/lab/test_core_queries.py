"""Queries of the database, and lines of keys and values, as the simulated Core reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.lab.core.entry_lines import entries
from homeops.lab.core.mongo_query import BadQueryError, matching
from homeops.lab.core.refusal import Refusal

Document = dict[str, Any]
PLAIN = st.text(st.characters(categories=("Ll", "Lu", "Nd"), max_codepoint=127), min_size=1, max_size=8)


@given(pairs=st.lists(st.tuples(PLAIN, PLAIN), max_size=5), assign=st.sampled_from(["=", ":", " = ", ": "]))
def test_lines_are_read_as_they_were_written(pairs: list[tuple[str, str]], assign: str) -> None:
    text = "# first\n" + "".join(f"- {key}{assign}{value} # why\n\n" for key, value in pairs)
    assert entries(text) == pairs


@given(lines=st.lists(PLAIN, min_size=1, max_size=4), at=st.integers(min_value=0, max_value=3))
def test_a_line_without_an_assignment_is_named_by_its_number(lines: list[str], at: int) -> None:
    at = min(at, len(lines) - 1)
    text = "\n".join(line if number == at else f"{line}=1" for number, line in enumerate(lines))
    with pytest.raises(Refusal, match=f"line {at} missing"):
        entries(text)


VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "ab"])
NUMBERS: dict[str, st.SearchStrategy[Any]] = {"n": st.integers(0, 3)}
OPTIONS: dict[str, st.SearchStrategy[Any]] = {"v": VALUES, "tags": st.lists(st.sampled_from("abc"))}
DOCUMENTS: st.SearchStrategy[list[Document]] = st.lists(st.fixed_dictionaries(NUMBERS, optional=OPTIONS), max_size=6)


@given(documents=DOCUMENTS, value=VALUES)
def test_a_query_and_its_opposite_divide_the_documents(documents: list[Document], value: Any) -> None:
    for name, opposite in (("$eq", "$ne"), ("$in", "$nin")):
        operand = value if name == "$eq" else [value, "ab"]
        found = matching({"v": {name: operand}}, documents)
        rest = matching({"v": {opposite: operand}}, documents)
        negated = matching({"v": {"$not": {name: operand}}}, documents)
        assert len(found) + len(rest) == len(documents)
        assert negated == rest


@given(documents=DOCUMENTS, tags=st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_all_tags_are_fewer_than_any_tag(documents: list[Document], tags: list[str]) -> None:
    everyone = matching({"tags": {"$all": tags}}, documents)
    anyone = matching({"$or": [{"tags": tag} for tag in tags]}, documents)
    assert all(document in anyone for document in everyone)
    assert everyone == [document for document in documents if set(tags) <= set(document.get("tags", []))]


def test_conditions_on_one_item_of_a_list_are_met_by_the_same_item() -> None:
    documents = [{"logs": [{"stage": "a", "ok": True}, {"stage": "b", "ok": False}]}, {"n": [1, 5]}]
    assert matching({"logs": {"$elemMatch": {"stage": "a", "ok": True}}}, documents) == documents[:1]
    assert matching({"logs": {"$elemMatch": {"stage": "a", "ok": False}}}, documents) == []
    assert matching({"logs.stage": "a", "logs.ok": False}, documents) == documents[:1]
    assert matching({"n": {"$elemMatch": {"$gt": 1, "$lt": 9}}}, documents) == documents[1:]
    assert matching({"n": {"$elemMatch": {"$gt": 1, "$lt": 5}}}, documents) == []


@pytest.mark.parametrize(
    "query", [{"$nonsense": 1}, {"a": {"$nonsense": 1}}, {"$or": []}, {"a": {"$in": 1}}, {"a": {"$regex": "("}}]
)
def test_a_query_that_the_database_refuses_is_refused_even_without_documents(query: Document) -> None:
    with pytest.raises(BadQueryError):
        matching(query, [])
