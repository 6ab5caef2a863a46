"""Executions of Repos (api/execute/repo.rs)."""

from homeops.lab.core.agents import RepoOrder
from homeops.lab.core.agents_repos import REPO_TEXTS
from homeops.lab.core.executions import Run, Steps, agent_of, executes
from homeops.lab.core.executions_interpolation import interpolated, values
from homeops.lab.core.executions_logs import succeeded
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.repositories_refresh import checked_out, git_token
from homeops.lab.core.resource_states import server_state

LOOK_SECONDS = 1.0
"""How often Core looks at the checkouts of Repos."""


def _checkout(run: Run, flag: str, *, clone: bool) -> Steps:
    repo = run.resource()
    config = repo["config"]
    run.busy(flag)
    if not config["server_id"]:
        raise Refusal("repo has no server attached")
    server = find(run.core.state, "Server", config["server_id"])
    if server_state(run.core, server) == "Disabled":
        raise Refusal("server not enabled")
    _, agent = agent_of(run.core, config["server_id"])
    yield
    token = git_token(run.core, config["git_provider"], config["git_account"])
    replacers: list[tuple[str, str]] = []
    if not config["skip_secret_interp"]:
        variables, secrets = values(run.core)
        config, replacers = interpolated(config, REPO_TEXTS, variables, secrets, run.update["logs"])
    earlier = agent.checkout(repo)
    done = agent.repo(RepoOrder(repo | {"config": config}, token, replacers), clone=clone)
    core = run.core
    core.agents.earlier_checkouts[run.target] = (core.clock.now() + LOOK_SECONDS, earlier)
    run.update["logs"] += done.logs
    if not clone and done.hash:
        run.update["commit_hash"] = done.hash
    newest, _ = checked_out(run.core, config)
    with run.document() as stored:
        info = {"latest_hash": newest.hash, "latest_message": newest.message}
        if succeeded(run.update["logs"]):
            info |= {"last_pulled_at": run.core.now()}
        stored["info"] = stored["info"] | info


@executes("CloneRepo", "Repo", "repo")
def clone_repo(run: Run) -> Steps:
    """Clone anew on the Repo's Server."""
    return _checkout(run, "cloning", clone=True)


@executes("PullRepo", "Repo", "repo")
def pull_repo(run: Run) -> Steps:
    """Pull on the Repo's Server."""
    return _checkout(run, "pulling", clone=False)


@executes("BuildRepo", "Repo", "repo")
def build_repo(run: Run) -> Steps:
    """Clone on a builder; the rehearsal's builders are Servers, for which Core keeps nothing of it."""
    repo = run.resource()
    if not repo["config"]["builder_id"]:
        raise Refusal("Must attach builder to BuildRepo")
    run.busy("building")
    yield
    done, _ = checked_out(run.core, repo["config"])
    run.update["logs"] += done.logs
    if done.hash:
        run.update["commit_hash"] = done.hash
    if succeeded(run.update["logs"]):
        with run.document() as stored:
            built = {"last_built_at": run.core.now(), "built_hash": done.hash, "built_message": done.message}
            stored["info"] = stored["info"] | built
