"""Derive the shape of records from their models, or from the records themselves if there is no model."""

import datetime as dt
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from mahdar.schemas.records import (
    Actor,
    Date,
    Evidence,
    Meeting,
    Outcome,
    Participant,
    Place,
    Record,
    Target,
    Topic,
)

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. The type `dict` stands for a value of any form, which is written as JSON text."""

    holds: type = str

    @property
    def column_type(self) -> type:
        """The type of a column that holds the value."""
        return str if self.holds is dict else self.holds

    @property
    def convert(self) -> Convert:
        """The function that converts the JSON value to the column's type."""
        return _CONVERT[self.holds]


@dataclass(frozen=True, slots=True)
class Struct:
    """Named fields, and the model that defines them; None if there is no model."""

    fields: "Mapping[str, Shape]"
    model: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: "Shape"


Shape = Scalar | Struct | Many

_CONVERT: Final[Mapping[type, Convert]] = {
    str: str,
    int: int,
    float: float,
    bool: bool,
    dt.date: dt.date.fromisoformat,
    dict: lambda value: json.dumps(value, ensure_ascii=False),
}
_LINKED: Final[Mapping[type[BaseModel], str]] = {Actor: "actor_id", Meeting: "event_id"}
"""Fields that `mahdar link` adds."""
_PARTS: Final = (Evidence, Date, Place, Actor, Participant, Topic, Outcome, Target)
"""Models that a value without a model is compared with, by its fields."""
_NAMED: Final = (Evidence, Actor, Participant, Topic, Outcome)
"""The models of `_PARTS` that are recognized by their required fields; the others need all fields."""


def of_model(model: type[BaseModel]) -> Struct:
    """Return the shape of a model, with its computed fields and the ids that linking adds."""
    annotations = {name: field.annotation for name, field in model.model_fields.items()}
    annotations |= {name: field.return_type for name, field in model.model_computed_fields.items()}
    added = {name: str for base, name in _LINKED.items() if issubclass(model, base)}
    return Struct({name: _of_annotation(kind) for name, kind in {**added, **annotations}.items()}, model)


def of_value(value: Any) -> Shape | None:
    """Return the shape of a JSON value; None if it has none, such as null and an empty list."""
    match value:
        case bool() | int() | float() | str():
            return Scalar(type(value))
        case list():
            item = None
            for member in value:
                item = merged(item, of_value(member))
            return Many(item) if item else None
        case dict():
            for model in _PARTS:
                if _REQUIRED[model] <= value.keys() <= _ALLOWED[model]:
                    return of_model(model)
            shapes = {name: of_value(inside) for name, inside in value.items()}
            return Struct({name: shape for name, shape in shapes.items() if shape})
        case _:
            return None


def merged(one: Shape | None, other: Shape | None) -> Shape | None:
    """Return the shape that can hold the values of both; JSON text if no other can."""
    if one is None or other is None or one == other:
        return one or other
    match one, other:
        case Scalar(), Scalar():
            return Scalar(float) if {one.holds, other.holds} == {int, float} else Scalar(dict)
        case Many(), Many():
            item = merged(one.item, other.item)
            return Many(item) if item else one
        case Struct(), Struct():
            names = dict.fromkeys((*one.fields, *other.fields))
            shapes = {name: merged(one.fields.get(name), other.fields.get(name)) for name in names}
            models = [model for model in (one.model, other.model) if model]
            shared = (base for base in models if len(models) > 1 and all(issubclass(model, base) for model in models))
            return Struct({name: shape for name, shape in shapes.items() if shape}, next(shared, None))
        case _:
            return Scalar(dict)


def _of_annotation(annotation: Any) -> Shape:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_annotation(inside[0])
    if origin in {Union, types.UnionType}:
        shape: Shape | None = None
        for option in inside:
            if option is not types.NoneType:
                shape = merged(shape, _of_annotation(option))
        return shape or Scalar(dict)
    if origin is Literal:
        return Scalar()
    if origin in {tuple, list, set, frozenset}:
        return Many(_of_annotation(inside[0]) if inside else Scalar(dict))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return of_model(annotation)
    return Scalar(annotation if annotation in _CONVERT else dict)


_ALLOWED: Final = {model: {*of_model(model).fields} for model in _PARTS}
_REQUIRED: Final = {
    model: {name for name, field in model.model_fields.items() if field.is_required() or model not in _NAMED}
    for model in _PARTS
}
RECORD: Final = of_model(Record)
"""The fields of every record: id, attribution, evidence."""
