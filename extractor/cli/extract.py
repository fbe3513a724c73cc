"""Implement `mahdar extract`: turn articles into records, on this machine or on a Ray cluster."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mahdar.cli import options as shared
from mahdar.cli.exits import ALL_WELL, INTERRUPTED, NO_MODEL, SOME_FAILED
from mahdar.errors import BadInputError, NoModelError, UsageError

if TYPE_CHECKING:
    from mahdar.runs.run import Extracts, RunTally
    from mahdar.runs.sources import Articles
    from mahdar.runs.target import OutputPaths
    from mahdar.service import Extractor
    from mahdar.settings import Settings

Options = TypeVar("Options")


@dataclass(frozen=True)
class ExtractOptions:
    """The options of `mahdar extract`."""

    paths: shared.Rows
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Output: FILE.jsonl, FILE.parquet, FILE.duckdb, FILE.xlsx, or DIR/ for CSV. Failed articles go to "
            "FILE.errors.jsonl, the state from which a run resumes to FILE.ledger.sqlite.",
        ),
    ] = None
    form: shared.Format = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start over and replace FILE.")] = False
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Extract only the articles that failed before.")
    ] = False
    update_changed: Annotated[
        bool,
        typer.Option(
            "--update-changed",
            help="Extract articles again if their text or day of publication has changed; their earlier records go to "
            "FILE.history.jsonl.",
        ),
    ] = False
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Extract new and changed files as they come, until Ctrl-C; a file is taken once it has not changed "
            "for two seconds.",
        ),
    ] = False
    table: Annotated[
        bool | None,
        typer.Option(
            "--table/--json",
            show_default=False,
            help="What to write to standard output; by default tables on a terminal, JSON Lines into a pipe.",
        ),
    ] = None
    task: shared.Tasks = None
    model: shared.Models = None
    published_at: shared.PublishedAt = None
    text_column: shared.TextColumn = "text"
    id_column: shared.IdColumn = None
    date_column: shared.DateColumn = None
    date_format: shared.DateFormat = None
    keep: shared.Keep = None
    prompts: shared.Prompts = None
    schemas: shared.Schemas = None
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum of calls in flight; lowered while the endpoint is busy.")
    ] = 8
    max_cost: shared.MaxCost = None
    max_tokens: shared.MaxTokens = None
    price_in: shared.PriceIn = None
    price_out: shared.PriceOut = None
    rpm: shared.Rpm = None
    tpm: shared.Tpm = None
    dry_run: shared.DryRun = False
    log: shared.LogLines = None
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither read nor write the cache of answers.")] = False
    engine: shared.Engine = "local"
    ray_address: shared.RayAddress = None
    ray_workers: shared.RayWorkers = None

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: some do.
        """
        if self.engine == "local" and (self.ray_address or self.ray_workers):
            raise UsageError("--ray-address, --ray-workers: give --engine ray with them")
        if self.engine == "ray":
            bounds = ("log", "max_cost", "max_tokens", "price_in", "price_out", "rpm", "tpm")
            given = [f"--{name.replace('_', '-')}" for name in bounds if getattr(self, name) is not None]
            if given:  # every worker would count for itself
                raise UsageError(f"{', '.join(given)}: not on a cluster; leave it out, or take --engine local")
        if self.update_changed and (self.retry_errors or self.output is None):
            raise UsageError("--update-changed takes what an earlier run extracted: name its file with --output")
        if self.form is not None and self.output is None:
            raise UsageError(f"--format {self.form}: nothing is written to a file; name one with --output")
        if self.watch and (self.retry_errors or self.dry_run):
            raise UsageError("--watch takes files as they come: leave out --retry-errors and --dry-run")


def command_of(options: type[Options], run: Callable[[Options], None]) -> Callable[..., None]:
    """Make a typer command whose parameters are the fields of a dataclass, with the docstring of `run` as its help."""

    def called(**values: Any) -> None:
        run(options(**values))

    parameters = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if option.default is MISSING else option.default,
            annotation=option.type,
        )
        for option in fields(options)  # type: ignore[arg-type]  # a dataclass
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    called.__doc__, called.__name__ = run.__doc__, run.__name__
    return called


def extract(options: ExtractOptions) -> None:
    """Extract meetings and stances from articles.

    Uses a language model, or rules if none is configured. Results are written as they are ready, not in the order of
    the articles. Failures are reported on standard error, one line each. Answers are cached, so a second run costs
    nothing. To resume an interrupted run into a file, give the same command again.
    """
    from mahdar.cli.telemetry import export_telemetry
    from mahdar.documents.document import check_date_format
    from mahdar.observability.logs import log_to_standard_error
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.runs.target import OutputPaths

    options.check()
    options = replace(options, schemas=list(shared.import_schemas(options.schemas)))
    target = OutputPaths.of(options.output, options.form) if options.output else None
    if options.retry_errors and (target is None or options.overwrite or not target.begun):
        raise UsageError("--retry-errors takes what an earlier run failed on: name its file with --output")
    columns = Columns(
        options.text_column,
        options.id_column,
        options.date_column,
        shared.names_of(options.keep),
        check_date_format(options.date_format),
    )
    read = partial(
        Articles,
        options.paths,
        columns=columns,
        published_at=options.published_at,
        without=target.files if target else (),
    )
    export_telemetry()
    if options.log is not None:
        log_to_standard_error(as_json=options.log == "json")
    if options.dry_run:
        _estimate(options, read())
    else:
        _run(options, read, target)


def _estimate(options: ExtractOptions, articles: "Articles") -> None:
    """Print the estimated tokens and cost for each model."""
    from mahdar.cli.estimate import assumed, estimated

    with ExitStack() as open_:
        each = (assumed(shared.settings_of(name)) for name in options.model or (None,))
        for line in estimated((open_.enter_context(_extractor(options, one)) for one in each), articles):
            typer.echo(line)


def _run(options: ExtractOptions, read: "Callable[..., Articles]", target: "OutputPaths | None") -> None:
    """Run the extraction, print its summary, and exit."""
    from mahdar.cli.interrupt import Interrupt
    from mahdar.cli.output import Display, finish, open_results
    from mahdar.cli.progress import shown
    from mahdar.runs.run import RunTally, run

    tally, stop, interrupted = RunTally(), Interrupt(), False
    rounds: Iterable[Articles]
    if options.watch:
        rounds = _watched(options, read, lambda: stop.heard or bool(tally.stopped))
    else:
        rounds = [articles := read()]
        tally.total = articles.total
    settings = shared.settings_of(shared.only(options.model))
    try:
        with (
            shown(None if options.retry_errors else tally.total, slow=settings.embedded) as progress,
            _engine(options, settings, progress.phase) as (mahdar, engine),
            open_results(target, mahdar, keep=shared.names_of(options.keep), overwrite=options.overwrite) as (
                results,
                stream,
            ),
            stop,
        ):
            if results and results.repaired:
                typer.echo(results.repaired, err=True)
            for articles in rounds:
                run(
                    engine,
                    articles,
                    results,
                    retry_errors=options.retry_errors,
                    update_changed=options.update_changed,
                    each=Display(progress, stream, to_file=target is not None, table=options.table),
                    cancelled=lambda: stop.heard,
                    tally=tally,
                )
                tally.repeated += articles.repeated
                if articles.absent:
                    names = ", ".join(map(repr, articles.absent))
                    typer.echo(f"no article has a column {names} to keep: correct --keep", err=True)
        interrupted = stop.heard and not options.watch
        if target and not interrupted:
            for line in finish(target):
                typer.echo(line, err=True)
    except KeyboardInterrupt:
        interrupted = True
    except NoModelError as error:
        if not tally.done:
            raise
        tally.stopped, tally.no_model = str(error), True
    _conclude(tally, target, interrupted=interrupted)


def _watched(
    options: ExtractOptions, read: "Callable[..., Articles]", cancelled: Callable[[], bool]
) -> "Iterator[Articles]":
    """Yield the articles of new and changed files, round by round, until cancelled."""
    from mahdar.runs.disk_dict import DiskDict
    from mahdar.runs.watch import Watch

    watch, read = Watch(options.paths), partial(read, owners=DiskDict())
    typer.echo("watching; Ctrl-C ends it", err=True)
    while ready := watch.wait(cancelled):
        yield from _readable(read, ready)


def _readable(read: "Callable[..., Articles]", files: frozenset[str]) -> "Iterator[Articles]":
    """Yield the articles of files together; if one is a table that cannot be read, name it and yield the others."""
    try:
        articles = read(only=files)
    except BadInputError:  # the files have been removed since
        return
    except UsageError as error:
        if len(files) > 1:
            for file in sorted(files):
                yield from _readable(read, frozenset({file}))
        else:
            typer.echo(f"left out until it changes: {error}", err=True)
        return
    yield articles


@contextmanager
def _engine(
    options: ExtractOptions, settings: "Settings", told: Callable[[str, float | None], None]
) -> "Iterator[tuple[Extractor, Extracts]]":
    """Open the extractor of this process, and what does the work: the same extractor, or a cluster."""
    if options.engine == "local":
        with _extractor(options, settings, told) as mahdar:
            yield mahdar, mahdar
        return
    try:
        from mahdar.ray.cluster import Cluster, Work
    except ModuleNotFoundError as error:
        raise UsageError(f"--engine ray takes {error.name}; pip install 'mahdar[ray]', on every machine") from None
    from mahdar.tasks import TASKS

    # Other machines, and other processes, may be in other folders.
    work = Work(
        replace(settings, cache=settings.cache.absolute()),
        tuple(options.task or TASKS),
        tuple(folder.absolute() for folder in options.prompts or ()),
        tuple(options.schemas or ()),
        keep=not options.no_cache,
        concurrency=options.concurrency,
    )
    with work.extractor() as mahdar:
        mahdar.made_by  # noqa: B018  # raises for unusable settings before a cluster is waited for
        with Cluster(work, address=options.ray_address, workers=options.ray_workers) as cluster:
            yield mahdar, cluster


def _extractor(
    options: ExtractOptions, settings: "Settings", told: Callable[[str, float | None], None] | None = None
) -> "Extractor":
    from mahdar.limits.budget import Budget
    from mahdar.limits.concurrency import Limits
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    return Extractor(
        settings,
        tasks=options.task or TASKS,
        prompts=options.prompts or (),
        store=None if options.no_cache else "default",
        concurrency=options.concurrency,
        budget=Budget(options.max_cost, options.max_tokens),
        price=shared.price_of(options.price_in, options.price_out),
        limits=Limits(options.rpm, options.tpm),
        progress=told,
    )


def _conclude(tally: "RunTally", target: "OutputPaths | None", *, interrupted: bool) -> None:
    """Print the summary if results went to a file or some are missing, and exit."""
    place = ""
    if target:  # other forms are made from the records at the end
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
    raise typer.Exit(exit_code(tally))


def exit_code(tally: "RunTally") -> int:
    """Return the exit code of a run."""
    if tally.no_model:
        return NO_MODEL
    if not (tally.failures or tally.failed_before or tally.missing or tally.stopped):
        return ALL_WELL
    silent = not (tally.extracted or tally.before) and set(tally.failures) == {"unreachable"}
    return NO_MODEL if silent else SOME_FAILED
