"""Container images as the files of a registry's storage: what has been written there can be pulled, with no push.

Formats: image manifest version 2 schema 2 with its configuration and layers, and the ``filesystem`` storage driver's
layout (registry/storage/paths.go of the distribution project).
"""

import gzip
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from homeops.lab.machines.archive import Entry

STORAGE = "/var/lib/docker-registry"
_ROOT = f"{STORAGE}/docker/registry/v2"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

DOCKER_HUB = "registry-1.docker.io"
"""Where the images without a registry in their names are."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Files of an image: their archive, packed, and ``diff``, the digest of that archive before it was."""

    packed: bytes = field(repr=False)
    diff: str

    @classmethod
    def of(cls, files: bytes) -> Self:
        """The layer of an archive."""
        # The registry is near: what packs quickly is small enough.
        return cls(gzip.compress(files, compresslevel=1, mtime=0), _digest(files))


@dataclass(frozen=True)
class Image:
    """An image: ``name`` with its registry, its layers, and how its containers start."""

    name: str
    tag: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def blobs(self) -> dict[str, bytes]:
        """Configuration and layers by digest, in the manifest's order."""
        packed = [layer.packed for layer in self.layers]
        configuration = {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": "2020-01-01T00:00:00Z",
            "config": {
                "Entrypoint": list(self.entrypoint),
                "Env": [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    *(f"{name}={value}" for name, value in sorted(self.environ.items())),
                ],
                "Labels": dict(sorted(self.labels.items())),
            },
            "rootfs": {"type": "layers", "diff_ids": [layer.diff for layer in self.layers]},
            "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "homeops lab"} for _ in self.layers],
        }
        return {_digest(blob): blob for blob in [_json(configuration), *packed]}

    @cached_property
    def manifest(self) -> bytes:
        """The manifest."""
        (config, *layers) = self.blobs.items()
        return _json(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": {"mediaType": _CONFIG, "size": len(config[1]), "digest": config[0]},
                "layers": [{"mediaType": _LAYER, "size": len(blob), "digest": key} for key, blob in layers],
            }
        )

    @property
    def digest(self) -> str:
        """``sha256:...`` of the manifest: what a reference by digest names."""
        return _digest(self.manifest)


def split_name(name: str) -> tuple[str, str]:
    """The registry's host and the repository there: ``mongo`` is ``library/mongo`` of Docker Hub."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        hub = first in ("docker.io", "index.docker.io", DOCKER_HUB)
        host, repository = (DOCKER_HUB, rest) if hub else (first, rest)
    else:
        host, repository = DOCKER_HUB, name
    return host, f"library/{repository}" if host == DOCKER_HUB and "/" not in repository else repository


def stored(images: Iterable[Image]) -> list[Entry]:
    """The files of a registry that has these images; registries of all hosts are one, told apart by nothing."""
    files: dict[str, bytes] = {}
    for image in images:
        _, repository = split_name(image.name)
        place = f"{_ROOT}/repositories/{repository}"
        for key, blob in {**image.blobs, image.digest: image.manifest}.items():
            files[f"{_ROOT}/blobs/sha256/{_hex(key)[:2]}/{_hex(key)}/data"] = blob
        for key in image.blobs:
            files[f"{place}/_layers/sha256/{_hex(key)}/link"] = key.encode()
        link = image.digest.encode()
        files[f"{place}/_manifests/revisions/sha256/{_hex(image.digest)}/link"] = link
        files[f"{place}/_manifests/tags/{image.tag}/current/link"] = link
        files[f"{place}/_manifests/tags/{image.tag}/index/sha256/{_hex(image.digest)}/link"] = link
    return [Entry(path, content) for path, content in files.items()]


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _hex(key: str) -> str:
    return key.removeprefix("sha256:")


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
