"""Places in a source, as ``ast`` has them: lines from 1, columns in bytes."""

import ast
from functools import lru_cache


class Positions:
    """A text as bytes, which is what columns count."""

    def __init__(self, text: str) -> None:
        self.whole = text.encode()
        self._starts = [0]
        for line in self.whole.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, text: str) -> "Positions":
        """Of a text; the same for the same."""
        return cls(text)

    def start(self, node: ast.expr | ast.keyword) -> int:
        """Where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.keyword) -> int:
        """Where it ends."""
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def text(self, start: int, end: int) -> str:
        """What stands between two places."""
        return self.whole[start:end].decode()

    def before(self, at: int) -> str:
        """What stands before a place on its line."""
        return self.whole[self.whole.rfind(b"\n", 0, at) + 1 : at].decode()

    def after(self, at: int) -> str:
        """What stands after it."""
        end = self.whole.find(b"\n", at)
        return self.whole[at : end if end >= 0 else len(self.whole)].decode()

    def column(self, at: int) -> int:
        """Columns before a place on its line."""
        return len(self.before(at))

    def indent(self, at: int) -> int:
        """How far the line of a place is indented."""
        line = f"{self.before(at)}{self.after(at)}"
        return len(line) - len(line.lstrip(" "))

    def spliced(self, start: int, end: int, text: str) -> str:
        """The text with something else between two places."""
        return (self.whole[:start] + text.encode() + self.whole[end:]).decode()
