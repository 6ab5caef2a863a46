"""The parts of a rehearsal one by one: its home, process, hosts, memory; what it makes of Pulumi's events and state."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from homeops.compose.secret_files import secret_files
from homeops.errors import LabError, ToolError
from homeops.lab.core.core import Core
from homeops.lab.home import LabHome, Running
from homeops.lab.hosts import LoopbackAgents, RehearsalHost, placeholders
from homeops.lab.memory import recall, remember
from homeops.lab.process import start, stop
from homeops.lab.progress import Outcome, follow
from homeops.lab.pulumi_cli import PulumiCli, drop_dead_locks, environment, forget_in
from tests.lab.copies import Copy
from tests.lab.heard import Heard


def home_in(directory: Path) -> LabHome:
    home = LabHome(directory)
    home.make()
    return home


def test_a_core_runs_for_as_long_as_its_process_holds_the_lock(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    with home.as_core():
        home.note(Running(os.getpid(), "http://127.0.0.1:1"))
        assert home.running() == Running(os.getpid(), "http://127.0.0.1:1")
        with pytest.raises(LabError, match="running already"), home.as_core():
            pass
    assert home.running() is None
    assert home.last() == Running(os.getpid(), "http://127.0.0.1:1")


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    home = LabHome(tmp_path)
    assert home.running() is None
    assert not stop(home)
    with pytest.raises(LabError, match="no rehearsal is running here\n  hint: make up"):
        home.access()
    assert list(tmp_path.iterdir()) == []


def test_each_lab_has_a_key_of_its_own_that_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    key, other = home_in(tmp_path / "a").key(), home_in(tmp_path / "b").key()
    assert home_in(tmp_path / "a").key() == key
    assert {key.key, key.secret, key.password}.isdisjoint({other.key, other.secret, other.password})
    assert key.secret not in repr(key)
    assert key.password not in repr(key)


def test_a_core_that_cannot_start_says_why(tmp_path: Path, root: Path) -> None:
    copy = Copy.make(root, tmp_path)
    (copy.directory / "Pulumi.lab.yaml").write_text("config:\n  homeops:lke: prod\n")
    with pytest.raises(LabError, match=r"its Core did not start\n[^$]*homeops:lke[^$]*hint: .*core\.log"):
        start(LabHome(copy.directory), 0)


# Its process is meant to outlive whoever started it, and Python warns of such.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_port_in_use_is_left_alone_and_the_one_found_is_kept(tmp_path: Path, root: Path) -> None:
    copy = Copy.make(root, tmp_path)
    home = LabHome(copy.directory)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        first, fresh = start(home, port)
        assert fresh
        assert first.address != f"http://127.0.0.1:{port}"
        assert start(home, port) == (first, False)
        assert stop(home)
    try:
        second, fresh = start(home, port)
        assert fresh
        assert second.address == first.address
    finally:
        stop(home)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_core_whose_directory_was_removed_ends(tmp_path: Path, root: Path) -> None:
    copy = Copy.make(root, tmp_path)
    running, _ = start(LabHome(copy.directory), 0)
    # Away in one step: Core writes there meanwhile.
    (copy.directory / ".lab").rename(tmp_path / "removed")
    port = int(running.address.rpartition(":")[2])
    for _ in range(100):
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)):
                return
        sleep(0.1)
    pytest.fail("it still answers after 10 s")


def test_hosts_are_on_this_machine_only(tmp_path: Path) -> None:
    agents = LoopbackAgents(directory=tmp_path)
    assert agents.reachable("https://127.0.0.3:8120")
    assert agents.reachable("https://[::1]:8120")
    for elsewhere in ("https://203.0.113.9:8120", "https://host.example:8120", ""):
        assert not agents.reachable(elsewhere)


def test_every_secret_of_the_fleet_becomes_a_placeholder(root: Path) -> None:
    seen = 0
    for directory in {path.parent for path in (root / "docker/stacks").rglob("*.sops.*")}:
        for secret in secret_files(directory):
            text = secret.encrypted.read_text()
            plain = placeholders(secret, text)
            assert "ENC[" not in plain
            assert "sops" not in plain.replace("rehearsal", "")
            assert plain.count("rehearsal") == text.partition("sops_")[0].partition("\nsops:")[0].count("ENC[AES")
            seen += 1
    assert seen > 5


@pytest.mark.parametrize(
    ("kind", "text", "plain"),
    [
        ("env", "#ENC[AES256_GCM,data:x]\nA=ENC[AES256_GCM,data:x]\nsops_mac=y\n", "A=rehearsal\n"),
        ("json", '{"a": {"b": "ENC[AES256_GCM,data:x]"}, "sops": {}}', '{\n  "a": {\n    "b": "rehearsal"\n  }\n}'),
        ("yaml", "a: ENC[AES256_GCM,data:x]\nsops:\n  mac: y\nb_plain: z\n", "a: rehearsal\nb_plain: z\n"),
    ],
)
def test_placeholders_keep_the_form(tmp_path: Path, kind: str, text: str, plain: str) -> None:
    (tmp_path / f"x.sops.{kind}").write_text(text)
    (secret,) = secret_files(tmp_path)
    assert placeholders(secret, text) == plain


def test_a_rehearsal_goes_on_where_it_was(tmp_path: Path) -> None:
    core, agents = core_in(tmp_path / "a")
    headers = {"X-API-KEY": core.settings.admin_key, "X-API-SECRET": core.settings.admin_secret}
    address = "https://127.0.0.7:8120"
    host = agents.meet(address)
    assert host
    server = ask(core, headers, "write", "CreateServer", name="s", config={"address": address, "enabled": True})
    text = "services:\n  web:\n    image: web:1\n  job:\n    image: job:1\n    command: 'false'\n"
    config = {"server_id": server["_id"]["$oid"], "file_contents": text}
    ask(core, headers, "write", "CreateStack", name="web", config=config)
    host.engine.compose(f"docker compose -p web -f {compose_file(tmp_path, text)} up -d", tmp_path)
    host.engine.containers["web-web-1"].stop(3)

    document = json.loads(json.dumps(remember(core)))
    again, their = core_in(tmp_path / "b")
    recall(again, document)

    assert json.loads(json.dumps(remember(again))) == document
    restored = their.meet(address)
    assert restored
    assert restored.containers() == host.containers()
    assert [item["state"] for item in restored.containers()] == ["exited", "exited"]
    (listed,) = ask(again, headers, "read", "ListStacks", query={})
    assert listed["name"] == "web"


def core_in(directory: Path) -> tuple[Core, LoopbackAgents]:
    directory.mkdir()
    core = Core()
    agents = LoopbackAgents(core.clock, directory=directory)
    core.agents = agents
    return core, agents


def ask(core: Core, headers: dict[str, str], route: str, request: str, **params: Any) -> Any:
    body = json.dumps({"type": request, "params": params}).encode()
    answer = core.answer("POST", f"/{route}", {"Content-Type": "application/json", **headers}, body)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def compose_file(directory: Path, text: str) -> Path:
    file = directory / "compose.yaml"
    file.write_text(text)
    return file


def test_a_decrypting_hook_is_rehearsed_and_no_other_is_run(tmp_path: Path) -> None:
    agents = LoopbackAgents(directory=tmp_path)
    host = agents.meet("https://127.0.0.8:8120")
    assert isinstance(host, RehearsalHost)
    directory = tmp_path / "stack"
    directory.mkdir()
    (directory / ".sops.env").write_text("A=ENC[AES256_GCM,data:x]\n")
    document: dict[str, Any] = {"name": "s", "config": {"on_clone": {}, "on_pull": {}}}
    for command in ("sops-decrypt.sh\n", f"touch {tmp_path}/ran\n"):
        hook = {"path": "", "command": command, "shell_mode": False}
        logged = host._command("Pre Deploy", hook, directory, [], document["name"])  # pyright: ignore[reportPrivateUsage]
        assert logged["success"], logged
    assert (directory / ".env").read_text() == "A=rehearsal\n"
    assert not (tmp_path / "ran").exists()


def event(kind: str, op: str, urn: str) -> dict[str, Any]:
    return {kind: {"metadata": {"op": op, "urn": f"urn:pulumi:lab::homeops::{urn}"}}}


STACK = "homeops:stacks:Stack$pulumi-python:dynamic/komodo:Stack::frigate"


PENDING = "Attempting to deploy or update resources with 1 pending operations from previous deployment.\n  * urn"


def test_progress_tells_what_is_done_and_what_is_not() -> None:
    heard, outcome = Heard(), Outcome()
    events = [
        event("resourcePreEvent", "create", "homeops:stacks:Stack::frigate"),
        event("resourcePreEvent", "create", STACK),
        event("resOutputsEvent", "create", STACK),
        event("resourcePreEvent", "same", STACK.replace("frigate", "newt")),
        event("resourcePreEvent", "update", STACK.replace("frigate", "omni")),
        {"diagnosticEvent": {"severity": "info", "message": "deployed\n"}},
        {"diagnosticEvent": {"severity": "debug", "message": "not for people"}},
        {"diagnosticEvent": {"severity": "warning", "message": "look out"}},
        {"diagnosticEvent": {"severity": "warning", "message": PENDING}},
        {"diagnosticEvent": {"severity": "error", "message": "refused\n  hint: do\n"}},
        {"diagnosticEvent": {"severity": "error", "message": "update failed"}},
        {"summaryEvent": {"durationSeconds": 3, "resourceChanges": {"same": 80, "create": 1, "update": 2}}},
    ]
    follow(events, heard, outcome)
    assert heard.doing[0] == "0 done; creating Stack frigate"
    assert heard.doing[-1] == "1 done; updating Stack omni"
    assert heard.lines == ["deployed", "warning: look out"]
    assert outcome.interrupted
    assert outcome.errors == ["refused\n  hint: do"]
    assert outcome.summary == "1 created, 2 updated, 80 unchanged"


def test_the_environment_of_pulumi_keeps_the_backend_that_is_set(tmp_path: Path) -> None:
    ours = environment(tmp_path, {"PATH": "/usr/bin"})
    assert ours["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.state"
    assert ours["PATH"].split(":") == [str(Path(sys.executable).parent), f"{tmp_path}/.tools/bin", "/usr/bin"]
    theirs = environment(tmp_path, {"PATH": "/usr/bin", "PULUMI_BACKEND_URL": "s3://team"})
    assert theirs["PULUMI_BACKEND_URL"] == "s3://team"
    assert "PULUMI_HOME" not in theirs
    assert PulumiCli(tmp_path, theirs).state is None


def test_a_missing_pulumi_is_said_before_anything_is_started(tmp_path: Path, root: Path) -> None:
    copy = Copy.make(root, tmp_path)
    done = copy.homeops("lab", "up", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "pulumi: not found in .tools/bin or on PATH\n  hint: make tools\n"
    assert not (copy.directory / ".lab").exists()
    with pytest.raises(ToolError, match="make tools"):
        PulumiCli(tmp_path, environment(tmp_path, {"PATH": str(tmp_path)})).have("lab")


def test_the_lock_of_a_killed_pulumi_is_dropped_and_no_other(tmp_path: Path) -> None:
    locks = tmp_path / ".pulumi/locks/organization/homeops/lab"
    locks.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = socket.gethostname()
    for name, text in {
        "dead": json.dumps({"pid": ended.pid, "hostname": here}),
        "alive": json.dumps({"pid": os.getpid(), "hostname": here}),
        "elsewhere": json.dumps({"pid": ended.pid, "hostname": f"not-{here}"}),
        "unknown": "[]",
    }.items():
        (locks / f"{name}.json").write_text(text)
        (locks / f"{name}.json.attrs").write_text("{}")
    drop_dead_locks(tmp_path, "lab")
    assert sorted(file.name for file in locks.glob("*.json")) == ["alive.json", "elsewhere.json", "unknown.json"]
    assert not (locks / "dead.json.attrs").exists()


def test_forgetting_a_pulumi_stack_leaves_the_others(tmp_path: Path) -> None:
    books = tmp_path / "state/.pulumi"
    for stack in ("lab", "prod"):
        for kind in ("history", "backups", "locks/organization"):
            (books / kind / "homeops" / stack).mkdir(parents=True)
            (books / kind / "homeops" / stack / "x.json").touch()
        (books / "stacks/homeops").mkdir(parents=True, exist_ok=True)
        for ending in ("json", "json.bak", "json.attrs"):
            (books / "stacks/homeops" / f"{stack}.{ending}").touch()
    (books / "meta.yaml").touch()
    assert forget_in(tmp_path / "state", "lab")
    assert not [path for path in books.rglob("*") if "lab" in str(path.relative_to(books))]
    assert len([path for path in books.rglob("*") if path.is_file()]) == 7
    assert not forget_in(tmp_path / "state", "lab")
    assert forget_in(tmp_path / "state", "prod")
    assert not (tmp_path / "state").exists()
    assert not forget_in(tmp_path / "state", "prod")
