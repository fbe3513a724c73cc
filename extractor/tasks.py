"""Tasks: a prompt with the schema it fills."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from extractor.errors import PromptError
from extractor.grounding.ground import Ground
from prompts import Prompt, PromptLibrary, TemplateError
from schemas.tasks import TaskSchema, UnknownTaskError, task_schema

TASKS = ("meetings", "stances")


@dataclass(frozen=True)
class Task:
    """A prompt and the schema it fills."""

    prompt: Prompt
    schema: TaskSchema

    @cached_property
    def examples(self) -> tuple[Ground, ...]:
        """The few-shot articles, to know what was copied from them."""
        return tuple(Ground(example.article) for example in self.prompt.examples)


def load_tasks(refs: Iterable[str], library: PromptLibrary, profile: str) -> tuple[Task, ...]:
    """The tasks called `name` or `name@version`; of a bare name the newest prompt for the profile.

    Raises:
        PromptError: there is no such prompt, or no schema for its task.
    """
    return tuple(_task(ref, library, profile) for ref in refs)


def _task(ref: str, library: PromptLibrary, profile: str) -> Task:
    try:
        prompt = library.get(ref, profile)
        return Task(prompt, task_schema(prompt.task))
    except (TemplateError, UnknownTaskError) as error:
        raise PromptError(str(error)) from None
