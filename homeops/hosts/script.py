"""Running a script that changes a host, as root, over SSH."""

from homeops.errors import Problem
from homeops.hosts.reach import HostError, Reach
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run


def run_script(reach: Reach, name: str, script: str, stdin: str = "") -> str:
    """What the script said, which is made with ``apply_text``; ``name``: of the requirement that it is for.

    Raises HostError as ``run`` does, and with the last line that the script said when it failed.
    """
    done = run(reach, as_root(script, reach.user), stdin)
    if done.code:
        said = (done.stderr.strip() or f"exit code {done.code}").splitlines()[-1]
        raise HostError(Problem(reach.host, said if name in said else f"{name}: {said}"))
    return done.stdout.strip()
