"""`mahdar prompts`: the templates and their examples."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import Prompts
from extractor.errors import PromptError, UsageError

if TYPE_CHECKING:
    from prompts import Prompt
    from schemas.tasks import TaskSchema

SETTLED = "nothing is sent: rules settle this article"
PLACEHOLDER = "(the article)"

app = typer.Typer(help="The prompts.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(prompts: Prompts = None) -> None:
    """Show every prompt: its reference, its hash, its language, what it is, what changed in it."""
    from prompts import PromptLibrary

    with _prompt_errors():
        for prompt in PromptLibrary(*prompts or ()):
            summary = f"{prompt.description} ({prompt.changed})"
            typer.echo(f"{prompt.ref:<14} {prompt.sha256[:12]}  {prompt.language}  {summary}")


@app.command()
def show(
    ref: Annotated[str, typer.Argument(metavar="TASK[@VERSION]")],
    article: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The article to ask about.")
    ] = None,
    prompts: Prompts = None,
) -> None:
    """Show what is sent to the model, by role: by the prompt of the profile in force, unless a version is named."""
    from extractor.llm.request import template_values
    from extractor.settings import Settings
    from prompts import PromptLibrary
    from schemas.tasks import task_schema

    with _prompt_errors():
        prompt = PromptLibrary(*prompts or ()).get(ref, Settings.from_environment().profile)
        schema = task_schema(prompt.task)
        asked = _asked(prompt, schema, article) if article else [dict.fromkeys(prompt.parts, PLACEHOLDER)]
        if not asked:
            typer.echo(SETTLED, err=True)
        opening = len(prompt.messages(asked[0], template_values(schema))) - 1 if asked else 0
        for number, data in enumerate(asked):
            for message in prompt.messages(data, template_values(schema))[opening if number else 0 :]:
                typer.echo(f"[{message['role']}]\n{message['content']}\n")


def _asked(prompt: "Prompt", schema: "TaskSchema", article: Path) -> "list[Mapping[str, str]]":
    """What the template is given of an article, once a question."""
    from extractor.documents.document import BadInput, read_documents
    from extractor.inquiries import parts_of
    from extractor.tasks import Task

    (document,) = read_documents([article])
    if isinstance(document, BadInput):
        raise UsageError(document.reason)
    return list(parts_of(document, Task(prompt, schema)))


@app.command()
def check(prompts: Prompts = None) -> None:
    """Render every prompt and hold its examples to their own rules; exit with 1 where one does not hold."""
    from extractor.assembling.examples import problems
    from prompts import PromptLibrary
    from schemas.tasks import task_schema

    with _prompt_errors():
        found = [(prompt.ref, problems(prompt, task_schema(prompt.task))) for prompt in PromptLibrary(*prompts or ())]
    for ref, wrong in found:
        typer.echo(f"{ref}: {len(wrong) or 'no'} problem{'s' if len(wrong) > 1 else ''}")
        for line in wrong:
            typer.echo(line, err=True)
    raise typer.Exit(1 if any(wrong for _, wrong in found) else 0)


@contextmanager
def _prompt_errors() -> Iterator[None]:
    from prompts import TemplateError
    from schemas.tasks import UnknownTaskError

    try:
        yield
    except (TemplateError, UnknownTaskError) as error:
        raise PromptError(str(error)) from None
