"""How Core says no: a status and the body ``{"error": ..., "trace": [...]}``."""

from collections.abc import Callable, Sequence


class Refusal(Exception):  # noqa: N818 - Core's answer, not an error of the simulator
    """An answer with an error status; 500 is what Core gives unless it says otherwise."""

    def __init__(self, error: str, trace: Sequence[str] = (), *, status: int = 500) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.trace = list(trace)


class AgentSilent(Refusal):
    """An agent does not answer, though nobody has noticed; ``still`` says whether that is so. Reads wait for it."""

    def __init__(self, still: Callable[[], bool]) -> None:
        super().__init__("Timed out waiting for message.", ["deadline has elapsed"])
        self.still = still
