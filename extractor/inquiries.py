"""Inquiries: every question that an article raises, as requests, before any is asked.

A model that reads well is asked once a task and passage, and drafts records. A small one is asked closed questions, and
its choices become drafts (`extractor.offline.questions`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel

from extractor.documents.boilerplate import body
from extractor.documents.document import Document
from extractor.documents.passages import is_within, split
from extractor.errors import PromptError
from extractor.llm.endpoint import Endpoint
from extractor.llm.request import Request, build_request
from extractor.offline.questions import Question, task_questions
from extractor.tasks import Task
from prompts import ARTICLE, SMALL, TemplateError
from schemas.drafts import ItemDraft
from schemas.tasks import TaskSchema, closed_schema

Expand = Callable[[BaseModel], tuple[ItemDraft, ...]]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, the task it serves, and what its answer becomes; without `expand`, an answer is drafts already."""

    task: Task
    request: Request
    expand: Expand | None = None


def inquiries(document: Document, tasks: tuple[Task, ...], endpoint: Endpoint) -> tuple[Inquiry, ...]:
    """All questions that an article raises, task by task, so that a server's prefix cache is used well.

    Raises:
        PromptError: a template does not render.
        BadInputError: the article has a stretch without white space that no model reads at once.
    """
    try:
        return tuple(inquiry for task in tasks for inquiry in _of_task(document, task, endpoint))
    except TemplateError as error:
        raise PromptError(str(error)) from None


def settled(document: Document, tasks: tuple[Task, ...]) -> tuple[tuple[Task, tuple[Question, ...]], ...]:
    """What an article raises and needs not be asked, by task; nothing where the model drafts all itself."""
    return tuple((task, _settled(document, task)) for task in tasks if task.prompt.profile == SMALL)


def _settled(document: Document, task: Task) -> tuple[Question, ...]:
    return tuple(one for one in _questions(document.text, task.schema.task) if one.settled)


def _open(document: Document, task: Task) -> Iterator[Question]:
    return (one for one in _questions(document.text, task.schema.task) if not one.settled)


@lru_cache(maxsize=8)
def _questions(text: str, task: str) -> tuple[Question, ...]:
    """Made once for what is asked and what is settled: an answer's model is slow to build."""
    return tuple(task_questions(text, task))


def _of_task(document: Document, task: Task, endpoint: Endpoint) -> Iterator[Inquiry]:
    if task.prompt.profile == SMALL:
        for question in _open(document, task):
            schema = closed_schema(question.task, question.answer)
            yield Inquiry(task, _request(task, schema, question.values, endpoint), question.expand)
        return
    for passage in _passages(body(document.text), endpoint):
        yield Inquiry(task, _request(task, task.schema, {ARTICLE: passage}, endpoint))


def parts_of(document: Document, task: Task) -> Iterator[Mapping[str, str]]:
    """What the task's template is given of an article, once a question; the article in one piece where it drafts."""
    if task.prompt.profile != SMALL:
        yield {ARTICLE: body(document.text)}
        return
    yield from (question.values for question in _open(document, task))


def _request(task: Task, schema: TaskSchema, data: Mapping[str, str], endpoint: Endpoint) -> Request:
    return build_request(
        task.prompt, schema, data, model=endpoint.model, mode=endpoint.mode, parameters=endpoint.parameters
    )


def _passages(text: str, endpoint: Endpoint) -> list[str]:
    """The article, in as many pieces as the model needs to read it."""
    if is_within(text, endpoint.passage):
        return [text]
    pieces = split(text, lambda piece: is_within(piece, endpoint.passage))
    return [text[piece.start : piece.end] for piece in pieces]
