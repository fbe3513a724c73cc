"""JSON Schema in the form that endpoints take, and the hash that names it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEFT_OUT = frozenset({"title", "default", "minLength", "maxLength"})
"""Titles and defaults cost tokens and mean nothing to a grammar; lengths of text are refused by OpenAI's strict mode
and make llama.cpp's grammars slow. Drafts check lengths themselves."""


_MAYBE_TEXT = ["string", "null"]
"""Written as one type, which is a third as long as two alternatives."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a small model is asked for, which repeats itself in long lists and takes a second for each line.

    Attributes:
        optional: the fields asked for among those that have a default; None for all.
        most: members of a list; None for as many as the schema allows.
    """

    optional: tuple[str, ...] | None = None
    most: int | None = None


WHOLE = Narrowing()
"""Everything is asked for."""


def content_hash(schema: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON value, independent of key order and spacing."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def strict(schema: dict[str, Any], narrowing: Narrowing = WHOLE) -> dict[str, Any]:
    """A JSON Schema in which every object lists all its properties as required and allows no other.

    Providers that constrain decoding ask for this form; titles and defaults only cost tokens.

    Args:
        schema: as pydantic writes it.
        narrowing: which of the optional properties, and how many members of a list, are asked for.
    """
    if [option.get("type") for option in schema.get("anyOf", ())] == _MAYBE_TEXT:
        schema = {key: part for key, part in schema.items() if key != "anyOf"} | {"type": _MAYBE_TEXT}
    if narrowing.most is not None and schema.get("type") == "array":
        schema = {**schema, "maxItems": min(narrowing.most, schema.get("maxItems", narrowing.most))}
    if isinstance(schema.get("properties"), dict):
        names = _asked_for(schema, narrowing)
        schema = {**schema, "properties": {name: schema["properties"][name] for name in names}}
        schema |= {"required": names, "additionalProperties": False}
        schema.pop("description", None)  # a class's docstring, written for readers of code
    return {key: _strict_value(key, part, narrowing) for key, part in schema.items() if key not in LEFT_OUT}


def _asked_for(schema: Mapping[str, Any], narrowing: Narrowing) -> list[str]:
    """The names of the properties that are asked for, in their order."""
    if narrowing.optional is None:
        return list(schema["properties"])
    kept = {*schema.get("required", ()), *narrowing.optional}
    return [name for name in schema["properties"] if name in kept]


def _strict_value(key: str, part: Any, narrowing: Narrowing) -> Any:
    """Names of properties are data, not keywords: a field called `title` stays."""
    if isinstance(part, list):
        return [_strict_value("", one, narrowing) for one in part]
    if not isinstance(part, dict):
        return part
    if key in {"properties", "$defs"}:
        return {name: strict(inner, narrowing) for name, inner in part.items()}
    return strict(part, narrowing)
