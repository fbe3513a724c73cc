"""Write the pages of a report to files, each atomically, overwriting nothing but an older report."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from mahdar.errors import UsageError

if TYPE_CHECKING:
    from mahdar.html.page import Language

_BEGINNING: Final = 256
"""Number of characters within which a report is marked as one."""
_MARK: Final = 'data-mahdar="report"'


def of_outputs(
    outputs: Path, articles: Iterable[str], name: str, language: "Language", *, column: str, draw: bool
) -> Iterator[tuple[str, str]]:
    """Return the pages of the report on a file of extractions, as file names and HTML.

    Args:
        outputs: the file of extractions.
        articles: paths of the articles.
        name: file name of the first page.
        language: language of the interface.
        column: column with the text, in articles that are rows.
        draw: add pictures.

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
        found = [texts.find(output.extraction)[1] == "found" for output in Outputs(outputs)]
        if not all(found):
            typer.echo(f"mahdar: texts of {sum(found):,} of {len(found):,} articles found in --articles", err=True)
    return report(Outputs(outputs), texts, name=name, language=language, draw=draw)


def write(pages: Iterable[tuple[str, str]], first: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write the pages of a report.

    Args:
        pages: file names and HTML; the first name is that of `first`.
        first: path of the first page; the others are written beside it.
        overwrite: also replace files that are not reports.

    Raises:
        UsageError: a file that is not a report would be replaced, or a file cannot be written.
    """
    _refuse(first, overwrite=overwrite)
    written = []
    for name, html in pages:
        path = first.with_name(name)
        _refuse(path, overwrite=overwrite)
        try:
            write_file(path, html)
        except OSError as error:
            raise _unwritable(path, error) from None
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
        raise UsageError(f"{path} is not a report of mahdar: give --overwrite to replace it, or another name with -o")


def write_file(path: Path, text: str) -> None:
    """Write a file atomically: beside it first, then in its place.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)  # mkstemp makes files readable for their owner only
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}; name another file with -o")
