"""What an agent does with Stacks (bin/periphery/src/{api/compose,stack/write}.rs)."""

from collections.abc import Sequence

from homeops.lab.core.agents import AgentFailure, Deployed, Replacers, StackOrder, project_name
from homeops.lab.core.agents_compose import ComposeRun
from homeops.lab.core.agents_stack_files import file_contents, file_dependencies, read_files
from homeops.lab.core.agents_work import AgentWork
from homeops.lab.core.checkouts import remote_of
from homeops.lab.core.compose_services import services_of
from homeops.lab.core.executions_interpolation import interpolated
from homeops.lab.core.executions_logs import error_log, succeeded
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document

STACK_TEXTS = (
    "file_contents",
    "environment",
    "pre_deploy",
    "post_deploy",
    "compose_cmd_wrapper",
    "extra_args",
    "build_extra_args",
)


class StackAgent(AgentWork):
    """The part of an agent that deploys."""

    def deploy(self, order: StackOrder) -> Deployed:
        """Write, validate, hook, config, build, pull, down, up, hook; the first failure ends it."""
        result = Deployed()
        stack, replacers = self._interpolated(order, result.logs)
        run_directory, env_file = self._written(stack, order, result)
        if run_directory is None:
            return result
        self._validate(stack, run_directory, result)
        if not succeeded(result.logs) or not self._hook(
            "Pre Deploy", stack, "pre_deploy", run_directory, result, replacers
        ):
            return result
        config = stack["config"]
        run = ComposeRun(self, stack, run_directory, env_file, replacers)
        configured, outcome = run("Compose Config", "config", "")
        result.logs.append(configured)
        if not configured["success"]:
            return result
        result.merged_config = configured["stdout"]
        result.services = services_of([outcome.stdout], project_name(stack, fresh=True))
        names = f" -- {' '.join(order.services)}" if order.services else ""
        if config["run_build"] and not run.logged(
            result, "Compose Build", "build", _extra(config["build_extra_args"]) + names
        ):
            return result
        if config["auto_pull"] and not run.logged(result, "Compose Pull", "pull", names):
            return result
        old, new = project_name(stack), project_name(stack, fresh=True)
        if (config["destroy_before_deploy"] or old != new) and not self._down(old, names, result):
            return result
        result.deployed = run.logged(result, "Compose Up", "up", f" -d{_extra(config['extra_args'])}{names}")
        if result.deployed:
            self._hook("Post Deploy", stack, "post_deploy", run_directory, result, replacers)
        return result

    def pull(self, order: StackOrder) -> list[Document]:
        """Write the files, then pull."""
        result = Deployed()
        stack, replacers = self._interpolated(order, result.logs)
        run_directory, env_file = self._written(stack, order, result)
        if run_directory is None:
            return result.logs
        for dependency in file_dependencies(stack):
            if not (run_directory / dependency["path"]).exists():
                raise AgentFailure(f"Missing compose file at {dependency['path']}")
        run = ComposeRun(self, stack, run_directory, env_file, replacers, project_name(stack))
        run.logged(result, "Compose Pull", "pull", f" -- {' '.join(order.services)}" if order.services else "")
        return result.logs

    def run_service(self, order: StackOrder, command: str) -> Document:
        """Write the files, then run one container to its end."""
        result = Deployed()
        stack, replacers = self._interpolated(order, [])
        run_directory, env_file = self._written(stack, order, result)
        if run_directory is None:
            return result.logs[-1]
        return ComposeRun(self, stack, run_directory, env_file, replacers)("Compose Run", "run", f" {command}")[0]

    def read_files(self, stack: Document) -> tuple[list[Document], list[Document]]:
        """Files of a Stack whose files are on the host."""
        run_directory = self._stack_directory(stack) / stack["config"]["run_directory"]
        return read_files(run_directory, stack, "Failed to read compose file contents at")

    def _interpolated(self, order: StackOrder, logs: list[Document]) -> tuple[Document, list[tuple[str, str]]]:
        """The Stack with this agent's secrets in it, and all that must be masked."""
        stack = order.stack
        if stack["config"]["skip_secret_interp"]:
            return stack, list(order.replacers)
        config, own = interpolated(stack["config"], STACK_TEXTS, {}, self.secrets, logs)
        return stack | {"config": config}, [*order.replacers, *own]

    def _written(self, stack: Document, order: StackOrder, result: Deployed) -> tuple[Place | None, str | None]:
        """Bring the Stack's files to where they belong: the run directory, and the env file if there is one."""
        config = stack["config"]
        root = self._stack_directory(stack)
        if config["files_on_host"]:
            run_directory = root / config["run_directory"]
        elif order.repo is not None or config["repo"]:
            if order.repo is not None:
                root = self._repo_directory(order.repo)
                remote = remote_of(order.repo["config"], order.token)
            else:
                root = root / config["clone_path"]
                remote = remote_of(config, order.token)
            if config["reclone"]:
                done = self.checkouts.clone(remote, root)
            else:
                done, _ = self.checkouts.pull_or_clone(remote, root)
            result.logs.extend(done.logs)
            result.commit_hash, result.commit_message = done.hash, done.message
            run_directory = root / config["run_directory"] if succeeded(done.logs) else root
        elif not config["file_contents"].strip():
            missing = "Must either input compose file contents directly, or use files on host / git repo options."
            result.logs.append(error_log("Write Stack", missing))
            return None, None
        else:
            run_directory = root
            run_directory.mkdir(parents=True, exist_ok=True)
        env_file = self._write_env_file(config, run_directory, result.logs) if succeeded(result.logs) else None
        if not (config["files_on_host"] or order.repo is not None or config["repo"]):
            target = run_directory / (config["file_paths"] or ["compose.yaml"])[0]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(config["file_contents"])
        if not run_directory.is_dir():
            raise AgentFailure(
                "Failed to validate run directory on host after stack write (canonicalize error), "
                f"path={run_directory}",
                "No such file or directory (os error 2)",
            )
        return run_directory, env_file

    def _validate(self, stack: Document, run_directory: Place, result: Deployed) -> None:
        dependencies = file_dependencies(stack)
        result.missing_files = [file["path"] for file in dependencies if not (run_directory / file["path"]).exists()]
        if result.missing_files:
            causes = [
                "Ensure the run_directory and all file paths are correct.",
                f"Missing files: {', '.join(result.missing_files)}",
            ]
            result.logs.append(error_log("Validate Files", "A file doesn't exist after writing stack.", causes))
            return
        result.files = [file_contents(file, (run_directory / file["path"]).read_text()) for file in dependencies]

    def _hook(
        self, stage: str, stack: Document, key: str, directory: Place, result: Deployed, replacers: Replacers
    ) -> bool:
        command: Document = stack["config"][key]
        if not command["command"].strip():
            return True
        entry = self._command(stage, command, directory / command["path"], replacers, stack["name"])
        result.logs.append(entry)
        return entry["success"]

    def _down(self, project: str, names: str, result: Deployed) -> bool:
        result.logs.append(self.compose(project, f"down{names}", "Compose Down"))
        return result.logs[-1]["success"]


def _extra(arguments: Sequence[str]) -> str:
    return "".join(f" {argument}" for argument in arguments)
