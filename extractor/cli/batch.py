"""Implement `mahdar batch`: send requests through a provider's batch API, at half the price and within a day."""

from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli import options as shared
from mahdar.errors import UsageError
from mahdar.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mahdar.cache.disk import Store
    from mahdar.openai_batch.api import BatchApi
    from mahdar.openai_batch.collection import Standing
    from mahdar.openai_batch.job import BatchJob
    from mahdar.settings import Settings

app = typer.Typer(
    help="Send requests through a provider's batch API: half the price, answers within a day, into the cache.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

JobFile = Annotated[
    Path, typer.Argument(metavar="JOB.json", dir_okay=False, help="Job file written by `mahdar batch submit`.")
]


@app.command()
def submit(
    paths: shared.Rows,
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="JOB.json", dir_okay=False, help="Job file: what was submitted."),
    ],
    task: shared.Tasks = None,
    model: shared.Model = None,
    published_at: shared.PublishedAt = None,
    text_column: shared.TextColumn = "text",
    id_column: shared.IdColumn = None,
    date_column: shared.DateColumn = None,
    date_format: shared.DateFormat = None,
    prompts: shared.Prompts = None,
    schemas: shared.Schemas = None,
    batch_size: Annotated[int | None, typer.Option(min=1, metavar="N", help="Maximum of requests in a batch.")] = None,
) -> None:
    """Submit requests that have no answer in the cache and are not under way.

    Give the command again after `collect`, to submit what failed or expired and to ask again about answers that did not
    validate; or to resume after an interruption. `mahdar extract` asks at once for what is left.
    """
    from mahdar.documents.document import check_date_format
    from mahdar.openai_batch.job import BatchJob, locked
    from mahdar.openai_batch.submission import MAX_REQUESTS, Submission
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    shared.import_schemas(schemas)
    columns = Columns(text_column, id_column, date_column, date_format=check_date_format(date_format))
    articles = Articles(paths, columns, published_at=published_at)
    settings = _settings(model)
    with (
        Extractor(settings, tasks=task or TASKS, prompts=prompts or (), store=None) as mahdar,
        _provider(settings) as (api, store),
        locked(output),
    ):
        job = BatchJob.at(output, endpoint=api.url, model=settings.model or "")
        submitted = Submission(mahdar, store, job, api, max_requests=batch_size or MAX_REQUESTS).run(articles)
    for bad in submitted.unread:
        typer.echo(f"{bad.id}: bad_input: {bad.reason}", err=True)
    batches = f"{submitted.batches} batch{'' if submitted.batches == 1 else 'es'}"
    typer.echo(
        f"{counted(submitted.requests, 'request')} submitted in {batches} → {output}; "
        f"{submitted.answered:,} answered already, {submitted.under_way:,} under way"
    )
    raise typer.Exit(1 if submitted.unread else 0)


@app.command()
def status(job: JobFile) -> None:
    """Show the state of each batch."""
    from mahdar.openai_batch.collection import standings

    with _job(job) as (opened, api, _):
        for standing in standings(opened, api):
            typer.echo(_line(standing))


@app.command()
def collect(
    job: JobFile,
    *,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Also collect batches that were collected before, for instance into an emptied cache."
        ),
    ] = False,
) -> None:
    """Put the answers of finished batches into the cache, for `mahdar extract`.

    May be repeated. Requests without an answer are listed in JOB.json.N.errors.jsonl.

    Exits with 1 if some requests have no answer and are not under way.
    """
    from mahdar.limits.prices import find_price
    from mahdar.openai_batch.collection import collect as collected
    from mahdar.openai_batch.collection import unanswered
    from mahdar.openai_batch.job import locked

    with locked(job), _job(job) as (opened, api, store):
        for standing in collected(opened, api, store, again=again, price=find_price(opened.model, api.url)):
            typer.echo(_line(standing))
        left = unanswered(opened, store)
    if left:
        typer.echo(f"{left:,} without an answer; `mahdar batch submit` asks again, `mahdar extract` at once", err=True)
    raise typer.Exit(1 if left else 0)


def _line(standing: "Standing") -> str:
    batch, state = standing.batch, standing.state
    name = f"{batch.batch_id or batch.file_id}: {counted(batch.requests, 'request')}"
    if batch.result is not None:
        result = batch.result
        failed = "".join(f", {count:,} {failure}" for failure, count in result.failed.items())
        strangers = f", {result.strangers:,} lines of no known request" if result.strangers else ""
        cost = "cost unknown" if result.cost is None else f"${result.cost:.4f}"
        spent = f"{result.tokens_in:,} tokens in, {result.tokens_out:,} out, {cost}"
        return f"{name}, collected: {counted(result.kept, 'answer')}{failed}{strangers}; {spent}"
    if state is None:
        return f"{name}, uploaded and not submitted; run `mahdar batch submit` again"
    line = f"{name}, {state.status}, {state.done:,} answered, {state.failed:,} failed"
    return f"{line}; {': '.join(state.reason)}" if state.reason else line


def _settings(model: str | None) -> "Settings":
    from mahdar.settings import Settings

    settings = Settings.from_environment().with_model(model)
    if settings.offline or settings.embedded:
        raise UsageError("batches need a provider: set OPENAI_API_KEY, OPENAI_BASE_URL and MAHDAR_MODEL")
    return settings


@contextmanager
def _job(path: Path) -> "Iterator[tuple[BatchJob, BatchApi, Store]]":
    from mahdar.openai_batch.job import BatchJob

    job = BatchJob.read(path)
    with _provider(_settings(job.model)) as (api, store):
        job.check(endpoint=api.url)
        yield job, api, store


@contextmanager
def _provider(settings: "Settings") -> "Iterator[tuple[BatchApi, Store]]":
    """Open the provider's batch API, and the store that its answers go to."""
    from mahdar.cache.opening import open_store
    from mahdar.llm.endpoint import remote_endpoint
    from mahdar.openai_batch.api import BatchApi

    with ExitStack() as open_:
        store = open_.enter_context(closing(open_store(settings)))
        api = BatchApi(remote_endpoint(settings), timeout=settings.timeout)
        yield open_.enter_context(closing(api)), store
