"""The requests that an article takes: one for each template and passage, whatever number of tasks it answers."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from mahdar.documents.boilerplate import body
from mahdar.documents.document import Document
from mahdar.documents.numbered import numbered_sentences
from mahdar.documents.passages import estimate_tokens, is_within
from mahdar.documents.sentences import Sentence
from mahdar.errors import PromptError
from mahdar.limits.estimate import BOUNDS
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.request import Message, Request
from mahdar.prompts import ARTICLE, FIELDS, SENTENCES, TASKS, Prompt, TemplateError, delimited
from mahdar.schemas.json_schema import Narrowing
from mahdar.schemas.outline import outline
from mahdar.schemas.tasks import AnswerSchema, TaskSchema, answer_schema
from mahdar.tasks import Task

ANSWER_FLOOR: Final = 3_000
ANSWER_RATE: Final = 8
"""Tokens of an answer for each token of the article, at most. Over 28 articles, by estimate, answers had 3.1 on
average and at most 6.5. The bound keeps a budget from reserving more than an answer can need."""
REMEMBERED: Final = 16
"""Templates whose first turns are kept rendered, and whose fields are kept listed."""


def plan(document: Document, tasks: Sequence[Task], endpoint: Endpoint) -> tuple[Request, ...]:
    """The requests for the tasks of an article, tasks that share a template in one.

    Raises:
        PromptError: a template does not render.
    """
    try:
        return tuple(
            request
            for prompt in dict.fromkeys(task.prompt for task in tasks)
            for request in _of_prompt(document, prompt, [task for task in tasks if task.prompt == prompt], endpoint)
        )
    except TemplateError as error:
        raise PromptError(str(error)) from None


def first_turns(prompt: Prompt, tasks: tuple[str, ...]) -> tuple[Message, ...]:
    """Instructions and examples, the same for every article.

    Raises:
        TemplateError: the template does not render.
    """
    return _before(prompt, answer_to(prompt, tasks).tasks)


def answer_to(prompt: Prompt, tasks: tuple[str, ...]) -> AnswerSchema:
    """The schema of what a template asks for."""
    return answer_schema(tasks, Narrowing(prompt.optional, prompt.most))


def shown(text: str, piece: Sequence[Sentence] | None = None, first: int = 1) -> Mapping[str, str]:
    """What a template is given of an article: its body, and the numbered sentences of it.

    Args:
        text: the article.
        piece: the sentences of a passage; by default all of them.
        first: the number of the first.
    """
    sentences = numbered_sentences(text) if piece is None else piece
    lines = (f"[{number}] {' '.join(text[one.start : one.end].split())}" for number, one in enumerate(sentences, first))
    whole = body(text, sentences[0].start, sentences[-1].end) if sentences else ""
    return {ARTICLE: delimited(whole), SENTENCES: delimited("\n".join(lines))}


def _of_prompt(document: Document, prompt: Prompt, tasks: Sequence[Task], endpoint: Endpoint) -> Iterator[Request]:
    names = tuple(task.name for task in tasks)
    answer = answer_to(prompt, names)
    before = _before(prompt, answer.tasks)
    for first, piece in _passages(document.text, min(filter(None, (prompt.passage, endpoint.passage)))):
        question = prompt.question(shown(document.text, piece, first), _values(prompt, answer.tasks))
        yield Request(
            tasks=names,
            model=endpoint.model,
            mode=endpoint.mode,
            messages=(*before, question),
            answer=answer,
            parameters=_bounded(endpoint, question["content"]),
            prompt_sha256=prompt.sha256,
            article_sha256=document.sha256,
            sentences=range(first, first + len(piece)),
        )


def _bounded(endpoint: Endpoint, question: str) -> Mapping[str, Any]:
    """The parameters with the bound on the answer's tokens that suits the length of what is asked about.

    Of a model that reasons the bound stays as it is: what it thinks to itself counts, and no article bounds it.
    """
    if endpoint.reasons:
        return endpoint.parameters
    most = ANSWER_FLOOR + ANSWER_RATE * estimate_tokens(question)
    return {name: min(value, most) if name in BOUNDS else value for name, value in endpoint.parameters.items()}


@lru_cache(maxsize=REMEMBERED)
def _before(prompt: Prompt, schemas: tuple[TaskSchema, ...]) -> tuple[Message, ...]:
    return prompt.before([one.field for one in schemas], _values(prompt, schemas), shown)


@lru_cache(maxsize=REMEMBERED)
def _values(prompt: Prompt, schemas: tuple[TaskSchema, ...]) -> Mapping[str, Any]:
    tasks = tuple(one.task for one in schemas)
    return {TASKS: tasks, FIELDS: outline(answer_to(prompt, tasks).json_schema)}


def _passages(text: str, most: int) -> Iterator[tuple[int, Sequence[Sentence]]]:
    """The numbered sentences in runs of about the same length that the model can read, with their first numbers."""
    sentences = numbered_sentences(text)
    if is_within(text, most):
        yield 1, sentences
        return
    sizes = [estimate_tokens(text[one.start : one.end]) for one in sentences]
    total = sum(sizes)
    runs = -(-total // most) if total > most else 1
    first, size = 0, 0
    for index, tokens in enumerate(sizes):
        if index > first and (size + tokens > most or size >= total / runs):
            yield first + 1, sentences[first:index]
            first, size = index, 0
        size += tokens
    yield first + 1, sentences[first:]
