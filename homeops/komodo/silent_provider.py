"""The base of resources that stand for no object: part of a run, with nothing to create, change or delete."""

from typing import Any, ClassVar

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from homeops.komodo.session_provider import SessionProvider


class SilentProvider(SessionProvider):
    """Never shows a difference of its own."""

    id: ClassVar[str]

    def diff(self, _id: str, _olds: Any, _news: Any) -> DiffResult:
        """None, whatever the inputs say."""
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing to do."""
        return CreateResult(self.id, props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Nothing to read."""
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: Any, _news: dict[str, Any]) -> UpdateResult:
        """Nothing to do."""
        return UpdateResult(_news)
