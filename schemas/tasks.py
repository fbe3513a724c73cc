"""A task's schema as the request path needs it: built once a class, named by the hash of its content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from schemas.drafts import DRAFTS, Drafts, ItemDraft
from schemas.records import Record


class UnknownTaskError(ValueError):
    """No schema is registered under this task's name."""


@dataclass(frozen=True, slots=True)
class TaskSchema:
    """What a model fills for one task, and what comes of it."""

    task: str
    drafts: type[Drafts]
    item: type[ItemDraft]
    record: type[Record]
    json_schema: Mapping[str, Any]
    """strict: every property required, none additional; what endpoints that constrain decoding are given"""
    sha256: str

    @property
    def field(self) -> str:
        """The name of the one list."""
        return next(iter(self.drafts.model_fields))


@cache
def task_schema(task: str) -> TaskSchema:
    """The schema of a task.

    Raises:
        UnknownTaskError: the name is not registered; says which are.
    """
    if task not in DRAFTS:
        raise UnknownTaskError(f"task {task!r}: no such schema; known are {', '.join(sorted(DRAFTS))}")
    drafts = DRAFTS[task]
    schema = strict(drafts.model_json_schema())
    return TaskSchema(task, drafts, _item(drafts), drafts.record, schema, content_hash(schema))


def content_hash(schema: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON value, independent of key order and spacing."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def strict(schema: Any) -> Any:
    """A JSON Schema in which every object lists all its properties as required and allows no other.

    Providers that constrain decoding ask for this form; titles and defaults only cost tokens.
    """
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _strict_value(key, part) for key, part in schema.items() if key not in {"title", "default"}}
    if isinstance(schema.get("properties"), dict):
        kept |= {"required": list(schema["properties"]), "additionalProperties": False}
    return kept


def _strict_value(key: str, part: Any) -> Any:
    """Names of properties are data, not keywords: a field called `title` stays."""
    if key in {"properties", "$defs"}:
        return {name: strict(inner) for name, inner in part.items()}
    return strict(part)


def _item(drafts: type[Drafts]) -> type[ItemDraft]:
    (field,) = drafts.model_fields.values()
    (item, _ellipsis) = get_args(field.annotation)
    return item  # type: ignore[no-any-return]
