"""A listener for tests."""

from dataclasses import dataclass, field


@dataclass
class Heard:
    """Keeps what it hears."""

    doing: list[str] = field(default_factory=list[str])
    lines: list[str] = field(default_factory=list[str])

    def working(self, text: str) -> None:
        self.doing.append(text)

    def line(self, text: str) -> None:
        self.lines.append(text)
