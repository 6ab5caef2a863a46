"""Periphery as a service of systemd: what must be true of it, and how one version takes the place of another.

Upstream's installer stops the agent and deletes its binary before it downloads the new one. Here nothing is touched
until the new binary was seen to be the right one, and the old one comes back when the new one does not answer.
"""

import json

from homeops.hosts.periphery_shell import (
    ANSWERED_VERSION,
    ASK,
    DIGEST,
    IN_TIME,
    PRIVATE_KEY,
    READY,
    age_key_path,
    assignments,
    digest,
    prints,
)
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import FETCH, apply_text, probe_text
from homeops.model.host import PERIPHERY_PORT, PERIPHERY_ROOT, Host, SystemdPeriphery
from homeops.model.site import Site

BINARY = "/usr/local/bin/periphery"
UNIT = "/etc/systemd/system/periphery.service"

# When the service was started is told in whole seconds, so a file of the same second counts as older.
_LOOK = """\
sum() { if [ -f "$1" ]; then sha256sum <"$1" | cut -d ' ' -f 1; fi; }
version_of() {
    said=$(timeout 10 "$1" --version 2>/dev/null | head -n 1)
    said=${said##* }
    printf '%s\\n' "${said#v}"
}
service() {
    if ! systemctl is-active --quiet periphery.service 2>/dev/null; then echo stopped; return; fi
    since=$(TZ=UTC0 systemctl show --property ExecMainStartTimestamp --value periphery.service)
    since=$(date -d "$since" +%s 2>/dev/null || echo 0)
    for part in "$binary" "$config" "$unit"; do
        if [ "$(stat -c %Y "$part" 2>/dev/null || echo 0)" -gt "$since" ]; then echo outdated; return; fi
    done
    echo current
}
"""

_PROBE = """\
if [ -x "$binary" ]; then
    said=$(version_of "$binary")
    fact version "${said:-unknown}"
    fact binary "$(digest "$binary")"
else
    fact version missing
    fact binary missing
fi
fact config "$(digest "$config")"
fact unit "$(digest "$unit")"
said=$(systemctl is-enabled periphery.service 2>/dev/null) || true
fact enabled "${said:-missing}"
fact service "$(service)"
fact answers "$(answers)"
"""

_SYSTEMD = """\
[ -d /run/systemd/system ] || fail 'systemd does not run on this host. Declare its Periphery as a container'
"""

# Beside its place, so that a rename puts it there.
_BINARY = """\
fetch_binary() {
    from=$base/v$version/periphery-$(uname -m)
    mkdir -p "${binary%/*}"
    said=$(fetch "$from" "$binary.new" 2>&1) || fail "cannot download $from; $alone: $(last "$said")"
    got=$(sum "$binary.new")
    [ "$got" = "$sha256" ] || fail "wrong checksum; $alone: $from has $got, the settings say $sha256"
    chmod 755 "$binary.new"
}
is_right() {
    said=$(version_of "$1")
    [ "$said" = "$version" ] || fail "wrong version; $alone: the binary with the settings' checksum says it is \\
${said:-nothing} on this host, not $version"
}
"""

_SWITCH = """\
replaced=
replace() {
    rm -f "$1.previous"
    if [ -f "$1" ]; then ln "$1" "$1.previous"; fi
    mv -f "$1.new" "$1"
    replaced="$replaced<$1>"
    say "$1 ${2:-written}"
}
restart() {
    systemctl daemon-reload
    systemctl reset-failed periphery.service 2>/dev/null || true
    timeout 90 systemctl restart periphery.service 2>&1
}
go_back() {
    for part in "$binary" "$config" "$unit"; do
        case $replaced in *"<$part>"*) ;; *) continue ;; esac
        if [ -f "$part.previous" ]; then mv -f "$part.previous" "$part"; else rm -f "$part"; fi
    done
    restart >/dev/null || true
    answers_in_time || fail "$trouble; the previous agent is back, and does not answer either"
    fail "$trouble; the previous agent is back and answers. Look at why: journalctl -u periphery"
}
switch() {
    said=$(restart) || true
    if answers_in_time && systemctl is-active --quiet periphery.service; then
        say "periphery ${version} runs and answers"
        return
    fi
    said=$(journalctl _SYSTEMD_UNIT=periphery.service --no-pager --quiet --output cat --lines 1 2>/dev/null) || true
    trouble="the new agent does not answer within $patience s (its last word: ${said:-none})"
    case $before-$replaced in yes-?*) go_back ;; esac
    fail "$trouble. Look at why: journalctl -u periphery"
}
"""

_APPLY = """\
trap 'rm -f "$binary.new" "$config.new" "$unit.new"' EXIT
if [ -x "$binary" ]; then before=yes; else before=no; fi
if [ -n "$sha256" ] && [ "$(sum "$binary")" != "$sha256" ]; then
    fetch_binary
    is_right "$binary.new"
elif [ "$before" = no ]; then
    fail 'there is no Periphery here, and no checksum to install one by. Set homeops:versions.peripherySha256'
elif [ -n "$sha256" ]; then
    is_right "$binary"
fi
attempt "make ${config%/*}" mkdir -p "${config%/*}"
wanted_config >"$config.new" || fail "cannot write $config.new; $alone. Look at the disk: df ${config%/*}"
wanted_unit >"$unit.new" || fail "cannot write $unit.new; $alone. Look at the disk: df ${unit%/*}"
if [ -f "$binary.new" ]; then replace "$binary" "is version $version"; fi
cmp -s "$config.new" "$config" || replace "$config"
cmp -s "$unit.new" "$unit" || replace "$unit"
if [ -n "$replaced" ] || [ "$(service)" != current ] || [ "$(answers)" != yes ]; then switch; fi
if [ "$(systemctl is-enabled periphery.service 2>/dev/null)" != enabled ]; then
    attempt 'enable periphery.service' systemctl enable --quiet periphery.service
    say 'periphery.service starts with the host'
fi
"""


def config_text(site: Site) -> str:
    """The agent's configuration file."""
    lines = [
        "# Written by homeops: what is changed here by hand is put right again.",
        f"root_directory = {json.dumps(PERIPHERY_ROOT)}",
        f'private_key = "file:{PRIVATE_KEY}"',
        f"port = {PERIPHERY_PORT}",
        "ssl_enabled = true",
    ]
    if site.komodo.public_key:
        lines.append(f"core_public_keys = [{json.dumps(site.komodo.public_key)}]")
    return "\n".join(lines) + "\n"


def unit_text(config: str, age_key: str) -> str:
    """The unit. Its agent outlives what fails: it is started again after five seconds, for ever."""
    return f"""\
# Written by homeops: what is changed here by hand is put right again.
[Unit]
Description=Komodo Periphery
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Environment=HOME=/root
Environment={_unit_quoted(f"SOPS_AGE_KEY_FILE={age_key}")}
ExecStart={BINARY} --config-path {_unit_quoted(config)}
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""


def _unit_quoted(value: str) -> str:
    """The value as one word of a unit file."""
    return json.dumps(value, ensure_ascii=False).replace("%", "%%")


def requirement(host: Host, manner: SystemdPeriphery, site: Site, binaries: str, patience: int) -> Requirement:
    """What must be true of the host's Periphery service."""
    config, unit = config_text(site), unit_text(manner.path, age_key_path(host))
    versions = site.versions
    installs = versions.periphery_sha256 is not None
    binary = {"version": versions.komodo, "binary": f"sha256:{(versions.periphery_sha256 or '')[:12]}"}
    known = assignments(binary=BINARY, config=manner.path, unit=UNIT) + _LOOK + ASK
    wanted = (
        assignments(
            version=versions.komodo,
            sha256=versions.periphery_sha256 or "",
            base=binaries.rstrip("/"),
            patience=str(patience),
        )
        + prints("wanted_config", config)
        + prints("wanted_unit", unit)
    )
    return Requirement(
        name="periphery",
        reason="what Komodo does on a host, its agent there does",
        wanted={
            **(binary if installs else {}),
            "config": digest(config),
            "unit": digest(unit),
            "enabled": "enabled",
            "service": "current",
            "answers": "yes",
        },
        probe=probe_text(known + DIGEST + _PROBE + ANSWERED_VERSION),
        apply=apply_text("periphery", known + wanted + IN_TIME + FETCH + _BINARY + _SWITCH + READY + _SYSTEMD + _APPLY),
        reported={**({} if installs else {"version": versions.komodo}), "answered_version": versions.komodo},
    )
