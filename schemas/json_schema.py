"""Convert JSON Schema to the strict form that endpoints require, and hash it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LEFT_OUT = frozenset({"title", "default", "minLength", "maxLength"})
"""Keywords left out. Titles and defaults cost tokens and mean nothing to a grammar; lengths of text are refused by
OpenAI's strict mode and make llama.cpp's grammars slow. Drafts check lengths themselves."""
_MAYBE_TEXT = ["string", "null"]
"""Types of an optional text, written as one type: a third as long as two alternatives."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A reduction of a schema for small models, which repeat themselves in long lists and take a second a line.

    Attributes:
        optional: names of the fields to keep among those that have a default; None for all.
        most: maximum of a list's members; None for the schema's own.
    """

    optional: tuple[str, ...] | None = None
    most: int | None = None


WHOLE = Narrowing()
"""No reduction."""


def content_hash(schema: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON value, independent of key order and spacing."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def strict(schema: dict[str, Any], narrowing: Narrowing = WHOLE) -> dict[str, Any]:
    """Return a JSON Schema in which every object requires all its properties and allows no others.

    Providers that constrain decoding require this form.

    Args:
        schema: a schema as pydantic writes it.
        narrowing: the optional properties to keep, and the maximum length of lists.
    """
    if [option.get("type") for option in schema.get("anyOf", ())] == _MAYBE_TEXT:
        schema = {key: part for key, part in schema.items() if key != "anyOf"} | {"type": _MAYBE_TEXT}
    if narrowing.most is not None and schema.get("type") == "array":
        schema = {**schema, "maxItems": min(narrowing.most, schema.get("maxItems", narrowing.most))}
    if isinstance(schema.get("properties"), dict):
        kept = {*schema.get("required", ()), *(narrowing.optional or ())}
        names = [name for name in schema["properties"] if narrowing.optional is None or name in kept]
        schema = {**schema, "properties": {name: schema["properties"][name] for name in names}}
        schema |= {"required": names, "additionalProperties": False}
        schema.pop("description", None)  # the class's docstring, which is not for models
    return {key: _strict_value(key, part, narrowing) for key, part in schema.items() if key not in LEFT_OUT}


def _strict_value(key: str, part: Any, narrowing: Narrowing) -> Any:
    """Convert the value of a keyword; names of properties are not keywords, so a field called `title` is kept."""
    if isinstance(part, list):
        return [_strict_value("", member, narrowing) for member in part]
    if not isinstance(part, dict):
        return part
    if key in {"properties", "$defs"}:
        return {name: strict(inner, narrowing) for name, inner in part.items()}
    return strict(part, narrowing)
