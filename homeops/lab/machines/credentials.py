"""Keys that the lab makes for itself: who may log in to its hosts, what these prove themselves with, and its CA."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.home import write_private
from homeops.lab.machines.archive import digest

DAYS = "3650"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys under one directory, each made when it is first asked for; its owner alone reads them."""

    directory: Path

    @property
    def operator(self) -> Path:
        """The private SSH key of the operator; the public one is beside it, with ``.pub``."""
        return self._ssh_key("operator", "homeops lab operator")

    def host_key(self, host: str) -> Path:
        """The private SSH key of a host: it stays the same when the host is made anew."""
        return self._ssh_key(f"{host}-host", f"homeops lab {host}")

    @property
    def authority(self) -> Path:
        """The certificate of the lab's CA."""
        certificate, key = self.directory / "ca.crt", self.directory / "ca.key"
        if not certificate.is_file():
            self._make()
            subject = ["-subj", "/CN=homeops lab CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
            _openssl(
                "req", "-x509", "-days", DAYS, *_FRESH_KEY, "-keyout", str(key), "-out", str(certificate), *subject
            )
        return certificate

    def server(self, names: Iterable[str]) -> tuple[Path, Path]:
        """A certificate of the CA for a server of these names, and its key."""
        wanted = sorted(set(names))
        authority = self.authority
        stem = f"server-{digest(*wanted)}"
        certificate, key, request = (self.directory / f"{stem}.{kind}" for kind in ("crt", "key", "csr"))
        if not certificate.is_file():
            extensions = self.directory / f"{stem}.ext"
            alternatives = ",".join(f"DNS:{name}" for name in wanted)
            write_private(extensions, f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth\n")
            _openssl("req", *_FRESH_KEY, "-keyout", str(key), "-out", str(request), "-subj", "/CN=homeops lab")
            signer = ["-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")), "-CAcreateserial"]
            signed = ["-in", str(request), "-out", str(certificate), "-extfile", str(extensions), "-days", DAYS]
            _openssl("x509", "-req", *signed, *signer)
        return certificate, key

    def _ssh_key(self, name: str, comment: str) -> Path:
        file = self.directory / f"{name}_ed25519"
        if not file.is_file():
            self._make()
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file))
        return file

    def _make(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)


_FRESH_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str) -> None:
    _run("openssl", *arguments)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    except FileNotFoundError as error:
        raise LabError(Problem(command[0], "not installed; the lab makes its keys with it")) from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise LabError(Problem(" ".join(command[:2]), "\n".join(words[-3:])))
