"""Configuration files beside the compose files: they parse, and every variable they read is given to them."""

import re
from pathlib import Path

import yaml

from homeops.compose.compose_file import read_compose

STACKS = Path(__file__).resolve().parents[2] / "docker" / "stacks"
ALLOY = STACKS / "shared" / "alloy"
TRAEFIK = STACKS / "server04" / "traefik"
FRIGATE = STACKS / "nvr" / "frigate"
OMNI = STACKS / "omni" / "omni"

_TOKEN = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|[\[\](){}]|"')
_BLOCK = re.compile(r'^(\w+(?:\.\w+)*)(?: "(\w+)")? \{$', re.MULTILINE)


def secret_keys(directory: Path) -> set[str]:
    return set(re.findall(r"^([A-Z]\w*)=", (directory / ".sops.env").read_text(), re.MULTILINE))


def test_alloy_brackets_and_quotes_are_closed() -> None:
    pairs = {")": "(", "]": "[", "}": "{"}
    open_brackets: list[str] = []
    for token in _TOKEN.findall((ALLOY / "config.alloy").read_text()):
        assert token != '"', "a text that is not closed on its line"
        if token in pairs.values():
            open_brackets.append(token)
        elif token in pairs:
            assert open_brackets.pop() == pairs[token]
    assert open_brackets == []


def test_alloy_components_are_unique_and_each_reference_meets_one() -> None:
    text = (ALLOY / "config.alloy").read_text()
    components = [f"{kind}.{label}" for kind, label in _BLOCK.findall(text) if label]
    assert len(components) == len(set(components))
    references = set(
        re.findall(r"\b((?:prometheus|discovery|loki)(?:\.\w+)+)\.(?:targets|output|rules|receiver)\b", text)
    )
    assert references <= set(components)
    used_by_nobody = set(components) - references
    assert used_by_nobody == {"prometheus.scrape.host", "prometheus.scrape.containers", "loki.source.docker.containers"}


def test_alloy_reads_exactly_the_variables_it_is_given() -> None:
    variables = set(re.findall(r'sys\.env\("(\w+)"\)', (ALLOY / "config.alloy").read_text()))
    assert variables == secret_keys(ALLOY) | {"HOSTNAME"}


def test_frigate_finds_every_variable_of_its_configuration() -> None:
    text = (FRIGATE / "config.yml").read_text()
    assert set(re.findall(r"\{(FRIGATE_\w+)\}", text)) == secret_keys(FRIGATE)
    roles = {
        role
        for camera in yaml.safe_load(text)["cameras"].values()
        for i in camera["ffmpeg"]["inputs"]
        for role in i["roles"]
    }
    assert roles == {"record", "detect"}


def test_traefik_routes_lead_to_services_that_exist() -> None:
    routers: dict[str, str] = {}
    services: set[str] = set()
    middlewares: set[str] = set()
    for path in sorted((TRAEFIK / "dynamic").iterdir()):
        http = yaml.safe_load(re.sub(r'\{\{ env "(\w+)" \}\}', r"\1", path.read_text())).get("http", {})
        routers |= {name: router["service"] for name, router in http.get("routers", {}).items()}
        services |= http.get("services", {}).keys()
        middlewares |= http.get("middlewares", {}).keys()
    assert set(routers.values()) == services
    static = (TRAEFIK / "compose.yaml").read_text()
    assert {f"{name}@file" for name in middlewares} == set(re.findall(r"[\w-]+@file", static))


def test_traefik_templates_read_only_variables_of_the_container() -> None:
    used: set[str] = set()
    for path in (TRAEFIK / "dynamic").iterdir():
        used |= set(re.findall(r'env "(\w+)"', path.read_text()))
    compose = yaml.safe_load((TRAEFIK / "compose.yaml").read_text())
    assert used == set(compose["services"]["traefik"]["environment"])


def test_omni_listens_where_its_advertised_addresses_say() -> None:
    listening = yaml.safe_load((OMNI / "omni.yaml").read_text())["services"]
    flags = dict(
        flag.lstrip("-").split("=", 1)
        for flag in yaml.safe_load((OMNI / "compose.yaml").read_text())["services"]["omni"]["command"]
    )
    for flag, endpoint in {
        "machine-api-advertised-url": listening["machineAPI"]["endpoint"],
        "advertised-kubernetes-proxy-url": listening["kubernetesProxy"]["endpoint"],
        "siderolink-wireguard-advertised-addr": listening["siderolink"]["wireGuard"]["endpoint"],
    }.items():
        assert flags[flag].rstrip("/").rpartition(":")[2] == endpoint.rpartition(":")[2]


def test_omni_finds_every_file_of_its_configuration() -> None:
    mounted = {volume.target for volume in read_compose(OMNI / "compose.yaml").services[0].volumes}
    text = (OMNI / "omni.yaml").read_text() + (OMNI / "compose.yaml").read_text()
    for path in set(re.findall(r"(?:File: |file://|config-path=)(/\S+)", text)):
        assert {path, str(Path(path).parent)} & mounted, path
