from pathlib import Path
from typing import Any

import pytest

from homeops.lab.core.fates import Behaviour
from homeops.lab.core.sync_toml import NotDeclarations, read_declarations
from tests.lab.rehearsed import Rehearsed, stages

STACK = """[[stack]]
name = "{name}"
{more}
[stack.config]
server = "alpha"
file_contents = \"\"\"
services:
  web:
    image: busybox
    command: sleep 1d
\"\"\"
"""
SERVERS = "".join(
    f'[[server]]\nname = "{name}"\n[server.config]\naddress = "http://{name}"\nenabled = true\n'
    for name in ("alpha", "beta")
)


@pytest.fixture
def lab(tmp_path: Path) -> Rehearsed:
    return Rehearsed(tmp_path)


def declare(lab: Rehearsed, text: str, **config: Any) -> None:
    """A sync that reads this text from git, and declares itself where it deletes."""
    own = '[[resource_sync]]\nname = "fleet"\n[resource_sync.config]\nrepo = "me/fleet"\nresource_path = ["komodo"]\n'
    own += "".join(f"{key} = {str(value).lower()}\n" for key, value in config.items())
    lab.git.push("me/fleet", {"komodo/all.toml": SERVERS + text, "komodo/sync.toml": own}, "declared")
    names = [sync["name"] for sync in lab.read("ListResourceSyncs", query={}, limit=0)]
    if "fleet" not in names:
        whole = {"repo": "me/fleet", "resource_path": ["komodo"], **config}
        lab.write("CreateResourceSync", name="fleet", config=whole)


def pending(lab: Rehearsed) -> list[tuple[str, str]]:
    """Kind of resource and kind of change of all that is pending."""
    info = lab.write("RefreshResourceSyncPending", sync="fleet")["info"]
    assert info["pending_error"] is None
    return [(update["target"]["type"], update["data"]["type"]) for update in info["resource_updates"]]


def test_what_was_applied_is_not_pending_and_running_again_does_nothing(lab: Rehearsed) -> None:
    declare(lab, STACK.format(name="web", more='tags = ["b", "a"]\ndescription = "the web"'), delete=True)
    assert pending(lab) == [("Stack", "Create")]
    assert lab.run("RunSync", sync="fleet")["success"]
    assert pending(lab) == []
    assert stages(lab.run("RunSync", sync="fleet"))[-1] == "No Changes"


@pytest.mark.parametrize(
    ("request_", "params"),
    [
        ("UpdateStack", {"id": "web", "config": {"auto_pull": False}}),
        ("UpdateStack", {"id": "web", "config": {"environment": "A=1\n"}}),
        ("UpdateResourceMeta", {"target": {"type": "Stack", "id": "web"}, "tags": ["a", "b"]}),
        ("UpdateResourceMeta", {"target": {"type": "Stack", "id": "web"}, "description": "by hand"}),
    ],
)
def test_what_is_not_declared_goes_back_to_its_default(lab: Rehearsed, request_: str, params: dict[str, Any]) -> None:
    declare(lab, STACK.format(name="web", more='tags = ["b", "a"]'), delete=True)
    lab.run("RunSync", sync="fleet")
    before = lab.read("ExportAllResourcesToToml")["toml"]
    lab.write(request_, **params)
    assert pending(lab) == [("Stack", "Update")]
    assert lab.run("RunSync", sync="fleet")["success"]
    assert pending(lab) == []
    assert lab.read("ExportAllResourcesToToml")["toml"] == before


def test_delete_removes_what_is_not_declared_and_only_then(lab: Rehearsed) -> None:
    lab.write("CreateAlerter", name="byhand", config={})
    declare(lab, "")
    assert pending(lab) == []
    lab.write("DeleteResourceSync", id="fleet")
    declare(lab, "", delete=True)
    assert pending(lab) == [("Alerter", "Delete")]
    lab.run("RunSync", sync="fleet")
    assert lab.read("ListAlerters", query={}, limit=0) == []


def test_a_sync_that_deletes_and_does_not_declare_itself_fails_on_itself(lab: Rehearsed) -> None:
    lab.git.push("me/fleet", {"komodo/all.toml": SERVERS}, "declared")
    config = {"repo": "me/fleet", "resource_path": ["komodo"], "delete": True}
    lab.write("CreateResourceSync", name="fleet", config=config)
    ended = lab.run("RunSync", sync="fleet")
    assert not ended["success"]
    assert "ResourceSync busy" in ended["logs"][-1]["stderr"]


def test_match_tags_shields_both_what_is_declared_and_what_is_there(lab: Rehearsed) -> None:
    lab.write("CreateAlerter", name="byhand", config={})
    declare(lab, STACK.format(name="web", more="") + STACK.format(name="db", more='tags = ["fleet"]'))
    lab.write("UpdateResourceSync", id="fleet", config={"match_tags": ["fleet"], "delete": True})
    assert pending(lab) == [("Stack", "Create")]
    lab.run("RunSync", sync="fleet")
    assert [stack["name"] for stack in lab.read("ListStacks", query={}, limit=0)] == ["db"]
    assert len(lab.read("ListAlerters", query={}, limit=0)) == 1


def test_one_failing_resource_does_not_stop_the_others(lab: Rehearsed) -> None:
    declare(lab, STACK.format(name="bad", more="").replace('"alpha"', '"omega"') + STACK.format(name="web", more=""))
    ended = lab.run("RunSync", sync="fleet")
    assert not ended["success"]
    assert [stack["name"] for stack in lab.read("ListStacks", query={}, limit=0)] == ["web"]


def test_variables_are_as_declared_and_secret_ones_stay_secret(lab: Rehearsed) -> None:
    lab.write("CreateVariable", name="OLD", value="1")
    text = '[[variable]]\nname = "A"\nvalue = "x"\nis_secret = true\n'
    declare(lab, text, delete=True, include_variables=True)
    assert lab.run("RunSync", sync="fleet")["success"]
    assert lab.read("ListVariables") == [{"name": "A", "value": "x", "is_secret": True}]


def test_deploys_go_in_rounds_and_a_failed_compose_does_not_stop_the_next(lab: Rehearsed) -> None:
    lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(up="no space\n")
    db, web = (
        STACK.format(name="db", more="deploy = true"),
        STACK.format(name="web", more='deploy = true\nafter = ["db"]'),
    )
    declare(lab, web + db)
    ended = lab.run("RunSync", sync="fleet")
    assert ended["success"]
    text = ended["logs"][-1]["stdout"]
    assert text.index(">db</span>' in round") < text.index(">web</span>' in round")
    assert {update["success"] for update in lab.updates("DeployStack")} == {True, False}
    assert lab.state("web") == "running"


def test_a_broken_file_changes_nothing_and_says_where_it_is_broken(lab: Rehearsed) -> None:
    declare(lab, '[[stack]]\nname = "web"\n[stack.config]\nauto_pull = "yes"\n', delete=True)
    info = lab.write("RefreshResourceSyncPending", sync="fleet")["info"]
    assert 'invalid type: string "yes", expected a boolean' in info["remote_errors"][0]["contents"]
    assert "Remote resources have errors" in info["pending_error"]
    before = lab.read("ExportAllResourcesToToml")["toml"]
    assert "Found file errors" in lab.run("RunSync", sync="fleet")["logs"][-1]["stderr"]
    assert lab.read("ExportAllResourcesToToml")["toml"] == before


def test_a_committed_sync_reads_back_as_what_there_is(lab: Rehearsed) -> None:
    lab.stack("web", environment="A=1\n", pre_deploy={"command": "./prep.sh"})
    lab.write("CreateResourceSync", name="copy", config={"managed": True, "file_contents": "# nothing\n"})
    assert lab.write("CommitSync", sync="copy")["success"]
    info = lab.read("GetResourceSync", sync="copy")["info"]
    assert (info["pending_error"], info["resource_updates"]) == (None, [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[[stack]\n", "line 1, column 9"),
        ("\n[[stack]]\n[stack.config]\n", "line 2, column 1"),
        ('[[stack]]\nname = "a"\n[stack.config]\nlinks = [1]\n', "line 4, column 10"),
        ('[[stack]]\nname = "a"\n[[stack]]\nname = 5\n', "line 4, column 8"),
    ],
)
def test_an_error_in_a_declaration_points_at_its_place(text: str, place: str) -> None:
    with pytest.raises(NotDeclarations, match=place):
        read_declarations(text)


def test_backslashes_between_triple_quotes_are_kept() -> None:
    text = '[[stack]]\nname = "a"\n[stack.config]\npre_deploy.command = """\necho a\\tb\n"""\n'
    assert read_declarations(text).resources["Stack"][0]["config"]["pre_deploy"]["command"] == "echo a\\tb\n"
