# ruff: noqa: E501 - the tables of cases have one a line
"""What is read of a declaration, and what is found: with its place, what Komodo makes of it, and what to write."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeops.komodo.toml.findings import Effect, Finding
from homeops.komodo.toml.groups import GroupConfig
from homeops.komodo.toml.reader import Reading, read_toml
from homeops.komodo.toml.text import items, key, plain
from homeops.model.config.build import ImageRegistryConfig
from homeops.model.config.procedure import ProcedureConfig
from homeops.model.config.stack import AdditionalEnvFile, StackConfig
from homeops.model.config.variable import Permission
from homeops.model.config.version import Version
from homeops.model.kinds import KINDS
from tests.toml.komodo import as_komodo_reads
from tests.toml.meaning import meaning

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts"


def read(text: str) -> Reading:
    return read_toml(text, "f.toml")


def config(text: str) -> Any:
    reading = read(text)
    assert not reading.findings, [str(finding) for finding in reading.findings]
    (resource,) = reading.resources
    return resource.config


def findings(text: str) -> list[tuple[int, str, str, str]]:
    return [(one.line, one.what, one.effect.name, one.hint) for one in read(text).findings]


def stack(*lines: str) -> str:
    return "\n".join(['[[stack]]\nname = "web"\n[stack.config]', *lines])


def test_a_declaration_and_where_it_stands() -> None:
    text = """
    # ours
    [[stack]]
    name = "web"
    tags = ["a", "b"]
    deploy = true
    after = ["db"]
    [stack.config]
    server = "nvr"
    pre_deploy.command = "x"
    config_files = [
      { path = "a.yml",
        requires = "Restart" },
    ]
    """
    (declared,) = read(text).declared
    resource = declared.resource
    assert (resource.kind, resource.name, resource.tags, resource.deploy, resource.after) == (
        "Stack",
        "web",
        ("a", "b"),
        True,
        ("db",),
    )
    assert resource.where == 'f.toml:3: stack "web"'
    places = {path: place.line for path, place in declared.places().items()}
    assert places == {
        "name": 4,
        "tags": 5,
        "tags[0]": 5,
        "tags[1]": 5,
        "deploy": 6,
        "after": 7,
        "after[0]": 7,
        "config": 8,
        "config.server": 9,
        "config.pre_deploy": 10,
        "config.pre_deploy.command": 10,
        "config.config_files": 11,
        "config.config_files[0]": 12,
        "config.config_files[0].path": 12,
        "config.config_files[0].requires": 13,
    }
    assert resource.config.model_fields_set == {"server_id", "pre_deploy", "config_files"}


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (stack('server_id = "a"'), "server_id", "a"),
        (stack('server = "a"'), "server_id", "a"),
        (stack('links = "a, b # c\\n# d\\ne"'), "links", ["a", "b", "e"]),
        (stack('environment = [{ variable = "A", value = "1" }]'), "environment", "  A = 1\n"),
        (stack('environment = "A=1"'), "environment", "A=1\n"),
        (stack('file_contents = """\na\\tb\n\n"""'), "file_contents", "a\\tb\n"),
        (stack('additional_env_files = "a"').replace('"a"', '["a"]'), "additional_env_files", [AdditionalEnvFile(path="a")]),
        ('[[builds]]\nname = "b"\nconfig.version = "1.2"', "version", Version(major=1, minor=2)),
        ('[[build]]\nname = "b"\nconfig.version = { major = 1, minor = 2, patch = 3 }', "version", Version(major=1, minor=2, patch=3)),
        ('[[build]]\nname = "b"\nconfig.image_registry = { domain = "d" }', "image_registry", [ImageRegistryConfig(domain="d")]),
        ('[[server]]\nname = "s"\nconfig.cpu_warning = 80', "cpu_warning", 80.0),
        ('[[deployment]]\nname = "d"\nconfig.termination_signal = "15"', "termination_signal", "SIGTERM"),
        ('[[variable]]\nname = "V"\nvalue = "1"', "value", "1"),
        ('[[user_group]]\nname = "g"\nall.Server = "Read"', "all", {"Server": Permission(level="Read")}),
    ],
)  # fmt: skip
def test_forms_that_komodo_takes(text: str, field: str, value: Any) -> None:
    assert getattr(config(text), field) == value


def test_a_group_has_the_permissions_of_its_table() -> None:
    group = config(
        '[[user_group]]\nname = "g"\nusers = ["alice"]\n'
        'permissions = [{ target.type = "Stack", target.id = "web", level = "Write", specific = ["Logs"] }]'
    )
    assert isinstance(group, GroupConfig)
    assert [(one.target.id, one.level, one.specific) for one in group.permissions] == [("web", "Write", ["Logs"])]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[[git_provider]]\n[[git_provider]]", (1, "Komodo knows no table [[git_provider]] (here and 1 times more)", "IGNORED", "accounts are set in Core's configuration or in its settings")),
        ('[[stak]]\nname = "a"', (1, 'Komodo knows no table [[stak]]; did you mean "stack"?', "IGNORED", "")),
        ('name = "a"', (1, 'the key "name" stands outside of any declaration', "IGNORED", "move it below a [[table]]")),
        ('[[stack]]\nname = "a"\nauto_update = true', (3, 'unknown key "auto_update"', "IGNORED", "move it below [stack.config]")),
        ('[[stack]]\nname = "a"\ndeploy_ = true', (3, 'unknown key "deploy_"; did you mean "deploy"?', "IGNORED", "")),
        (stack('file_path = ["a"]'), (4, 'unknown key "file_path"; did you mean "file_paths"?', "IGNORED", "")),
        (stack("deploy = true"), (4, 'unknown key "deploy"', "IGNORED", "write deploy beside name, above the config")),
        (stack("pre_deploy.extra = 1"), (4, 'unknown key "extra"', "IGNORED", "")),
        (stack('auto_pull = "yes"'), (4, "auto_pull: must be true or false, not a text", "REJECTED", "write true, without quotes")),
        (stack("server = 1"), (4, "server: must be a text, not a whole number", "REJECTED", 'write it in quotes: "1"')),
        (stack('config_files = "a"'), (4, "config_files: must be a list, not a text", "REJECTED", "put it in brackets: [...]")),
        (stack('server = "a"', 'server_id = "a"'), (5, "server_id: stands here twice, as server and as server_id", "REJECTED", "take one of them out")),
        (stack("[[stack.config.pre_deploy]]", 'command = "x"'), (4, "pre_deploy: must be one table, not a list of them", "REJECTED", "write [single] brackets for its header")),
        (stack('config_files = [{ path = "a", requires = "restrt" }]'), (4, 'requires: "restrt" is not a value that Komodo knows; did you mean "Restart"?', "REJECTED", "one of Redeploy, Restart, None")),
        (stack('config_files = [{ requires = "Restart" }]'), (4, "item 1 of the list: path is missing", "REJECTED", "")),
        ('[[deployment]]\nname = "d"\nconfig.replicas = 2.0', (3, "replicas: must be a whole number, not a number with a decimal point", "REJECTED", "write 2")),
        ('[[deployment]]\nname = "d"\nconfig.replicas = 3000000000', (3, "replicas: must be between -2147483648 and 2147483647, not 3000000000", "REJECTED", "")),
        ('[[server]]\nname = "s"\nconfig.cpu_warning = "80"', (3, "cpu_warning: must be a number, not a text", "REJECTED", "write 80, without quotes")),
        ('[[build]]\nname = "b"\nconfig.version = "v1"', (3, 'version: "v1" is not a version of numbers', "REJECTED", 'write it as "1.2.3"')),
        ('[[builder]]\nname = "b"\nconfig.type = "Server"', (3, "config: params is missing", "REJECTED", "write params = {} when there are none")),
        ('[[procedure]]\nname = "p"\n[[procedure.config.stage]]\nname = "S"\nexecutions = [{ execution.type = "DeployStak", execution.params.stack = "w" }]', (5, 'item 1 of the list: execution: "DeployStak" is not an execution of Komodo; did you mean "DeployStack"?', "REJECTED", "")),
        ('[[procedure]]\nname = "p"\n[[procedure.config.stage]]\nname = "S"\nexecutions = [{ execution.type = "Sleep" }]', (5, "item 1 of the list: execution: params is missing", "REJECTED", "write params = {} when there are none")),
        ("[[stack]]\n[stack.config]\n", (1, "name is missing", "REJECTED", 'write name = "..."')),
        ('[stack]\nname = "a"\n', (1, "stack must be a list of tables", "REJECTED", "write [[stack]]")),
        ('[[stack]]\nname = "a"\n[[stacks]]\nname = "b"\n', (3, "both [[stack]] and [[stacks]] stand in this file", "REJECTED", "write [[stack]] everywhere")),
        ('[[stack]]\nname = "a"\n[[stack.config]]\nserver = "b"\n', (3, "config: must be one table", "REJECTED", "write [stack.config]")),
        ('[[stack]]\nname = "a"\ntags = "b"', (3, "tags: must be a list, not a text", "REJECTED", "put it in brackets: [...]")),
        ('[[resource_sync]]\nname = "a"\n', (1, "a sync with its text in file_contents, or without any source, is left out of every sync", "IGNORED", "give it repo, linked_repo or files_on_host, or make it in Komodo")),
    ],
)  # fmt: skip
def test_what_is_found(text: str, found: tuple[int, str, str, str]) -> None:
    assert found in findings(text)
    rejected = any(one.effect is Effect.REJECTED for one in read(text).findings)
    # A sync that is left out, and all else that is ignored, is taken by Komodo without a word.
    assert rejected == (as_komodo_reads(text) is None)


def test_everything_else_is_read_beside_what_is_wrong() -> None:
    reading = read(
        stack('auto_pull = "yes"', 'server = "nvr"', 'file_paths = ["a", 1]')
        + '\n[[procedure]]\nname = "p"\n[[procedure.config.stage]]\nname = "S"\nexecutions = [\n'
        '  { execution.type = "No", execution.params = {} },\n  { execution.type = "Sleep", execution.params = {} },\n]\n'
        '[[stack]]\nname = x\n[[server]]\nname = "s"\n'
    )
    web, procedure, server = reading.resources
    assert isinstance(web.config, StackConfig)
    assert (web.config.auto_pull, web.config.server_id, web.config.file_paths) == (True, "nvr", ["a"])
    assert isinstance(procedure.config, ProcedureConfig)
    assert len(procedure.config.stages[0].executions) == 1
    assert server.name == "s"
    assert [one.line for one in reading.findings] == [4, 6, 12, 16]


def test_a_syntax_error_shows_its_line() -> None:
    (finding,) = read('[[stack]]\nname = "a"\ntags = [a]\n').findings
    assert str(finding) == (
        "f.toml:3:9: not TOML: a is not a value; a text stands in quotes; "
        "Komodo rejects the whole file, and a sync with such a file does nothing\n    tags = [a]"
    )


def test_a_finding_reads_like_every_error() -> None:
    finding = Finding("f.toml", "no", Effect.IGNORED, "yes", line=3, subject='stack "a"')
    assert str(finding) == 'f.toml:3: stack "a": no; Komodo ignores it without a word\n  hint: yes'


SCALARS = (
    st.booleans()
    | st.integers(-2, 40)
    | st.just(1.5)
    | st.sampled_from(["", "a", "Restart", "1.2.3", "Url", "Slack", "SIGTERM", "Read", "a, b", "DeployStack"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["path", "command", "type", "params", "name", "stack", "variable", "value", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def known_keys(kind: str) -> list[str]:
    shape: Any = KINDS[kind].shape
    return ["type", "params"] if kind == "Builder" else [*shape.model_fields, "server", "builder", "stage", "nothing"]


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.resource])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_declared_is_rejected_or_read_exactly_as_komodo_does(kind: str, data: st.DataObject) -> None:
    fields = data.draw(st.dictionaries(st.sampled_from(known_keys(kind)), VALUES, max_size=2))
    beside = data.draw(st.dictionaries(st.sampled_from(["tags", "deploy", "description", "x"]), VALUES, max_size=1))
    table = KINDS[kind].table
    lines = [f"{key(name)} = {plain(value)}" for name, value in beside.items()]
    lines += [f"config.{key(name)} = {plain(value)}" for name, value in fields.items()]
    text = "\n".join([f'[[{table}]]\nname = "n"', *lines, ""])
    reading, by_komodo = read(text), as_komodo_reads(text)
    assert reading.rejected == (by_komodo is None), (text, [str(one) for one in reading.findings])
    if by_komodo is not None:
        assert meaning(reading.resources) == meaning(by_komodo)


def test_files_of_recordings_are_rejected_exactly_when_core_rejected_them() -> None:
    seen = 0
    for path in sorted(TRANSCRIPTS.glob("9*-sync-*.json")):
        world = json.loads(path.read_text(encoding="utf-8"))["world"]
        for repo in world.get("git", {}).get("repos", {}).values():
            for commit in repo["commits"]:
                for name, text in commit["files"].items():
                    if name.endswith(".toml"):
                        seen += 1
                        assert read_toml(text, name).rejected == (as_komodo_reads(text) is None), (path.name, text)
    assert seen > 50


def test_items_of_findings_are_shown_in_the_order_of_their_lines() -> None:
    text = stack(f"links = {items(['1', '2'])}", "nothing = 1")
    assert [one.line for one in read(text).findings] == [4, 4, 5]
