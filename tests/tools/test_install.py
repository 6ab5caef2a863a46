"""How tools are chosen and brought, with stand-ins for everything that would be run or fetched."""

import hashlib
import io
import platform
import shutil
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.catalogue import TOOLS, Build, InstallError, Tool, fits, numbers, pinned_version
from tools.install import ROOT, Installation, table

FAKE = Tool(
    name="fake",
    pin="example.test/fake",
    oldest=(2, 4),
    ask=("--version",),
    builds=(Build("fake", "fake", "example.test/fake/cmd/fake", stamp="example.test/fake.Version"),),
    takes="no time",
)
PAIR = Tool(
    name="fake",
    pin="example.test/fake",
    oldest=(2, 4),
    ask=("--version",),
    builds=(
        Build("fake", "fake", "example.test/fake/cmd/fake"),
        Build("fake-helper", "fake", "example.test/fake/cmd/helper"),
    ),
    takes="no time",
    scripts=("dist/fake-script",),
    scripts_module="example.test/fake",
)
OFFICIAL = Tool("fake", "example.test/fake", (2, 4), ("--version",), FAKE.builds, "no time", official=True)

GO = """#!/bin/sh
echo "$@" >> "{calls}"
case "$1" in
  build)
    [ -e "{broken}" ] && {{ echo "undefined: everything" >&2; exit 1; }}
    while [ "$1" != "-o" ]; do shift; done
    printf '#!/bin/sh\\necho fake version 2.5.0\\n' > "$2"; chmod +x "$2" ;;
  list) echo "{module}" ;;
esac
"""


class Machine:
    """A checkout and a PATH, with a stand-in for go that builds at once and writes down how it was called."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "checkout"
        self.path = directory / "path"
        self.home = directory / "home"
        self.calls = directory / "go-calls"
        self.broken = directory / "go-is-broken"
        module = directory / "module"
        (module / "dist").mkdir(parents=True)
        (module / "dist" / "fake-script").write_text("#!/bin/sh\n", encoding="utf-8")
        for needed in (self.root / "tools" / "fake", self.path, self.home):
            needed.mkdir(parents=True)
        self.pin("v2.5.0")
        self.program("go", GO.format(calls=self.calls, broken=self.broken, module=module))
        for tool in ("sh", "chmod", "echo", "printf"):
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    def pin(self, version: str) -> None:
        go_mod = f"module tools\n\nrequire (\n\texample.test/fake {version} // indirect\n)\n"
        (self.root / "tools" / "fake" / "go.mod").write_text(go_mod, encoding="utf-8")

    def program(self, name: str, text: str, directory: Path | None = None) -> Path:
        file = (directory or self.path) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
        return file

    def has(self, version: str, *, name: str = "fake", directory: Path | None = None) -> Path:
        """Put a program on the machine that says this version, and writes down that it was asked."""
        return self.program(name, f'#!/bin/sh\necho asked >> "{self.calls}"\necho "fake {version}"\n', directory)

    def run(self, tool: Tool = FAKE, releases: str = "http://127.0.0.1:1") -> tuple[str, str]:
        """Install; returns source and version."""
        environ = {"PATH": f"{self.root}/.tools/bin:{self.path}", "HOME": str(self.home)}
        choice = Installation(self.root, environ, releases=releases).run([tool])[tool.name]
        return choice.source, choice.version

    def log(self) -> list[str]:
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []

    @property
    def link(self) -> Path:
        return self.root / ".tools" / "bin" / "fake"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v3.274.1", (3, 274, 1)),
        ("sops 3.9.4 (latest)", (3, 9, 4)),
        ("1.1.1-1+b3", (1, 1, 1)),
        ("Docker Compose version v2.20.3", (2, 20, 3)),
        ("3.254", (3, 254)),
        ("(devel)", None),
        ("", None),
    ],
)
def test_versions_are_read_from_what_programs_say(text: str, expected: tuple[int, ...] | None) -> None:
    assert numbers(text) == expected


def test_versions_are_compared_as_numbers() -> None:
    assert fits((3, 254), (3, 254))
    assert fits((3, 1000, 0), (3, 254))
    assert fits((4, 0, 0), (3, 254))
    assert not fits((3, 99, 9), (3, 254))
    assert not fits(None, (0, 0))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_each_tool_is_pinned_with_checksums(tool: Tool) -> None:
    for build in tool.builds:
        directory = ROOT / "tools" / build.module
        go_mod = (directory / "go.mod").read_text(encoding="utf-8")
        assert f"{build.package}\n" in go_mod.replace(")", "\n"), "the module does not name the program as its tool"
        assert (directory / "go.sum").stat().st_size > 0
    pinned = pinned_version((ROOT / "tools" / tool.name / "go.mod").read_text(encoding="utf-8"), tool.pin)
    sums = (ROOT / "tools" / tool.name / "go.sum").read_text(encoding="utf-8")
    assert f"{tool.pin} {pinned} h1:" in sums
    assert fits(numbers(pinned), tool.oldest)


def test_what_is_on_the_machine_is_used_when_it_fits(machine: Machine) -> None:
    machine.has("2.4.0")
    assert machine.run() == ("machine", "2.4.0")
    assert not machine.link.exists()
    assert machine.log() == ["asked"]


@pytest.mark.parametrize("version", ["2.3.9", "(devel)"])
def test_what_is_too_old_or_says_nothing_is_not_used(machine: Machine, version: str) -> None:
    machine.has(version)
    assert machine.run() == ("source", "v2.5.0")
    assert machine.link.is_symlink()


def test_what_fails_is_not_used(machine: Machine) -> None:
    machine.program("fake", "#!/bin/sh\necho 9.9.9\nexit 1\n")
    assert machine.run()[0] == "source"


def test_a_tool_without_its_companions_is_not_used(machine: Machine) -> None:
    machine.has("2.4.0")
    assert machine.run(PAIR)[0] == "source"
    assert all((machine.link.parent / name).exists() for name in ("fake", "fake-helper", "fake-script"))


def test_companions_stand_beside_the_real_file_not_beside_a_link_to_it(machine: Machine) -> None:
    for name in PAIR.programs:
        machine.has("2.4.0", name=name, directory=machine.home / "bin")
    (machine.path / "fake").symlink_to(machine.home / "bin" / "fake")
    assert machine.run(PAIR) == ("machine", "2.4.0")
    asked = machine.log()
    assert machine.run(PAIR) == ("machine", "2.4.0")
    assert machine.log() == asked


def test_a_plugin_that_is_not_on_path_is_linked(machine: Machine) -> None:
    tool = Tool(
        "fake", FAKE.pin, (2, 4), ("--version",), FAKE.builds, "", plugin_directories=("~/.docker/cli-plugins",)
    )
    plugin = machine.has("2.4.0", directory=machine.home / ".docker" / "cli-plugins")
    assert machine.run(tool) == ("machine", "2.4.0")
    assert machine.link.resolve() == plugin


def test_it_is_built_at_the_pinned_version(machine: Machine) -> None:
    machine.run()
    (call,) = machine.log()
    assert "-X example.test/fake.Version=v2.5.0" in call
    assert "-trimpath" in call
    assert call.endswith("example.test/fake/cmd/fake")


def test_a_second_run_runs_nothing(machine: Machine) -> None:
    machine.has("2.3.0")
    first = machine.run()
    calls = machine.log()
    assert machine.run() == first
    assert machine.log() == calls


def test_another_pin_is_another_build_and_the_old_one_is_kept(machine: Machine) -> None:
    machine.run()
    machine.pin("v2.6.0")
    assert machine.run() == ("source", "v2.6.0")
    machine.pin("v2.5.0")
    calls = machine.log()
    assert machine.run() == ("source", "v2.5.0")
    assert machine.log() == calls


def test_a_tool_that_appears_on_the_machine_later_is_used(machine: Machine) -> None:
    assert machine.run()[0] == "source"
    machine.has("2.4.1")
    assert machine.run() == ("machine", "2.4.1")
    assert not machine.link.is_symlink()


def test_a_tool_that_disappears_from_the_machine_is_brought(machine: Machine) -> None:
    program = machine.has("2.4.1")
    assert machine.run()[0] == "machine"
    program.unlink()
    assert machine.run()[0] == "source"


def test_a_lost_link_is_made_again_without_a_build(machine: Machine) -> None:
    machine.run()
    calls = machine.log()
    machine.link.unlink()
    assert machine.run()[0] == "source"
    assert machine.link.exists()
    assert machine.log() == calls


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fake": 1}', '{"fake": {"version": "v2.5.0"}}', "\x00"])
def test_a_damaged_memory_is_forgotten(machine: Machine, text: str) -> None:
    machine.run()
    (machine.root / ".tools" / "choices.json").write_text(text, encoding="utf-8")
    assert machine.run() == ("source", "v2.5.0")


def test_a_failed_build_shows_why_and_leaves_nothing_half_done(machine: Machine) -> None:
    machine.broken.touch()
    with pytest.raises(InstallError) as raised:
        machine.run()
    assert "go build failed for fake" in str(raised.value)
    assert "| undefined: everything" in str(raised.value)
    assert [path.name for path in (machine.root / ".tools").iterdir() if path.name.startswith("fake-")] == []
    machine.broken.unlink()
    assert machine.run() == ("source", "v2.5.0")


def test_without_go_it_is_said_what_to_install(machine: Machine) -> None:
    (machine.path / "go").unlink()
    with pytest.raises(InstallError, match="no Go on this machine\n  hint: install Go"):
        machine.run()


def test_a_pin_that_is_missing_is_said() -> None:
    with pytest.raises(InstallError, match=r"example\.test/fake is pinned in no go\.mod"):
        pinned_version("module tools\n\nrequire example.test/faker v1.0.0\n", "example.test/fake")


class TestDownload:
    def test_the_official_release_is_taken_when_its_checksum_is_right(self, machine: Machine, tmp_path: Path) -> None:
        with releases(tmp_path / "served") as address:
            assert machine.run(OFFICIAL, address) == ("download", "v2.5.0")
        assert machine.log() == []
        assert machine.link.read_text(encoding="utf-8") == "#!/bin/sh\n"

    def test_a_release_with_another_checksum_is_not(self, machine: Machine, tmp_path: Path) -> None:
        with releases(tmp_path / "served", checksum="0" * 64) as address:
            assert machine.run(OFFICIAL, address) == ("source", "v2.5.0")

    def test_a_release_that_is_not_listed_is_not(self, machine: Machine, tmp_path: Path) -> None:
        with releases(tmp_path / "served", listed="another.tar.gz") as address:
            assert machine.run(OFFICIAL, address) == ("source", "v2.5.0")

    def test_a_release_without_the_program_is_not(self, machine: Machine, tmp_path: Path) -> None:
        with releases(tmp_path / "served", program="other") as address:
            assert machine.run(OFFICIAL, address) == ("source", "v2.5.0")
        assert {file.name for file in (machine.root / ".tools" / "fake-v2.5.0").iterdir()} == {"fake", "origin"}

    def test_without_network_it_is_built(self, machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
        assert machine.run(OFFICIAL) == ("source", "v2.5.0")
        shown = capfd.readouterr().err
        assert "fake v2.5.0: downloading ... not to be had (Connection refused)" in shown
        assert "fake v2.5.0: building from source, no time ... done (" in shown


@contextmanager
def releases(directory: Path, *, checksum: str = "", listed: str = "", program: str = "fake") -> Generator[str]:
    """A server with a release of fake v2.5.0 for this machine, as Pulumi's are laid out."""
    directory.mkdir()
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"pulumi-v2.5.0-{platform.system().lower()}-{machine}.tar.gz"
    content = b"#!/bin/sh\n"
    with tarfile.open(directory / name, "w:gz") as tar:
        member = tarfile.TarInfo(f"pulumi/{program}")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    checksum = checksum or hashlib.sha256((directory / name).read_bytes()).hexdigest()
    sums = f"{checksum}  {listed or name}\n{'1' * 64}  pulumi-v2.5.0-windows-x64.zip\n"
    (directory / "pulumi-2.5.0-checksums.txt").write_text(sums, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        pass


def test_the_list_shows_what_comes_from_where(machine: Machine) -> None:
    machine.has("2.4.0")
    environ = {"PATH": str(machine.path), "HOME": str(machine.home)}
    assert (
        table(Installation(machine.root, environ).run([FAKE])) == f"fake     2.4.0      machine   {machine.path}/fake"
    )
