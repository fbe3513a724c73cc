"""Implement `mahdar prompts`: list, show and check templates and their examples."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mahdar.cli.options import Prompts, Schemas, import_schemas
from mahdar.errors import PromptError, UsageError

PLACEHOLDER = "(the article)"

app = typer.Typer(help="List, show and check prompt templates.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(prompts: Prompts = None) -> None:
    """List the templates: reference, hash, tasks, description and last change."""
    from mahdar.prompts import PromptLibrary

    with _prompt_errors():
        for prompt in PromptLibrary(*prompts or ()):
            state = "" if prompt.ready else "; not ready: used only where its version is named"
            summary = f"{prompt.description} ({prompt.changed}{state})"
            typer.echo(f"{prompt.ref:<14} {prompt.sha256[:12]}  {'+'.join(prompt.tasks)}  {prompt.size}  {summary}")


@app.command()
def show(
    ref: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="Name of a template, or of a task.")],
    article: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Article to render into it.")
    ] = None,
    prompts: Prompts = None,
    schemas: Schemas = None,
) -> None:
    """Show the messages that are sent to the model, for one task or for all of a template.

    If an article is split into passages, the messages before the article are shown once.
    """
    from mahdar.documents.document import BadInput, Document, read_documents
    from mahdar.llm.endpoint import Endpoint, embedded_endpoint
    from mahdar.llm.plan import plan
    from mahdar.prompts import SMALL, STANDARD, PromptLibrary
    from mahdar.schemas.tasks import task_schema
    from mahdar.settings import Settings
    from mahdar.task_modules import import_installed
    from mahdar.tasks import Task

    import_schemas(schemas)
    settings = Settings.from_environment()
    endpoint = embedded_endpoint(settings) if settings.embedded else Endpoint("", "", "")
    document: Document | BadInput = Document("", PLACEHOLDER)
    if article:
        (document,) = read_documents([article])
    if isinstance(document, BadInput):
        raise UsageError(document.reason)
    with _prompt_errors():
        prompt = PromptLibrary(*prompts or ()).get(ref, SMALL if settings.embedded else STANDARD)
        named = ref.partition("@")[0]
        for task in prompt.tasks:
            import_installed(task)
        tasks = [Task(prompt, task_schema(task)) for task in prompt.tasks if named in {task, prompt.name}]
        for number, request in enumerate(plan(document, tasks, endpoint)):
            for message in request.messages[-1 if number else 0 :]:
                typer.echo(f"[{message['role']}]\n{message['content']}\n")


@app.command()
def check(prompts: Prompts = None, schemas: Schemas = None) -> None:
    """Check every template and its examples; exit with 1 if one is invalid."""
    from mahdar.cli.examples import problems
    from mahdar.prompts import PromptLibrary
    from mahdar.task_modules import import_installed

    import_schemas(schemas)
    import_installed()
    with _prompt_errors():
        found = [(prompt.ref, problems(prompt)) for prompt in PromptLibrary(*prompts or ())]
    for ref, wrong in found:
        typer.echo(f"{ref}: {len(wrong) or 'no'} problem{'s' if len(wrong) > 1 else ''}")
        for line in wrong:
            typer.echo(line, err=True)
    raise typer.Exit(1 if any(wrong for _, wrong in found) else 0)


@contextmanager
def _prompt_errors() -> Iterator[None]:
    from mahdar.prompts import TemplateError
    from mahdar.schemas.tasks import UnknownTaskError

    try:
        yield
    except (TemplateError, UnknownTaskError) as error:
        raise PromptError(str(error)) from None
