"""What ``docker build`` says of a Dockerfile, and how it ends, without building anything."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from homeops.lab.core.agents_docker import image_tags
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.entry_lines import entries
from homeops.lab.core.state import Document
from homeops.lab.core.toml_export import version_text

_FILE_HEADER = 37
"""By so many bytes what is transferred is longer than the Dockerfile."""

_LAYERS = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass
class Foretold:
    """The end of a build: how long it takes and what is written until then."""

    seconds: float
    outcome: Outcome


@dataclass
class _Progress:
    """Plain progress: numbered blocks of lines."""

    blocks: list[str] = field(default_factory=list[str])

    def add(self, title: str, *lines: str) -> None:
        number = len(self.blocks) + 1
        self.blocks.append("".join(f"#{number} {line}\n" for line in (title, *lines)))

    def text(self) -> str:
        begun = '#0 building with "default" instance using docker driver\n'
        return "\n".join([begun, *self.blocks])


def foretell(build: Document, dockerfile: str, commit: str | None) -> Foretold:
    """How the build of a Dockerfile goes: ``RUN sleep 5`` takes its time, ``RUN exit 7`` fails, all else is cached."""
    steps = [step for step in _instructions(dockerfile) if step[0] in ("FROM", *_LAYERS)]
    known = _arguments(build["config"], dockerfile)
    progress = _Progress()
    size = len(dockerfile.encode()) + _FILE_HEADER
    progress.add(
        f"[internal] load build definition from {build['config']['dockerfile_path']}",
        f"transferring dockerfile: {size}B done",
        "DONE 0.0s",
    )
    progress.add("[internal] load .dockerignore", "transferring context: 2B done", "DONE 0.0s")
    for image in [_base(text) for word, text in steps if word == "FROM"]:
        progress.add(f"[internal] load metadata for {full_reference(image)}", "DONE 0.0s")
    seconds = 0.0
    for place, (word, text) in enumerate(steps, 1):
        title = f"[{place}/{len(steps)}] {word} {_expanded(text, known)}"
        if word == "FROM":
            progress.add(f"[{place}/{len(steps)}] FROM {full_reference(_base(text))}", "DONE 0.0s")
        elif word == "RUN" and (code := re.fullmatch(r"exit ([1-9]\d*)", text)):
            failure = f"executor failed running [/bin/sh -c {text}]: exit code: {code[1]}"
            progress.add(title, f"ERROR: {failure}")
            told = f"------\n > {title}:\n------\nERROR: failed to solve: {failure}\n"
            return Foretold(seconds, Outcome(1, "", progress.text() + told))
        else:
            if word == "RUN" and (length := re.fullmatch(r"sleep (\d+)", text)):
                seconds += float(length[1])
            progress.add(title, "CACHED")
    content = [dockerfile, build["config"]["labels"], *(f"{name}={value}" for name, value in known.items())]
    progress.add("exporting to image", *_exported(content, image_tags(build, commit)), "DONE 0.0s")
    return Foretold(seconds, Outcome(0, "", progress.text()))


def full_reference(image: str) -> str:
    """An image with its registry and tag: ``busybox`` is ``docker.io/library/busybox:latest``."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif "." not in first and ":" not in first and first != "localhost":
        image = f"docker.io/{image}"
    return image if ":" in image.rsplit("/", 1)[1] or "@" in image else f"{image}:latest"


def _exported(content: Sequence[str], tags: Sequence[str]) -> list[str]:
    digest = sha256("\n".join(content).encode()).hexdigest()
    named = [f"naming to {full_reference(tag)} done" for tag in tags]
    return ["exporting layers done", f"writing image sha256:{digest} done", *named]


def _instructions(dockerfile: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\s*\n\s*", " ", dockerfile)
    lines = (line.strip() for line in joined.splitlines())
    parts = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return [(part[0].upper(), part[1].strip()) for part in parts if len(part) > 1]


def _base(text: str) -> str:
    return next(word for word in text.split() if not word.startswith("--"))


def _arguments(config: Document, dockerfile: str) -> dict[str, str]:
    """The values of a Dockerfile's arguments: those given, else the defaults."""
    given = dict(entries(config["build_args"])) | {"VERSION": version_text(config["version"])}
    found: dict[str, str] = {}
    for word, text in _instructions(dockerfile):
        if word == "ARG":
            name, _, default = text.partition("=")
            found[name] = given.get(name, default.strip("\"'"))
    return found


def _expanded(text: str, known: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return known.get(match[1] or match[2], match[0])

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)
