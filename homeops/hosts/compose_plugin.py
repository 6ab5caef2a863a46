"""Docker's compose plugin: shell text for the requirement ``docker``.

It needs that one's ``at_least``, and PACKAGE and DOWNLOAD of homeops/hosts/shell.py.
"""

from shlex import quote

from homeops.model.site import Versions

AGENT_IN_A_CONTAINER = "2"
"""Where Periphery is a container, the host's own compose brings up nothing but Periphery."""

AGENT_ON_THE_HOST = "2.35"
"""Where Periphery is a service, the host's own compose deploys stacks.

2.35 is the first whose ``config`` has ``--no-env-resolution``, which keeps secrets out of Komodo
(https://github.com/docker/compose/pull/12665); ``format: raw`` of an env file is older.
"""

PLUGIN = "/usr/local/lib/docker/cli-plugins/docker-compose"
"""Where an administrator's plugin stands: before those of packages."""

PROBE = """\
if [ -z "$compose" ]; then
    fact compose missing
elif at_least "$least_compose" "$compose"; then
    fact compose "$least_compose or newer"
else
    fact compose "$compose"
fi
"""

# What a package has is asked before it is installed: Debian's own may be too old, or another program of that name.
APPLY = """\
compose_package() {
    for package in docker-compose-plugin docker-compose-v2 docker-compose; do
        candidate=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/^ *Candidate: *//p')
        candidate=${candidate#*:}
        case $candidate in [0-9]*) ;; *) continue ;; esac
        if at_least "$least_compose" "$candidate"; then
            echo "$package"
            return
        fi
    done
}
compose_is_right() { [ -n "$compose" ] && at_least "$least_compose" "$compose"; }
look_at_compose
if ! compose_is_right; then
    package=
    if [ ! -e "$plugin" ] && command -v apt-get >/dev/null; then
        read_lists
        package=$(compose_package)
    fi
    if [ -n "$package" ]; then
        install_package "$package"
        installed=$package
    elif [ -n "$compose_sum" ]; then
        trap 'rm -f "$plugin.new"' EXIT
        trap 'exit 130' HUP INT TERM
        attempt "make ${plugin%/*}" mkdir -p "${plugin%/*}"
        download "$compose_url" "$plugin.new" "$compose_sum"
        attempt 'make docker-compose executable' chmod 755 "$plugin.new"
        attempt 'give docker-compose to root' chown 0:0 "$plugin.new"
        attempt "install $plugin" mv -f "$plugin.new" "$plugin"
        installed=$plugin
    else
        fail "Docker's compose plugin is ${compose:-missing}, and no package has $least_compose or newer. Set \
homeops:versions.compose and composeSha256"
    fi
    look_at_compose
    compose_is_right || fail "$installed is installed, and the compose plugin that docker finds is \
${compose:-none}: look at ~/.docker/cli-plugins"
    say "$installed is compose $compose"
fi
"""


def look(least: str) -> str:
    """``$compose``: the version of the plugin that docker finds, for root; empty where there is none."""
    return f"""\
least_compose={quote(least)}
look_at_compose() {{
    compose=$(timeout 10 docker compose version --short 2>/dev/null | sed -n '1s/^v\\{{0,1\\}}\\([0-9][^ ]*\\).*/\\1/p')
}}
look_at_compose
"""


def pins(versions: Versions, downloads: str) -> str:
    """What is downloaded where no package will do."""
    pinned = versions.compose_sha256 if versions.compose else None
    url = f"{downloads}/docker/compose/releases/download/v{versions.compose}/docker-compose-linux-x86_64"
    return f"plugin={PLUGIN}\ncompose_url={quote(url)}\ncompose_sum={quote(pinned or '')}\n"
