"""The images that the fleet builds itself: which compose files use them, and when they have to be built again."""

import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from homeops.deploy.digests import MISSING, digest
from homeops.deploy.files import files_below, read
from homeops.model.config.build import BuildConfig
from homeops.model.graph import Graph
from homeops.model.wire import whole

IMAGE_FIELDS = (
    "version",
    "image_tag",
    "linked_repo",
    "git_provider",
    "repo",
    "branch",
    "commit",
    "files_on_host",
    "build_path",
    "dockerfile_path",
    "skip_secret_interp",
    "extra_args",
    "pre_build",
    "dockerfile",
    "build_args",
    "secret_args",
    "labels",
)
"""Fields of a Build that change what is in its image; the others say where it is built, pushed and shown."""


@dataclass(frozen=True)
class Image:
    """An image that a declared Build makes, without tag."""

    build: str
    config: BuildConfig
    names: re.Pattern[str]

    def used_in(self, compose: str) -> bool:
        """Whether the text of a compose file has it as an ``image:``, with any tag or none."""
        return self.names.search(compose) is not None


def built_images(graph: Graph) -> tuple[Image, ...]:
    """Every image of the fleet's own."""
    return tuple(
        Image(build.name, build.config, _as_image(_names(build.name, build.config)))
        for build in graph.of("Build")
        if isinstance(build.config, BuildConfig)
    )


def _names(name: str, config: BuildConfig) -> list[str]:
    """``domain/organization or account/name`` for each registry, or the name alone (entities/build.rs)."""
    short = config.image_name or name
    if not config.image_registry:
        return [short]
    registries = config.image_registry
    return ["/".join(filter(None, (one.domain, one.organization or one.account, short))) for one in registries]


def _as_image(names: list[str]) -> re.Pattern[str]:
    # Docker Hub's own name may be left out.
    known = "|".join(re.escape(name.removeprefix("docker.io/")) for name in names)
    return re.compile(
        rf"""^[^#\n]*\bimage["']?:[ \t]*["']?(?:docker\.io/)?(?:{known})(?=[:@\s"',}}]|$)""", re.MULTILINE
    )


def image_digest(image: Image, root: Path, *, ours: bool) -> str:
    """Of what is in the image: its Build's fields, and the files of its directory when they are in this repository.

    A Build of the whole repository counts by its Dockerfile alone: which files that takes is not known.
    """
    config = image.config
    parts = {field: whole(getattr(config, field)) for field in IMAGE_FIELDS}
    if ours:
        directory = posixpath.normpath(config.build_path or ".")
        dockerfile = posixpath.normpath(posixpath.join(directory, config.dockerfile_path or "Dockerfile"))
        for path in dict.fromkeys((dockerfile, *(() if directory == "." else files_below(root, directory)))):
            file = read(root, path)
            parts[f"file {path}"] = file.digest if file else MISSING
    return digest(json.dumps(parts))
