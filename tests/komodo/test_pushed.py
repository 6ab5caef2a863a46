"""A sync that reads something else than is declared: told by objects and fields, and silence where there is none."""

from pathlib import Path
from typing import Any

import pytest

from homeops.komodo.inputs import inputs_of
from homeops.komodo.pushed import warnings
from homeops.komodo.toml.layout import rendered
from homeops.komodo.toml.origin import digest, made_from
from homeops.komodo.toml.rendering import rendering
from homeops.komodo.undone import undone
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Graph, Resource
from homeops.model.kinds import KINDS
from tests.example_site import example_site

SYNC = ResourceSyncConfig(repo="someone/fleet", resource_path=["docker/komodo-resources"], include_variables=True)
DELETING = SYNC.model_copy(update={"delete": True})


def resource(kind: str, name: str, /, *, tags: tuple[str, ...] = (), description: str = "", **config: Any) -> Resource:
    return Resource(kind, name, KINDS[kind].config.validate_python(config), description, tags)


WEB = resource("Stack", "web", tags=("a",), environment="TZ=UTC\n", description="the web")
DOMAIN = resource("Variable", "DOMAIN", value="example.org")
GRAPH = Graph((resource("Tag", "a"), WEB, DOMAIN, resource("UserGroup", "family", everyone=True)))


def names(graph: Graph) -> dict[str, list[str]]:
    return {kind: [item.name for item in graph.of(kind)] for kind in KINDS}


def declared(graph: Graph) -> dict[tuple[str, str], Any]:
    return {item.key: inputs_of(item) for item in graph.resources}


def lines(*read: Resource, sync: ResourceSyncConfig = SYNC) -> list[str]:
    return list(undone(read, sync, names(GRAPH), declared(GRAPH)))


def test_fields_are_named_without_their_values() -> None:
    other = resource("Stack", "web", tags=("a",), environment="TZ=CET\n", branch="dev")
    assert lines(WEB, DOMAIN) == []
    assert lines(other, resource("Variable", "DOMAIN", value="secret.example")) == [
        "stack web: description, environment, branch",
        "variable DOMAIN: value",
    ]


def test_what_only_one_of_them_has_is_made_or_deleted() -> None:
    assert lines(WEB, DOMAIN, resource("Repo", "old")) == ["repo old: declared nowhere, and made again"]
    assert lines(WEB) == []
    assert lines(WEB, sync=DELETING) == ["variable DOMAIN: not in it, and deleted"]


def test_what_a_sync_does_not_take_is_not_told() -> None:
    without = DELETING.model_copy(update={"include_variables": False})
    assert lines(WEB, sync=without) == []
    tagged = DELETING.model_copy(update={"match_tags": ["b"], "include_variables": False})
    assert lines(resource("Stack", "web", tags=("a",), branch="dev"), sync=tagged) == []
    assert lines(sync=tagged) == []
    groups = DELETING.model_copy(update={"include_user_groups": True})
    assert lines(WEB, DOMAIN, sync=groups) == ["usergroup family: not in it, and deleted"]


def document(*texts: str, **info: Any) -> dict[str, Any]:
    contents = [{"resource_path": "docker/komodo-resources", "path": "a.toml", "contents": text} for text in texts]
    shown = {"remote_contents": contents, "remote_errors": [], "pending_hash": "1a2b3c4", **info}
    return {"name": "fleet", "config": SYNC.model_dump(), "info": shown}


def told(document: dict[str, Any], graph: Graph = GRAPH, stack: str = "prod") -> list[str]:
    texts = rendered(graph, made_from(stack)).values()
    news = {"syncs": ["fleet"], "rendered": digest(texts), "stack": stack, "declared": names(graph)}
    return list(warnings(document, news, declared(graph)))


def test_the_same_files_are_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        pytest.fail("read")

    monkeypatch.setattr("homeops.komodo.toml.reader.read_toml", read)
    assert told(document(*rendered(GRAPH, made_from("prod")).values())) == []


def test_a_warning_names_the_commit_and_what_to_do() -> None:
    other = Graph((resource("Stack", "web", tags=("a",), environment="TZ=UTC\n"), DOMAIN))
    [text] = told(document(*rendered(other, made_from("prod")).values()))
    assert text == (
        'warning: a run of resource sync "fleet" would undo this: what Komodo last read of the repository '
        "(commit 1a2b3c4) is not what the fleet declares\n"
        "    stack web: description\n"
        "  hint: homeops render, commit and push; if that is done, homeops sync lets Komodo read it again"
    )


def test_a_long_list_is_cut() -> None:
    many = Graph(tuple(resource("Variable", f"V{number}") for number in range(50)))
    [text] = told(document(*rendered(many, made_from("prod")).values()))
    assert text.count("declared nowhere") == 20
    assert "    and 30 more\n" in text


@pytest.mark.parametrize(
    "found",
    [
        document(),
        document("[[stack]]\nname = 1"),
        document('[[variable]]\nname = "X"', remote_errors=[{"path": "a.toml", "contents": "no"}]),
        document('[[variable]]\nname = "X"', pending_error={"ts": 1, "data": {"ui": "", "toml": ""}}),
        document(*rendered(Graph((DOMAIN,)), made_from("lab")).values()),
        {"name": "fleet", "config": SYNC.model_dump(), "info": None},
    ],
)
def test_what_was_never_read_or_cannot_be_applied_is_no_warning(found: dict[str, Any]) -> None:
    assert told(found) == []


def test_files_of_the_checkout_are_held_to_the_fleet(tmp_path: Path) -> None:
    sync = Resource("ResourceSync", "fleet", SYNC)
    graph, site = Graph((*GRAPH.resources, sync)), example_site()
    directory = tmp_path / "docker/komodo-resources"
    found = rendering(graph, site, tmp_path, "prod")
    assert found.syncs == ("fleet",)
    [text] = found.warnings
    assert "stacks.toml" in text
    assert "hint: homeops render, commit and push" in text

    directory.mkdir(parents=True)
    for name, contents in rendered(graph, made_from("prod")).items():
        (directory / name).write_text(contents)
    assert rendering(graph, site, tmp_path, "prod").warnings == ()
    # Those of a rehearsal's checkout are those of the real homelab.
    assert rendering(GRAPH, site, tmp_path, "lab").warnings == ()
    (directory / "stacks.toml").write_text((directory / "stacks.toml").read_text().replace("the web", "web"))
    assert rendering(graph, site, tmp_path, "lab").warnings == ()
    [text] = rendering(graph, site, tmp_path, "prod").warnings
    assert text.startswith("docker/komodo-resources: not what the fleet declares (stacks.toml)")


@pytest.mark.parametrize("other", [{"repo": "someone/else"}, {"resource_path": ["komodo"]}, {"resource_path": []}])
def test_syncs_of_something_else_are_nobodys_business(other: dict[str, Any], tmp_path: Path) -> None:
    sync = Resource("ResourceSync", "fleet", SYNC.model_copy(update=other))
    assert rendering(Graph((sync,)), example_site(), tmp_path, "prod").syncs == ()


def test_what_cannot_be_rendered_is_a_warning(tmp_path: Path) -> None:
    secret = resource("Stack", "web", webhook_secret="hunter2")
    graph = Graph((secret, Resource("ResourceSync", "fleet", SYNC)))
    [text] = rendering(graph, example_site(), tmp_path, "prod").warnings
    assert "cannot be compared with the fleet" in text
    assert "hunter2" not in text
