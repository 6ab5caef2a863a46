"""Having a tool made: the official download, or a build from source."""

import contextlib
import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path

from tools.catalogue import Build, InstallError, Tool

PULUMI_RELEASES = "https://get.pulumi.com/releases/sdk"
_SILENCE = 5
"""Seconds without a byte after which a download is given up."""


def obtained(tool: Tool, version: str, directory: Path, workshop: "Workshop", releases: str = PULUMI_RELEASES) -> str:
    """Put the programs of a tool into the directory; returns ``download`` or ``source``."""
    if tool.official:
        with reporting(f"{tool.name} {version}: downloading") as report:
            try:
                download(releases, version, tool.programs, directory)
            except (OSError, ValueError, KeyError, tarfile.TarError) as error:
                report(f"not to be had ({_brief(error)})")
            else:
                report("done")
                return "download"
    with reporting(f"{tool.name} {version}: building from source, {tool.takes}") as report:
        for build in tool.builds:
            workshop.build(build, version, directory)
        if tool.scripts:
            workshop.copy_scripts(tool, directory)
        report("done")
    return "source"


def download(releases: str, version: str, programs: Iterable[str], directory: Path) -> None:
    """Pulumi's official release, checked against the list of checksums (SHA-256) published with it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    archive = f"pulumi-{version}-{platform.system().lower()}-{machine}.tar.gz"
    listed = _fetched(f"{releases}/pulumi-{version.removeprefix('v')}-checksums.txt").decode()
    checksums = {line.split()[1]: line.split()[0] for line in listed.splitlines() if len(line.split()) > 1}
    data = _fetched(f"{releases}/{archive}")
    if hashlib.sha256(data).hexdigest() != checksums[archive]:
        raise ValueError(f"wrong checksum of {archive}")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for program in programs:
            member = tar.extractfile(f"pulumi/{program}")
            if member is None:
                raise ValueError(f"{program} is not in {archive}")
            _put(member.read(), directory / program)


class Workshop:
    """Where programs are built: ``tools`` holds a module a directory, ``logs`` gets what the compiler says."""

    def __init__(self, tools: Path, logs: Path, environ: Mapping[str, str]) -> None:
        self.tools = tools
        self.logs = logs
        self.environ = {**environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}

    def build(self, build: Build, version: str, directory: Path) -> None:
        """Compile one program with the versions of its go.mod."""
        flags = "-s -w" + (f" -X {build.stamp}={version}" if build.stamp else "")
        how = ("-trimpath", "-buildvcs=false", "-tags", build.tags, "-ldflags", flags)
        self.go(build.module, "build", *how, "-o", str(directory / build.program), build.package)

    def copy_scripts(self, tool: Tool, directory: Path) -> None:
        """Copy what is not compiled; a module does not keep the executable bit."""
        module = tool.builds[0].module
        self.go(module, "mod", "download", tool.scripts_module)
        source = Path(self.go(module, "list", "-m", "-f", "{{.Dir}}", tool.scripts_module).strip())
        for script in tool.scripts:
            _put((source / script).read_bytes(), directory / Path(script).name)

    def go(self, module: str, *arguments: str) -> str:
        """Run go in a module's directory and return what it prints."""
        go = shutil.which("go", path=self.environ.get("PATH"))
        if go is None:
            raise InstallError(
                f"tools: {module} has to be built from source, and there is no Go on this machine\n"
                f"  hint: install Go (https://go.dev/dl), or {module} itself"
            )
        log = self.logs / f"{module}.log"
        with log.open("w", encoding="utf-8") as complaints:
            run = subprocess.run(
                [go, *arguments],
                cwd=self.tools / module,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                check=False,
            )
        if run.returncode != 0:
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
            shown = "\n".join(f"  | {line}" for line in last)
            raise InstallError(f"tools: go {arguments[0]} failed for {module}\n{shown}\n  hint: all of it is in {log}")
        return run.stdout


@contextlib.contextmanager
def reporting(what: str) -> Generator[Callable[[str], None]]:
    """Show that something long is going on: a counter on a terminal, a line every 30 s elsewhere.

    Yields a function that takes how it ended.
    """
    live = sys.stderr.isatty()
    began, ended, outcome = time.monotonic(), threading.Event(), ["failed"]

    def show(state: str, end: str) -> None:
        print(f"{chr(13) if live else ''}{what} ... {state}", end=end, file=sys.stderr, flush=True)

    def seconds() -> str:
        return f"{time.monotonic() - began:.0f} s"

    def tick() -> None:
        while not ended.wait(1 if live else 30):
            show(seconds(), "" if live else "\n")

    def report(how: str) -> None:
        outcome[0] = how

    show("", "" if live else "\n")
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield report
    finally:
        ended.set()
        ticker.join()
        show(f"{outcome[0]} ({seconds()})", "\n")


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_SILENCE) as response:  # noqa: S310 - the scheme is written above
        return response.read()


def _put(content: bytes, program: Path) -> None:
    program.write_bytes(content)
    program.chmod(0o755)


def _brief(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)[:80]
