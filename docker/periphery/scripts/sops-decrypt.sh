#!/bin/sh
# Decrypts the secret files of the working directory, for a stack's pre_deploy hook:
#
#   .sops.env -> .env     NAME.sops.env -> NAME.env     and the same for .json and .yaml
#
# All or nothing: every file is decrypted before the first one is put in place, and each is put in place in one step, so
# that a failure leaves yesterday's files and nothing else. A directory without a secret file is an error: the hook was
# set up for a reason. The age key is SOPS_AGE_KEY_FILE, by default /etc/sops/age/keys.txt.
set -eu
umask 077

export SOPS_AGE_KEY_FILE="${SOPS_AGE_KEY_FILE:-/etc/sops/age/keys.txt}"
suffix="sops-decrypt.$$"

fail() {
    printf 'sops-decrypt: %s: %s\n' "$PWD" "$1" >&2
    exit 1
}

# NAME.sops.TYPE -> NAME.TYPE
plain_name() {
    printf '%s%s' "${1%.sops.*}" ".${1##*.}"
}

trap 'rm -f ./*."$suffix" ./.*."$suffix"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

set --
for type in env json yaml; do
    for file in "./.sops.$type" ./.*".sops.$type" ./*".sops.$type"; do
        if [ -e "$file" ] || [ -L "$file" ]; then
            set -- "$@" "$file"
        fi
    done
done

[ $# -gt 0 ] || fail 'no secret file (.sops.env, *.sops.env, *.sops.json, *.sops.yaml) to decrypt'
command -v sops >/dev/null || fail 'sops is not installed'
[ -r "$SOPS_AGE_KEY_FILE" ] || fail "cannot read the age key $SOPS_AGE_KEY_FILE"

for file in "$@"; do
    plain="$(plain_name "$file")"
    # Docker makes a directory of a bind mount's missing source; moving the file would silently put it inside.
    [ ! -d "$plain" ] || fail "${file#./}: ${plain#./} is a directory"
    case "$file" in
        *.env) format=dotenv ;;
        *.json) format=json ;;
        *) format=yaml ;;
    esac
    # Without a configuration: sops would take a secret file named .sops.yaml for its own.
    sops --config /dev/null decrypt --input-type "$format" --output-type "$format" "$file" >"$plain.$suffix" ||
        fail "${file#./}: cannot decrypt"
done

for file in "$@"; do
    plain="$(plain_name "$file")"
    mv -f "$plain.$suffix" "$plain" || fail "${file#./}: cannot write ${plain#./}"
    printf 'sops-decrypt: %s -> %s\n' "${file#./}" "${plain#./}"
done
