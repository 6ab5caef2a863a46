"""The base of everything that a person declares: a named thing that remembers where it was written.

A wrong declaration does not stop the program at its line. It remembers what is wrong, and the fleet reports the
problems of all declarations at once.
"""

import traceback
from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationError

from homeops.errors import FleetError, Problem, nearest
from homeops.model.fields import KomodoModel
from homeops.model.place import Place, declaration_place, place_of


class Declaration(KomodoModel):
    """A named declaration; the name is the first argument.

    ``renamed_from``: the name that it had, so that Komodo's object gets the new one instead of being made anew. It may
    be taken away once every Pulumi stack has been brought up with it; a stack's compose project keeps the old name, so
    that its volumes stay, and then needs ``project_name``.
    """

    kind: ClassVar[str]
    """Komodo's kind of the object that this becomes."""

    name: str = Field(kw_only=False)
    description: str = ""
    tags: list[str] = Field(default_factory=list[str])
    template: bool = False
    renamed_from: str = ""

    _place: Place = PrivateAttr(default_factory=Place)
    _problems: tuple[str, ...] = PrivateAttr(default=())

    def __init__(self, name: str = "", /, **fields: Any) -> None:
        fields = {"name": name, **fields}
        place = declaration_place()
        try:
            super().__init__(**fields)
        except ValidationError as error:
            self._stand_in(fields, error)
        self._place = place

    def _stand_in(self, fields: dict[str, Any], error: ValidationError) -> None:
        """Be what is right of the fields, the rest default, so that everything else can still be checked."""
        wrong = {str(detail["loc"][0]) for detail in error.errors()}
        known = {key: value for key, value in fields.items() if key in type(self).model_fields and key not in wrong}
        known["name"] = str(fields["name"])
        stand_in = type(self).model_construct(_fields_set=set(known), **known)
        object.__setattr__(self, "__dict__", stand_in.__dict__)
        object.__setattr__(self, "__pydantic_fields_set__", stand_in.__pydantic_fields_set__)
        object.__setattr__(self, "__pydantic_extra__", None)
        object.__setattr__(self, "__pydantic_private__", {"_place": Place(), "_problems": _whats(error, type(self))})

    @property
    def place(self) -> Place:
        """The line that a person wrote."""
        return self._place

    @property
    def where(self) -> str:
        """``homeops/fleet/stacks.py:12: stack "frigate"``, as the start of a message."""
        own = f'{self.kind.lower()} "{self.name}"'
        return f"{self._place}: {own}" if str(self._place) else own

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the fields by themselves."""
        return tuple(Problem(self.where, what) for what in self._problems)

    def declared(self, config: type[KomodoModel]) -> dict[str, Any]:
        """The fields of a configuration that were given explicitly."""
        return {field: getattr(self, field) for field in config.model_fields if field in self.model_fields_set}

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Self:
        return self


def invalid_value(error: ValidationError) -> FleetError:
    """The error of a value, such as an execution, that could not even be made: with the line where it was tried."""
    frames = traceback.extract_tb(error.__traceback__)
    where = next(
        (str(place) for frame in reversed(frames) if (place := place_of(frame.filename, frame.lineno or 0))), ""
    )
    return FleetError(
        *(Problem(f"{where}: {error.title}" if where else error.title, what) for what in _whats(error, None))
    )


def _whats(error: ValidationError, model: type[KomodoModel] | None) -> tuple[str, ...]:
    """What pydantic found wrong, one text a field; a model lets unknown fields be told with the nearest known one."""
    return tuple(_what(detail, model) for detail in error.errors())


def _what(detail: Any, model: type[KomodoModel] | None) -> str:
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = [key for key in model.model_fields if key != "name"] if model else []
        return f'unknown field "{path}"{nearest(path, known)}'
    if detail["type"] == "missing":
        return f'field "{path}" is missing'
    return f"{path}: {detail['msg'].removeprefix('Value error, ')}"
