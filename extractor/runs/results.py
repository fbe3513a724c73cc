"""Write the results of a run to disk, and resume an interrupted run from them.

records.jsonl                  the records, one line an article
records.jsonl.ledger.sqlite    the outcome of each article; authoritative for failures
records.jsonl.errors.jsonl     the failed articles, written from the ledger; absent if none failed
records.jsonl.history.jsonl    records that were replaced because their article has changed
records.jsonl.damaged.jsonl    lines found in records.jsonl that are not as they were written

An article's entry is committed to the ledger before its line is written. However the process ends, the next run
compares every line with its checksum: missing lines are extracted again, lines that do not belong there are moved away.
"""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from mahdar.documents.bidi import clean
from mahdar.documents.document import BadInput, Document
from mahdar.errors import UsageError
from mahdar.limits.budget import Spending
from mahdar.results import Failure, Usage
from mahdar.runs.database import UnreadableLedgerError
from mahdar.runs.entry import Entry
from mahdar.runs.identity import REMEDY, Identity, check_same_run, older_version_error
from mahdar.runs.ledger import ALWAYS_RETRIED, RUN_FAILURES, Ledger, Progress
from mahdar.runs.lines import LineFile, checksum, json_line, lock, sync_folder, whole_lines, write_whole
from mahdar.runs.outputs import ERRORS, Result, as_extraction, json_object
from mahdar.runs.salvage import salvage
from mahdar.runs.target import DAMAGED, HISTORY, LEDGER
from mahdar.wording import NAMED, counted, join_names

if TYPE_CHECKING:
    from mahdar.runs.account import Account

OLD_LEDGER: Final = ".ledger.jsonl"
"""Suffix of the ledger of older versions, which is JSON Lines."""
SYNC_INTERVAL: Final = 1.0
"""Seconds between flushes to the disk: the most that a power failure can lose."""
ArticleState = Literal["new", "done", "failed", "changed"]
"""an article's state in a run: not seen, extracted, failed, or extracted from another text or for another day"""


class RunResults:
    """The files that a run writes; opening those of an interrupted run resumes it.

    A context manager that closes the files, to be used by one thread at a time.

    Args:
        path: the file of records.
        run: the identity of the run, see `mahdar.runs.identity.identity`.
        name: prefix of the names of the other files; by default `path`.
        overwrite: start over, whatever the files hold.
        clock: a monotonic clock, in seconds.

    Attributes:
        repaired: the damage found, a line for the ledger and one for the records; empty if there was none.
        files: the ids of the files that articles are read from.
        restored: number of articles that had changed and failed, and are again as their record says.

    Raises:
        UsageError: the files belong to another run or are something else, are in use, or cannot be written.
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
        self.restored = 0
        self._extracted: dict[bytes, Entry | None] = {}
        self._account: Account | None = None
        self._records = _locked(path)
        try:
            self._ledger = self._opened(run, overwrite=overwrite)
        except BaseException:
            self._records.close()
            raise
        try:
            self._resume(run)
        except BaseException:
            self._close_files()
            raise

    def _opened(self, run: Identity, *, overwrite: bool) -> Ledger:
        ledger = self._beside(LEDGER)
        if overwrite:
            self._records.cut(0)
            for end in (*(LEDGER + end for end in ("", "-wal", "-shm")), OLD_LEDGER, ERRORS, HISTORY):
                self._beside(end).unlink(missing_ok=True)
        elif not os.path.exists(ledger):  # noqa: PTH110  # Path.exists raises below a closed folder
            if os.path.exists(self._beside(OLD_LEDGER)):  # noqa: PTH110  # as above
                raise older_version_error(self._beside(OLD_LEDGER))
            if self._records.end:
                raise UsageError(f"{self.path} has results in it, and no ledger beside it: {REMEDY}")
        try:
            return _verified(ledger)
        except UnreadableLedgerError as error:
            entries = salvage(ledger, run, self.path)
            if entries is None:
                raise UsageError(f"{ledger} {error.found}: {REMEDY}") from None
            made = f"made anew of the {counted(entries, 'article')} that could be read"
            self.repaired = f"{ledger} {error.found}: {made}; all others are extracted again"
            return _verified(ledger)

    def _resume(self, run: Identity) -> None:
        before = self._ledger.identity
        if before is None:
            if self._records.end:
                raise UsageError(f"{self.path} has results in it, and {self._ledger.path} is empty: {REMEDY}")
            self._ledger.begin(run)
            sync_folder(self.path.parent)
        else:
            check_same_run(self.path, before, run)
        self._ledger.use_wal()
        self._account, self.files = self._ledger.account(), self._ledger.files()
        self.repaired = "\n".join(filter(None, (self.repaired, self._repair())))
        self._write_errors()

    @property
    def progress(self) -> Progress:
        """Progress of the run, earlier runs into the same files included."""
        return self._ledger.progress()

    def state(self, article: Document | BadInput) -> ArticleState:
        """Return an article's state. An article that failed and has changed since counts as new.

        An article that had changed and failed, and is again as its record says, is done: its failure is forgotten.
        """
        entry = self._current(article)
        if entry is None or entry.failure == ALWAYS_RETRIED:
            return "new"
        if entry.is_of(*_version(article)):
            return "failed" if entry.failure else "done"
        return "changed" if entry.line else "new"

    def has_failed(self, article: Document | BadInput) -> bool:
        """Return whether an article failed before, unless it is as its record says; its text may have changed since."""
        entry = self._current(article)
        return entry is not None and entry.failure is not None

    def _current(self, article: Document | BadInput) -> Entry | None:
        """Return the entry of an article; restore that of its record if only another text or day of it has failed."""
        entry = self._ledger.get(article.id)
        if entry is None or entry.failure is None or entry.line is None or entry.is_of(*_version(article)):
            return entry
        extracted = self._entry_of_line(entry.line)
        if extracted is None or not extracted.is_of(*_version(article)):
            return entry
        # What its record took was counted when it was written.
        self._ledger.put(replace(extracted, tokens_in=0, tokens_out=0, cost=0.0, at=int(time.time())))
        self._errors_are_stale = True
        self.restored += 1
        return extracted

    def _entry_of_line(self, line: bytes) -> Entry | None:
        """Return the entry of the line with this checksum; None if the records have no such line.

        The records are read once, for all articles that have a record and a later failure.
        """
        if line not in self._extracted:
            self._extracted |= dict.fromkeys(entry.line for entry in self._ledger.failures() if entry.line)
            with self.path.open("rb") as file:
                for text, _ in whole_lines(file):
                    if (known := checksum(text)) in self._extracted:
                        extraction = as_extraction(str(self.path), json_object(text))
                        self._extracted[known] = Entry.of_extraction(extraction, known, 0)
        return self._extracted.get(line)

    def expect(self, article: Document | BadInput) -> None:
        """Register an article whose result is going to be written."""
        self._under_way[article.id] = article

    def write(self, result: Result) -> None:
        """Write a result.

        An article that the budget stopped is recorded as neither extracted nor failed; only its cost is counted. A new
        record of an article that has one already replaces it in `settle`.
        """
        article = self._under_way.pop(result.document_id, None)
        if isinstance(result, Failure) and result.failure in RUN_FAILURES:
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
            if old is not None and not failed_before:
                self._extracted[old] = before
        else:
            line = json_line(result)
            entry = Entry.of_extraction(result, checksum(line.encode()), now)
            self._ledger.put(entry, old=old, text=line)
            if old is None:
                self._records.write(line)
        if self._clock() - self._synced >= SYNC_INTERVAL:
            self.sync()

    def spend(self, usage: Usage) -> None:
        """Count tokens and cost of an article whose outcome stays as it is."""
        if usage.attempts or usage.tokens_in or usage.tokens_out:
            self._ledger.spend(usage)

    def charge(self, charged: Spending) -> None:
        """Store what all calls of the run can have cost so far; may be called in another thread."""
        if self._account is not None:
            self._account.write(charged)

    def announce(self, articles: int) -> None:
        """Store how many articles are expected, if none has been recorded yet."""
        if not len(self._ledger):
            self._ledger.set_total(articles)

    def set_total(self) -> None:
        """Store the number of articles, now that all have been read."""
        new = sum(self._ledger.get(article) is None for article in self._under_way)
        self._ledger.set_total(len(self._ledger) + new)

    def sync(self) -> None:
        """Flush everything written to the disk."""
        self._ledger.sync()
        self._records.sync()
        self._synced = self._clock()

    def settle(self) -> None:
        """Replace the records of changed articles by the new ones; append the replaced ones to the history."""
        if next(self._ledger.replacements(), None) is not None:
            self._repair()
        if self._errors_are_stale:
            self._write_errors()

    def close(self) -> None:
        """Settle, flush everything to the disk, and close the files."""
        try:
            self.settle()
            self.sync()
        finally:
            self._close_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _repair(self) -> str:
        """Repair the records by the ledger; return one line about the damage, or an empty string."""
        end = 0

        def checksums() -> Iterator[bytes]:
            nonlocal end
            for line, end in whole_lines(file):  # noqa: B007  # where the last whole line ends
                yield checksum(line)

        with self.path.open("rb") as file:
            unknown, missing = self._ledger.compare(checksums())
        if end < self._records.end:
            self._records.cut(end)
        forgotten, failed = self._ledger.forget_missing(NAMED) if missing else ([], 0)
        if unknown or next(self._ledger.replacements(), None) is not None:
            self._rewrite()
        if not (unknown or missing):
            return ""
        moved = f"; {counted(unknown, 'line')} moved to {self._beside(DAMAGED)}" if unknown else ""
        lost, again = "", missing - failed
        if again:
            names = join_names(list(map(clean, forgotten)), again)
            lost = f"; {counted(again, 'record')} missing, extracted again: {names}"
        if failed:
            lost += f"; {counted(failed, 'record')} missing, of articles that failed since (--retry-errors takes them)"
        return f"{self.path} is not as it was written{moved}{lost}"

    def _rewrite(self) -> None:
        """Rewrite the records in one step; move replaced records to the history and unknown lines to their own file."""
        target = Path(os.path.realpath(self.path))
        temporary = target.with_name(f".{target.name}.new")
        temporary.unlink(missing_ok=True)
        new = _locked(temporary)
        history, damaged = _SideFile(self._beside(HISTORY)), _SideFile(self._beside(DAMAGED))
        try:
            waiting = {known for known, _ in self._ledger.replacements()}
            with self.path.open("rb") as file:
                for line, _ in whole_lines(file):
                    known = checksum(line)
                    if not self._ledger.take_found(known):  # a duplicate
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
                        self._retry(line)
                        damaged.add(line)
            for known, text in self._ledger.replacements():
                if known in waiting:
                    new.write(text)
            for written in (history, damaged, new):
                written.sync()
            temporary.replace(target)
        except BaseException:
            new.close()
            temporary.unlink(missing_ok=True)
            raise
        finally:
            history.close()
            damaged.close()
        sync_folder(target.parent)
        self._records.close()
        self._records, new.path = new, self.path
        self._ledger.forget_replacements()

    def _retry(self, line: bytes) -> None:
        """Extract the article of an unknown line again if it has failed: the entry may be older than the line."""
        article = (json_object(line) or {}).get("document_id")
        entry = self._ledger.get(article) if isinstance(article, str) else None
        if entry is not None and entry.failure not in {None, ALWAYS_RETRIED} and entry.line is None:
            message = f"a line of it in {self.path} is not as it was written: the next run extracts it again"
            self._ledger.put(
                replace(entry, failure=ALWAYS_RETRIED, message=message, tokens_in=0, tokens_out=0, cost=0.0)
            )

    def _append_error(self, entry: Entry) -> None:
        with closing(LineFile(self._beside(ERRORS))) as errors:
            errors.write(entry.error_line)

    def _write_errors(self) -> None:
        """Write the error file from the ledger; remove it if nothing failed."""
        self._errors_are_stale = False
        write_whole(self._beside(ERRORS), (entry.error_line for entry in self._ledger.failures()))

    def _beside(self, end: str) -> Path:
        return Path(f"{self._name}{end}")

    def _close_files(self) -> None:
        if self._account is not None:
            self._account.close()
        self._ledger.close()
        self._records.close()


class _SideFile:
    """A file that lines are moved to, created with the first; adding a line again has no effect."""

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
    """Return whether a process is writing to these records."""
    try:
        with records.open("rb") as file:
            return not lock(file.fileno(), shared=True)
    except FileNotFoundError:
        return False


def _version(article: Document | BadInput) -> tuple[str, dt.date | None]:
    """Return what distinguishes an article from a later version: its text, and the day that «yesterday» counts from."""
    return (article.sha256, article.published_at) if isinstance(article, Document) else ("", None)


def _verified(path: Path) -> Ledger:
    """Open a ledger, or create it, and check it for damage.

    Raises:
        UnreadableLedgerError: the ledger is damaged.
    """
    ledger = Ledger(path, create=True)
    try:
        ledger.verify()
    except BaseException:
        ledger.close()
        raise
    return ledger


def _locked(path: Path) -> LineFile:
    """Open a file and lock it for this process.

    Raises:
        UsageError: another process writes to the file, or it cannot be opened.
    """
    file = LineFile(path)
    if file.is_plain and not (lock(file.descriptor) and file.is_there):
        file.close()
        raise UsageError(
            f"{path.name} is being written by another mahdar: wait for it to end, or name another file with --output"
        )
    return file
