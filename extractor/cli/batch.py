"""`mahdar batch`: the same requests through a provider's batches, at half the price and within a day."""

from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli.options import (
    DateColumn,
    DateFormat,
    IdColumn,
    Model,
    Prompts,
    PublishedAt,
    Rows,
    Schemas,
    Tasks,
    TextColumn,
    import_schemas,
)
from mahdar.errors import UsageError
from mahdar.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mahdar.cache.disk import Store
    from mahdar.openai_batch.api import BatchApi
    from mahdar.openai_batch.collection import Standing
    from mahdar.openai_batch.job import BatchResult, Job
    from mahdar.openai_batch.submission import Submitted
    from mahdar.settings import Settings

app = typer.Typer(
    help="Ask through a provider's batches: half the price, within a day. The answers go to the cache.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

JobFile = Annotated[Path, typer.Argument(metavar="JOB.json", dir_okay=False, help="What `submit` wrote.")]


@app.command()
def submit(
    paths: Rows,
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="JOB.json", dir_okay=False, help="Remember here what was submitted."),
    ],
    task: Tasks = None,
    model: Model = None,
    published_at: PublishedAt = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    date_column: DateColumn = None,
    date_format: DateFormat = None,
    prompts: Prompts = None,
    schemas: Schemas = None,
    batch_size: Annotated[int | None, typer.Option(min=1, metavar="N", help="Requests in one batch, at most.")] = None,
) -> None:
    """Submit every request of the articles that has no answer in the cache and is not under way.

    Run it again after `collect` for what failed or expired, for re-asks of answers that do not hold, and to go on after
    an interruption. What is not submitted again, `mahdar extract` asks at once.
    """
    from mahdar.documents.document import check_date_format
    from mahdar.openai_batch.job import Job, held
    from mahdar.openai_batch.submission import MAX_REQUESTS, Submission
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    import_schemas(schemas)
    columns = Columns(text_column, id_column, date_column, date_format=check_date_format(date_format))
    articles = Articles(paths, columns, published_at=published_at)
    settings = _settings(model)
    with (
        Extractor(settings, tasks=task or TASKS, prompts=prompts or (), store=None) as mahdar,
        _desk(settings) as (api, store),
        held(output),
    ):
        job = Job.at(output, endpoint=api.url, model=settings.model or "")
        came = Submission(mahdar, store, job, api, max_requests=batch_size or MAX_REQUESTS).run(articles)
    _tell(came, output)


def _tell(came: "Submitted", output: Path) -> None:
    for bad in came.unread:
        typer.echo(f"{bad.id}: bad_input: {bad.reason}", err=True)
    batches = f"{came.batches} batch{'' if came.batches == 1 else 'es'}"
    typer.echo(
        f"{counted(came.requests, 'request')} submitted in {batches} → {output}; "
        f"{came.answered:,} answered already, {came.under_way:,} under way"
    )
    raise typer.Exit(1 if came.unread else 0)


@app.command()
def status(job: JobFile) -> None:
    """Show where each batch stands."""
    from mahdar.openai_batch.collection import standings

    with _job(job) as (found, api, _):
        for one in standings(found, api):
            typer.echo(_line(one))


@app.command()
def collect(
    job: JobFile,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was collected before, say into a cache that was emptied.")
    ] = False,
) -> None:
    """Put the answers of the batches that have ended into the cache, where `mahdar extract` finds them.

    May be run again and again. Requests without an answer are named in JOB.json.N.errors.jsonl.

    Exit code 1 where some of them have none yet and are not under way.
    """
    from mahdar.limits.prices import find_price
    from mahdar.openai_batch.collection import collect as collected
    from mahdar.openai_batch.collection import unanswered
    from mahdar.openai_batch.job import held

    with held(job), _job(job) as (found, api, store):
        for one in collected(found, api, store, again=again, price=find_price(found.model, api.url)):
            typer.echo(_line(one))
        left = unanswered(found, store)
    if left:
        typer.echo(f"{left:,} without an answer; `mahdar batch submit` asks again, `mahdar extract` at once", err=True)
    raise typer.Exit(1 if left else 0)


def _line(one: "Standing") -> str:
    batch = one.batch
    name = f"{batch.batch_id or batch.file_id}: {counted(batch.requests, 'request')}"
    if batch.result is not None:
        return f"{name}, {_result(batch.result)}"
    if one.state is None:
        return f"{name}, uploaded and not submitted; run `mahdar batch submit` again"
    said = f"{name}, {one.state.status}, {one.state.done:,} answered, {one.state.failed:,} failed"
    return f"{said}; {': '.join(one.state.reason)}" if one.state.reason else said


def _result(result: "BatchResult") -> str:
    failed = "".join(f", {count:,} {failure}" for failure, count in result.failed.items())
    strangers = f", {result.strangers:,} lines about nothing that was asked" if result.strangers else ""
    cost = "cost unknown" if result.cost is None else f"${result.cost:.4f}"
    spent = f"{result.tokens_in:,} tokens in, {result.tokens_out:,} out, {cost}"
    return f"collected: {counted(result.kept, 'answer')}{failed}{strangers}; {spent}"


def _settings(model: str | None) -> "Settings":
    from dataclasses import replace

    from mahdar.settings import Settings

    settings = Settings.from_environment()
    settings = replace(settings, model=model) if model else settings
    if settings.offline or settings.embedded:
        raise UsageError("batches are a provider's: set OPENAI_API_KEY, OPENAI_BASE_URL and MAHDAR_MODEL")
    return settings


@contextmanager
def _job(path: Path) -> "Iterator[tuple[Job, BatchApi, Store]]":
    from mahdar.openai_batch.job import Job

    job = Job.read(path)
    with _desk(_settings(job.model)) as (api, store):
        job.check(endpoint=api.url)
        yield job, api, store


@contextmanager
def _desk(settings: "Settings") -> "Iterator[tuple[BatchApi, Store]]":
    """The provider, and the store that its answers go to."""
    from mahdar.cache.opening import open_store
    from mahdar.llm.endpoint import remote_endpoint
    from mahdar.openai_batch.api import BatchApi

    with ExitStack() as open_:
        store = open_.enter_context(closing(open_store(settings)))
        api = BatchApi(remote_endpoint(settings), timeout=settings.timeout)
        yield open_.enter_context(closing(api)), store
