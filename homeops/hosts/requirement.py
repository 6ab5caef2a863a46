"""What must be true of a host: as data, with the scripts that look and that repair. Pure text, no I/O."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that must be true of a host.

    ``wanted``: fact to value, as ``probe`` prints it once all is right. ``probe``: POSIX shell text, run as root; it
    prints one line ``fact=value`` for each fact of ``wanted`` and ``reported`` and nothing else; what is not there has
    the value ``missing``, and it never fails for that. ``apply``: POSIX shell text, run as root; makes the host so;
    prints a line for each change or ``NAME: nothing to change``; fails with one line: which step, and what to do.
    ``undo``: shell text that takes it back; empty where that makes no sense. ``parting``: shell text like ``apply`` for
    a host that leaves the fleet; one that does not answer leaves without it. ``reported``: facts that are shown and
    never repaired, to the value that is expected.
    Nothing in any of these texts is secret: they are kept in Pulumi's state.
    """

    name: str
    reason: str
    wanted: dict[str, str]
    probe: str
    apply: str
    undo: str = ""
    parting: str = ""
    reported: dict[str, str] = field(default_factory=dict[str, str])
