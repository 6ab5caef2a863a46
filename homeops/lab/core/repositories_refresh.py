"""What Core reads of Stacks, Builds and Repos from git and hosts (``Refresh...Cache``), and keeps in their info."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import AgentFailure, project_name
from homeops.lab.core.agents_stack_files import file_dependencies, is_compose_file, read_files
from homeops.lab.core.checkouts import Checkout, remote_of
from homeops.lab.core.compose_services import NotComposeError, services_of
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions_logs import error_text
from homeops.lab.core.references import find, permitted
from homeops.lab.core.refreshes import REFRESHES, refresh_build, refresh_stack
from homeops.lab.core.resource_states import server_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def git_token(core: "Core", provider: str, account: str) -> str:
    """The token of a git account; an empty text when there is none."""
    if not provider or not account:
        return ""
    found = (
        known["token"]
        for known in core.state.git_accounts.values()
        if known["domain"] == provider and known["username"] == account
    )
    return next(found, "")


def checked_out(core: "Core", config: Document) -> tuple[Checkout, Any]:
    """Core's own checkout for git settings, brought up to date, and its directory."""
    remote = remote_of(config, git_token(core, config["git_provider"], config["git_account"]))
    return core.agents.core_checkout(remote)


def refresh_stack_files(core: "Core", stack: Document) -> None:
    """Read a Stack's files from where they are, and what services they have; raises Refusal for a Repo that is gone."""
    config, info = stack["config"], stack["info"]
    repo = None
    if config["linked_repo"] and not config["files_on_host"]:
        repo = find(core.state, "Repo", config["linked_repo"])
    if config["files_on_host"]:
        stack["info"] = (
            info | {"latest_hash": None, "latest_message": None, "missing_files": []} | _on_host(core, stack)
        )
    elif repo is not None or config["repo"]:
        stack["info"] = info | _in_git(core, stack, repo["config"] if repo else config)
    else:
        refresh_stack(core, stack)


def _in_git(core: "Core", stack: Document, source: Document) -> Document:
    done, directory = checked_out(core, source)
    failed = next((entry for entry in done.logs if not entry["success"]), None)
    if failed is not None:
        said = "\n\n".join(text for text in (failed["stdout"], failed["stderr"]) if text)
        error = {"path": f"Failed at: {failed['stage']}", "contents": said}
        files, errors, missing = [], [error], []
    else:
        run_directory = directory / stack["config"]["run_directory"]
        files, errors = read_files(run_directory, stack)
        missing = [file["path"] for file in file_dependencies(stack) if not (run_directory / file["path"]).exists()]
    return {
        "missing_files": missing,
        "latest_services": _services(stack, files),
        "remote_contents": files,
        "remote_errors": errors,
        "latest_hash": done.hash,
        "latest_message": done.message,
    }


def _on_host(core: "Core", stack: Document) -> Document:
    """Nothing while the host does not answer: what was known stays."""
    server = core.state.resources["Server"].get(stack["config"]["server_id"])
    agent = core.agents.of(server) if server is not None and server_state(core, server) == "Ok" else None
    if agent is None:
        return {}
    try:
        files, errors = agent.read_files(stack)
    except AgentFailure as failure:
        text = error_text(failure.causes[0], failure.causes[1:])
        files, errors = [], [{"path": stack["config"]["run_directory"], "contents": text}]
    return {"latest_services": _services(stack, files), "remote_contents": files, "remote_errors": errors}


def _services(stack: Document, files: list[Document]) -> list[Document]:
    """The services of the compose files that can be read; one that cannot is passed over."""
    digests = {service["service_name"]: service["image_digest"] for service in stack["info"]["latest_services"]}
    texts: list[str] = []
    for file in files:
        if not is_compose_file(stack, file["path"]):
            continue
        try:
            services_of([file["contents"]], "")
        except NotComposeError:
            continue
        texts.append(file["contents"])
    return services_of(texts, project_name(stack, fresh=True), digests)


def refresh_build_files(core: "Core", build: Document) -> None:
    """Read a Build's Dockerfile from git."""
    config = build["config"]
    source = config
    if config["linked_repo"] and not config["files_on_host"]:
        source = find(core.state, "Repo", config["linked_repo"])["config"]
    if config["files_on_host"] or not source["repo"]:
        refresh_build(core, build)
        return
    done, directory = checked_out(core, source)
    path = f"{config['build_path']}/{config['dockerfile_path']}".removeprefix("./")
    failed = next((entry for entry in done.logs if not entry["success"]), None)
    file = directory / config["build_path"] / config["dockerfile_path"]
    error: str | None = None
    if failed is not None:
        error = "\n\n".join(text for text in (failed["stdout"], failed["stderr"]) if text)
    elif not file.is_file():
        error = error_text("Failed to read dockerfile contents", ["No such file or directory (os error 2)"])
    build["info"] = build["info"] | {
        "remote_path": path,
        "remote_contents": file.read_text() if file.is_file() else None,
        "remote_error": error,
        "latest_hash": done.hash,
        "latest_message": done.message,
    }


REFRESHES["Stack"] = refresh_stack_files
REFRESHES["Build"] = refresh_build_files


@answers("write", "RefreshStackCache")
def refresh_stack_cache(core: "Core", caller: Document, params: Document) -> Any:
    """Read a Stack's files again."""
    refresh_stack_files(core, permitted(core, caller, "Stack", params["stack"], "Execute"))
    return {}


@answers("write", "RefreshBuildCache")
def refresh_build_cache(core: "Core", caller: Document, params: Document) -> Any:
    """Read a Build's Dockerfile again."""
    refresh_build_files(core, permitted(core, caller, "Build", params["build"], "Execute"))
    return {}


@answers("write", "RefreshRepoCache")
def refresh_repo_cache(core: "Core", caller: Document, params: Document) -> Any:
    """Look at the newest commit of a Repo."""
    repo = permitted(core, caller, "Repo", params["repo"], "Execute")
    if repo["config"]["repo"]:
        done, _ = checked_out(core, repo["config"])
        repo["info"] = repo["info"] | {"latest_hash": done.hash, "latest_message": done.message}
    return {}
