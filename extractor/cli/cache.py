"""`mahdar cache`: the store of raw completions."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.options import DateColumn, IdColumn, Model, Prompts, Rows, Tasks, TextColumn
from extractor.cli.prompts import SETTLED
from extractor.errors import BadInputError, UsageError

if TYPE_CHECKING:
    from extractor.cache.disk import DiskStore
    from extractor.cache.redis import RedisStore
    from extractor.cli.misses import Parts
    from extractor.documents.document import BadInput, Document
    from extractor.inquiries import Inquiry
    from extractor.service import Extractor

app = typer.Typer(help="The cache of answers.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def stats() -> None:
    """Show where answers are kept, how many, and the tokens that they save."""
    with _store() as store:
        found = store.stats()
    typer.echo(f"folder   {found.folder}")
    typer.echo(f"answers  {found.entries:,}")
    typer.echo(f"size     {found.bytes:,} bytes")
    typer.echo(f"tokens   {found.tokens:,}")


@app.command()
def verify() -> None:
    """Read every answer; exit with 1 and name those that cannot be read."""
    with _store() as store:
        broken = store.verify()
    for one in broken:
        typer.echo(one)
    typer.echo("every answer can be read" if not broken else f"{len(broken)} found; `mahdar cache clear` empties it")
    raise typer.Exit(1 if broken else 0)


@app.command()
def clear(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Remove every answer; they cost what they cost again."""
    with _store() as store:
        if not yes and not _agreed(f"Remove all answers in {store.folder}?"):
            typer.echo("nothing removed")
            return
        typer.echo(f"{store.clear():,} removed")


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
    text_column: TextColumn = "text",
    id_column: IdColumn = None,
    date_column: DateColumn = None,
    prompts: Prompts = None,
) -> None:
    """Tell for each article and task whether the answer is stored, or what differs from the nearest one that is."""
    from extractor.runs.rows import Columns
    from extractor.runs.sources import Articles
    from extractor.service import Extractor
    from extractor.tasks import TASKS

    articles = Articles(paths, Columns(text_column, id_column, date_column))
    with _store() as store, Extractor(model=model, tasks=task or TASKS, prompts=prompts or (), store=None) as mahdar:
        stored = {fingerprint: entry["components"] for fingerprint, entry in store.entries() if entry}
        for article in articles:
            lines = tuple(_told(mahdar, article, stored))
            for line in lines or (SETTLED,):
                typer.echo(f"{article.id}: {line}", err=not lines)


def _told(mahdar: "Extractor", article: "Document | BadInput", stored: "dict[str, Parts]") -> Iterator[str]:
    """A line a question; one that says why, of an article that raises none."""
    from extractor.documents.document import BadInput, check

    if isinstance(article, BadInput):
        yield article.reason
        return
    try:
        check(article)
        inquiries = mahdar.inquiries(article)
    except BadInputError as error:
        yield str(error)
    else:
        yield from _found(inquiries, stored)


def _found(inquiries: "Iterable[Inquiry]", stored: "dict[str, Parts]") -> Iterator[str]:
    from extractor.cli.misses import why_miss

    for inquiry in inquiries:
        task, request = inquiry.task, inquiry.request
        if request.fingerprint in stored:
            yield f"{task.schema.task}: stored"
            continue
        changes = why_miss(request.components, stored.values())
        differs = "nothing like it is stored" if changes is None else f"differs in {', '.join(map(str, changes))}"
        yield f"{task.schema.task}: not stored; {differs}"


@contextmanager
def _store() -> Iterator["DiskStore | RedisStore"]:
    from extractor.cache.opening import open_store
    from extractor.settings import Settings

    with closing(open_store(Settings.from_environment())) as store:
        yield store
