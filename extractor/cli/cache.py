"""Implement `mahdar cache`: inspect and clean the store of raw completions."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from mahdar.cli import options as shared
from mahdar.documents.bidi import clean
from mahdar.errors import BadInputError, StoreError

if TYPE_CHECKING:
    from mahdar.cache.disk import DiskStore
    from mahdar.cache.redis import RedisStore
    from mahdar.cli.misses import Parts
    from mahdar.documents.document import BadInput, Document
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
    typer.echo(f"{removed:,} removed; their articles are requested again")
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
        typer.echo(f"{clean(one)}: not in the cache", err=True)
    raise typer.Exit(1 if absent else 0)


@app.command()
def clear(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False) -> None:
    """Remove all answers; asking again costs again."""
    with _store() as store:
        unasked = "nobody there to agree; give --yes to remove without being asked"
        if not yes and not shared.agreed(f"Remove all answers in {store.folder}?", unasked):
            typer.echo("nothing removed")
            return
        typer.echo(f"{store.clear():,} removed")


def _removed(store: "DiskStore | RedisStore", entry: str) -> bool:
    """Remove an entry that `verify` names; return False if it cannot be removed alone."""
    try:
        return store.remove(entry)
    except StoreError:
        return False


@app.command()
def why_miss(
    paths: shared.Rows,
    *,
    task: shared.Tasks = None,
    model: shared.Model = None,
    published_at: shared.PublishedAt = None,
    text_column: shared.TextColumn = "text",
    id_column: shared.IdColumn = None,
    date_column: shared.DateColumn = None,
    date_format: shared.DateFormat = None,
    prompts: shared.Prompts = None,
    schemas: shared.Schemas = None,
) -> None:
    """Explain cache misses: whether each request is stored, or how it differs from the nearest stored request."""
    from mahdar.documents.document import check_date_format
    from mahdar.runs.rows import Columns
    from mahdar.runs.sources import Articles
    from mahdar.service import Extractor
    from mahdar.tasks import TASKS

    shared.import_schemas(schemas)
    columns = Columns(text_column, id_column, date_column, date_format=check_date_format(date_format))
    articles = Articles(paths, columns, published_at=published_at)
    settings = shared.settings_of(model)
    with _store() as store, Extractor(settings, tasks=task or TASKS, prompts=prompts or (), store=None) as mahdar:
        stored = {fingerprint: entry["components"] for fingerprint, entry in store.entries() if entry}
        for article in articles:
            for line in _explanations(mahdar, article, stored):
                typer.echo(f"{article.id}: {line}")


def _explanations(mahdar: "Extractor", article: "Document | BadInput", stored: "dict[str, Parts]") -> Iterator[str]:
    """Yield one line for each request of an article, or the reason why it has none."""
    from mahdar.cli.misses import why_miss
    from mahdar.documents.document import BadInput

    if isinstance(article, BadInput):
        yield article.reason
        return
    try:
        requests = mahdar.plan(article)
    except BadInputError as error:
        yield str(error)
    else:
        if not requests:
            yield UNASKED
        for request in requests:
            tasks = ", ".join(request.tasks)
            if request.fingerprint in stored:
                yield f"{tasks}: stored"
                continue
            changes = why_miss(request.components, stored.values())
            differs = "nothing like it is stored" if changes is None else f"differs in {', '.join(map(str, changes))}"
            yield f"{tasks}: not stored; {differs}"


@contextmanager
def _store() -> Iterator["DiskStore | RedisStore"]:
    from mahdar.cache.opening import open_store
    from mahdar.settings import Settings

    with closing(open_store(Settings.from_environment())) as store:
        yield store
