"""Log entries of Updates, with the HTML colour markup that Komodo puts into them (lib/formatting)."""

from collections.abc import Sequence

from homeops.lab.core.state import Document, now_ms

_COLORS = {"red": "red-6", "green": "green-6", "blue": "blue-6"}


def bold(text: str) -> str:
    """Bold, as names are."""
    return f'<span style="font-weight: bolder">{text}</span>'


def muted(text: str) -> str:
    """Dimmed, as ``INFO`` is."""
    return f'<span style="color: var(--mantine-color-dimmed)">{text}</span>'


def colored(text: str, color: str) -> str:
    """In colour: ``red``, ``green`` or ``blue``."""
    return f'<span style="color: var(--mantine-color-{_COLORS[color]})">{text}</span>'


def error_text(error: str, trace: Sequence[str] = ()) -> str:
    """An error and its causes."""
    text = f"{colored('ERROR', 'red')}: {error}"
    if trace:
        text += f"\n\n{muted('TRACE')}:"
        text += "".join(f"\n\t{muted(str(number))}: {cause}" for number, cause in enumerate(trace, 1))
    return text


def log(
    stage: str,
    command: str = "",
    *,
    stdout: str = "",
    stderr: str = "",
    success: bool = True,
    start: int | None = None,
) -> Document:
    """One entry that ends now; ``start``: when it began (ms), if that was not now."""
    now = now_ms()
    return {
        "stage": stage,
        "command": command,
        "stdout": stdout,
        "stderr": stderr,
        "success": success,
        "start_ts": now if start is None else start,
        "end_ts": now,
    }


def error_log(stage: str, error: str, trace: Sequence[str] = ()) -> Document:
    """A failed entry."""
    return log(stage, stderr=error_text(error, trace), success=False)


def succeeded(logs: Sequence[Document]) -> bool:
    """Whether no entry failed."""
    return all(entry["success"] for entry in logs)
