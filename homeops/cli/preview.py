"""The real ``pulumi preview`` of a Pulumi stack, as data: what tools/preview shows to people."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from homeops.errors import Problem, ToolError
from homeops.settings import load_settings

_NOT_FOUND = 127
_TAIL = 15


def preview(stack: str, root: Path, *, refresh: bool = False) -> dict[str, Any]:
    """What ``pulumi preview --json`` says, unchanged resources too, with its exit code as ``exit``.

    ``refresh``: against what Komodo has now, not against Pulumi's state. Raises SettingsError for a Pulumi stack
    without settings, ToolError when there is no preview.
    """
    load_settings(stack, root)
    options = ["--json", "--show-sames", "--non-interactive", *(["--refresh"] if refresh else [])]
    done = subprocess.run(
        [str(root / "tools" / "preview"), stack, *options],
        cwd=root,
        # Pulumi's language host runs the first Python there is: that which runs us.
        env={**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == _NOT_FOUND:
        raise ToolError(Problem("pulumi", "not found in .tools/bin or on PATH", "make tools"))
    try:
        document: Any = json.loads(done.stdout)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _failure(stack, done)
    return {**cast(dict[str, Any], document), "exit": done.returncode}


def _failure(stack: str, done: "subprocess.CompletedProcess[str]") -> ToolError:
    said = f"{done.stdout}\n{done.stderr}"
    lines = [line.removeprefix("error: ") for line in said.splitlines() if line.strip()]
    text = "".join(f"\n    {line}" for line in lines[-_TAIL:])
    hint = f"pulumi stack init {stack}" if "no stack named" in said else ""
    return ToolError(Problem("pulumi preview", f"failed ({done.returncode}){text}", hint))
