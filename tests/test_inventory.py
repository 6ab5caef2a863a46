"""The outputs: what they say of the fleet, and that their form is the one that is promised."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from homeops.compose.compose_file import read_compose
from homeops.fleet import declare
from homeops.fleet_graph import fleet_graph
from homeops.inventory import SCHEMA, ansible_inventory, outputs, prometheus_targets
from homeops.model.fleet import Fleet
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.stack import Stack
from homeops.settings import load_settings
from tests.example_site import example_settings, example_site

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = json.loads((ROOT / "homeops/outputs.schema.json").read_text(encoding="utf-8"))
PERIPHERY = ContainerPeriphery(path="/root/komodo-periphery/compose.yaml")


def problems(value: Any) -> list[str]:
    Draft202012Validator.check_schema(DOCUMENT)
    validator: Any = Draft202012Validator(DOCUMENT)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


@pytest.fixture(scope="module")
def produced() -> dict[str, Any]:
    """The outputs of this repository's fleet before anything is made."""
    site = load_settings("prod", ROOT)
    fleet = declare(site)
    return json.loads(json.dumps(outputs(fleet, fleet_graph(fleet, site, ROOT), site, {}, ROOT)))


def test_the_outputs_have_the_promised_form(produced: dict[str, Any]) -> None:
    assert problems(produced) == []
    assert DOCUMENT["properties"]["schema"]["const"] == SCHEMA == produced["schema"]


SPOILS: list[Callable[[dict[str, Any]], object]] = [
    lambda value: value.pop("stacks"),
    lambda value: value.update(schema=2),
    lambda value: value.update(extra=1),
    lambda value: value["hosts"]["nvr"].update(secret="x"),
    lambda value: value["hosts"]["nvr"]["ssh"].update(port="22"),
    lambda value: value["stacks"]["frigate"].update(stackId="frigate"),
    lambda value: value["prometheusTargets"][0].update(targets=["http://x/metrics"]),
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_another_form_is_refused(produced: dict[str, Any], spoil: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(json.dumps(produced))
    spoil(value)
    assert problems(value) != []


def test_every_host_and_every_stack_is_there_once(produced: dict[str, Any]) -> None:
    of_hosts = [stack for host in produced["hosts"].values() for stack in host["stacks"]]
    assert sorted(of_hosts) == sorted(produced["stacks"])
    for name, stack in produced["stacks"].items():
        assert name in produced["hosts"][stack["host"]]["stacks"]
    assert len(produced["hosts"]) == 6
    assert len(produced["stacks"]) == 13


def test_no_secret_is_in_the_outputs(produced: dict[str, Any]) -> None:
    text = json.dumps(produced)
    assert "ENC[" not in text
    assert not re.search(r'(?i)"[^"]*(password|secret|token|api_?key)[^"]*": ', text)


def test_ansible_reaches_each_host_as_the_settings_say(produced: dict[str, Any]) -> None:
    inventory = produced["ansibleInventory"]["all"]
    assert inventory["hosts"]["server04"] == {
        "ansible_host": "192.168.11.17",
        "ansible_user": "mohitsharma44",
        "ansible_port": 22,
        "ansible_become": True,
        "homeops_role": "App server and build server",
        "homeops_periphery": "container",
        "homeops_periphery_path": "~/komodo-periphery/compose.yaml",
    }
    assert inventory["hosts"]["komodo"]["ansible_become"] is False
    assert set(inventory["children"]["periphery_systemd"]["hosts"]) == {"komodo"}
    assert len(inventory["children"]["periphery_container"]["hosts"]) == 5
    assert set(inventory["children"]["build"]["hosts"]) == {"server04"}
    members = {host for group in inventory["children"].values() for host in group["hosts"]}
    assert members <= set(inventory["hosts"])


def test_groups_have_names_that_ansible_takes() -> None:
    hosts = [Host("one", periphery=PERIPHERY, tags=["a-b", "4k", "ä.ö"])]
    groups = ansible_inventory(Fleet(hosts=hosts), example_site("one"))["all"]["children"]
    assert set(groups) == {"a_b", "_4k", "___", "periphery_container"}


def test_targets_are_the_ports_that_are_open_to_the_network(produced: dict[str, Any]) -> None:
    targets = {
        (row["labels"]["host"], row["labels"].get("stack"), row["labels"]["service"], row["targets"][0].split(":")[1])
        for row in produced["prometheusTargets"]
    }
    assert {(host, stack, service) for host, stack, service, port in targets if port == "8120"} == {
        (host, None, "periphery") for host in produced["hosts"]
    }
    published = {(host, stack, service, port) for host, stack, service, port in targets if stack}
    assert published == {
        ("komodo", "komodo-core", "core", "9120"),
        ("nvr", "frigate", "frigate", "8971"),
        ("server04", "traefik", "traefik", "80"),
        ("server04", "traefik", "traefik", "443"),
        ("seaweedfs", "seaweedfs", "seaweedfs", "8333"),
    }


def test_what_answers_only_on_its_host_is_no_target(produced: dict[str, Any]) -> None:
    """Alloy listens on 127.0.0.1 alone, and so is no target."""
    alloy = read_compose(ROOT / "docker/stacks/shared/alloy/compose.yaml").service("alloy")
    assert alloy.network_mode == "host"
    assert "127.0.0.1:12345" in (ROOT / "docker/stacks/shared/alloy/compose.yaml").read_text(encoding="utf-8")
    assert not any("12345" in target for row in produced["prometheusTargets"] for target in row["targets"])


def _targets(root: Path, compose: str, address: str = "10.0.0.1") -> list[str]:
    """The targets of a stack beside Periphery's."""
    directory = root / "docker/stacks/one/web"
    directory.mkdir(parents=True)
    (directory / "compose.yaml").write_text(compose, encoding="utf-8")
    settings = example_settings("one")
    settings["hosts"]["one"]["address"] = address
    site = type(example_site("one")).model_validate(settings)
    fleet = Fleet(hosts=[Host("one", periphery=PERIPHERY)], stacks=[Stack("web", host="one")])
    rows = prometheus_targets(fleet, fleet_graph(fleet, site, root), site, root)
    return [target for row in rows for target in row["targets"] if row["labels"].get("stack")]


@pytest.mark.parametrize(
    ("port", "found"),
    [
        ('"80:8080"', ["10.0.0.1:80"]),
        ('"0.0.0.0:80:8080"', ["10.0.0.1:80"]),
        ('"8000-8002:8000-8002"', ["10.0.0.1:8000", "10.0.0.1:8001", "10.0.0.1:8002"]),
        ('{target: 8080, published: "80"}', ["10.0.0.1:80"]),
        # On the host alone, of another protocol, left to Docker, or known to the environment alone.
        ('"127.0.0.1:80:8080"', []),
        ('"[::1]:80:8080"', []),
        ('"53:53/udp"', []),
        ('"8080"', []),
        ('"${PORT}:8080"', []),
    ],
)
def test_which_published_ports_are_targets(tmp_path: Path, port: str, found: list[str]) -> None:
    assert _targets(tmp_path, f"services:\n  web:\n    image: nginx:1.27\n    ports:\n      - {port}\n") == found


def test_a_target_with_an_address_of_version_6(tmp_path: Path) -> None:
    compose = "services: {web: {image: 'nginx:1', ports: ['80:80']}}\n"
    assert _targets(tmp_path, compose, "fd00::1") == ["[fd00::1]:80"]


def test_no_target_stands_there_twice(produced: dict[str, Any]) -> None:
    counts = Counter(target for row in produced["prometheusTargets"] for target in row["targets"])
    assert max(counts.values()) == 1


def test_every_output_is_documented() -> None:
    text = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
    names = [
        *DOCUMENT["properties"],
        *DOCUMENT["$defs"]["host"]["properties"],
        *DOCUMENT["$defs"]["stack"]["properties"],
    ]
    names += DOCUMENT["$defs"]["targets"]["properties"]["labels"]["properties"]
    assert [name for name in names if f"`{name}`" not in text] == []
