"""A second age key on a host for as long as a rotation lasts: scripts that look, add it, and drop the first. Pure text.

A private key comes through standard input, and is in no text here and in no argument there: the shell's own ``printf``
hands it on. Which keys a host has is told by their SHA-256.
"""

from homeops.hosts.shell import apply_text, quote
from homeops.model.host import AgeKey
from homeops.secrets.rotation_standing import HostKeys

# The file's name is replaced in one step; Periphery's container sees that, because it mounts the directory.
_KNOWN = """\
keys() { sed -n 's/^[[:space:]]*\\(AGE-SECRET-KEY-[A-Z0-9]*\\)[[:space:]]*$/\\1/p' "$1"; }
digests() { keys "$1" | while read -r one; do printf %s "$one" | sha256sum | cut -d ' ' -f 1; done; }
has() { digests "$path" | grep -qx "$1"; }
"""

_LOOK = """\
set -eu
if [ -f "$path" ]; then digests "$path"; fi
"""

_BEGIN = """\
umask 077
if [ ! -f "$path" ] || [ -L "$path" ]; then fail "there is no age key at $path: repair the host first"; fi
trap 'rm -f "$path.new"' EXIT
given=$(cat)
replace() {
    attempt "set the mode of $path.new" chmod 600 "$path.new"
    attempt "write $path.new to the disk" sync "$path.new"
    attempt "name $path" mv -f "$path.new" "$path"
}
"""

_ADD = """\
if ! has "$wanted"; then
    {
        cat "$path"
        [ -z "$(tail -c 1 "$path")" ] || echo
        printf '%s\\n' "$given"
    } >"$path.new" || fail "cannot write $path.new"
    [ "$(digests "$path.new" | tail -n 1)" = "$wanted" ] || fail 'what was given is not the new key'
    replace
    say "$path has the new key beside the old one"
fi
"""

_DROP = """\
has "$kept" || fail "$path has not the new key; the old one was left"
if has "$wanted"; then
    printf '%s\\n' "$given" | awk 'NR == FNR { if (/^AGE-SECRET-KEY-/) gone[$1]; next } !($1 in gone)' - "$path" |
        { grep -vxF -- "# public key: $recipient" || :; } >"$path.new" || fail "cannot write $path.new"
    [ "$(digests "$path.new")" = "$(digests "$path" | grep -vx "$wanted")" ] ||
        fail 'what was given is not the old key'
    replace
    say "$path has lost the old key"
fi
"""


def look(quirk: AgeKey) -> str:
    """A script that prints the SHA-256 of each private key that the host has, one a line."""
    return f"path={quote(quirk.path)}\n{_KNOWN}{_LOOK}"


def read_look(text: str, old: str, new: str) -> HostKeys:
    """What ``look`` printed; ``old`` and ``new`` are the digests of the two keys."""
    found = text.split()
    return HostKeys(old=old in found, new=new in found)


def add(quirk: AgeKey, new: str) -> str:
    """A script that puts the key on its standard input beside the host's; ``new`` is its digest."""
    return apply_text(quirk.name, f"path={quote(quirk.path)}\nwanted={quote(new)}\n{_KNOWN}{_BEGIN}{_ADD}")


def drop(quirk: AgeKey, recipient: str, old: str, new: str) -> str:
    """A script that removes the key on its standard input; refuses where the new one is not there.

    ``recipient``: of the old key, whose comment goes too. ``old``, ``new``: the digests of the two keys.
    """
    known = f"path={quote(quirk.path)}\nwanted={quote(old)}\nkept={quote(new)}\nrecipient={quote(recipient)}\n"
    return apply_text(quirk.name, f"{known}{_KNOWN}{_BEGIN}{_DROP}")
