"""Results on disk: records, failures beside them, and the ledger by which a run is taken up again.

records.jsonl                  one record a line; one line an article
records.jsonl.ledger.sqlite    what each article came to; the truth about failures
records.jsonl.errors.jsonl     those that failed, written from the ledger; not there where none did
records.jsonl.history.jsonl    records that were replaced because their article has changed
records.jsonl.damaged.jsonl    lines that were found in records.jsonl and are not as they were written

An article's entry is committed to the ledger before its line is written. Whatever ends the process, the next run
compares every line with its checksum: what is missing is extracted again, what does not belong there is set aside.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from mahdar.documents.document import BadInput, Document
from mahdar.errors import UsageError
from mahdar.results import Failure, Usage
from mahdar.runs.identity import REMEDY, Identity, check_same_run, older
from mahdar.runs.ledger import LEFT, RETRIED, Entry, Ledger, Progress
from mahdar.runs.lines import LineFile, checksum, json_line, lock, sync_folder, whole_lines, write_whole
from mahdar.runs.outputs import ERRORS, Result
from mahdar.runs.target import DAMAGED, HISTORY, LEDGER
from mahdar.wording import NAMED, counted, listed

OLDER: Final = ".ledger.jsonl"
"""Ends the name of the ledger of a version that kept it as JSON Lines."""
EVERY: Final = 1.0
"""Seconds after which what was written is brought safely to the disk; a power failure costs no more."""
Fate = Literal["new", "done", "failed", "changed"]
"""what the run knows of an article: nothing, extracted, failed, or extracted from another text or for another day"""


class Results:
    """The results of a run, in its files; one that was interrupted goes on where it was.

    Used by one thread at a time; a context manager that closes the files.

    Args:
        path: the records.
        run: the identity of the run, see `mahdar.runs.ledger.identity`.
        name: what the names of the other files begin with; by default the path.
        overwrite: begin anew, whatever is there.
        clock: seconds, only ever rising.

    Attributes:
        repaired: what was found damaged and is extracted again, in one line; empty where nothing was.

    Raises:
        UsageError: the files are of another run, of something else, in use, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        run: Identity,
        *,
        name: Path | None = None,
        overwrite: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.repaired = ""
        self._name = name or path
        self._clock = clock
        self._synced = clock()
        self._under_way: dict[str, Document | BadInput] = {}
        self._errors_are_stale = False
        self._records = _locked(path)
        try:
            self._ledger = self._opened(overwrite=overwrite)
        except BaseException:
            self._records.close()
            raise
        try:
            self._go_on(run)
        except BaseException:
            self._release()
            raise

    def _opened(self, *, overwrite: bool) -> Ledger:
        ledger = self._beside(LEDGER)
        if overwrite:
            self._records.cut(0)
            for end in (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", OLDER, ERRORS, HISTORY):
                self._beside(end).unlink(missing_ok=True)
        elif not os.path.exists(ledger):  # noqa: PTH110  # Path.exists raises below a closed folder
            if os.path.exists(self._beside(OLDER)):  # noqa: PTH110  # as above
                raise older(self._beside(OLDER))
            if self._records.end:
                raise UsageError(f"{self.path} has results in it, and no ledger beside it: {REMEDY}")
        return Ledger(ledger, create=True)

    def _go_on(self, run: Identity) -> None:
        before = self._ledger.identity
        if before is None:
            if self._records.end:
                raise UsageError(f"{self.path} has results in it, and {self._ledger.path} is empty: {REMEDY}")
            self._ledger.begin(run)
            sync_folder(self.path.parent)
        else:
            check_same_run(self.path, before, run)
            self._ledger.check()
        self._ledger.write_ahead()
        self.repaired = self._mend()
        self._write_errors()

    @property
    def progress(self) -> Progress:
        """What the run has come to, earlier ones into the same files included."""
        return self._ledger.progress()

    def fate(self, article: Document | BadInput) -> Fate:
        """What is known of an article. One that failed and has another text now is as good as new."""
        entry = self._ledger.get(article.id)
        if entry is None or entry.failure == RETRIED:
            return "new"
        if entry.is_of(*_version(article)):
            return "failed" if entry.failure else "done"
        return "changed" if entry.line else "new"

    def has_failed(self, article: Document | BadInput) -> bool:
        """Whether it failed, whatever its text is now."""
        entry = self._ledger.get(article.id)
        return entry is not None and entry.failure is not None

    def expect(self, article: Document | BadInput) -> None:
        """Remember an article until its result comes."""
        self._under_way[article.id] = article

    def write(self, result: Result) -> None:
        """Add a result.

        An article that the budget stopped is left as it was, neither extracted nor failed; what was spent on it counts.
        The record of an article that has one already takes its place when the results are settled.
        """
        article = self._under_way.pop(result.document_id, None)
        if isinstance(result, Failure) and result.failure in LEFT:
            self.spend(result.usage)
            return
        before, now = self._ledger.get(result.document_id), int(time.time())
        old = before.line if before else None
        failed_before = before is not None and before.failure is not None
        self._errors_are_stale |= failed_before
        if isinstance(result, Failure):
            text_sha256, day = _version(article) if article else ("", None)
            entry = Entry.of_failure(result, text_sha256, day, old, now)
            self._ledger.put(entry)
            if not failed_before:
                self._append_error(entry)
        else:
            line = json_line(result)
            entry = Entry.of_extraction(result, checksum(line.encode()), now)
            self._ledger.put(entry, old=old, text=line)
            if old is None:
                self._records.write(line)
        if self._clock() - self._synced >= EVERY:
            self.sync()

    def spend(self, usage: Usage) -> None:
        """Count what was spent on an article that is left as it was."""
        if usage.attempts or usage.tokens_in or usage.tokens_out:
            self._ledger.spend(usage)

    def announce(self, articles: int) -> None:
        """Note how many articles are to come, where nothing is known yet."""
        if not len(self._ledger):
            self._ledger.set_total(articles)

    def all_met(self) -> None:
        """Note how many articles there are: every one has been met."""
        new = sum(self._ledger.get(article) is None for article in self._under_way)
        self._ledger.set_total(len(self._ledger) + new)

    def sync(self) -> None:
        """Return once everything written is on the disk."""
        self._ledger.sync()
        self._records.sync()
        self._synced = self._clock()

    def settle(self) -> None:
        """Put new records of changed articles in the places of the earlier ones, which go to the history."""
        if next(self._ledger.replacements(), None) is not None:
            self._mend()
        if self._errors_are_stale:
            self._write_errors()

    def close(self) -> None:
        """Settle, bring everything to the disk, and let go of the files."""
        try:
            self.settle()
            self.sync()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _mend(self) -> str:
        """Make the records what the ledger says they are; what was found wrong, in one line."""
        end = 0

        def checksums() -> Iterator[bytes]:
            nonlocal end
            for line, end in whole_lines(file):  # noqa: B007  # where the last whole line ends
                yield checksum(line)

        with self.path.open("rb") as file:
            strange, missing = self._ledger.compare(checksums())
        if end < self._records.end:
            self._records.cut(end)
        names = self._ledger.forget_missing(NAMED) if missing else []
        if strange or next(self._ledger.replacements(), None) is not None:
            self._rewrite()
        if not (strange or missing):
            return ""
        aside = f"; {counted(strange, 'line')} set aside in {self._beside(DAMAGED)}" if strange else ""
        lost = f"; {counted(missing, 'record')} missing, extracted again: {listed(names, missing)}" if missing else ""
        return f"{self.path} is not as it was written{aside}{lost}"

    def _rewrite(self) -> None:
        """Write the records anew, in one step; replaced ones go to the history, strange lines are set aside."""
        target = Path(os.path.realpath(self.path))
        made = target.with_name(f".{target.name}.new")
        made.unlink(missing_ok=True)
        new = _locked(made)
        history, damaged = _Aside(self._beside(HISTORY)), _Aside(self._beside(DAMAGED))
        try:
            waiting = {known for known, _ in self._ledger.replacements()}
            with self.path.open("rb") as file:
                for line, _ in whole_lines(file):
                    known = checksum(line)
                    if not self._ledger.take(known):  # a second copy
                        damaged.add(line)
                    elif self._ledger.has_line(known):
                        new.write(line)
                        waiting.discard(known)
                    elif replacement := self._ledger.replacement(known):
                        history.add(line)
                        if replacement[0] in waiting:
                            new.write(replacement[1])
                            waiting.discard(replacement[0])
                    else:
                        damaged.add(line)
            for known, text in self._ledger.replacements():
                if known in waiting:
                    new.write(text)
            for written in (history, damaged, new):
                written.sync()
            made.replace(target)
        except BaseException:
            new.close()
            made.unlink(missing_ok=True)
            raise
        finally:
            history.close()
            damaged.close()
        sync_folder(target.parent)
        self._records.close()
        self._records, new.path = new, self.path
        self._ledger.forget_replacements()

    def _append_error(self, entry: Entry) -> None:
        errors = LineFile(self._beside(ERRORS))
        try:
            errors.write(entry.error_line)
        finally:
            errors.close()

    def _write_errors(self) -> None:
        """Write the error file as the ledger has it; none where nothing failed."""
        self._errors_are_stale = False
        write_whole(self._beside(ERRORS), (entry.error_line for entry in self._ledger.failures()))

    def _beside(self, end: str) -> Path:
        return Path(f"{self._name}{end}")

    def _release(self) -> None:
        self._ledger.close()
        self._records.close()


class _Aside:
    """A file that lines are moved to; a line that is there already is not added again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: LineFile | None = None
        self._held: set[bytes] = set()

    def add(self, line: bytes) -> None:
        if self._file is None:
            self._file = LineFile(self._path)
            with self._path.open("rb") as file:
                self._held = set(map(checksum, file))
        known = checksum(line)
        if known not in self._held:
            self._held.add(known)
            self._file.write(line)

    def sync(self) -> None:
        if self._file:
            self._file.sync()

    def close(self) -> None:
        if self._file:
            self._file.close()


def is_running(records: Path) -> bool:
    """Whether a process writes to these results."""
    try:
        with records.open("rb") as file:
            return not lock(file.fileno(), shared=True)
    except FileNotFoundError:
        return False


def _version(article: Document | BadInput) -> tuple[str, dt.date | None]:
    """What tells an article from a later version of it: its text, and the day that «yesterday» counts from."""
    return (article.sha256, article.published_at) if isinstance(article, Document) else ("", None)


def _locked(path: Path) -> LineFile:
    """Open a file that no other process writes to.

    Raises:
        UsageError: another process does, or it cannot be opened.
    """
    file = LineFile(path)
    if file.is_plain and not (lock(file.descriptor) and file.is_there):
        file.close()
        said = f"{path.name} is being written by another mahdar"
        raise UsageError(f"{said}: wait for that to end, or name another file with --output")
    return file
