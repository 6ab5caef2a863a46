"""The host's age private key: who may read it, and whether it is the right one. The key itself is in no text here."""

from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text
from homeops.model.host import AgeKey

# Whose key it is: age-keygen knows, where the host has it; else the comment that age-keygen wrote into the file is
# believed. Where the key was missing when a container that mounts it started, Docker made an empty directory.
_LOOK = """\
recipients() {
    if command -v age-keygen >/dev/null; then
        age-keygen -y "$1" 2>/dev/null
    else
        sed -n 's/^# public key: *//p' "$1"
    fi
}
# A key that was cut off on its way is none.
is_key() {
    if command -v age-keygen >/dev/null; then
        age-keygen -y "$1" >/dev/null 2>&1
    else
        grep -Eq '^AGE-SECRET-KEY-(1[0-9A-Z]{58}|PQ-1[0-9A-Z]{58,})$' "$1"
    fi
}
belongs() { recipients "$1" | grep -qxF -- "$recipient"; }
empty_directory() { [ -d "$1" ] && [ -z "$(ls -A "$1")" ]; }
state() {
    if [ -L "$path" ]; then echo 'a symbolic link'
    elif [ ! -e "$path" ] || empty_directory "$path"; then echo missing
    elif [ ! -f "$path" ]; then echo 'not a file'
    elif ! is_key "$path"; then echo 'not an age key'
    elif belongs "$path" || [ -z "$(recipients "$path")" ]; then echo present
    else echo another
    fi
}
"""

_PROBE = """\
key=$(state)
fact key "$key"
case $key in
    missing) fact mode missing; fact owner missing; fact recipient missing ;;
    *)
        fact mode "$(stat -c %a "$path")"
        fact owner "$(stat -c %U:%G "$path")"
        if [ "$key" = present ] && belongs "$path"; then
            fact recipient "$recipient"
        else
            of=$(recipients "$path" 2>/dev/null | head -n 1)
            fact recipient "${of:-unknown}"
        fi
        ;;
esac
if [ -d "$folder" ]; then fact directory "$(stat -c '%a %U:%G' "$folder")"; else fact directory missing; fi
"""

_REFUSE = """\
refuse_another() {
    case $(state) in
        another)
            fail "$path is the key of $(recipients "$path" | head -n 1), not of $recipient: it was left as it is"
            ;;
        'not an age key' | 'not a file' | 'a symbolic link') fail "$path is $(state): it was left as it is" ;;
    esac
}
"""

_APPLY = """\
if [ -d "$folder" ]; then own "$folder" 700; fi
if [ -f "$path" ] && [ ! -L "$path" ]; then own "$path" 600; fi
refuse_another
[ "$(state)" = present ] ||
    fail "there is no age key at $path: let homeops:ssh have installAgeKey: true, or put the key there by hand"
"""

# The key comes from standard input into a file of root's beside its place, and gets its name with ln, which overwrites
# nothing.
_INSTALL = """\
umask 077
refuse_another
if [ "$(state)" != present ] || ! belongs "$path"; then
    if [ ! -d "$folder" ]; then
        # shellcheck disable=SC2016  # the inner shell's parameters
        attempt "make $folder" sh -c 'umask 022; mkdir -p "$1"' sh "$folder"
        say "$folder made"
    fi
    own "$folder" 700
    trap 'rm -f "$path.new"' EXIT
    trap 'exit 130' HUP INT TERM
    attempt "clear $path.new" rm -f "$path.new"
    # shellcheck disable=SC2016  # the inner shell's parameters
    attempt "write $path.new" sh -c 'cat >"$1"' sh "$path.new"
    is_key "$path.new" || fail 'what was given as the key is no age key'
    belongs "$path.new" || [ -z "$(recipients "$path.new")" ] ||
        fail "what was given is the key of $(recipients "$path.new" | head -n 1), not of $recipient"
    if [ "$(state)" = present ]; then
        cmp -s "$path.new" "$path" || fail "$path is another key than the given one: it was left as it is"
    else
        if [ -d "$path" ]; then attempt "remove the directory $path" rmdir "$path"; fi
        attempt "name $path" ln "$path.new" "$path"
        say "$path installed"
    fi
fi
own "$folder" 700
own "$path" 600
"""


def age_key(quirk: AgeKey, recipient: str) -> Requirement:
    """The key is there, is root's alone, and belongs to ``recipient`` (``age1...``).

    A missing key is a failure here: what may install one is ``install_age_key``.
    """
    known = _known(quirk, recipient)
    return Requirement(
        name=quirk.name,
        reason=quirk.reason,
        wanted={"key": "present", "mode": "600", "owner": "root:root", "directory": "700 root:root"},
        probe=probe_text(known + _PROBE),
        apply=apply_text(quirk.name, known + _REFUSE + _APPLY),
        reported={"recipient": recipient},
    )


def install_age_key(quirk: AgeKey, recipient: str) -> str:
    """A script that puts the key on its standard input in place, and refuses when another key is there."""
    return apply_text(quirk.name, _known(quirk, recipient) + _REFUSE + _INSTALL)


def _known(quirk: AgeKey, recipient: str) -> str:
    folder = quirk.path.rpartition("/")[0] or "/"
    return f"path={quote(quirk.path)}\nfolder={quote(folder)}\nrecipient={quote(recipient)}\n{_LOOK}"
