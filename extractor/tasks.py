"""Load tasks: each a prompt template with the schema of its answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mahdar.errors import PromptError, UsageError
from mahdar.prompts import Prompt, PromptLibrary, TemplateError
from mahdar.schemas.tasks import TaskSchema, UnknownTaskError, task_schema
from mahdar.task_modules import import_installed

TASKS = ("meetings", "stances")


@dataclass(frozen=True)
class Task:
    """A task: its schema, and the template that asks for it, alone or with other tasks."""

    prompt: Prompt
    schema: TaskSchema

    @property
    def name(self) -> str:
        """The task's name."""
        return self.schema.task


def load_tasks(refs: Iterable[str], library: PromptLibrary, size: str) -> tuple[Task, ...]:
    """Load tasks by name.

    Args:
        refs: `task` for the newest ready template, or `task@version`.
        library: the library of templates.
        size: the size of models that templates should be written for: `standard` or `small`.

    Raises:
        PromptError: there is no such template, or no schema for its task.
        UsageError: a task is named twice.
    """
    tasks = tuple(_load_task(ref, library, size) for ref in refs)
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"task {name!r}: named twice; name each task once")
    return tasks


def select_tasks(tasks: Sequence[Task], names: Iterable[str]) -> tuple[Task, ...]:
    """Return the tasks of these names, in their order, each once.

    Raises:
        UsageError: no name is given, or one that none of the tasks has.
    """
    by_name = {task.name: task for task in tasks}
    names = tuple(dict.fromkeys(names))
    if not names:
        raise UsageError(f"no task named: name some of this extractor's tasks: {', '.join(by_name)}")
    if unknown := [name for name in names if name not in by_name]:
        raise UsageError(f"task {unknown[0]!r}: not of this extractor's tasks: {', '.join(by_name)}")
    return tuple(by_name[name] for name in names)


def _load_task(ref: str, library: PromptLibrary, size: str) -> Task:
    name = ref.partition("@")[0]
    import_installed(name)
    try:
        tasks = sorted({task for prompt in library for task in prompt.tasks})
        if name not in {*tasks, *(prompt.name for prompt in library)}:
            raise PromptError(
                f"task {name!r}: no template asks for it; there are templates for {', '.join(tasks)}; for a task of "
                "your own name the folder of its template with --prompts, and the module of its schema with --schemas"
            )
        return Task(library.get(ref, size), task_schema(name))
    except UnknownTaskError as error:
        raise PromptError(
            f"{error}; write a task's name, or task@version for a template of one version; for a task of your own "
            "name the module that defines it with --schemas"
        ) from None
    except TemplateError as error:
        raise PromptError(str(error)) from None
