"""Decrypted files on the host: root's alone, and gone with their stack.

Komodo leaves a checkout where it is when its stack is destroyed or deleted (Komodo 2.3.2: Core asks Periphery for
``docker compose down`` and nothing else), and the hook's decrypted files in it. What tells that they are of no use any
more is on the host itself: no container was made from that checkout. So neither a stack that this fleet does not
declare loses anything, nor one that a person destroyed: the hook decrypts anew at each deploy.
"""

from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text
from homeops.model.host import PERIPHERY_ROOT

NAME = "decrypted-files"

# A stopped container counts as one. A file that was just decrypted may be that of a deploy which is still pulling.
_LOOK = """\
labels='{{.Label "com.docker.compose.project.working_dir"}},{{.Label "com.docker.compose.project.config_files"}}'
# used: the real paths that containers were made from, a line each; fails when Docker does not answer.
used() {
    paths=$(timeout 20 docker ps --all --format "$labels" 2>/dev/null) || return 1
    printf '%s\\n' "$paths" | tr , '\\n' | sort -u | while read -r path; do
        if [ -n "$path" ]; then printf '%s/\\n' "$(readlink -f -- "$path" || echo "$path")"; fi
    done
}
in_use() {
    case "
$in_use" in *"
$(readlink -f -- "$1")/"*) return 0 ;; *) return 1 ;; esac
}
# decrypted CHECKOUT TEST...: what the hook made there of a secret file, as far as find's tests hold, a line each.
decrypted() {
    checkout=$1
    shift
    # shellcheck disable=SC2016  # the inner shell's parameters
    find "$checkout/" -name .git -prune -o -type f \\
        \\( -name '*.sops.env' -o -name '*.sops.json' -o -name '*.sops.yaml' \\) -exec sh -c '
        file=$1
        shift
        plain=${file%.sops.*}.${file##*.}
        if [ -f "$plain" ] || [ -L "$plain" ]; then find "$plain" -maxdepth 0 "$@"; fi' sh {} "$@" \\;
}
leftover() {
    for checkout in "$root"/stacks/* "$root"/repos/*; do
        if [ -d "$checkout" ] && ! in_use "$checkout"; then decrypted "$checkout" -mmin "+$minutes"; fi
    done
}
open() {
    for checkout in "$root"/stacks/* "$root"/repos/*; do
        if [ -d "$checkout" ]; then decrypted "$checkout" -type f \\( -perm /177 -o ! -user 0 \\); fi
    done
}
"""

_PROBE = """\
# counted FUNCTION: how many of which checkout.
counted() {
    said=$("$1" | sed "s|^$root/stacks/\\([^/]*\\)/.*|\\1|; s|^$root/\\(repos/[^/]*\\)/.*|\\1|" | sort | uniq -c |
        awk '{ printf "%s%s of %s", sep, $1, $2; sep = ", " }' | tr -d '[:cntrl:]')
    fact "$1" "${said:-none}"
}
if [ ! -d "$root" ]; then
    fact leftover none
elif in_use=$(used); then
    counted leftover
else
    fact leftover unknown
fi
counted open
"""

_APPLY = """\
# each FUNCTION COMMAND...: the command for each file.
each() {
    files=$("$1")
    shift
    IFS='
'
    set -f
    # shellcheck disable=SC2086  # a word for each line
    for file in $files; do
        unset -v IFS
        "$@" "$file"
    done
    unset -v IFS
    set +f
}
remove() {
    attempt "remove $1" rm -f -- "$1"
    say "$1 removed: its stack has no container"
}
close() { own "$1" 600; }
if [ -d "$root" ]; then
    in_use=$(used) || fail 'Docker does not answer, so nobody knows which files are in use: systemctl status docker'
    each leftover remove
    each open close
fi
"""


def decrypted_files(deploy_seconds: int) -> Requirement:
    """No decrypted file is there for nothing, or for others to read. ``deploy_seconds``: as long as a deploy takes."""
    aged, any_age = (
        f"root={quote(PERIPHERY_ROOT)}\nminutes={minutes}\n{_LOOK}" for minutes in (-(-deploy_seconds // 60), 0)
    )
    return Requirement(
        name=NAME,
        reason="Komodo leaves what was decrypted on the host when a stack goes",
        wanted={"leftover": "none", "open": "none"},
        probe=probe_text(aged + _PROBE),
        apply=apply_text(NAME, aged + _APPLY),
        parting=apply_text(NAME, any_age + _APPLY),
    )
