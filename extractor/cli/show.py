"""Implement `mahdar show`: show the records of a run's output on a terminal, article by article."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz
from rich.console import Console, Group, RenderableType
from rich.text import Text

from mahdar.cli import display
from mahdar.cli.context import marked
from mahdar.cli.output import standard_output
from mahdar.documents.bidi import Bidi, clean, isolated
from mahdar.errors import UsageError
from mahdar.html.texts import Texts
from mahdar.runs.outputs import Outputs, as_extraction, lines
from mahdar.schemas.records import Extraction, Record

PAGER: Final = "less"
PAGER_OPTIONS: Final = "-FRX"
"""Default of LESS: quit if everything fits on one screen, show colours, leave the text on the screen."""
_MISSING: Final = {
    "absent": "not found: give --articles what it was extracted from",
    "other": "another text than was extracted: give --articles what it was extracted from",
}
_RECORD: Final = re.compile(r"/[a-z]+\d+$")
"""Suffix that names a record, after an article's id."""
_NAMED: Final = 3
"""Maximum of articles named, if several begin with what is asked for."""


@dataclass(slots=True)
class Reader:
    """Reads a file of outputs and renders what is asked for.

    Attributes:
        wanted: an article's id or an unambiguous beginning of it, followed by `/` and a record's id for one record;
            None for everything.
        texts: texts of the articles, to be shown with their records.
    """

    path: Path
    wanted: str | None = None
    texts: Texts | None = None
    coloured: bool = False
    _nearest: tuple[float, str] = (0.0, "")
    _begun: tuple[str, ...] = ()
    _shown: int = 0

    def blocks(self) -> Iterator[RenderableType]:
        """Yield the articles or the record asked for as they are found; then the failures among them.

        Raises:
            UsageError: a line is no extraction, or nothing matches.
        """
        yield from self._found()
        if not self._shown and self.wanted and len(self._begun) == 1:
            self.wanted = self._begun[0] + self.wanted.removeprefix(self._article)
            yield from self._found()
        if not self._shown:
            raise UsageError(self._nothing())

    def _found(self) -> Iterator[RenderableType]:
        for place, line in lines(self.path):
            id_ = str(line.get("document_id"))
            if self._is_wanted(id_) and "failure" not in line:
                self._shown += 1
                yield self._block(as_extraction(place, line))
        for failure in Outputs(self.path).failures():
            if self._is_wanted(failure.document_id):
                self._shown += 1
                said = f"failed: {failure.failure}: {clean(failure.message)}"
                yield Bidi(f"{isolated(failure.document_id)} {said}", "yellow")

    @property
    def _article(self) -> str:
        """What is asked for, without the record's id."""
        return _RECORD.sub("", self.wanted or "")

    def _is_wanted(self, id_: str) -> bool:
        if self.wanted is None or self.wanted == id_ or self.wanted.startswith(f"{id_}/"):
            return True
        article = self._article
        if article and id_.startswith(article) and id_ not in self._begun and len(self._begun) < _NAMED:
            self._begun = (*self._begun, id_)
        self._nearest = max(self._nearest, (fuzz.ratio(id_, article), id_))
        return False

    def _block(self, found: Extraction) -> RenderableType:
        records = [record for each in found.records.values() for record in each]
        if self.wanted in {None, found.document_id}:
            return Group(display.extraction(found), *self._context(found, records, whole=True))
        id_ = (self.wanted or "").removeprefix(f"{found.document_id}/")
        if chosen := [record for record in records if record.id == id_]:
            return Group(display.records(found, chosen), *self._context(found, chosen, whole=False))
        there = f"it has {', '.join(clean(record.id) for record in records)}" if records else "it has none"
        raise UsageError(f"article {found.document_id!r} has no record {id_!r}: {there}")

    def _context(self, found: Extraction, records: list[Record], *, whole: bool) -> Iterator[RenderableType]:
        if self.texts is None:
            return
        text, presence = self.texts.find(found)
        if text is None:
            yield Text(f"article {clean(repr(found.document_id))}: {_MISSING[presence]}", "yellow")
        else:
            yield from marked(text, records, whole=whole, coloured=self.coloured)
        yield ""

    def _nothing(self) -> str:
        if self.wanted is None:
            return f"{self.path}: nothing in it; `mahdar extract -o FILE` writes a line an article"
        near = f"; the nearest is {self._nearest[1]!r}" if self._nearest[1] else ""
        if len(self._begun) > 1:
            near = f"; several begin so: {', '.join(map(repr, self._begun))}"
        return f"{self.path}: no article {self.wanted!r}{near}; ID is an article's id, or ARTICLE/m1 for a record"


def show(path: Path, wanted: str | None, articles: Sequence[str], column: str) -> None:
    """Show records in a pager on a terminal; write them plainly into a pipe.

    Raises:
        UsageError: a line is no extraction, or nothing matches.
    """
    paged = sys.stdout.isatty() and sys.stdin.isatty()
    console = standard_output()
    coloured = sys.stdout.isatty() and not console.no_color
    reader = Reader(path, wanted, Texts.of(articles, column) if articles else None, coloured)
    if paged:
        _page(reader.blocks(), console)
    else:
        for block in reader.blocks():
            console.print(block)


def _page(blocks: Iterable[RenderableType], console: Console) -> None:
    """Feed blocks to the pager as it asks for more; raise an error only after the pager has ended."""
    errors: list[UsageError] = []

    def texts() -> Iterator[str]:
        try:
            for block in blocks:
                with console.capture() as captured:
                    console.print(block)
                yield captured.get()
        except UsageError as error:
            errors.append(error)

    _feed(_pager(), texts())
    for error in errors:
        raise error


def _pager() -> list[str]:
    """Return the command of the user's pager; an empty list if it cannot be run."""
    try:
        command = shlex.split(os.environ.get("PAGER") or PAGER)
    except ValueError:
        return []
    if not command or shutil.which(command[0]) is None:
        return []
    return [*command, "-R"] if Path(command[0]).name == PAGER else command


def _feed(command: list[str], texts: Iterable[str]) -> None:
    if not command:
        sys.stdout.writelines(texts)
        return
    environment = {"LESS": PAGER_OPTIONS, **os.environ}
    # The command is the caller's own choice.
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, encoding="utf-8") as pager:  # noqa: S603
        assert pager.stdin is not None
        with suppress(BrokenPipeError):  # the user has quit the pager
            for text in texts:
                pager.stdin.write(text)
                pager.stdin.flush()
        with suppress(BrokenPipeError):
            pager.stdin.close()
        while pager.poll() is None:
            with suppress(KeyboardInterrupt):  # the pager handles Ctrl-C
                pager.wait()
