"""The files of a ResourceSync: on Core's disk, in git, or in its own configuration (sync/remote.rs, sync/file.rs)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from homeops.lab.core.executions_logs import bold, colored, error_text, log, muted
from homeops.lab.core.references import find
from homeops.lab.core.repositories_refresh import checked_out
from homeops.lab.core.state import Document
from homeops.lab.core.sync_toml import Declared, NotDeclarations, read_declarations

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass
class Remote:
    """What was read: declarations, ``files`` as ``remote_contents`` shows them, ``errors`` likewise, log entries.

    ``failure`` is what is wrong with a text in the configuration, which has no file to tell it of.
    """

    declared: Declared = field(default_factory=Declared)
    files: list[Document] = field(default_factory=list[Document])
    errors: list[Document] = field(default_factory=list[Document])
    logs: list[Document] = field(default_factory=list[Document])
    hash: str | None = None
    message: str | None = None
    failure: tuple[str, list[str]] | None = None


def read_remote(core: "Core", sync: Document) -> Remote:
    """Read the files of a sync; raises Refusal for a linked Repo that is gone."""
    config = sync["config"]
    if config["files_on_host"]:
        return _read_files(core, sync, sync_directory(core, sync), Remote())
    source = config
    if config["linked_repo"]:
        source = find(core.state, "Repo", config["linked_repo"])["config"]
    if not source["repo"]:
        return _read_text(config)
    done, directory = checked_out(core, source)
    failed = next((entry for entry in done.logs if not entry["success"]), None)
    if failed is not None:
        said = "\n\n".join(text for text in (failed["stdout"], failed["stderr"]) if text)
        error = {"resource_path": "Repo error", "path": f"Failed at: {failed['stage']}", "contents": said}
        return Remote(errors=[error], logs=list(done.logs))
    return _read_files(core, sync, directory, Remote(logs=list(done.logs), hash=done.hash, message=done.message))


def sync_directory(core: "Core", sync: Document) -> Path:
    """Where Core keeps the files of a ``files_on_host`` sync."""
    return core.agents.root / "core" / "syncs" / sync["name"].strip().replace(" ", "_").replace("\n", "_")


def _read_text(config: Document) -> Remote:
    text: str = config["file_contents"]
    remote = Remote(
        files=[{"resource_path": "", "path": "database file", "contents": text}],
        logs=[log("Read from database", stdout="Resources added from database file")],
    )
    try:
        remote.declared.extend(read_declarations(text), config["match_tags"])
    except NotDeclarations as reason:
        remote.failure = "failed to parse resource file contents", [str(reason)]
    return remote


def _read_files(core: "Core", sync: Document, root: Path, remote: Remote) -> Remote:
    for resource_path in sync["config"]["resource_path"]:
        reading = _Reading(core, sync, root, remote, resource_path)
        reading.read()
        remote.logs.append(reading.entry())
    return remote


class _Reading:
    """The reading of one resource path, and its log entry."""

    def __init__(self, core: "Core", sync: Document, root: Path, remote: Remote, resource_path: str) -> None:
        self._listing = core.agents.listing
        self._tags: list[str] = sync["config"]["match_tags"]
        self._root, self._remote, self._resource_path = root, remote, resource_path
        self._full = root / resource_path
        self._text = f'{muted("INFO")}: reading resources from "{self._full}"'
        self._failed = False

    def entry(self) -> Document:
        """The log entry."""
        if self._failed:
            return log("Read remote resources", stderr=self._text, success=False)
        return log("Read remote resources", stdout=self._text)

    def read(self) -> None:
        """Read a file, or every TOML file of a directory."""
        if self._full.is_file():
            self._file(None, Path(self._resource_path), self._full)
        elif self._full.is_dir():
            self._directory(Path())
        else:
            self._failed = True
            self._text += f"{colored('ERROR', 'red')}: Resoure path {bold(self._resource_path)} does not exist."
            told = error_text(f'Path "{self._full}" does not exist.', ["Initialize the file to proceed."])
            self._error(told)

    def _directory(self, below: Path) -> None:
        for path in self._listing(self._full / below):
            relative = path.relative_to(self._full)
            if path.is_file():
                self._file(self._resource_path, relative, self._full / below)
            elif path.is_dir():
                self._directory(relative)

    def _file(self, resource_path: str | None, path: Path, shown: Path) -> None:
        """Read one file; ``shown`` is what an error calls it: a directory is shown in place of its files."""
        full = self._root / (resource_path or "") / path
        if full.suffix != ".toml":
            return
        contents = full.read_text()
        self._remote.files.append({"resource_path": resource_path or "", "path": str(path), "contents": contents})
        try:
            declared = read_declarations(contents)
        except NotDeclarations as reason:
            called = f"{shown}/" if resource_path is not None and shown == self._full else f"{shown}"
            causes = ["failed to parse resource file contents", str(reason)]
            self._error(error_text(f'failed to read resources from "{called}"', causes))
            self._failed |= resource_path is None
            return
        place = Path(resource_path or "") / path
        adding = f"{colored('adding resources', 'green')} from {colored(str(place), 'blue')}"
        self._text += f"\n{muted('INFO')}: {adding}"
        self._remote.declared.extend(declared, self._tags)

    def _error(self, contents: str) -> None:
        self._remote.errors.append({"resource_path": "", "path": self._resource_path, "contents": contents})
