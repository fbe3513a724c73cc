"""Drafting: the interface between the service and whatever drafts an article's records, a model or the rules.

The service, runs, provider batches and forecasts use a `Drafter` and the `Request`s that it plans, and nothing else of
how drafts come about: how many requests serve how many tasks, and whether there are any, is the drafter's choice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, Protocol

from mahdar.documents.document import Document
from mahdar.results import Usage
from mahdar.schemas.drafts import ActorDraft, ItemDraft
from mahdar.schemas.tasks import ACTORS, Answer, AnswerSchema
from mahdar.tasks import Task
from mahdar.validation.answers import Problem
from mahdar.validation.source import Source

Message = Mapping[str, str]
"""One turn of a chat: `role` and `content`."""
CACHE_SIZE: Final = 64
"""Messages whose hashes are cached."""


@dataclass(frozen=True)
class Request:
    """One question to a model, for one task or several: everything that decides the answer.

    Keys, URLs, time and process are no part of it: the same question has the same fingerprint on every machine.

    Attributes:
        messages: instructions, examples, and last the article.
        answer: the schema of the answer.
        parameters: decoding parameters, as the endpoint names them.
        sentences: numbers of the sentences shown; not part of the fingerprint, since the messages hold them.
    """

    tasks: tuple[str, ...]
    model: str
    mode: str
    messages: tuple[Message, ...]
    answer: AnswerSchema
    parameters: Mapping[str, Any]
    prompt_sha256: str
    article_sha256: str
    sentences: range

    @cached_property
    def components(self) -> Mapping[str, str]:
        """The parts that are hashed into the fingerprint, by name: a cache miss can name the part that changed."""
        return {
            "task": "+".join(self.tasks),
            "model": self.model,
            "mode": self.mode,
            "schema": self.answer.sha256,
            "parameters": json.dumps(self.parameters, ensure_ascii=False, sort_keys=True),
            "prompt": self.prompt_sha256,
            "article": self.article_sha256,
            "messages": sha256("".join([_message_sha256(turn["role"], turn["content"]) for turn in self.messages])),
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the components, in hexadecimal."""
        return sha256(json.dumps(self.components, ensure_ascii=False, sort_keys=True))


@dataclass(frozen=True, slots=True)
class Item:
    """One drafted record, and the actors that it refers to by id.

    Attributes:
        path: its place in the answer: `$.meetings[0]`.
    """

    path: str
    draft: ItemDraft
    actors: Mapping[str, ActorDraft] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made the records of a task.

    Attributes:
        name: a model's name, or the rule reader and its version.
        prompt: `template@version sha256:…`; None where no model was asked.
        schema: `sha256:…` of the JSON Schema that was sent; None where no model was asked.
    """

    name: str
    prompt: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """The drafts of an article.

    Attributes:
        items: valid drafts, by task.
        problems: what was invalid and left out, by task.
        made_by: who drafted, by task.
        usage: calls, tokens and cost of all requests together.
        fingerprints: of the requests, in the order in which they were sent.
        valid_at_first: whether every first answer was valid as a whole.
        source: the article as the drafts were validated against it, so that the assembly need not parse it again.
    """

    items: Mapping[str, Sequence[Item]]
    problems: Mapping[str, Sequence[Problem]]
    made_by: Mapping[str, Maker]
    usage: Usage = Usage()  # noqa: RUF009  # frozen
    fingerprints: tuple[str, ...] = ()
    valid_at_first: bool = True
    source: Source | None = None


class Drafter(Protocol):
    """Drafts the records of an article."""

    def made_by(self, tasks: Sequence[Task]) -> Mapping[str, Maker]:
        """Return who drafts each task, without asking anything."""

    def plan(self, document: Document, tasks: Sequence[Task]) -> tuple[Request, ...]:
        """Return the requests that an article takes, without sending any; none where no model is asked."""

    async def draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        """Draft the records of an article.

        Raises:
            ExtractionError: the article failed.
        """


def items_of(answer: Answer, schema: AnswerSchema) -> dict[str, list[Item]]:
    """Return the items of a validated answer, by task, each with its place in the answer as the model gave it."""
    actors = {actor.id: actor for actor in getattr(answer, ACTORS, ())}
    return {
        task.task: [
            Item(f"$.{task.field}[{answer.place_of(task.field, number)}]", draft, actors)
            for number, draft in enumerate(getattr(answer, task.field))
        ]
        for task in schema.tasks
    }


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=CACHE_SIZE)
def _message_sha256(role: str, content: str) -> str:
    """Hash a message; cached, since all messages but the last are the same for every article of a task."""
    return sha256(f"{role}\n{content}")
