"""The drafter that asks no model: the rules read an article, and the answer is validated as a model's would be."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from mahdar.documents.document import Document
from mahdar.drafting import Drafted, Maker, Request, items_of
from mahdar.errors import UsageError
from mahdar.schemas.tasks import AnswerSchema, answer_schema
from mahdar.tasks import TASKS, Task
from mahdar.validation.answers import Problem, salvage
from mahdar.validation.source import Source

VERSION: Final = 2
"""Of the rules: a change of what they find is another version, and a run of another version is not resumed."""
MAKER: Final = Maker(f"mahdar-rules@{VERSION}")


class RulesDrafter:
    """Drafts meetings and stances by grammar and word lists, without a model and without the network."""

    def made_by(self, tasks: Sequence[Task]) -> Mapping[str, Maker]:
        """Name the rules and their version, for every task."""
        return {task.name: MAKER for task in tasks}

    def plan(self, document: Document, tasks: Sequence[Task]) -> tuple[Request, ...]:  # noqa: ARG002  # the protocol's
        """Plan no request: no model is asked."""
        return ()

    async def draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        """Draft the meetings and stances of an article, in a thread: a long one takes seconds.

        Raises:
            UsageError: there are no rules for a task.
        """
        if unread := [task.name for task in tasks if task.name not in TASKS]:
            raise UsageError(
                f"task {unread[0]!r}: there are rules for {' and '.join(TASKS)} only; "
                "configure a model (`--model`, MAHDAR_MODEL) to draft it"
            )
        return await asyncio.to_thread(self._draft, document, tasks)

    def _draft(self, document: Document, tasks: Sequence[Task]) -> Drafted:
        from mahdar.offline.drafting import answer_of

        source = Source(document.text, document.published_at)
        schema = answer_schema(tuple(task.name for task in tasks))
        answer, problems = salvage(answer_of(source, [task.name for task in tasks]), schema, source)
        items = items_of(answer, schema) if answer is not None else {}
        return Drafted(items, _by_task(problems, schema), self.made_by(tasks))


def _by_task(problems: Sequence[Problem], schema: AnswerSchema) -> Mapping[str, Sequence[Problem]]:
    """The problems of each task; those of the shared list of actors are the first task's."""
    tasks = {task.field: task.task for task in schema.tasks}
    first = schema.tasks[0].task
    found: dict[str, list[Problem]] = {task: [] for task in tasks.values()}
    for problem in problems:
        found[tasks.get(problem.field or "", first)].append(problem)
    return found
