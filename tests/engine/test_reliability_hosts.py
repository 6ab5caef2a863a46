"""Faults of hosts and of containers through the real engine: each test is a row of docs/reliability.md.

They do not meddle with each other, so all are met in one run: the fleet is healthy, then it has faults, then they are
mended, then nothing is due.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeops.lab.core.settings import Settings
from tests.engine.core import TestCore
from tests.engine.engine import Project, environment
from tests.engine.fleets import COMPOSE, FleetProject
from tests.engine.host_faults import EARLIER, SECRETS, Faults, break_hosts, break_stacks, declare, ids, mend, stacks


@pytest.fixture(scope="module")
def made(
    tool: Callable[[str], list[str]], tmp_path_factory: pytest.TempPathFactory, compiled: Path, root: Path
) -> Iterator[FleetProject]:
    """The fleet, healthy."""
    directory = tmp_path_factory.mktemp("faults")
    (directory / "core").mkdir()
    core = TestCore(directory / "core", Settings(silence_seconds=0.5))
    programs = environment(Path(tool("pulumi")[0]).parent, directory / "home", compiled, root)
    with core.server:
        project = Project(directory / "project", programs | core.environ, root).write()
        fleet = FleetProject(project, core, *EARLIER)
        project.configure(**project.settings, deploysPerHost=20)
        fleet.write({f"{host}/{name}/compose.yaml": COMPOSE.format(1) for host, name in stacks(EARLIER)})
        fleet.write({"one/mounted/nginx.conf": "a"})
        declare(fleet, EARLIER)
        project.up().check()
        yield fleet


@pytest.fixture(scope="module")
def faults(made: FleetProject) -> Faults:
    """What the faults did."""
    before = ids(made)
    thawing = break_hosts(made)
    break_stacks(made)
    failed = made.project.up("--continue-on-error")
    assert failed.exit != 0, failed.text
    assert "Traceback" not in failed.text
    states = {item["name"]: item["info"]["state"] for item in made.core.read("ListStacks", query={}, limit=0)}
    between = ids(made)
    mend(made)
    # Refreshed, so that it sees the host that was disabled.
    following = made.project.up("--refresh").check()
    assert made.project.preview().check().steps == []
    return Faults(made, failed, following, states, (before, between, ids(made)), thawing)


def test_a_container_that_ends_at_once_is_told_with_its_code_and_last_lines(faults: Faults) -> None:
    told = faults.told("quits")
    assert 'stack "quits" on one: service "app" (container quits-app-1) is not up' in told
    assert "exited with code 3" in told
    assert "opening /data\n    app-1  | no such database\n" in told
    assert faults.states["quits"] == "stopped"
    assert "not reached: follows (after quits)" in faults.failed.text
    assert faults.deploys("quits") == 2
    assert faults.kept("quits-app-1")


def test_a_service_that_ends_with_0_fails_unless_it_may_and_the_message_says_how(faults: Faults) -> None:
    told = faults.told("ends")
    assert "exited with code 0; if it may end, the stack says so: " in told
    assert 'health=Health(one_shot=["app"])' in told
    assert "(it logged nothing)" in told


def test_a_one_shot_service_that_ends_with_0_is_done(faults: Faults) -> None:
    assert "app done" in "".join(faults.failed.told)
    assert "job" in faults.ended(faults.failed, "deployed")
    assert "job" in faults.ended(faults.next, "unchanged")
    assert faults.deploys("job") == 1


def test_a_one_shot_service_that_ends_with_another_code_fails(faults: Faults) -> None:
    told = faults.told("badjob")
    assert "exited with code 1" in told
    assert "migration 7 failed" in told
    assert faults.deploys("badjob") == 2


def test_want_of_memory_is_told(faults: Faults) -> None:
    assert "exited with code 137, out of memory" in faults.told("hungry")
    assert faults.deploys("hungry") == 2


def test_an_unhealthy_container_is_told_with_what_its_probe_says(faults: Faults) -> None:
    assert "unhealthy: curl: (7) connection refused" in faults.told("sick")
    assert faults.states["sick"] == "running", "which is why Komodo's state is not asked"
    assert faults.deploys("sick") == 2
    assert faults.kept("sick-app-1")


def test_one_that_is_still_starting_at_the_deadline_fails(faults: Faults) -> None:
    assert "is not up after 2 s: health: starting: migration 3 of 9" in faults.told("slow")
    assert faults.states["slow"] == "running"
    assert faults.kept("slow-app-1")


def test_running_and_restarting_in_turns_fails(faults: Faults) -> None:
    told = faults.told("flaps")
    assert re.search("keeps restarting|restarting, exit code 1", told), told
    assert "times since the deploy" in told
    assert "cannot bind" in told
    assert faults.deploys("flaps") == 2


def test_two_restarts_and_then_staying_is_fine(faults: Faults) -> None:
    assert 'stack "settles" on one: deployed in' in "".join(faults.failed.told)
    assert "settles" in faults.ended(faults.next, "unchanged")
    assert faults.deploys("settles") == 1
    assert faults.kept("settles-app-1")


def test_without_health_check_a_death_after_one_second_is_seen(faults: Faults) -> None:
    assert "exited with code 4" in faults.told("dies")
    assert faults.deploys("dies") == 2


def test_another_project_s_container_of_that_name_is_not_taken_for_ours(faults: Faults) -> None:
    told = faults.told("wants")
    assert "Compose Up failed" in told
    assert "is already in use by container" in told
    assert faults.states["wants"] == "running", "which is what Komodo thinks"
    assert faults.made.host("one").engine.containers["shared"].project == "wants"
    assert not faults.kept("shared")


def test_an_image_that_is_missing_is_told_in_the_registry_s_words(faults: Faults) -> None:
    told = faults.told("absent")
    assert "Compose Pull failed" in told
    assert "manifest for nginx:2 not found" in told
    assert faults.untouched("absent")
    assert faults.states["absent"] == "running"
    assert faults.deploys("absent") == 3


def test_a_full_disk_fails_its_host_s_stacks_alone(faults: Faults) -> None:
    told = faults.told("bulky")
    assert 'stack "bulky" on full' in told
    assert "no space left on device" in told
    assert faults.untouched("bulky")
    assert faults.states["bulky"] == "running"
    assert faults.deploys("bulky") == 3
    fine = {"aside", "job", "settles", "holder", "returns", "thaws"}
    assert faults.ended(faults.failed, "deployed") == fine
    assert faults.ended(faults.next, "unchanged") == fine - {"holder"}
    assert faults.deploys("aside") == 2


def test_a_pre_deploy_hook_that_fails_is_told_with_what_it_said(faults: Faults) -> None:
    told = faults.told("hooked")
    assert "Pre Deploy failed" in told
    assert "prepare: no disk /dev/sdb" in told
    assert faults.untouched("hooked")
    assert faults.states["hooked"] == "running"
    assert faults.deploys("hooked") == 3


def test_a_compose_file_that_is_invalid_is_told_with_its_place(faults: Faults) -> None:
    told = faults.told("broken")
    assert "Compose Config failed" in told
    assert "one/broken/compose.yaml: services.app additional properties 'imagee' not allowed" in told
    assert faults.untouched("broken")
    assert faults.states["broken"] == "running"
    assert faults.deploys("broken") == 3


def test_secrets_that_containers_and_hooks_print_are_nowhere(faults: Faults) -> None:
    assert "DB_PASSWORD=[secret]" in faults.told("leaky")
    assert "DB_PASSWORD=[secret]" in faults.told("leakyhook")
    assert "SMTP_LOGIN=[secret]" in faults.told("leaky")
    assert [receipt.result for receipt in faults.receipts("leaky")] == ["failed", "healthy"]
    project = faults.made.project
    home = project.directory.parent / "home"
    files = [path for place in (project.directory, home) for path in place.rglob("*") if path.is_file()]
    assert project.state_file in files
    for file in files:
        for secret in SECRETS:
            assert secret.encode() not in file.read_bytes(), file


def test_an_agent_that_is_offline_fails_its_stacks_in_seconds(faults: Faults) -> None:
    told = faults.told("off")
    assert 'stack "off" on off: the host does not answer (NotOk)' in told
    assert [receipt.result for receipt in faults.receipts("off")] == ["healthy", "failed", "healthy"]
    assert faults.receipts("off")[1].seconds < 10
    assert faults.untouched("off")
    assert "aside" in faults.ended(faults.failed, "deployed")
    assert faults.deploys("off") == 3


def test_a_host_that_is_disabled_is_told_so(faults: Faults) -> None:
    assert "the host is disabled in Komodo" in faults.told("disabled")
    assert faults.receipts("disabled")[1].seconds < 10
    assert faults.untouched("disabled")
    assert faults.made.core.config("Server", "disabled")["enabled"] is True
    assert "disabled" in faults.ended(faults.next, "deployed")


def test_an_agent_that_ends_in_a_deploy_and_comes_back_is_waited_for(faults: Faults) -> None:
    assert 'stack "returns" on ended: Core or the agent fell silent in the middle' in "".join(faults.failed.told)
    assert "returns" in faults.ended(faults.failed, "deployed")
    # Healthy, cut, again.
    assert faults.deploys("returns") == 3
    assert [receipt.result for receipt in faults.receipts("returns")] == ["healthy", "healthy"]


def test_a_host_that_finishes_what_core_recorded_as_failed_keeps_its_containers(faults: Faults) -> None:
    assert 'stack "thaws" on frozen: Core or the agent fell silent in the middle' in "".join(faults.failed.told)
    assert "thaws" in faults.ended(faults.failed, "deployed")
    assert faults.deploys("thaws") == 3, "healthy, cut, and once more so that Komodo has its record"
    old, new = faults.thawing
    assert old != new, "the host had finished before it was deployed once more"
    assert faults.ids[1]["thaws-app-1"] == new, "which made nothing anew"
    update = faults.made.core.read("GetUpdate", id=faults.receipts("thaws")[-1].update)
    assert update["success"] is True


def test_an_agent_that_is_gone_for_good_fails_at_the_deadline(faults: Faults) -> None:
    told = faults.told("gone")
    assert 'stack "gone" on gone' in told
    assert "fell silent in the middle of the deploy; host gone is NotOk" in told
    assert faults.receipts("gone")[1].seconds < 60
    assert faults.deploys("gone") == 3


def test_an_agent_that_is_lost_while_containers_are_watched_is_told_and_nothing_rolled_back(faults: Faults) -> None:
    told = faults.told("lost")
    assert 'nobody can tell whether service "app" is up: its host does not answer' in told
    assert "when the host is back, run again" in told
    assert "rolled back" not in told
    # Refreshed: Komodo did deploy it, but nobody saw it healthy.
    assert "lost" in faults.ended(faults.next, "deployed")
    assert faults.deploys("lost") == 3
    assert faults.kept("lost-app-1")


def test_what_does_not_become_healthy_is_rolled_back(faults: Faults) -> None:
    told = faults.told("back")
    assert "exited with code 4" in told
    assert "rolled back: it runs commit" in told
    assert faults.states["back"] == "running"
    assert [receipt.result for receipt in faults.receipts("back")] == ["healthy", "rolled back", "healthy"]
    assert faults.made.core.config("Stack", "back")["commit"] == ""


def test_a_rollback_that_fails_as_well_is_told_beside_the_first_failure(faults: Faults) -> None:
    told = faults.told("both")
    assert told.count("exited with code 4") == 2
    assert "failed as well" in told
    assert "look at it now" in told
    assert faults.made.core.config("Stack", "both")["commit"] == "", "it is not left pinned to the old commit"
    assert [receipt.result for receipt in faults.receipts("both")] == ["healthy", "failed", "healthy"]


def test_a_first_deploy_has_nothing_to_go_back_to(faults: Faults) -> None:
    told = faults.told("first")
    assert "exited with code 4" in told
    assert "not rolled back: no commit of it was healthy before" in told
    assert faults.deploys("first") == 2
    assert [receipt.result for receipt in faults.receipts("first")] == ["failed", "healthy"]


def test_a_config_file_that_kills_its_service_is_rolled_back(faults: Faults) -> None:
    told = faults.told("mounted")
    assert "exited with code 4" in told
    assert "rolled back: it runs commit" in told
    assert faults.states["mounted"] == "running"
    assert faults.kept("mounted-app-1"), "its container was restarted, not made anew"
    operations = [row[0] for row in faults.made.executions() if row[1] == "mounted"]
    assert operations == ["DeployStack", *["DeployStack", "RestartStack"] * 3]
