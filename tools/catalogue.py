"""The command line tools that homeops runs: which versions do, and how each is built.

The pinned version of a tool stands in tools/<tool>/go.mod and nowhere else; go.sum holds the checksums of everything
that goes into it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

Numbers = tuple[int, ...]


class InstallError(Exception):
    """Raised when a tool can be had in no way; the text says what was tried and what to do."""


@dataclass(frozen=True)
class Build:
    """One program built from source.

    ``module``: its directory under tools/. ``stamp``: the variable of the program that takes the version.
    """

    program: str
    module: str
    package: str
    tags: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Tool:
    """One tool.

    ``pin``: the Go module whose version is the tool's. ``oldest``: the oldest version that does. ``ask``: the arguments
    that make it say its version. ``scripts``: what is not compiled, as paths in ``scripts_module``. ``official``:
    whether there is a download to try. ``plugin_directories``: where it may be besides PATH.
    """

    name: str
    pin: str
    oldest: Numbers
    ask: Sequence[str]
    builds: tuple[Build, ...]
    takes: str
    scripts: tuple[str, ...] = ()
    scripts_module: str = ""
    official: bool = False
    plugin_directories: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        """The program that is called."""
        return self.builds[0].program

    @property
    def companions(self) -> tuple[str, ...]:
        """The files that have to stand beside it."""
        return (*(build.program for build in self.builds[1:]), *(PurePath(script).name for script in self.scripts))

    @property
    def programs(self) -> tuple[str, ...]:
        """All of them."""
        return (self.program, *self.companions)


_PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

PULUMI = Tool(
    name="pulumi",
    pin="github.com/pulumi/pulumi/pkg/v3",
    # 3.254 is the first that imports resources of dynamic providers.
    oldest=(3, 254),
    ask=("version",),
    builds=(
        Build(
            "pulumi",
            "pulumi",
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            tags="osusergo,grpcnotrace",
            stamp=_PULUMI_VERSION,
        ),
        # Today's language host has no tag that could be pinned. The last one inside the SDK drives today's engine,
        # provided that the virtual environment comes first on PATH (tools/env.sh).
        Build(
            "pulumi-language-python",
            "langhost",
            "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
            stamp=_PULUMI_VERSION,
        ),
    ),
    takes="about 6 minutes the first time",
    scripts=("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"),
    scripts_module="github.com/pulumi/pulumi/sdk/v3",
    official=True,
)

SOPS = Tool(
    name="sops",
    pin="github.com/getsops/sops/v3",
    oldest=(3, 9),
    ask=("--version", "--disable-version-check"),
    builds=(Build("sops", "sops", "github.com/getsops/sops/v3/cmd/sops"),),
    takes="about 2 minutes the first time",
)

AGE = Tool(
    name="age",
    pin="filippo.io/age",
    oldest=(1, 1),
    ask=("--version",),
    builds=(
        Build("age", "age", "filippo.io/age/cmd/age"),
        Build("age-keygen", "age", "filippo.io/age/cmd/age-keygen"),
    ),
    takes="some seconds",
)

COMPOSE = Tool(
    name="compose",
    pin="github.com/docker/compose/v5",
    oldest=(2, 20),
    ask=("version", "--short"),
    builds=(
        Build(
            "docker-compose",
            "compose",
            "github.com/docker/compose/v5/cmd",
            stamp="github.com/docker/compose/v5/internal.Version",
        ),
    ),
    takes="about 2 minutes the first time",
    # Docker's own places for plugins; there the program works by itself, too.
    plugin_directories=(
        "~/.docker/cli-plugins",
        "/usr/local/lib/docker/cli-plugins",
        "/usr/local/libexec/docker/cli-plugins",
        "/usr/lib/docker/cli-plugins",
        "/usr/libexec/docker/cli-plugins",
    ),
)

TOOLS = (PULUMI, SOPS, AGE, COMPOSE)


def numbers(text: str) -> Numbers | None:
    """The first version number in a text: ``v3.274.1-dev`` is (3, 274, 1)."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in match.groups() if part) if match else None


def fits(version: Numbers | None, oldest: Numbers) -> bool:
    """Whether a version is known and not older than the oldest that does."""
    return version is not None and version >= oldest


def pinned_version(go_mod: str, module: str) -> str:
    """The version of a module in the text of a go.mod, with its ``v``."""
    match = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if match is None:
        raise InstallError(f"tools: {module} is pinned in no go.mod\n  hint: go get -tool {module}@latest")
    return match[1]
