"""The base of everything that a person declares: a named thing that remembers where it was written.

A wrong declaration does not stop the program at its line. It remembers what is wrong, and the fleet reports the
problems of all declarations at once.
"""

from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationError

from homeops.errors import Problem, nearest
from homeops.model.fields import KomodoModel
from homeops.model.place import Place, declaration_place


class Declaration(KomodoModel):
    """A named declaration; the name is the first argument."""

    kind: ClassVar[str]
    """Komodo's kind of the object that this becomes."""

    name: str = Field(kw_only=False)
    description: str = ""
    tags: list[str] = Field(default_factory=list[str])
    template: bool = False

    _place: Place = PrivateAttr(default_factory=Place)
    _problems: tuple[Problem, ...] = PrivateAttr(default=())

    def __init__(self, name: str = "", /, **fields: Any) -> None:
        fields = {"name": name, **fields}
        place = declaration_place()
        try:
            super().__init__(**fields)
        except ValidationError as error:
            known = {key: value for key, value in fields.items() if key in type(self).model_fields}
            stand_in = type(self).model_construct(_fields_set=set(known), **known)
            object.__setattr__(self, "__dict__", stand_in.__dict__)
            object.__setattr__(self, "__pydantic_fields_set__", stand_in.__pydantic_fields_set__)
            object.__setattr__(self, "__pydantic_extra__", None)
            object.__setattr__(self, "__pydantic_private__", {"_place": place, "_problems": ()})
            self._problems = tuple(self._problem(detail) for detail in error.errors())
        self._place = place

    def _problem(self, detail: Any) -> Problem:
        path = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            known = [key for key in type(self).model_fields if key != "name"]
            return Problem(self.where, f'unknown field "{path}"{nearest(path, known)}')
        if detail["type"] == "missing":
            return Problem(self.where, f'field "{path}" is missing')
        return Problem(self.where, f"{path}: {detail['msg'].removeprefix('Value error, ')}")

    @property
    def where(self) -> str:
        """``homeops/fleet/stacks.py:12: stack "frigate"``, as the start of a message."""
        own = f'{self.kind.lower()} "{self.name}"'
        return f"{self._place}: {own}" if str(self._place) else own

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What pydantic found wrong with the fields."""
        return self._problems

    def declared(self, config: type[KomodoModel]) -> dict[str, Any]:
        """The fields of a configuration that were given explicitly."""
        return {field: getattr(self, field) for field in config.model_fields if field in self.model_fields_set}

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Self:
        return self
