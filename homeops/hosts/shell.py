"""Shell text for hosts: what every script begins with, and the command line that runs one as root. Pure text."""

from shlex import quote

SUDO_REFUSED = 77
"""The exit code of ``as_root`` when it does not get to be root; standard error says why, in one line."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SURROUNDINGS = f"""\
unset -v CDPATH ENV IFS
export LC_ALL=C PATH={PATH}
"""

# sudo is asked first with a command that does nothing: the script's own failures are then never taken for sudo's.
# (sudo -n says "a password is required" also for a user who may do nothing at all.)
_THROUGH_SUDO = f"""\
export LC_ALL=C
command -v sudo >/dev/null || {{
    echo "homeops: sudo is not installed, and $1 is not root" >&2
    exit {SUDO_REFUSED}
}}
said=$(sudo -n sh -c : 2>&1 </dev/null) || {{
    case $said in
        *password*) echo "homeops: sudo asks $1 for a password" >&2 ;;
        *) echo "homeops: sudo refuses $1: $(echo "$said" | tail -n 1)" >&2 ;;
    esac
    exit {SUDO_REFUSED}
}}
exec sudo -n sh -c "$2"
"""

FETCH = """\
# fetch URL FILE, with what is there: curl, else wget.
fetch() {
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --retry 2 --connect-timeout 10 --max-time 300 --output "$2" "$1"
    else
        wget --no-verbose --tries=3 --timeout=60 --no-use-server-timestamps --output-document="$2" "$1"
    fi
}
"""

DOWNLOAD = f"""{FETCH}
# download URL FILE SHA256: the file whole and right, or an end with nothing installed.
download() {{
    [ "$(uname -m)" = x86_64 ] || fail "the pinned checksums are for x86_64, and this host is $(uname -m)"
    command -v curl >/dev/null || command -v wget >/dev/null ||
        fail 'there is neither curl nor wget to download with: apt-get install curl'
    attempt "download $1" fetch "$1" "$2"
    sum=$(sha256sum <"$2")
    [ "$sum" = "$3  -" ] || fail "$1 has the checksum ${{sum%% *}} and not $3: nothing was installed"
}}
"""

PACKAGE = """\
# read_lists: what the distribution has now; asked once.
lists=
read_lists() {
    [ -n "$lists" ] || attempt 'read the lists of packages' apt-get -q update
    lists=1
}
# install_package NAME: from the distribution, which has apt-get.
install_package() {
    export DEBIAN_FRONTEND=noninteractive
    read_lists
    attempt "install $1" apt-get -q -y --no-install-recommends install "$1"
}
"""

_PROBE = """\
fact() { printf '%s=%s\\n' "$1" "$2"; }
# file_state PATH MODE SHA256: "as declared", or what is not.
file_state() {
    if [ ! -f "$1" ]; then echo missing
    elif [ "$(sha256sum <"$1")" != "$3  -" ]; then echo changed
    elif [ "$(stat -c '%a %u:%g' "$1")" != "$2 0:0" ]; then stat -c 'mode %a, %U:%G' "$1"
    else echo 'as declared'
    fi
}
"""

_APPLY = """\
set -eu
umask 022
changed=
say() { changed=1; printf '%s: %s\\n' "$name" "$1"; }
fail() { printf '%s: %s\\n' "$name" "$1" >&2; exit 1; }
# attempt STEP COMMAND...: quiet when it works; when it fails, the last line that it said is the reason.
attempt() {
    step=$1
    shift
    said=$("$@" 2>&1) || fail "cannot $step: $(printf '%s\\n' "$said" | tail -n 1)"
}
# own PATH MODE: root's, with this mode.
own() {
    if [ "$(stat -c '%a %u:%g' "$1")" != "$2 0:0" ]; then
        attempt "set the owner of $1" chown 0:0 "$1"
        attempt "set the mode of $1" chmod "$2" "$1"
        say "$1 is root's, mode $2"
    fi
}
# put PATH MODE TEXT: root's file with this text and mode, there whole or not at all.
put() {
    if [ ! -f "$1" ] || ! printf '%s' "$3" | cmp -s - "$1"; then
        attempt "make $(dirname "$1")" mkdir -p "$(dirname "$1")"
        # shellcheck disable=SC2016  # the inner shell's parameters
        attempt "write $1" sh -c 'umask 077; rm -f "$1.new"; printf %s "$3" | cat >"$1.new" && chmod "$2" "$1.new" &&
            mv -fT "$1.new" "$1" || { rm -f "$1.new"; exit 1; }' sh "$1" "$2" "$3"
        say "$1 written"
    else
        own "$1" "$2"
    fi
}
"""


def as_root(script: str, ssh_user: str) -> str:
    """One command line for a remote shell that runs the script as root; its standard input is the command's.

    Through ``sudo -n`` where the user is not root; ends with ``SUDO_REFUSED`` and one line where sudo wants a password.
    """
    whole = _SURROUNDINGS + script
    if ssh_user == "root":
        return f"exec sh -c {quote(whole)}"
    return f"exec sh -c {quote(_THROUGH_SUDO)} sh {quote(ssh_user)} {quote(whole)}"


def probe_text(body: str) -> str:
    """A probe: ``fact NAME VALUE`` prints a fact, ``file_state PATH MODE SHA256`` what became of what ``put`` wrote."""
    return _PROBE + body


def apply_text(name: str, body: str) -> str:
    """A script that changes a host.

    ``say TEXT`` tells of a change, ``fail TEXT`` ends, ``attempt STEP COMMAND...`` runs a command whose failure is told
    in one line as ``cannot STEP: ...``, ``put PATH MODE TEXT`` writes a file, ``own PATH MODE`` gives one to root. When
    nothing was said, it says so.
    """
    return f"""{_APPLY}name={quote(name)}
{body.rstrip()}
[ -n "$changed" ] || printf '%s: nothing to change\\n' "$name"
"""
