"""git on the host itself, where Periphery runs there: it clones the repository of each stack."""

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import PACKAGE, apply_text, probe_text

NAME = "git"

_LOOK = """\
there() { git --version >/dev/null 2>&1; }
"""

_PROBE = """\
if there; then fact program there; else fact program missing; fi
"""

_APPLY = """\
if ! there; then
    command -v apt-get >/dev/null || fail 'there is no git, and no apt-get to install it with: install git by hand'
    install_package git
    there || fail 'git is installed, and does not run'
    say 'git installed'
fi
"""


def git_program() -> Requirement:
    """git, of any version; the distribution's is installed where there is none."""
    return Requirement(
        name=NAME,
        reason="Periphery, a service of this host, has what it deploys from git",
        wanted={"program": "there"},
        probe=probe_text(_LOOK + _PROBE),
        apply=apply_text(NAME, _LOOK + PACKAGE + _APPLY),
    )
