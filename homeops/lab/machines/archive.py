"""Files for a container, as the archive that ``docker cp`` and ``docker import`` read."""

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A file by its full path; a symbolic link when ``link`` is given, else a directory when ``content`` is None."""

    path: str
    content: bytes | None = None
    mode: int = 0o644
    link: str = ""
    owner: int = 0


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive of the entries; equal entries make equal bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in sorted(entries, key=lambda entry: entry.path):
            member = tarfile.TarInfo(entry.path.lstrip("/"))
            member.mode, member.uid, member.gid = entry.mode, entry.owner, entry.owner
            if entry.link:
                member.type, member.linkname = tarfile.SYMTYPE, entry.link
                tar.addfile(member)
            elif entry.content is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                member.size = len(entry.content)
                tar.addfile(member, io.BytesIO(entry.content))
    return stream.getvalue()


def digest(*parts: bytes | str) -> str:
    """What tells one recipe from another: 12 hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()[:12]
