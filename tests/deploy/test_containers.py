"""What is thought of a service after looks at its container."""

from collections.abc import Iterable

import pytest

from homeops.deploy.containers import RESTARTS, Look, Verdict, Watch, look_of


def look(state: str = "running", **more: object) -> Look:
    return Look("web", "p-web-1", state, **{"project": "p", "started": "t0", **more})  # pyright: ignore[reportArgumentType]


def watched(looks: Iterable[tuple[float, Look]], *, stable: float = 10, one_shot: tuple[str, ...] = ()) -> Verdict:
    """The verdict after the last of looks at these times."""
    watch = Watch("p", stable, one_shot)
    verdict = Verdict("waiting", "")
    for moment, seen in looks:
        verdict = watch.judge(seen, moment)
    return verdict


def test_a_health_check_decides_where_there_is_one() -> None:
    assert watched([(0, look(health="starting"))]).how == "waiting"
    assert watched([(0, look(health="starting")), (300, look(health="starting"))]).how == "waiting"
    assert watched([(0, look(health="starting", probe="no\nnot yet"))]).words == "health: starting: not yet"
    assert watched([(0, look(health="healthy"))]).how == "healthy"


def test_unhealthy_is_final_only_when_it_stays_so() -> None:
    sick = look(health="unhealthy", probe="curl: (7)\nconnection refused")
    assert watched([(0, sick)]) == Verdict("waiting", "unhealthy: connection refused")
    assert watched([(0, sick), (10, sick)]) == Verdict("failed", "unhealthy: connection refused")
    assert watched([(0, sick), (5, look(health="healthy"))]).how == "healthy"


def test_without_health_check_it_has_to_run_for_a_while_in_one_piece() -> None:
    assert watched([(0, look())]).how == "waiting"
    assert watched([(0, look()), (9.9, look())]).how == "waiting"
    assert watched([(0, look()), (10, look())]) == Verdict("healthy", "running")
    assert watched([(0, look())], stable=0).how == "healthy"


@pytest.mark.parametrize("change", [{"started": "t1"}, {"restarts": 1}, {"container": "p-web-2"}])
def test_a_restart_or_another_container_starts_the_time_anew(change: dict[str, object]) -> None:
    fields = {"service": "web", "container": "p-web-1", "state": "running", "project": "p", "started": "t0", **change}
    again = Look(**fields)  # pyright: ignore[reportArgumentType]
    assert watched([(0, look()), (9, again), (12, again)]).how == "waiting"
    assert watched([(0, look()), (9, again), (19, again)]).how == "healthy"


def test_flapping_is_waited_for_and_then_failed() -> None:
    def flapping(restarts: int) -> Look:
        return look("running", restarts=restarts, started=f"t{restarts}")

    some = [(float(n), flapping(n)) for n in range(RESTARTS)]
    assert watched(some).how == "waiting"
    assert watched([*some, (float(RESTARTS), flapping(RESTARTS))]).how == "failed"
    # A health check that never gets to its end between two restarts.
    starting = [(0.0, look(health="starting")), (1.0, look(health="starting", restarts=RESTARTS))]
    assert watched(starting).words == f"keeps restarting, {RESTARTS} times since the deploy"
    # Restarts of earlier days are not this deploy's.
    assert watched([(0, look(restarts=70)), (10, look(restarts=70))]).how == "healthy"
    verdict = watched([(0, look(restarts=0)), (1, look("restarting", restarts=RESTARTS, exit_code=3))])
    assert verdict == Verdict("failed", f"restarting, exit code 3, {RESTARTS} times since the deploy")


def test_an_ended_container_failed_unless_it_is_declared_to_end_with_0() -> None:
    ended = Verdict("failed", 'exited with code 0; if it may end, the stack says so: health=Health(one_shot=["web"])')
    assert watched([(0, look("exited", exit_code=0))]) == ended
    assert watched([(0, look("exited", exit_code=0))], one_shot=("web",)) == Verdict("healthy", "done")
    assert watched([(0, look("exited", exit_code=4))], one_shot=("web",)) == Verdict("failed", "exited with code 4")
    assert watched([(0, look("dead", exit_code=137, killed=True))]).words == "exited with code 137, out of memory"


def test_other_states() -> None:
    assert watched([(0, look("created"))]).how == "waiting"
    assert watched([(0, look(""))]) == Verdict("waiting", "not there")
    assert watched([(0, look("paused"))]).how == "failed"


def test_a_container_of_another_project_is_not_this_stack_s() -> None:
    verdict = watched([(0, look(project="other", health="healthy"))])
    assert verdict == Verdict("failed", 'its container p-web-1 belongs to compose project "other"')


def test_a_look_is_read_from_docker_inspect() -> None:
    inspection = {
        "Name": "/p-web-1",
        "RestartCount": 2,
        "Image": "sha256:abc",
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "StartedAt": "t0",
            "Health": {
                "Status": "unhealthy",
                "Log": [{"ExitCode": 1, "Output": "no\n"}, {"ExitCode": 0, "Output": ""}],
            },
        },
        "Config": {"Image": "nginx:1", "Labels": {"com.docker.compose.project": "p"}},
    }
    assert look_of("web", inspection) == look(
        health="unhealthy", restarts=2, image="nginx:1", image_id="sha256:abc", probe="no"
    )
    assert look_of("web", {}) == Look("web", "", "")
    assert look_of("web", {"State": {"Status": "running", "Health": {"Status": "none"}}}).health == ""
