"""What a rehearsal host's agent does with containers, and what it says of itself and of them."""

from dataclasses import dataclass

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.agents_buildkit import foretell
from homeops.lab.core.agents_docker import image_tags
from homeops.lab.core.agents_process import AgentProcess
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.containers import Container
from homeops.lab.core.containers_commands import docker_command, docker_container
from homeops.lab.core.containers_inspection import inspection
from homeops.lab.core.executions_logs import log
from homeops.lab.core.fates import fate_of
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document, now_ms

_STATS_SECONDS = 30.0
"""How often Periphery looks at the load of containers, on the full half minute, and when it begins."""


@dataclass
class ContainerAgent(AgentProcess):
    """The part of an agent that speaks to Docker."""

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

    def built(self, build: Document, directory: Place, commit: str | None) -> Outcome:
        """End as told for its name, or as its Dockerfile foretells; then the image is here, by all its tags."""
        config, dockerfile = build["config"], directory / build["config"]["dockerfile_path"]
        if build["name"] in self.build_failures:
            return Outcome(1, "", self.build_failures[build["name"]])
        if not dockerfile.is_file():
            return Outcome(1, "", "ERROR: failed to read dockerfile: open Dockerfile: no such file or directory\n")
        foretold = foretell(build, dockerfile.read_text(), commit)
        self.clock.sleep(foretold.seconds)
        if foretold.outcome.exit == 0:
            self.engine.images.built(image_tags(build, commit), pushed=bool(config["image_registry"]))
        return foretold.outcome

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
