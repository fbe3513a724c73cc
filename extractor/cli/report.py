"""Where a report goes: pages into files, each entire or not at all, and nothing overwritten but an older report."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from mahdar.errors import UsageError

if TYPE_CHECKING:
    from mahdar.html.page import Language
    from mahdar.html.texts import Texts
    from mahdar.runs.outputs import Outputs

_BEGINNING: Final = 256
"""Characters in which a page says what it is."""
_MARK: Final = 'data-mahdar="report"'


def of_outputs(
    outputs: Path, articles: Iterable[str], name: str, language: "Language", *, column: str, draw: bool
) -> Iterator[tuple[str, str]]:
    """The pages of a file of extractions.

    Args:
        outputs: the file.
        articles: where their texts are.
        name: of the first page.
        language: of the interface.
        column: where rows of the articles have their text.
        draw: pictures.

    Raises:
        MahdarError: a file cannot be read, or is something else.
    """
    from mahdar.html.pictures import drawable
    from mahdar.html.report import report
    from mahdar.html.texts import Texts
    from mahdar.runs.outputs import Outputs

    if draw and not drawable():
        typer.echo("mahdar: no pictures in this report; pip install 'mahdar[report]' brings what draws them", err=True)
    texts = Texts.of(given := tuple(articles), column)
    if given:
        _tell_missing(Outputs(outputs), texts)
    return report(Outputs(outputs), texts, name=name, language=language, draw=draw)


def _tell_missing(outputs: "Outputs", texts: "Texts") -> None:
    """Say how many articles have their text, unless all have."""
    found = [texts.find(output.extraction)[1] == "found" for output in outputs]
    if not all(found):
        typer.echo(f"mahdar: texts of {sum(found):,} of {len(found):,} articles found in --articles", err=True)


def write(pages: Iterable[tuple[str, str]], first: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write the pages of a report.

    Args:
        pages: file names and HTML; the first one's name is the file's own.
        first: the file of the first page; the others stand beside it.
        overwrite: also what is no report.

    Raises:
        UsageError: a file that is no report is in the way, or cannot be written.
    """
    _refuse(first, overwrite=overwrite)
    written = []
    for name, html in pages:
        path = first.with_name(name)
        _refuse(path, overwrite=overwrite)
        _write(path, html)
        written.append(path)
    return tuple(written)


def _refuse(path: Path, *, overwrite: bool) -> None:
    if overwrite or not path.exists():
        return
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            is_report = _MARK in file.read(_BEGINNING)
    except OSError as error:
        raise _unwritable(path, error) from None
    if not is_report:
        raise UsageError(f"{path} is no report of mahdar: give --overwrite to replace it, or another name with -o")


def _write(path: Path, text: str) -> None:
    """Beside the file first, then in its place."""
    try:
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(made).chmod(0o644)  # as any page: mkstemp's own are for one's eyes only
        Path(made).replace(path)
    except OSError as error:
        Path(made).unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}; name another file with -o")
