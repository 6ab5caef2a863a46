"""The agent of a rehearsal host: files and git are real, in a directory of this machine; containers are not.

It does what Periphery 2.3.2 does, in the same order and with the same log stages (bin/periphery/src/api/compose.rs,
bin/periphery/src/stack/write.rs). Hooks are run for real only where ``run_hooks`` is set; otherwise they are said to
have succeeded, because the programs that they call are on the real hosts.
"""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

from homeops.lab.core.agents import AgentFailure, AgentGone, Deployed, Replacers, RepoOrder, StackOrder, project_name
from homeops.lab.core.agents_buildkit import foretell
from homeops.lab.core.agents_docker import build_command, image_tags
from homeops.lab.core.agents_stack_files import compose_paths, file_contents, file_dependencies
from homeops.lab.core.clock import Clock, SystemClock, beside
from homeops.lab.core.compose_services import services_of
from homeops.lab.core.containers import Container
from homeops.lab.core.containers_commands import docker_command, docker_container
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.containers_inspection import inspection
from homeops.lab.core.entry_lines import entries
from homeops.lab.core.executions_interpolation import interpolated, masked
from homeops.lab.core.executions_logs import error_log, log, succeeded
from homeops.lab.core.fates import fate_of
from homeops.lab.core.repositories import NOT_FOUND, Checkout, Outcome, Remote, Repositories
from homeops.lab.core.state import Document, now_ms

STACK_TEXTS = (
    "file_contents",
    "environment",
    "pre_deploy",
    "post_deploy",
    "compose_cmd_wrapper",
    "extra_args",
    "build_extra_args",
)
_STATS_SECONDS = 30.0
"""How often Periphery looks at the load of containers, on the full half minute, and when it begins."""

REPO_TEXTS = ("environment", "on_clone", "on_pull")


@dataclass
class RehearsalAgent:
    """One host. ``secrets`` are the agent's own; ``failures`` by Stack name fail its hook with that text on stderr."""

    directory: Path
    repositories: Repositories
    engine: Engine = field(default_factory=Engine)
    clock: Clock = field(default_factory=SystemClock)
    reachable: bool = True
    connection: int = 0
    silent: bool = False
    run_hooks: bool = False
    version: str = "2.3.2"
    cores: int = 2
    public_key: str = field(default_factory=lambda: base64.b64encode(token_bytes(44)).decode())
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    hook_failures: dict[str, str] = field(default_factory=dict[str, str])
    build_failures: dict[str, str] = field(default_factory=dict[str, str])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    _began: float = 0.0

    def end(self, seconds: float | None = None) -> None:
        """End as a process does, for so long (None: until ``begin``); containers go on, work under way does not."""
        self.reachable = False
        self.connection += 1
        if seconds is not None:
            self._after(seconds, self.begin)

    def begin(self) -> None:
        """Answer again after an ``end``."""
        self.reachable = True
        self._began = self.clock.now()

    def freeze(self, seconds: float | None = None) -> None:
        """Answer nothing for so long (None: until ``thaw``), then go on with the work that was under way."""
        self.silent = True
        if seconds is not None:
            self._after(seconds, self.thaw)

    def thaw(self) -> None:
        """Answer again after a ``freeze``."""
        self.silent = False

    def _after(self, seconds: float, change: Callable[[], None]) -> None:
        def later() -> None:
            self.clock.sleep(seconds)
            change()

        beside(self.clock, later)

    def go_on(self, connection: int) -> None:
        """Called between the steps of a piece of work: waits while frozen, stops where the agent has ended."""
        while self.silent:
            self.clock.sleep(0.1)
        if self.connection != connection:
            raise AgentGone

    def information(self) -> Document:
        """Version, cores, load: of a small machine at rest."""
        stats = {
            "cpu_perc": 3.5,
            "load_average": {"one": 0.1, "five": 0.1, "fifteen": 0.1},
            "mem_free_gb": 6.0,
            "mem_used_gb": 2.0,
            "mem_total_gb": 8.0,
            "disks": [{"mount": "/", "file_system": "ext4", "used_gb": 20.0, "total_gb": 100.0}],
            "network_ingress_bytes": 0.0,
            "network_egress_bytes": 0.0,
            "polling_rate": "5-sec",
            "refresh_ts": now_ms(),
            "refresh_list_ts": now_ms(),
        }
        return {
            "version": self.version,
            "stats": stats,
            "core_count": self.cores,
            "logical_core_count": self.cores,
            "public_ip": None,
            "public_key": self.public_key,
            "terminals_disabled": False,
            "container_terminals_disabled": False,
        }

    def containers(self) -> list[Document]:
        """All containers, by name; with their load where the agent has looked at that while they ran."""
        looked = max(self._began, self.clock.now() // _STATS_SECONDS * _STATS_SECONDS)
        with self.engine.lock:
            listed = [self.engine.containers[name] for name in sorted(self.engine.containers)]
            return [one.item() | ({"stats": _load(one.name)} if one.runs_since(looked) else {}) for one in listed]

    def projects(self) -> list[Document]:
        """Compose projects."""
        return self.engine.projects()

    def inspect(self, container: str) -> Document:
        """One container in full."""
        with self.engine.lock:
            found = next((c for c in self.engine.containers.values() if container in (c.name, c.id)), None)
        if found is None:
            raise AgentFailure(f"Docker responded with status code 404: No such container: {container}")
        return inspection(found, self.engine.data_root)

    def image(self, container: Document) -> Document:
        """The image of one of the containers, by its first tag."""
        images, identity = self.engine.images, container["image_id"]
        return {"name": images.name_of(identity, container["image"]), "digests": list(images.digests_of(identity))}

    def newest(self, image: str) -> str | None:
        """The digest that the registry has for an image now."""
        return None if "@" in image else self.engine.images.registry.digest(image)

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
        run = _Compose(self, stack, run_directory, env_file, replacers)
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
        run = _Compose(self, stack, run_directory, env_file, replacers, project_name(stack))
        run.logged(result, "Compose Pull", "pull", f" -- {' '.join(order.services)}" if order.services else "")
        return result.logs

    def run_service(self, order: StackOrder, command: str) -> Document:
        """Write the files, then run one container to its end."""
        result = Deployed()
        stack, replacers = self._interpolated(order, [])
        run_directory, env_file = self._written(stack, order, result)
        if run_directory is None:
            return result.logs[-1]
        return _Compose(self, stack, run_directory, env_file, replacers)("Compose Run", "run", f" {command}")[0]

    def compose(self, project: str, command: str, stage: str = "Compose Command") -> Document:
        """One compose command on an existing project."""
        text = f"docker compose -p {project} {command}"
        outcome = self.engine.compose(text, self.directory)
        return log(stage, text, stdout=outcome.stdout, stderr=outcome.stderr, success=outcome.exit == 0)

    def container(self, verb: str, name: str) -> Document:
        """One docker command on one container."""
        return docker_container(self.engine, verb, name)

    def docker(self, stage: str, command: str) -> Document:
        """One docker command on something else."""
        return docker_command(self.engine, stage, command)

    def run_container(self, name: str, definition: Document) -> list[Document]:
        """Replace one container."""
        image = str(definition["image"])
        with self.engine.lock:
            earlier = self.engine.containers.get(name)
        if earlier is not None and earlier.state == "running":
            self.clock.sleep(self.engine.grace_seconds)
        with self.engine.lock:
            self.engine.containers.pop(name, None)
            container = Container(
                name,
                name,
                name,
                definition,
                [str(definition.get("network", "host"))],
                fate_of(definition),
                self.clock.now,
                self.engine.images.had(image),
                labels=dict(definition.get("labels") or {}),
            )
            self.engine.containers[name] = container
            container.start()
        run = str(definition.get("run", f"docker run -d --name {name} {image}"))
        return [log("Docker Run", run, stdout=f"{container.id}\n")]

    def read_files(self, stack: Document) -> tuple[list[Document], list[Document]]:
        """Files of a Stack whose files are on the host."""
        run_directory = self._stack_directory(stack) / stack["config"]["run_directory"]
        return read_files(run_directory, stack, "Failed to read compose file contents at")

    def repo(self, order: RepoOrder, *, clone: bool) -> Checkout:
        """Clone or pull, write the env file, run the commands; these are run even when git failed."""
        logs: list[Document] = []
        config, replacers = order.repo["config"], list(order.replacers)
        if not config["skip_secret_interp"]:
            config, own = interpolated(config, REPO_TEXTS, {}, self.secrets)
            replacers.extend(own)
        target = self._repo_directory(order.repo)
        remote = remote_of(config, order.token)
        done = self.repositories.clone(remote, target) if clone else self.repositories.pull(remote, target)
        logs.extend(done.logs)
        self._write_env_file(config, target, logs)
        hooks = ("On Clone", "on_clone"), ("On Pull", "on_pull")
        for stage, key in hooks if clone else hooks[1:]:
            command: Document = config[key]
            if command["command"]:
                logs.append(self._command(stage, command, target / command["path"], replacers, order.repo["name"]))
                if not logs[-1]["success"]:
                    break
        return Checkout(logs, done.hash, done.message)

    def checkout(self, repo: Document) -> Document | None:
        """What is checked out of a Repo."""
        target = self._repo_directory(repo)
        if not (target / ".git").exists():
            return None
        commit, message = self.repositories.head(target)
        return {"hash": commit, "message": message}

    def rename_repo(self, repo: Document, name: str) -> Document:
        """Rename the directory, if there is one."""
        source = self._repo_directory(repo)
        told = f"No Repo cloned at {repo['name']} to rename"
        if source.is_dir():
            source.rename(self._repo_directory(repo | {"name": name}))
            told = "Renamed Repo directory on Server"
        return log("Rename Repo on Server", stdout=told)

    def delete_repo(self, repo: Document) -> Document:
        """Remove the files."""
        target = self._repo_directory(repo)
        if not target.is_dir():
            reason = "No such file or directory (os error 2)"
            return error_log("Delete repo", f'Failed to delete repo at "{target}"', [reason])
        shutil.rmtree(target, ignore_errors=True)
        return log("Delete repo", stdout=f"Deleted Repo {target.name}")

    def build(self, build: Document, order: RepoOrder | None, replacers: Replacers) -> tuple[list[Document], Checkout]:
        """Bring the sources here, run the hook, build. The image then is on this host, under all its tags."""
        config = build["config"]
        logs: list[Document] = []
        done = Checkout([])
        target = self.directory / "builds" / path_name(build["name"])
        if order is not None:
            if config["linked_repo"]:
                target = self._repo_directory(order.repo)
            done, _ = self.repositories.pull_or_clone(remote_of(order.repo["config"], order.token), target)
            logs += done.logs
        else:
            path = target / config["build_path"] / config["dockerfile_path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(config["dockerfile"])
            logs.append(log("Write Dockerfile", stdout=f'Dockerfile contents written to "{path}"'))
        directory = target / config["build_path"]
        if succeeded(logs) and config["pre_build"]["command"].strip():
            hook = config["pre_build"]
            logs.append(self._command("Pre Build", hook, directory / hook["path"], replacers, build["name"]))
        if succeeded(logs):
            text = masked(build_command(build, done.hash), replacers)
            outcome = self._built(build, directory / config["dockerfile_path"], done.hash)
            said = masked(outcome.stderr, replacers)
            logs.append(log("Docker Build", text, stderr=said, success=outcome.exit == 0))
        if succeeded(logs):
            self.engine.images.built(image_tags(build, done.hash), pushed=bool(config["image_registry"]))
        return logs, done

    def _built(self, build: Document, dockerfile: Path, commit: str | None) -> Outcome:
        """How a build ends: as told for its name, or as its Dockerfile foretells."""
        if build["name"] in self.build_failures:
            return Outcome(1, "", self.build_failures[build["name"]])
        if not dockerfile.is_file():
            return Outcome(1, "", "ERROR: failed to read dockerfile: open Dockerfile: no such file or directory\n")
        foretold = foretell(build, dockerfile.read_text(), commit)
        self.clock.sleep(foretold.seconds)
        return foretold.outcome

    def _interpolated(self, order: StackOrder, logs: list[Document]) -> tuple[Document, list[tuple[str, str]]]:
        """The Stack with this agent's secrets in it, and all that must be masked."""
        stack = order.stack
        if stack["config"]["skip_secret_interp"]:
            return stack, list(order.replacers)
        config, own = interpolated(stack["config"], STACK_TEXTS, {}, self.secrets, logs)
        return stack | {"config": config}, [*order.replacers, *own]

    def _written(self, stack: Document, order: StackOrder, result: Deployed) -> tuple[Path | None, str | None]:
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
                done = self.repositories.clone(remote, root)
            else:
                done, _ = self.repositories.pull_or_clone(remote, root)
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

    def _write_env_file(self, config: Document, directory: Path, logs: list[Document]) -> str | None:
        """Write ``environment`` to its file; one from earlier stays in use when there is nothing to write."""
        path = directory / config["env_file_path"]
        lines = entries(config["environment"])
        if not lines:
            return config["env_file_path"] if path.is_file() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}={value}\n" for key, value in lines))
        logs.append(log("Write Environment File", stdout=f'Environment file written to "{path}"'))
        return config["env_file_path"]

    def _validate(self, stack: Document, run_directory: Path, result: Deployed) -> None:
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
        self, stage: str, stack: Document, key: str, directory: Path, result: Deployed, replacers: Replacers
    ) -> bool:
        command: Document = stack["config"][key]
        if not command["command"].strip():
            return True
        entry = self._command(stage, command, directory / command["path"], replacers, stack["name"])
        result.logs.append(entry)
        return entry["success"]

    def _command(self, stage: str, command: Document, directory: Path, replacers: Replacers, owner: str) -> Document:
        text = command["command"] if command["shell_mode"] else one_line(command["command"])
        start = now_ms()
        outcome = self._shell(text, directory, owner)
        entry = log(
            stage,
            masked(text, replacers),
            stdout=masked(outcome.stdout, replacers),
            stderr=masked(outcome.stderr, replacers),
            success=outcome.exit == 0,
        )
        return entry | {"start_ts": start}

    def _shell(self, text: str, directory: Path, owner: str) -> Outcome:
        if owner in self.hook_failures:
            return Outcome(1, "", self.hook_failures[owner])
        if not directory.is_dir():
            return Outcome(1, "", NOT_FOUND)
        if length := re.fullmatch(r"\s*sleep (\d+(?:\.\d+)?)\s*", text):
            connection = self.connection
            self.clock.sleep(float(length[1]))
            self.go_on(connection)
            return Outcome(0, "", "")
        if not self.run_hooks:
            return Outcome(0, "", "")
        done = subprocess.run(
            ["/bin/bash", "-c", text],
            cwd=directory,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.directory)} | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def _down(self, project: str, names: str, result: Deployed) -> bool:
        result.logs.append(self.compose(project, f"down{names}", "Compose Down"))
        return result.logs[-1]["success"]

    def _stack_directory(self, stack: Document) -> Path:
        return self.directory / "stacks" / path_name(stack["name"])

    def _repo_directory(self, repo: Document) -> Path:
        return self.directory / "repos" / path_name(repo["name"]) / repo["config"]["path"]


class _Compose:
    """The compose commands of one deploy: same project, files and env files."""

    def __init__(
        self,
        agent: RehearsalAgent,
        stack: Document,
        directory: Path,
        env_file: str | None,
        replacers: Replacers,
        project: str = "",
    ) -> None:
        config = stack["config"]
        files = " -f ".join(compose_paths(stack))
        extra = [file["path"] for file in config["additional_env_files"] if file["path"] != env_file]
        env_files = "".join(f" --env-file {path}" for path in [*extra, *([env_file] if env_file else [])])
        self._base = f"docker compose -p {project or project_name(stack, fresh=True)} -f {files}{env_files}"
        self._wrapper = one_line(config["compose_cmd_wrapper"])
        self._wrapped = config["compose_cmd_wrapper_include"] or ["up"]
        self._agent, self._directory, self._replacers = agent, directory, replacers

    def __call__(self, stage: str, verb: str, arguments: str) -> tuple[Document, Outcome]:
        text = f"{self._base} {verb}{arguments}"
        if self._wrapper and verb in self._wrapped:
            if "[[COMPOSE_COMMAND]]" not in self._wrapper:
                refused = (
                    "compose_cmd_wrapper is configured but does not contain [[COMPOSE_COMMAND]] placeholder. "
                    "The placeholder is required to inject the compose command."
                )
                return log("Compose Command Wrapper", stderr=refused, success=False), Outcome(1, "", refused)
            text = self._wrapper.replace("[[COMPOSE_COMMAND]]", text)
        start = now_ms()
        connection = self._agent.connection
        outcome = self._agent.engine.compose(text, self._directory)
        self._agent.go_on(connection)
        entry = log(
            stage,
            masked(text, self._replacers),
            stdout=masked(outcome.stdout, self._replacers),
            stderr=masked(outcome.stderr, self._replacers),
            success=outcome.exit == 0,
        )
        return entry | {"start_ts": start}, outcome

    def logged(self, result: Deployed, stage: str, verb: str, arguments: str) -> bool:
        """Run, keep the log entry, say whether it worked."""
        entry, _ = self(stage, verb, arguments)
        result.logs.append(entry)
        return entry["success"]


def _load(container: str) -> Document:
    """The load of a container at rest, in the words of ``docker stats``."""
    return {
        "name": container,
        "cpu_perc": "0.00%",
        "mem_perc": "0.01%",
        "mem_usage": "1MiB / 8GiB",
        "net_io": "1kB / 0B",
        "block_io": "0B / 0B",
        "pids": "1",
    }


def remote_of(config: Document, token: str = "") -> Remote:
    """Where the git settings of a Stack, Build, Repo or ResourceSync point."""
    return Remote(
        config["git_provider"] or "github.com",
        config["repo"],
        config["branch"] or "main",
        config["commit"],
        config["git_https"],
        token,
    )


def read_files(
    run_directory: Path, stack: Document, failure: str = "Failed to read file contents from"
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


def path_name(name: str) -> str:
    """A name as part of a path."""
    return name.strip().replace(" ", "_").replace("\n", "_")


def one_line(command: str) -> str:
    """A multi-line command as Periphery runs it: comments taken out, lines joined by ``&&`` (parsers.rs)."""
    lines = (line.strip() for line in command.split("\n"))
    kept = "\n".join(line.split(" #")[0] for line in lines if line and not line.startswith("#"))
    joined = "".join(f" {part.strip()}" for part in kept.split(" \\"))
    again = (line.strip() for line in joined.split("\n"))
    return " && ".join(line.split(" #")[0].strip() for line in again if line and not line.startswith("#"))


def _extra(arguments: Sequence[str]) -> str:
    return "".join(f" {argument}" for argument in arguments)
