"""Free space where Docker keeps images and volumes. Reported: nobody but a person knows what may be thrown away."""

from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text

NAME = "disk-space"

_PROBE = """\
place=$(timeout 5 docker info --format '{{.DockerRootDir}}' 2>/dev/null) || place=
[ -d "$place" ] || place=/var/lib/docker
[ -d "$place" ] || place=/
free=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print int($4 / 1048576) }')
if [ -z "$free" ]; then
    fact free unknown
elif [ "$free" -ge "$floor" ]; then
    fact free "at least $floor GiB"
else
    fact free "less than $((free + 1)) GiB on $place"
fi
"""


def disk_space(floor_gib: int) -> Requirement:
    """At least so many GiB are free on the disk of Docker's data."""
    return Requirement(
        name=NAME,
        reason="a full disk fails the next pull, and databases with it",
        wanted={},
        probe=probe_text(f"floor={quote(str(floor_gib))}\n{_PROBE}"),
        apply=apply_text(NAME, ""),
        reported={"free": f"at least {floor_gib} GiB"},
    )
