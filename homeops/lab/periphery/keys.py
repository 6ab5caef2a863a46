"""Periphery's key pair and certificate, made by openssl where they are missing, and the keys of Cores."""

import base64
import binascii
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

FILE = "file:"


class KeyProblem(Exception):  # noqa: N818 - what is wrong, as in homeops.errors
    """A key that cannot be read or made; the text names it."""


def own_public_key(private_key: str) -> str:
    """The public key (X25519, base64 of its DER) of a private one: the key itself, or ``file:PATH``.

    A file that is missing is made (mode 600); the public key is then kept in PEM beside it, with the suffix ``.pub``
    and for all to read.
    """
    if not private_key.startswith(FILE):
        return _bare(_public(_pem("PRIVATE KEY", private_key)))
    path = Path(private_key.removeprefix(FILE))
    public = path.with_suffix(".pub")
    if not path.exists():
        _write(path, _openssl("genpkey", "-algorithm", "X25519"), 0o600)
    try:
        text = _public(path.read_bytes())
    except OSError as reason:
        raise KeyProblem(f"{path}: {reason.strerror}") from reason
    if not public.exists() or public.read_bytes() != text:
        _write(public, text, 0o644)
    return _bare(text)


def rotated_public_key(private_key: str) -> str:
    """The public key of a new private one in the place of that of a file."""
    if not private_key.startswith(FILE):
        raise KeyProblem("private_key: only one that is in a file can be replaced")
    _write(Path(private_key.removeprefix(FILE)), _openssl("genpkey", "-algorithm", "X25519"), 0o600)
    return own_public_key(private_key)


def take_core_key(specs: Sequence[str], key: str) -> None:
    """Put another public key of Core into the first file of ``core_keys``; without one nothing is changed."""
    files = (spec.removeprefix(FILE) for spec in specs if spec.startswith(FILE))
    if path := next(files, None):
        _write(Path(path), _pem("PUBLIC KEY", key), 0o644)


def core_keys(specs: Sequence[str]) -> frozenset[str]:
    """The public keys of Cores: each as base64 of its DER, in PEM, or ``file:PATH`` of a file with one."""
    found: set[str] = set()
    for spec in specs:
        text = spec
        if spec.startswith(FILE):
            try:
                text = Path(spec.removeprefix(FILE)).read_text(encoding="utf-8")
            except OSError as reason:
                raise KeyProblem(f"core_public_keys: {spec}: {reason.strerror}") from reason
        key = _bare(text.encode())
        try:
            base64.b64decode(key, validate=True)
        except binascii.Error as reason:
            raise KeyProblem(f"core_public_keys: {key!r} is not a public key") from reason
        found.add(key)
    return frozenset(found)


def have_certificate(key: Path, certificate: Path) -> None:
    """Make a certificate that nobody signed, unless there is one."""
    if key.exists() and certificate.exists():
        return
    _write(key, _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"), 0o600)
    made = _openssl("req", "-x509", "-new", "-key", str(key), "-days", "3650", "-subj", "/CN=periphery")
    _write(certificate, made, 0o644)


def _public(private: bytes) -> bytes:
    return _openssl("pkey", "-pubout", given=private)


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False)
    except OSError as reason:
        raise KeyProblem(f"openssl: {reason.strerror}") from reason
    if done.returncode:
        raise KeyProblem(f"openssl {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file as a whole; nobody else may ever read one that is for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.chmod(mode)
    fresh.rename(path)


def _bare(text: bytes) -> str:
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    return "".join(line for line in lines if not line.startswith("-----"))


def _pem(label: str, key: str) -> bytes:
    return (
        key.encode() if key.startswith("-----") else f"-----BEGIN {label}-----\n{key}\n-----END {label}-----\n".encode()
    )
