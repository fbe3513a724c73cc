"""Plan the requests that an article takes: one for each template and passage, for all tasks of the template."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from mahdar.documents.boilerplate import body
from mahdar.documents.document import Document
from mahdar.documents.numbered import numbered_sentences
from mahdar.documents.passages import estimate_tokens, is_within
from mahdar.documents.sentences import Sentence
from mahdar.drafting import Message, Request
from mahdar.errors import PromptError
from mahdar.limits.estimate import LIMIT_PARAMETERS
from mahdar.llm.endpoint import Endpoint
from mahdar.prompts import ARTICLE, FIELDS, SENTENCES, TASKS, Prompt, TemplateError, delimited
from mahdar.schemas.json_schema import Narrowing
from mahdar.schemas.outline import outline
from mahdar.schemas.tasks import AnswerSchema, TaskSchema, answer_schema
from mahdar.tasks import Task

ANSWER_FLOOR: Final = 3_000
ANSWER_RATE: Final = 8
"""Maximum of output tokens for each token of the article. Over 28 articles, estimated, the mean was 3.1 and the maximum
6.5. The bound keeps a budget from reserving more than an answer can need."""
CACHE_SIZE: Final = 16
"""Templates whose rendered prefix and listed fields are cached."""


def plan(document: Document, tasks: Sequence[Task], endpoint: Endpoint) -> tuple[Request, ...]:
    """Return the requests for the tasks of an article: one for each template and passage.

    An answer's tokens are bounded by the length of what is asked about; of a model that reasons they are not, since its
    reasoning counts, and no article bounds that.

    Raises:
        PromptError: a template does not render.
    """
    requests = []
    for prompt in dict.fromkeys([task.prompt for task in tasks]):
        names = tuple([task.name for task in tasks if task.prompt == prompt])
        answer = answer_to(prompt, names)
        try:
            prefix, values = _prefix(prompt, answer.tasks), _values(prompt, answer.tasks)
            for first, piece in _passages(document.text, min(filter(None, (prompt.passage, endpoint.passage)))):
                question = prompt.render_question(shown(document.text, piece, first), values)
                parameters = endpoint.parameters
                if not endpoint.reasons:
                    bound = ANSWER_FLOOR + ANSWER_RATE * estimate_tokens(question["content"])
                    parameters = {
                        name: min(value, bound) if name in LIMIT_PARAMETERS else value
                        for name, value in parameters.items()
                    }
                requests.append(
                    Request(
                        tasks=names,
                        model=endpoint.model,
                        mode=endpoint.mode,
                        messages=(*prefix, question),
                        answer=answer,
                        parameters=parameters,
                        prompt_sha256=prompt.sha256,
                        article_sha256=document.sha256,
                        sentences=range(first, first + len(piece)),
                    )
                )
        except TemplateError as error:
            raise PromptError(str(error)) from None
    return tuple(requests)


def first_turns(prompt: Prompt, tasks: tuple[str, ...]) -> tuple[Message, ...]:
    """Return the instructions and examples of a template, the same for every article.

    Raises:
        TemplateError: the template does not render.
    """
    return _prefix(prompt, answer_to(prompt, tasks).tasks)


def answer_to(prompt: Prompt, tasks: tuple[str, ...]) -> AnswerSchema:
    """Return the schema of the answer that a template asks for."""
    return answer_schema(tasks, Narrowing(prompt.optional, prompt.most))


def shown(text: str, piece: Sequence[Sentence] | None = None, first: int = 1) -> Mapping[str, str]:
    """Return what a template shows of an article: its body and its numbered sentences.

    Args:
        text: the article.
        piece: the sentences of a passage; by default all of them.
        first: the number of the first sentence.
    """
    sentences = numbered_sentences(text) if piece is None else piece
    lines = [f"[{number}] {' '.join(text[one.start : one.end].split())}" for number, one in enumerate(sentences, first)]
    whole = body(text, sentences[0].start, sentences[-1].end) if sentences else ""
    return {ARTICLE: delimited(whole), SENTENCES: delimited("\n".join(lines))}


@lru_cache(maxsize=CACHE_SIZE)
def _prefix(prompt: Prompt, schemas: tuple[TaskSchema, ...]) -> tuple[Message, ...]:
    return prompt.render_prefix([one.field for one in schemas], _values(prompt, schemas), shown)


@lru_cache(maxsize=CACHE_SIZE)
def _values(prompt: Prompt, schemas: tuple[TaskSchema, ...]) -> Mapping[str, Any]:
    tasks = tuple(one.task for one in schemas)
    return {TASKS: tasks, FIELDS: outline(answer_to(prompt, tasks).json_schema)}


def _passages(text: str, max_tokens: int) -> Iterator[tuple[int, Sequence[Sentence]]]:
    """Split the numbered sentences into passages of about the same length, each with the number of its first sentence.

    Args:
        text: the article.
        max_tokens: of a passage, by estimate.
    """
    sentences = numbered_sentences(text)
    if is_within(text, max_tokens):
        yield 1, sentences
        return
    sizes = [estimate_tokens(text[one.start : one.end]) for one in sentences]
    total = sum(sizes)
    passages = -(-total // max_tokens) if total > max_tokens else 1
    first, size = 0, 0
    for index, tokens in enumerate(sizes):
        if index > first and (size + tokens > max_tokens or size >= total / passages):
            yield first + 1, sentences[first:index]
            first, size = index, 0
        size += tokens
    yield first + 1, sentences[first:]
