"""`mahdar extract --engine ray`: the same run on a cluster."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import typer

from mahdar.cli.display import cost
from mahdar.cli.exits import ALL_WELL, INTERRUPTED, SOME_FAILED
from mahdar.documents.bidi import clean
from mahdar.documents.document import STDIN, BadInput, Document
from mahdar.errors import UsageError
from mahdar.settings import Settings
from mahdar.wording import CHANGED, listed

_FOLDED: Final = re.compile(r"^([a-z0-9+]{2,}):/+(?=[^/])")
"""A URL after `Path` has made one slash of two."""


def extract_on_ray(
    paths: Sequence[str],
    read: Callable[[Sequence[str]], Iterable[Document | BadInput]],
    output: Path | None,
    form: str | None,
    settings: Settings,
    *,
    tasks: Sequence[str],
    prompts: Sequence[Path],
    schemas: tuple[str, ...],
    concurrency: int,
    keep: bool,
    overwrite: bool,
    retry_errors: bool,
    address: str | None,
    workers: int | None,
    local: Mapping[str, object],
) -> NoReturn:
    """Extract, say what it came to, and exit. Other machines may be in other folders: every path is made absolute.

    Raises:
        UsageError: no place for the results is named, an option in `local` is given, or Ray is not installed.
    """
    if given := [name for name, value in local.items() if value is not None]:
        raise UsageError(f"{', '.join(given)}: not on a cluster; leave it out, or take --engine local")
    if output is None:
        raise UsageError("a cluster writes to a folder that every machine sees: name it with --output")
    if STDIN in paths:
        raise UsageError("standard input is on this machine only: name files or URLs that every machine sees")
    try:
        from mahdar.ray.driver import Work, run
        from mahdar.ray.parts import Parts
    except ModuleNotFoundError as error:
        raise UsageError(f"--engine ray takes {error.name}; pip install 'mahdar[ray]', on every machine") from None
    work = Work(
        replace(settings, cache=settings.cache.absolute()),
        tuple(tasks),
        tuple(folder.absolute() for folder in prompts),
        schemas,
        keep=keep,
        concurrency=concurrency,
    )
    try:
        parts = Parts(_FOLDED.sub(r"\1://", str(output).removeprefix("file:")), form)
        source = partial(read, [path if "://" in path else os.path.abspath(path) for path in paths])  # noqa: PTH100
        came = run(
            work, source, parts, overwrite=overwrite, retry_errors=retry_errors, address=address, workers=workers
        )
    except KeyboardInterrupt:
        typer.echo("\ninterrupted; what is written stays, and the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if came.changed:
        typer.echo(f"{listed(list(map(clean, came.changed_ids)), came.changed)}: {CHANGED}", err=True)
    spent = f"; {came.tokens:,} tokens, {cost(came.cost)}" if came.tokens else ""
    typer.echo(f"{came}{spent} → {parts.place}", err=True)
    raise typer.Exit(SOME_FAILED if came.failures or came.failed_before else ALL_WELL)
