"""Dynamic resources that do nothing: what Pulumi spends on as many as a fleet has, whatever their provider does."""

from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult


class TrivialProvider(ResourceProvider):
    """Never a difference, nothing to do."""

    serialize_as_secret_always: bool = False

    def diff(self, _id: str, _olds: Any, _news: Any) -> DiffResult:
        """None."""
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing."""
        return CreateResult("trivial", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is."""
        return ReadResult(id_, props, inputs=props)

    def update(self, _id: str, _olds: Any, _news: dict[str, Any]) -> UpdateResult:
        """Nothing."""
        return UpdateResult(_news)


class Trivial(Resource, module="bench", name="Trivial"):
    """A resource with two properties."""

    def __init__(self, name: str) -> None:
        super().__init__(TrivialProvider(), name, {"name": name, "value": "same"})


def register(count: int) -> None:
    """So many of them."""
    for number in range(count):
        Trivial(f"trivial{number}")
