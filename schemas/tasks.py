"""A task's schema, and the schema of an answer that serves one task or several: built once, named by its content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, create_model
from pydantic_core import PydanticCustomError

from mahdar.schemas.drafts import DRAFTS, MAX_RECORDS, Draft, Drafts, ItemDraft, ListedActor, cites_actors, errors_at
from mahdar.schemas.json_schema import WHOLE, Narrowing, content_hash, strict
from mahdar.schemas.records import Record

ACTORS: Final = "actors"
"""The field of an answer that lists the actors its records refer to."""


class UnknownTaskError(ValueError):
    """No schema is registered under this task's name."""


class Answer(Draft):
    """What a model answered, as far as it holds: a list for each task, and the actors that they share."""

    _places: Mapping[str, Sequence[int]] = PrivateAttr(default_factory=dict)

    def with_places(self, places: Mapping[str, Sequence[int]]) -> Self:
        """Note where the members of each list stood in the answer as it was given."""
        self._places = places
        return self

    def place_of(self, field: str, number: int) -> int:
        """Where a member of a list stood in the answer as it was given."""
        return self._places[field][number] if field in self._places else number


@dataclass(frozen=True, slots=True)
class TaskSchema:
    """What a drafter fills for one task, and what comes of it."""

    task: str
    drafts: type[Drafts]
    item: type[ItemDraft]
    """what each member of its one list is"""
    record: type[Record]

    @property
    def field(self) -> str:
        """The name of the one list."""
        return next(iter(self.drafts.model_fields))


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """What a model answers to one request: a list for each task, and the actors that they share."""

    tasks: tuple[TaskSchema, ...]
    model: type[Answer]
    json_schema: Mapping[str, Any]
    """strict: every property required, none additional; what endpoints that constrain decoding are given"""
    sha256: str


def task_schema(task: str) -> TaskSchema:
    """The schema of a task, as it was defined last.

    Raises:
        UnknownTaskError: the name is not registered; says which are.
    """
    if task not in DRAFTS:
        raise UnknownTaskError(f"task {task!r}: no such schema; known are {', '.join(sorted(DRAFTS))}")
    return _task_schema(DRAFTS[task])


@cache
def _task_schema(drafts: type[Drafts]) -> TaskSchema:
    return TaskSchema(drafts.task, drafts, _item(drafts), drafts.record)


def answer_schema(tasks: tuple[str, ...], narrowing: Narrowing = WHOLE) -> AnswerSchema:
    """The schema of an answer to these tasks, in this order.

    Args:
        tasks: their names.
        narrowing: how much of it the JSON Schema asks for. Answers are validated by the same model, which fills in
            what was not asked for.

    Raises:
        UnknownTaskError: a name is not registered.
    """
    return _answer_schema(tuple(task_schema(task) for task in tasks), narrowing)


@cache
def _answer_schema(schemas: tuple[TaskSchema, ...], narrowing: Narrowing) -> AnswerSchema:
    fields: dict[str, Any] = {}
    if any(cites_actors(one.item) for one in schemas):
        fields[ACTORS] = (_Actors, ...)
    for one in schemas:
        field = one.drafts.model_fields[one.field]
        fields[one.field] = (field.annotation, field)
    model = create_model("Records", __base__=Answer, **fields)
    schema = strict(model.model_json_schema(), narrowing)
    return AnswerSchema(schemas, model, schema, content_hash(schema))


def _known(value: Any, info: ValidationInfo) -> Any:
    """Announce the ids and names of the list to the validators of what refers to them."""
    if info.context is not None and isinstance(value, list):
        named = (one for one in value if isinstance(one, dict) and isinstance(one.get("id"), str))
        info.context[ACTORS] = {one["id"]: str(one.get("name") or "") for one in named}
    return value


def _once(actors: tuple[ListedActor, ...]) -> tuple[ListedActor, ...]:
    """Refuse every actor whose id another has, since nobody knows which of them a record means."""
    known: dict[str, set[ListedActor]] = {}
    for actor in actors:
        known.setdefault(actor.id, set()).add(actor)
    twice = [index for index, actor in enumerate(actors) if len(known[actor.id]) > 1]
    if twice:
        error = PydanticCustomError("twice", "has an id that another actor of the list has")
        raise errors_at(ListedActor, [((index,), error) for index in twice])
    return actors


_Actors = Annotated[
    tuple[ListedActor, ...], Field(max_length=2 * MAX_RECORDS), BeforeValidator(_known), AfterValidator(_once)
]


def _item(drafts: type[Drafts]) -> type[ItemDraft]:
    (field,) = drafts.model_fields.values()
    (item, _ellipsis) = get_args(field.annotation)
    return item  # type: ignore[no-any-return]
