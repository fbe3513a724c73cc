"""`mahdar serve`: the service over HTTP."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli.options import (
    LogLines,
    Model,
    PriceIn,
    PriceOut,
    Prompts,
    Rpm,
    Tasks,
    Tpm,
    price_of,
    settings_of,
)
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
        str, typer.Option(metavar="HOST", help="Where to listen; an address that others reach needs MAHDAR_TOKENS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="0 for any that is free.")] = 8600,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="DIR",
            file_okay=False,
            help="Where jobs and accounts are kept; by default the folder serve in the cache folder.",
        ),
    ] = None,
    task: Tasks = None,
    model: Model = None,
    prompts: Prompts = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Calls in flight at most; fewer while the endpoint is busy.")
    ] = 8,
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="DOLLARS", help="All that this process may spend.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="All tokens that this process may take.")
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    max_articles: Annotated[int, typer.Option(min=1, metavar="N", help="Articles in one request.")] = 100,
    max_requests: Annotated[int, typer.Option(min=1, metavar="N", help="Requests under way at once.")] = 500,
    max_seconds: Annotated[float, typer.Option(min=1, metavar="N", help="Seconds for one article.")] = 600,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Jobs that run at once; the others wait.")] = 1,
    grace: Annotated[
        float, typer.Option(min=0, metavar="N", help="Seconds for what is under way, when the service is stopped.")
    ] = 30,
    log: LogLines = None,
) -> None:
    """Answer requests over HTTP: articles in, records out; jobs; a page for readers.

    The first Ctrl-C, or SIGTERM, takes nothing more and lets what is under way end; the second stops at once. Jobs go
    on at the next start. MAHDAR_TOKENS holds who may use the service: NAME:SECRET, with spaces between several, each
    followed as needed by :per_minute=N (articles), :max_cost=DOLLARS, :max_tokens=N; or @FILE, one a line.
    """
    try:
        from mahdar.server.callers import Callers  # noqa: F401
    except ImportError:
        raise UsageError(EXTRA) from None
    from mahdar.cli.telemetry import export_telemetry
    from mahdar.limits.budget import Budget
    from mahdar.limits.concurrency import Limits
    from mahdar.observability.logs import log_to_standard_error
    from mahdar.server.running import Server, check_address, listen
    from mahdar.server.service import Bounds, ExtractionService
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    export_telemetry()
    if log is not None:
        log_to_standard_error(as_json=log == "json")
    settings = settings_of(model)
    with Extractor(
        settings,
        tasks=task or TASKS,
        prompts=prompts or (),
        concurrency=concurrency,
        budget=Budget(max_cost, max_tokens),
        price=price_of(price_in, price_out),
        limits=Limits(rpm, tpm),
    ) as extractor:
        made_by = {maker.name for maker in extractor.made_by.values()}  # fails now where no model can be asked
        kept = folder or settings.cache / "serve"
        callers = _callers(kept, extractor)
        check_address(host, closed=callers.closed)
        bounds = Bounds(
            articles=max_articles,
            requests=max_requests,
            article=max_seconds,
            jobs=jobs,
            grace=grace,
            at_once=concurrency,
        )
        service = ExtractionService(extractor, callers, bounds)
        with listen(host, port) as socket:
            server = Server(service, socket, kept)
            typer.echo(f"records are made by {', '.join(sorted(made_by))}; serving on {server.url}", err=True)
            server.serve_until_stopped()
        if given_up := [clean(id_) for id_ in service.given_up]:
            said = f"{counted(len(given_up), 'article')} under way given up: {join_names(given_up, len(given_up))}"
            typer.echo(f"stopped; {said}", err=True)


def _callers(folder: Path, extractor: "Extractor") -> "Callers":
    """Who may use the service, with what they have spent before."""
    from mahdar.server.callers import VARIABLE, Callers, read_tokens

    named = read_tokens(os.environ.get(VARIABLE, ""))
    if extractor.price is None and (priced := [one for one in named if one.purse.budget.max_cost is not None]):
        raise UsageError(
            f"{VARIABLE} ({priced[0].name}): max_cost, and the price of the model is not known; give --price-in and "
            "--price-out, or max_tokens"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _lock(folder)
        return Callers(named, folder / "accounts.sqlite3")
    except OSError as error:
        raise UsageError(f"{folder}: cannot be used ({error.strerror}); name another --folder") from None


def _lock(folder: Path) -> None:
    """Keep other services out of a folder until this process ends.

    Raises:
        UsageError: another one is there.
    """
    from mahdar.runs.lines import lock

    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)  # never closed
    if not lock(descriptor):
        raise UsageError(f"{folder}: another mahdar serve uses it; name another --folder")
