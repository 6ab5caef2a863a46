"""Back to the last healthy commit of a stack, with the configuration that it ran under.

Komodo deploys the commit that a Stack is pinned to: so it is pinned, deployed, watched, and given back what it was
configured with. It runs the old commit then, and is declared to run the newest: the next deploy brings that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from homeops.deploy.execution import deploy
from homeops.deploy.order import CONTAINER_SOURCES, Deployed, Order
from homeops.komodo.client import Client, JsonObject


@dataclass(frozen=True, slots=True)
class Healthy:
    """What a stack ran when it was healthy last: the commit, and the configuration (order.containers_config)."""

    commit: str
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])


def roll_back(client: Client, order: Order, to: Healthy, tell: Callable[[str], None]) -> Deployed:
    """Deploy what was healthy and wait until it is again; the Stack's configuration is afterwards as it was before.

    Raises DeployFailed when that is not healthy either, KomodoError when Core cannot be asked.
    """
    document: Any = client.read("GetStack", {"stack": order.stack})
    config: JsonObject = document["config"]
    empty = {name: type(config[name])() for name in CONTAINER_SOURCES if not isinstance(config[name], dict)}
    empty |= {name: {"path": "", "command": "", "shell_mode": False} for name in ("pre_deploy", "post_deploy")}
    # Without a recorded configuration (a commit that a person named) the present one stays.
    then = {**empty, **to.config} if to.config else {}
    now = {name: config[name] for name in (*CONTAINER_SOURCES, "commit")}
    _configure(client, order.stack, {**then, "commit": to.commit})
    try:
        return deploy(client, replace(order, restart=True), tell, compare=False)
    finally:
        _configure(client, order.stack, {name: now[name] for name in ("commit", *then)})


def _configure(client: Client, stack: str, config: JsonObject) -> None:
    client.write("UpdateStack", {"id": stack, "config": config})
