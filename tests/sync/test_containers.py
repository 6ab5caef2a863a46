"""What becomes of containers is told before it happens, and it is what happens."""

import pytest

from tests.sync.test_guards import ROOMY
from tests.sync.world import SERVERS, World, stack


def effects(world: World) -> dict[str, str]:
    return {change.name: change.effect for change in world.look(leave=ROOMY).at.changes}


def running(world: World, host: str = "alpha") -> list[str]:
    return sorted(str(one["name"]) for one in world.lab.hosts[host].containers() if one["state"] == "running")


def test_a_deleted_stack_is_taken_down(world: World) -> None:
    world.applied(SERVERS + stack("web", "deploy = true") + stack("idle"), delete=True)
    assert running(world) == ["web-web-1"]
    world.declare(SERVERS, delete=True)
    assert effects(world) == {
        "web": "Komodo stops and removes web-web-1 on alpha; named volumes stay on the host",
        "idle": "nothing of it runs",
    }
    assert world.run().ok
    assert running(world) == []


def test_a_moved_stack_leaves_its_containers_behind(world: World) -> None:
    world.applied(SERVERS + stack("web", "deploy = true"))
    world.declare(SERVERS + stack("web", "deploy = true", server="beta"))
    assert effects(world) == {"web": "Komodo loses sight of web-web-1 on alpha, and does not stop them"}
    assert world.run().ok
    assert running(world) == running(world, "beta") == ["web-web-1"]


@pytest.mark.parametrize(("project", "leaves"), [("web", False), ("other", True)])
def test_another_project_leaves_containers_behind_but_not_the_same_one(
    world: World, project: str, leaves: bool
) -> None:
    world.applied(SERVERS + stack("web", "deploy = true"))
    world.declare(SERVERS + stack("web", "deploy = true", f'project_name = "{project}"'))
    assert ("loses sight" in effects(world)["web"]) is leaves


def test_a_deleted_server_without_containers_frees_its_stacks(world: World) -> None:
    world.applied(SERVERS + stack("idle", server="beta"), delete=True)
    alpha = "[[server]]" + SERVERS.split("[[server]]")[1]
    world.declare(alpha + stack("idle", server=""), delete=True)
    assert effects(world)["beta"] == "idle will be on no server"
    world.declare(alpha, delete=True)
    assert effects(world)["beta"] == "its Periphery stays"


def test_a_deployment_and_the_checkout_of_a_repo_are_told_too(world: World) -> None:
    text = (
        '[[deployment]]\nname = "app"\ndeploy = true\n[deployment.config]\nserver = "alpha"\n'
        'image = { type = "Image", params.image = "busybox" }\n'
        '[[repo]]\nname = "code"\n[repo.config]\nserver = "alpha"\n'
    )
    world.applied(SERVERS + text, delete=True)
    world.declare(SERVERS, delete=True)
    assert effects(world) == {
        "app": "Komodo stops and removes app on alpha; named volumes stay on the host",
        "code": "its checkout on the host is deleted too",
    }
