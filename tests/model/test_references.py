"""References are found by the fields' marks and renamed in place."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeops.model.config.builder import ServerBuilder, ServerBuilderConfig
from homeops.model.config.deployment import BuildSource, BuiltImage, DeploymentConfig
from homeops.model.config.execution import EXECUTIONS, DeployStack, RunBuild
from homeops.model.config.procedure import EnabledExecution, ProcedureConfig, ProcedureStage
from homeops.model.config.stack import StackConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS
from homeops.model.references import Mention, mentions, rename_references
from tests.model.recorded import exchanges
from tests.model.strategies import configs

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (StackConfig(), []),
        (StackConfig(server_id="nvr", linked_repo="r"), [("server_id", "Server", "nvr"), ("linked_repo", "Repo", "r")]),
        (
            DeploymentConfig(server_id="nvr", image=BuildSource(params=BuiltImage(build_id="b"))),
            [("server_id", "Server", "nvr"), ("image.params.build_id", "Build", "b")],
        ),
        (
            ServerBuilder(params=ServerBuilderConfig(server_ids=["a", "b"])),
            [("params.server_ids[0]", "Server", "a"), ("params.server_ids[1]", "Server", "b")],
        ),
        (
            ProcedureConfig(
                stages=[
                    ProcedureStage(name="none"),
                    ProcedureStage(
                        name="some",
                        executions=[
                            EnabledExecution(execution=DeployStack(stack="web", services=["nvr"])),
                            EnabledExecution(execution=RunBuild(build="b"), enabled=False),
                        ],
                    ),
                ]
            ),
            [
                ("stages[1].executions[0].execution.stack", "Stack", "web"),
                ("stages[1].executions[1].execution.build", "Build", "b"),
            ],
        ),
    ],
)
def test_references_are_found_with_their_place(config: KomodoModel, found: list[tuple[str, str, str]]) -> None:
    assert list(mentions(config)) == [Mention(*mention) for mention in found]


@every_kind
@quick
@given(data=st.data())
def test_renaming_nothing_is_the_same_object(kind: str, data: st.DataObject) -> None:
    config = data.draw(configs(kind))
    assert rename_references(config, lambda _, name: name) is config


@every_kind
@quick
@given(data=st.data())
def test_renaming_reaches_every_reference_and_no_other_field(kind: str, data: st.DataObject) -> None:
    config = data.draw(configs(kind))
    before = list(mentions(config))
    after = rename_references(config, lambda kind, name: f"{kind}/{name}")
    assert [(m.path, m.name) for m in mentions(after)] == [(m.path, f"{m.kind}/{m.name}") for m in before]
    assert rename_references(after, lambda kind, name: name.removeprefix(f"{kind}/")) == config


def test_executions_refer_to_what_their_parameters_name() -> None:
    """A parameter called like a kind is a reference to it."""
    words = {"sync": "ResourceSync"} | {kind.lower(): kind for kind in KINDS if kind not in ("Tag", "Variable")}
    for execution in EXECUTIONS.values():
        fields = {
            name: info for name, info in execution.model_fields.items() if name in words and info.annotation is str
        }
        every: dict[str, Any] = dict.fromkeys(execution.model_fields, "x")
        sample = execution.model_construct(**every)
        found = {mention.path: mention.kind for mention in mentions(sample) if mention.path in fields}
        assert found == {name: words[name] for name in fields}, execution


def test_core_refused_a_name_that_nothing_has_exactly_where_a_field_is_marked() -> None:
    """A write that Core refused for an unknown name mentions that name in a marked field."""
    seen = 0
    for exchange in exchanges():
        kind = exchange.request.removeprefix("Create").removeprefix("Update")
        if exchange.status != 500 or kind not in KINDS or exchange.config is None:
            continue
        missing = str(exchange.response["error"]).partition("matching ")[2]
        if missing in ("", exchange.params.get("id")):
            continue
        names = [mention.name for mention in mentions(KINDS[kind].config.validate_python(exchange.config))]
        assert missing in names, exchange
        seen += 1
    assert seen >= 5
