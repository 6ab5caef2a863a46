"""Values of keywords as source: names of the module for other declarations, short words where there are some."""

from collections.abc import Mapping
from typing import Any

from homeops.adoption.keywords import Keywords, Named
from homeops.imports.python_text import Code, Imports, source, stage_call
from homeops.model.config.procedure import ProcedureStage
from homeops.model.declaration import Declaration


def assigned(keywords: Keywords) -> str:
    """Keywords as a person would write them in a declaration."""
    return ", ".join(
        f"no {name}="
        if value is None
        else f"{name}={source(as_written(value, {}, Imports()), Imports(), before=len(name) + 1)}"
        for name, value in keywords.items()
    )


def words_of(module: Mapping[str, object]) -> set[str]:
    """The names in a module that stand for homeops' own words: classes and functions of the model."""
    return {
        name
        for name, value in module.items()
        if str(getattr(value, "__module__", "")).startswith("homeops.model") and callable(value)
    }


def names_of(module: Mapping[str, object]) -> dict[tuple[str, str], str]:
    """The declarations that a module has a name for."""
    return {(value.kind, value.name): name for name, value in module.items() if isinstance(value, Declaration)}


def as_written(value: Any, names: Mapping[tuple[str, str], str], imports: Imports) -> Any:
    """What ``source`` writes for a value."""
    match value:
        case Named(kind, name):
            return Code(names[kind, name]) if (kind, name) in names else name
        case ProcedureStage():
            return stage_call(value, imports)
        case list():
            return [as_written(item, names, imports) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
