"""Validate an answer against its schema and its article, as a whole or in part.

The checks are the schema's pydantic validators, which find the article in their context. `validate` raises on any
problem; `salvage` removes the smallest invalid parts, an attribute before its record, until the rest is valid.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, SupportsIndex, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mahdar.schemas.drafts import is_silent
from mahdar.schemas.tasks import ACTORS, Answer, AnswerSchema
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
"""A place in an answer: `("meetings", 0, "date")`."""

_MESSAGES: Final = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "too_short": "needs {min_length}, got {actual_length}",
    "too_long": "takes {max_length} at most, got {actual_length}",
    "string_too_short": "must not be empty",
    "string_too_long": "takes {max_length} characters at most",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "int_type": "must be a number",
    "int_parsing": "must be a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
}
"""Messages by pydantic's type of error, in terms of JSON instead of Python, since a model reads them."""
_NO_NUMBER: Final = frozenset({"int_parsing", "float_parsing", "decimal_parsing"})
_UNKNOWN_ACTOR: Final = "actor"
"""Type of the error for an id that is not in the list of actors; see `mahdar.schemas.drafts`."""
_SEPARATORS: Final = {"٬": "", "٫": "."}
"""Arabic separators of thousands and decimals."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in an answer: `$.meetings[0].principals: needs two when held, got 1`.

    Attributes:
        place: the place in the answer as given.
        code: the kind of problem; stable, unlike the message.
        message: the message for the model; it quotes nothing of the answer, which may contain an article's words.
        item: the record or part of the answer at the place.
    """

    place: Place
    code: str
    message: str
    item: Any = None

    @property
    def path(self) -> str:
        """The place as a JSON path."""
        return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place)

    @property
    def field(self) -> str | None:
        """The list of the answer that the place is in; None for the answer as a whole."""
        return self.place[0] if self.place and isinstance(self.place[0], str) else None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Members(list[Any]):
    """A list that keeps its members' indices in the answer when others are removed."""

    def __init__(self, members: Iterable[tuple[int, Any]]) -> None:
        pairs = list(members)
        self.places = [place for place, _ in pairs]
        super().__init__(value for _, value in pairs)

    def __delitem__(self, at: SupportsIndex | slice) -> None:
        super().__delitem__(at)
        del self.places[at]


class Unrendered(dict[str, Any]):
    """A validation context that instructor does not use as variables of a template.

    instructor renders every message as a Jinja template if its context is true (`handle_templating`), which would
    change or run an article with braces. A mapping that is false is still passed on to pydantic.
    """

    def __bool__(self) -> bool:
        return False


def context_of(source: Source) -> Unrendered:
    """Return the validation context in which the validators of drafts find an article."""
    return Unrendered(article=source)


def validate(value: Any, schema: AnswerSchema, source: Source) -> Answer:
    """Validate an answer.

    Args:
        value: the answer as JSON.
        schema: the schema of the answer.
        source: the article.

    Raises:
        ValidationError: a part of the answer is invalid; `problems_of` lists the places.
    """
    return _validate(_with_lists(value, schema.model), schema, source)


def salvage(value: Any, schema: AnswerSchema, source: Source) -> tuple[Answer | None, tuple[Problem, ...]]:
    """Validate as much of an answer as possible.

    An invalid attribute or member of a list is removed alone; a record is removed if it requires the invalid part. What
    refers to a removed part becomes invalid in the next round.

    Args:
        value: the answer as JSON; it is not changed.
        schema: the schema of the answer.
        source: the article.

    Returns:
        The valid part of the answer, None if there is none, and the problems, placed in the answer as given.
    """
    problems: list[Problem] = []
    kept = _with_lists(value, schema.model)
    while True:
        try:
            return _validate(kept, schema, source), tuple(problems)
        except ValidationError as error:
            problems.extend(_problems(error, kept, value))
            cuts = {_removable_part(schema.model, detail) for detail in error.errors(include_url=False)}
        if () in cuts:
            return None, tuple(problems)
        for place in sorted(cuts, key=_by_depth, reverse=True):
            _remove(kept, place)


def problems_of(error: ValidationError, value: Any, schema: AnswerSchema) -> tuple[Problem, ...]:
    """Return the problems that `validate` raised for an answer, each once."""
    return _problems(error, _with_lists(value, schema.model), value)


def _with_lists(value: Any, model: type[BaseModel] | None) -> Any:
    """Wrap values in lists where the model has lists, and drop fillers: `"x"` becomes `["x"]`, null `[]`."""
    if model is None or not isinstance(value, dict):
        return value
    nested = _nested(model)
    wrapped: dict[str, Any] = {}
    for name, field in value.items():
        is_list, inner = nested.get(name, (False, None))
        if is_list:
            members = enumerate(field if isinstance(field, list) else [field])
            wrapped[name] = Members((at, _with_lists(member, inner)) for at, member in members if not is_silent(member))
        else:
            wrapped[name] = _with_lists(field, inner)
    return wrapped


def _with_ascii_numbers(value: Any, places: Iterable[Sequence[str | int]]) -> Any:
    """Return a copy with `"٥"` and `"١٬٢٠٠"` written as `"5"` and `"1200"` in these places."""
    mended = json.loads(json.dumps(value, ensure_ascii=False))
    for *way, last in places:
        try:
            holder = mended
            for step in way:
                holder = holder[step]
            holder[last] = "".join(_SEPARATORS.get(char, str(unicodedata.decimal(char, char))) for char in holder[last])
        except (LookupError, TypeError):
            continue
    return mended


def items_by_task(answer: Answer, schema: AnswerSchema) -> Mapping[str, tuple[Any, ...]]:
    """Return the items of an answer by task."""
    return {task.task: getattr(answer, task.field) for task in schema.tasks}


@cache
def _nested(model: type[BaseModel]) -> Mapping[str, tuple[bool, type[BaseModel] | None]]:
    """Map each field to whether it is a list, and to the model of the object or of the members, None for neither."""
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    return {name: (_member(annotation) is not None, _model(annotation)) for name, annotation in fields.items()}


def _validate(kept: Any, schema: AnswerSchema, source: Source) -> Answer:
    try:
        answer = schema.model.model_validate(kept, context=context_of(source))
    except ValidationError as error:
        places = [detail["loc"] for detail in error.errors(include_url=False) if detail["type"] in _NO_NUMBER]
        if not places:
            raise
        answer = schema.model.model_validate(_with_ascii_numbers(kept, places), context=context_of(source))
    return answer.with_places({name: field.places for name, field in kept.items() if isinstance(field, Members)})


def _problems(error: ValidationError, kept: Any, value: Any) -> tuple[Problem, ...]:
    """Return the problems with their places in the answer as given (`value`), of which `kept` is left."""
    problems: dict[tuple[Place, str], Problem] = {}
    for detail in error.errors(include_url=False):
        place, code = _original_place(kept, detail["loc"]), detail["type"]
        template = _MESSAGES.get(code)
        message = template.format(**detail.get("ctx", {})) if template else detail["msg"].removeprefix("Value error, ")
        if code == _UNKNOWN_ACTOR and detail["input"] in _actor_ids(value):
            message = "is the id of an actor that does not hold"
        problems.setdefault((place, code), Problem(place, code, message, _item_at(value, place)))
    return tuple(problems.values())


def _actor_ids(value: Any) -> frozenset[str]:
    """Return the ids in an answer's list of actors as given."""
    actors = value.get(ACTORS) if isinstance(value, dict) else None
    objects = [actor for actor in actors if isinstance(actor, dict)] if isinstance(actors, list) else []
    return frozenset(actor["id"] for actor in objects if isinstance(actor.get("id"), str))


def _original_place(kept: Any, place: Place) -> Place:
    """Return the place in the answer as given of a place in what is left of it."""
    original: list[str | int] = []
    for step in place:
        is_member = isinstance(kept, Members) and isinstance(step, int) and step < len(kept)
        original.append(kept.places[step] if is_member else step)
        kept = kept[step] if is_member else kept.get(step) if isinstance(kept, dict) else None
    return tuple(original)


def _item_at(value: Any, place: Sequence[str | int]) -> Any:
    """Return the record that a place is in, else the part of the answer at the place."""
    for step in place[:2]:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return value
    return value


def _removable_part(model: type[BaseModel], detail: "ErrorDetails") -> Place:
    """Return the smallest part around an error that can be left out; () if only the whole answer can.

    For a list that is too long, a negative last step is the number of members to keep.
    """
    place = tuple(detail["loc"])
    if detail["type"] == "too_long" and (most := detail.get("ctx", {}).get("max_length")) is not None:
        return (*place, -int(most))
    part: Place = ()
    for length, optional in enumerate(_optional(model, place), start=1):
        part = place[:length] if optional else part
    return part


def _optional(annotation: Any, place: Place) -> Iterator[bool]:
    """Yield for each step of a place whether the part it leads to may be left out."""
    for step in place:
        if isinstance(step, int):
            yield True
            annotation = _member(annotation)
            continue
        model = _model(annotation)
        field = model.model_fields.get(step) if model is not None else None
        if field is None:
            return
        yield not field.is_required()
        annotation = field.annotation


def _member(annotation: Any) -> Any:
    """Return the annotation of a list's members; None if the annotation is not a list."""
    if get_origin(annotation) is Annotated:
        return _member(get_args(annotation)[0])
    return get_args(annotation)[0] if get_origin(annotation) in {tuple, list} else None


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation, inside alternatives and metadata; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part)) is not None), None)


def _by_depth(place: Place) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    """Sort key by depth, then by index: in reverse order no removal changes another place."""
    return len(place), tuple((1, step, "") if isinstance(step, int) else (0, 0, step) for step in place)


def _remove(value: Any, place: Place) -> None:
    """Remove the part at a place that `_removable_part` returned."""
    *way, last = place
    try:
        for step in way:
            value = value[step]
        if isinstance(value, list) and isinstance(last, int):
            del value[slice(-last, None) if last < 0 else slice(last, last + 1)]
        else:
            value.pop(last, None)
    except (LookupError, TypeError, AttributeError):
        return
