"""Containers of rehearsal hosts: what Docker says of them agrees with their fates at every moment."""

from pathlib import Path
from typing import Any

import pytest

from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.clock import SteppedClock
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.fates import Behaviour, Fate
from homeops.lab.core.repositories import Repositories

COMPOSE = "services:\n  web:\n    image: nginx:1\n    depends_on: [db]\n  db:\n    image: postgres:16\n"


class Host:
    """One host whose time stands still unless it is moved."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.clock = SteppedClock()
        self.engine = Engine(self.clock)
        self.agent = RehearsalAgent(place, Repositories(place / "git"), self.engine, self.clock)
        (place / "compose.yaml").write_text(COMPOSE)

    def run(self, command: str) -> Outcome:
        """A compose command of project ``site``."""
        return self.engine.compose(f"docker compose -p site -f compose.yaml {command}", self.place)

    def up(self, fate: Fate) -> None:
        """Bring the project up; this becomes of ``web``."""
        self.engine.expect("site", fates={"web": fate})
        assert self.run("up -d").exit == 0

    def web(self) -> dict[str, Any]:
        """``docker inspect`` of ``web``."""
        return self.agent.inspect("site-web-1")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_restart_loop_counts_its_restarts_and_moves_its_start(host: Host) -> None:
    host.up(Fate(ends_after=1.0, exit_code=3, restarts=True, wait=0.5))
    seen: list[tuple[str, int, int]] = []
    starts: list[str] = []
    for _ in range(4):
        found = host.web()
        seen.append((found["State"]["Status"], found["RestartCount"], found["State"]["ExitCode"]))
        starts.append(found["State"]["StartedAt"])
        host.clock.advance(1.1)
        waiting = host.web()
        assert (waiting["State"]["Status"], waiting["State"]["ExitCode"]) == ("restarting", 3)
        assert waiting["State"]["StartedAt"] == starts[-1]
        host.clock.advance(0.45)
    assert seen == [("running", restarts, 0) for restarts in range(4)]
    assert starts == sorted(set(starts))


def test_docker_waits_longer_before_each_restart(host: Host) -> None:
    host.up(Fate(ends_after=0.0, exit_code=1, restarts=True))
    restarts = list[int]()
    for _ in range(4):
        host.clock.advance(1.0)
        restarts.append(host.web()["RestartCount"])
    # After 0.1, 0.3, 0.7, 1.5, 3.1 s.
    assert restarts == [3, 4, 4, 5]
    assert host.agent.containers()[1]["status"].startswith("Restarting (1)")


def test_a_restart_policy_gives_up_after_its_count(host: Host) -> None:
    command = "    command: sh -c 'echo no; exit 4'\n    restart: on-failure:2\n"
    (host.place / "compose.yaml").write_text(f"services:\n  web:\n    image: a\n{command}")
    assert host.run("up -d").exit == 0
    host.clock.advance(5)
    found = host.web()
    assert (found["State"]["Status"], found["State"]["ExitCode"], found["RestartCount"]) == ("exited", 4, 2)
    assert host.run("logs").stdout == "web-1  | no\n" * 3
    assert found["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}


def test_starting_by_hand_begins_the_count_again(host: Host) -> None:
    host.up(Fate(ends_after=0.0, restarts=True, wait=1.0))
    host.clock.advance(3.5)
    assert host.web()["RestartCount"] == 3
    host.run("restart web")
    assert host.web()["RestartCount"] == 0


@pytest.mark.parametrize(
    ("fate", "after", "status", "probe"),
    [
        (Fate(health="healthy", health_after=2.0), 1.0, "starting", None),
        (Fate(health="healthy", health_after=2.0), 2.0, "healthy", (0, "")),
        (Fate(health="unhealthy", probe="connection refused"), 0.0, "unhealthy", (1, "connection refused")),
        (Fate(health="starting", probe="not yet"), 3600.0, "starting", (1, "not yet")),
    ],
)
def test_health_says_what_the_fate_says(
    host: Host, fate: Fate, after: float, status: str, probe: tuple[int, str] | None
) -> None:
    host.up(fate)
    host.clock.advance(after)
    health = host.web()["State"]["Health"]
    assert health["Status"] == status
    said = [(entry["ExitCode"], entry["Output"]) for entry in health["Log"]]
    assert said == ([probe] if probe else [])


def test_a_container_that_ends_tells_code_output_and_want_of_memory(host: Host) -> None:
    host.up(Fate(ends_after=0.0, exit_code=2, output="no such database\n"))
    state = host.web()["State"]
    assert (state["Status"], state["Running"], state["ExitCode"], state["OOMKilled"]) == ("exited", False, 2, False)
    assert state["Health"] is None
    assert host.run("logs --tail 20 -- web").stdout == "web-1  | no such database\n"
    assert host.agent.container("logs --tail 20", "site-web-1")["stdout"] == "no such database\n"
    host.run("down")
    host.up(Fate(ends_after=0.0, killed=True))
    state = host.web()["State"]
    assert (state["Status"], state["ExitCode"], state["OOMKilled"]) == ("exited", 137, True)


def test_labels_are_those_of_compose_and_the_hash_follows_the_definition(host: Host) -> None:
    host.up(Fate())
    labels, image = (host.web()["Config"]["Labels"], host.web()["Image"])
    assert labels["com.docker.compose.project"] == "site"
    assert labels["com.docker.compose.service"] == "web"
    assert labels["com.docker.compose.depends_on"] == "db:service_started:false"
    assert labels["com.docker.compose.image"] == image
    assert labels["com.docker.compose.project.config_files"] == str(host.place / "compose.yaml")
    host.engine.images.built(["nginx:1"])
    host.run("up -d")
    assert host.web()["Image"] != image, "another building of the image is another image"
    before = host.web()["Config"]["Labels"]["com.docker.compose.config-hash"]
    assert before == labels["com.docker.compose.config-hash"]
    (host.place / "compose.yaml").write_text(COMPOSE.replace("nginx:1", "nginx:2"))
    host.run("up -d")
    assert host.web()["Config"]["Labels"]["com.docker.compose.config-hash"] != before


def test_an_image_that_is_missing_fails_the_pull_of_its_service(host: Host) -> None:
    host.engine.expect("site", pull={"web": "manifest for nginx:1 not found"})
    failed = host.run("pull")
    assert failed.exit == 1
    assert failed.stderr.endswith("Error response from daemon: manifest for nginx:1 not found\n")
    assert host.run("pull -- db").exit == 0


def test_an_image_that_is_not_here_is_pulled_by_up(host: Host) -> None:
    host.engine.expect("site", pull={"web": "manifest for nginx:1 not found"})
    failed = host.run("up -d")
    assert failed.exit == 1
    assert failed.stderr.endswith("Error response from daemon: manifest for nginx:1 not found\n")
    host.engine.expect("site", pull="")
    assert host.run("up -d").exit == 0
    host.engine.expect("site", pull="no route")
    assert host.run("up -d").exit == 0, "what is here need not be pulled"


@pytest.mark.parametrize(
    ("condition", "fate", "failure"),
    [
        ("service_healthy", Fate(health="healthy"), ""),
        ("service_healthy", Fate(health="unhealthy"), "dependency failed to start: container site-db-1 is unhealthy\n"),
        (
            "service_healthy",
            Fate(ends_after=0.0, exit_code=3, health="starting"),
            "dependency failed to start: container site-db-1 exited (3)\n",
        ),
        ("service_completed_successfully", Fate(ends_after=0.0), ""),
        (
            "service_completed_successfully",
            Fate(ends_after=0.0, exit_code=3),
            'service "db" didn\'t complete successfully: exit 3\n',
        ),
    ],
)
def test_up_waits_for_what_others_depend_on(host: Host, condition: str, fate: Fate, failure: str) -> None:
    depends = f"depends_on: {{db: {{condition: {condition}}}}}"
    (host.place / "compose.yaml").write_text(COMPOSE.replace("depends_on: [db]", depends))
    host.engine.expect("site", fates={"db": fate})
    ended = host.run("up -d")
    assert (ended.exit, ended.stderr.endswith(failure)) == (1 if failure else 0, True)
    assert host.web()["State"]["Status"] == ("created" if failure else "running")


def test_a_full_disk_stops_what_is_new_and_not_what_runs(host: Host) -> None:
    host.up(Fate())
    host.engine.full = True
    assert host.run("up -d").exit == 0
    assert "no space left on device" in host.run("pull").stderr
    (host.place / "compose.yaml").write_text(COMPOSE.replace("nginx:1", "nginx:2"))
    failed = host.run("up -d")
    assert failed.exit == 1
    assert "no space left on device" in failed.stderr
    assert host.web()["Config"]["Image"] == "nginx:1"


def test_up_calls_in_the_middle_of_its_time(tmp_path: Path) -> None:
    slept = list[float]()

    class Counting(SteppedClock):
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    host = Host(tmp_path)
    host.engine.clock = Counting()
    host.engine.behaviours["site"] = Behaviour(seconds=3.0, during=lambda: slept.append(0.0))
    assert host.run("up -d").exit == 0
    assert slept == [1.5, 0.0, 1.5]


def test_a_service_that_is_started_again_takes_its_new_fate(host: Host) -> None:
    host.up(Fate(ends_after=0.0, exit_code=1))
    assert host.web()["State"]["Status"] == "exited"
    host.up(Fate())
    assert host.web()["State"]["Status"] == "running"
