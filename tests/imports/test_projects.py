"""What becomes of containers, who manages a project, and what is read of a host: without any Docker."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.hosts.reach import HostError, Reach
from homeops.hosts.ssh import Done
from homeops.imports import project_reading
from homeops.imports.host_report import HostReport, stack_names
from homeops.imports.inspected_compose import compose_of
from homeops.imports.managed import Known, known_to_core, managed, of_fleet
from homeops.imports.project_adoption import adoption
from homeops.imports.project_probe import COUNT, SCRIPT
from homeops.imports.project_reading import read
from homeops.imports.projects import Agent, Container, Counted, Files, Project, Running
from homeops.imports.recreation import fates
from homeops.model.fleet import Fleet
from homeops.model.kinds import Kind
from homeops.model.stack import Stack

IMAGE = "sha256:1"


def container(service: str = "web", number: int = 1, *, hash_: str = "h", **given: Any) -> Container:
    labels = {
        "project": "app",
        "service": service,
        "container-number": str(number),
        "config-hash": hash_,
        "image": IMAGE,
        "version": "2.20.0",
        "project.working_dir": "/opt/app",
        "project.config_files": "/opt/app/compose.yaml",
    } | given.pop("labels", {})
    config = {
        "Image": "app:1",
        "Env": ["PATH=/bin", "PASSWORD=hunter2"],
        "Cmd": ["run"],
        "Labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
    } | given.pop("config", {})
    host = {"NetworkMode": "app_default", "RestartPolicy": {"Name": "no"}} | given.pop("host", {})
    inspected: dict[str, Any] = {
        "Id": f"{service}{number}".ljust(64, "0"),
        "Name": f"/app-{service}-{number}",
        "Image": IMAGE,
        "Created": "2026-01-01",
        "State": {"Status": "running"},
        "Config": config,
        "HostConfig": host,
        "Mounts": [],
        "NetworkSettings": {"Networks": {"app_default": {}}},
    }
    return Container(inspected | given, IMAGE)


def project(*containers: Container, services: dict[str, Any], agent: str | None = None, **files: Any) -> Project:
    counted = [Counted("host", "5.5.0", {name: frozenset({"h"}) for name in services})]
    if agent is not None:
        counted.append(Counted("agent", "2.20.0", {name: frozenset({agent}) for name in services}))
    given: dict[str, Any] = {
        "compose": {"/opt/app/compose.yaml": yaml.safe_dump({"services": services})},
        "config": {"services": services},
        "active": frozenset(services),
        "counted": tuple(counted),
    }
    return Project("app", containers, Files("/opt/app", **(given | files)))


def outcome(found: Project) -> list[tuple[str, str]]:
    return [(fate.outcome, fate.why) for fate in fates(found)]


WEB = {"image": "app:1", "command": ["run"]}


@pytest.mark.parametrize(
    ("found", "said", "why"),
    [
        (project(container(), services={"web": WEB}), "kept", ""),
        (project(container(), services={"web": WEB}, agent="h"), "kept", ""),
        (project(container(), services={"web": WEB}, agent="x"), "recreated", "Periphery's compose 2.20.0 counts"),
        (project(container(hash_="x"), services={"web": WEB}), "recreated", "compose 2.20.0 made it, compose 5.5.0 is"),
        (
            project(container(hash_="x"), services={"web": WEB | {"image": "app:2"}}),
            "recreated",
            "image app:2, it runs app:1",
        ),
        (
            project(container(hash_="x"), services={"web": WEB | {"environment": {"PASSWORD": "new", "MORE": "1"}}}),
            "recreated",
            "environment has MORE more; other values for PASSWORD",
        ),
        (
            project(
                container(hash_="x", Mounts=[{"Type": "bind", "Source": "/a", "Destination": "/d"}]),
                services={"web": WEB | {"volumes": [{"type": "bind", "source": "/b", "target": "/d"}]}},
            ),
            "recreated",
            "/d is /b, it has /a",
        ),
        (project(container(Image="sha256:old"), services={"web": WEB}), "recreated", "is another image now"),
        (project(container(labels={"image": ""}), services={"web": WEB}), "recreated", "noted no image for it"),
        (project(container(), services={"else": WEB}), "unknown", "is not in the files any more"),
        (project(container(), services={"web": WEB | {"volumes_from": ["b"]}}), "unknown", "takes volumes"),
        (project(container(number=2), services={"web": WEB | {"scale": 0}}), "removed", "the files want 0"),
        (
            project(container(), services={}, config=None, problem="bad"),
            "unknown",
            "compose cannot read its files: bad",
        ),
        (
            project(container(), services={}, config=None, compose={"/opt/app/compose.yaml": None}),
            "recreated",
            "its compose file is gone: /opt/app/compose.yaml",
        ),
    ],
)
def test_each_reason_for_a_container_to_be_made_anew_is_told(found: Project, said: str, why: str) -> None:
    ((outcome_, reason),) = outcome(found)
    assert outcome_ == said
    assert why in reason
    assert "hunter2" not in reason + repr(found)
    assert bool(reason) == (said != "kept")


def test_who_shares_the_network_of_one_that_is_made_anew_is_made_anew_too() -> None:
    sharing = WEB | {"network_mode": "service:vpn"}
    found = project(container("app"), container("vpn", hash_="x"), services={"app": sharing, "vpn": WEB})
    assert [said for said, _ in outcome(found)] == ["recreated", "recreated"]
    assert outcome(found)[0][1] == "it shares a namespace or volumes with vpn"


def test_containers_of_docker_compose_run_are_left_out_and_named() -> None:
    one_off = container("web", 0, labels={"oneoff": "True"}, Name="/app-web-run-1")
    found = project(container(), one_off, services={"web": WEB})
    assert len(fates(found)) == 1
    assert "app-web-run-1 was made by docker compose run" in " ".join(adopted(found).notes)


def running(*projects: Project, **more: Any) -> Running:
    images = {IMAGE: {"Id": IMAGE, "Config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]}}}
    return replace(Running("5.5.0", projects, (), images, (), ()), **more)


def adopted(found: Project, **more: Any) -> Any:
    return adoption(found, "nvr", found.name, running(found, **more))


def test_files_that_periphery_cannot_see_have_to_be_mounted_first() -> None:
    compose = {"/opt/app/compose.yaml": "include: [b.yaml]\nservices: {web: {image: 'app:1'}}\n"}
    found = project(container(), services={"web": WEB}, compose=compose)
    blind = adopted(found, agent=Agent("p", "5.5.0", ("/etc/komodo",)))
    assert "Periphery's container does not see /opt/app" in " ".join(blind.notes)
    seeing = adopted(found, agent=Agent("p", "5.5.0", ("/opt",)))
    assert "does not see" not in " ".join(seeing.notes)
    assert seeing.form == "on-host"


def test_env_files_of_the_command_line_are_passed_in_their_order() -> None:
    compose = {"/opt/app/compose.yaml": "include: [b.yaml]\n"}
    option = ("/opt/app/a.env", "/etc/b.env", "/opt/app/c.env")
    found = adopted(project(container(), services={"web": WEB}, compose=compose, env_file_option=option))
    assert found.fields["env_file_path"] == "c.env"
    assert [(file.path, file.track) for file in found.fields["additional_env_files"]] == [
        ("a.env", False),
        ("/etc/b.env", False),
    ]


def test_a_variable_that_nothing_gives_a_value_is_given_the_empty_one_that_compose_counted() -> None:
    compose = {"/opt/app/compose.yaml": "services: {web: {image: 'app:${TAG}', command: '${A:-run} ${SET}'}}\n"}
    variables = {"/opt/app/.env": ("SET", "COMPOSE_FILE")}
    found = adopted(project(container(), services={"web": WEB}, compose=compose, variables=variables))
    assert found.fields["env"] == {"TAG": "", "SET": "[[APP_SET]]"}
    assert found.variables == {"APP_SET": "that of SET in /opt/app/.env"}


def test_a_secret_outside_of_an_environment_is_warned_of() -> None:
    compose = {"/opt/app/compose.yaml": "services: {web: {image: 'app:1', command: 'run --token ${APP_TOKEN}'}}\n"}
    found = project(container(), services={"web": WEB}, compose=compose, variables={"/opt/app/.env": ("APP_TOKEN",)})
    assert adopted(found).fields["env"] == {"APP_TOKEN": "[[APP_TOKEN]]"}
    assert (
        "Komodo would show APP_TOKEN, filled in outside of environment: no place for a secret" in adopted(found).notes
    )


def test_the_name_of_a_stack_is_the_projects_unless_it_is_taken() -> None:
    assert stack_names(["a", "b"], "nvr", ["b", "nvr-b"]) == {"a": "a", "b": "nvr-b-2"}
    found = project(container(), services={"web": WEB})
    named = adoption(found, "nvr", "nvr-app", running(found))
    assert (named.fields["project_name"], list(named.files)) == ("app", ["docker/stacks/nvr/nvr-app/compose.yaml"])


def test_what_docker_tells_of_a_container_is_written_without_the_images_own() -> None:
    lost = container(
        config={"Env": ["PATH=/bin", "PASSWORD=a$b"], "Cmd": ["run"], "User": "1000"},
        host={
            "NetworkMode": "app_default",
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "53/udp": [{"HostPort": "53"}]},
            "CapAdd": ["NET_ADMIN"],
            "Devices": [{"PathOnHost": "/dev/dri", "PathInContainer": "/dev/dri", "CgroupPermissions": "rwm"}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        },
        Mounts=[
            {"Type": "volume", "Name": "app_data", "Source": "/var", "Destination": "/data", "RW": True},
            {"Type": "volume", "Name": "others", "Source": "/var", "Destination": "/others", "RW": True},
            {"Type": "volume", "Name": "0" * 64, "Source": "/var", "Destination": "/cache", "RW": True},
            {"Type": "bind", "Source": "/etc/x", "Destination": "/etc/x", "RW": False},
        ],
        NetworkSettings={"Networks": {"app_default": {}, "proxy": {}}},
    )
    found = project(lost, services={}, compose={"/opt/app/compose.yaml": None}, config=None)
    volumes = ({"Name": "app_data", "Labels": {"com.docker.compose.project": "app"}, "Driver": "local"},)
    networks = ({"Name": "app_default", "Labels": {"com.docker.compose.project": "app"}, "Driver": "bridge"},)
    made = compose_of(found, running(found, volumes=volumes, networks=networks))
    assert yaml.safe_load(made.text) == {
        "services": {
            "web": {
                "image": "app:1",
                "command": ["run"],
                "user": "1000",
                "restart": "on-failure:3",
                "env_file": [{"path": "web.env", "format": "raw"}],
                "ports": ["127.0.0.1:8080:80", "53:53/udp"],
                "volumes": ["data:/data", "/etc/x:/etc/x:ro", "others:/others"],
                "devices": ["/dev/dri:/dev/dri"],
                "cap_add": ["NET_ADMIN"],
                "networks": ["default", "proxy"],
                "logging": {"driver": "json-file", "options": {"max-size": "10m"}},
            }
        },
        "networks": {"proxy": {"external": True, "name": "proxy"}},
        "volumes": {"data": {}, "others": {"external": True, "name": "others"}},
    }
    assert made.env_files == {"web.env": ("PASSWORD",)}
    assert made.counting["services"]["web"]["environment"] == {"PASSWORD": "a$$b"}


class Core:
    """What Core has of a kind."""

    def list_all(self, kind: Kind, /) -> list[dict[str, Any]]:
        if kind.name == "Server":
            return [{"_id": {"$oid": "1"}, "name": "nvr"}]
        return [
            {"name": "one", "config": {"server_id": "1", "project_name": ""}, "info": {"deployed_project_name": "was"}},
            {"name": "two", "config": {"server_id": "1", "project_name": "pinned"}, "info": {}},
            {"name": "app", "config": {"server_id": "2"}, "info": {}},
        ]


def test_projects_of_stacks_are_known_by_the_name_they_have_on_that_host() -> None:
    core = known_to_core(Core())
    assert {(host, name) for host, name in core.projects if host} == {
        ("nvr", "one"),
        ("nvr", "was"),
        ("nvr", "pinned"),
    }
    fleet = of_fleet(Fleet(stacks=(Stack("site", host="nvr", project_name="app"),)))
    found = running(project(container(), services={"web": WEB}))
    assert managed(found, "nvr", core) == {}
    assert managed(found, "nvr", fleet.together(core)) == {"app": 'stack "site" of the fleet'}
    assert managed(found, "omni", fleet) == {}
    agent = Agent(found.projects[0].containers[0].id, "", ())
    assert list(managed(replace(found, agent=agent), "nvr", Known())) == ["app"]


def test_the_declarations_are_one_module_that_python_reads() -> None:
    found = project(container(), services={"web": WEB})
    report = HostReport("nvr", "ssh root@nvr", "5.5.0", (adopted(found),), {}, (), variable="nvr")
    space: dict[str, Any] = {}
    exec(report.files()["homeops/fleet/adopted_nvr.py"], space)  # noqa: S102 - the very text that was written
    (stack,) = space["STACKS"]
    assert (stack.name, stack.host_name, stack.auto_pull, stack.problems) == ("app", "nvr", False, ())


def test_a_host_without_projects_says_so_in_one_line() -> None:
    report = HostReport("nvr", "ssh root@nvr", "5.5.0", (), {}, ())
    assert list(report.lines()) == [
        "nvr: no compose projects that Komodo does not manage; no containers without compose"
    ]
    assert report.files() == {}


@pytest.mark.parametrize("script", [SCRIPT, COUNT], ids=["script", "count"])
def test_the_scripts_are_plain_shell(script: str, shellcheck: str) -> None:
    done = subprocess.run([shellcheck, "-s", "sh", "-"], input=script, text=True, capture_output=True, check=False)
    assert done.stdout == ""


TOOLS = ("sh", "env", "base64", "tr", "tail", "head", "sort", "sed", "awk", "grep")


@pytest.mark.parametrize(
    ("docker", "said"),
    [
        ("", "its containers cannot be listed: docker is not installed"),
        (
            "echo 'permission denied: /var/run/docker.sock' >&2; exit 1",
            "cannot be listed: permission denied: ",
        ),
        ('[ "$1" = ps ] && echo 1 || kill -9 "$PPID"', "looking at its containers did not come to an end"),
    ],
)
def test_a_host_whose_docker_cannot_be_asked_is_an_error_in_words(
    docker: str, said: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TOOLS:
        (tmp_path / name).symlink_to(shutil.which(name) or "/missing")
    if docker:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{docker}\n")
        (tmp_path / "docker").chmod(0o755)

    def run(*_: object, **__: object) -> Done:
        done = subprocess.run(
            ["sh", "-c", SCRIPT], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    monkeypatch.setattr(project_reading, "run", run)
    with pytest.raises(HostError) as error:
        project_reading.running_on(Reach("nvr", "127.0.0.1", 22, "root", tmp_path / "known_hosts", 5))
    assert said in str(error.value)
    if not docker:
        assert str(error.value) in (root / "docs" / "errors.md").read_text()


def test_what_was_printed_is_read_whatever_stands_in_it() -> None:
    def line(*fields: str) -> str:
        return "\t".join((fields[0], *(base64.b64encode(field.encode()).decode() for field in fields[1:])))

    inspected = dict(container().inspected)
    printed = [
        line("compose", "5.5.0"),
        line("containers", json.dumps([inspected])),
        line("image", "app:1", IMAGE),
        "noise that a login shell prints",
        line("project", "app", "/opt/app", "/opt/app/compose.yaml", ""),
        line("file", "/opt/app/compose.yaml", "services:\n  wéb: {}\n"),
        line("variables", "/opt/app/.env", "A\nB\n"),
        line("refused", "failed to read /opt/app/.env: line 1: unexpected character in variable name hunter2"),
        line("hashes", "host", "web h\n"),
        line("hashes", "host", "web other\n"),
        line("end"),
    ]
    (found,) = read("\n".join(printed) + "\n").projects
    assert found.files.compose == {"/opt/app/compose.yaml": "services:\n  wéb: {}\n"}
    assert found.files.variables == {"/opt/app/.env": ("A", "B")}
    assert "hunter2" not in found.files.problem
    assert found.files.counted == (Counted("host", "5.5.0", {"web": frozenset({"h", "other"})}),)
