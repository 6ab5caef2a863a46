"""What somebody lost a homelab by is refused before anything is executed: each guard has its own loss here."""

from typing import Any

import pytest

from homeops.errors import HomeopsError
from homeops.model.site import DeleteBudget
from homeops.sync.changes import Selection
from homeops.sync.guards import Fleet, Leave
from tests.sync.world import SERVERS, World, refused, stack, warned

ROOMY = Leave(DeleteBudget(objects=100, percent=100))
VARIABLE = '[[variable]]\nname = "A"\nvalue = "1"\n'


def test_an_empty_set_is_refused_however_much_may_be_deleted(world: World) -> None:
    world.applied(SERVERS + stack("web"), delete=True)
    world.write({"komodo/readme.md": "moved"})
    plan = world.look(leave=ROOMY)
    assert "its files declare no resource (no file was read), so it would delete all 4" in refused(plan)
    assert "no resource" in refused(world.look(leave=Leave(deletes=4)))
    assert "no resource" not in refused(world.look(leave=Leave(deletes=4, empty=True)))


def test_an_empty_set_deletes_nothing_where_nothing_is_deleted(world: World) -> None:
    world.applied(SERVERS + stack("web"))
    world.write({"komodo/all.toml": "# nothing\n"})
    plan = world.look()
    assert plan.nothing
    assert refused(plan) == ""
    assert "its files declare nothing that counts" in warned(plan)


def test_all_variables_going_is_an_empty_set_too(world: World) -> None:
    config: dict[str, Any] = {"delete": True, "include_variables": True}
    world.applied(SERVERS + VARIABLE, **config)
    world.declare(SERVERS, **config)
    assert "its files declare no variable (2 files were read), so it would delete all 1" in refused(
        world.look(leave=ROOMY)
    )


def test_more_deletes_than_the_budget_are_refused_until_their_number_is_given(world: World) -> None:
    world.applied(SERVERS + "".join(stack(f"s{number}") for number in range(6)), delete=True)
    world.declare(SERVERS + stack("s0") + stack("s1") + stack("s2"), delete=True)
    few = world.look(leave=Leave(DeleteBudget(objects=2, percent=100)))
    assert 'sync "fleet": it would delete 3 of 9 objects (33 %): stack s3, stack s4, stack s5; at most 2 objects' in (
        refused(few)
    )
    assert "--allow-deletes 3" in refused(few)
    assert "and 30 % are deleted" in refused(world.look())
    assert refused(world.look(leave=ROOMY)) == ""
    assert refused(world.look(leave=Leave(deletes=3))) == ""
    assert "3 objects, and 2 are allowed" in refused(world.look(leave=Leave(deletes=2)))
    assert "it would delete 1 of 1 objects" in refused(world.look(selection=Selection("Stack", ("s5",))))


def test_what_is_refused_was_not_executed(world: World) -> None:
    world.applied(SERVERS + stack("web"), delete=True)
    world.write({"komodo/readme.md": "moved"})
    world.writes()
    assert world.look().refusals
    assert world.writes() == []
    assert world.names("Stack") == ["web"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"resource_path": ["/"]}, 'resource_path "/" is a directory of Core\'s own machine'),
        ({"resource_path": ["/etc"]}, 'resource_path "/etc" is a directory of Core\'s own machine'),
        ({"resource_path": ["komodo/../.."]}, 'resource_path "komodo/../.." leaves the repository'),
        ({"resource_path": [], "delete": True}, "it reads no file at all, and everything that exists would be deleted"),
        ({"files_on_host": False, "delete": True}, "it has no source"),
    ],
)
def test_core_is_not_even_asked_to_read_such_a_source(world: World, config: dict[str, Any], told: str) -> None:
    world.declare(SERVERS)
    (sync,) = world.lab.core.state.resources["ResourceSync"].values()
    # By a request it could not be set: Core reads the files of a sync as soon as it is changed.
    sync["config"] |= config
    world.lab.core.requests.clear()
    with pytest.raises(HomeopsError, match="nothing was changed") as raised:
        world.look()
    assert told in str(raised.value)
    assert not any("ResourceSyncPending" in name for name in world.lab.core.requests)


def test_a_path_that_takes_in_everything_is_warned_of_with_what_it_reads(world: World) -> None:
    world.declare(SERVERS, resource_path=["."])
    world.write({"komodo/all.toml": SERVERS, "pyproject.toml": '[project]\nname = "x"\n'})
    told = warned(world.look())
    assert 'resource_path "." takes in every TOML file of the repository' in told
    assert "no declaration is in ./pyproject.toml" in told


def test_a_delete_of_what_another_sync_declares_is_refused(world: World) -> None:
    world.applied(SERVERS + stack("web"), name="fleet")
    world.declare(SERVERS + stack("web"), name="other")
    world.lab.write("RefreshResourceSyncPending", sync="other")
    assert "sync other declares it too, so whoever runs last wins: server alpha" in warned(world.look())
    world.lab.write("UpdateResourceSync", id="fleet", config={"delete": True})
    world.declare(SERVERS, delete=True)
    assert "it would delete what sync other declares, which would make it again: stack web" in refused(
        world.look(leave=ROOMY)
    )


def test_another_sync_that_deletes_what_it_does_not_declare_is_warned_of(world: World) -> None:
    world.declare(stack("alone", server=""), name="other", delete=True)
    world.lab.write("RefreshResourceSyncPending", sync="other")
    world.declare(SERVERS)
    told = warned(world.look())
    assert "sync other deletes what it does not declare, and so what this one makes: resourcesync fleet" in told
    world.lab.write("UpdateResourceSync", id="other", config={"match_tags": ["other"]})
    assert "sync other" not in warned(world.look())


def test_a_protected_stack_is_not_deleted(world: World) -> None:
    world.applied(SERVERS + stack("vault"), delete=True)
    world.declare(SERVERS, delete=True)
    fleet = Fleet({("Stack", "vault")}, {"vault": "all passwords"})
    plan = world.look(fleet=fleet, leave=ROOMY)
    assert 'stack "vault": would be deleted, but the fleet protects it: all passwords' in refused(plan)
    assert "the fleet declares what it would delete: stack vault" in warned(plan)
    assert refused(world.look(leave=ROOMY)) == ""


def test_a_server_with_stacks_is_not_deleted_nor_a_stack_out_of_reach(world: World) -> None:
    world.applied(SERVERS + stack("web") + stack("idle"), delete=True)
    world.lab.run("DeployStack", stack="web")
    world.declare(SERVERS.split("[[server]]\n")[2].join(["[[server]]\n", ""]), delete=True)
    told = refused(world.look(leave=ROOMY))
    assert told == (
        'server "alpha": would be deleted, but Komodo deletes it before web on it: '
        "what runs of them stays, managed by nobody\n"
        "  hint: take what is on it out of the files first, sync, and only then the server"
    )
    world.declare(SERVERS + stack("idle"), delete=True)
    assert refused(world.look(leave=ROOMY)) == ""
    world.lab.write("UpdateServer", id="alpha", config={"enabled": False})
    told = refused(world.look(leave=ROOMY))
    assert 'stack "web": would be deleted, but Komodo does not reach alpha (Disabled): what runs of it stays' in told


def test_names_that_komodo_rewrites_do_not_delete_what_they_name(world: World) -> None:
    world.lab.stack("my_app")
    world.declare(SERVERS + stack("My.App"), delete=True)
    told = refused(world.look(leave=ROOMY))
    assert 'stack "My.App": Komodo stores this name as "my_app", so the sync would delete "my_app"' in told


def test_core_is_not_deployed_by_a_sync(world: World) -> None:
    world.declare(SERVERS + stack("komodo-core", "deploy = true"))
    assert "the sync would deploy Core itself" in refused(world.look(fleet=Fleet(cores={"komodo-core"})))
    assert refused(world.look()) == ""


def test_stacks_that_wait_for_each_other_are_refused(world: World) -> None:
    first, second = 'deploy = true\nafter = ["b"]', 'deploy = true\nafter = ["a"]'
    world.declare(SERVERS + stack("a", first) + stack("b", second))
    assert "a circle of after: a -> b -> a; a sync that deploys them never ends" in refused(world.look())


def test_a_part_is_not_run_where_komodo_would_deploy_the_rest(world: World) -> None:
    deployed = SERVERS + stack("web", "deploy = true") + stack("db", "deploy = true")
    world.applied(deployed)
    world.declare(SERVERS + stack("web", "deploy = true", "links = ['http://x']") + stack("db", "deploy = true"))
    part = world.look(selection=Selection("Stack", ("web",)))
    assert "a run of a part deploys all that has deploy = true and is left out: stack db" in refused(part)
    assert refused(world.look(selection=Selection("Stack"))) == ""
    # That is what Core does.
    before = len(world.lab.updates("DeployStack"))
    world.lab.run("RunSync", sync="fleet", resource_type="Stack", resources=["web"])
    targets = [update["target"]["id"] for update in world.lab.updates("DeployStack")[:-before]]
    names = {item["id"]: item["name"] for item in world.lab.read("ListStacks", query={}, limit=0)}
    assert [names[one] for one in targets] == ["db"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"managed": True}, "managed = true deletes what is not declared, although delete is false"),
        ({"managed": True}, 'Komodo commits to the first path only, and "komodo" is no TOML file: it refuses'),
        (
            {"managed": True, "resource_path": ["komodo/all.toml", "komodo/sync.toml"]},
            "Komodo commits everything into komodo/all.toml, what komodo/sync.toml declares too",
        ),
        (
            {"managed": True, "match_tags": ["x"], "resource_path": ["komodo/all.toml"]},
            "a commit by Komodo leaves out of komodo/all.toml whatever lacks the tags x",
        ),
        ({"match_tags": ["x"]}, "passed over, because the tags x are not all on it: server alpha"),
        ({"resource_path": ["komodo", "komodo/all.toml"]}, 'resource_path "komodo/all.toml" is read twice'),
    ],
)
def test_what_komodo_commits_or_reads_otherwise_than_one_thinks_is_warned_of(
    world: World, config: dict[str, Any], told: str
) -> None:
    world.declare(SERVERS, **config)
    assert told in warned(world.look(leave=ROOMY))


def test_komodo_does_not_commit_over_what_homeops_renders_without_a_warning(world: World) -> None:
    world.declare("# Made by `homeops render` from x\n" + SERVERS, managed=True)
    assert "Komodo would commit its own export over what homeops render makes" in warned(world.look(leave=ROOMY))


def test_a_sync_that_cannot_delete_or_change_itself_says_so(world: World) -> None:
    world.declare(SERVERS, own=False, delete=True)
    assert "it does not declare itself, so it tries to delete itself, which fails" in warned(world.look(leave=ROOMY))
    world.declare(SERVERS, delete=True, pending_alert=False)
    assert "its own configuration differs from its files" in warned(world.look(leave=ROOMY))


def test_a_rename_is_told_as_what_it_is(world: World) -> None:
    world.applied(SERVERS + stack("web"), delete=True)
    world.declare(SERVERS + stack("site"), delete=True)
    assert "stack web seems to be called site now: a sync deletes and makes anew" in warned(world.look(leave=ROOMY))


def test_what_komodo_ignores_in_the_files_is_told(world: World) -> None:
    world.declare(SERVERS + stack("web") + 'auto_pul = true\n[[tag]]\nname = "x"\n')
    told = warned(world.look())
    assert 'stack "web"' in told
    assert "auto_pul" in told
    assert "Komodo knows no table [[tag]]" in told
