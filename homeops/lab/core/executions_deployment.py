"""Executions of Deployments (api/execute/deployment.rs)."""

from homeops.lab.core.agents_docker import image_names
from homeops.lab.core.entry_lines import entries
from homeops.lab.core.executions import Run, Steps, agent_for, executes
from homeops.lab.core.executions_interpolation import interpolated, values
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find
from homeops.lab.core.state import Document
from homeops.lab.core.toml_export import version_text

_TEXTS = ("environment", "ports", "volumes", "labels", "command", "extra_args")


@executes("Deploy", "Deployment", "deployment")
def deploy(run: Run) -> Steps:
    """Run the container anew, with the newest image of its Build or the one that is configured."""
    deployment = run.resource()
    _, agent = agent_for(run.core, deployment["config"])
    run.busy("deploying")
    yield
    config = deployment["config"]
    image, version = _image(run, config)
    if not config["skip_secret_interp"]:
        variables, secrets = values(run.core)
        config, _ = interpolated(config, _TEXTS, variables, secrets, run.update["logs"])
    run.update["version"] = version
    name = _name(deployment)
    logs = agent.run_container(name, _definition(name, config, image))
    run.update["logs"] += logs
    if all(entry["success"] for entry in logs):
        with run.document() as stored:
            stored["info"] = stored["info"] | {"deployed_name": name, "latest_image_digest": ""}


def _name(deployment: Document) -> str:
    return deployment["config"]["custom_name"] or deployment["name"]


def _image(run: Run, config: Document) -> tuple[str, Document]:
    """The image to run and its version; an image that is no Build's has none."""
    params = config["image"]["params"]
    if config["image"]["type"] == "Image":
        return params["image"], {"major": 0, "minor": 0, "patch": 0}
    build = copied(find(run.core.state, "Build", params["build_id"]))
    version: Document = params["version"] if any(params["version"].values()) else build["config"]["version"]
    postfix = f"-{build['config']['image_tag']}" if build["config"]["image_tag"] else ""
    tag = f"{version_text(version)}{postfix}" if build["config"]["include_version_tags"] else "latest"
    return f"{image_names(build)[0]}:{tag}", version


def _definition(name: str, config: Document, image: str) -> Document:
    """The container in the words of a compose service, with the ``docker run`` that Periphery would run."""
    words = ["docker run -d", f"--name {name}"]
    words += [f"-p {host}:{inner}" for host, inner in entries(config["ports"])]
    words += [f"-v {host}:{inner}" for host, inner in entries(config["volumes"])]
    words += [f"--network {config['network']}", f"--restart {config['restart']}"]
    words += [f'--env {key}="{value}"' for key, value in entries(config["environment"])]
    words += [f'--label {key}="{value}"' for key, value in entries(config["labels"])]
    words += [*config["extra_args"], image, *([config["command"]] if config["command"] else [])]
    return {
        "image": image,
        "command": config["command"].split(),
        "restart": config["restart"],
        "network": config["network"],
        "environment": dict(entries(config["environment"])),
        "run": " ".join(words),
    }


def _container(run: Run, flag: str, verb: str) -> Steps:
    deployment = run.resource()
    refusal = "Container executions should not be called for Deployment in Swarm Mode"
    _, agent = agent_for(run.core, deployment["config"], refusal)
    run.busy(flag)
    yield
    run.log(agent.container(verb, deployment["info"]["deployed_name"] or _name(deployment)))


@executes("PullDeployment", "Deployment", "deployment")
def pull_deployment(run: Run) -> Steps:
    """Pull the image."""
    deployment = run.resource()
    _, agent = agent_for(run.core, deployment["config"])
    run.busy("pulling")
    yield
    run.log(agent.container("pull", _image(run, deployment["config"])[0]))


@executes("StartDeployment", "Deployment", "deployment")
def start_deployment(run: Run) -> Steps:
    """``docker start``."""
    return _container(run, "starting", "start")


@executes("RestartDeployment", "Deployment", "deployment")
def restart_deployment(run: Run) -> Steps:
    """``docker restart``."""
    return _container(run, "restarting", "restart")


@executes("PauseDeployment", "Deployment", "deployment")
def pause_deployment(run: Run) -> Steps:
    """``docker pause``."""
    return _container(run, "pausing", "pause")


@executes("UnpauseDeployment", "Deployment", "deployment")
def unpause_deployment(run: Run) -> Steps:
    """``docker unpause``."""
    return _container(run, "unpausing", "unpause")


@executes("StopDeployment", "Deployment", "deployment")
def stop_deployment(run: Run) -> Steps:
    """``docker stop``."""
    return _container(run, "stopping", "stop")


@executes("DestroyDeployment", "Deployment", "deployment")
def destroy_deployment(run: Run) -> Steps:
    """``docker stop`` and ``docker container rm``."""
    return _container(run, "destroying", "rm")
