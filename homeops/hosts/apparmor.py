"""AppArmor hidden from Docker: a service of systemd that puts an empty tmpfs over the kernel's security directory."""

from hashlib import sha256
from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text
from homeops.model.host import ApparmorMask

_PROBE = """\
fact unit "$(file_state "$file" 644 "$sum")"
fact enabled "$(systemctl is-enabled "$unit" 2>/dev/null | grep . || echo missing)"
fact active "$(systemctl is-active "$unit" 2>/dev/null | grep . || echo missing)"
fact mounted "$(stat -f -c %T "$mount" 2>/dev/null || echo missing)"
"""

# Docker looks for AppArmor once, when it starts; it is restarted only where that stops nothing.
_APPLY = """\
[ -d /run/systemd/system ] || fail 'systemd does not run here, and only it can mount something before Docker starts'
put "$file" 644 "$text"
if [ -n "$changed" ]; then attempt 'have systemd read the unit' systemctl daemon-reload; fi
if ! systemctl --quiet is-enabled "$unit" 2>/dev/null; then
    attempt "enable $unit" systemctl enable "$unit"
    say "$unit enabled"
fi
if ! systemctl --quiet is-active "$unit" || [ "$(stat -f -c %T "$mount")" != tmpfs ]; then
    attempt "start $unit (see: journalctl -u $unit)" systemctl restart "$unit"
    say "$unit started"
    if systemctl --quiet is-active docker.service; then
        if [ -z "$(docker ps --quiet)" ]; then
            attempt 'restart docker.service' systemctl restart docker.service
            say 'docker.service restarted; no container ran'
        else
            say 'containers run: Docker takes notice when it is restarted (systemctl restart docker)'
        fi
    fi
fi
"""

_UNDO = """\
if [ -e "$file" ]; then
    attempt "stop $unit" systemctl disable --now "$unit"
    attempt "remove $file" rm -f "$file"
    attempt 'have systemd read that' systemctl daemon-reload
    say "$unit removed; Docker takes notice when it is restarted (systemctl restart docker)"
fi
"""


def apparmor_mask(quirk: ApparmorMask) -> Requirement:
    """The service is there, enabled and active, and what it mounts is mounted."""
    text = unit_text(quirk)
    known = f"unit={quote(quirk.unit)}\nfile={quote(f'/etc/systemd/system/{quirk.unit}')}\n"
    mount = f"mount={quote(quirk.mount)}\n"
    return Requirement(
        name=quirk.name,
        reason=quirk.reason,
        wanted={"unit": "as declared", "enabled": "enabled", "active": "active", "mounted": "tmpfs"},
        probe=probe_text(f"{known}{mount}sum={sha256(text.encode()).hexdigest()}\n{_PROBE}"),
        apply=apply_text(quirk.name, f"{known}{mount}text={quote(text)}\n{_APPLY}"),
        undo=apply_text(quirk.name, known + _UNDO),
    )


def unit_text(quirk: ApparmorMask) -> str:
    """The unit of systemd."""
    return f"""\
# Written by homeops: changes are lost.
[Unit]
Description=Hide AppArmor from Docker, which cannot use it here
Before=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs {quirk.mount}
# The minus sign: that somebody has unmounted it before is no failure.
ExecStop=-/bin/umount {quirk.mount}

[Install]
WantedBy=multi-user.target
"""
