"""What Komodo makes of a text, by the simulated Core's own reader, which is held to recordings of a real one."""

from homeops.lab.core.sync_toml import NotDeclarations, read_declarations
from homeops.model.canonical import canonical
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS


def as_komodo_reads(text: str) -> list[Resource] | None:
    """The resources and variables of a text, kind by kind; None where Komodo rejects it."""
    try:
        declared = read_declarations(text)
    except NotDeclarations:
        return None
    resources = [
        Resource(
            kind=kind,
            name=one["name"],
            config=canonical(_config(kind, one["config"])),
            description=one["description"],
            tags=tuple(one["tags"]),
            template=one["template"],
            deploy=one["deploy"],
            after=tuple(one["after"]),
        )
        for kind, declarations in declared.resources.items()
        for one in declarations
    ]
    variables = [
        Resource(
            "Variable",
            one["name"],
            VariableConfig(value=one["value"], is_secret=one["is_secret"]),
            description=one["description"],
        )
        for one in declared.variables
    ]
    return resources + variables


def _config(kind: str, config: object) -> KomodoModel:
    return KINDS[kind].config.validate_python(config)
