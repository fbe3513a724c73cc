"""Options that several commands share."""

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
        help="Articles: text files, saved web pages, folders of *.txt and *.html, JSONL, CSV or Parquet, each also as "
        ".gz or .zst; patterns in quotes; URLs; - for standard input.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="NAME[@VERSION]", help="What to look for, and by which prompt; may be repeated."),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who reads, in place of MAHDAR_MODEL: a model of the endpoint, embedded (llama.cpp on this machine), or "
        "offline (rules, no model).",
    ),
]
Prompts = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompts", metavar="DIR", exists=True, file_okay=False, help="Folder of further templates; may be repeated."
    ),
]
Schemas = Annotated[
    list[str] | None,
    typer.Option(
        "--schemas",
        metavar="FILE.py|MODULE",
        help="Python code with the schema of a task of your own, which is run; may be repeated.",
    ),
]
PageFile = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="The page.")]
OverwritePage = Annotated[bool, typer.Option("--overwrite", help="Replace FILE even if it is no report.")]
PageLanguage = Annotated[Literal["en", "ar", "fr"], typer.Option(help="Of the page, until its reader takes another.")]
OutputFile = Annotated[
    Path, typer.Argument(metavar="OUTPUT.jsonl", help="What `mahdar extract -o` wrote, or a run file.")
]
Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where the work is done: in this process, or by Ray on a cluster or on this machine."),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="HOST:PORT", help="A cluster of Ray's, in place of RAY_ADDRESS."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORM", help="jsonl, csv, parquet, duckdb or xlsx, where the output's name does not tell."
    ),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        "--ray-workers",
        min=1,
        metavar="N",
        help="Extractors at once, each with as many calls in flight as --concurrency says.",
    ),
]
TextColumn = Annotated[str, typer.Option(metavar="NAME", help="The column that holds the article.")]
IdColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The column that names it; by default id, else file and line.")
]
DateColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The column with its day; by default published_at.")
]
Keep = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="NAME,…",
        help="Further columns, say url,title,outlet, that go with the records into JSON Lines, tables and report.",
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(
        "--date-format",
        metavar="FORM",
        help="How that column writes a day, where it is not year-month-day: %d/%m/%Y for 19/11/2020.",
    ),
]
PublishedAt = Annotated[
    str | None,
    typer.Option("--published-at", metavar="YYYY-MM-DD", help="The day the articles appeared; «yesterday» needs it."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Who reads, in place of MAHDAR_MODEL: a model of the endpoint, embedded (llama.cpp on this machine), or "
        "offline (rules, no model); several only with --dry-run.",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="DOLLARS",
        help="Stop before the call that could make it cost more, earlier runs into the same FILE included.",
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="N", help="Stop before the call that could make it take more tokens, counted likewise."
    ),
]
PriceIn = Annotated[
    float | None,
    typer.Option(min=0, metavar="DOLLARS", help="Price of a million input tokens, in place of the tables'."),
]
PriceOut = Annotated[
    float | None,
    typer.Option(min=0, metavar="DOLLARS", help="Price of a million output tokens, in place of the tables'."),
]
Rpm = Annotated[int | None, typer.Option("--rpm", min=1, metavar="N", help="Requests a minute at most.")]
Tpm = Annotated[int | None, typer.Option("--tpm", min=1, metavar="N", help="Tokens a minute at most, by estimate.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Estimate tokens and cost for each --model, without a call, and exit.")
]
LogLines = Annotated[
    LogForm | None,
    typer.Option("--log", help="Log every call to standard error, as text or as JSON; never an article's words."),
]


def names_of(listed: str | None) -> tuple[str, ...]:
    """The names in a comma-separated list."""
    return tuple(dict.fromkeys(name for part in (listed or "").split(",") if (name := part.strip())))


def price_of(price_in: float | None, price_out: float | None) -> "Price | None":
    """The price that two options name.

    Raises:
        UsageError: only one of them is given.
    """
    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise UsageError("--price-in and --price-out: give both, or neither")
    from mahdar.limits.prices import Price

    return Price.per_million(price_in, price_out)


def settings_of(model: str | None) -> "Settings":
    """The settings of the environment, with another model where one is named.

    Where nothing says who reads, one line on standard error says that rules do, and how to use a model.
    """
    from dataclasses import replace

    from mahdar.settings import Settings

    settings = Settings.from_environment()
    settings = replace(settings, model=model) if model else settings
    if not settings.configured:
        typer.echo(f"mahdar: {UNCONFIGURED}", err=True)
    return settings


def import_schemas(modules: "list[str] | None") -> tuple[str, ...]:
    """Import the modules that `--schemas` names, and return their names; files as absolute paths.

    Raises:
        UsageError: one cannot be imported, or defines no task.
    """
    if not modules:
        return ()
    from mahdar.task_modules import import_tasks

    import_tasks(modules)
    return tuple(str(Path(name).absolute()) if Path(name).is_file() else name for name in modules)


def only(models: "list[str] | None") -> str | None:
    """The one model that is asked.

    Raises:
        UsageError: there are several.
    """
    if models and len(models) > 1:
        raise UsageError(f"--model {' --model '.join(models)}: several models are compared with --dry-run only")
    return models[0] if models else None
