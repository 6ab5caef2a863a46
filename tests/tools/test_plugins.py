"""The stand-ins of Pulumi's plugins: when they are used, and that their inputs mean what the official ones mean."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.sshd import Sshd
from tools.install import ROOT
from tools.provider_plugins import Plugins

Props = dict[str, Any]


class Client:
    """A plugin that runs, asked as Pulumi asks."""

    def __init__(self, port: int) -> None:
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def configure(self, **args: Any) -> None:
        self._stub.Configure(provider_pb2.ConfigureRequest(args=_struct(args)))

    def check(self, token: str, **news: Any) -> dict[str, str]:
        """What is wrong, by property."""
        answer = self._stub.Check(provider_pb2.CheckRequest(urn=_urn(token), news=_struct(news)))
        return {failure.property: failure.reason for failure in answer.failures}

    def diff(self, token: str, olds: Props, news: Props) -> tuple[list[str], list[str]]:
        """What changed, and what of it replaces the resource."""
        request = provider_pb2.DiffRequest(urn=_urn(token), old_inputs=_struct(olds), news=_struct(news))
        answer = self._stub.Diff(request)
        return list(answer.diffs), list(answer.replaces)

    def create(self, token: str, **news: Any) -> Props:
        answer = self._stub.Create(provider_pb2.CreateRequest(urn=_urn(token), properties=_struct(news)))
        assert answer.id
        return MessageToDict(answer.properties)

    def update(self, token: str, olds: Props, **news: Any) -> Props:
        request = provider_pb2.UpdateRequest(urn=_urn(token), id="1", olds=_struct(olds), news=_struct(news))
        return MessageToDict(self._stub.Update(request).properties)

    def read(self, token: str, state: Props) -> Props | None:
        answer = self._stub.Read(provider_pb2.ReadRequest(urn=_urn(token), id="1", properties=_struct(state)))
        return MessageToDict(answer.properties) if answer.id else None

    def delete(self, token: str, state: Props) -> None:
        self._stub.Delete(provider_pb2.DeleteRequest(urn=_urn(token), id="1", properties=_struct(state)))


def _urn(token: str) -> str:
    return f"urn:pulumi:test::homeops::homeops:hosts:Host${token}::it"


def _struct(props: Props) -> Struct:
    struct = Struct()
    struct.update(props)
    return struct


@contextmanager
def plugin(name: str, **environ: str) -> Generator[Client]:
    """A stand-in that runs."""
    started = ROOT / "tools" / "plugins" / f"pulumi-resource-{name}"
    # What it would fall back to is the interpreter of these tests, so that a checkout without .venv passes, too.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    env = {"PATH": path, "HOME": os.devnull, **environ}
    with subprocess.Popen([str(started)], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Client(int(process.stdout.readline()))
        finally:
            process.terminate()


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


LOCAL = "command:local:Command"
REMOTE = "command:remote:Command"
COPY = "command:remote:CopyToRemote"
IMAGE = "docker:index/remoteImage:RemoteImage"


@pytest.fixture(scope="module")
def commands() -> Generator[Client]:
    with plugin("command") as client:
        yield client


def connection(sshd: Sshd, **more: Any) -> Props:
    """How the machine is reached, its key pinned: of its keys the one that the official plugin asks for."""
    reach = sshd.reach()
    return {
        "host": reach.address,
        "port": reach.port,
        "user": reach.user,
        "privateKey": (sshd.client / "id").read_text(),
        "hostKey": sshd.public("ecdsa"),
        "dialErrorLimit": 0,
        "perDialTimeout": 3,
        **more,
    }


def test_a_command_runs_on_creation_and_its_output_is_kept(commands: Client) -> None:
    made = commands.create(LOCAL, create="cat; echo $A; echo oops >&2", stdin="in ", environment={"A": "b c"})
    assert (made["stdout"], made["stderr"]) == ("in b c", "oops")


def test_an_update_runs_update_or_else_create_and_knows_the_previous_output(commands: Client) -> None:
    made = commands.create(LOCAL, create="echo one")
    with_update = commands.update(LOCAL, made, create="echo one", update='echo "two after $PULUMI_COMMAND_STDOUT"')
    assert with_update["stdout"] == "two after one"
    again = commands.update(LOCAL, made, create="echo one ${PULUMI_COMMAND_STDOUT-unset}", addPreviousOutputInEnv=False)
    assert again["stdout"] == "one unset"


def test_triggers_replace_a_command_and_nothing_else_does(commands: Client) -> None:
    olds: Props = {"create": "true", "triggers": [1]}
    assert commands.diff(REMOTE, olds, {"create": "true", "triggers": [2]}) == (["triggers"], ["triggers"])
    olds, news = ({"create": "true", "update": "true", "triggers": [n]} for n in (1, 2))
    assert commands.diff(REMOTE, olds, news) == (["triggers"], ["triggers"])
    assert commands.diff(REMOTE, olds, {**olds, "stdin": "x"}) == (["stdin"], [])
    assert commands.diff(REMOTE, olds, olds) == ([], [])


def test_a_failing_command_says_its_code_its_text_and_its_output(commands: Client) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        commands.create(LOCAL, create="echo why >&2; exit 3")
    told: Any = raised.value
    assert told.details() == "Process exited with status 3: running 'echo why >&2; exit 3':\nwhy\n"


def test_inputs_that_it_does_not_understand_are_refused_by_name(commands: Client, tmp_path: Path) -> None:
    assert commands.check(LOCAL, create="true", assetPaths=["*"]) == {
        "assetPaths": "the stand-in plugin does not know it"
    }
    assert set(commands.check(REMOTE, create="true")) == {"connection"}
    assert set(commands.check(REMOTE, connection={"host": "h", "proxy": {"host": "p"}})) == {"connection.proxy"}
    assert set(commands.check(REMOTE, connection={"host": "h"}, logging="all")) == {"logging"}
    assert commands.check(COPY, connection={"host": "h"}, source={"path": str(tmp_path)}, remotePath="/x") == {}


def test_a_resource_that_it_does_not_understand_is_refused_by_name(commands: Client) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        commands.check("command:remote:CopyFile")
    told: Any = raised.value
    assert told.details() == "command:remote:CopyFile: the stand-in plugin does not know it"


def test_a_remote_command_runs_on_the_host_and_deletes_there(commands: Client, sshd: Sshd, tmp_path: Path) -> None:
    gone = tmp_path / "it's gone"
    made = commands.create(
        REMOTE, connection=connection(sshd), create='echo "$PATH"; cat', stdin="s3", delete=f'cat >"{gone}"'
    )
    assert made["stdout"].endswith(f"{sshd.path}\ns3")
    commands.delete(REMOTE, made)
    assert gone.exists()


def test_a_command_that_ends_with_255_was_run_once(commands: Client, sshd: Sshd, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with pytest.raises(grpc.RpcError, match="status 255"):
        commands.create(
            REMOTE, connection=connection(sshd, dialErrorLimit=3), create=f"echo x >>{ran}; exit 255", logging="none"
        )
    assert ran.read_text() == "x\n"


def test_another_host_key_than_the_pinned_one_stops_it(commands: Client, sshd: Sshd, tmp_path: Path) -> None:
    other = (sshd.client / "id.pub").read_text().split()
    ran = tmp_path / "ran"
    with pytest.raises(grpc.RpcError, match=r"Host key verification failed|HOST IDENTIFICATION HAS CHANGED"):
        commands.create(REMOTE, connection=connection(sshd, hostKey=" ".join(other[:2])), create=f"echo >{ran}")
    assert not ran.exists()
    without = {name: value for name, value in connection(sshd).items() if name != "hostKey"}
    assert commands.create(REMOTE, connection=without, create="echo unchecked")["stdout"] == "unchecked"


@pytest.mark.parametrize(("limit", "dials"), [(0, 1), (1, 2), (2, 3)])
def test_an_unreachable_host_is_dialled_once_more_than_the_limit(commands: Client, limit: int, dials: int) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        target = {"host": "127.0.0.1", "port": nobody.getsockname()[1], "dialErrorLimit": limit, "perDialTimeout": 1}
        with pytest.raises(grpc.RpcError, match=rf"after {dials} failed attempts: .*Connection refused"):
            commands.create(REMOTE, connection=target, create="true")


def test_files_and_directories_are_copied(commands: Client, sshd: Sshd, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_bytes(b"\x00\xff")
    there = tmp_path / "there"
    there.mkdir()
    for source, target in (
        ({"text": "it's ü\n"}, there / "text"),
        ({"path": str(tree / "sub" / "file")}, there),
        ({"path": str(tree)}, there),
        ({"path": f"{tree}/"}, there / "inside"),
    ):
        commands.create(COPY, connection=connection(sshd), source=source, remotePath=str(target))
    assert (there / "text").read_text() == "it's ü\n"
    for copied in ("file", "tree/sub/file", "inside/sub/file"):
        assert (there / copied).read_bytes() == b"\x00\xff"


DOCKER = """\
#!/bin/sh
echo "$@" >>{calls}
command -v ssh >>{calls}
ssh there
case " $* " in
  *" inspect "*)
    [ -e {there} ] || {{ echo "Error: No such image: $5" >&2; exit 1; }}
    echo '[{{"Id": "sha256:1", "RepoDigests": ["other/it@sha256:3", "ghcr.io/o/it@sha256:2"]}}]' ;;
  *" pull "*) : >{there} ;;
  *" rm "*) rm {there} ;;
esac
"""


def test_an_image_is_pulled_where_it_is_missing_and_kept_when_it_is_to_be(tmp_path: Path) -> None:
    calls, there, programs = tmp_path / "calls", tmp_path / "there", tmp_path / "programs"
    program(programs / "docker", DOCKER.format(calls=calls, there=there))
    program(programs / "ssh", f'#!/bin/sh\necho "ssh $*" >>{calls}\n')
    name = "ghcr.io/o/it:1@sha256:2"
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with plugin("docker", PATH=path) as client:
        client.configure(host="ssh://root@h:22", sshOpts='["-o", "ConnectTimeout=3"]')
        made = client.create(IMAGE, name=name, keepLocally=True)
        assert (made["imageId"], made["repoDigest"]) == ("sha256:1", "ghcr.io/o/it@sha256:2")
        assert f"--host ssh://root@h:22 pull --quiet {name}" in calls.read_text()
        assert "pulumi-docker-" in calls.read_text(), "the options do not reach ssh"
        assert "ssh -o ConnectTimeout=3 there\n" in calls.read_text()
        calls.unlink()
        client.create(IMAGE, name=name)
        assert "pull" not in calls.read_text()
        client.delete(IMAGE, made)
        assert there.exists()
        client.delete(IMAGE, {**made, "keepLocally": False})
        assert not there.exists()
        assert client.read(IMAGE, made) is None
        assert client.diff(IMAGE, {"name": "a"}, {"name": "b"}) == (["name"], ["name"])
        assert client.diff(IMAGE, {"name": "a"}, {"name": "a", "keepLocally": True}) == (["keepLocally"], [])


def test_a_machine_without_ssh_is_told_when_ssh_is_given_options(tmp_path: Path) -> None:
    for name in ("dirname", "readlink"):
        (tmp_path / name).symlink_to(shutil.which(name) or "/missing")
    program(tmp_path / "python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    with plugin("docker", PATH=str(tmp_path)) as client:
        client.configure(host="unix:///var/run/docker.sock")
        with pytest.raises(grpc.RpcError) as raised:
            client.configure(host="ssh://root@h:22", sshOpts='["-o", "ConnectTimeout=3"]')
    told: Any = raised.value
    assert told.details().startswith("ssh: not found, and docker reaches engines with it\n  hint: ")


class Checkout:
    """A checkout without plugins, and a pulumi that answers ``plugin install`` as it is told to."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = place / "checkout"
        (self.root / ".tools" / "bin").mkdir(parents=True)
        (self.root / "requirements.txt").write_text("pulumi-command==1.2.1\npulumi-docker==5.2.0\n")
        self.asked = place / "asked"
        self.pulumi = program(place / "pulumi", f'#!/bin/sh\necho "$@" >>{self.asked}\nexit 1\n')

    def run(self, path: str = "") -> dict[str, str]:
        """What serves each provider."""
        environ = {"PATH": os.pathsep.join([str(self.root / ".tools" / "bin"), path]), "HOME": str(self.place)}
        return {plugin.name: plugin.source for plugin in Plugins(self.root, environ, str(self.pulumi)).run()}

    @property
    def links(self) -> set[str]:
        return {link.name for link in (self.root / ".tools" / "bin").iterdir()}


def test_stand_ins_serve_where_nothing_can_be_downloaded_and_it_is_tried_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = Checkout(tmp_path)
    assert checkout.run() == {"command": "stand-in", "docker": "stand-in"}
    told = capsys.readouterr().err
    assert "tools/plugins/pulumi-resource-command stands in for it" in told
    assert checkout.links == {"pulumi-resource-command", "pulumi-resource-docker"}
    assert checkout.run() == {"command": "stand-in", "docker": "stand-in"}
    assert len(checkout.asked.read_text().splitlines()) == 2


def test_an_official_plugin_takes_the_place_of_its_stand_in(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.run()
    name = "resource-docker-v5.2.0"
    program(tmp_path / ".pulumi" / "plugins" / name / "pulumi-resource-docker")
    program(tmp_path / "path" / "pulumi-resource-command")
    assert checkout.run(str(tmp_path / "path")) == {"command": "machine", "docker": "machine"}
    assert checkout.links == set()
    # This checkout's own Pulumi has it from the user's.
    assert os.access(checkout.root / ".tools" / "pulumi-home" / "plugins" / name / "pulumi-resource-docker", os.X_OK)


def test_a_plugin_of_another_version_is_none(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    program(tmp_path / ".pulumi" / "plugins" / "resource-docker-v5.1.0" / "pulumi-resource-docker")
    assert checkout.run()["docker"] == "stand-in"


@pytest.mark.parametrize("name", ["command", "docker"])
def test_a_stand_in_says_the_version_whose_sdk_is_pinned(name: str) -> None:
    pins = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line)
    assert pins[f"pulumi-{name}"] == import_module(f"tools.plugins.{name}").VERSION
