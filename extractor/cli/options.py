"""Define the options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from mahdar.errors import UsageError

if TYPE_CHECKING:
    from mahdar.limits.prices import Price
    from mahdar.settings import Settings

UNCONFIGURED: Final = (
    "no model configured: reading with rules (see README); set OPENAI_API_KEY and MAHDAR_MODEL, or use --model embedded"
)


class LogForm(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


Rows = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Articles: text files, saved web pages, folders of *.txt and *.html files, JSONL, CSV or Parquet files; "
        "quoted glob patterns; URLs; - for standard input. Files may be compressed (.gz, .zst).",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        metavar="NAME[@VERSION]",
        help="What to extract (meetings, stances, or a task of your own), by which version of its prompt; may be "
        "repeated. By default meetings and stances.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The model, in place of MAHDAR_MODEL: its name at the endpoint, embedded (llama.cpp on this machine), or "
        "offline (rules, no model).",
    ),
]
Prompts = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompts", metavar="DIR", exists=True, file_okay=False, help="Folder with more templates; may be repeated."
    ),
]
Schemas = Annotated[
    list[str] | None,
    typer.Option(
        "--schemas",
        metavar="FILE.py|MODULE",
        help="Python module with the schema of a task of your own; it is executed. May be repeated.",
    ),
]
PageFile = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="The HTML file.")]
OverwritePage = Annotated[bool, typer.Option("--overwrite", help="Replace FILE even if it is not a report.")]
PageLanguage = Annotated[
    Literal["en", "ar", "fr"], typer.Option(help="Language of the page at first; its reader can switch.")
]
OutputFile = Annotated[
    Path,
    typer.Argument(
        metavar="OUTPUT.jsonl", help="File written by `mahdar extract -o`, or the run file of `mahdar eval run`."
    ),
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Run in this process, or with Ray, on a cluster or on this machine."),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="HOST:PORT", help="Address of the Ray cluster, in place of RAY_ADDRESS."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORM",
        help="jsonl, csv, parquet, duckdb or xlsx; by default determined by the name of the output.",
    ),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        "--ray-workers",
        min=1,
        metavar="N",
        help="Number of Ray workers, each with --concurrency calls in flight; by default one a CPU, less one.",
    ),
]
TextColumn = Annotated[str, typer.Option(metavar="NAME", help="Column with the article's text.")]
IdColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Column with the article's id; by default `id`; without one, file and line number."
    ),
]
DateColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column with the article's day of publication; by default `published_at`."),
]
Keep = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="NAME,…",
        help="Columns to carry along into the output, tables and report: url,title,outlet.",
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(
        "--date-format",
        metavar="FORM",
        help="strptime format of days in that column, if not year-month-day: %d/%m/%Y for 19/11/2020.",
    ),
]
PublishedAt = Annotated[
    str | None,
    typer.Option(
        "--published-at",
        metavar="YYYY-MM-DD",
        help="Day of publication of articles that have none of their own; needed to date «yesterday».",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model, in place of MAHDAR_MODEL: its name at the endpoint, embedded (llama.cpp on this machine), or "
        "offline (rules, no model); several only with --dry-run.",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="DOLLARS",
        help="Budget in US dollars: stop before a call that could exceed it. Earlier runs into the same FILE count.",
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Budget in tokens, in and out: stop before a call that could exceed it."),
]
PriceIn = Annotated[
    float | None,
    typer.Option(min=0, metavar="DOLLARS", help="Price of a million input tokens, in place of the list price."),
]
PriceOut = Annotated[
    float | None,
    typer.Option(min=0, metavar="DOLLARS", help="Price of a million output tokens, in place of the list price."),
]
Rpm = Annotated[int | None, typer.Option("--rpm", min=1, metavar="N", help="Rate limit: requests a minute.")]
Tpm = Annotated[int | None, typer.Option("--tpm", min=1, metavar="N", help="Rate limit: tokens a minute, estimated.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Estimate tokens and cost for each --model without any call, and exit.")
]
LogLines = Annotated[
    LogForm | None,
    typer.Option("--log", help="Log every call to standard error, as text or JSON, without any article text."),
]


def names_of(listed: str | None) -> tuple[str, ...]:
    """Split a comma-separated list of names, and drop repeats."""
    return tuple(dict.fromkeys(name for part in (listed or "").split(",") if (name := part.strip())))


def price_of(price_in: float | None, price_out: float | None) -> "Price | None":
    """Make the price from its two options, in US dollars a million tokens; None if neither is given.

    Raises:
        UsageError: only one of the options is given.
    """
    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise UsageError("--price-in and --price-out: give both, or neither")
    from mahdar.limits.prices import Price

    return Price.per_million(price_in, price_out)


def settings_of(model: str | None) -> "Settings":
    """Read the settings from the environment; `model`, if given, replaces the model.

    If no model is configured, say on standard error that the rules are used, and how to configure one.
    """
    from mahdar.settings import Settings

    settings = Settings.from_environment().with_model(model)
    if not settings.configured:
        typer.echo(f"mahdar: {UNCONFIGURED}", err=True)
    return settings


def import_schemas(modules: "list[str] | None") -> tuple[str, ...]:
    """Import the modules given with `--schemas`; return their names, files as absolute paths.

    Raises:
        UsageError: a module cannot be imported, or defines no task.
    """
    if not modules:
        return ()
    from mahdar.task_modules import import_tasks

    import_tasks(modules)
    return tuple(str(Path(name).absolute()) if Path(name).is_file() else name for name in modules)


def agreed(question: str, alternative: str) -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: there is no terminal; the message is the alternative.
    """
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise UsageError(alternative) from None


def only(models: "list[str] | None") -> str | None:
    """Return the one model given with `--model`, or None.

    Raises:
        UsageError: several are given.
    """
    if models and len(models) > 1:
        raise UsageError(f"--model {' --model '.join(models)}: several models are compared with --dry-run only")
    return models[0] if models else None
