"""A clock that something keeps right: chrony, ntpd or systemd-timesyncd."""

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text

NAME = "time-sync"

# In a container (LXC too) the clock is that of the machine around it, and nobody inside may set it.
_LOOK = """\
borrowed() { systemd-detect-virt --container --quiet 2>/dev/null; }
kept() {
    for keeper in chrony chronyd ntp ntpd ntpsec systemd-timesyncd; do
        if systemctl --quiet is-active "$keeper.service" 2>/dev/null; then return 0; fi
    done
    return 1
}
"""

_PROBE = """\
if borrowed || kept; then fact kept yes; else fact kept no; fi
case "$(timeout 5 timedatectl show --property NTPSynchronized --value 2>/dev/null)" in
    yes) fact clock 'in sync' ;;
    no) fact clock 'not in sync' ;;
    *) fact clock unknown ;;
esac
"""

_APPLY = """\
if ! borrowed && ! kept; then
    [ -d /run/systemd/system ] || fail 'nothing keeps the clock right, and systemd, which would start it, does not run'
    for keeper in chrony chronyd ntpsec ntp systemd-timesyncd; do
        if systemctl cat "$keeper.service" >/dev/null 2>&1; then
            attempt "start $keeper" systemctl enable --now "$keeper.service"
            kept || fail "$keeper does not stay up (see: journalctl -u $keeper)"
            say "$keeper started"
            break
        fi
    done
    kept || fail 'there is no chrony, ntpd or systemd-timesyncd: apt-get install systemd-timesyncd'
fi
"""


def time_sync() -> Requirement:
    """Something keeps the clock; whether it is right by now is reported."""
    return Requirement(
        name=NAME,
        reason="certificates, tokens and the order of log lines depend on the clock",
        wanted={"kept": "yes"},
        probe=probe_text(_LOOK + _PROBE),
        apply=apply_text(NAME, _LOOK + _APPLY),
        reported={"clock": "in sync"},
    )
