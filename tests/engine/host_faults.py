"""Faults of hosts and of containers for test_reliability_hosts.py: what is wrong where, and what came of it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from homeops.deploy.receipts import Journal, Receipt
from homeops.lab.core.fates import Behaviour, Fate
from tests.engine.engine import Run
from tests.engine.fleets import COMPOSE, FleetProject

Stacks = Mapping[str, Mapping[str, str]]

SECRETS = ("hunter2-of-db", "correct horse battery", "hunter2-of-smtp")
PRINTED = f"""\
DB_PASSWORD={SECRETS[0]}
SMTP_LOGIN={SECRETS[1]}
connecting to smtp://app:{SECRETS[2]}@mail:25
"""
ENCRYPTED = "".join(
    f"{key}=ENC[AES256_GCM,data:{data},iv:AAAA,tag:AAAA,type:str]\n"
    for key, data in (("DB_PASSWORD", "AAAA"), ("SMTP_LOGIN", "AAAB"))
)
DYING = Fate(ends_after=0.0, exit_code=4)


class Settles(Fate):
    """Ends twice, is started again twice, then stays."""

    def waits(self) -> Iterator[float]:
        yield from (0.1, 0.1)


FATES = {
    "quits": Fate(ends_after=0.0, exit_code=3, output="opening /data\nno such database\n"),
    "ends": Fate(ends_after=0.0),
    "job": Fate(ends_after=0.0),
    "badjob": Fate(ends_after=0.0, exit_code=1, output="migration 7 failed\n"),
    "hungry": Fate(ends_after=0.0, killed=True),
    "sick": Fate(health="unhealthy", probe="curl: (7) connection refused\n"),
    "slow": Fate(health="starting", probe="migration 3 of 9\n"),
    "flaps": Fate(ends_after=0.3, exit_code=1, restarts=True, wait=0.1, output="cannot bind\n"),
    "settles": Settles(ends_after=0.3, exit_code=1, restarts=True),
    "dies": Fate(ends_after=1.0, exit_code=4),
    "leaky": Fate(ends_after=0.0, exit_code=5, output=PRINTED),
    "both": DYING,
    "first": DYING,
}
"""By stack, what becomes of its container."""

BACK = ', rollback="previous"'
EARLIER = {
    "one": {
        "hooked": ', pre_deploy={"path": ".", "command": "prepare"}',
        "absent": "",
        "broken": "",
        "back": BACK,
        "both": BACK,
        "mounted": BACK,
    },
    "full": {"bulky": ""},
    "well": {"aside": ""},
    "off": {"off": ""},
    "disabled": {"disabled": ""},
    "ended": {"returns": ""},
    "frozen": {"thaws": ""},
    "gone": {"gone": ", deploy_timeout=10"},
    "lost": {"lost": BACK},
}
"""By host, the stacks that are healthy before there are faults, with what their declarations say beside the host."""

LATER = {
    "quits": "",
    "follows": ", after=[quits]",
    "ends": "",
    "job": ', health=Health(one_shot=["app"])',
    "badjob": ', health=Health(one_shot=["app"])',
    "hungry": "",
    "sick": "",
    "slow": ", health=Health(deadline=2)",
    "flaps": ", health=Health(stable=1, deadline=20)",
    "settles": ", health=Health(stable=1, deadline=20)",
    "dies": ", health=Health(stable=2)",
    "leaky": "",
    "leakyhook": "",
    "holder": "",
    "wants": ", after=[holder]",
    "first": BACK,
}
"""The stacks that are new when there are faults, on host one."""

NAMED = COMPOSE.format(1) + "    container_name: shared\n"


@dataclass
class Faults:
    """A fleet, the run that met the faults, and the next one, after they were mended.

    ``states``: Komodo's state of each stack between the runs. ``ids``: the containers' ids by name before the runs,
    between them and at the end. ``thawing``: those of the container on the frozen host, at each ``compose up``.
    """

    made: FleetProject
    failed: Run
    next: Run
    states: dict[str, str]
    ids: tuple[dict[str, str], dict[str, str], dict[str, str]]
    thawing: list[str]

    def told(self, stack: str) -> str:
        """What the failed run said of a stack that failed, which is one message."""
        assert stack in self.ended(self.failed, "failed")
        told = [message for message in self.failed.told if message.startswith(f'stack "{stack}" on ')]
        told = [message for message in told if "\n  hint: " in message]
        assert len(told) == 1, self.failed.text
        return told[0]

    def deploys(self, stack: str) -> int:
        """How often it was deployed in all."""
        return [row[:2] for row in self.made.executions()].count(("DeployStack", stack))

    def receipts(self, stack: str) -> list[Receipt]:
        """The receipts of its deploys, the oldest first."""
        return Journal(self.made.project.directory / ".homeops", "test").receipts(stack)

    def untouched(self, stack: str) -> bool:
        """Whether the failed run left the container of a stack what it was."""
        before, between, _ = self.ids
        return before[f"{stack}-app-1"] == between[f"{stack}-app-1"]

    def kept(self, container: str) -> bool:
        """Whether the next run left a container what it was."""
        _, between, after = self.ids
        return between[container] == after[container]

    def ended(self, run: Run, how: str) -> set[str]:
        """The stacks that the end of a run lists so: ``failed``."""
        lines = "".join(message for message in run.told if message.startswith("stacks of this run")).splitlines()
        found = [line.partition(": ")[2] for line in lines if line.startswith(f"  {how}: ")]
        return set(found[0].split(", ")) if found else set()


def break_hosts(made: FleetProject) -> list[str]:
    """Break agents and a disk; the list will tell of the container on the frozen host at each ``compose up``."""
    thawing: list[str] = []
    frozen = made.host("frozen")

    def freeze() -> None:
        thawing.append(made.containers("frozen")["thaws-app-1"][0])
        if len(thawing) == 1:
            frozen.freeze(4.0)

    made.host("off").end()
    made.core.change("Server", "disabled", enabled=False)
    made.host("full").engine.full = True
    frozen.engine.behaviours["thaws"] = Behaviour(seconds=0.4, during=freeze)
    for host, name, seconds in (("ended", "returns", 2.0), ("gone", "gone", None)):
        end = once(partial(made.host(host).end, seconds))
        made.host(host).engine.behaviours[name] = Behaviour(seconds=0.4, during=end)
    lose = once(partial(after_deploy, made, "lost", made.host("lost").end))
    made.host("lost").engine.behaviours["lost"] = Behaviour(fates={"app": Fate(health="starting")}, during=lose)
    return thawing


def after_deploy(made: FleetProject, stack: str, act: Callable[[], None]) -> None:
    """Do something as soon as the deploy that is under way has ended."""

    def wait() -> None:
        while made.core.read("GetStackActionState", stack=stack)["deploying"]:
            time.sleep(0.02)
        act()

    threading.Thread(target=wait, daemon=True).start()


def once(act: Callable[[], None]) -> Callable[[], None]:
    """Does it when first called, and nothing later."""
    left = [act]
    return lambda: left.pop()() if left else None


def break_stacks(made: FleetProject) -> None:
    """Change what was healthy, to something bad where the host is not, and declare what is bad from the start."""
    one = made.host("one")
    declare(made, EARLIER | {"one": EARLIER["one"] | LATER})
    changed = {f"{host}/{name}/compose.yaml": COMPOSE.format(2) for host, name in stacks(EARLIER) if name != "mounted"}
    made.write(changed | {f"one/{name}/compose.yaml": COMPOSE.format(1) for name in LATER})
    made.write(
        {
            "one/broken/compose.yaml": "services:\n  app:\n    imagee: nginx:1\n",
            "one/back/compose.yaml": COMPOSE.format(2) + "    command: exit 4\n",
            "one/mounted/nginx.conf": "b",
            "one/holder/compose.yaml": NAMED,
            "one/wants/compose.yaml": NAMED,
            "one/leaky/.sops.env": ENCRYPTED,
            "one/leakyhook/.sops.env": ENCRYPTED,
        }
    )
    one.engine.behaviours |= {name: Behaviour(fates={"app": fate}) for name, fate in FATES.items()}
    one.engine.behaviours["absent"] = Behaviour(pull={"app": "manifest for nginx:2 not found"})
    one.hook_failures |= {"hooked": "prepare: no disk /dev/sdb\n", "leakyhook": f"sops: cannot decrypt\n{PRINTED}"}
    # The new file kills it, the old one does not.
    fates = iter([DYING, Fate()])

    def read_file() -> None:
        one.engine.containers["mounted-app-1"].fate = next(fates)

    one.engine.behaviours["mounted"] = Behaviour(during=read_file)


def mend(made: FleetProject) -> None:
    """Mend all, but what only a refresh sees."""
    for host in ("off", "gone", "lost"):
        made.host(host).begin()
    made.host("lost").engine.containers["lost-app-1"].fate = Fate()
    made.host("full").engine.full = False
    one = made.host("one")
    one.engine.behaviours.clear()
    one.hook_failures.clear()
    for name, container in one.engine.containers.items():
        if name != "job-app-1":
            container.fate = Fate()
    good = {f"one/{name}/compose.yaml": COMPOSE.format(3) for name in ("broken", "back", "holder")}
    made.write(good | {"one/mounted/nginx.conf": "c"})


def declare(made: FleetProject, hosts: Stacks) -> None:
    """Declare these hosts and stacks; the stacks of a host are deployed side by side."""
    lines = [f'on_{host} = Host("{host}", periphery=RUNS)' for host in hosts]
    lines += [f'{name} = Stack("{name}", host=on_{host}{hosts[host][name]})' for host, name in stacks(hosts)]
    servers, names = ", ".join(f"on_{host}" for host in hosts), ", ".join(name for _, name in stacks(hosts))
    made.declare("\n".join([*lines, f"return Fleet(hosts=[{servers}], stacks=[{names}])"]))


def stacks(hosts: Stacks) -> list[tuple[str, str]]:
    """Host and stack."""
    return [(host, name) for host, names in hosts.items() for name in names]


def ids(made: FleetProject) -> dict[str, str]:
    """Ids of all containers by name."""
    return {name: id_ for host in made.addresses for name, (id_, _) in made.containers(host).items()}
