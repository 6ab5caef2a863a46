"""Hosts under the real engine: what must be true of them is made so once, and repaired alone."""

import tarfile
import tempfile
import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from homeops.hosts.skipping import flags
from tests.engine.core import TestCore
from tests.engine.engine import Project
from tests.engine.machines import (
    PROGRAM,
    WITH_SERVERS,
    Homelab,
    Machine,
    Started,
    agent,
    finished,
    silence,
    steps,
    with_plugins,
)
from tests.host_image import docker_engine
from tests.hosts.public_keys import pem, public_key
from tests.sshd import Sshd

ALL = {"Host one", "Observation one", "Command one alpha", "Command one periphery"}
BOTH = ALL | {name.replace("one", "two") for name in ALL}

TRIGGERED = """
def triggered(args):
    triggers = {"triggers": [0]} if args.type_ == "command:remote:Command" else {}
    return pulumi.ResourceTransformResult({**args.props, **triggers}, args.opts)

pulumi.runtime.register_resource_transform(triggered)
"""
"""Every command gets triggers, as an earlier version gave them."""


@pytest.fixture
def homelab(environ: dict[str, str], tmp_path: Path, root: Path, new_sshd: Callable[..., Sshd]) -> Generator[Homelab]:
    """Two machines that each have to have two files, the second of which is called Periphery."""
    machines = [Machine(name, new_sshd()) for name in ("one", "two")]
    for machine in machines:
        machine.require("alpha", "periphery")
    with_plugins(environ, Path(environ["PULUMI_HOME"]), root / ".tools" / "pulumi-home" / "plugins", root)
    # The path of a socket is short.
    keys = [machine.sshd.client / "id" for machine in machines]
    with tempfile.TemporaryDirectory(prefix="homeops-test-") as short, agent(Path(short), keys) as socket:
        project = Project(tmp_path / "project", {**environ, "SSH_AUTH_SOCK": socket}, root).write(PROGRAM)
        made = Homelab(project, machines)
        made.declare()
        made.know()
        yield made


def test_hosts_are_made_right_once_and_the_canary_first(homelab: Homelab) -> None:
    one, two = homelab.machines
    shared = homelab.project.directory / "order"
    for machine in homelab.machines:
        machine.files[1].path = shared / machine.name
    shared.mkdir()
    homelab.declare()
    preview = homelab.project.preview().check()
    assert {name for _, name in steps(preview)} >= BOTH
    assert not one.log.exists(), "a preview changes nothing"
    homelab.project.up().check()
    assert one.applied() == ["alpha", "periphery"]
    assert two.applied() == ["alpha", "periphery"]
    assert (shared / "one").stat().st_mtime_ns < (shared / "two").stat().st_mtime_ns
    assert (shared / "one").read_text() == "text of periphery"
    assert homelab.resources() >= BOTH
    homelab.project.up("--expect-no-changes").check()
    homelab.project.up("--refresh", "--expect-no-changes").check()
    assert one.applied() == []


def test_a_command_that_was_recorded_with_triggers_is_not_made_anew(homelab: Homelab) -> None:
    program = homelab.project.directory / "__main__.py"
    program.write_text(PROGRAM.replace("\ndeclared", f"{TRIGGERED}\ndeclared"))
    homelab.project.up().check()
    homelab.forget()
    program.write_text(PROGRAM)
    for machine in homelab.machines:
        machine.files[0].text = "another text"
    homelab.declare()
    homelab.project.up().check()
    assert [machine.applied() for machine in homelab.machines] == [["alpha"], ["alpha"]]


def test_drift_is_shown_by_requirement_and_value_and_repaired_alone(homelab: Homelab) -> None:
    one, two = homelab.machines
    homelab.project.up().check()
    homelab.forget()
    one.file("alpha").chmod(0o644)
    homelab.project.up("--expect-no-changes").check()
    preview = homelab.project.preview("--refresh", "--diff").check()
    assert steps(preview) == {("update", "Observation one"), ("update", "Command one alpha")}
    for part in ("alpha", "mode", '"600" => "644"', '"644" => "600"'):
        assert part in preview.text
    up = homelab.project.up("--refresh").check()
    assert steps(up) == {("update", "Observation one"), ("update", "Command one alpha")}
    assert (one.applied(), two.applied()) == (["alpha"], [])
    assert one.file("alpha").stat().st_mode & 0o777 == 0o600
    homelab.project.up("--refresh", "--expect-no-changes").check()
    assert one.applied() == []


def test_a_repair_that_fails_is_due_again(homelab: Homelab) -> None:
    one, two = homelab.machines
    one.files[0].broken = True
    homelab.declare()
    failed = homelab.project.up("--continue-on-error")
    assert failed.exit != 0
    assert "alpha: cannot be: the test says so" in failed.text
    assert failed.text.count("umask 022") == 0, "the script itself is no message"
    # What comes after it on that host is not tried; the other host is waiting for the canary's Periphery alone.
    assert (one.applied(), two.applied()) == (["alpha"], ["alpha"])
    one.files[0].broken = False
    homelab.declare()
    homelab.project.up().check()
    assert (one.applied(), two.applied()) == (["alpha", "periphery"], ["periphery"])
    homelab.project.up("--refresh", "--expect-no-changes").check()


def test_a_repair_after_drift_that_fails_is_due_again_without_another_look(homelab: Homelab) -> None:
    one, _ = homelab.machines
    homelab.project.up().check()
    homelab.forget()
    one.file("alpha").unlink()
    one.file("alpha").mkdir()
    assert homelab.project.up("--refresh", "--continue-on-error").exit != 0
    assert one.applied() == ["alpha"]
    one.file("alpha").rmdir()
    again = homelab.project.up().check()
    assert ("update", "Command one alpha") in steps(again)
    assert one.applied() == ["alpha"]
    assert one.file("alpha").read_text() == "text of alpha"


def outdate(homelab: Homelab) -> None:
    """Let all be right, then another text be declared for every machine, and the second machine be dead."""
    homelab.project.up().check()
    homelab.forget()
    homelab.machines[1].sshd.stop()
    for machine in homelab.machines:
        machine.files[0].text = "another text"
    homelab.declare()


def test_a_dead_host_is_told_of_and_kept_while_others_converge(homelab: Homelab) -> None:
    one, two = homelab.machines
    homelab.project.up().check()
    homelab.forget()
    one.sshd.stop()
    two.file("alpha").chmod(0o644)
    with silence(one.sshd.port):
        up = homelab.project.up("--refresh", "--continue-on-error").check()
    assert up.seconds("refresh", "Observation one") <= 10
    (told,) = [text for text in up.told if "unreachable over SSH" in text]
    assert told.startswith("warning: one: ")
    assert "it stays as it was recorded" in "".join(up.told)
    assert two.applied() == ["alpha"]
    assert homelab.resources() >= BOTH
    one.sshd.start()
    homelab.project.up("--refresh", "--expect-no-changes").check()


def test_work_on_a_dead_host_fails_once_and_keeps_nobody_else(homelab: Homelab) -> None:
    one, two = homelab.machines
    outdate(homelab)
    up = homelab.project.up("--continue-on-error")
    assert up.exit != 0
    assert len([text for text in up.told if "two: unreachable over SSH" in text]) == 1
    assert "Traceback" not in up.text
    assert one.applied() == ["alpha"]
    assert homelab.resources() >= BOTH
    two.sshd.start()
    homelab.project.up().check()
    assert two.applied() == ["alpha"]


def test_a_host_whose_key_is_another_than_the_recorded_one_is_not_worked_on(homelab: Homelab) -> None:
    one, two = homelab.machines
    one.sshd.stop()
    for kind in one.sshd.kinds:
        one.sshd.new_key(f"host_{kind}")
    one.sshd.start()
    up = homelab.project.up("--continue-on-error")
    assert up.exit != 0
    assert len([text for text in up.told if "one: its host key changed" in text]) == 1
    assert "homeops hosts trust one --replace" in up.text
    assert (one.applied(), two.applied()) == ([], ["alpha"])


def test_a_host_whose_key_is_not_recorded_is_not_worked_on(homelab: Homelab) -> None:
    (homelab.project.directory / "known_hosts").write_text("")
    up = homelab.project.up("--continue-on-error")
    assert up.exit != 0
    assert "one: its host key is not recorded" in up.text
    assert "homeops hosts trust two" in up.text
    assert [machine.applied() for machine in homelab.machines] == [[], []]


def test_without_an_agent_nothing_is_begun(homelab: Homelab) -> None:
    # The observation's own ssh has keys; pulumi-command would have none.
    client = homelab.machines[0].sshd.client
    path = f"{client}:{homelab.project.environ['PATH']}"
    homelab.machines = homelab.machines[:1]
    homelab.declare()
    up = homelab.project.up(SSH_AUTH_SOCK="", PATH=path)
    assert up.exit != 0
    assert "one: no ssh-agent runs here" in up.text


def test_what_is_only_reported_is_told_and_never_repaired(homelab: Homelab) -> None:
    one, _ = homelab.machines
    free = one.sshd.place / "free"
    free.write_text("plenty")
    one.files[0].free = free
    homelab.declare()
    homelab.project.up().check()
    homelab.forget()
    free.write_text("little")
    up = homelab.project.up("--refresh").check()
    assert "warning: one: alpha: free is little, expected plenty" in up.text
    assert steps(up) == set()
    assert one.applied() == []


def test_a_host_that_is_left_out_stays_as_it_is_recorded(homelab: Homelab) -> None:
    one, two = homelab.machines
    outdate(homelab)
    up = homelab.project.up("--refresh", *flags(["two"], "test")).check()
    assert not [text for text in up.told if "two" in text]
    assert {name for _, name in steps(up)} == {"Observation one", "Command one alpha"}
    assert one.applied() == ["alpha"]
    assert homelab.resources() >= BOTH
    two.sshd.start()
    homelab.project.up().check()
    assert (one.applied(), two.applied()) == ([], ["alpha"])


@pytest.fixture
def image(tmp_path: Path) -> Generator[str]:
    """An image of nothing, in this machine's engine."""
    engine = docker_engine()
    name = f"homeops-test-{uuid.uuid4().hex[:12]}:1"
    empty = tmp_path / "empty.tar"
    tarfile.open(empty, "w").close()
    engine.run("import", str(empty), name)
    yield name
    engine.run("image", "rm", name)


def test_an_image_is_on_the_host_before_its_periphery_and_stays_there(homelab: Homelab, image: str) -> None:
    one = homelab.machines[0]
    one.image = image
    homelab.machines = [one]
    homelab.declare()
    up = homelab.project.up().check()
    done = [name for _, name in finished(up)]
    assert done.index("Command one alpha") < done.index("RemoteImage one periphery image")
    assert done.index("RemoteImage one periphery image") < done.index("Command one periphery")
    homelab.project.up("--refresh", "--expect-no-changes").check()
    one.sshd.stop()
    homelab.project.up("--refresh", "--expect-no-changes", *flags(["one"], "test")).check()
    # As docs/hosts.md says: only pulumi-docker gives up on a host that is away.
    images = "urn:pulumi:test::homeops::homeops:hosts:Host$docker:index/remoteImage:RemoteImage::one *"
    homelab.project.up("--refresh", "--expect-no-changes", "--exclude", images).check()
    one.sshd.start()
    homelab.project.destroy().check()
    docker_engine().run("image", "inspect", image)


def test_core_knows_an_agent_by_the_key_that_it_made_on_its_host(homelab: Homelab, core: TestCore) -> None:
    def known() -> str:
        return core.all("Server")["one"]["info"]["public_key"]

    one = homelab.machines[0]
    homelab.machines = [one]
    first, second = public_key(), public_key()
    one.files = [Started("periphery", one.key, pem(first))]
    homelab.declare()
    project = homelab.project
    project.environ = {**project.environ, **core.environ}
    (project.directory / "__main__.py").write_text(WITH_SERVERS)
    project.up().check()
    assert known() == first
    # Core has it make another one.
    one.key.write_text(pem(second))
    core.write("UpdateServerPublicKey", server="one", public_key=second)
    project.up("--refresh", "--expect-no-changes").check()
    core.write("UpdateServerPublicKey", server="one", public_key="")
    assert steps(project.up("--refresh").check()) == {("update", "KnownAgent one")}
    assert known() == second
