"""Tasks: a prompt with the schema it fills."""

from collections.abc import Iterable
from dataclasses import dataclass

from mahdar.errors import PromptError, UsageError
from mahdar.prompts import Prompt, PromptLibrary, TemplateError
from mahdar.schemas.tasks import TaskSchema, UnknownTaskError, task_schema
from mahdar.task_modules import import_installed

TASKS = ("meetings", "stances")


@dataclass(frozen=True)
class Task:
    """What is looked for: a schema, and the template that asks for it, alone or with other tasks."""

    prompt: Prompt
    schema: TaskSchema

    @property
    def name(self) -> str:
        """The task's name."""
        return self.schema.task


def load_tasks(refs: Iterable[str], library: PromptLibrary, size: str) -> tuple[Task, ...]:
    """The tasks called `task` or `task@version`; of a bare name the newest template for models of this size.

    Raises:
        PromptError: there is no such template, or no schema for its task.
        UsageError: a task is named twice.
    """
    tasks = tuple(_task(ref, library, size) for ref in refs)
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"task {name!r}: named twice; name each task once")
    return tasks


def _task(ref: str, library: PromptLibrary, size: str) -> Task:
    name = ref.partition("@")[0]
    import_installed(name)
    try:
        return Task(library.get(ref, size), task_schema(name))
    except UnknownTaskError as error:
        raise PromptError(
            f"{error}; write a task's name, or task@version for a template of one version; for a task of your own "
            "name the module that defines it with --schemas"
        ) from None
    except TemplateError as error:
        raise PromptError(str(error)) from None
