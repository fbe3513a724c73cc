"""Implement `mahdar cache`: inspect and clean the store of raw completions."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
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
    settings_of,
)
from mahdar.documents.bidi import clean
from mahdar.errors import BadInputError, StoreError, UsageError

if TYPE_CHECKING:
    from mahdar.cache.disk import DiskStore
    from mahdar.cache.redis import RedisStore
    from mahdar.cli.misses import Parts
    from mahdar.documents.document import BadInput, Document
    from mahdar.drafting import Request
    from mahdar.service import Extractor

UNASKED = "no model is asked: rules read it"

app = typer.Typer(help="Inspect, repair and clear the cache of answers.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def stats() -> None:
    """Show the folder, the number and size of answers, and the tokens they save."""
    from mahdar.cache.disk import older_folders
    from mahdar.settings import Settings

    with _store() as store:
        found = store.stats()
    typer.echo(f"folder   {found.folder}")
    typer.echo(f"answers  {found.entries:,}")
    typer.echo(f"size     {found.bytes:,} bytes")
    typer.echo(f"tokens   {found.tokens:,}")
    for folder in older_folders(Settings.from_environment().cache):
        typer.echo(f"older    {folder}: of an older mahdar, left alone; its answers are asked again; remove it at will")


@app.command()
def verify() -> None:
    """Check every answer; name the unreadable ones, and exit with 1 if there are any."""
    with _store() as store:
        broken = store.verify()
    for one in broken:
        typer.echo(clean(one))
    remedy = "`mahdar cache repair` removes them, `mahdar cache remove FINGERPRINT` one"
    typer.echo("every answer can be read" if not broken else f"{len(broken)} found; {remedy}")
    raise typer.Exit(1 if broken else 0)


@app.command()
def repair() -> None:
    """Remove unreadable answers; exit with 1 if one cannot be removed alone."""
    with _store() as store:
        broken = store.verify()
        left = [one for one in broken if not _removed(store, one)]
        removed = len(broken) - len(left)
    typer.echo(f"{removed:,} removed; their articles are asked about again")
    for one in left:
        typer.echo(f"{clean(one)}: cannot be removed alone; `mahdar cache clear` removes all answers", err=True)
    raise typer.Exit(1 if left else 0)


@app.command()
def remove(
    fingerprints: Annotated[list[str], typer.Argument(help="Fingerprints, as `mahdar cache verify` prints them.")],
) -> None:
    """Remove answers by fingerprint; exit with 1 if one does not exist."""
    with _store() as store:
        absent = [one for one in fingerprints if not store.remove(one)]
    typer.echo(f"{len(fingerprints) - len(absent):,} removed")
    for one in absent:
        typer.echo(f"{clean(one)}: not there", err=True)
    raise typer.Exit(1 if absent else 0)


@app.command()
def clear(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False) -> None:
    """Remove all answers; asking again costs again."""
    with _store() as store:
        if not yes and not _agreed(f"Remove all answers in {store.folder}?"):
            typer.echo("nothing removed")
            return
        typer.echo(f"{store.clear():,} removed")


def _removed(store: "DiskStore | RedisStore", entry: str) -> bool:
    """Remove an entry that `verify` names; return False if it cannot be removed alone."""
    try:
        return store.remove(entry)
    except StoreError:
        return False


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        raise UsageError("nobody there to agree; give --yes to remove without being asked") from None


@app.command()
def why_miss(
    paths: Rows,
    *,
    task: Tasks = None,
    model: Model = None,
    published_at: PublishedAt = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    date_column: DateColumn = None,
    date_format: DateFormat = None,
    prompts: Prompts = None,
    schemas: Schemas = None,
) -> None:
    """Explain cache misses: whether each request is stored, or how it differs from the nearest stored request."""
    from mahdar.documents.document import check_date_format
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    import_schemas(schemas)
    columns = Columns(text_column, id_column, date_column, date_format=check_date_format(date_format))
    articles = Articles(paths, columns, published_at=published_at)
    settings = settings_of(model)
    with _store() as store, Extractor(settings, tasks=task or TASKS, prompts=prompts or (), store=None) as mahdar:
        stored = {fingerprint: entry["components"] for fingerprint, entry in store.entries() if entry}
        for article in articles:
            for line in _explanations(mahdar, article, stored):
                typer.echo(f"{article.id}: {line}")


def _explanations(mahdar: "Extractor", article: "Document | BadInput", stored: "dict[str, Parts]") -> Iterator[str]:
    """Yield one line for each request of an article, or the reason why it has none."""
    from mahdar.documents.document import BadInput

    if isinstance(article, BadInput):
        yield article.reason
        return
    try:
        requests = mahdar.plan(article)
    except BadInputError as error:
        yield str(error)
    else:
        yield from (_explanation(request, stored) for request in requests) if requests else (UNASKED,)


def _explanation(request: "Request", stored: "dict[str, Parts]") -> str:
    from mahdar.cli.misses import why_miss

    tasks = ", ".join(request.tasks)
    if request.fingerprint in stored:
        return f"{tasks}: stored"
    changes = why_miss(request.components, stored.values())
    differs = "nothing like it is stored" if changes is None else f"differs in {', '.join(map(str, changes))}"
    return f"{tasks}: not stored; {differs}"


@contextmanager
def _store() -> Iterator["DiskStore | RedisStore"]:
    from mahdar.cache.opening import open_store
    from mahdar.settings import Settings

    with closing(open_store(Settings.from_environment())) as store:
        yield store
