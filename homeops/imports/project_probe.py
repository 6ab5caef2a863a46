"""The scripts that look at what runs on a host. They change nothing there.

Of files that hold environments only the names of their keys are read. What a script prints are records: lines of a word
and fields in base64, separated by tabs (project_reading.py reads them).
"""

# Compose is run with no more of an environment than Periphery's own has: what a person's shell gave it when the project
# was started is part of the question.
_BEGIN = r"""
set -u
record() {
    printf '%s' "$1"
    shift
    for field; do printf '\t%s' "$(printf %s "$field" | base64 | tr -d '\n')"; done
    echo
}
# from KIND FIELD...: a record whose last field is standard input.
from() {
    record "$@" | tr -d '\n'
    printf '\t'
    base64 | tr -d '\n'
    echo
}
command -v docker >/dev/null || { record problem 'docker is not installed'; record end; exit; }
ids=$(docker ps -aq --no-trunc 2>&1) || { record problem "$(echo "$ids" | tail -n 1)"; record end; exit; }
clean() { env -i PATH="$PATH" HOME="${HOME:-/root}" "$@"; }
if version=$(clean docker compose version --short 2>/dev/null); then compose() { clean docker compose "$@"; }
elif version=$(clean docker-compose version --short 2>/dev/null); then compose() { clean docker-compose "$@"; }
else
    version=''
    compose() { return 1; }
fi
record compose "$version"
agent=$(docker ps -q --no-trunc --filter label=com.docker.compose.service=periphery | head -n 1)
[ -n "$agent" ] || agent=$(docker ps --no-trunc --format '{{.ID}} {{.Image}}' |
    sed -n 's/^\([0-9a-f]*\) .*periphery.*/\1/p' | head -n 1)
in_agent() { docker exec -i -w / "$agent" docker compose "$@"; }
counts=
if [ -n "$agent" ]; then
    counts=$(in_agent version --short 2>/dev/null </dev/null)
    record agent "$agent" "$counts"
fi
"""

SCRIPT = (
    _BEGIN
    + r"""
[ -n "$ids" ] || { record end; exit; }
# shellcheck disable=SC2086  # ids are words
docker inspect $ids 2>/dev/null | from containers
# shellcheck disable=SC2086
docker inspect --format '{{.Config.Image}}' $ids 2>/dev/null | sort -u | while read -r name; do
    record image "$name" "$(docker image inspect --format '{{.Id}}' "$name" 2>/dev/null </dev/null)"
done
# shellcheck disable=SC2046,SC2086
docker image inspect $(docker inspect --format '{{.Image}}' $ids 2>/dev/null | sort -u) 2>/dev/null | from images
# shellcheck disable=SC2046
docker network inspect $(docker network ls -q) 2>/dev/null | from networks
volumes=$(docker volume ls -q --filter label=com.docker.compose.project)
# shellcheck disable=SC2086
[ -z "$volumes" ] || docker volume inspect $volumes 2>/dev/null | from volumes

# names PATH: the names of the keys of an env file.
names() { sed -n 's/^[ \t]*\(export[ \t]\{1,\}\)\{0,1\}\([A-Za-z_][A-Za-z0-9_.-]*\)[ \t]*[=:].*/\2/p' "$1"; }
keys() { if [ -f "$2" ]; then names "$2" | from "$1" "$2"; fi; }
project() {
    name=$1 dir=$2 files=$3 envs=$4
    record project "$name" "$dir" "$files" "$envs"
    set -- -p "$name" --project-directory "$dir"
    IFS=,
    for file in $files; do
        set -- "$@" -f "$file"
        if [ -f "$file" ]; then head -c 1048576 "$file" | from file "$file"; else record missing "$file"; fi
    done
    for file in $envs; do set -- "$@" --env-file "$file"; keys variables "$file"; done
    unset IFS
    [ -n "$envs" ] || keys variables "$dir/.env"
    filling=$(IFS=,; for file in ${envs:-$dir/.env}; do names "$file" 2>/dev/null; done | sort -u)
    [ -n "$version" ] || return
    cd "$dir" 2>/dev/null || { record refused "there is no directory $dir"; return; }
    if ! config=$(compose "$@" --profile '*' config --format json 2>/dev/null); then
        record refused "$(compose "$@" --profile '*' config --format json 2>&1 >/dev/null | tail -n 1)"
        return
    fi
    printf '%s\n' "$config" | from config
    compose "$@" config --services 2>/dev/null | from active
    compose "$@" --profile '*' config --no-env-resolution --format json 2>/dev/null |
        sed -n '/"env_file": \[/,/^ *\]/s/^ *"path": "\(.*\)",\{0,1\}$/\1/p' | sort -u |
        while IFS= read -r file; do
            keys environment "$file"
            # Only names that are keys of another file are said, never what else stands after a dollar sign.
            for key in $filling; do
                grep -qE "[$][{]?$key([^A-Za-z0-9_]|$)" "$file" && echo "$key"
            done | from refers "$file"
        done
    compose "$@" --profile '*' config --hash '*' 2>/dev/null | from hashes host
    # A service in another's namespace is counted with that one's container in place of its name.
    shared=$(docker ps -a --no-trunc --filter "label=com.docker.compose.project=$name" --format \
        '{{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.container-number"}} {{.ID}}' |
        sort -k1,1 -k2,2n | awk '!seen[$1]++' |
        sed 's|^\([^ ]*\) [^ ]* \(.*\)|s/"\\(network_mode\\\|ipc\\\|pid\\)": "service:\1"/"\\1": "container:\2"/|')
    config=$(printf '%s\n' "$config" | sed -e "$shared")
    printf '%s\n' "$config" | compose -p "$name" --profile '*' -f - config --hash '*' 2>/dev/null | from hashes host
    [ -z "$counts" ] || printf '%s\n' "$config" | in_agent -p "$name" --profile '*' -f - config --hash '*' 2>/dev/null |
        from hashes agent
}
us=$(printf '\037')
format=
for label in project project.working_dir project.config_files project.environment_file; do
    format="$format${format:+$us}{{.Label \"com.docker.compose.$label\"}}"
done
docker ps -a --filter label=com.docker.compose.project --filter label=com.docker.compose.oneoff=False \
    --format "$format" | sort -u | while IFS=$us read -r name dir files envs; do
    project "$name" "$dir" "$files" "$envs" </dev/null
done
record end
"""
)

COUNT = (
    _BEGIN
    + r"""
while read -r name text; do
    text=$(printf %s "$text" | base64 -d)
    record project "$name" '' '' ''
    if ! config=$(printf '%s\n' "$text" | compose -p "$name" -f - config --format json 2>/dev/null); then
        record refused "$(printf '%s\n' "$text" | compose -p "$name" -f - config -q 2>&1 | tail -n 1)"
        continue
    fi
    printf '%s\n' "$config" | from config
    printf '%s\n' "$text" | compose -p "$name" -f - config --hash '*' 2>/dev/null | from hashes host
    [ -z "$counts" ] || printf '%s\n' "$text" | in_agent -p "$name" -f - config --hash '*' 2>/dev/null |
        from hashes agent
done
record end
"""
)
"""Has compose count projects that are given on standard input: a line each, the name and the file in base64."""
