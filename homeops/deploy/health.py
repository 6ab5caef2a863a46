"""Waiting until the containers of a stack are healthy, and telling which one is not, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Any, Protocol

from homeops.deploy.containers import SILENT, Look, Verdict, Watch, look_of
from homeops.deploy.order import Order, Unhealthy, growing, tail
from homeops.errors import DeployFailed, KomodoError, KomodoRefused, KomodoUnauthorized, KomodoUnreachable
from homeops.komodo.client import Client, JsonObject

PROGRESS_SECONDS = 10

_LOG_LINES = 15
_SILENCE = ("Server is unreachable", "Timed out waiting for message", "deadline has elapsed")


def until_healthy(
    client: Client, order: Order, document: JsonObject, tell: Callable[[str], None]
) -> tuple[dict[str, Look], dict[str, Verdict]]:
    """Look until every service is healthy; by service, the last look and what is thought of it.

    ``document``: the stack as Core has it after the deploy. Raises Unhealthy for the first service that fails, or for
    one that is not up at the deadline; DeployFailed when nobody can tell then, because the host is silent.
    """
    info = document["info"]
    services = [str(item["service_name"]) for item in info.get("deployed_services") or ()]
    services = services or services_of(client, order.stack)
    return _until_healthy(
        _OfStack(client, order.stack), order, services, str(info.get("deployed_project_name") or ""), tell
    )


def container_until_healthy(client: Client, order: Order, tell: Callable[[str], None]) -> Verdict:
    """The same for the one container of a Deployment, by whose name ``order`` goes; it may end, with exit code 0."""
    once = replace(order, rollout={**order.rollout, "one_shot": [order.stack]})
    _, verdicts = _until_healthy(_OfDeployment(client, order.stack), once, [order.stack], "", tell)
    return verdicts[order.stack]


class _Containers(Protocol):
    """The containers that are looked at."""

    def inspect(self, service: str) -> JsonObject:
        """What Docker says of the container of a service."""
        ...

    def log(self, service: str) -> JsonObject:
        """The last lines that it wrote."""
        ...

    def named(self, look: Look) -> str:
        """As messages call it."""
        ...


@dataclass(frozen=True, slots=True)
class _OfStack:
    client: Client
    name: str

    def inspect(self, service: str) -> JsonObject:
        return self.client.read("InspectStackContainer", {"stack": self.name, "service": service})

    def log(self, service: str) -> JsonObject:
        return self.client.read("GetStackLog", {"stack": self.name, "services": [service], "tail": _LOG_LINES})

    def named(self, look: Look) -> str:
        return f'service "{look.service}"' + (f" (container {look.container})" if look.container else "")


@dataclass(frozen=True, slots=True)
class _OfDeployment:
    client: Client
    name: str

    def inspect(self, service: str) -> JsonObject:
        return self.client.read("InspectDeploymentContainer", {"deployment": service})

    def log(self, service: str) -> JsonObject:
        return self.client.read("GetDeploymentLog", {"deployment": service, "tail": _LOG_LINES})

    def named(self, look: Look) -> str:
        return f"container {look.container or look.service}"


def _until_healthy(
    of: _Containers, order: Order, services: Sequence[str], project: str, tell: Callable[[str], None]
) -> tuple[dict[str, Look], dict[str, Verdict]]:
    rollout = order.rollout
    watch = Watch(project, float(rollout["health_stable"]), rollout["one_shot"])
    until = monotonic() + float(rollout["health_deadline"])
    looks: dict[str, Look] = {}
    verdicts: dict[str, Verdict] = {}
    unsettled, rounds, said = list(services), 0, monotonic()
    for pause in growing(0.25, 3.0):
        late = monotonic() + pause > until
        try:
            looks |= {name: _look(of, name) for name in unsettled}
        except KomodoUnreachable:
            # Core may go away for a moment, and the containers do not care.
            if late:
                raise
            sleep(pause)
            continue
        rounds += 1
        verdicts |= {name: watch.judge(looks[name], monotonic()) for name in unsettled}
        bad = [name for name in services if verdicts[name].how == "failed"]
        unsettled = [name for name in services if verdicts[name].how != "healthy"]
        if bad or (late and unsettled):
            name = (bad or unsettled)[0]
            raise _unhealthy(of, order, looks[name], verdicts[name], late=not bad)
        if not unsettled:
            if rounds == 1 or len(services) == 1:
                return looks, verdicts
            # One that was up early may have ended while another one was waited for.
            unsettled, rounds = list(services), 0
            continue
        if monotonic() - said >= PROGRESS_SECONDS:
            said = monotonic()
            tell(order.masked(f"waiting for {listed({name: verdicts[name] for name in unsettled})}"))
        sleep(pause)
    raise AssertionError("the pauses have no end")


def services_of(client: Client, stack: str) -> list[str]:
    """The services that Core knows of a stack."""
    answer: Any = client.read("ListStackServices", {"stack": stack})
    return [str(item["service"]) for item in answer]


def looks_of(client: Client, stack: str, services: Sequence[str]) -> dict[str, Look]:
    """A look at the container of each service: asked of the host, while Core's lists are some seconds old."""
    return {service: _look(_OfStack(client, stack), service) for service in services}


def standing(client: Client, stack: str) -> str:
    """What the containers show while Komodo says nothing."""
    try:
        answer: Any = client.read("ListStackServices", {"stack": stack})
    except KomodoError:
        return "deploying"
    shown = [f"{item['service']}: {item['container']['status']}" for item in answer if item.get("container")]
    return f"deploying ({'; '.join(shown)})" if shown else "deploying"


def images(client: Client, stack: str, looks: Mapping[str, Look]) -> dict[str, str]:
    """By service, the image with its digest in the registry, else with that of the image on the host."""
    found = {name: f"{look.image}@{look.image_id}" if look.image_id else look.image for name, look in looks.items()}
    answer: Any = client.read("ListStackServices", {"stack": stack})
    for item in answer:
        if digests := item.get("image_digests"):
            found[str(item["service"])] = str(digests[0])
    return found


def listed(verdicts: Mapping[str, Verdict]) -> str:
    """The services with what is thought of them."""
    return ", ".join(f"{name} {verdict.words}" for name, verdict in verdicts.items()) or "no service"


def _look(of: _Containers, service: str) -> Look:
    try:
        answer = of.inspect(service)
    except KomodoUnauthorized:
        raise
    except KomodoRefused as error:
        told = " ".join((error.error, *error.trace))
        if any(sign in told for sign in _SILENCE):
            return Look(service, "", SILENT)
        # Core lists the container only after its next look at the host.
        return Look(service, "", "")
    return look_of(service, answer)


def _unhealthy(of: _Containers, order: Order, look: Look, verdict: Verdict, *, late: bool) -> DeployFailed:
    named = of.named(look)
    if look.state == SILENT:
        what = f"nobody can tell whether {named} is up: {verdict.words}"
        return DeployFailed(order.problem(what, "when the host is back, run again: the deploy is still due"))
    when = f" after {order.rollout['health_deadline']:g} s" if late else ""
    return Unhealthy(order.problem(f"{named} is not up{when}: {verdict.words}{_last_lines(of, look.service)}"))


def _last_lines(of: _Containers, service: str) -> str:
    try:
        answer = of.log(service)
    except KomodoError:
        return ""
    text = "\n".join(str(answer.get(stream) or "").strip() for stream in ("stdout", "stderr")).strip()
    return f"\n{tail(text)}" if text else "\n    (it logged nothing)"
