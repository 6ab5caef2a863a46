"""Deploys for real: a simulated Core, the stand-in Periphery on this machine, its Docker engine, git, sops and age."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeops.lab.core import agents_looks
from tests.lab.machined import Image, Machined, docker, need_docker
from tests.lab.rehearsed import stages

SECRET = "correct horse $battery 'staple' ünïcode"
WRAPPER = {
    "compose_cmd_wrapper": "[[COMPOSE_COMMAND]] --no-env-resolution",
    "compose_cmd_wrapper_include": ["config"],
}
HOOK = {"pre_deploy": {"path": "", "command": "sops-decrypt.sh"}}
GIT = ["Clone Repo", "Latest Commit"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    need_docker()
    made = Image(tmp_path_factory.mktemp("image"))
    yield made.name
    made.remove()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[Machined]:
    # The containers go before the image that they are of.
    assert image
    made = Machined(tmp_path_factory.mktemp("machined"), f"homeops-test-{os.getpid()}")
    yield made
    made.close()


def compose(image: str, service: str = "") -> str:
    return (
        "services:\n  web:\n"
        f"    image: {image}\n"
        "    command: [sleep, '1000']\n    init: true\n    pull_policy: never\n"
        f"    stop_grace_period: 1s\n{service}"
    )


def with_secret(lab: Machined, image: str, value: str = SECRET) -> dict[str, str]:
    env_file = "    env_file: [{path: web.env, format: raw}]\n    volumes: [data:/data]\nvolumes:\n  data: {}\n"
    return {"compose.yaml": compose(image, env_file), "web.sops.env": lab.encrypted(f"TOKEN={value}\n")}


def entry(update: dict[str, Any], stage: str) -> dict[str, Any]:
    return next(found for found in update["logs"] if found["stage"] == stage)


def container(lab: Machined, project: str) -> dict[str, Any]:
    return next(found for found in lab.read("ListContainers", server="alpha") if found["name"] == f"{project}-web-1")


def token(name: str) -> str:
    """What the container's process has for its secret."""
    return docker("exec", name, "sh", "-c", 'printf %s "$TOKEN"')


def test_a_decrypted_value_arrives_in_the_container_and_nowhere_in_core(lab: Machined, image: str) -> None:
    update = lab.deployed("secret", with_secret(lab, image), **HOOK, **WRAPPER)
    project = lab.project("secret")
    assert update["success"], update["logs"]
    assert stages(update) == [*GIT, "Pre Deploy", "Compose Config", "Compose Pull", "Compose Up"]
    assert token(f"{project}-web-1") == SECRET
    assert lab.state(project) == "running"
    plain = lab.periphery.root / "stacks" / project / "web.env"
    assert plain.stat().st_mode & 0o777 == 0o600
    stack = lab.read("GetStack", stack=project)
    assert stack["info"]["deployed_hash"] == lab.git.head(lab.periphery.root / "stacks" / project)[0]
    assert "battery" not in json.dumps([update, stack, lab.core.dump()])


def test_without_the_wrapper_the_value_stands_in_the_log_and_in_the_merged_config(lab: Machined, image: str) -> None:
    update = lab.deployed("leak", with_secret(lab, image, "leaked-value"), **HOOK)
    assert update["success"], update["logs"]
    assert "leaked-value" in entry(update, "Compose Config")["stdout"]
    assert "leaked-value" in lab.read("GetStack", stack=lab.project("leak"))["info"]["deployed_config"]


def test_a_changed_secret_comes_with_a_pull_and_a_new_container(lab: Machined, image: str) -> None:
    lab.deployed("change", with_secret(lab, image, "first"), **HOOK, **WRAPPER)
    name = f"{lab.project('change')}-web-1"
    before = docker("inspect", "--format", "{{.Id}}", name)
    update = lab.deployed("change", with_secret(lab, image, "second"))
    assert update["success"], update["logs"]
    assert stages(update)[:3] == ["Set Git Remote", "Checkout branch", "Git pull"]
    assert token(name) == "second"
    assert docker("inspect", "--format", "{{.Id}}", name) != before


def test_a_hook_that_fails_ends_the_deploy_with_its_stage_and_words(lab: Machined, image: str) -> None:
    files = {"compose.yaml": compose(image), "web.sops.env": "TOKEN=never encrypted\n"}
    update = lab.deployed("hook", files, **HOOK)
    assert not update["success"]
    assert stages(update) == [*GIT, "Pre Deploy"]
    assert "web.sops.env: cannot decrypt" in entry(update, "Pre Deploy")["stderr"]
    assert lab.state(lab.project("hook")) == "down"


def test_hooks_run_without_input_and_with_the_environment_of_periphery_alone(lab: Machined, image: str) -> None:
    seen = "cat; env; pwd"
    config = {"pre_deploy": {"path": "", "command": seen, "shell_mode": True}, "environment": "OF_STACK=1"}
    update = lab.deployed("environment", {"compose.yaml": compose(image)}, **config)
    said = entry(update, "Pre Deploy")["stdout"]
    assert "SOPS_AGE_KEY_FILE=" in said
    assert "OF_STACK" not in said
    root = lab.periphery.root / "stacks" / lab.project("environment")
    assert said.splitlines()[-1] == str(root)
    assert (root / ".env").read_text() == "OF_STACK=1\n"
    assert "--env-file .env" in entry(update, "Compose Up")["command"]


def test_a_container_that_ends_shows_its_state_and_exit_code(lab: Machined, image: str) -> None:
    project = lab.project("fails")
    text = compose(image).replace("[sleep, '1000']", "[sh, -c, 'echo oops; exit 3']")
    assert lab.deployed("fails", {"compose.yaml": text})["success"]
    lab.until(lambda: lab.state(project), lambda state: state == "stopped")
    service = lab.read("ListStackServices", stack=project)[0]
    assert service["state"] == "Exited"
    assert service["container"]["status"].startswith("Exited (3)")
    inspected = lab.read("InspectStackContainer", stack=project, service="web")
    assert (inspected["State"]["ExitCode"], inspected["State"]["Health"]) == (3, None)
    assert lab.read("GetStackLog", stack=project, services=[], tail=10, timestamps=False)["stdout"].endswith("oops\n")


def test_health_as_docker_sees_it_is_what_core_tells(lab: Machined, image: str) -> None:
    project = lab.project("health")
    check = "    healthcheck: {test: [CMD, sh, -c, 'echo ill; exit 1'], interval: 1s, retries: 1}\n"
    lab.deployed("health", {"compose.yaml": compose(image, check)})
    found = lab.until(
        lambda: lab.read("InspectStackContainer", stack=project, service="web"),
        lambda inspected: inspected["State"]["Health"]["Status"] == "unhealthy",
    )
    assert found["State"]["Health"]["Log"][-1]["Output"] == "ill\n"
    lab.until(lambda: container(lab, project)["status"], lambda status: status.endswith("(unhealthy)"))


def test_an_image_that_nobody_has_fails_at_up_with_dockers_words(lab: Machined) -> None:
    update = lab.deployed("imageless", {"compose.yaml": compose("homeops-test-nowhere:1")}, auto_pull=False)
    assert not update["success"]
    assert stages(update)[-1] == "Compose Up"
    assert "homeops-test-nowhere" in update["logs"][-1]["stderr"]


def test_destroy_removes_containers_and_keeps_volumes(lab: Machined, image: str) -> None:
    project = lab.project("destroy")
    lab.deployed("destroy", with_secret(lab, image), **HOOK, **WRAPPER)
    assert container(lab, project)["volumes"] == [f"{project}_data"]
    update = lab.run("DestroyStack", stack=project)
    assert update["success"], update["logs"]
    assert update["logs"][0]["command"] == f"docker compose -p {project} down"
    assert lab.state(project) == "down"
    assert docker("volume", "ls", "--quiet", "--filter", f"name={project}_data") == f"{project}_data"


def test_projects_and_containers_are_those_of_the_engine(lab: Machined, image: str) -> None:
    project = lab.project("listed")
    ports = "    ports: ['127.0.0.1::8080']\n"
    lab.deployed("listed", {"compose.yaml": compose(image, ports)})
    listed = next(found for found in lab.read("ListComposeProjects", server="alpha") if found["name"] == project)
    files = [str(lab.periphery.root / "stacks" / project / "compose.yaml")]
    assert listed == {"name": project, "status": "running(1)", "compose_files": files}
    found = container(lab, project)
    assert (found["state"], found["networks"]) == ("running", [f"{project}_default"])
    assert (found["image"], "labels" in found) == (image, False)
    assert found["ports"][0]["PrivatePort"] == 8080
    lab.run("StopContainer", server="alpha", container=found["name"])
    assert container(lab, project)["state"] == "exited"


def test_a_repo_is_cloned_pulled_and_removed_on_the_machine(lab: Machined) -> None:
    lab.git.push("owner/plain", {"a.txt": "one\n"}, "first")
    config = {"server_id": "alpha", "repo": "owner/plain", "git_provider": "git.test"}
    config |= {"on_pull": {"path": "", "command": "cp a.txt copied"}}
    lab.write("CreateRepo", name="plain", config=config)
    assert lab.run("CloneRepo", repo="plain")["success"]
    lab.git.push("owner/plain", {"a.txt": "two\n"}, "second")
    update = lab.run("PullRepo", repo="plain")
    assert update["success"], update["logs"]
    directory = lab.periphery.root / "repos" / "plain"
    assert (directory / "copied").read_text() == "two\n"
    lab.write("DeleteRepo", id="plain")
    assert not directory.exists()


def test_a_deployment_takes_the_place_of_its_container(lab: Machined, image: str) -> None:
    name = f"{lab.name}-deployment"
    config = {"server_id": "alpha", "image": {"type": "Image", "params": {"image": image}}, "network": "none"}
    lab.write("CreateDeployment", name=name, config=config | {"command": "sleep 1000", "extra_args": ["--init"]})
    try:
        first = lab.run("Deploy", deployment=name)
        assert first["success"], first["logs"]
        made = docker("inspect", "--format", "{{.Id}}", name)
        assert lab.run("Deploy", deployment=name)["success"]
        assert docker("inspect", "--format", "{{.Id}} {{.State.Status}}", name).split() != [made, "running"]
        assert lab.run("DestroyDeployment", deployment=name)["success"]
        assert name not in [found["name"] for found in lab.read("ListContainers", server="alpha")]
    finally:
        docker("rm", "--force", name)


def test_an_image_is_built_on_the_machine(lab: Machined, image: str) -> None:
    name = f"{lab.name}-built"
    lab.git.push("owner/build", {"Dockerfile": f"FROM {image}\nARG SAID\nENV SAID=$SAID\n"}, "files")
    lab.write("CreateBuilder", name="here", config={"type": "Server", "params": {"server_ids": ["alpha"]}})
    config = {"builder_id": "here", "repo": "owner/build", "git_provider": "git.test", "build_args": "SAID=hello"}
    lab.write("CreateBuild", name=name, config=config)
    try:
        update = lab.run("RunBuild", build=name)
        assert update["success"], update["logs"]
        assert "SAID=hello" in docker("image", "inspect", "--format", "{{.Config.Env}}", f"{name}:latest")
    finally:
        found = docker("image", "ls", "--quiet", name).split()
        if found:
            docker("image", "rm", "--force", *set(found))


def test_information_is_that_of_the_program_and_its_key_file(lab: Machined) -> None:
    told = lab.read("GetPeripheryInformation", server="alpha")
    assert told["version"] == "2.3.2"
    key = (lab.periphery.root / "keys" / "periphery.pub").read_text().splitlines()
    assert told["public_key"] == "".join(key[1:-1])
    assert lab.read("GetSystemStats", server="alpha")["mem_total_gb"] > 0


def test_a_rotated_key_is_the_one_that_core_knows_the_machine_by(lab: Machined) -> None:
    before = lab.read("GetPeripheryInformation", server="alpha")["public_key"]
    lab.write("RotateServerKeys", server="alpha")
    after = lab.read("GetPeripheryInformation", server="alpha")["public_key"]
    assert after != before
    assert after in (lab.periphery.root / "keys" / "periphery.pub").read_text()
    lab.write("UpdateServerPublicKey", server="alpha", public_key=before)
    assert _server_state(lab) == "NotOk"
    assert _attempted(lab) == after
    lab.write("UpdateServerPublicKey", server="alpha", public_key=after)
    assert _server_state(lab) == "Ok"
    assert _attempted(lab) == ""


def test_a_server_whose_periphery_ends_is_unreachable_until_it_is_back(lab: Machined, image: str) -> None:
    project = lab.project("gone")
    lab.deployed("gone", {"compose.yaml": compose(image)})
    assert _server_state(lab) == "Ok"
    lab.periphery.stop()
    lab.until(lambda: _server_state(lab), lambda state: state == "NotOk")
    assert lab.state(project) == "unknown"
    assert docker("inspect", "--format", "{{.State.Status}}", f"{project}-web-1") == "running"
    lab.periphery.start()
    lab.until(lambda: _server_state(lab), lambda state: state == "Ok")
    assert lab.state(project) == "running"


def test_a_deploy_whose_periphery_ends_meanwhile_fails(lab: Machined, image: str) -> None:
    slow = {"pre_deploy": {"path": "", "command": "echo begun > begun; sleep 5"}}
    project = lab.project("cut")
    lab.git.push("owner/cut", {"compose.yaml": compose(image)}, "files")
    config = {"server_id": "alpha", "repo": "owner/cut", "git_provider": "git.test"} | slow
    lab.write("CreateStack", name=project, config=config)
    update = lab.begin("DeployStack", stack=project)
    begun: Path = lab.periphery.root / "stacks" / project / "begun"
    lab.until(begun.exists, bool)
    lab.periphery.stop()
    try:
        assert not lab.end(update)["success"]
    finally:
        lab.periphery.start()


def test_a_core_whose_key_periphery_does_not_know_reaches_nothing(lab: Machined) -> None:
    lab.periphery.stop()
    lab.periphery.environ = {**lab.periphery.environ, "PERIPHERY_CORE_PUBLIC_KEYS": "QW5vdGhlciBDb3Jl"}
    lab.periphery.start()
    try:
        lab.until(lambda: _server_state(lab), lambda state: state == "NotOk")
        assert lab.periphery.answered_version() == "2.3.2"
    finally:
        lab.periphery.stop()
        lab.periphery.environ = {**lab.periphery.environ, "PERIPHERY_CORE_PUBLIC_KEYS": lab.core.public_key}
        lab.periphery.start()
        lab.until(lambda: _server_state(lab), lambda state: state == "Ok")


def test_a_machine_that_hangs_keeps_nobody_else_waiting(lab: Machined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_looks, "PATIENCE_SECONDS", 2.0)
    assert _server_state(lab) == "Ok"
    process = lab.periphery.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(1.1)
        waiting = threading.Thread(target=lambda: lab.read("ListServers"))
        waiting.start()
        began = time.monotonic()
        lab.read("ListTags")
        assert time.monotonic() - began < 1
        assert waiting.is_alive()
        waiting.join()
        began = time.monotonic()
        assert _server_state(lab) == "NotOk"
        assert time.monotonic() - began < 1
    finally:
        process.send_signal(signal.SIGCONT)
    lab.until(lambda: _server_state(lab), lambda state: state == "Ok")


def _key_file(lab: Machined) -> Path:
    return lab.periphery.place / "core.pub"


@pytest.mark.parametrize("in_file", [True, False], ids=["in a file", "in the settings"])
def test_a_new_key_of_core_reaches_agents_that_have_it_in_a_file(lab: Machined, in_file: bool) -> None:
    before = lab.core.public_key
    if in_file:
        _key_file(lab).write_text(f"-----BEGIN PUBLIC KEY-----\n{before}\n-----END PUBLIC KEY-----\n")
    environ = lab.periphery.environ
    lab.periphery.stop()
    if in_file:
        lab.periphery.environ = {**environ, "PERIPHERY_CORE_PUBLIC_KEYS": f"file:{_key_file(lab)}"}
    lab.periphery.start()
    lab.until(lambda: _server_state(lab), lambda state: state == "Ok")
    try:
        update = lab.run("RotateCoreKeys", force=False)
        assert update["success"]
        assert entry(update, "Rotate Core Keys")["stdout"].endswith(">alpha</span> ✅")
        after = lab.read("GetCoreInfo")["public_key"]
        assert after != before
        lab.until(lambda: _server_state(lab), lambda state: state == ("Ok" if in_file else "NotOk"))
        assert not in_file or after in _key_file(lab).read_text()
    finally:
        lab.core.public_key = before
        lab.periphery.stop()
        lab.periphery.environ = environ
        lab.periphery.start()
        lab.until(lambda: _server_state(lab), lambda state: state == "Ok")


def _server_state(lab: Machined) -> str:
    return lab.read("GetServerState", server="alpha")["status"]


def _attempted(lab: Machined) -> str:
    """The key of an agent that Core refused."""
    return lab.read("GetServer", server="alpha")["info"]["attempted_public_key"]
