"""The commands that Periphery starts: as its own user, with its own environment, without input."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOT_FOUND = 'Os { code: 2, kind: NotFound, message: "No such file or directory" }'
"""What Periphery says when a command's directory does not exist."""


def run(script: str, directory: str) -> dict[str, Any]:
    """Run a shell command in a directory: ``{exit, stdout, stderr}``."""
    shell = shutil.which("bash", path="/bin:/usr/bin") or "sh"
    return _run([shell, "-c", script], Path(directory))


def containers() -> list[dict[str, Any]]:
    """Every container: its line of ``docker ps`` and what ``docker inspect`` says of it and of its image."""
    listed = {line["ID"]: line for line in _lines(_docker("ps", "--all", "--no-trunc", "--format", "{{json .}}"))}
    if not listed:
        return []
    # One may be gone by now: what is said of the others still counts.
    inspected = _inspected("container", list(listed))
    images = {image["Id"]: image for image in _inspected("image", sorted({one["Image"] for one in inspected}))}
    return [
        {"listed": listed[one["Id"]], "inspected": one, "image": images.get(one["Image"])}
        for one in inspected
        if one["Id"] in listed
    ]


def container(name: str) -> dict[str, Any] | None:
    """What ``docker inspect`` says of a container, with its size; None when there is none."""
    found = _inspected("container", [name], "--size")
    return found[0] if found else None


def projects() -> list[dict[str, Any]]:
    """What ``docker compose ls`` lists."""
    done = _docker("compose", "ls", "--all", "--format", "json")
    return json.loads(done["stdout"]) if done["exit"] == 0 else []


def _inspected(kind: str, names: Sequence[str], *options: str) -> list[dict[str, Any]]:
    return json.loads(_docker(kind, "inspect", *options, "--", *names)["stdout"] or "[]")


def _docker(*arguments: str) -> dict[str, Any]:
    return _run(["docker", *arguments], Path("/"))


def _lines(done: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done["stdout"].splitlines()]


def _run(words: Sequence[str], directory: Path) -> dict[str, Any]:
    if not directory.is_dir():
        return {"exit": 1, "stdout": "", "stderr": NOT_FOUND}
    try:
        done = subprocess.run(words, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as reason:
        return {"exit": 127, "stdout": "", "stderr": f"{words[0]}: {reason.strerror}\n"}
    # Not as text: Python would take the carriage returns of progress for ends of lines.
    said = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return {"exit": done.returncode, **dict(zip(("stdout", "stderr"), said, strict=True))}
