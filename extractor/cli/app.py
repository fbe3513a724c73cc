"""Define the command line, `mahdar`.

Each command reads its options and calls one module. Slow imports are made inside the commands that need them, so that
`mahdar --help` is fast.
"""

import io
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from mahdar.cli import batch as commands_batch
from mahdar.cli import cache as commands_cache
from mahdar.cli import options as shared
from mahdar.cli import prompts as commands_prompts
from mahdar.cli import schema as commands_schema
from mahdar.cli.exits import NO_MODEL, UNUSABLE
from mahdar.cli.extract import ExtractOptions, command_of, extract
from mahdar.cli.link import link
from mahdar.cli.serve import serve
from mahdar.errors import MahdarError, NoModelError, UsageError
from mahdar.wording import counted, installed_version

EXIT_CODES = """\b
Exit codes:
  0    success
  1    some articles failed, or a check found a problem
  2    unusable option, setting or file
  3    no model reachable
  130  interrupted
"""

app = typer.Typer(
    help="Extract from news articles who met whom (meetings), and who stands where (stances).",
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
    """Run the command line; report a `MahdarError` as one line on standard error and by the exit code.

    Args:
        arguments: the arguments; by default those of the process.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # write Arabic in any locale, and file names that are not UTF-8
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app(arguments, prog_name="mahdar")
    except MahdarError as error:
        typer.echo(f"mahdar: {error}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: MahdarError) -> int:
    """Return the exit code for an error that ends a command. An error of one article never does."""
    return NO_MODEL if isinstance(error, NoModelError) else UNUSABLE


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # typer's signature
    if wanted:
        installed = installed_version("")
        typer.echo(f"mahdar {installed}" if installed else "mahdar, not installed")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Define the options that precede a command."""


app.command()(command_of(ExtractOptions, extract))


@app.command()
def report(
    outputs: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT.jsonl", help="File written by `mahdar extract -o`, or the run file of `mahdar eval run`."
        ),
    ],
    *,
    articles: Annotated[
        list[str] | None,
        typer.Option(
            "--articles", metavar="PATH", help="The articles, by the paths given to `extract`; may be repeated."
        ),
    ] = None,
    text_column: shared.TextColumn = "text",
    schemas: shared.Schemas = None,
    output: shared.PageFile = Path("report.html"),
    overwrite: shared.OverwritePage = False,
    language: shared.PageLanguage = "en",
    pictures: Annotated[
        bool,
        typer.Option("--pictures/--no-pictures", help="Add pictures to the tables; needs the extra 'report'."),
    ] = True,
) -> None:
    """Write an HTML report: records beside the words that say them.

    The file needs no network and no server. It shows the texts of articles given with --articles, if they are the
    texts that were extracted. More than 2,000 articles become several files, linked to each other. `mahdar eval
    report` shows a run beside its labels.
    """
    from mahdar.cli import report as commands_report

    shared.import_schemas(schemas)
    pages = commands_report.of_outputs(
        outputs, articles or (), output.name, language, column=text_column, draw=pictures
    )
    for path in commands_report.write(pages, output, overwrite=overwrite):
        typer.echo(f"report → {path}", err=True)


@app.command()
def status(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="The --output of the run.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the progress of a run: articles, failures by class, tokens, cost and rate."""
    from mahdar.cli.status import status
    from mahdar.runs.lines import dumps

    run_status = status(output)
    typer.echo(dumps(run_status.as_json()) if json else "\n".join(run_status))


@app.command()
def export(
    records: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="File written by `mahdar extract`.")],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="DIR/ for CSV, FILE.duckdb, FILE.xlsx or FILE.parquet; replaced."
        ),
    ],
    form: shared.Format = None,
    schemas: shared.Schemas = None,
) -> None:
    """Write records as tables: CSV, DuckDB, Excel or Parquet.

    A folder (of CSV or Parquet files), a DuckDB database and an Excel workbook hold the tables articles, meetings,
    participants, topics, outcomes, stances, stance_holders, attributions, evidence and rejected, those of your own
    tasks, and the views meetings_wide, meeting_pairs, meeting_country_pairs, stances_long and coded_events. A single
    Parquet file holds one row an article instead, with its records nested.
    """
    from mahdar.runs.target import OutputPaths
    from mahdar.tables.export import export

    shared.import_schemas(schemas)
    target = OutputPaths.of(output, form)
    if target.form == "jsonl":
        raise UsageError(f"{output}: is JSON Lines already; name .duckdb, .xlsx or .parquet, a folder, or --format")
    exported = export(records, target)
    for line in exported:
        typer.echo(line, err=True)
    typer.echo(f"{counted(exported.articles, 'article')} → {output}", err=True)


@app.command()
def doctor(model: shared.Model = None, prompts: shared.Prompts = None) -> None:
    """Check the installation, the settings and the model.

    Shows versions, cache, extras, prompts and settings, and asks the configured model one short question. Each problem
    is named with its remedy.

    Exits with 3 if there is a problem.
    """
    from mahdar.cli.doctor import examine
    from mahdar.cli.progress import shown

    settings = shared.settings_of(model)
    well = True
    with shown(1, slow=True) as progress:
        for finding in examine(settings, tuple(prompts or ()), progress.phase):
            with progress.paused():
                typer.echo(str(finding))
            well &= finding.fault is None
    raise typer.Exit(0 if well else NO_MODEL)


@app.command()
def show(
    output: shared.OutputFile,
    id_: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Id of an article, or ARTICLE/m1 for one record; by default all."),
    ] = None,
    *,
    articles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="The articles, by the paths given to `extract`, to show their text with the evidence marked; may be "
            "repeated.",
        ),
    ] = None,
    text_column: shared.TextColumn = "text",
    schemas: shared.Schemas = None,
) -> None:
    """Show records on the terminal, in a pager.

    Failed articles come last. Into a pipe everything is written at once, without colours.
    """
    from mahdar.cli.show import show

    shared.import_schemas(schemas)
    show(output, id_, articles or (), text_column)


@app.command()
def plot(
    output: shared.OutputFile,
    figure: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIGURE",
            help="articles, meetings, timeline, network, countries, topics, acts, matrix; by default all.",
        ),
    ] = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="A .png or .svg file for one figure, or a folder for several; existing files are replaced. By default "
            "figures are drawn on the terminal.",
        ),
    ] = None,
    language: Annotated[str, typer.Option(metavar="ar|en|fr", help="Language of titles and labels.")] = "en",
    dark: Annotated[bool, typer.Option("--dark", help="Draw light on dark.")] = False,
    scale: Annotated[float, typer.Option(min=0.5, max=8, metavar="N", help="Scale factor of PNG files.")] = 2,
) -> None:
    """Draw figures: counts, a timeline, who met whom, who stands where.

    A figure shows the most frequent values and says how many it leaves out. Files need the extra `report`.
    """
    from mahdar.cli.plot import plot

    plot(output, figure or (), to, language=language, dark=dark, scale=scale)


app.command()(link)
app.command()(serve)


if __name__ == "__main__":
    main()
