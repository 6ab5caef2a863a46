"""What Komodo's TOML cannot be told of a fleet, and what a ResourceSync would therefore undo.

A sync takes what is not said for the default, or for undeclared. So a value that may stand in no file of a repository
is either where no sync looks, or the two appliers would fight over it.
"""

from collections.abc import Iterator

from homeops.errors import Problem
from homeops.komodo.secret_values import is_for_komodo, is_source
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel, Sensitive, marked
from homeops.model.graph import Graph, Resource
from homeops.model.sync_rules import deletes
from homeops.model.wire import defaults


def unsayable(graph: Graph) -> Iterator[Problem]:
    """What would stand in clear in a file, and what a sync of the fleet would take away because it stands in none."""
    removing = ", ".join(sync.name for sync in graph.of("ResourceSync") if _removes_variables(sync.config))
    for resource in graph.resources:
        where = resource.where or f'{resource.kind.lower()} "{resource.name}"'
        match resource.config:
            case VariableConfig(value=value) if is_source(value):
                if removing:
                    yield Problem(
                        where,
                        f"the value comes from the environment ({value}), which Komodo's TOML cannot say, and the sync "
                        f"{removing} deletes variables that it does not declare",
                        f"take include_variables from that sync, or keep {resource.name} among Core's own secrets "
                        "([secrets] in core.config.toml)",
                    )
            case VariableConfig(is_secret=True, value=str(value)) if value:
                yield _in_clear(where, "the value", "keep it in a stack's .sops.env")
            case VariableConfig():
                pass
            case config:
                for path, value in _shown(config, ""):
                    hint = "write [[NAME]], and keep NAME among Core's own secrets ([secrets] in core.config.toml)"
                    if is_source(value):
                        what = f"{path} comes from the environment ({value}), of which a ResourceSync knows nothing"
                        yield Problem(where, what, hint)
                    else:
                        yield _in_clear(where, path, hint)


def left_to_pulumi(resource: Resource) -> bool:
    """Whether a resource is in no file, because its value comes from the environment of whoever runs Pulumi."""
    return isinstance(resource.config, VariableConfig) and is_source(resource.config.value)


def _removes_variables(config: KomodoModel) -> bool:
    return isinstance(config, ResourceSyncConfig) and config.include_variables and deletes(config)


def _in_clear(where: str, path: str, hint: str) -> Problem:
    return Problem(where, f"{path} would stand in clear in a file of the repository", hint)


def _shown(config: KomodoModel, prefix: str) -> Iterator[tuple[str, str]]:
    """The fields that must not be shown, with what they hold besides a default or the name of a variable."""
    sensitive = marked(type(config), Sensitive)
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, KomodoModel):
            yield from _shown(value, f"{prefix}{name}.")
        elif name in sensitive and not _may_be_seen(config, name):
            yield f"{prefix}{name}", value


def _may_be_seen(config: KomodoModel, name: str) -> bool:
    value = getattr(config, name)
    return value == defaults(type(config)).get(name) or is_for_komodo(value)
