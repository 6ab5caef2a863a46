"""sops, age and the hook that decrypts, on the host itself, in pinned versions."""

from hashlib import sha256
from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import DOWNLOAD, apply_text, probe_text
from homeops.model.host import NativeSops
from homeops.model.site import DOWNLOADS, Versions

PLACE = "/usr/local/bin"

# sops says "sops 3.1.0 (latest)", age says "v1.0.0". A program that cannot run has no version.
_LOOK = """\
version_of() {
    if [ ! -e "$1" ]; then
        echo missing
        return
    fi
    case $1 in
        */sops) said=$(timeout 10 "$1" --version --disable-version-check 2>/dev/null | sed -n '1s/^sops //p') ;;
        *) said=$(timeout 10 "$1" --version 2>/dev/null | sed -n '1s/^v//; 1p') ;;
    esac
    said=${said%% *}
    echo "${said:-broken}"
}
"""

_PROBE = """\
fact sops "$(version_of "$place/sops")"
fact age "$(version_of "$place/age")"
fact age-keygen "$(version_of "$place/age-keygen")"
fact hook "$(file_state "$hook" 755 "$hook_sum")"
"""

# Beside its place, so that the last step is a rename: a program is there whole or not at all.
_APPLY = """\
new=$place/.homeops-new
trap 'rm -rf "$new"' EXIT
trap 'exit 130' HUP INT TERM
beside() {
    attempt "make $new" rm -rf "$new"
    attempt "make $new" mkdir -p "$new"
}
# install_program NAME VERSION
install_program() {
    attempt "make $1 executable" chmod 755 "$new/$1"
    attempt "give $1 to root" chown 0:0 "$new/$1"
    found=$(version_of "$new/$1")
    [ "$found" = "$2" ] || fail "what was downloaded as $1 $2 says that it is ${found}: it was not installed"
    attempt "install $place/$1" mv -f "$new/$1" "$place/$1"
    say "$1 $2 installed"
}
if [ "$(version_of "$place/sops")" != "$sops" ]; then
    beside
    download "$sops_url" "$new/sops" "$sops_sum"
    install_program sops "$sops"
fi
if [ "$(version_of "$place/age")" != "$age" ] || [ "$(version_of "$place/age-keygen")" != "$age" ]; then
    beside
    download "$age_url" "$new/age.tar.gz" "$age_sum"
    attempt 'unpack age' tar --extract --gzip --no-same-owner --strip-components=1 --directory="$new" \\
        --file="$new/age.tar.gz" age/age age/age-keygen
    install_program age "$age"
    install_program age-keygen "$age"
fi
put "$hook" 755 "$hook_text"
"""

_HOOK = """\
# shellcheck disable=SC2016  # the hook's own parameters
hook_text="""

_UNDO = """\
for file in "$place/sops" "$place/age" "$place/age-keygen" "$hook"; do
    if [ -e "$file" ]; then
        attempt "remove $file" rm -f "$file"
        say "$file removed"
    fi
done
"""


def native_sops(quirk: NativeSops, versions: Versions, hook: str, downloads: str = DOWNLOADS) -> Requirement:
    """The programs in their versions, and ``hook``, the text of sops-decrypt.sh.

    ``downloads``: where releases come from; what is below it has GitHub's own paths.
    """
    paths = f"place={PLACE}\nhook={quote(quirk.hook)}\n"
    return Requirement(
        name=quirk.name,
        reason=quirk.reason,
        wanted={"sops": versions.sops, "age": versions.age, "age-keygen": versions.age, "hook": "as declared"},
        probe=probe_text(f"{paths}hook_sum={sha256(hook.encode()).hexdigest()}\n{_LOOK}{_PROBE}"),
        apply=apply_text(
            quirk.name, f"{paths}{_pins(versions, downloads)}{_HOOK}{quote(hook)}\n{_LOOK}{DOWNLOAD}{_APPLY}"
        ),
        undo=apply_text(quirk.name, paths + _UNDO),
    )


def _pins(versions: Versions, downloads: str) -> str:
    sops, age = versions.sops, versions.age
    pins = {
        "sops": sops,
        "sops_sum": versions.sops_sha256,
        "sops_url": f"{downloads}/getsops/sops/releases/download/v{sops}/sops-v{sops}.linux.amd64",
        "age": age,
        "age_sum": versions.age_sha256,
        "age_url": f"{downloads}/FiloSottile/age/releases/download/v{age}/age-v{age}-linux-amd64.tar.gz",
    }
    return "".join(f"{name}={quote(value)}\n" for name, value in pins.items())
