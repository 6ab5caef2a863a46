"""One thing that is wrong with the secrets of a repository: where, what, and what to do. Never a value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from homeops.errors import Problem

Severity = Literal["error", "warning"]

RuleName = Literal[
    "policy",
    "no-rule",
    "recipients",
    "not-encrypted",
    "unreadable",
    "kind",
    "duplicate",
    "name",
    "crlf",
    "clear-comment",
    "plaintext-twin",
    "plaintext",
    "private-key",
    "compose",
    "no-secret-file",
    "no-such-key",
    "unread",
    "leak",
]
"""Which rule found it; docs/secrets.md says what each is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``path`` is relative to the repository; ``line`` counts from 1, and 0 is the file as a whole."""

    path: str
    line: int
    rule: RuleName
    what: str
    hint: str = ""
    severity: Severity = "error"

    @property
    def problem(self) -> Problem:
        """The finding as every other problem is shown."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        return Problem(where, self.what if self.severity == "error" else f"warning: {self.what}", self.hint)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that must not be."""
    return [finding for finding in findings if finding.severity == "error"]


def document(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings as JSON: ``{"errors": 1, "warnings": 0, "findings": [{"path", "line", "rule", ...}]}``."""
    listed = list(findings)
    wrong = len(errors(listed))
    return {
        "errors": wrong,
        "warnings": len(listed) - wrong,
        "findings": [
            {
                "path": finding.path,
                "line": finding.line,
                "severity": finding.severity,
                "rule": finding.rule,
                "what": finding.what,
                "hint": finding.hint,
            }
            for finding in listed
        ],
    }
