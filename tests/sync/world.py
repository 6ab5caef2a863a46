"""A simulated Core in this process with a sync of files, and what ``homeops sync`` does with it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homeops.komodo.client import Patience
from homeops.model.kinds import RESOURCE_SYNC
from homeops.model.rollout import Rollout
from homeops.sync.changes import Selection
from homeops.sync.guards import Fleet, Leave
from homeops.sync.plan import Plan, find_sync, look
from homeops.sync.run import Outcome, Rollouts, run
from tests.lab.clients import client_of
from tests.lab.heard import Heard
from tests.lab.rehearsed import Rehearsed

ROLLOUT = Rollout(health_deadline=1, health_stable=0).model_dump()
SERVERS = "".join(
    f'[[server]]\nname = "{name}"\n[server.config]\naddress = "http://{name}"\nenabled = true\n'
    for name in ("alpha", "beta")
)


def stack(name: str, head: str = "", config: str = "", server: str = "alpha") -> str:
    """A Stack with one service."""
    place = f'server = "{server}"\n' if server else ""
    compose = 'file_contents = """\nservices:\n  web:\n    image: busybox\n    command: sleep 1d\n"""\n'
    return f'[[stack]]\nname = "{name}"\n{head}\n[stack.config]\n{place}{config}\n{compose}'


class World:
    """Core with the servers alpha and beta, and the sync ``fleet``."""

    def __init__(self, place: Path) -> None:
        self.lab = Rehearsed(place)
        self.client = client_of(self.lab.core, Patience(tries=1, pause=0.01))
        self.heard = Heard()

    def write(self, files: Mapping[str, str], name: str = "fleet") -> None:
        """Make these the files of a sync, and no others."""
        directory = self.lab.core.agents.root / "core" / "syncs" / name
        shutil.rmtree(directory, ignore_errors=True)
        for path, text in files.items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)

    def declare(self, text: str, name: str = "fleet", own: bool = True, **config: Any) -> None:
        """Let a sync declare this, itself too, and make the sync with that configuration where it is missing."""
        whole: dict[str, Any] = {"files_on_host": True, "resource_path": ["komodo"], **config}
        fields = "".join(f"{key} = {_toml(value)}\n" for key, value in whole.items())
        declared = f'[[resource_sync]]\nname = "{name}"\n[resource_sync.config]\n{fields}'
        self.write({"komodo/all.toml": text, **({"komodo/sync.toml": declared} if own else {})}, name)
        if name not in self.names("ResourceSync"):
            self.lab.write("CreateResourceSync", name=name, config=whole)

    def names(self, kind: str) -> list[str]:
        """What there is of a kind."""
        return [str(item["name"]) for item in self.lab.read(f"List{kind}s", query={}, limit=0)]

    def look(
        self,
        name: str | None = "fleet",
        selection: Selection | None = None,
        fleet: Fleet | None = None,
        leave: Leave | None = None,
    ) -> Plan:
        """As the command looks."""
        documents = self.client.list_all(RESOURCE_SYNC)
        sync = find_sync(documents, name, ["fleet"])
        others = [one for one in documents if one["name"] != sync["name"]]
        return look(self.client, sync, others, selection or Selection(), fleet or Fleet(), leave or Leave())

    def run(self, plan: Plan | None = None, rollout: Mapping[str, Any] | None = None) -> Outcome:
        """As the command runs what it showed, refused or not."""
        rollouts = Rollouts(rollout or ROLLOUT)
        return run(self.client, plan or self.look(), rollouts, self.heard, deadline=20)

    def applied(self, text: str, **config: Any) -> None:
        """Bring Core to what a text declares."""
        self.declare(text, **config)
        outcome = self.run()
        assert outcome.ok, outcome

    def writes(self) -> list[str]:
        """The writes and executions that Core was asked for since the last call, without looks."""
        asked = [name for name in self.lab.core.requests if name.startswith(("write ", "execute "))]
        self.lab.core.requests.clear()
        return [name for name in asked if name != "write RefreshResourceSyncPending"]


def refused(plan: Plan) -> str:
    """Why a plan is refused."""
    return "\n".join(str(problem) for problem in plan.refusals)


def warned(plan: Plan) -> str:
    """What a plan warns of."""
    return "\n".join(str(problem) for problem in plan.warnings)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return str(value).replace("'", '"')  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return f'"{value}"'
