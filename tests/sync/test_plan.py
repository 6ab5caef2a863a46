"""Which sync is meant, what is said where its files cannot be read, and the plan as data."""

import json

import pytest

from homeops.errors import FleetError, KomodoError
from homeops.sync.changes import Selection
from homeops.sync.plan import find_sync
from tests.sync.world import SERVERS, World, stack

A, B, C = ({"name": name} for name in "abc")


def test_the_only_sync_there_is_need_not_be_named() -> None:
    assert find_sync([A], None, []) is A
    assert find_sync([A, B, C], None, ["b", "gone"]) is B
    assert find_sync([A, B], "b", ["a"]) is B


@pytest.mark.parametrize(
    ("there", "name", "told"),
    [
        ([], None, "there is no ResourceSync in Komodo"),
        ([A, B, C], None, "there are several syncs, and none was named\n  hint: homeops sync NAME; one of a, b, c"),
        ([{"name": "fleet"}], "flet", 'sync "flet": is not in Komodo; did you mean "fleet"?\n  hint: there: fleet'),
    ],
)
def test_a_sync_that_cannot_be_told_is_asked_for(there: list[dict[str, str]], name: str | None, told: str) -> None:
    with pytest.raises(FleetError) as raised:
        find_sync(there, name, ["a", "b"])
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"komodo/all.toml": "[[stack]]\nname = 1\n"}, "komodo/all.toml:2: stack: name must be a text"),
        ({"komodo/all.toml": "[[stack]]\nname = 1\n"}, "failed to parse resource file contents"),
        ({"elsewhere/all.toml": SERVERS}, "does not exist"),
    ],
)
def test_files_that_komodo_cannot_read_are_told_with_its_words(world: World, files: dict[str, str], told: str) -> None:
    world.declare(SERVERS)
    world.write(files)
    with pytest.raises(KomodoError) as raised:
        world.look()
    text = str(raised.value)
    assert 'sync "fleet": komodo: Komodo cannot tell what is pending: ' in text
    assert told in text
    assert "<span" not in text


def test_a_name_that_nothing_has_is_not_run_as_nothing(world: World) -> None:
    world.declare(SERVERS + stack("web"))
    with pytest.raises(FleetError, match=r'--only "wbe": is nothing that sync fleet .* did you mean "web"'):
        world.look(selection=Selection(names=("web", "wbe")))


def test_the_plan_and_what_came_of_it_are_data(world: World) -> None:
    world.applied(SERVERS + stack("web") + stack("old"), delete=True)
    world.declare(SERVERS + stack("web", "deploy = true", "auto_pull = false"), delete=True)
    plan = world.look()
    outcome = world.run(plan)
    document = plan.document("test", outcome.document())
    assert json.loads(json.dumps(document)) == document
    (deployed,) = document["ran"].pop("deploys")
    assert {key: deployed[key] for key in ("kind", "name", "host", "result", "reason")} == {
        "kind": "Stack",
        "name": "web",
        "host": "alpha",
        "result": "healthy",
        "reason": "",
    }
    assert document["ran"].pop("seconds") == outcome.seconds
    assert document == {
        "schema": 1,
        "stack": "test",
        "sync": "fleet",
        "commit": None,
        "selection": None,
        "deletes_undeclared": True,
        "changes": [
            {
                "how": "delete",
                "kind": "Stack",
                "name": "old",
                "fields": [],
                "all_fields": True,
                "effect": "nothing of it runs",
            },
            {
                "how": "update",
                "kind": "Stack",
                "name": "web",
                "fields": [{"field": "config.auto_pull", "from": "true", "to": "false"}],
                "all_fields": True,
                "effect": "",
            },
        ],
        "deploys": [{"kind": "Stack", "name": "web", "reason": "stack has down state", "after": []}],
        "refusals": [],
        "warnings": [],
        "ran": {"ok": True, "update": outcome.update, "commit": "", "failures": [], "pending": []},
    }
    part = world.look(selection=Selection("Stack", ("web",))).document("test")
    assert (part["selection"], part["ran"]) == ({"resource_type": "Stack", "resources": ["web"]}, None)
