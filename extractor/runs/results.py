"""Results on disk: records, failures beside them, and the ledger by which a run is taken up again.

records.jsonl                  one record a line; only ever appended to
records.jsonl.ledger.jsonl     what each article came to; the truth about failures
records.jsonl.errors.jsonl     those that failed, as the ledger has it; not there where none did
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, Final, Literal

from mahdar.documents.document import BadInput, Document
from mahdar.errors import UsageError
from mahdar.results import Failure
from mahdar.runs.export import LEDGER
from mahdar.runs.ledger import (
    LEFT,
    REMEDY,
    Entry,
    History,
    Identity,
    check_same_run,
    entries,
    header,
    header_of,
    total_line,
)
from mahdar.runs.lines import LineFile, json_line, whole_lines
from mahdar.runs.outputs import ERRORS, Result, json_object
from mahdar.runs.register import DONE, FAILED, text_digest

GROUP: Final = 256
EVERY: Final = 1.0
"""Articles, or seconds, after which what was written is brought safely to the disk; a power failure costs no more."""
Fate = Literal["new", "done", "failed", "changed"]
"""what the run knows of an article: nothing, extracted, failed, or extracted from another text"""


class Results:
    """The results of a run, in its files; one that was interrupted goes on where it was.

    Args:
        path: the records.
        run: what the results have in common.
        name: what the names of ledger and errors begin with; by default the path.
        overwrite: begin anew, whatever is there.
        clock: seconds, only ever rising.

    Attributes:
        history: what the run has come to.

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
        self.history = History()
        self._errors = Path(f"{name or path}{ERRORS}")
        self._clock = clock
        self._synced = clock()
        self._new = 0
        self._pending: list[Entry] = []
        self._under_way: dict[str, Document | BadInput] = {}
        self._retried = False
        ledger = Path(f"{name or path}{LEDGER}")
        self._records = _locked_file(path)  # a run by another name of this file, say a link, has another ledger
        try:
            if not (overwrite or os.path.exists(ledger)):  # noqa: PTH110  # Path.exists raises below a closed folder
                _refuse_strange(path)
            self._ledger = LineFile(ledger)
        except BaseException:
            self._records.close()
            raise
        try:
            _lock(self._ledger)
            self._open(run, overwrite=overwrite)
            self._known = len(self.history.register)
        except BaseException:
            self._release()
            raise

    def fate(self, article: Document | BadInput) -> Fate:
        """What is known of an article. One that failed and has another text now is as good as new."""
        flags, text = self.history.register.get(article.id)
        same = text == _text(article)
        if flags == DONE:
            return "done" if same else "changed"
        return "failed" if flags == FAILED and same else "new"

    def has_failed(self, article: Document | BadInput) -> bool:
        """Whether it failed, whatever its text is now."""
        return self.history.register.get(article.id)[0] == FAILED

    def expect(self, article: Document | BadInput) -> None:
        """Remember an article until its result comes."""
        self._under_way[article.id] = article
        self._new += not self.history.register.get(article.id)[0]

    def write(self, result: Result) -> None:
        """Add a result, and now and then see that what was added is safely on the disk.

        An article that the budget stopped is left as it was, neither extracted nor failed; what was spent on it counts.
        """
        article = self._under_way.pop(result.document_id, None)
        if isinstance(result, Failure):
            spent = result.usage
            if result.failure in LEFT and not spent.tokens_in + spent.tokens_out:
                return
            entry = _failed(result, article)
        else:
            self._records.write(json_line(result))
            entry = Entry.of_extraction(result, self._records.end)
        self._pending.append(replace(entry, at=int(time.time())))
        if len(self._pending) >= GROUP or self._clock() - self._synced >= EVERY:
            self.sync()

    def announce(self, articles: int) -> None:
        """Note how many articles are to come, where nothing is known yet."""
        if not self._known:
            self._count(articles)

    def all_met(self) -> None:
        """Note how many articles there are: every one has been met."""
        self._count(self._known + self._new)

    def _count(self, total: int) -> None:
        if total != self.history.total:
            self._ledger.write(total_line(total))
            self.history.add(total)

    def sync(self) -> None:
        """Bring the records to the disk, then the ledger that speaks of them."""
        pending, self._pending = self._pending, []
        if pending:
            self._records.sync()
            self._ledger.write("\n".join(entry.line for entry in pending))
            self._ledger.sync()
        self._complain(pending)
        self._synced = self._clock()

    def close(self) -> None:
        """Bring everything to the disk, and let go of the files."""
        try:
            self.sync()
            if self._retried:
                self._rewrite_errors()
        finally:
            self._release()

    def _complain(self, written: list[Entry]) -> None:
        """Name what failed in the file of errors; where an article failed before, that is written anew at the end."""
        lines = []
        for entry in written:
            before = self.history.register.get(entry.id)[0]
            if entry.failure in LEFT:
                self.history.add(entry)
                continue
            self._retried |= before == FAILED
            if entry.failure is not None and before != FAILED:
                lines.append(entry.error_line)
            self.history.add(entry)
        if lines:
            errors = LineFile(self._errors)
            try:
                errors.write("\n".join(lines))
            finally:
                errors.close()

    def _open(self, run: Identity, *, overwrite: bool) -> None:
        if overwrite:
            self._records.cut(0)
            self._ledger.cut(0)
        before = header_of(self._ledger.path)
        if before is None:
            self._begin(run)
        else:
            check_same_run(self.path, before, run)
            self._go_on()

    def _begin(self, run: Identity) -> None:
        """A ledger that was torn in its first line promises nothing."""
        if self._records.end:
            raise UsageError(f"{self.path} has results in it, and {self._ledger.path} is no ledger: {REMEDY}")
        self._ledger.cut(0)
        self._ledger.write(header(run))
        self._ledger.sync()
        _sync_folder(self.path.parent)
        self._errors.unlink(missing_ok=True)

    def _go_on(self) -> None:
        """Whatever ended the process: what the ledger promises is there, and what is there it speaks of."""
        self._ledger.cut(self._read_ledger())
        self._check_last()
        self._adopt()
        if self.history.failed or self._errors.exists():
            self._rewrite_errors()

    def _read_ledger(self) -> int:
        """Take in the entries that the results bear out; where they end."""
        with self._ledger.path.open("rb") as file:
            held = len(file.readline())
        for entry, end in entries(self._ledger.path):
            if isinstance(entry, Entry) and (entry.end or 0) > self._records.end:
                break
            self.history.add(entry)
            held = end
        return held

    def _check_last(self) -> None:
        """The last record of the ledger must be where that says, or the results have been changed by others."""
        if self.history.last is None:
            return
        entry, start = self.history.last
        with self.path.open("rb") as file:
            file.seek(start)
            line = file.read(self.history.end - start)
        record = json_object(line)
        if not line.endswith(b"\n") or record is None or record.get("document_id") != entry.id:
            raise UsageError(f"{self.path} has been changed since mahdar wrote it: {REMEDY}")

    def _adopt(self) -> None:
        """Records that came too late for the ledger count; what is torn is cut off, to be extracted again."""
        end = self.history.end
        with self.path.open("rb") as file:
            file.seek(end)
            for entry in self._whole_records(file):
                self._pending.append(entry)
                end = entry.end or end
                if len(self._pending) >= GROUP:
                    self.sync()
        self._records.cut(end)
        self.sync()

    def _whole_records(self, file: BinaryIO) -> Iterator[Entry]:
        for line, end in whole_lines(file):
            record = json_object(line)
            if record is None:
                return
            try:
                yield Entry.of_record(record, end)
            except (LookupError, TypeError, ValueError):
                raise UsageError(f"{self.path} has lines that mahdar did not write: {REMEDY}") from None

    def _rewrite_errors(self) -> None:
        """The file of errors as the ledger has it, in one step; none where nothing failed."""
        self._retried = False
        if self._errors_hold():
            return
        made = Path(f"{self._errors}.new")
        made.unlink(missing_ok=True)
        file = LineFile(made)
        try:
            for entry in self.history.failures(self._ledger.path):
                file.write(entry.error_line)
            file.sync()
        finally:
            file.close()
        if file.end:
            made.replace(self._errors)
        else:
            made.unlink()
            self._errors.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def _errors_hold(self) -> bool:
        """Whether the file of errors is as the ledger has it."""
        if not self._errors.exists():
            return not self.history.failed
        with self._errors.open("rb") as file:
            wanted = (f"{entry.error_line}\n".encode() for entry in self.history.failures(self._ledger.path))
            return self.history.failed > 0 and all(ours == theirs for ours, theirs in zip_longest(wanted, file))

    def _release(self) -> None:
        self._records.close()
        self._ledger.close()


def _refuse_strange(path: Path) -> None:
    """Results without a ledger are not of a run that could go on."""
    with suppress(OSError):
        if path.is_file() and path.stat().st_size:
            raise UsageError(f"{path} has results in it, and no ledger beside it: {REMEDY}")


def _failed(failure: Failure, article: Document | BadInput | None) -> Entry:
    if isinstance(article, Document):
        return Entry.of_failure(failure, article.sha256, article.published_at)
    return Entry.of_failure(failure, "", None)


def _text(article: Document | BadInput) -> bytes:
    if isinstance(article, Document):
        return text_digest(article.sha256, article.published_at)
    return text_digest("", None)


def is_locked(ledger: Path) -> bool:
    """Whether a process writes to the results that this ledger is of."""
    with ledger.open("rb") as file:
        return not _locked(file.fileno(), alone=False)


def _locked_file(path: Path) -> LineFile:
    """Open a file that no other process writes to; of a device there may be several."""
    file = LineFile(path)
    if file.is_plain:
        try:
            _lock(file)
        except BaseException:
            file.close()
            raise
    return file


def _lock(file: LineFile) -> None:
    """Keep other processes from writing to the same results, until the file is closed."""
    if not _locked(file.descriptor, alone=True):
        said = f"{file.path.name.removesuffix(LEDGER)} is being written by another mahdar"
        raise UsageError(f"{said}: wait for that to end, or name another file with --output")


def _locked(file: int, *, alone: bool) -> bool:
    """Lock an open file, if that is possible; Windows knows no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make new names as safe as what the files hold; where folders cannot be synced, the system does it in time."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
