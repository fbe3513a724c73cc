"""The command line, `mahdar`.

A command here reads its options and calls one module. What is slow to import is imported by the command that needs it,
so that `mahdar --help` does not wait for it.
"""

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evals.cli import app as eval_app
from evals.cli import seeds_app
from extractor.commands import cache as commands_cache
from extractor.commands import prompts as commands_prompts
from extractor.commands import schema as commands_schema
from extractor.commands.options import (
    DryRun,
    LogLines,
    MaxCost,
    MaxTokens,
    Model,
    Models,
    Paths,
    PriceIn,
    PriceOut,
    Prompts,
    Rpm,
    Tasks,
    Tpm,
    only,
    price_of,
)
from extractor.errors import MahdarError, NoModelError

if TYPE_CHECKING:
    from extractor.commands.run import Tally

UNUSABLE, NO_MODEL, INTERRUPTED = 2, 3, 130
EXIT_CODES = """\b
Exit codes:
  0    all well
  1    some articles failed, or a check found something
  2    an option, a setting or a file that cannot be used
  3    no model reachable
  130  interrupted
"""

app = typer.Typer(
    help="Read news articles and write down who met whom, and who stands where.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts in half the time
)
app.add_typer(commands_cache.app, name="cache")
app.add_typer(commands_prompts.app, name="prompts")
app.add_typer(commands_schema.app, name="schema")
app.add_typer(eval_app, name="eval")
app.add_typer(seeds_app, name="seeds")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error that is foreseen is one line on standard error, and an exit code.

    Args:
        arguments: in place of the process's own.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # Arabic, whatever the locale
    try:
        app(arguments, prog_name="mahdar")
    except MahdarError as error:
        typer.echo(f"mahdar: {error}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: MahdarError) -> int:
    """What an error that ends a command says to the shell; what one article failed of, never does."""
    return NO_MODEL if isinstance(error, NoModelError) else UNUSABLE


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # typer's signature
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        typer.echo(f"mahdar {version('mahdar')}")
    except PackageNotFoundError:
        typer.echo("mahdar, not installed")
    raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


@app.command()
def extract(
    paths: Paths,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            dir_okay=False,
            help="Write JSON Lines here, and failures to FILE.errors.jsonl.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what FILE holds.")] = False,
    table: Annotated[
        bool | None,
        typer.Option(
            "--table/--json",
            show_default=False,
            help="Tables or JSON Lines on standard output; by default tables on a terminal, JSON Lines into a pipe.",
        ),
    ] = None,
    task: Tasks = None,
    model: Models = None,
    published_at: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day the articles appeared; «yesterday» needs it.")
    ] = None,
    prompts: Prompts = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Calls in flight at most; fewer while the endpoint is busy.")
    ] = 8,
    max_cost: MaxCost = None,
    max_tokens: MaxTokens = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    dry_run: DryRun = False,
    log: LogLines = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Neither take answers from the cache nor keep them.")
    ] = False,
) -> None:
    """Extract meetings and stances from articles.

    Results come as they are ready, which may not be the order of the articles. Answers are cached: a second run costs
    nothing. Failures are named on standard error, one line each.
    """
    from contextlib import ExitStack

    from extractor.asking.budget import Budget
    from extractor.asking.pace import Limits
    from extractor.commands.estimate import estimated
    from extractor.commands.output import outputs
    from extractor.commands.progress import shown
    from extractor.commands.run import Tally, run
    from extractor.commands.telemetry import export_telemetry
    from extractor.logs import log_to_standard_error
    from extractor.reading.document import read_documents
    from extractor.service import Extractor
    from extractor.settings import Settings
    from extractor.tasks import TASKS

    documents = list(read_documents(paths, published_at=published_at))  # all of them: the progress needs a total
    settings = Settings.from_environment()
    price = price_of(price_in, price_out)

    def extractor(name: str | None, told: Callable[[str, float | None], None] | None = None) -> Extractor:
        return Extractor(
            settings,
            model=name,
            tasks=task or TASKS,
            prompts=prompts or (),
            store=None if no_cache else "default",
            concurrency=concurrency,
            budget=Budget(max_cost, max_tokens),
            price=price,
            limits=Limits(rpm, tpm),
            progress=told,
        )

    export_telemetry()
    if log is not None:
        log_to_standard_error(as_json=log == "json")
    if dry_run:
        with ExitStack() as open_:
            names: list[str | None] = list(model or ()) or [None]
            for line in estimated((open_.enter_context(extractor(name)) for name in names), documents):
                typer.echo(line)
        raise typer.Exit
    tally = Tally(len(documents))
    with (
        shown(len(documents), slow=settings.embedded) as progress,
        extractor(only(model), progress.phase) as mahdar,
        outputs(output, overwrite=overwrite, table=table) as places,
    ):
        try:
            run(mahdar, documents, places, progress, tally)
        except KeyboardInterrupt:
            typer.echo(f"\ninterrupted: {tally}; what is written stays", err=True)
            raise typer.Exit(INTERRUPTED) from None
    _conclude(tally, output)


def _conclude(tally: "Tally", output: Path | None) -> None:
    """Sum up where the results alone do not: they went to a file, or some are missing."""
    if output is not None or tally.failures:
        typer.echo(f"{tally} → {output}" if output else str(tally), err=True)
    raise typer.Exit(tally.exit_code)


@app.command()
def doctor(model: Model = None, prompts: Prompts = None) -> None:
    """Check the setup, with one tiny question to the model.

    Shows what is configured, and names what is missing, with the remedy.

    Exit code 3 where something is.
    """
    from dataclasses import replace

    from extractor.commands.doctor import examine
    from extractor.commands.progress import shown
    from extractor.settings import Settings

    settings = Settings.from_environment()
    settings = replace(settings, model=model or settings.model)
    well = True
    with shown(1, slow=True) as progress:
        for finding in examine(settings, tuple(prompts or ()), progress.phase):
            with progress.paused():
                typer.echo(str(finding))
            well &= finding.fault is None
    raise typer.Exit(0 if well else NO_MODEL)


if __name__ == "__main__":
    main()
