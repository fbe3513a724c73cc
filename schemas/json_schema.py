"""JSON Schema in the form that endpoints take, and the hash that names it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LEFT_OUT = frozenset({"title", "default", "minLength", "maxLength"})
"""Titles and defaults cost tokens and mean nothing to a grammar; lengths of text are refused by OpenAI's strict mode
and make llama.cpp's grammars slow. Drafts check lengths themselves."""


def content_hash(schema: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON value, independent of key order and spacing."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema in which every object lists all its properties as required and allows no other.

    Providers that constrain decoding ask for this form; titles and defaults only cost tokens.
    """
    kept = {key: _strict_value(key, part) for key, part in schema.items() if key not in LEFT_OUT}
    if isinstance(schema.get("properties"), dict):
        kept |= {"required": list(schema["properties"]), "additionalProperties": False}
    return kept


def _strict_value(key: str, part: Any) -> Any:
    """Names of properties are data, not keywords: a field called `title` stays."""
    if isinstance(part, list):
        return [_strict_value("", one) for one in part]
    if not isinstance(part, dict):
        return part
    return {name: strict(inner) for name, inner in part.items()} if key in {"properties", "$defs"} else strict(part)
