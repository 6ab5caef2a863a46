"""Looks for every secret of a homelab wherever it has no business to be."""

import json
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping

from homeops.secrets.dotenv import lines
from homeops.secrets.trees import documents, leaves
from tests.end_to_end.homelab import Homelab

_LEAST = 8
"""A shorter value is found everywhere."""
_HOST_PLACES = ("/etc", "/root", "/home", "/tmp", "/var/tmp", "/var/log", "/run", "/usr/local", "/srv", "/opt")  # noqa: S108


def leaked(homelab: Homelab, hosts: Iterable[str]) -> list[str]:
    """``<name of a secret> in <place>`` for each that is where it must not be."""
    secrets = {name: value for name, value in _secrets(homelab).items() if len(value) >= _LEAST}
    assert len(secrets) > 30
    found = [f"{name} in {place}" for place, text in _texts(homelab) for name in _names(secrets, text)]
    found += _files(homelab, secrets)
    for host in hosts:
        found += _on_host(homelab, host, secrets)
    return found


def _secrets(homelab: Homelab) -> dict[str, str]:
    """Every secret of the run by a name."""
    found = dict(homelab.earlier)
    for secret in homelab.secret_files():
        where, text = secret.encrypted.relative_to(homelab.checkout), homelab.decrypted(secret)
        values = lines(text) if secret.format == "env" else _leaves(text, secret.format)
        found |= {f"{where} {key}": value for key, value in values.items()}
    profile = (homelab.lab.operator / ".config/komodo/komodo.cli.toml").read_text()
    found["the API key's secret"] = tomllib.loads(profile)["secret"]
    key = homelab.lab.age_key.read_text()
    found["the age key"] = next(line for line in key.splitlines() if line.startswith("AGE-SECRET-KEY-"))
    return found


def _leaves(text: str, kind: str) -> dict[str, str]:
    (document,) = documents(text, kind)
    return leaves(document)


def _names(secrets: Mapping[str, str], text: str) -> list[str]:
    """The secrets that are in a text, as they are or as JSON has them."""
    return [name for name, value in secrets.items() if value in text or json.dumps(value)[1:-1] in text]


def _texts(homelab: Homelab) -> Iterator[tuple[str, str]]:
    for said in homelab.said:
        yield f"what {said.command!r} said", said.text
    yield "a process list", b"\n".join(homelab.processes).decode(errors="replace")
    yield "the state", json.dumps(homelab.state())
    yield "the history of the repository", _history(homelab)


def _history(homelab: Homelab) -> str:
    (bare,) = homelab.lab.repositories.glob("*/*")
    log = ["git", "-C", str(bare), "log", "--all", "--patch"]
    return subprocess.run(log, capture_output=True, check=True).stdout.decode(errors="replace")


def _files(homelab: Homelab, secrets: Mapping[str, str]) -> Iterator[str]:
    """In the files of this machine: what the lab, Pulumi and its owner keep, and temporary ones."""
    own = {homelab.lab.directory / "key.json", homelab.lab.age_key}
    own |= set((homelab.lab.operator / ".config/komodo").iterdir())
    for path in homelab.place.rglob("*"):
        if path.is_file() and not path.is_symlink() and path not in own:
            text = path.read_bytes().decode(errors="replace")
            yield from (f"{name} in {path.relative_to(homelab.place)}" for name in _names(secrets, text))


def _on_host(homelab: Homelab, host: str, secrets: Mapping[str, str]) -> Iterator[str]:
    """On a host: its journal, what its containers said, and files that are not the decrypted ones."""
    journal = homelab.on(host, "journalctl", "--no-pager", "--output", "cat")
    yield from (f"{name} in the journal of {host}" for name in _names(secrets, journal))
    for container in homelab.on(host, "docker", "ps", "--all", "--format", "{{.Names}}").split():
        said = homelab.engine.attempt("exec", homelab.machine(host), "docker", "logs", container)
        text = (said.stdout + said.stderr).decode(errors="replace")
        yield from (f"{name} in the log of {container} on {host}" for name in _names(secrets, text))
    # What containers and their health checks are started from has their environment, as Docker's own files have.
    allowed = {"/etc/sops/age/keys.txt"} | set(_decrypted(homelab, host))
    left_out = "--exclude-dir=io.containerd.runtime.v2.task --exclude='runc-process*'"
    search = f"grep -roF {left_out} -f /dev/stdin {' '.join(_HOST_PLACES)} 2>/dev/null || :"
    names = {value: name for name, value in secrets.items()}
    hits = homelab.on(host, "sh", "-c", search, given="".join(f"{value}\n" for value in names).encode())
    for file, _, value in (hit.partition(":") for hit in hits.splitlines()):
        if file not in allowed:
            yield f"{names.get(value, 'part of a secret')} in {file} of {host}"


def _decrypted(homelab: Homelab, host: str) -> Iterator[str]:
    """The decrypted files on a host; each has to be its owner's alone."""
    paths = {secret.plain.relative_to(homelab.checkout) for secret in homelab.secret_files()}
    wanted = " -o ".join(f"-path '/etc/komodo/stacks/*/{path}'" for path in sorted(paths))
    found = homelab.on(host, "sh", "-c", f"find /etc/komodo/stacks -type f \\( {wanted} \\) -printf '%m %p\\n'")
    for line in found.splitlines():
        mode, path = line.split(maxsplit=1)
        assert mode == "600", (host, line)
        yield path
