"""What only Pulumi has: a sync with ``delete`` leaves it alone, or the fleet is not rendered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homeops.errors import FleetError
from homeops.komodo.secret_values import plain_secrets
from homeops.komodo.toml.layout import rendered
from homeops.model.config.alerter import AlerterConfig, SlackAlerter, SlackEndpoint
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.graph import Graph, Resource
from tests.appliers.in_process import Applying
from tests.appliers.pushed import lab_graph

ENVIRON = "HOMEOPS_TEST_VALUE"
SECRET = Resource("Variable", "SLACK_URL", VariableConfig(value=f"env:{ENVIRON}", is_secret=True))
OPEN = Resource("Variable", "DOMAIN", VariableConfig(value=f"env:{ENVIRON}"))
PLAIN = Resource("Variable", "PLAIN", VariableConfig(value="1"))


def sync(**config: Any) -> Resource:
    """A sync of the rendered files."""
    return Resource("ResourceSync", "fleet", ResourceSyncConfig(repo="me/fleet", resource_path=["k"], **config))


@pytest.mark.parametrize(
    "own",
    [sync(delete=True), sync(managed=True), sync(include_variables=True)],
    ids=["looks at no variables", "managed, looks at none", "deletes nothing"],
)
def test_a_value_from_the_environment_stays_where_no_sync_deletes_variables(
    own: Resource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRON, "from the environment")
    graph = Graph((SECRET, OPEN, PLAIN, own))
    files = rendered(graph, "the fleet")
    assert "env:" not in "".join(files.values())
    assert files["variables.toml"].endswith("\n\n# Left to Pulumi, which has their values: DOMAIN, SLACK_URL.\n")
    core = Applying(tmp_path)
    core.create(graph.resources)
    core.push(files)
    assert core.pending("fleet") == {}
    before = core.documents()
    assert core.execute("RunSync", sync="fleet")["success"]
    assert core.documents() == before
    assert before["variables"]["SLACK_URL"]["value"] == "from the environment"


@pytest.mark.parametrize("variable", [SECRET, OPEN], ids=["secret", "open"])
@pytest.mark.parametrize("removing", ["delete", "managed"])
def test_it_is_not_rendered_where_a_sync_would_delete_it(variable: Resource, removing: str) -> None:
    own = sync(include_variables=True, **{removing: True})
    with pytest.raises(FleetError, match=f'variable "{variable.name}": .* and the sync fleet deletes variables'):
        rendered(Graph((variable, own)), "the fleet")


def test_the_document_of_errors_quotes_that(root: Path) -> None:
    variable = replace(SECRET, config=VariableConfig(value="env:SLACK_URL", is_secret=True))
    own = replace(sync(delete=True, include_variables=True), name="mohitsharma44/homeops")
    with pytest.raises(FleetError) as error:
        rendered(Graph((variable, own)), "the fleet")
    assert f"```text\n{error.value}\n```" in (root / "docs" / "errors.md").read_text()


def test_a_file_that_holds_nothing_but_what_is_left_out_says_so() -> None:
    files = rendered(Graph((SECRET,)), "the fleet")
    assert list(files) == ["variables.toml"]
    assert "SLACK_URL" in files["variables.toml"]


def test_deploys_are_rendered_for_every_stack_that_is_deployed_but_cores_own(root: Path) -> None:
    graph = lab_graph(root)
    told = {deploys: "".join(rendered(graph, "x", deploys=deploys).values()) for deploys in (False, True)}
    stacks = graph.of("Stack")
    assert told[False].count("deploy = true") == 0
    assert told[True].count("deploy = true") == len(stacks) - 1
    core = told[True].split('name = "komodo-core"')[1].partition("[stack.config]")[0]
    assert "deploy = " not in core


def test_both_appliers_take_a_secret_that_komodo_puts_in_and_neither_takes_one_in_clear() -> None:
    def alerter(url: str) -> Resource:
        return Resource("Alerter", "ops", AlerterConfig(endpoint=SlackAlerter(params=SlackEndpoint(url=url))))

    named, clear = alerter("https://hooks.example/[[SLACK_TOKEN]]"), alerter("https://hooks.example/hunter2")
    assert not plain_secrets(named.config)
    assert "[[SLACK_TOKEN]]" in rendered(Graph((named,)), "the fleet")["alerters.toml"]
    assert plain_secrets(clear.config)
    with pytest.raises(FleetError, match="would stand in clear"):
        rendered(Graph((clear,)), "the fleet")
