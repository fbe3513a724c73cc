"""The ledger of a run: what became of every article, in an SQLite database beside the results.

It holds the identity of the run, and for each article the SHA-256 of its text, the checksum of its line in the results
or the class of its failure, and what it took. Every article is a transaction of its own. The database is in WAL mode
with `synchronous=NORMAL`: a commit survives the end of the process, however that comes, and does not wait for the disk;
`Ledger.sync` does, so that a power failure costs what was written since. When it is closed, a ledger becomes a single
file again, which can be copied, and read in a folder that cannot be written.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mahdar.errors import UsageError
from mahdar.results import Failure, Usage
from mahdar.runs.identity import MADE_BY, REMEDY, Identity
from mahdar.runs.lines import dumps
from mahdar.runs.outputs import json_object
from mahdar.schemas.records import Extraction

FORMAT: Final = 3
"""`user_version` of the database."""
APPLICATION: Final = 0x6D686472
"""`application_id` of the database: mhdr."""
RETRIED: Final = "internal"
"""The class of failure that the next run tries again by itself: the fault is mahdar's, not the article's."""
LEFT: Final = frozenset({"over_budget"})
"""Classes of failure that speak of the run, not of the article: it is left as it was."""
RECENT: Final = 200
"""Articles that the rate is taken from."""
PATIENCE: Final = 30.0
"""Seconds to wait for another process's transaction."""
_TABLES: Final = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE run (
    identity TEXT NOT NULL,
    total INTEGER,
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost REAL DEFAULT 0
);
CREATE TABLE articles (
    id TEXT PRIMARY KEY,
    text_sha256 TEXT NOT NULL,
    published_at TEXT,
    line BLOB UNIQUE,
    failure TEXT,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost REAL,
    cached INTEGER NOT NULL,
    records INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE replacements (
    line BLOB PRIMARY KEY,
    old BLOB NOT NULL,
    text TEXT NOT NULL
);
"""
_COMPARISON: Final = """
DROP TABLE IF EXISTS temp.found;
DROP VIEW IF EXISTS temp.missing;
CREATE TEMP TABLE found (line BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP VIEW missing AS
SELECT id FROM main.articles
WHERE line IS NOT NULL AND line NOT IN (SELECT line FROM found) AND line NOT IN (SELECT line FROM main.replacements)
ORDER BY rowid;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one article: a row of the ledger.

    Attributes:
        text_sha256: of its text; empty where it could not be read.
        line: the checksum of its line in the results; None where it has none. An article with a line and a failure was
            extracted, has another text now, and failed with that.
        failure: the class of the failure; None where it was extracted.
        cost: US dollars; None where that is not known.
        at: when it was written, in seconds since 1970.
    """

    id: str
    text_sha256: str
    published_at: str | None = None
    line: bytes | None = None
    failure: str | None = None
    message: str = ""
    attempts: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    cached: bool = False
    records: int = 0
    rejected: int = 0
    at: int = 0

    @classmethod
    def of_extraction(cls, result: Extraction, line: bytes, at: int) -> Self:
        """The entry of a result whose line has this checksum."""
        made = result.provenance
        return cls(
            id=result.document_id,
            text_sha256=result.text_sha256,
            published_at=_iso(result.published_at),
            line=line,
            attempts=made.attempts,
            tokens_in=made.tokens_in,
            tokens_out=made.tokens_out,
            cost=made.cost,
            cached=made.cached,
            records=sum(map(len, result.records.values())),
            rejected=len(result.rejected),
            at=at,
        )

    @classmethod
    def of_failure(
        cls, failed: Failure, text_sha256: str, published_at: dt.date | None, line: bytes | None, at: int
    ) -> Self:
        """The entry of an article that failed; `line` is that of an earlier text's record."""
        spent = failed.usage
        return cls(
            id=failed.document_id,
            text_sha256=text_sha256,
            published_at=_iso(published_at),
            line=line,
            failure=failed.failure,
            message=failed.message,
            attempts=spent.attempts,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost=None if spent.unpriced else float(spent.cost),
            at=at,
        )

    def is_of(self, text_sha256: str, published_at: dt.date | None) -> bool:
        """Whether it speaks of this text and day; another day is another article, for «yesterday» counts from it."""
        return (self.text_sha256, self.published_at) == (text_sha256, _iso(published_at))

    @property
    def error_line(self) -> str:
        """A failure as it stands in the error file."""
        told = ("failure", "message", "attempts", "tokens_in", "tokens_out", "cost")
        return dumps({"document_id": self.id, **{name: getattr(self, name) for name in told}})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        total: articles there are; None while that is not known.
        done: articles that were extracted.
        failed: articles that failed, by the class of their failure.
        tokens_in, tokens_out: of all attempts at all articles, whatever they came to.
        cost: US dollars, of the same; None once one article's cost is not known.
        rate: articles a minute, over the latest of them; None where there are too few to tell.
    """

    total: int | None = None
    done: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    records: int = 0
    rejected: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = 0.0
    rate: float | None = None

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.tokens_in + self.tokens_out

    @property
    def complete(self) -> bool:
        """Whether every article has come to its end."""
        return self.total is not None and self.done + sum(self.failed.values()) >= self.total


class Ledger:
    """The ledger in a file. Used by one thread at a time.

    Args:
        path: the database.
        create: whether to create it where it does not exist.

    Raises:
        FileNotFoundError: it does not exist, and `create` is false.
        UsageError: the file is no ledger, is damaged, or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._ahead = False
        if not create:
            path.stat()
        with self._named():
            mode = "rwc" if create else "rw"
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._check(empty=create)
            except BaseException:
                self._db.close()
                raise

    def _check(self, *, empty: bool) -> None:
        (application,), (written,) = self._row("PRAGMA application_id"), self._row("PRAGMA user_version")
        if empty and (application, written) == (0, 0) and self._row("SELECT count(*) FROM sqlite_schema") == (0,):
            return
        if application != APPLICATION:
            raise UsageError(f"{self.path} is no ledger: {REMEDY}")
        if written != FORMAT:
            raise UsageError(f"{self.path} is a ledger of another version of mahdar ({written}): {REMEDY}")

    def check(self) -> None:
        """Look for damage: every page, and that every index agrees with its table.

        Raises:
            UsageError: there is some.
        """
        with self._named():
            (found,) = self._row("PRAGMA integrity_check(1)")
        if found != "ok":
            raise UsageError(f"{self.path} is damaged ({found}): {REMEDY}")

    @property
    def identity(self) -> Identity | None:
        """The run that it is of; None where it has just been created."""
        with self._named():
            if self._row("SELECT count(*) FROM sqlite_schema") == (0,):
                return None
            row = self._db.execute("SELECT identity FROM run").fetchone()
        run = json_object(row[0]) if row else None
        if run is None or not isinstance(run.get(MADE_BY), dict):
            raise UsageError(f"{self.path} is no ledger: {REMEDY}")
        return run

    def begin(self, run: Identity) -> None:
        """Write down what run it is of."""
        with self._named():
            self._db.executescript(f"BEGIN; {_TABLES}")
            self._db.execute("INSERT INTO run (identity) VALUES (?)", (dumps(run),))
            self._db.execute("COMMIT")

    def write_ahead(self) -> None:
        """Commit without waiting for the disk from now on, where the file system allows it."""
        with self._named():
            if self._row("PRAGMA journal_mode = WAL") == ("wal",):
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._ahead = True

    def get(self, article: str) -> Entry | None:
        """The entry of an article."""
        with self._named():
            row = self._db.execute("SELECT * FROM articles WHERE id = ?", (article,)).fetchone()
        return Entry(*row) if row else None

    def put(self, entry: Entry, *, old: bytes | None = None, text: str = "") -> None:
        """Write what became of an article, in place of what was known of it, and add what it took.

        Args:
            entry: what became of it.
            old: the checksum of a line that its line is to replace.
            text: the line that replaces it.
        """
        with self._named(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._spend(entry.tokens_in, entry.tokens_out, entry.cost)
            self._db.execute("REPLACE INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(entry))
            if old is not None:
                pending = self._db.execute("SELECT old FROM replacements WHERE line = ?", (old,)).fetchone()
                self._db.execute("DELETE FROM replacements WHERE line = ?", (old,))
                in_results = pending[0] if pending else old
                if in_results != entry.line:
                    self._db.execute("INSERT INTO replacements VALUES (?, ?, ?)", (entry.line, in_results, text))

    def spend(self, usage: Usage) -> None:
        """Add what was spent on an article that is left as it was."""
        with self._named():
            self._spend(usage.tokens_in, usage.tokens_out, None if usage.unpriced else float(usage.cost))

    def _spend(self, tokens_in: int, tokens_out: int, cost: float | None) -> None:
        self._db.execute(
            "UPDATE run SET tokens_in = tokens_in + ?, tokens_out = tokens_out + ?, cost = cost + ?",
            (tokens_in, tokens_out, cost),
        )

    def set_total(self, articles: int) -> None:
        """Note how many articles there are."""
        with self._named():
            self._db.execute("UPDATE run SET total = ?", (articles,))

    def __len__(self) -> int:
        """Count the articles that it has entries of."""
        with self._named():
            (number,) = self._row("SELECT count(*) FROM articles")
        return int(number)

    def progress(self) -> Progress:
        """How far the run has come."""
        with self._named():
            sums = self._row(
                "SELECT count(*), ifnull(sum(records), 0), ifnull(sum(rejected), 0), ifnull(sum(cached), 0) "
                "FROM articles WHERE failure IS NULL"
            )
            failed = dict(
                self._db.execute(
                    "SELECT failure, count(*) FROM articles WHERE failure IS NOT NULL GROUP BY failure ORDER BY failure"
                )
            )
            total, tokens_in, tokens_out, cost = self._row("SELECT total, tokens_in, tokens_out, cost FROM run")
            number, seconds = self._row(
                "SELECT count(*), max(at) - min(at) FROM (SELECT at FROM articles ORDER BY rowid DESC LIMIT ?)", RECENT
            )
        done, records, rejected, cached = sums
        rate = round(60 * (number - 1) / seconds, 1) if seconds else None
        return Progress(total, done, failed, records, rejected, cached, tokens_in, tokens_out, cost, rate)

    def failures(self) -> Iterator[Entry]:
        """Every article that failed, in the order in which they did."""
        with self._named():
            rows = self._db.execute("SELECT * FROM articles WHERE failure IS NOT NULL ORDER BY rowid")
            for row in rows:
                yield Entry(*row)

    def has_line(self, line: bytes) -> bool:
        """Whether a line with this checksum belongs into the results."""
        with self._named():
            return bool(self._row("SELECT EXISTS (SELECT 1 FROM articles WHERE line = ?)", line)[0])

    def replacement(self, old: bytes) -> tuple[bytes, str] | None:
        """The line that is to replace one with this checksum, after its own checksum."""
        with self._named():
            found = self._db.execute("SELECT line, text FROM replacements WHERE old = ?", (old,)).fetchone()
        return (found[0], found[1]) if found else None

    def replacements(self) -> Iterator[tuple[bytes, str]]:
        """Every line that is to replace another, after its checksum."""
        with self._named():
            yield from self._db.execute("SELECT line, text FROM replacements ORDER BY rowid")

    def forget_replacements(self) -> None:
        """Forget the replacements: they are in the results."""
        with self._named():
            self._db.execute("DELETE FROM replacements")

    def compare(self, lines: Iterable[bytes]) -> tuple[int, int]:
        """Compare the results with the ledger.

        Args:
            lines: the checksum of every line.

        Returns:
            How many lines do not belong there, a second copy of a line among them; and how many lines are missing.
        """
        with self._named():
            self._db.executescript(_COMPARISON)
            number = 0

            def counted() -> Iterator[tuple[bytes]]:
                nonlocal number
                for line in lines:
                    number += 1
                    yield (line,)

            with self._db:
                self._db.execute("BEGIN")
                self._db.executemany("INSERT OR IGNORE INTO temp.found VALUES (?)", counted())
            known = self._row(
                "SELECT count(*) FROM temp.found WHERE line IN (SELECT line FROM articles) "
                "OR line IN (SELECT old FROM replacements)"
            )[0]
            missing = self._row("SELECT count(*) FROM temp.missing")[0]
        return number - known, missing

    def take(self, line: bytes) -> bool:
        """Whether a line with this checksum is met for the first time since `compare`."""
        with self._named():
            return self._db.execute("DELETE FROM temp.found WHERE line = ?", (line,)).rowcount > 0

    def forget_missing(self, shown: int) -> list[str]:
        """Forget the articles whose line `compare` did not find; return the first of them."""
        with self._named(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            names = [name for (name,) in self._db.execute("SELECT id FROM temp.missing LIMIT ?", (shown,))]
            self._db.execute(
                "UPDATE articles SET line = NULL WHERE failure IS NOT NULL AND id IN (SELECT id FROM temp.missing)"
            )
            self._db.execute("DELETE FROM articles WHERE id IN (SELECT id FROM temp.missing)")
        return names

    def sync(self) -> None:
        """Return once everything written is on the disk."""
        with self._named():
            self._db.execute("PRAGMA wal_checkpoint")

    def close(self) -> None:
        """Let go of the file. It is a single file again, unless another process is reading it."""
        if self._ahead:
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA busy_timeout = 1000")
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def _row(self, query: str, *values: Any) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(query, values).fetchone()
        return row

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn an error of SQLite's into one that names the file and the remedy."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise UsageError(f"{self.path} cannot be used: {error}; name another file with --output") from None
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{self.path} is no ledger, or damaged ({error}): {REMEDY}") from None


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
