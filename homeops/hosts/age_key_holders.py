"""The hosts that hold an age key while another one takes its place: looked at and changed, all at the same time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import HomeopsError, Problem
from homeops.hosts.age_key_rotation import look, read_look
from homeops.hosts.condition import side_by_side
from homeops.hosts.reach import reach_of
from homeops.hosts.script import run_script
from homeops.model.host import AgeKey
from homeops.model.site import Site
from homeops.secrets.rotation_standing import HostKeys


@dataclass(frozen=True, slots=True)
class Holders:
    """Hosts by name, each with where it holds its key; ``root`` is the checkout."""

    quirks: Mapping[str, AgeKey]
    site: Site
    root: Path

    def keys(self, old: str, new: str) -> dict[str, HostKeys]:
        """Which of two keys each host has, by their digests; why that is not known, where a host gives no answer."""

        def keys_of(name: str) -> HostKeys:
            try:
                return read_look(self._run(name, look), old, new)
            except HomeopsError as error:
                return HostKeys(problem=error.problems[0].what)

        return dict(zip(self.quirks, side_by_side(keys_of, self.quirks), strict=True))

    def each(
        self, names: Iterable[str], key: str, script: Callable[[AgeKey], str]
    ) -> tuple[list[str], tuple[Problem, ...]]:
        """Run a script on hosts, the key on its standard input; what they said, and what went wrong. All are tried."""

        def on(name: str) -> tuple[list[str], tuple[Problem, ...]]:
            try:
                return [f"{name}: {line}" for line in self._run(name, script, key).splitlines()], ()
            except HomeopsError as error:
                return [], error.problems

        done = side_by_side(on, names)
        return [line for lines, _ in done for line in lines], tuple(problem for _, wrong in done for problem in wrong)

    def _run(self, name: str, script: Callable[[AgeKey], str], stdin: str = "") -> str:
        quirk = self.quirks[name]
        return run_script(reach_of(name, self.site, self.root), quirk.name, script(quirk), stdin)
