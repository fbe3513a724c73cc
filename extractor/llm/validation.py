"""The judge: what an answer is worth, and what to do next. Pure: values in, verdict out.

An answer is read item by item, so that one bad item never costs the good ones. Problems are one line each, with a
path: they go into the re-ask as they are, and into `rejected` when asking again is over. No line repeats what the model
wrote: it may be an article's words, and a re-ask is an instruction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

from extractor.errors import FailureClass
from extractor.llm.completion import Completion
from extractor.llm.repair import parse, parse_cut, parse_whole, with_plain_numbers
from extractor.llm.request import Message
from schemas.tasks import TaskSchema

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_PROBLEMS: Final = 12
"""Lines in a re-ask; a model that has made more mistakes does not mend them by reading more."""
SHOWN: Final = 40
"""Characters of an unusable answer in the failure's message."""
LONGEST: Final = 200
"""Characters of a refusal there."""
CUT: Final = frozenset({"length", "max_tokens"})
FILTERED: Final = frozenset({"content_filter", "refusal"})
_NO_NUMBER: Final = frozenset({"int_parsing", "float_parsing", "decimal_parsing"})
_WHOLE: Final = "$"
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
    "int_type": "must be a number",
    "int_parsing": "must be a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
}
"""What pydantic finds, by its type of error, in words of JSON instead of Python: a model reads them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: `$.meetings[0].participants: needs two, got one`.

    Attributes:
        item: what the model wrote there.
        failure: the class of the failure if nothing else can be made of the answer.
    """

    path: str
    message: str
    item: Any = None
    failure: FailureClass = "invalid"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Accept:
    """The drafts that hold, each under its path, and the problems of those that do not."""

    drafts: tuple[tuple[str, BaseModel], ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Reask:
    """Ask again, with these problems.

    Attributes:
        best: what the best answer so far holds, for the case that asking again brings less.
    """

    problems: tuple[Problem, ...]
    best: Accept = Accept(())


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing can be made of it."""

    failure: FailureClass
    message: str


Verdict = Accept | Reask | GiveUp


def judge(completion: Completion, schema: TaskSchema, earlier: Reask | None = None, *, reasks_left: int) -> Verdict:
    """Accept, ask again, or give up.

    Args:
        completion: the answer.
        schema: of the task.
        earlier: what this is the answer to, if to a re-ask; the same problems again end the asking.
        reasks_left: how often the model may still be asked.
    """
    if completion.refusal or completion.finish in FILTERED:
        return GiveUp("refused", " ".join((completion.refusal or "the endpoint filtered the answer").split())[:LONGEST])
    if completion.finish in CUT:
        return _judge_cut(completion, schema)
    read = read_drafts(completion.text, schema)
    best = earlier.best if earlier and len(earlier.best.drafts) > len(read.drafts) else read
    again = reasks_left > 0 and (earlier is None or _lines(read.problems) != _lines(earlier.problems))
    if read.problems and again:
        return Reask(read.problems, best)
    unusable = next((problem for problem in best.problems if problem.path == _WHOLE), None)
    return GiveUp(unusable.failure, _shown(unusable)) if unusable else best


def reask_message(problems: tuple[Problem, ...]) -> Message:
    """The turn that asks again: one line a problem, never the article."""
    lines = "\n".join(_lines(problems)[:MAX_PROBLEMS])
    return {"role": "user", "content": f"Correct these and answer with the whole JSON again:\n{lines}"}


def read_drafts(text: str, schema: TaskSchema) -> Accept:
    """Every item of an answer, or why not."""
    try:
        value = parse(text, schema.field)
    except ValueError as error:
        message = str(error) if text.strip() else "the answer is empty"
        return Accept((), (Problem(_WHOLE, message, text.strip()[:SHOWN] or None, "unparsable"),))
    return _read(value, schema)


def _read(value: Any, schema: TaskSchema) -> Accept:
    return _read_choice(value, schema) if schema.closed else _read_items(value, schema)


def _read_choice(value: Any, schema: TaskSchema) -> Accept:
    """The one object that answers a closed question."""
    try:
        return Accept(((_WHOLE, schema.item.model_validate(value)),))
    except ValidationError as error:
        return Accept((), tuple(_problems(error, _WHOLE, value, schema)))


def _judge_cut(completion: Completion, schema: TaskSchema) -> Verdict:
    """Of an answer that ran into the token bound, all but the last item can be trusted to be whole."""
    cut = f"the answer was cut after {completion.tokens_out} tokens"
    whole = _read_whole(completion.text, schema)
    if whole is not None:
        return whole
    items = _items(_parsed_cut(completion.text), schema) or []
    if schema.closed or len(items) < 2:
        return GiveUp("truncated", f"{cut}, before one record was complete")
    read = _read_items(items[:-1], schema)
    lost = Problem(f"$.{schema.field}[{len(items) - 1}]", f"{cut}, in this item or after it", items[-1])
    return Accept(read.drafts, (*read.problems, lost))


def _read_whole(text: str, schema: TaskSchema) -> Accept | None:
    """The items of an answer that was complete before it was cut: models add blank lines to their JSON."""
    try:
        value = parse_whole(text)
    except (ValueError, RecursionError):
        return None
    return _read(value, schema) if _items(value, schema) is not None else None


def _parsed_cut(text: str) -> Any:
    try:
        return parse_cut(text)
    except ValueError:
        return None


def _items(value: Any, schema: TaskSchema) -> list[Any] | None:
    """The one list of an answer, also where the object around it is missing, or a single item stands for the list."""
    found = value.get(schema.field) if isinstance(value, dict) else value
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) else None


def _read_items(value: Any, schema: TaskSchema) -> Accept:
    items = _items(value, schema)
    if items is None:
        return Accept((), (Problem(_WHOLE, f"an object with the list {schema.field!r} is asked for"),))
    drafts: list[tuple[str, BaseModel]] = []
    problems: list[Problem] = []
    for number, item in enumerate(items):
        path = f"$.{schema.field}[{number}]"
        try:
            drafts.append((path, _draft(item, schema)))
        except ValidationError as error:
            problems.extend(_problems(error, path, item, schema))
    return Accept(tuple(drafts), tuple(problems))


def _draft(item: Any, schema: TaskSchema) -> BaseModel:
    try:
        return schema.item.model_validate(item)
    except ValidationError as error:
        places = [detail["loc"] for detail in error.errors(include_url=False) if detail["type"] in _NO_NUMBER]
        if not places:
            raise
        return schema.item.model_validate(with_plain_numbers(item, places))


def _problems(error: ValidationError, path: str, item: Any, schema: TaskSchema) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_input=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
        message = _worded(detail, schema)
        field, colon, rest = message.partition(": ")
        if colon and field in schema.item.model_fields:
            where, message = f"{where}.{field}", rest
        yield Problem(path + where, message, item)


def _worded(detail: "ErrorDetails", schema: TaskSchema) -> str:
    """One error in words; a closed question's values are the article's, and are not repeated."""
    if schema.closed and detail["type"] == "literal_error":
        return "must be one of the values allowed"
    words = _WORDS.get(detail["type"])
    return words.format(**detail.get("ctx", {})) if words else detail["msg"].removeprefix("Value error, ")


def _shown(problem: Problem) -> str:
    return f"{problem}, begins with {problem.item!r}" if problem.item else str(problem)


def _lines(problems: tuple[Problem, ...]) -> list[str]:
    """A line a problem, each once."""
    return list(dict.fromkeys(map(str, problems)))
