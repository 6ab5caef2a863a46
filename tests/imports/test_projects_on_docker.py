"""Compose projects that were started by hand on a machine of its own Docker engine, and what their adoption does."""

import json
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from homeops.cli import import_host
from homeops.cli.main import app
from homeops.hosts.reach import Reach
from homeops.imports.project_adoption import Adoption, adoption
from homeops.imports.project_reading import running_on
from homeops.imports.projects import Running
from homeops.imports.recreation import Fate
from tests.engine.core import TestCore
from tests.hosts.checkout import new_checkout
from tests.hosts.script_machine import Machine, machine
from tests.sshd import Sshd

SECRET = "hunter2-$plain"

_IMAGE = """\
for _ in $(seq 150); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
mkdir -p /tmp/image/bin
cp "$(command -v busybox)" /tmp/image/bin/busybox
for name in sh sleep cat; do ln -s busybox /tmp/image/bin/$name; done
tar -C /tmp/image -c . | docker import -c 'ENV PATH=/bin' -c 'CMD ["/bin/sleep","900"]' - app:1
docker tag app:1 other:2
"""

_WEB = """\
# Documents, and a tunnel.
services:
  vpn:
    image: app:1
  web:
    image: app:${TAG}   # pinned in .env
    network_mode: service:vpn
    env_file: .env
    environment:
      DB_URL: postgres://u:${DB_PASSWORD}@db/x
      MODE: "a$$b"
    volumes:
      - ./data:/data   # documents
      - ${MEDIA:-./media}:/media:ro
      - kept:/kept
    ports: []
  db:
    image: other:2
    env_file: [config/db.env]
    environment:
      - POSTGRES_PASSWORD=${DB_PASSWORD}
      - API_TOKEN=literal-in-the-file
      - TZ
      - MODE=prod
    configs: [settings]
  tool:
    image: app:1
    profiles: [tools]
volumes:
  kept:
configs:
  settings:
    file: ./settings.conf
"""

_STARTED = f"""\
mkdir -p /opt/web/config /opt/web/data /opt/web/media; cd /opt/web
cat >docker-compose.yml
printf '%s\\n' TAG=1 DB_PASSWORD=\\''{SECRET}'\\' TZ=Europe/Berlin >.env
printf '%s\\n' 'POSTGRES_USER="q r"' 'ZONE=${{TZ}}' >config/db.env
echo on >settings.conf
docker compose --profile tools up -d &

mkdir -p /opt/changed; cd /opt/changed
printf 'services:\\n  one: {{image: "app:1", env_file: one.env}}\\n  two: {{image: "app:1"}}\\n' >compose.yaml
echo PASSWORD=before >one.env
docker compose up -d &

mkdir -p /opt/gone; cd /opt/gone
cat >compose.yaml <<'end'
services:
  store:
    image: app:1
    command: [sleep, "600"]
    environment: {{PASSWORD: x, SIZE: "2"}}
    volumes: ["data:/data", "/opt/web/data:/else:ro"]
    ports: ["127.0.0.1:7000:70"]
    restart: unless-stopped
    labels: {{who: "me$$"}}
  odd: {{image: "app:1", attach: false}}
volumes: {{data: {{}}}}
end
docker compose up -d &

mkdir -p /opt/parts; cd /opt/parts
printf 'include: [more.yaml]\\n' >compose.yaml
printf 'services:\\n  part: {{image: "app:1"}}\\n' >more.yaml
docker compose up -d --scale part=2 &

docker run -d --name lonely app:1
# Periphery in a container, with the very docker of the machine.
for path in /usr /lib /lib64; do set -- "$@" -v $path:$path:ro; done
for path in /etc/komodo /opt/parts /var/run/docker.sock; do set -- "$@" -v $path:$path; done
label=com.docker.compose
docker run -d --name periphery -e PATH=/usr/bin:/bin --label $label.project=agent --label $label.service=periphery \\
    --label $label.oneoff=False "$@" app:1
wait

echo PASSWORD=after >/opt/changed/one.env
docker exec gone-store-1 sh -c 'echo precious >/data/file'
rm -r /opt/gone
"""


@dataclass(frozen=True)
class Seen:
    """The machine, what its probe said, and the adoption of each project."""

    machine: Machine
    sshd: Sshd
    running: Running
    adoptions: dict[str, Adoption]

    def ids(self, project: str) -> dict[str, str]:
        """Container to id, as Docker has it now."""
        ours = f"--filter label=com.docker.compose.project={project}"
        said = self.machine.sh(f"docker ps -a --no-trunc {ours} --format '{{{{.Names}}}} {{{{.ID}}}}'")
        return dict(line.split() for line in said.splitlines())

    def fates(self, project: str) -> dict[str, Fate]:
        return {fate.container.name: fate for fate in self.adoptions[project].fates}

    def deploy(self, project: str, given: dict[str, str]) -> None:
        """What Periphery does with the declaration: files from a checkout, secrets by the hook, ``up``.

        ``given``: values of Komodo's variables, and of the keys that were moved.
        """
        adopted = self.adoptions[project]
        root = f"/etc/komodo/stacks/{project}"
        for path, text in adopted.files.items():
            self.machine.sh(f"mkdir -p $(dirname {root}/{path})")
            self.machine.put(f"{root}/{path}", text)
        for file in adopted.secrets:
            plain = f"{root}/{file.path.replace('.sops.env', '.env')}"
            if file.source:
                self.machine.sh(f"cp {file.source} {plain}")
            else:
                self.machine.put(plain, "".join(f"{key}={given[key]}\n" for key in file.keys))
        directory = adopted.fields.get("run_directory") or root
        paths = adopted.fields.get("file_paths") or list(adopted.files)
        files = " -f ".join(paths)
        environment = adopted.fields.get("env")
        option = ""
        if environment:
            lines = (f"{key}={_filled(value, given)}\n" for key, value in environment.items())
            self.machine.put(f"{root}/.env", "".join(lines))
            option = " --env-file .env"
        name = adopted.fields.get("project_name", adopted.name)
        self.machine.sh(f"cd {directory}; docker compose -p {name} -f {files}{option} up -d -t 0")


def _filled(value: str, given: dict[str, str]) -> str:
    return given[value.strip("[]")] if value.startswith("[[") else value


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Generator[Seen]:
    with machine(systemd=True) as host, pytest.MonkeyPatch.context() as patch:
        host.sh(_IMAGE)
        host.put("/opt/web.yaml", _WEB)
        host.sh(f"exec </opt/web.yaml\n{_STARTED}")
        place = tmp_path_factory.mktemp("sshd")
        # Whoever comes in over SSH is on the machine.
        inside = place / "inside"
        inside.write_text(
            f'#!/bin/sh\nexec {shutil.which("docker")} exec -i {host.name} sh -c "$SSH_ORIGINAL_COMMAND"\n'
        )
        inside.chmod(0o755)
        sshd = Sshd(place)
        sshd.start(f"ForceCommand {inside}", kinds=("ed25519",))
        patch.setenv("PATH", f"{sshd.client}{os.pathsep}{os.environ['PATH']}")
        try:
            running = running_on(sshd.reach("nvr"))
        finally:
            sshd.stop()
        adoptions = {found.name: adoption(found, "nvr", found.name, running) for found in running.projects}
        yield Seen(host, sshd, running, adoptions)


def test_a_project_adopted_from_its_directory_keeps_every_container(seen: Seen) -> None:
    adopted = seen.adoptions["web"]
    assert (adopted.form, adopted.kept) == ("repository", True)
    before = seen.ids("web")
    assert sorted(before) == ["web-db-1", "web-tool-1", "web-vpn-1", "web-web-1"]
    seen.deploy(
        "web",
        {
            "WEB_TAG": "1",
            "WEB_TZ": "Europe/Berlin",
            "DB_URL": f"postgres://u:{SECRET}@db/x",
            "POSTGRES_PASSWORD": SECRET,
            "API_TOKEN": "literal-in-the-file",
            "TZ": "Europe/Berlin",
        },
    )
    assert seen.ids("web") == before


def test_no_value_of_an_environment_is_written_or_said(seen: Seen) -> None:
    for adopted in seen.adoptions.values():
        said = json.dumps([dict(adopted.fields), dict(adopted.files), adopted.notes, dict(adopted.variables)])
        said += repr(adopted) + repr(seen.running)
        assert not [value for value in (SECRET, "literal-in-the-file", "PASSWORD=before", "after") if value in said]
    assert "PASSWORD" in seen.fates("changed")["changed-one-1"].why


def test_what_is_said_to_be_made_anew_is(seen: Seen) -> None:
    said = {name: fate.outcome for name, fate in seen.fates("changed").items()}
    assert said == {"changed-one-1": "recreated", "changed-two-1": "kept"}
    before = seen.ids("changed")
    seen.deploy("changed", {})
    after = seen.ids("changed")
    assert after["changed-one-1"] != before["changed-one-1"]
    assert after["changed-two-1"] == before["changed-two-1"]


def test_a_project_without_its_file_is_written_from_its_containers(seen: Seen) -> None:
    adopted = seen.adoptions["gone"]
    assert adopted.form == "rewritten"
    said = seen.fates("gone")
    assert {name: fate.outcome for name, fate in said.items()} == {
        "gone-odd-1": "recreated",
        "gone-store-1": "kept",
    }
    assert "/opt/gone/compose.yaml" in said["gone-odd-1"].why
    before = seen.ids("gone")
    was = json.loads(seen.machine.sh("docker inspect gone-store-1"))[0]
    seen.deploy("gone", {"PASSWORD": "x", "SIZE": "2"})
    after = seen.ids("gone")
    assert after["gone-store-1"] == before["gone-store-1"]
    assert after["gone-odd-1"] != before["gone-odd-1"]
    seen.machine.sh(
        "cd /etc/komodo/stacks/gone; docker compose -p gone -f docker/stacks/nvr/gone/compose.yaml "
        "up -d -t 0 --force-recreate store"
    )
    now = json.loads(seen.machine.sh("docker inspect gone-store-1"))[0]
    assert seen.machine.sh("docker exec gone-store-1 cat /data/file") == "precious"
    for field in ("PortBindings", "RestartPolicy"):
        assert now["HostConfig"][field] == was["HostConfig"][field]
    assert sorted(now["Config"]["Env"]) == sorted(was["Config"]["Env"])
    assert now["Config"]["Cmd"] == was["Config"]["Cmd"]
    assert now["Config"]["Labels"]["who"] == was["Config"]["Labels"]["who"] == "me$"
    assert sorted(mount["Source"] for mount in now["Mounts"]) == sorted(mount["Source"] for mount in was["Mounts"])


def test_files_that_need_each_other_stay_on_the_host_and_what_was_scaled_by_hand_goes(seen: Seen) -> None:
    adopted = seen.adoptions["parts"]
    assert (adopted.form, adopted.fields["run_directory"]) == ("on-host", "/opt/parts")
    said = {name: fate.outcome for name, fate in seen.fates("parts").items()}
    assert said == {"parts-part-1": "kept", "parts-part-2": "removed"}
    before = seen.ids("parts")
    seen.deploy("parts", {})
    assert seen.ids("parts") == {"parts-part-1": before["parts-part-1"]}


def test_what_compose_did_not_make_is_listed_apart(seen: Seen) -> None:
    assert [(container.name, container.image) for container in seen.running.loose] == [("lonely", "app:1")]


def test_compose_in_peripherys_container_is_asked_too(seen: Seen) -> None:
    agent = seen.running.agent
    assert agent is not None
    assert (agent.compose_version, agent.reads("/opt/parts"), agent.reads("/opt/web")) == ("5.5.0", True, False)
    for found in seen.running.projects:
        if found.name != "agent":
            assert [counted.who for counted in found.files.counted] == ["host", "agent"]


def test_the_command_shows_writes_and_never_overwrites(
    seen: Seen, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    core = TestCore(tmp_path / "core")
    server = core.write("CreateServer", name="nvr", config={})
    core.write("CreateStack", name="hers", config={"server_id": server["_id"]["$oid"], "project_name": "changed"})
    checkout = new_checkout(root, tmp_path / "checkout", {"nvr": seen.sshd})

    def running_there(_: Reach) -> Running:
        return seen.running

    monkeypatch.setattr(import_host, "running_on", running_there)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(checkout)
        monkeypatch.setattr("sys.argv", ["homeops", "import", "--host", "nvr", *arguments, "-s", "test"])
        with pytest.raises(SystemExit) as ended:
            app()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    with core.server:
        for name, value in core.environ.items():
            monkeypatch.setenv(name, value)
        code, out, err = run("--out", str(checkout))
        assert code == 0, err
        known = json.loads(run("--json")[1])
    assert "  agent: Periphery itself, which belongs to the host\n" in out
    assert known["managed"]["changed"] == 'stack "hers", which Komodo has and the fleet does not declare'
    assert {found["project"]: found["form"] for found in known["projects"]} == {
        "gone": "rewritten",
        "parts": "on-host",
        "web": "repository",
    }
    assert (checkout / "docker/stacks/nvr/web/compose.yaml").read_text() in known["projects"][2]["files"].values()
    module = checkout / "homeops/fleet/adopted_nvr.py"
    assert "host=nvr," in module.read_text()
    for said in (out, err, json.dumps(known), module.read_text()):
        assert not [value for value in (SECRET, "literal-in-the-file") if value in said]
    module.write_text("mine")
    code, _, err = run("--out", str(checkout))
    assert (code, module.read_text()) == (1, "mine")
    assert f"{module}: is there already; nothing was written" in err
    assert "Komodo was not asked" in run()[1]
