"""What an agent does with Repos and Builds (bin/periphery/src/api/{git,build}.rs)."""

from homeops.lab.core.agents import Replacers, RepoOrder
from homeops.lab.core.agents_docker import build_command
from homeops.lab.core.agents_work import AgentWork, path_name
from homeops.lab.core.checkouts import Checkout, remote_of
from homeops.lab.core.executions_interpolation import interpolated, masked
from homeops.lab.core.executions_logs import error_log, log, succeeded
from homeops.lab.core.state import Document

REPO_TEXTS = ("environment", "on_clone", "on_pull")


class RepoAgent(AgentWork):
    """The part of an agent that clones, pulls and builds."""

    def repo(self, order: RepoOrder, *, clone: bool) -> Checkout:
        """Clone or pull, write the env file, run the commands; these are run even when git failed."""
        logs: list[Document] = []
        config, replacers = order.repo["config"], list(order.replacers)
        if not config["skip_secret_interp"]:
            config, own = interpolated(config, REPO_TEXTS, {}, self.secrets)
            replacers.extend(own)
        target = self._repo_directory(order.repo)
        remote = remote_of(config, order.token)
        done = self.checkouts.clone(remote, target) if clone else self.checkouts.pull(remote, target)
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
        commit, message = self.checkouts.head(target)
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
        self.checkouts.remove(target)
        return log("Delete repo", stdout=f"Deleted Repo {target.name}")

    def build(self, build: Document, order: RepoOrder | None, replacers: Replacers) -> tuple[list[Document], Checkout]:
        """Bring the sources here, run the hook, build. The image then is on this host, under all its tags."""
        config = build["config"]
        logs: list[Document] = []
        done = Checkout([])
        target = self._kept("builds") / path_name(build["name"])
        if order is not None:
            if config["linked_repo"]:
                target = self._repo_directory(order.repo)
            done, _ = self.checkouts.pull_or_clone(remote_of(order.repo["config"], order.token), target)
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
            outcome = self.built(build, directory, done.hash)
            said = masked(outcome.stdout, replacers), masked(outcome.stderr, replacers)
            logs.append(log("Docker Build", text, stdout=said[0], stderr=said[1], success=outcome.exit == 0))
        return logs, done
