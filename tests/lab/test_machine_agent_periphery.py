"""The stand-in Periphery as a program: what it is told, what it makes, whom it answers."""

import json
import shlex
import shutil
import stat
import subprocess
from collections.abc import Generator
from ipaddress import ip_network
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.agents_machine_channel import Channel, MachinePlace
from homeops.lab.periphery.release import release
from homeops.lab.periphery.settings import SettingsError, load_settings
from tests.hosts.script_machine import machine
from tests.lab.machined import TOOLS, PeripheryProcess

CORE = "MCowBQYDK2VuAyEATZgrjGHeF0KJUe0+n77+qAWOg3YzEzXOmQWaRgO3OGQ="
ASK = "curl --silent --insecure --retry 20 --retry-delay 1 --retry-all-errors"


@pytest.fixture
def periphery(tmp_path: Path) -> Generator[PeripheryProcess]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = PeripheryProcess(tmp_path)
    yield made
    made.stop()


def channel(periphery: PeripheryProcess, key: str = "") -> Channel:
    return Channel(periphery.address, lambda: key)


def test_a_release_is_the_same_bytes_each_time_and_says_its_version(periphery: PeripheryProcess) -> None:
    periphery.version = "2.9.1"
    assert periphery.run("--version").stdout == "periphery 2.9.1\n"
    assert release("2.9.1") == release("2.9.1") != release("2.9.2")
    periphery.program.chmod(0o755)
    started = subprocess.run([periphery.program, "--version"], capture_output=True, text=True, check=True)
    assert started.stdout == "periphery 2.9.1\n"


def test_the_configuration_file_holds_and_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "periphery.config.toml"
    file.write_text(
        f'port = 8121\nroot_directory = "{tmp_path}/komodo"\nssl_enabled = false\n'
        f'core_public_keys = ["{CORE}"]\nallowed_ips = ["192.0.2.0/24"]\nstack_dir = "/srv/stacks"\n'
    )
    settings = load_settings([file], {"PERIPHERY_PORT": "8122", "PERIPHERY_SSL_ENABLED": "true"})
    assert (settings.port, settings.ssl_enabled) == (8122, True)
    assert settings.core_public_keys == (CORE,)
    assert settings.allowed_ips == (ip_network("192.0.2.0/24"),)
    assert (settings.stack_dir, settings.repo_dir) == (Path("/srv/stacks"), tmp_path / "komodo" / "repos")
    assert settings.private_key == f"file:{tmp_path}/komodo/keys/periphery.key"
    assert load_settings([tmp_path], {}) == load_settings([], {"PERIPHERY_CONFIG_PATHS": str(file)})


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"PERIPHERY_PORT": "many"}, "port: "),
        ({"PERIPHERY_SSL_ENABLED": "perhaps"}, "ssl_enabled: 'perhaps' is neither true nor false"),
        ({"PERIPHERY_ALLOWED_IPS": "192.0.2.x"}, "allowed_ips: "),
        ({"PERIPHERY_CORE_ADDRESS": "https://core.test"}, "core_address: this is a stand-in, and it dials no Core"),
        ({"PERIPHERY_PASSKEYS": "word"}, "passkeys: this is a stand-in"),
        ({"PERIPHERY_SERVER_ENABLED": "false"}, "server_enabled: "),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings([], environ)


def test_a_configuration_that_is_no_toml_ends_it_with_the_files_name(periphery: PeripheryProcess) -> None:
    file = periphery.place / "broken.config.toml"
    file.write_text("port = \n")
    done = periphery.run("--config-path", str(file))
    assert done.returncode == 1
    assert done.stderr.startswith(f"ERROR periphery: {file}: Invalid value")


def test_its_keys_are_made_once_and_only_the_public_one_is_for_all(periphery: PeripheryProcess) -> None:
    periphery.start()
    keys = periphery.root / "keys"
    told = channel(periphery).look("Information")["public_key"]
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()}
    assert modes == {"periphery.key": 0o600, "periphery.pub": 0o644}
    assert stat.S_IMODE((periphery.root / "ssl" / "key.pem").stat().st_mode) == 0o600
    private = (keys / "periphery.key").read_bytes()
    periphery.stop()
    (keys / "periphery.pub").unlink()
    periphery.start()
    assert (keys / "periphery.key").read_bytes() == private
    assert channel(periphery).look("Information")["public_key"] == told
    assert told in (keys / "periphery.pub").read_text()


def test_only_a_core_that_it_knows_gives_it_commands_but_all_see_its_version(periphery: PeripheryProcess) -> None:
    (periphery.place / "core.pub").write_text(f"-----BEGIN PUBLIC KEY-----\n{CORE}\n-----END PUBLIC KEY-----\n")
    periphery.environ = {"PERIPHERY_CORE_PUBLIC_KEYS": f"QW5vdGhlcg==,file:{periphery.place}/core.pub"}
    periphery.start()
    assert channel(periphery, CORE).run("echo done", "/").stdout == "done\n"
    for other in ("", "QW5vdGhlcg", CORE[:-1]):
        with pytest.raises(AgentFailure, match="core_public_keys"):
            channel(periphery, other).look("Information")
    assert periphery.answered_version() == "2.3.2"


def test_an_address_that_is_not_allowed_sees_nothing(periphery: PeripheryProcess) -> None:
    periphery.environ = {"PERIPHERY_ALLOWED_IPS": "127.0.0.0/8"}
    periphery.start()
    assert channel(periphery).look("Information")["version"] == "2.3.2"
    periphery.stop()
    periphery.environ = {"PERIPHERY_ALLOWED_IPS": "192.0.2.0/24"}
    periphery.start()
    assert periphery.answered_version() == ""
    with pytest.raises(AgentFailure, match=r"127\.0\.0\.1 is not among allowed_ips"):
        channel(periphery).look("Information")


def test_files_outside_of_its_directories_are_not_its_to_touch(periphery: PeripheryProcess) -> None:
    periphery.start()
    way, root = channel(periphery), periphery.root
    (root / "link").symlink_to(periphery.place)
    secret = periphery.place / "secret"
    secret.write_text("of the host")
    for path in (secret, root / ".." / "secret", root / "link" / "secret"):
        with pytest.raises(AgentFailure, match="outside of Periphery's directories"):
            way.ask("Read", path=str(path))
        with pytest.raises(AgentFailure, match="outside of Periphery's directories"):
            way.ask("Remove", path=str(path))
    with pytest.raises(AgentFailure, match="not to be removed"):
        way.ask("Remove", path=str(root))
    assert secret.read_text() == "of the host"


def test_a_place_of_the_machine_is_like_a_path(periphery: PeripheryProcess) -> None:
    periphery.start()
    place = MachinePlace(channel(periphery), PurePosixPath(periphery.root)) / "stacks" / "web"
    path = periphery.root / "stacks" / "web"
    assert (str(place), place.name, str(place.parent)) == (str(path), path.name, str(path.parent))
    assert not place.exists()
    (place / "deep").mkdir(parents=True, exist_ok=True)
    with pytest.raises(FileExistsError):
        place.mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        (place / "missing" / "deeper").mkdir()
    file = place / "deep" / "ünï.env"
    file.write_text("A=1\r\nB=ü\n")
    assert file.read_text() == "A=1\r\nB=ü\n"
    assert (path / "deep" / "ünï.env").read_bytes() == "A=1\r\nB=ü\n".encode()
    assert (file.is_file(), file.is_dir(), place.is_dir()) == (True, False, True)
    file.rename(place / "renamed")
    assert (path / "renamed").is_file()
    with pytest.raises(AgentFailure, match="No such file or directory"):
        file.read_text()


def test_a_command_in_a_directory_that_is_missing_fails_in_peripherys_words(periphery: PeripheryProcess) -> None:
    periphery.start()
    done = channel(periphery).run("true", "/nonexistent")
    assert (done.exit, done.stderr) == (1, 'Os { code: 2, kind: NotFound, message: "No such file or directory" }')


def test_it_runs_as_a_service_of_systemd() -> None:
    program = "/usr/local/bin/periphery"
    unit = f"[Service]\nExecStart={program} --config-path /etc/periphery.config.toml\nRestart=always\n"
    with machine(systemd=True) as host:
        host.put(program, release("2.3.1"), "755")
        host.put("/etc/periphery.config.toml", 'root_directory = "/etc/komodo"\n')
        host.put("/etc/systemd/system/periphery.service", unit)
        script = f"""
            until systemctl start periphery; do sleep 0.2; done
            {ASK} https://127.0.0.1:8120/version
            echo; systemctl kill --signal KILL periphery; sleep 0.1
            {ASK} https://127.0.0.1:8120/version
            echo; systemctl stop periphery; systemctl is-failed periphery; cat /etc/komodo/keys/periphery.pub"""
        said = host.sh(f"timeout 30 bash -c {shlex.quote(script)}").splitlines()
        assert said[:3] == ["2.3.1", "2.3.1", "inactive"]
        assert said[3] == "-----BEGIN PUBLIC KEY-----"


def test_it_runs_in_a_container_with_the_engines_socket(tmp_path: Path) -> None:
    periphery = PeripheryProcess(tmp_path, version="2.3.1")
    periphery.program.chmod(0o755)
    mounts = {
        "/var/run/docker.sock": "/var/run/docker.sock",
        str(periphery.program): "/usr/local/bin/periphery",
        str((TOOLS / "docker-compose").resolve()): "/usr/lib/docker/cli-plugins/docker-compose",
    }
    volumes = [word for source, target in mounts.items() for word in ("-v", f"{source}:{target}")]
    with machine("--init", *volumes, command=("periphery",)) as host:
        asked = json.dumps({"type": "Containers"})
        script = f"{ASK} -d '{asked}' https://127.0.0.1:8120/"
        found: list[dict[str, Any]] = json.loads(host.sh(script))
        assert host.name in [one["listed"]["Names"] for one in found]
        projects = host.sh("""curl -sk -d '{"type": "Projects"}' https://127.0.0.1:8120/""")
        assert isinstance(json.loads(projects), list)
