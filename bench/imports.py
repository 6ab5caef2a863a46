"""Imports: what making a fleet package costs, and what Core is asked for it."""

import os
import time
from collections import Counter
from pathlib import Path
from statistics import median

from bench.figures import Figure
from bench.toml import CORPUS
from homeops.imports.fleet import imported
from homeops.imports.found import Findings
from homeops.imports.from_core import from_core
from homeops.imports.from_toml import from_toml
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.lab.core.core import Core
from homeops.lab.http import CoreTransport

ADDRESS = "http://core.example:9120"
HOSTS = 10
TURNS = 3


def figures(stacks: int) -> list[Figure]:
    """A Core with so many stacks as a package, and every set of the corpus as one."""
    core = Core()
    settings = core.settings
    credentials = Credentials(settings.admin_key, settings.admin_secret)
    taken: list[float] = []
    lists: Counter[str] = Counter()
    with Client(ADDRESS, credentials, transport=CoreTransport(core)) as client:
        _fill(client, stacks)
        for _ in range(TURNS):
            core.requests.clear()
            begin = time.perf_counter()
            _made(from_core(client, ADDRESS, str(client.version())))
            taken.append(time.perf_counter() - begin)
            lists |= Counter({name: times for name, times in core.requests.items() if name.startswith("read List")})
    name = f"{stacks} stacks: import from Core"
    found = [
        Figure(name, round(median(taken), 3), "s"),
        Figure(f"{name}, most lists of one kind", max(lists.values()), "requests", 1),
    ]
    if corpus := os.environ.get(CORPUS):
        begin = time.perf_counter()
        for place in sorted(Path(corpus).glob("*/files")):
            _made(from_toml([place]))
        found.append(Figure("TOML of the corpus: import", round(time.perf_counter() - begin, 3), "s"))
    return found


def _made(findings: Findings) -> None:
    imported(findings, {}, {})


def _fill(client: Client, stacks: int) -> None:
    for number in range(HOSTS):
        client.write("CreateServer", {"name": f"host{number}", "config": {"address": f"https://host{number}:8120"}})
    for number in range(stacks):
        config = {
            "server_id": f"host{number % HOSTS}",
            "repo": "someone/fleet",
            "run_directory": f"stacks/app{number}",
            "environment": f"NUMBER = {number}\nNAME = [[NAME]]\n",
        }
        client.write("CreateStack", {"name": f"stack{number}", "config": config})
