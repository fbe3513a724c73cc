"""`mahdar prompts`: the templates and their examples."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from extractor.commands.options import Prompts
from extractor.errors import PromptError, UsageError

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
    """Show what is sent to the model, by role."""
    from extractor.asking.request import template_values
    from prompts import PromptLibrary
    from schemas.tasks import task_schema

    with _prompt_errors():
        prompt = PromptLibrary(*prompts or ()).get(ref)
        text = _body(article) if article else PLACEHOLDER
        for message in prompt.messages({"article": text}, template_values(task_schema(prompt.task))):
            typer.echo(f"[{message['role']}]\n{message['content']}\n")


def _body(article: Path) -> str:
    """The part of an article that is asked about."""
    from extractor.reading.document import BadInput, read_documents
    from extractor.reading.noise import body

    (document,) = read_documents([article])
    if isinstance(document, BadInput):
        raise UsageError(document.reason)
    return body(document.text)


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
