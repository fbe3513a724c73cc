"""Describe a schema in words, for models that are constrained by its grammar but never see it."""

from collections.abc import Iterator, Mapping
from typing import Any


def outline(schema: Mapping[str, Any]) -> str:
    """Return one line a field, indented by depth: name, type or allowed values, meaning."""
    return "\n".join(_lines(schema, schema.get("$defs", {}), 0))


def _lines(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        inner = _inner(field, defs)
        meaning = f" — {field['description']}" if "description" in field else ""
        yield f"{'  ' * depth}{name}: {_form(field, defs)}{meaning}"
        yield from _lines(inner, defs, depth + 1)


def _inner(field: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema inside references, alternatives with null, and lists."""
    if "$ref" in field:
        target: Mapping[str, Any] = defs[field["$ref"].rsplit("/", 1)[-1]]
        return target
    for option in field.get("anyOf", ()):
        if option.get("type") != "null":
            return _inner(option, defs)
    return _inner(field["items"], defs) if "items" in field else field


def _form(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    nullable = any("null" in _types(option) for option in (field, *field.get("anyOf", ())))
    inner = _inner(field, defs)
    kind = next((type_ for type_ in _types(inner) if type_ != "null"), "string")
    form = " | ".join(inner["enum"]) if "enum" in inner else _FORMS.get(kind, "text")
    form = f"list of {form}" if field.get("type") == "array" else form
    return f"{form} or null" if nullable else form


_FORMS = {"object": "object", "integer": "number", "number": "number"}


def _types(field: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a field's type, or its types if it may be null."""
    types = field.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)
