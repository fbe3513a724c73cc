"""Extractions as Arrow has them: types and values by the models of `schemas`, nothing lost."""

import datetime as dt
import json
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

Convert = Callable[[Any], Any]

PLAIN: Final[Mapping[Any, tuple[pa.DataType, Convert]]] = {
    str: (pa.string(), str),
    int: (pa.int64(), int),
    float: (pa.float64(), float),
    bool: (pa.bool_(), bool),
    dt.date: (pa.date32(), dt.date.fromisoformat),
}


def struct(model: type[BaseModel]) -> tuple[pa.DataType, Convert]:
    """A model's type, derived fields included, and what makes a value of its JSON."""
    annotations = {name: field.annotation for name, field in model.model_fields.items()}
    annotations |= {name: field.return_type for name, field in model.model_computed_fields.items()}
    plans = {name: _plan(annotation) for name, annotation in annotations.items()}
    fields = [pa.field(name, kind) for name, (kind, _) in plans.items()]
    converts = tuple((name, convert) for name, (_, convert) in plans.items())
    return pa.struct(fields), lambda value: {name: _or_none(convert, value.get(name)) for name, convert in converts}


def _plan(annotation: Any) -> tuple[pa.DataType, Convert]:
    kind = _bare(annotation)
    if get_origin(kind) is tuple:
        inside, convert = _plan(get_args(kind)[0])
        return pa.list_(inside), lambda values: [_or_none(convert, value) for value in values]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return struct(kind)
    return PLAIN.get(kind, (pa.string(), _json))  # else of any form: what a model gave, a record of a further task


def _bare(annotation: Any) -> Any:
    """A type without what is only said about it; a closed value is text."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bare(inside[0])
    if origin in {Union, types.UnionType}:
        return _bare(next(one for one in inside if one is not types.NoneType))
    return str if origin is Literal else annotation


def _or_none(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
