"""A schema in words, for models that never see it: a grammar constrains what they write but explains nothing."""

from collections.abc import Iterator, Mapping
from typing import Any


def outline(schema: Mapping[str, Any]) -> str:
    """One line a field, indented by depth: name, form or allowed values, meaning."""
    return "\n".join(_lines(schema, schema.get("$defs", {}), 0))


def _lines(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        inner = _inner(field, defs)
        meaning = f" — {field['description']}" if "description" in field else ""
        yield f"{'  ' * depth}{name}: {_form(field, defs)}{meaning}"
        yield from _lines(inner, defs, depth + 1)


def _inner(field: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind references, alternatives with null, and lists."""
    if "$ref" in field:
        found: Mapping[str, Any] = defs[field["$ref"].rsplit("/", 1)[-1]]
        return found
    for option in field.get("anyOf", ()):
        if option.get("type") != "null":
            return _inner(option, defs)
    return _inner(field["items"], defs) if "items" in field else field


def _form(field: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    nullable = any("null" in _types(option) for option in (field, *field.get("anyOf", ())))
    inner = _inner(field, defs)
    kind = next((type_ for type_ in _types(inner) if type_ != "null"), "string")
    form = " | ".join(inner["enum"]) if "enum" in inner else _FORMS.get(kind, "text")
    listed = f"list of {form}" if field.get("type") == "array" else form
    return f"{listed} or null" if nullable else listed


_FORMS = {"object": "object", "integer": "number", "number": "number"}


def _types(field: Mapping[str, Any]) -> tuple[str, ...]:
    """A field's type, or its types where it may be null."""
    found = field.get("type", ())
    return (found,) if isinstance(found, str) else tuple(found)
