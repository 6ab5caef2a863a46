"""Periphery in a container: what must be true of it, and how one version takes the place of another."""

from homeops.hosts.periphery_compose import SERVICE, compose_text, dns_servers, image, project
from homeops.hosts.periphery_shell import (
    ANSWERED_VERSION,
    ASK,
    DIGEST,
    IN_TIME,
    READY,
    age_key_path,
    assignments,
    digest,
    prints,
)
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.site import Site

_LOOK = f"""\
container() {{
    docker ps --all --quiet --filter "label=com.docker.compose.project=$project" \\
        --filter label=com.docker.compose.service={SERVICE} 2>/dev/null | head -n 1
}}
of() {{ docker inspect --format "$2" "$1" 2>/dev/null || true; }}
"""

_PROBE = """\
fact file "$(digest "$file")"
id=$(container)
found() {
    if [ -z "$id" ]; then fact "$1" missing; return; fi
    value=$(of "$id" "$2")
    value=${value#,}
    fact "$1" "${value:-$3}"
}
found image '{{.Config.Image}}' missing
found dns '{{range .HostConfig.Dns}},{{.}}{{end}}' none
found settings '{{index .Config.Labels "homeops.settings"}}' missing
found state '{{.State.Status}}' missing
fact answers "$(answers)"
"""

_DOCKER = """\
command -v docker >/dev/null || fail 'Docker is not installed on this host. Install it: apt-get install docker.io'
docker version >/dev/null 2>&1 || fail 'the Docker engine does not answer. Look at it: systemctl status docker'
docker compose version >/dev/null 2>&1 ||
    fail "Docker's compose plugin is not on this host; $alone. Install it: apt-get install docker-compose-plugin"
[ -s "$age_key" ] || fail "there is no age key at $age_key; $alone. Install the key first"
id "$user" >/dev/null 2>&1 || fail "there is no user $user on this host; $alone"
"""

# The file is checked, and the image is there, before anything is stopped.
_PREPARE = """\
directory=${file%/*}
side=$directory/.homeops-new.yaml
[ -d "$directory" ] || attempt "make $directory" install -d -o "$user" -g "$(id -g "$user")" "$directory"
trap 'rm -f "$side"' EXIT
wanted_compose >"$side" || fail "cannot write $side; $alone. Look at the disk: df $directory"
said=$(docker compose --file "$side" config --quiet 2>&1) ||
    fail "compose refuses the new file; $alone: $(last "$said")"
id=$(container)
old_image=$(of "${id:-none}" '{{.Image}}')
old_name=$(of "${id:-none}" '{{.Config.Image}}')
if [ "$pinned" = no ] || ! docker image inspect "$image" >/dev/null 2>&1; then
    said=$(docker pull --quiet "$image" 2>&1) || fail "cannot pull $image; $alone: $(last "$said")"
fi
"""

_SWITCH = """\
up() { docker compose --file "$file" up --detach --remove-orphans "$@" 2>&1; }
as_wanted() {
    cmp -s "$side" "$file" && [ "$old_name" = "$image" ] && [ "$old_image" = "$(of "$image" '{{.Id}}')" ] &&
        [ "$(of "$id" '{{index .Config.Labels "homeops.settings"}}')" = "$settings" ]
}
works() { [ "$(of "$id" '{{.State.Status}}')" = running ] && [ "$(answers)" = yes ]; }
go_back() {
    docker compose --file "$file" down >/dev/null 2>&1 || true
    mv -f "$file.previous" "$file"
    # A tag means the image that was pulled last: it has to mean the old one again.
    case $old_name in *@* | '') ;; *) docker tag "$old_image" "$old_name" ;; esac
    said=$(up) || fail "$trouble; the previous compose file is back, and does not start either: $(last "$said")"
    answers_in_time || fail "$trouble; the previous compose file is back, and its agent does not answer either"
    fail "$trouble; the previous compose file is back and its agent answers. Look at the image $image"
}
switch() {
    before=none
    if ! cmp -s "$side" "$file"; then
        if [ -f "$file" ]; then
            cp -p "$file" "$file.previous" || fail "cannot keep $file; $alone. Look at the disk: df $directory"
            before=kept
        fi
        mv -f "$side" "$file"
        say "$file written"
    fi
    if said=$(up "$@"); then
        if answers_in_time; then
            say "$image runs and answers"
            return
        fi
        said=$(docker compose --file "$file" logs --no-color --no-log-prefix --tail 1 2>/dev/null) || true
        trouble="the new agent does not answer within $patience s (its last word: ${said:-none})"
    else
        trouble="the new agent does not start: $(last "$said")"
    fi
    [ "$before" = none ] || go_back
    fail "$trouble. Look at it: docker compose --file $file logs"
}
"""

_APPLY = """\
if ! as_wanted; then
    switch
elif ! works; then
    switch --force-recreate
fi
"""


def requirement(host: Host, manner: ContainerPeriphery, site: Site, patience: int) -> Requirement:
    """What must be true of the host's Periphery container."""
    facts = site.hosts.get(host.name)
    user = facts.ssh_user if facts else "root"
    key, dns, runs = age_key_path(host), dns_servers(host, site), image(site)
    text, settings = compose_text(manner.path, site, dns, key)
    known = assignments(project=project(manner.path)) + _place(manner.path, user) + _LOOK + ASK
    wanted = assignments(
        user=user,
        image=runs,
        pinned="yes" if "@" in runs else "no",
        settings=settings,
        age_key=key,
        patience=str(patience),
    ) + prints("wanted_compose", text)
    return Requirement(
        name="periphery",
        reason="what Komodo does on a host, its agent there does",
        wanted={
            "file": digest(text),
            "image": runs,
            "dns": ",".join(dns) or "none",
            "settings": settings,
            "state": "running",
            "answers": "yes",
        },
        probe=probe_text(known + DIGEST + _PROBE + ANSWERED_VERSION),
        apply=apply_text("periphery", known + wanted + IN_TIME + _SWITCH + READY + _DOCKER + _PREPARE + _APPLY),
        reported={"answered_version": site.versions.komodo},
    )


def _place(path: str, user: str) -> str:
    """``$file``: the compose file. The script is root's, and ``~`` is the SSH user's."""
    if not path.startswith("~/"):
        return assignments(file=path)
    return assignments(file=path[1:], owner=user) + 'file=$(getent passwd "$owner" | cut -d : -f 6)$file\n'
