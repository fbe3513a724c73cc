"""The command line, `mahdar`.

A command here reads its options and calls one module. What is slow to import is imported by the command that needs it,
so that `mahdar --help` does not wait for it.
"""

import io
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli import batch as commands_batch
from mahdar.cli import cache as commands_cache
from mahdar.cli import prompts as commands_prompts
from mahdar.cli import schema as commands_schema
from mahdar.cli.exits import INTERRUPTED, NO_MODEL, UNUSABLE
from mahdar.cli.options import (
    DateColumn,
    DryRun,
    Engine,
    Format,
    IdColumn,
    Keep,
    LogLines,
    MaxCost,
    MaxTokens,
    Model,
    Models,
    OutputFile,
    OverwritePage,
    PageFile,
    PageLanguage,
    PriceIn,
    PriceOut,
    Prompts,
    PublishedAt,
    RayAddress,
    RayWorkers,
    Rows,
    Rpm,
    Schemas,
    Tasks,
    TextColumn,
    Tpm,
    import_schemas,
    names_of,
    only,
    price_of,
    settings_of,
)
from mahdar.errors import MahdarError, NoModelError, UsageError
from mahdar.wording import counted

if TYPE_CHECKING:
    from mahdar.cli.run import Tally
    from mahdar.runs.target import Target

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
app.add_typer(commands_batch.app, name="batch")
app.add_typer(commands_cache.app, name="cache")
app.add_typer(commands_prompts.app, name="prompts")
app.add_typer(commands_schema.app, name="schema")
for command in entry_points(group="mahdar.commands"):  # of `mahdar.evals`, and of other packages
    app.add_typer(command.load(), name=command.name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error that is foreseen is one line on standard error, and an exit code.

    Args:
        arguments: in place of the process's own.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Arabic, whatever the locale; and names of files, whatever they are
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
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
def extract(  # noqa: C901, PLR0915  # all options of a run meet here, and are handed on
    paths: Rows,
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here: FILE.jsonl, FILE.parquet, FILE.duckdb, FILE.xlsx, or DIR/ for CSV; failures to "
            "FILE.errors.jsonl; what a later run goes on from to FILE.ledger.jsonl. With Ray, a folder of parts.",
        ),
    ] = None,
    form: Format = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what FILE holds.")] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Take only the articles that failed before.")
    ] = False,
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
    published_at: PublishedAt = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    date_column: DateColumn = None,
    keep: Keep = None,
    prompts: Prompts = None,
    schemas: Schemas = None,
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
    engine: Engine = "local",
    ray_address: RayAddress = None,
    ray_workers: RayWorkers = None,
) -> None:
    """Extract meetings and stances from articles.

    By a language model, or with rules where none is configured. Results come as they are ready, which may not be the
    order of the articles. Answers are cached: a second run costs nothing. Failures are named on standard error, one
    line each. The same command again goes on where a run into a file was interrupted.
    """
    from contextlib import ExitStack

    from mahdar.cli.estimate import assumed, estimated
    from mahdar.cli.interrupt import Interrupt
    from mahdar.cli.output import finish, kept, outputs
    from mahdar.cli.progress import shown
    from mahdar.cli.run import Run, Tally
    from mahdar.cli.telemetry import export_telemetry
    from mahdar.limits.budget import Budget
    from mahdar.limits.concurrency import Limits
    from mahdar.observability.logs import log_to_standard_error
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.runs.target import Target
    from mahdar.service import Extractor
    from mahdar.settings import Settings
    from mahdar.tasks import TASKS

    imported = import_schemas(schemas)
    columns = Columns(text_column, id_column, date_column, names_of(keep))
    read = partial(Articles, columns=columns, published_at=published_at)
    if engine == "ray":
        from mahdar.cli.cluster import extract_on_ray

        extract_on_ray(
            paths,
            read,
            Path(output) if output else None,
            form,
            settings_of(only(model)),
            tasks=task or TASKS,
            prompts=prompts or (),
            schemas=imported,
            concurrency=concurrency,
            keep=not no_cache,
            overwrite=overwrite,
            retry_errors=retry_errors,
            address=ray_address,
            workers=ray_workers,
            # every worker would keep its own count of these
            local={
                "--table": table,
                "--log": log,
                "--dry-run": dry_run or None,
                "--max-cost": max_cost,
                "--max-tokens": max_tokens,
                "--price-in": price_in,
                "--price-out": price_out,
                "--rpm": rpm,
                "--tpm": tpm,
            },
        )
    if ray_address or ray_workers:
        raise UsageError("--ray-address, --ray-workers: give --engine ray with them")
    target = Target.of(output, form) if output else None
    if retry_errors and (target is None or overwrite or not target.begun):
        raise UsageError("--retry-errors takes what an earlier run failed on: name its file with --output")
    articles = read(paths, without=target.files if target else ())
    price = price_of(price_in, price_out)

    def extractor(settings: Settings, told: Callable[[str, float | None], None] | None = None) -> Extractor:
        return Extractor(
            settings,
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
            each = (assumed(settings_of(name)) for name in model or (None,))
            for line in estimated((open_.enter_context(extractor(one)) for one in each), articles):
                typer.echo(line)
        raise typer.Exit
    settings = settings_of(only(model))
    tally = Tally(articles.total)
    stop = Interrupt()
    try:
        with (
            shown(None if retry_errors else articles.total, slow=settings.embedded) as progress,
            extractor(settings, progress.phase) as mahdar,
            kept(target, mahdar, overwrite=overwrite) as file,
            stop,
        ):
            places = [*([file] if file else ()), *outputs(to_file=target is not None, table=table)]
            Run(mahdar, places, progress, tally, stop=stop, retry=retry_errors).take(articles)
            tally.repeated = articles.repeated
        if target and not stop.heard:
            for line in finish(target):
                typer.echo(line, err=True)
    except KeyboardInterrupt:
        stop.heard = True
    except NoModelError as error:
        if not tally.done:
            raise
        tally.stopped, tally.no_model = str(error), True
    _conclude(tally, target, interrupted=stop.heard)


def _conclude(tally: "Tally", target: "Target | None", *, interrupted: bool) -> None:
    """Sum up where the results alone do not: they went to a file, or some are missing."""
    place = ""
    if target:  # other forms are made of the records at the end
        place = f" → {target.records if interrupted or tally.no_model else target.path}"
    if tally.changed:
        typer.echo(tally.changes, err=True)
    if interrupted:
        again = "; the same command goes on" if target else ""
        typer.echo(f"interrupted: {tally}{place}; what is written stays{again}", err=True)
        raise typer.Exit(INTERRUPTED)
    if tally.stopped:
        typer.echo(f"stopped: {tally.stopped}\n{tally}, {tally.rest} left{place}", err=True)
    elif target is not None or tally.failures:
        typer.echo(f"{tally}{place}", err=True)
    raise typer.Exit(tally.exit_code)


@app.command()
def report(
    outputs: Annotated[
        Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")
    ],
    *,
    articles: Annotated[
        list[str] | None,
        typer.Option("--articles", metavar="PATH", help="The articles, as `extract` was given them; may be repeated."),
    ] = None,
    text_column: TextColumn = "text",
    schemas: Schemas = None,
    output: PageFile = Path("report.html"),
    overwrite: OverwritePage = False,
    language: PageLanguage = "en",
    pictures: Annotated[
        bool,
        typer.Option("--pictures/--no-pictures", help="Draw pictures beside their tables; needs the extra 'report'."),
    ] = True,
) -> None:
    """Write one HTML file to look at: records beside the words that say them.

    It needs no network and no server. Texts are shown where --articles has the very ones that were extracted. More
    than 2,000 articles become several files, each of which says so. `mahdar eval report` shows a run beside its labels.
    """
    from mahdar.cli import report as commands_report

    import_schemas(schemas)
    pages = commands_report.of_outputs(
        outputs, articles or (), output.name, language, column=text_column, draw=pictures
    )
    for path in commands_report.write(pages, output, overwrite=overwrite):
        typer.echo(f"report → {path}", err=True)


@app.command()
def status(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="What a run was told to write with --output.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show how far a run has come: articles, failures by class, tokens, cost, rate."""
    from mahdar.cli.status import status
    from mahdar.runs.lines import dumps

    found = status(output)
    typer.echo(dumps(found.as_json()) if json else "\n".join(found))


@app.command()
def export(
    records: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="What `mahdar extract` wrote.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="DIR/ for CSV, FILE.duckdb, FILE.xlsx, FILE.parquet.")
    ],
    form: Format = None,
    schemas: Schemas = None,
) -> None:
    """Write records as tables; what is there already is replaced.

    A folder, of CSV or Parquet, a DuckDB database and an Excel workbook have the tables articles, meetings,
    participants, topics, outcomes, stances, stance_holders, attributions, evidence and rejected, those of tasks of your
    own, and the views meetings_wide, meeting_pairs, meeting_country_pairs, stances_long and coded_events. One Parquet
    file has a row an article instead, with everything in it.
    """
    from mahdar.runs.target import Target
    from mahdar.tables.export import export

    import_schemas(schemas)
    target = Target.of(output, form)
    if target.form == "jsonl":
        raise UsageError(f"{output}: is JSON Lines already; name .duckdb, .xlsx or .parquet, a folder, or --format")
    exported = export(records, target)
    for line in exported:
        typer.echo(line, err=True)
    typer.echo(f"{counted(exported.articles, 'article')} → {output}", err=True)


@app.command()
def doctor(model: Model = None, prompts: Prompts = None) -> None:
    """Check the setup, with one tiny question where a model is configured.

    Shows who reads, what is configured, and names what is missing, with the remedy.

    Exit code 3 where something is.
    """
    from mahdar.cli.doctor import examine
    from mahdar.cli.progress import shown

    settings = settings_of(model)
    well = True
    with shown(1, slow=True) as progress:
        for finding in examine(settings, tuple(prompts or ()), progress.phase):
            with progress.paused():
                typer.echo(str(finding))
            well &= finding.fault is None
    raise typer.Exit(0 if well else NO_MODEL)


@app.command()
def show(
    output: OutputFile,
    id_: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="An article's id, or ARTICLE/m1 for one record; all by default."),
    ] = None,
    *,
    articles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="The articles, as `extract` was given them: their text is shown with the evidence marked; may be "
            "repeated.",
        ),
    ] = None,
    text_column: TextColumn = "text",
    schemas: Schemas = None,
) -> None:
    """Read records on the terminal, a page at a time.

    Articles that failed come last. Into a pipe all is written at once, without colours.
    """
    from mahdar.cli.show import show

    import_schemas(schemas)
    show(output, id_, articles or (), text_column)


@app.command()
def plot(
    output: OutputFile,
    figure: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIGURE",
            help="articles, meetings, timeline, network, countries, topics, acts, matrix; all by default.",
        ),
    ] = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="A .png or .svg file for one figure, or a folder for all, replaced if there; else the terminal.",
        ),
    ] = None,
    language: Annotated[str, typer.Option(metavar="ar|en|fr", help="The language of titles and labels.")] = "en",
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
    scale: Annotated[float, typer.Option(min=0.5, max=8, metavar="N", help="Size of a PNG.")] = 2,
) -> None:
    """Draw what many articles say: counts, a timeline, who met whom, who stands where.

    A figure shows the most frequent and says how many it leaves out. Files need the extra `report`.
    """
    from mahdar.cli.plot import plot

    plot(output, figure or (), to, language=language, dark=dark, scale=scale)


if __name__ == "__main__":
    main()
