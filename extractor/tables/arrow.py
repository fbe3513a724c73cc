"""Extractions as Arrow has them: types and values by the models of `schemas`, nothing lost."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
from pydantic import BaseModel

from mahdar.tables.shapes import Many, Scalar, Shape, Struct, of_model

Convert = Callable[[Any], Any]

TYPES: Final[Mapping[type, pa.DataType]] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    dt.date: pa.date32(),
}
"""Arrow's types by those of columns."""


def struct(model: type[BaseModel]) -> tuple[pa.DataType, Convert]:
    """A model's type, derived fields included, and what makes a value of its JSON."""
    return _planned(of_model(model))


def _planned(shape: Shape) -> tuple[pa.DataType, Convert]:
    match shape:
        case Struct():
            plans = {name: _planned(inside) for name, inside in shape.fields.items()}
            kind = pa.struct([pa.field(name, inside) for name, (inside, _) in plans.items()])
            return kind, lambda value: {
                name: _or_none(convert, value.get(name)) for name, (_, convert) in plans.items()
            }
        case Many():
            inside, convert = _planned(shape.item)
            return pa.list_(inside), lambda values: [_or_none(convert, value) for value in values]
        case Scalar():
            return TYPES[shape.column_type], shape.convert


def _or_none(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)
