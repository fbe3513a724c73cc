"""Convert extractions to Arrow types and values, by the models of `mahdar.schemas`, without loss."""

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
"""Arrow type by type of a column."""


def struct(model: type[BaseModel]) -> tuple[pa.DataType, Convert]:
    """Return the Arrow type of a model, computed fields included, and a function that converts its JSON to a value."""
    return _plan(of_model(model))


def _plan(shape: Shape) -> tuple[pa.DataType, Convert]:
    match shape:
        case Struct():
            plans = {name: _plan(inside) for name, inside in shape.fields.items()}
            kind = pa.struct([pa.field(name, inside) for name, (inside, _) in plans.items()])
            return kind, lambda value: {
                name: _or_none(convert, value.get(name)) for name, (_, convert) in plans.items()
            }
        case Many():
            inside, convert = _plan(shape.item)
            return pa.list_(inside), lambda values: [_or_none(convert, value) for value in values]
        case Scalar():
            return TYPES[shape.column_type], shape.convert


def _or_none(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)
