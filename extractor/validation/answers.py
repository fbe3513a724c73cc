"""Validation: drafts against their schema and their article, all at once or as far as they hold.

The checks are the schema's own pydantic validators, which find the article in their context. `validate` raises what is
wrong; `salvage` takes out the smallest parts that are wrong, an attribute before its record, until the rest holds.
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
"""Where in an answer: `("meetings", 0, "date")`."""

_WORDS: Final = {
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
"""What pydantic finds, by its type of error, in words of JSON instead of Python: a model reads them."""
_NO_NUMBER: Final = frozenset({"int_parsing", "float_parsing", "decimal_parsing"})
_UNKNOWN_ACTOR: Final = "actor"
"""pydantic's type of the error for an id that the list of actors does not hold; see `mahdar.schemas.drafts`."""
_SEPARATORS: Final = {"٬": "", "٫": "."}
"""Of thousands and of decimals, in Arabic numbers."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: `$.meetings[0].principals: needs two when held, got 1`.

    Attributes:
        place: in the answer.
        code: of the kind of problem; stable, unlike the message.
        message: for the model, without a word of what it wrote: that may be an article's.
        item: what the model wrote there.
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
        """The list of the answer that it is in; None for the answer as a whole."""
        return self.place[0] if self.place and isinstance(self.place[0], str) else None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Members(list[Any]):
    """A list whose members know where they stood in the answer, also when others have been left out."""

    def __init__(self, members: Iterable[tuple[int, Any]]) -> None:
        self.places, values = [], []
        for place, value in members:
            self.places.append(place)
            values.append(value)
        super().__init__(values)

    def __delitem__(self, at: SupportsIndex | slice) -> None:
        super().__delitem__(at)
        del self.places[at]


class Unrendered(dict[str, Any]):
    """A validation context that instructor does not take for the variables of a template.

    instructor renders every message as a Jinja template where its context is true (`handle_templating`): an article
    with braces would be changed, or run. A mapping that is false is passed on to pydantic all the same.
    """

    def __bool__(self) -> bool:
        return False


def context_of(source: Source) -> Unrendered:
    """What the validators of drafts need to know of an article."""
    return Unrendered(article=source)


def validate(value: Any, schema: AnswerSchema, source: Source) -> Answer:
    """An answer that holds in every part.

    Raises:
        ValidationError: it does not; `problems_of` says where.
    """
    return _validate(listed(value, schema.model), schema, source)


def salvage(value: Any, schema: AnswerSchema, source: Source) -> tuple[Answer | None, tuple[Problem, ...]]:
    """As much of an answer as holds, and what does not.

    An attribute that is wrong is left out alone; a member of a list too; a record goes where it cannot do without what
    is wrong. What refers to something that went is found wrong in the next round.

    Args:
        value: the answer as JSON; it is not changed.
        schema: of the answer.
        source: the article.

    Returns:
        The answer, None where nothing of it can be used, and the problems, each with its place in the answer as given.
    """
    problems: list[Problem] = []
    kept = listed(value, schema.model)
    while True:
        try:
            return _validate(kept, schema, source), tuple(problems)
        except ValidationError as error:
            problems.extend(_problems(error, kept, value))
            cuts = {_cut_of(schema.model, detail) for detail in error.errors(include_url=False)}
        if () in cuts:
            return None, tuple(problems)
        for place in sorted(cuts, key=_by_depth, reverse=True):
            _remove(kept, place)


def problems_of(error: ValidationError, value: Any, schema: AnswerSchema) -> tuple[Problem, ...]:
    """What `validate` found wrong with an answer, each problem once."""
    return _problems(error, listed(value, schema.model), value)


def listed(value: Any, model: type[BaseModel] | None) -> Any:
    """The same JSON with a list wherever one is asked for, without fillers: `"x"` becomes `["x"]`, and null `[]`."""
    if model is None or not isinstance(value, dict):
        return value
    nested = _nested(model)
    return {name: _listed(one, *nested[name]) if name in nested else one for name, one in value.items()}


def with_plain_numbers(value: Any, places: Iterable[Sequence[str | int]]) -> Any:
    """The value with `"٥"` and `"١٬٢٠٠"` written as `"5"` and `"1200"` in these places, and nowhere else."""
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


def lists_of(answer: Answer, schema: AnswerSchema) -> Mapping[str, tuple[Any, ...]]:
    """The items of an answer, by task."""
    return {task.task: getattr(answer, task.field) for task in schema.tasks}


def _listed(value: Any, is_list: bool, model: type[BaseModel] | None) -> Any:  # noqa: FBT001  # as `_nested` says
    if not is_list:
        return listed(value, model)
    members = value if isinstance(value, list) else [value]
    return Members((place, listed(one, model)) for place, one in enumerate(members) if not is_silent(one))


@cache
def _nested(model: type[BaseModel]) -> Mapping[str, tuple[bool, type[BaseModel] | None]]:
    """Of each field that is a list or an object: whether it is a list, and the model of the object or the members."""
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    nested = {name: (_member(annotation) is not None, _model(annotation)) for name, annotation in fields.items()}
    return {name: one for name, one in nested.items() if any(one)}


def _validate(kept: Any, schema: AnswerSchema, source: Source) -> Answer:
    try:
        answer = schema.model.model_validate(kept, context=context_of(source))
    except ValidationError as error:
        places = [detail["loc"] for detail in error.errors(include_url=False) if detail["type"] in _NO_NUMBER]
        if not places:
            raise
        answer = schema.model.model_validate(with_plain_numbers(kept, places), context=context_of(source))
    return answer.with_places({name: one.places for name, one in kept.items() if isinstance(one, Members)})


def _problems(error: ValidationError, kept: Any, value: Any) -> tuple[Problem, ...]:
    """The problems by their places in the answer as given, of which `kept` is left."""
    found: dict[tuple[Place, str], Problem] = {}
    for detail in error.errors(include_url=False):
        place, code = _place_before(kept, detail["loc"]), detail["type"]
        left_out = code == _UNKNOWN_ACTOR and detail["input"] in _ids(value)
        said = "is the id of an actor that does not hold" if left_out else _worded(detail)
        found.setdefault((place, code), Problem(place, code, said, _item(value, place)))
    return tuple(found.values())


def _ids(value: Any) -> frozenset[str]:
    """The ids in an answer's list of actors as it was given."""
    actors = value.get(ACTORS) if isinstance(value, dict) else None
    listed = actors if isinstance(actors, list) else []
    return frozenset(one["id"] for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str))


def _place_before(kept: Any, place: Place) -> Place:
    """Where a place was in the answer as given."""
    before: list[str | int] = []
    for step in place:
        is_member = isinstance(kept, Members) and isinstance(step, int) and step < len(kept)
        before.append(kept.places[step] if is_member else step)
        kept = kept[step] if is_member else kept.get(step) if isinstance(kept, dict) else None
    return tuple(before)


def _worded(detail: "ErrorDetails") -> str:
    words = _WORDS.get(detail["type"])
    return words.format(**detail.get("ctx", {})) if words else detail["msg"].removeprefix("Value error, ")


def _item(value: Any, place: Sequence[str | int]) -> Any:
    """What stands at a place; of a record, and of a part of one, the record."""
    for step in place[:2]:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return value
    return value


def _cut_of(model: type[BaseModel], detail: "ErrorDetails") -> Place:
    """The smallest part that can be left out; () where that is the whole answer.

    Of a list that is too long a negative step says how many of its members stay.
    """
    place = tuple(detail["loc"])
    if detail["type"] == "too_long" and (most := detail.get("ctx", {}).get("max_length")) is not None:
        return (*place, -int(most))
    kept: Place = ()
    for length, optional in enumerate(_optional(model, place), start=1):
        kept = place[:length] if optional else kept
    return kept


def _optional(annotation: Any, place: Place) -> Iterator[bool]:
    """For each step of a place, whether what it leads to may be left out."""
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
    """What the members of a list are; None where no list is asked for."""
    if get_origin(annotation) is Annotated:
        return _member(get_args(annotation)[0])
    return get_args(annotation)[0] if get_origin(annotation) in {tuple, list} else None


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, behind alternatives and metadata."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part)) is not None), None)


def _by_depth(place: Place) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    """Deeper places first, and of a list the last first, so that no removal moves another's place."""
    return len(place), tuple((1, step, "") if isinstance(step, int) else (0, 0, step) for step in place)


def _remove(value: Any, place: Place) -> None:
    """Take out what stands at a place, by `_cut_of`."""
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
