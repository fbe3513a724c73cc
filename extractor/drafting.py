"""Drafting: the one door between an article and its drafts.

A drafter is a value with two methods. How many requests serve how many tasks, and whether there are any, is its own
business: the service, runs, provider batches and forecasts know no more than this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mahdar.documents.document import Document
from mahdar.results import Usage
from mahdar.schemas.drafts import ActorDraft, ItemDraft
from mahdar.schemas.tasks import ACTORS, Answer, AnswerSchema
from mahdar.tasks import Task
from mahdar.validation.answers import Problem
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from mahdar.llm.request import Request


@dataclass(frozen=True, slots=True)
class Item:
    """One drafted record, and the actors that it refers to by id.

    Attributes:
        path: where in its answer it stands: `$.meetings[0]`.
    """

    path: str
    draft: ItemDraft
    actors: Mapping[str, ActorDraft] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made the records of a task.

    Attributes:
        name: a model's name, or the rule reader and its version.
        prompt: `template@version sha256:…`, where a model was asked.
        schema: `sha256:…` of the JSON Schema that was sent, where a model was asked.
    """

    name: str
    prompt: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a drafter made of an article.

    Attributes:
        items: by task, those that hold.
        problems: by task, what does not hold, each left out or corrected by no one.
        made_by: by task.
        usage: of all requests together.
        fingerprints: of the requests, in the order in which they were asked.
        valid_at_first: no request had to be asked again.
        source: the article as the drafts were checked against it, so that the assembly need not read it again.
    """

    items: Mapping[str, Sequence[Item]]
    problems: Mapping[str, Sequence[Problem]]
    made_by: Mapping[str, Maker]
    usage: Usage = Usage()  # noqa: RUF009  # frozen
    fingerprints: tuple[str, ...] = ()
    valid_at_first: bool = True
    source: Source | None = None


def items_of(answer: Answer, schema: AnswerSchema) -> dict[str, list[Item]]:
    """The items of an answer, by task, each under its place in the answer as it was given."""
    actors = {actor.id: actor for actor in getattr(answer, ACTORS, ())}
    return {
        task.task: [
            Item(f"$.{task.field}[{answer.place_of(task.field, number)}]", draft, actors)
            for number, draft in enumerate(getattr(answer, task.field))
        ]
        for task in schema.tasks
    }


class Drafter(Protocol):
    """Drafts the records of an article."""

    def made_by(self, tasks: Sequence[Task]) -> Mapping[str, Maker]:
        """Who will have made the records, by task; nothing is asked."""

    def plan(self, document: Document, tasks: Sequence[Task]) -> "tuple[Request, ...]":
        """The requests that an article takes, before any is sent; none where no model is asked."""

    async def draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        """Draft the records of an article.

        Raises:
            ExtractionError: the article failed.
        """
