"""Ids and names in configurations: Core stores ids, its TOML speaks of names (sync/replace_ids.rs)."""

import copy
from collections.abc import Callable
from typing import Any, cast

from pydantic import BaseModel

from homeops.lab.core.state import Document, State
from homeops.model.config.builder import AwsBuilderConfig, ServerBuilderConfig, UrlBuilderConfig
from homeops.model.config.execution import EXECUTIONS
from homeops.model.fields import Reference, References, marked
from homeops.model.kinds import KINDS

BUILDER_CONFIGS: dict[str, type[BaseModel]] = {
    "Url": UrlBuilderConfig,
    "Server": ServerBuilderConfig,
    "Aws": AwsBuilderConfig,
}

Renamed = Callable[[str, str], str]
"""What stands in place of an id (or name) of a resource of a kind: ``renamed(kind, value)``."""


def name_of(state: State) -> Renamed:
    """The name of a resource; an empty text when there is none of that id."""

    def renamed(kind: str, value: str) -> str:
        document = state.resources.get(kind, {}).get(value)
        return document["name"] if document else ""

    return renamed


def with_references(kind: str, config: Document, renamed: Renamed) -> Document:
    """A copy of a configuration in which every reference went through ``renamed``."""
    config = copy.deepcopy(config)
    match kind:
        case "Builder":
            _replace(BUILDER_CONFIGS[config["type"]], config.get("params") or {}, renamed)
            return config
        case "Deployment":
            image = config.get("image")
            if image and image["type"] == "Build":
                image["params"]["build_id"] = renamed("Build", image["params"].get("build_id", ""))
        case "Procedure":
            stages: list[Document] = config.get("stages") or []
            entries: list[Document] = [entry for stage in stages for entry in stage.get("executions", [])]
            for entry in entries:
                replace_in_execution(entry["execution"], renamed)
        case "Alerter":
            for field in ("resources", "except_resources"):
                targets: list[Document] = config.get(field) or []
                for target in targets:
                    if target["type"] != "System":
                        target["id"] = renamed(target["type"], target["id"])
        case _:
            pass
    _replace(KINDS[kind].shape, config, renamed)
    return config


def replace_in_execution(execution: Document, renamed: Renamed) -> None:
    """Change the references of one execution in place."""
    params: Document = execution.get("params") or {}
    _replace(EXECUTIONS[execution["type"]], params, renamed)
    if execution["type"] == "SendAlert" and params.get("alerters"):
        params["alerters"] = [renamed("Alerter", alerter) for alerter in params["alerters"]]


def _replace(model: type[BaseModel], config: dict[str, Any], renamed: Renamed) -> None:
    for field, mark in marked(model, Reference, References).items():
        value = config.get(field)
        if isinstance(value, list):
            config[field] = [renamed(mark.kind, entry) for entry in cast(list[str], value)]
        elif value:
            config[field] = renamed(mark.kind, value)
