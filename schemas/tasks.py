"""Build the schema of a task, and of an answer to one task or several; each is cached, and identified by its hash."""

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
"""Name of the answer's list of actors, to which its records refer."""


class UnknownTaskError(ValueError):
    """No schema is registered for a task of this name."""


class Answer(Draft):
    """A valid answer of a model: a list for each task, and the actors that they share."""

    _places: Mapping[str, Sequence[int]] = PrivateAttr(default_factory=dict)

    def with_places(self, places: Mapping[str, Sequence[int]]) -> Self:
        """Set the indices that the members of each list had in the answer as given."""
        self._places = places
        return self

    def place_of(self, field: str, number: int) -> int:
        """Return the index of a list's member in the answer as given."""
        return self._places[field][number] if field in self._places else number


@dataclass(frozen=True, slots=True)
class TaskSchema:
    """The classes of one task.

    Attributes:
        task: the task's name.
        drafts: the class of a draft, an object with one list.
        item: the class of the list's members.
        record: the class of the task's records.
    """

    task: str
    drafts: type[Drafts]
    item: type[ItemDraft]
    record: type[Record]

    @property
    def field(self) -> str:
        """The name of the list."""
        return next(iter(self.drafts.model_fields))


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The schema of the answer to one request.

    Attributes:
        tasks: the tasks that it answers.
        model: the class that validates it.
        json_schema: its strict JSON Schema, which is sent to endpoints: every property required, none additional.
        sha256: the hash of the JSON Schema.
    """

    tasks: tuple[TaskSchema, ...]
    model: type[Answer]
    json_schema: Mapping[str, Any]
    sha256: str


def task_schema(task: str) -> TaskSchema:
    """Return the schema of a task, as defined last.

    Raises:
        UnknownTaskError: the name is not registered; the message lists the names that are.
    """
    if task not in DRAFTS:
        raise UnknownTaskError(f"task {task!r}: no such schema; known are {', '.join(sorted(DRAFTS))}")
    return _task_schema(DRAFTS[task])


@cache
def _task_schema(drafts: type[Drafts]) -> TaskSchema:
    (field,) = drafts.model_fields.values()
    item, _ellipsis = get_args(field.annotation)
    return TaskSchema(drafts.task, drafts, item, drafts.record)


def answer_schema(tasks: tuple[str, ...], narrowing: Narrowing = WHOLE) -> AnswerSchema:
    """Return the schema of an answer to tasks, in their order.

    Args:
        tasks: names of tasks.
        narrowing: the reduction of the JSON Schema. Answers are validated by the whole model, which fills in defaults.

    Raises:
        UnknownTaskError: a name is not registered.
    """
    return _answer_schema(tuple(task_schema(task) for task in tasks), narrowing)


@cache
def _answer_schema(schemas: tuple[TaskSchema, ...], narrowing: Narrowing) -> AnswerSchema:
    fields: dict[str, Any] = {}
    if any(cites_actors(schema.item) for schema in schemas):
        fields[ACTORS] = (_Actors, ...)
    for task in schemas:
        field = task.drafts.model_fields[task.field]
        fields[task.field] = (field.annotation, field)
    model = create_model("Records", __base__=Answer, **fields)
    schema = strict(model.model_json_schema(), narrowing)
    return AnswerSchema(schemas, model, schema, content_hash(schema))


def _add_to_context(value: Any, info: ValidationInfo) -> Any:
    """Add the list's ids and names to the validation context, for the fields that refer to actors."""
    if info.context is not None and isinstance(value, list):
        actors = (actor for actor in value if isinstance(actor, dict) and isinstance(actor.get("id"), str))
        info.context[ACTORS] = {actor["id"]: str(actor.get("name") or "") for actor in actors}
    return value


def _refuse_shared_ids(actors: tuple[ListedActor, ...]) -> tuple[ListedActor, ...]:
    """Refuse different actors with the same id, since a record could mean any of them."""
    by_id: dict[str, set[ListedActor]] = {}
    for actor in actors:
        by_id.setdefault(actor.id, set()).add(actor)
    ambiguous = [index for index, actor in enumerate(actors) if len(by_id[actor.id]) > 1]
    if ambiguous:
        error = PydanticCustomError("twice", "has an id that another actor of the list has")
        raise errors_at(ListedActor, [((index,), error) for index in ambiguous])
    return actors


_Actors = Annotated[
    tuple[ListedActor, ...],
    Field(max_length=2 * MAX_RECORDS),
    BeforeValidator(_add_to_context),
    AfterValidator(_refuse_shared_ids),
]
