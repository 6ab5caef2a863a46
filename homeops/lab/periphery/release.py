"""The stand-in as one executable file, as upstream's binary is one."""

import io
import zipfile
from pathlib import Path

_PACKAGE = Path(__file__).parent
_START = b"#!/usr/bin/env python3\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def release(version: str) -> bytes:
    """The program that says it is this version; needs Python 3.11. The same version makes the same bytes."""
    stream = io.BytesIO(_START)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in ("homeops/__init__.py", "homeops/lab/__init__.py"):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), "")
        for file in sorted(_PACKAGE.glob("*.py")):
            if file.name == Path(__file__).name:
                continue
            text = f"VERSION = {version!r}\n" if file.name == "version.py" else file.read_text(encoding="utf-8")
            archive.writestr(zipfile.ZipInfo(f"homeops/lab/periphery/{file.name}", _LONG_AGO), text)
        start = "from homeops.lab.periphery import __main__\n"
        archive.writestr(zipfile.ZipInfo("__main__.py", _LONG_AGO), start)
    return stream.getvalue()
