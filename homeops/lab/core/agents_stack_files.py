"""Which files a Stack consists of, and what a change of each one means (entities/stack.rs)."""

from homeops.lab.core.executions_logs import error_log
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document


def compose_paths(stack: Document) -> list[str]:
    """The compose files, relative to the run directory."""
    return stack["config"]["file_paths"] or ["compose.yaml"]


def file_dependencies(stack: Document) -> list[Document]:
    """Every tracked file ``{path, services, requires}``: compose files, tracked env files, config files; each once."""
    config = stack["config"]
    tracked = [file["path"] for file in config["additional_env_files"] if file["track"]]
    whole: list[Document] = [
        {"path": path, "services": [], "requires": "Redeploy"} for path in [*compose_paths(stack), *tracked]
    ]
    partial = [
        {"path": file["path"], "services": file.get("services", []), "requires": file.get("requires", "None")}
        for file in config["config_files"]
    ]
    found: list[Document] = []
    for dependency in [*whole, *partial]:
        if dependency not in found:
            found.append(dependency)
    return found


def is_compose_file(stack: Document, path: str) -> bool:
    """Whether a tracked file is read for services: a compose file that is not also listed otherwise."""
    config = stack["config"]
    others = [file["path"] for file in (*config["config_files"], *config["additional_env_files"])]
    return path in compose_paths(stack) and path not in others


def file_contents(dependency: Document, text: str) -> Document:
    """A file as ``remote_contents`` shows it; what is empty or None is left out."""
    shown: Document = {"path": dependency["path"], "contents": text}
    return shown | {"services": dependency["services"], "requires": dependency["requires"]}


def read_files(
    run_directory: Place, stack: Document, failure: str = "Failed to read file contents from"
) -> tuple[list[Document], list[Document]]:
    """The tracked files of a Stack that are there, and an error, in these words, for each of the others."""
    found: list[Document] = []
    errors: list[Document] = []
    for dependency in file_dependencies(stack):
        path = run_directory / dependency["path"]
        if path.is_file():
            found.append(file_contents(dependency, path.read_text()))
            continue
        failed = error_log("", f'{failure} "{path}"', ["No such file or directory (os error 2)"])
        errors.append({"path": dependency["path"], "contents": failed["stderr"]})
    return found, errors
