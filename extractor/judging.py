"""The judge: what an answer is worth, and what to do next. Pure: values in, verdict out.

An answer is read item by item, so that one bad item never costs the good ones. Problems are one line each, with a
path: they go into the re-ask as they are, and into `rejected` when asking again is over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from extractor.completion import Completion
from extractor.errors import FailureClass
from extractor.repair import parse, parse_cut
from extractor.request import Message
from schemas.drafts import ItemDraft
from schemas.tasks import TaskSchema

MAX_PROBLEMS = 12
"""Lines in a re-ask; a model that has made more mistakes does not mend them by reading more."""
CUT = {"length"}
FILTERED = {"content_filter"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where: `$.meetings[0].participants: needs two, got one`."""

    path: str
    message: str
    item: Any = None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Accept:
    """The drafts that hold, each under its path, and the problems of those that do not."""

    drafts: tuple[tuple[str, ItemDraft], ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Reask:
    """Ask again, with these problems."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing can be made of it."""

    failure: FailureClass
    message: str


Verdict = Accept | Reask | GiveUp


def judge(completion: Completion, schema: TaskSchema, earlier: tuple[Problem, ...], *, reasks_left: int) -> Verdict:
    """Accept, ask again, or give up.

    Args:
        completion: the answer.
        schema: of the task.
        earlier: problems of the answer before this one; the same again ends the asking.
        reasks_left: how often the model may still be asked.
    """
    if completion.refusal or completion.finish in FILTERED:
        return GiveUp("refused", completion.refusal or "the endpoint filtered the answer")
    if completion.finish in CUT:
        return _judge_cut(completion, schema)
    read = read_drafts(completion.text, schema)
    again = reasks_left > 0 and _lines(read.problems) != _lines(earlier)
    if read.problems and again:
        return Reask(read.problems)
    if read.drafts or not _whole(read.problems):
        return read
    return GiveUp("unparsable" if "JSON" in read.problems[0].message else "invalid", str(read.problems[0]))


def reask_message(problems: tuple[Problem, ...]) -> Message:
    """The turn that asks again: one line a problem, never the article."""
    lines = "\n".join(str(problem) for problem in problems[:MAX_PROBLEMS])
    return {"role": "user", "content": f"Correct these and answer with the whole JSON again:\n{lines}"}


def read_drafts(text: str, schema: TaskSchema) -> Accept:
    """Every item of an answer, or why not."""
    try:
        value = parse(text)
    except ValueError as error:
        return Accept((), (Problem("$", str(error).removeprefix("$: ")),))
    return _read_items(value, schema)


def _judge_cut(completion: Completion, schema: TaskSchema) -> Verdict:
    """Of an answer that ran into the token bound, all but the last item can be trusted to be whole."""
    cut = f"the answer was cut after {completion.tokens_out} tokens"
    try:
        value = parse_cut(completion.text)
    except ValueError:
        return GiveUp("truncated", cut)
    items = value.get(schema.field) if isinstance(value, dict) else None
    if not isinstance(items, list) or len(items) < 2:
        return GiveUp("truncated", f"{cut}, before one record was complete")
    read = _read_items({schema.field: items[:-1]}, schema)
    lost = Problem(f"$.{schema.field}[{len(items) - 1}]", f"{cut}, in this item or after it", items[-1])
    return Accept(read.drafts, (*read.problems, lost))


def _read_items(value: Any, schema: TaskSchema) -> Accept:
    items = value.get(schema.field, None) if isinstance(value, dict) else value
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list):
        return Accept((), (Problem("$", f"an object with the list {schema.field!r} is asked for"),))
    drafts, problems = [], []
    for number, item in enumerate(items):
        path = f"$.{schema.field}[{number}]"
        try:
            drafts.append((path, schema.item.model_validate(item)))
        except ValidationError as error:
            problems.extend(_problems(error, path, item))
    return Accept(tuple(drafts), tuple(problems))


def _problems(error: ValidationError, path: str, item: Any) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_context=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        yield Problem(path + where, message, item)


def _whole(problems: tuple[Problem, ...]) -> bool:
    """Whether the answer as a whole is the problem, not an item of it."""
    return any(problem.path == "$" for problem in problems)


def _lines(problems: tuple[Problem, ...]) -> Mapping[str, None]:
    return dict.fromkeys(str(problem) for problem in problems)
