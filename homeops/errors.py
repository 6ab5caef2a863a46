# Named for what happened, as the messages are: "KomodoUnreachable", not "KomodoUnreachableError".
# ruff: noqa: N818
"""Every error that a person may see, in one tree.

::

    HomeopsError
      FleetError           the declaration: unknown fields, dangling names, cycles, missing files
      SettingsError        Pulumi.<stack>.yaml
      ComposeError         compose files
      SecretsError         sops, age, recipients
      ToolError            a program that is missing, too old or failed
        HostError            a host that cannot be worked on (homeops/hosts/reach.py)
          HostUnreachable      it gives no answer, or stopped to
      KomodoError          talking to Core
        KomodoUnreachable    no answer: refused, timed out, TLS, not an HTTP server
        KomodoRefused        an answer with an error status
          KomodoUnauthorized   401 or 403
          KomodoLocked         429
          KomodoBusy           the resource is busy
          KomodoConflict       the name is taken
        KomodoGarbled        an answer that is not Komodo's: HTML, a redirect, broken JSON
        KomodoVersion        a Core that is too old, or lacks a field
      AdoptionRefused      the object exists and differs
      DeployFailed         an Update that ended in failure
      LabError             the rehearsal fleet

A message reads ``where: what is wrong``, then a hint on a line of its own. No message carries a secret.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, what it is, and what to do about it."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class HomeopsError(Exception):
    """The root; carries one problem or several, all of them shown."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class FleetError(HomeopsError):
    """Raised when the declaration of the fleet is wrong; lists every problem found."""


class SettingsError(HomeopsError):
    """Raised when Pulumi.<stack>.yaml lacks a setting, has one too many, or has a wrong value."""


class ComposeError(HomeopsError):
    """Raised when a compose file cannot be read."""


class SecretsError(HomeopsError):
    """Raised when a secret file is missing, not encrypted, or cannot be decrypted."""


class ToolError(HomeopsError):
    """Raised when a program that homeops runs is missing or failed."""


class KomodoError(HomeopsError):
    """Raised when talking to Komodo Core failed."""


class KomodoUnreachable(KomodoError):
    """Raised when Core gave no answer."""


class KomodoRefused(KomodoError):
    """Raised when Core answered with an error; ``status``, ``error`` and ``trace`` are Core's own."""

    def __init__(self, problem: Problem, *, status: int, error: str, trace: Iterable[str] = ()) -> None:
        super().__init__(problem)
        self.status = status
        self.error = error
        self.trace = tuple(trace)


class KomodoUnauthorized(KomodoRefused):
    """Raised when Core does not accept the key, or the key may not do this."""


class KomodoLocked(KomodoRefused):
    """Raised when Core locked this address out after failed logins (429)."""


class KomodoBusy(KomodoRefused):
    """Raised when a resource stayed busy until the deadline."""


class KomodoConflict(KomodoRefused):
    """Raised when a name is taken."""


class KomodoGarbled(KomodoError):
    """Raised when the answer is not one of Core's."""


class KomodoVersion(KomodoError):
    """Raised when the Core at hand is not of a version that homeops can drive."""


class AdoptionRefused(KomodoError):
    """Raised when an object of the declared name exists and its fields differ."""


class DeployFailed(KomodoError):
    """Raised when a deploy ended in failure."""


class LabError(HomeopsError):
    """Raised when the rehearsal fleet cannot be started or stopped."""


def few(names: Sequence[str], most: int) -> str:
    """``nvr, omni and 3 more``: the first of many names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def nearest(name: str, names: Iterable[str]) -> str:
    """``; did you mean "nvr"?`` when a known name is close, else an empty text."""
    close = get_close_matches(name, list(names), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
