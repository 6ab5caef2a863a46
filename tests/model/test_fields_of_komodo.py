"""Field names, types, enumerations and defaults of the models are those of Komodo 2.3.2."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from homeops.model.config.action import ActionConfig
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import AwsBuilder, BuilderConfig, ServerBuilder, UrlBuilder
from homeops.model.config.deployment import DeploymentConfig
from homeops.model.config.execution import EXECUTIONS, Execution
from homeops.model.config.maintenance import MaintenanceWindow
from homeops.model.config.procedure import EnabledExecution, ProcedureConfig, ProcedureStage
from homeops.model.config.repo import RepoConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import AdditionalEnvFile, StackConfig, StackFileDependency
from homeops.model.config.swarm import SwarmConfig
from homeops.model.config.variable import TAG_COLORS, Permission, TagConfig, UserGroupConfig, VariableConfig
from homeops.model.config.version import Version
from homeops.model.kinds import KINDS
from homeops.model.wire import whole
from tests.komodo.openapi import document
from tests.model.recorded import Json, exchanges
from tests.model.shapes import (
    executions_of_document,
    required_of,
    schema,
    shape_of_model,
    shape_of_schema,
    shape_of_type,
)

CONFIGS: dict[str, type[BaseModel]] = {
    "ServerConfig": ServerConfig,
    "SwarmConfig": SwarmConfig,
    "StackConfig": StackConfig,
    "DeploymentConfig": DeploymentConfig,
    "BuildConfig": BuildConfig,
    "RepoConfig": RepoConfig,
    "ProcedureConfig": ProcedureConfig,
    "ActionConfig": ActionConfig,
    "AlerterConfig": AlerterConfig,
    "ResourceSyncConfig": ResourceSyncConfig,
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_has_the_fields_and_types_of_the_api_document(name: str) -> None:
    assert shape_of_model(CONFIGS[name]) == shape_of_schema(schema(name))


def test_a_builder_is_one_of_the_types_of_the_api_document() -> None:
    assert shape_of_type(BuilderConfig) == shape_of_schema(schema("BuilderConfig"))


@pytest.mark.parametrize(
    ("model", "name", "beside"),
    [
        # What stands beside the configuration: the name, the id, what Komodo itself keeps.
        (VariableConfig, "Variable", {"name", "description"}),
        (UserGroupConfig, "UserGroup", {"name", "_id", "updated_at"}),
    ],
)
def test_what_is_kept_beside_the_resources_has_the_fields_of_the_api_document(
    model: type[BaseModel], name: str, beside: set[str]
) -> None:
    described = shape_of_schema(schema(name))
    assert shape_of_model(model) == {field: shape for field, shape in described.items() if field not in beside}


def test_the_colours_of_tags_are_all_of_the_api_document_in_its_order() -> None:
    assert list(TAG_COLORS) == schema("TagColor")["enum"]
    assert set(TagConfig.model_fields) == set(schema("Tag")["properties"]) - {"name", "_id", "owner"}


def test_every_kind_of_resource_is_modelled() -> None:
    resources = set(schema("ResourceTargetVariant")["enum"]) - {"System"}
    assert {kind for kind, described in KINDS.items() if described.resource} == resources
    assert set(KINDS) - resources == {"Variable", "Tag", "UserGroup"}
    assert all(f"/write/Create{kind}" in document()["paths"] for kind in KINDS)


@pytest.mark.parametrize("name", executions_of_document())
def test_an_execution_has_the_parameters_of_the_api_document(name: str) -> None:
    described = executions_of_document()[name]
    model = EXECUTIONS[name]
    assert shape_of_model(model) == shape_of_schema(described)
    assert {field for field, info in model.model_fields.items() if info.is_required()} == required_of(described)


def test_the_executions_are_all_of_the_api_document_in_its_order() -> None:
    assert list(EXECUTIONS) == list(executions_of_document())


NESTED: list[tuple[type[BaseModel], str]] = [
    (MaintenanceWindow, "MaintenanceWindow"),
    (AdditionalEnvFile, "AdditionalEnvFile"),
    (StackFileDependency, "StackFileDependency"),
    (ProcedureStage, "ProcedureStage"),
    (EnabledExecution, "EnabledExecution"),
]


@pytest.mark.parametrize(("model", "name"), NESTED)
def test_what_must_be_given_is_what_core_asks_for(model: type[BaseModel], name: str) -> None:
    assert {field for field, info in model.model_fields.items() if info.is_required()} == required_of(schema(name))


@pytest.mark.parametrize(("model", "name"), [(Version, "Version"), (Permission, "PermissionLevelAndSpecifics")])
def test_what_core_wants_whole_is_always_sent_whole(model: type[BaseModel], name: str) -> None:
    """These have defaults here, but Core takes no part of them: 422 ``missing field``."""
    assert set(whole(model())) == required_of(schema(name))


def created_as(kind: str, config: Json | None) -> Json:
    """What Core stored for the first creation of a kind with exactly this configuration."""
    return next(
        exchange.stored
        for exchange in exchanges()
        if exchange.request == f"Create{kind}" and exchange.config == config and exchange.stored
    )


MINIMAL = [kind for kind, described in KINDS.items() if described.resource]


@pytest.mark.parametrize("kind", MINIMAL)
def test_defaults_are_what_core_answers_to_the_smallest_creation(kind: str) -> None:
    answer = created_as(kind, None)
    if kind == "Action":
        # Core writes a sample script when an Action is created without one; the model says an empty one.
        answer = {**answer, "file_contents": ""}
    default = whole(KINDS[kind].config.validate_python({"type": "Url"} if kind == "Builder" else {}))
    assert default == answer
    assert list(default) == list(answer)


@pytest.mark.parametrize("model", [UrlBuilder, ServerBuilder, AwsBuilder])
def test_defaults_of_each_type_of_builder_are_what_core_answers(model: type[BaseModel]) -> None:
    name = str(model.model_fields["type"].default)
    given, stored = _most_minimal("CreateBuilder", name)
    default = whole(model())
    assert set(default["params"]) == set(stored)
    unset = set(default["params"]) - set(given) - {"server_ids"}
    assert {field: default["params"][field] for field in unset} == {field: stored[field] for field in unset}


def _most_minimal(request: str, type_: str) -> tuple[Json, Json]:
    """The parameters given and stored, of the creation of a type that gave the fewest."""
    found: list[tuple[Json, Json]] = [
        ((exchange.config or {"params": {}})["params"], exchange.stored["params"])
        for exchange in exchanges()
        if exchange.request == request and exchange.stored and exchange.stored["type"] == type_
    ]
    return min(found, key=lambda pair: len(pair[0]))


def test_defaults_of_each_alerter_endpoint_are_what_core_answers() -> None:
    for member in get_args(AlerterConfig.model_fields["endpoint"].annotation):
        name = str(member.model_fields["type"].default)
        answer = created_as("Alerter", {"endpoint": {"type": name, "params": {}}})["endpoint"]
        assert whole(member()) == answer


def _first(kind: str, field: str, given: Any) -> Any:
    """What Core made of a value of a field that was sent alone."""
    return next(
        exchange.stored[field]
        for exchange in exchanges()
        if exchange.request == f"Update{kind}" and exchange.config == {field: given} and exchange.stored
    )


@pytest.mark.parametrize(
    ("kind", "field", "given", "model"),
    [
        ("Server", "maintenance_windows", {"name": "w", "duration_minutes": 60}, MaintenanceWindow),
        ("Stack", "additional_env_files", {"path": "a.env"}, AdditionalEnvFile),
        ("Stack", "config_files", {"path": "a.conf"}, StackFileDependency),
        ("Procedure", "stages", {"name": "S"}, ProcedureStage),
    ],
)
def test_defaults_of_a_nested_value_are_what_core_answers(
    kind: str, field: str, given: Json, model: type[BaseModel]
) -> None:
    (answer,) = _first(kind, field, [given])
    # Core leaves out of some answers what has its default.
    assert whole(model(**given)) == {**whole(model(**given)), **answer}
    assert set(answer) <= set(model.model_fields)


def _recorded_executions() -> list[tuple[Json, Json]]:
    """Each execution that a procedure was written with, as sent and as stored."""
    pairs: list[tuple[Json, Json]] = []
    for exchange in exchanges():
        if exchange.request in ("CreateProcedure", "UpdateProcedure") and exchange.config and exchange.stored:
            sent: list[Json] = exchange.config.get("stages") or []
            stored: list[Json] = exchange.stored["stages"]
            pairs += (pair for before, after in zip(sent, stored, strict=False) for pair in _rows(before, after))
    return pairs


def _rows(sent: Json, stored: Json) -> list[tuple[Json, Json]]:
    """The executions of a stage; rows that were sent under the second name of the field count too."""
    rows: list[Json] = sent.get("executions") or sent.get("execution") or []
    after: list[Json] = stored["executions"]
    return [(row["execution"], other["execution"]) for row, other in zip(rows, after, strict=True)]


def test_defaults_of_executions_are_what_core_answers() -> None:
    pairs = _recorded_executions()
    compared = 0
    for sent, stored in pairs:
        model: Execution = EXECUTIONS[sent["type"]].model_validate(sent["params"])
        unset = set(type(model).model_fields) - set(sent["params"])
        ours = whole(model)["params"]
        assert {name: ours[name] for name in unset} == {name: stored["params"][name] for name in unset}, sent
        assert list(ours) == list(stored["params"]), sent
        compared += 1
    assert compared > 30
    assert len({sent["type"] for sent, _ in pairs}) > 12
