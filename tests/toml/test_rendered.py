"""The files that are rendered: current, as the fleet, stable, and nobody else's."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homeops.cli.main import commands
from homeops.cli.render import rendered_fleet
from homeops.errors import FleetError, HomeopsError
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.komodo.toml.files import read_files
from homeops.komodo.toml.layout import DIRECTORY, MADE_BY, rendered
from homeops.komodo.toml.output import compare, write
from homeops.model.config.alerter import AlerterConfig, SlackAlerter, SlackEndpoint
from homeops.model.config.builder import UrlBuilder, UrlBuilderConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Graph, Resource
from homeops.model.rollout import Rollout
from homeops.settings import load_settings
from tests.toml.meaning import meaning

FILES = {"name.toml": f"{MADE_BY} of x\n\none = 1\n", "other.toml": f"{MADE_BY} of x\n"}


def graph_of(*resources: Resource) -> Graph:
    return Graph(resources)


def test_the_files_of_this_repository_are_current(root: Path) -> None:
    difference = compare(root / DIRECTORY, rendered_fleet(root, "prod"))
    assert difference.none, "hint: make render"
    assert not difference.foreign


def test_the_files_are_those_that_people_know(root: Path) -> None:
    hosts = load_settings("prod", root).hosts
    assert sorted(rendered_fleet(root, "prod")) == sorted(
        [
            "sync.toml",
            "servers.toml",
            "variables.toml",
            "builds.toml",
            "procedures.toml",
            *(f"stacks-{host}.toml" for host in hosts),
        ]
    )


def test_what_is_rendered_reads_as_the_fleet_but_for_deploys_and_tags(root: Path) -> None:
    site = load_settings("prod", root)
    graph = fleet_graph(declared_fleet("homeops.fleet", site), site, root)
    reading = read_files(root, [DIRECTORY])
    assert not reading.findings
    # How a stack is deployed is nothing of Komodo's.
    plain = {"deploy": False, "former": "", "rollout": Rollout()}
    expected = [replace(one, **plain) for one in graph.resources if one.kind != "Tag"]
    by_key = {one.key: one for one in meaning(expected)}
    assert {one.key: one for one in meaning(reading.resources)} == by_key


def test_the_order_of_the_graph_does_not_matter() -> None:
    resources = [Resource("Server", name, ServerConfig()) for name in "cab"]
    assert rendered(graph_of(*resources), "x") == rendered(graph_of(*reversed(resources)), "x")
    assert re.findall('name = "(.)"', rendered(graph_of(*resources), "x")["servers.toml"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("config", "file"),
    [
        (StackConfig(server_id="My Host/1"), "stacks-My-Host-1.toml"),
        (StackConfig(swarm_id="sw"), "stacks-sw.toml"),
        (StackConfig(), "stacks.toml"),
    ],
)
def test_stacks_stand_in_the_file_of_their_host(config: StackConfig, file: str) -> None:
    assert list(rendered(graph_of(Resource("Stack", "web", config)), "x")) == [file]


def test_texts_are_written_for_people() -> None:
    stack = StackConfig(
        environment="A=1\nB=\\d\n",
        pre_deploy=StackConfig.model_validate({"pre_deploy": {"command": "run.sh"}}).pre_deploy,
        post_deploy=StackConfig.model_validate({"post_deploy": {"command": "a\nb"}}).post_deploy,
        extra_args=["--filter=\\w+"],
        links=[f"https://{name}.example.com/a/long/path" for name in ("one", "two", "three")],
    )
    (text,) = rendered(graph_of(Resource("Stack", "web", stack)), "the fleet").values()
    assert (
        text
        == '''# Made by `homeops render` from the fleet: edit those, this file is overwritten.

[[stack]]
name = "web"
[stack.config]
links = [
  "https://one.example.com/a/long/path",
  "https://two.example.com/a/long/path",
  "https://three.example.com/a/long/path",
]
pre_deploy.command = "run.sh"
post_deploy.command = """
a
b
"""
extra_args = ['--filter=\\w+']
environment = """
A=1
B=\\d
"""
'''
    )


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("Server", ServerConfig(passkey="hush"), "passkey would stand in clear"),
        ("Builder", UrlBuilder(params=UrlBuilderConfig(passkey="hush")), "params.passkey would stand in clear"),
        ("Variable", VariableConfig(value="hush", is_secret=True), "the value would stand in clear"),
        ("Server", ServerConfig(passkey="env:KEY"), "passkey comes from the environment (env:KEY)"),
    ],
)
def test_no_secret_is_rendered(kind: str, config: KomodoModel, said: str) -> None:
    with pytest.raises(FleetError) as error:
        rendered(graph_of(Resource(kind, "x", config)), "x")
    assert str(error.value).startswith(f'{kind.lower()} "x": {said}')
    assert "hush" not in str(error.value)


def test_the_name_of_a_secret_is_rendered() -> None:
    alerter = AlerterConfig(endpoint=SlackAlerter(params=SlackEndpoint(url="[[SLACK_URL]]")))
    assert "[[SLACK_URL]]" in rendered(graph_of(Resource("Alerter", "x", alerter)), "x")["alerters.toml"]


def test_the_settings_say_whether_the_sync_deploys(root: Path, tmp_path: Path) -> None:
    for name in ("docker", "Pulumi.prod.yaml"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "Pulumi.out.yaml").write_text("config:\n  homeops:like: prod\n  homeops:syncDeploys: true\n")
    deploying, configuring = ("".join(rendered_fleet(tmp_path, stack).values()) for stack in ("out", "prod"))
    assert "deploy = true" in deploying
    assert "deploy = true" not in configuring


def test_writing_changes_what_differs_and_removes_only_what_it_made(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "down"
    first = write(directory, FILES | {"old.toml": f"{MADE_BY} of x\n"})
    assert (first.missing, first.stale) == (("name.toml", "other.toml", "old.toml"), ())
    (directory / "theirs.toml").write_text("# theirs\n")
    (directory / "other.toml").write_text(f"{MADE_BY} of something else\n")
    unchanged = (directory / "name.toml").stat().st_mtime_ns
    second = write(directory, FILES)
    assert (second.missing, second.stale, second.needless, second.foreign) == (
        (),
        ("other.toml",),
        ("old.toml",),
        ("theirs.toml",),
    )
    assert {file.name: file.read_text() for file in directory.iterdir()} == FILES | {"theirs.toml": "# theirs\n"}
    assert (directory / "name.toml").stat().st_mtime_ns == unchanged
    assert write(directory, FILES).none


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "name.toml").write_text("# by hand\n")
    with pytest.raises(HomeopsError, match=r"name\.toml: this file was not made by homeops render"):
        write(tmp_path, FILES)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"name.toml": "# by hand\n"}


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeopsError, match="cannot be written"):
        write(tmp_path / "file" / "below", FILES)


def test_the_command_checks_and_writes(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    run = CliRunner()
    out = str(tmp_path / "out")
    missing = run.invoke(commands, ["render", "--check", "--out", out])
    assert missing.exit_code == 1
    assert f"{out}/sync.toml: is missing" in missing.output
    assert not (tmp_path / "out").exists()
    assert run.invoke(commands, ["render", "--out", out]).exit_code == 0
    assert run.invoke(commands, ["render", "--check", "--out", out]).exit_code == 0
    (tmp_path / "out" / "sync.toml").write_text(f"{MADE_BY} long ago\n")
    stale = run.invoke(commands, ["render", "--check", "--out", out])
    assert stale.exit_code == 1
    assert f"{out}/sync.toml: is not current" in stale.output
