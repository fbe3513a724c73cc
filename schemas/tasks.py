"""A task's schema as the request path needs it: built once a class, named by the hash of its content."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from schemas.drafts import DRAFTS, Drafts, ItemDraft
from schemas.json_schema import content_hash, strict
from schemas.records import Record


class UnknownTaskError(ValueError):
    """No schema is registered under this task's name."""


@dataclass(frozen=True, slots=True)
class TaskSchema:
    """What a model fills for one task, and what comes of it."""

    task: str
    drafts: type[BaseModel]
    """what a whole answer is"""
    item: type[BaseModel]
    """what each member of its one list is; of a closed question, the whole answer again"""
    record: type[Record]
    json_schema: Mapping[str, Any]
    """strict: every property required, none additional; what endpoints that constrain decoding are given"""
    sha256: str
    closed: bool = False
    """whether the answer is a choice, not a list of drafts"""

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
    schema = drafts.model_json_schema()
    return TaskSchema(task, drafts, _item(drafts), drafts.record, schema, content_hash(schema))


def closed_schema(task: str, answer: type[BaseModel]) -> TaskSchema:
    """The schema of a question that is answered by a choice; what becomes of the choice is a record of the task."""
    schema = strict(answer.model_json_schema())
    return TaskSchema(task, answer, answer, task_schema(task).record, schema, content_hash(schema), closed=True)


def _item(drafts: type[Drafts]) -> type[ItemDraft]:
    (field,) = drafts.model_fields.values()
    (item, _ellipsis) = get_args(field.annotation)
    return item  # type: ignore[no-any-return]
