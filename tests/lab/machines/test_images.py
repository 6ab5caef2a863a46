"""Hosts whose Periphery runs in a container, and the door to Core: for real, as the fleet declares them."""

import socket
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from homeops.hosts.periphery_compose import IMAGE
from homeops.lab.core.agents_machine import MachineAgents
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.machines.core_door import core_door
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines
from homeops.lab.machines.periphery_image import periphery_image
from homeops.lab.machines.picked_layers import python_layer
from homeops.lab.machines.storage import Image
from homeops.model.conventions import DECRYPT, KEEP_SECRETS_OUT
from homeops.model.site import Site
from tests.conftest import ROOT
from tests.lab.heard import Heard
from tests.lab.machines.operators import PROVIDER, Operator, operator_of
from tests.lab.rehearsed import Rehearsed, stages
from tests.recovery.fleet import Tool

# The first one on a machine makes the image, from packages.
pytestmark = pytest.mark.timeout(900)

HOSTS = ("nvr", "server04")
SECRET = "correct horse $battery 'staple' ünïcode"
CORE = "ghcr.io/moghtech/komodo-core"
ANSWER = b"2.3.2"
VERSIONS = (
    "periphery --version; docker version; docker compose version; openssl version; age --version; command -v curl"
)
COMPOSE = """\
services:
  web:
    image: traefik:{tag}
    env_file: [{{path: web.env, format: raw}}]
"""


class CoreOfHosts(Rehearsed):
    """A Core that reaches machines, whose git is what these clone from."""

    def __init__(self, place: Path) -> None:  # pyright: ignore[reportMissingSuperCall] - other hosts
        self.core = Core(Settings(execution_seconds=0.01))
        self.core.agents = MachineAgents(directory=place, core_key=lambda: self.core.public_key)
        self.git = self.core.agents.repositories


@dataclass(frozen=True)
class Lab:
    """Hosts, a Core that knows them, and the port of this machine that the door leads to."""

    operator: Operator
    core: CoreOfHosts
    port: int

    @property
    def gateway(self) -> str:
        """This machine, as hosts see it."""
        return self.operator.up.places.gateway


@pytest.fixture(scope="module")
def lab(
    engine: Engine, environ: dict[str, str], tool: Tool, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Lab]:
    place = tmp_path_factory.mktemp("images")
    core = CoreOfHosts(place)
    ports: list[int] = []

    def offer(machines: Machines, site: Site) -> Sequence[Image]:
        gateway = machines.have_places(HOSTS).gateway
        with socket.create_server((gateway, 0)) as probe:
            ports.append(int(probe.getsockname()[1]))
        image, versions = machines.have_image(Heard()), site.versions
        return [
            periphery_image(
                engine, image, machines.root, environ, IMAGE, versions.periphery_image_tag, versions.komodo
            ),
            core_door(python_layer(engine, image), CORE, versions.komodo, f"{gateway}:{ports[0]}"),
        ]

    komodo = {"publicKey": core.core.public_key}
    with operator_of(engine, environ, place, tool, hosts=HOSTS, offer=offer, komodo=komodo) as operator:
        assert operator.set_right(*HOSTS) == []
        for host in HOSTS:
            config = {"address": operator.up.periphery(host), "enabled": True}
            core.write("CreateServer", name=host, config=config)
        yield Lab(operator, core, ports[0])


def test_the_agent_in_its_container_answers_core_over_tls_and_stays(lab: Lab) -> None:
    for host in HOSTS:
        (server,) = [found for found in lab.core.read("ListServers") if found["name"] == host]
        assert (server["info"]["state"], server["info"]["version"]) == ("Ok", "2.3.2")
        stands_for = "docker inspect --format '{{index .Config.Labels \"homeops.lab.stand-in-for\"}}' $(docker ps -q)"
        assert lab.operator.on(host, stands_for) == f"{IMAGE}:latest"
        said = lab.operator.on(host, f"docker exec $(docker ps -q) sh -euc '{VERSIONS}'")
        assert said.startswith("periphery 2.3.2\n")
    assert lab.operator.set_right(*HOSTS) == []
    assert sorted(lab.operator.told[-2:]) == [f"{host}: nothing to change" for host in HOSTS]


@pytest.mark.parametrize("host", HOSTS)
def test_a_deploy_decrypts_in_the_agents_container_and_runs_on_the_host(lab: Lab, host: str, tool: Tool) -> None:
    types = ("--input-type", "dotenv", "--output-type", "dotenv")
    sops = [*tool("sops"), "--config", "/dev/null", "encrypt", "--age", lab.operator.recipient, *types, "/dev/stdin"]
    secret = subprocess.run(sops, input=f"TOKEN={SECRET}\n", capture_output=True, text=True, check=True).stdout
    (tag,) = {line.rpartition(":")[2] for line in _lines("traefik:")}
    lab.core.git.push("owner/web", {"compose.yaml": COMPOSE.format(tag=tag), "web.sops.env": secret}, "files")
    config = {
        "server_id": host,
        "repo": "owner/web",
        "git_provider": PROVIDER,
        "pre_deploy": {"path": "", "command": f"{DECRYPT}\n"},
        "compose_cmd_wrapper": KEEP_SECRETS_OUT,
        "compose_cmd_wrapper_include": ["config"],
    }
    name = f"web-on-{host}"
    lab.core.write("CreateStack", name=name, config=config)
    update = lab.core.run("DeployStack", stack=name)
    assert update["success"], [entry["stderr"][-300:] for entry in update["logs"]]
    hook = ["Pre Deploy", "Compose Config", "Compose Pull", "Compose Up"]
    assert stages(update) == ["Clone Repo", "Latest Commit", *hook]
    assert lab.operator.on(host, f"docker exec {name}-web-1 sh -c 'printf %s \"$TOKEN\"'") == SECRET
    assert lab.operator.on(host, f"stat -c %a /etc/komodo/stacks/{name}/web.env") == "600"
    assert lab.core.state(name) == "running"
    assert "battery" not in str(update)


def test_cores_own_stack_is_a_door_to_the_core_that_runs_here(lab: Lab) -> None:
    on = lab.operator.on
    # Docker of Debian 12 looks at a container's health only as often as it does later.
    text = (ROOT / "docker/stacks/komodo/core/compose.yaml").read_text().replace("interval: 30s", "interval: 1s")
    account = "KOMODO_DATABASE_USERNAME=a\nKOMODO_DATABASE_PASSWORD=b\n"
    for name, content in {"compose.yaml": text, "database.env": account, ".env": ""}.items():
        on("nvr", f"mkdir -p /root/core; cat > /root/core/{name} <<'END'\n{content}\nEND")
    settings = "KOMODO_VERSION=2.3.2 KOMODO_HOST=http://core.example TIMEZONE=UTC"
    on("nvr", f"cd /root/core && {settings} docker compose up --detach 2>&1")
    ask = "curl --silent --max-time 10 http://127.0.0.1:9120/version"
    look = "docker inspect --format '{{.State.Health.Status}} {{.State.Health.FailingStreak}}' core-core-1"

    def becomes(wanted: str) -> None:
        on("nvr", f"for n in $(seq 100); do {look} | grep -qx '{wanted}' && exit; sleep 0.3; done; {look} >&2; exit 1")

    # Nothing came, or the connection was reset, whichever curl notices first.
    assert on("nvr", f"{ask} || echo $?") in ("52", "56")
    becomes("starting 0")
    with _core(lab.gateway, lab.port):
        becomes("healthy 0")
        assert on("nvr", ask) == ANSWER.decode()
    becomes(".*healthy [1-9].*")
    on("nvr", f"cd /root/core && {settings} docker compose down --volumes 2>&1")


@contextmanager
def _core(address: str, port: int) -> Generator[None]:
    """A web server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is that of the class above
            """Nothing."""

    with ThreadingHTTPServer((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def _lines(image: str) -> list[str]:
    text = (ROOT / "docker/stacks/server04/traefik/compose.yaml").read_text()
    return [line.strip() for line in text.splitlines() if line.strip().startswith(f"image: {image}")]
