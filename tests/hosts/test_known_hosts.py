"""known_hosts is read as OpenSSH reads it, and written so that it finds exactly what was recorded."""

import subprocess
from pathlib import Path

import pytest

from homeops.errors import ToolError
from homeops.hosts.known_hosts import (
    HostKey,
    host_pattern,
    keys_of,
    parse_scan,
    preferred,
    read_known_hosts,
    with_keys,
    write_known_hosts,
)

ED25519 = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIMDZZ7CgTqPPZvCRaZmX0YgqSYpXaKqoHUnJyQkCwcMC")
OTHER = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIF2NWvdDzaj5bbTdWPhCxzGl4UBVAeuuJgd2xNqjZj0Z")
RSA = HostKey("ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDQzz5/")


def found_by_openssh(file: Path, name: str) -> set[str]:
    """The keys that ssh-keygen finds."""
    done = subprocess.run(["ssh-keygen", "-F", name, "-f", str(file)], capture_output=True, text=True, check=False)
    lines = (line for line in done.stdout.splitlines() if not line.startswith(("#", "@")))
    return {" ".join(line.split()[1:3]) for line in lines}


FILES = {
    "plain": f"192.0.2.1 {ED25519}\n",
    "port": f"[192.0.2.1]:2222 {ED25519}\n192.0.2.1 {OTHER}\n",
    "comment": f"# 192.0.2.1 {OTHER}\n\n192.0.2.1 {ED25519} root@host # and more\n",
    "list": f"host.example,192.0.2.1 {ED25519}\n",
    "wildcard": f"192.0.2.* {ED25519}\n",
    "one sign": f"192.0.2.? {ED25519}\n",
    "not": f"!192.0.2.1,192.0.2.* {ED25519}\n",
    "capitals": f"HOST.example {ED25519}\n",
    "marker": f"@revoked 192.0.2.1 {ED25519}\n@cert-authority * {OTHER}\n",
    "part of a name": f"192.0.2.11 {ED25519}\n",
    "spaces": f"  192.0.2.1\t {ED25519}\n",
    "several": f"192.0.2.1 {ED25519}\n192.0.2.1 {OTHER}\n",
}


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize("kind", FILES)
def test_the_same_keys_are_found_as_by_openssh(tmp_path: Path, kind: str, hashed: bool) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(FILES[kind])
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    for name in ("192.0.2.1", "[192.0.2.1]:2222", "host.example", "[192.0.2.9]:22"):
        assert {str(key) for key in keys_of(read_known_hosts(file), name)} == found_by_openssh(file, name)


def test_a_name_gets_exactly_its_new_keys_and_others_keep_theirs(tmp_path: Path) -> None:
    name = host_pattern("192.0.2.1", 22)
    text = f"# ours\n{name} {OTHER}\nother,{name} {OTHER} note\nlast {OTHER}"
    written = with_keys(text, name, [ED25519])
    assert written == f"# ours\nother {OTHER} note\nlast {OTHER}\n{name} {ED25519}\n"
    file = tmp_path / "new" / "known_hosts"
    write_known_hosts(file, written)
    assert found_by_openssh(file, name) == {str(ED25519)}
    assert found_by_openssh(file, "other") == {str(OTHER)}
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(file.parent.iterdir()) == [file]


def test_a_hashed_name_is_replaced_too(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"192.0.2.1 {OTHER}\n192.0.2.2 {OTHER}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    write_known_hosts(file, with_keys(read_known_hosts(file), "192.0.2.1", [ED25519]))
    assert found_by_openssh(file, "192.0.2.1") == {str(ED25519)}
    assert found_by_openssh(file, "192.0.2.2") == {str(OTHER)}


def test_what_is_written_twice_is_written_once() -> None:
    once = with_keys("", "a", [ED25519, RSA])
    assert with_keys(once, "a", [RSA, ED25519]) == once


def test_bytes_that_are_no_text_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_bytes(b"# caf\xe9\n")
    write_known_hosts(file, with_keys(read_known_hosts(file), "a", [ED25519]))
    assert file.read_bytes() == f"# caf?\na {ED25519}\n".encode().replace(b"?", b"\xe9")


def test_a_scans_comments_and_garbage_are_no_keys() -> None:
    assert parse_scan(f"# a:22 SSH-2.0-x\na {ED25519}\nnonsense\na ssh-rsa not-base64!\n") == (ED25519,)


def test_a_fingerprint_is_that_of_ssh_keygen(tmp_path: Path) -> None:
    file = tmp_path / "key.pub"
    file.write_text(f"{ED25519}\n")
    told = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], check=True, capture_output=True, text=True)
    assert ED25519.fingerprint == told.stdout.split()[1]


def test_the_pinned_key_is_the_one_that_gos_client_is_shown() -> None:
    ecdsa = HostKey("ecdsa-sha2-nistp256", "AAAA")
    assert preferred([ED25519, RSA, ecdsa]) == ecdsa
    assert preferred([ED25519, RSA]) == RSA
    assert preferred([ED25519]) == ED25519
    assert preferred([HostKey("sk-unheard-of", "AAAA")]) is None


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot be read: Is a directory"):
        read_known_hosts(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written: "):
        write_known_hosts(tmp_path / "file" / "known_hosts", "")
