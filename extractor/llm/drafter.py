"""The drafter that asks a language model."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mahdar.documents.document import Document
from mahdar.drafting import Drafted, Item, Maker, Request, items_of
from mahdar.errors import ExtractionError, NoModelError
from mahdar.grounding.ground import Ground
from mahdar.llm.client import Client
from mahdar.llm.conversation import ValidatedAnswer
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.plan import answer_to, plan
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
        endpoint: where the model answers, and what it can be asked for.
        client: sends the requests.
        progress: called after each passage of an article that the embedded model has read, which takes seconds.
    """

    endpoint: Endpoint
    client: Client
    progress: Progress | None = None

    def made_by(self, tasks: Sequence[Task]) -> Mapping[str, Maker]:
        """Return the model, and the prompt and schema that it is sent, for every task."""
        made_by = {}
        for task in tasks:
            together = tuple([other.name for other in tasks if other.prompt == task.prompt])
            schema = answer_to(task.prompt, together).sha256
            prompt = f"{task.prompt.ref} sha256:{task.prompt.sha256}"
            made_by[task.name] = Maker(self.endpoint.model, prompt, f"sha256:{schema}")
        return made_by

    def plan(self, document: Document, tasks: Sequence[Task]) -> tuple[Request, ...]:
        """Return the requests that an article takes.

        Raises:
            PromptError: a template does not render.
        """
        return plan(document, tasks, self.endpoint)

    async def draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        """Draft the records of an article, sending all its requests at once.

        An article of which a passage fails has failed. Of the embedded model, which takes minutes for each passage, the
        other passages are kept, and the one that failed is a problem.

        Raises:
            ExtractionError: the article failed.
            PromptError: a template does not render.
        """
        requests = self.plan(document, tasks)
        examples = tuple(ground for task in tasks for ground in _example_articles(task.prompt))
        source = Source(document.text, document.published_at, examples)
        passages_read = 0

        async def ask(request: Request) -> ValidatedAnswer:
            nonlocal passages_read
            answered = await self.client.ask(request, source)
            if answered.usage.calls and self.progress is not None and self.endpoint.embedded and len(requests) > 1:
                passages_read += 1
                self.progress(f"{passages_read} of {len(requests)} passages read", passages_read / len(requests))
            return answered

        # What one request raises must not cost the others their answers.
        results = await asyncio.gather(*map(ask, requests), return_exceptions=True)
        usage = Usage()
        answered: list[tuple[Request, ValidatedAnswer]] = []
        failed: list[tuple[Request, ExtractionError]] = []
        other: BaseException | None = None
        for request, result in zip(requests, results, strict=True):
            if isinstance(result, ValidatedAnswer | ExtractionError | NoModelError):
                usage += result.usage
            if isinstance(result, ValidatedAnswer):
                answered.append((request, result))
            elif isinstance(result, ExtractionError) and self.endpoint.embedded:
                failed.append((request, result))
            else:
                other = other or result
        error = other or (failed[0][1] if failed and not answered else None)
        if error is not None:
            if isinstance(error, ExtractionError | NoModelError):
                error.usage = usage
            raise error
        return self._drafted(answered, failed, tasks, source, usage)

    def _drafted(
        self,
        answered: Sequence[tuple[Request, ValidatedAnswer]],
        failed: Sequence[tuple[Request, ExtractionError]],
        tasks: Sequence[Task],
        source: Source,
        usage: Usage,
    ) -> Drafted:
        """Sort the answers to an article's requests by task."""
        items: dict[str, list[Item]] = {task.name: [] for task in tasks}
        problems: dict[str, list[Problem]] = {task.name: [] for task in tasks}
        for request, answer in answered:
            for task, drafts in items_of(answer.answer, request.answer).items():
                items[task].extend(drafts)
            task_of = {task.field: task.task for task in request.answer.tasks}
            for problem in answer.problems:
                problems[task_of.get(problem.field or "", request.tasks[0])].append(problem)
        for request, error in failed:
            for task in request.tasks:
                problems[task].append(Problem((), error.failure, f"a passage of the article failed: {error}"))
        return Drafted(
            items=items,
            problems=problems,
            made_by=self.made_by(tasks),
            usage=usage,
            fingerprints=tuple([one for _, answer in answered for one in answer.fingerprints]),
            valid_at_first=not failed and all(answer.valid_at_first for _, answer in answered),
            source=source,
        )


@lru_cache(maxsize=16)
def _example_articles(prompt: Prompt) -> tuple[Ground, ...]:
    """Return the articles of a template's examples: words copied from them are no evidence."""
    return tuple(Ground(example.article) for example in prompt.examples)
