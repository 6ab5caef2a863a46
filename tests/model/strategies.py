"""Random configurations of every kind, built from the models' fields alone."""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from homeops.model.config.builder import AwsBuilder, ServerBuilder, UrlBuilder
from homeops.model.config.execution import EXECUTIONS, Execution
from homeops.model.config.variable import TAG_COLORS, TagConfig
from homeops.model.fields import KomodoModel, Number
from homeops.model.kinds import KINDS

_BOUNDS = {"i32": 31, "i64": 63}
_UNSIGNED = {"u8": 8, "u32": 32, "u64": 64}
_LARGEST_F32 = 3.4028234663852886e38

# Texts rich in what Core's normalisation looks at: white space of all sorts at the ends, commas, comments, line ends.
TEXTS = st.text(st.sampled_from("ab=-#,:. \t\n\r\u00a0\u001c\u3000Ä\U0001f680"), max_size=8)
FLAT = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS
ANYTHING = st.recursive(FLAT, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))


def configs(kind: str) -> st.SearchStrategy[KomodoModel]:
    """Configurations of a kind: each field by chance its default or any value of its type."""
    if kind == "Builder":
        return st.one_of(*(of_model(model) for model in (UrlBuilder, ServerBuilder, AwsBuilder)))
    return of_model(type(KINDS[kind].config.validate_python({})))


def of_model(model: type[KomodoModel]) -> st.SearchStrategy[Any]:
    """Values of a model."""
    if model is TagConfig:
        return st.builds(TagConfig, color=st.sampled_from(TAG_COLORS))
    required = {name: field for name, field in model.model_fields.items() if field.is_required()}
    optional = {name: field for name, field in model.model_fields.items() if name not in required}
    return st.fixed_dictionaries(
        {name: _of_type(field.annotation, field.metadata) for name, field in required.items()},
        optional={name: _of_type(field.annotation, field.metadata) for name, field in optional.items()},
    ).map(lambda fields: model(**fields))


def executions() -> st.SearchStrategy[Execution]:
    """Any execution."""
    return st.sampled_from(list(EXECUTIONS.values())).flatmap(of_model)


def _of_type(annotation: Any, marks: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_type(arguments[0], (*marks, *arguments[1:]))
    if origin in (Union, UnionType):
        return st.one_of(*(_of_type(argument, marks) for argument in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_of_type(arguments[0], ()), max_size=3)
    if origin is dict:
        return st.dictionaries(_of_type(arguments[0], ()), _of_type(arguments[1], ()), max_size=3)
    if annotation is Any:
        return ANYTHING
    if annotation is type(None):
        return st.none()
    if isinstance(annotation, type) and issubclass(annotation, Execution):
        return executions()
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        assert issubclass(annotation, KomodoModel)
        return of_model(annotation)
    if annotation in (int, float):
        (number,) = (mark for mark in marks if isinstance(mark, Number))
        return _numbers(number.rust)
    return {str: TEXTS, bool: st.booleans()}[annotation]


def _numbers(rust: str) -> st.SearchStrategy[Any]:
    if rust in _UNSIGNED:
        return st.integers(0, 2 ** _UNSIGNED[rust] - 1)
    if rust in _BOUNDS:
        return st.integers(-(2 ** _BOUNDS[rust]), 2 ** _BOUNDS[rust] - 1)
    bound = _LARGEST_F32 if rust == "f32" else None
    low = None if bound is None else -bound
    return st.floats(low, bound, allow_nan=False, allow_infinity=False)
