"""Implement `mahdar serve`, the extraction service over HTTP."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli import options as shared
from mahdar.documents.bidi import clean
from mahdar.errors import UsageError
from mahdar.wording import counted, join_names

if TYPE_CHECKING:
    from mahdar.server.callers import Callers
    from mahdar.service import Extractor

EXTRA = "mahdar serve needs the extra 'serve': pip install 'mahdar[serve]'"


def serve(
    *,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST", help="Address to listen at; one that other machines can reach needs MAHDAR_TOKENS."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port; 0 for any free one.")] = 8600,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="DIR",
            file_okay=False,
            help="Folder of jobs and accounts; by default serve in the cache folder.",
        ),
    ] = None,
    task: shared.Tasks = None,
    model: shared.Model = None,
    prompts: shared.Prompts = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Most calls in flight; fewer while the endpoint is busy.")
    ] = 8,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="DOLLARS", help="Budget of all callers; a restart renews it.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=0, metavar="N", help="The same, in tokens.")] = None,
    price_in: shared.PriceIn = None,
    price_out: shared.PriceOut = None,
    rpm: shared.Rpm = None,
    tpm: shared.Tpm = None,
    max_articles: Annotated[int, typer.Option(min=1, metavar="N", help="Most articles in one request.")] = 100,
    max_requests: Annotated[int, typer.Option(min=1, metavar="N", help="Most requests under way at once.")] = 500,
    max_seconds: Annotated[float, typer.Option(min=1, metavar="N", help="Timeout of one article, in seconds.")] = 600,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Most jobs that run at once; the others wait.")] = 1,
    grace: Annotated[
        float,
        typer.Option(min=0, metavar="N", help="Seconds for articles under way to end when the service is stopped."),
    ] = 30,
    log: shared.LogLines = None,
) -> None:
    """Extract over HTTP: articles of requests, jobs, and a page for readers.

    The first Ctrl-C, or SIGTERM, begins no further article and waits for those under way; the second stops at once.
    The next start resumes the jobs. MAHDAR_TOKENS lists the callers as NAME:SECRET, separated by spaces, each with
    :per_minute=N (articles), :max_cost=DOLLARS or :max_tokens=N after it as needed; or @FILE, with one on each line.
    """
    try:
        from mahdar.server.callers import Callers  # noqa: F401
    except ImportError:
        raise UsageError(EXTRA) from None
    from mahdar.cli.telemetry import export_telemetry
    from mahdar.limits.budget import Budget
    from mahdar.limits.concurrency import Limits
    from mahdar.observability.logs import log_to_standard_error
    from mahdar.server.running import Server, listen
    from mahdar.server.service import Bounds, ExtractionService
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    export_telemetry()
    if log is not None:
        log_to_standard_error(as_json=log == "json")
    settings = shared.settings_of(model)
    with Extractor(
        settings,
        tasks=task or TASKS,
        prompts=prompts or (),
        concurrency=concurrency,
        budget=Budget(max_cost, max_tokens),
        price=shared.price_of(price_in, price_out),
        limits=Limits(rpm, tpm),
    ) as extractor:
        made_by = {maker.name for maker in extractor.made_by.values()}  # raises now if no model can be asked
        kept = folder or settings.cache / "serve"
        callers = _callers(kept, extractor)
        bounds = Bounds(
            articles=max_articles,
            requests=max_requests,
            article=max_seconds,
            jobs=jobs,
            grace=grace,
            at_once=concurrency,
        )
        service = ExtractionService(extractor, callers, bounds)
        with closing(callers), listen(host, port, closed=callers.closed) as socket:
            server = Server(service, socket, kept)
            typer.echo(f"records are made by {', '.join(sorted(made_by))}; serving on {server.url}", err=True)
            server.serve_until_stopped()
        if given_up := [clean(id_) for id_ in service.given_up]:
            said = f"{counted(len(given_up), 'article')} under way given up: {join_names(given_up, len(given_up))}"
            typer.echo(f"stopped; {said}", err=True)


def _callers(folder: Path, extractor: "Extractor") -> "Callers":
    """Lock the folder until this process ends, and return the callers with what they have spent before."""
    from mahdar.runs.lines import lock
    from mahdar.server.callers import VARIABLE, Callers, read_tokens

    named = read_tokens(os.environ.get(VARIABLE, ""))
    if extractor.price is None and (priced := [one for one in named if one.purse.budget.max_cost is not None]):
        raise UsageError(
            f"{VARIABLE} ({priced[0].name}): max_cost needs the price of the model; give --price-in and "
            "--price-out, or max_tokens"
        )
    accounts = folder / "accounts.sqlite3"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not lock(os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)):  # never closed
            raise UsageError(f"{folder}: another mahdar serve uses it; name another --folder")
        return Callers(named, accounts)
    except sqlite3.Error as error:
        raise UsageError(
            f"{accounts}: cannot be used ({error}); restore it, or remove it, and every budget begins anew"
        ) from None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be used ({error.strerror}); name another --folder") from None
