"""The drafter that asks a language model."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mahdar.documents.document import Document
from mahdar.drafting import Drafted, Item, Maker, items_of
from mahdar.errors import ExtractionError, NoModelError
from mahdar.grounding.ground import Ground
from mahdar.llm.client import Client
from mahdar.llm.conversation import Outcome
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.plan import answer_to, plan
from mahdar.llm.request import Request
from mahdar.llm.transport import Progress
from mahdar.prompts import Prompt
from mahdar.results import Usage
from mahdar.tasks import Task
from mahdar.validation.answers import Problem
from mahdar.validation.source import Source


@dataclass(frozen=True, slots=True)
class LLMDrafter:
    """Drafts records with a language model.

    Args:
        endpoint: whose model, and what it can be asked for.
        client: asks it.
        progress: told how many passages of an article the embedded model has read, which takes seconds for each.
    """

    endpoint: Endpoint
    client: Client
    progress: Progress | None = None

    def made_by(self, tasks: Sequence[Task]) -> Mapping[str, Maker]:
        """Name the model, and the prompt and schema that it is sent, for every task."""
        return {
            task.name: Maker(
                self.endpoint.model,
                f"{task.prompt.ref} sha256:{task.prompt.sha256}",
                f"sha256:{answer_to(task.prompt, _tasks_of(task.prompt, tasks)).sha256}",
            )
            for task in tasks
        }

    def plan(self, document: Document, tasks: Sequence[Task]) -> tuple[Request, ...]:
        """Plan the requests that an article takes.

        Raises:
            PromptError: a template does not render.
        """
        return plan(document, tasks, self.endpoint)

    async def draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        """Draft the records of an article, all its requests at once.

        An article of which a passage fails has failed; of the embedded model, which takes minutes for each, the other
        passages are kept, and the one that failed is a problem.

        Raises:
            ExtractionError: the article failed.
            PromptError: a template does not render.
        """
        requests = self.plan(document, tasks)
        examples = tuple(ground for task in tasks for ground in _grounds(task.prompt))
        source = Source(document.text, document.published_at, examples)
        read = self._counted(len(requests))
        asked = (self._ask(request, source, read) for request in requests)
        came = await asyncio.gather(*asked, return_exceptions=True)  # what one raises costs no other its answer
        spent = sum((one.usage for one in came if isinstance(one, Outcome | ExtractionError | NoModelError)), Usage())
        outcomes: list[tuple[Request, Outcome]] = []
        failed: list[tuple[Request, ExtractionError]] = []
        for request, one in zip(requests, came, strict=True):
            if isinstance(one, Outcome):
                outcomes.append((request, one))
            elif isinstance(one, ExtractionError) and self.endpoint.embedded:
                failed.append((request, one))
            elif isinstance(one, ExtractionError):
                one.usage = spent
                raise one
            else:
                if isinstance(one, NoModelError):
                    one.usage = spent
                raise one
        if failed and not outcomes:
            error = failed[0][1]
            raise ExtractionError(error.failure, str(error), spent) from None
        return replace(_drafted(outcomes, failed, self.made_by(tasks)), source=source)

    async def _ask(self, request: Request, source: Source, read: Callable[[], None]) -> Outcome:
        """Ask one request; what the cache answers is no news."""
        outcome = await self.client.ask(request, source)
        if outcome.usage.calls:
            read()
        return outcome

    def _counted(self, passages: int) -> Callable[[], None]:
        """Make what is called after each passage that was read, and reports their number."""
        done = itertools.count(1)

        def read() -> None:
            if self.progress is not None and self.endpoint.embedded and passages > 1:
                count = next(done)
                self.progress(f"{count} of {passages} passages read", count / passages)

        return read


def _drafted(
    outcomes: Iterable[tuple[Request, Outcome]],
    failed: Iterable[tuple[Request, ExtractionError]],
    made_by: Mapping[str, Maker],
) -> Drafted:
    items: dict[str, list[Item]] = {task: [] for task in made_by}
    problems: dict[str, list[Problem]] = {task: [] for task in made_by}
    fingerprints: list[str] = []
    usage, valid = Usage(), True
    for request, outcome in outcomes:
        fields = {task.task: task.field for task in request.answer.tasks}
        for task, found in items_of(outcome.answer, request.answer).items():
            items[task].extend(found)
        for problem in outcome.problems:
            task = next((task for task, field in fields.items() if field == problem.field), request.tasks[0])
            problems[task].append(problem)
        usage += outcome.usage
        fingerprints.extend(outcome.fingerprints)
        valid = valid and outcome.valid_at_first
    for request, error in failed:
        usage, valid = usage + error.usage, False
        for task in request.tasks:
            problems[task].append(Problem((), error.failure, f"a passage of the article failed: {error}"))
    return Drafted(items, problems, made_by, usage, tuple(fingerprints), valid)


def _tasks_of(prompt: Prompt, tasks: Sequence[Task]) -> tuple[str, ...]:
    """The tasks that share a request: those of one template."""
    return tuple(task.name for task in tasks if task.prompt == prompt)


@lru_cache(maxsize=16)
def _grounds(prompt: Prompt) -> tuple[Ground, ...]:
    """The articles of a template's examples: what is copied from them is told apart."""
    return tuple(Ground(example.article) for example in prompt.examples)
