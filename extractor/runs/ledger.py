"""Record the outcome of every article of a run in an SQLite database beside the results.

The ledger holds the identity of the run, the ids of the files that are read and, for each article, the SHA-256 of its
text, the checksum of its line in the results or the class of its failure, and its tokens and cost. Each article is one
transaction. The database is in WAL mode with `synchronous=NORMAL`: a commit survives the death of the process but does
not wait for the disk. `Ledger.sync` does, so a power failure loses only what was written since. Closing the ledger
folds the WAL back into a single file, which can be copied, and read in a read-only folder.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from mahdar.documents.bidi import clean
from mahdar.limits.budget import Spending
from mahdar.results import Usage
from mahdar.runs.account import Account
from mahdar.runs.database import UnreadableLedgerError, connect, translated_errors
from mahdar.runs.entry import Entry, is_intact, run_key, with_checksum
from mahdar.runs.file_ids import FileIds
from mahdar.runs.identity import MADE_BY, Identity
from mahdar.runs.lines import checksum, dumps
from mahdar.runs.outputs import json_object

FORMAT: Final = 5
"""`user_version` of the database."""
APPLICATION: Final = 0x6D686472
"""`application_id` of the database: "mhdr" in ASCII."""
ALWAYS_RETRIED: Final = "internal"
"""The class of failure that the next run retries without being asked: the fault is mahdar's, not the article's."""
RUN_FAILURES: Final = frozenset({"over_budget"})
"""Classes of failure of the run, not of the article: they are not recorded as the outcome of an article."""
RECENT: Final = 200
"""Number of latest articles from which the rate is computed."""
PAGE: Final = 4096
"""Bytes in a page of the database."""
_TABLES: Final = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE run (
    identity TEXT NOT NULL,
    total INTEGER,
    tokens_in INTEGER NOT NULL DEFAULT 0,
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost REAL DEFAULT 0,
    checksum BLOB NOT NULL
);
CREATE TABLE charges (
    tokens INTEGER NOT NULL,
    cost TEXT NOT NULL,
    checksum BLOB NOT NULL
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
    at INTEGER NOT NULL,
    checksum BLOB NOT NULL
);
CREATE TABLE files (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    checksum BLOB NOT NULL
);
CREATE TABLE replacements (
    line BLOB PRIMARY KEY,
    old BLOB NOT NULL,
    text TEXT NOT NULL
);
"""
_PUT: Final = "REPLACE INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SCHEMA: Final = "SELECT name, sql FROM sqlite_schema ORDER BY rowid"
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
class Progress:
    """Progress of a run.

    Attributes:
        total: number of articles; None while unknown.
        done: articles extracted.
        failed: articles failed, by class of failure.
        tokens_in, tokens_out: tokens of all attempts at all articles, whatever their outcome.
        cost: US dollars for the same attempts; None once the cost of one article is unknown.
        charged: tokens and US dollars that all calls can have taken, at the most: calls under way, calls without an
            answer, and answers of articles without an outcome included. US dollars are 0 while no price is known.
        rate: articles a minute, over the latest `RECENT`; None if they are too few.
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
    charged: Spending = field(default_factory=Spending)
    rate: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.tokens_in + self.tokens_out

    @property
    def complete(self) -> bool:
        """Whether every article was extracted or has failed."""
        return self.total is not None and self.done + sum(self.failed.values()) >= self.total


class Ledger:
    """A ledger in a file, to be used by one thread at a time.

    Args:
        path: the database.
        create: whether to create the database if it does not exist.

    Raises:
        FileNotFoundError: the database does not exist, and `create` is false.
        UnreadableLedgerError: the file is no ledger, or damaged.
        UsageError: the file cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._uses_wal = False
        self._known_key: bytes | None = None
        if not create:
            path.stat()
        with self._translated_errors():
            self._db = connect(path, "rwc" if create else "rw")
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
            raise UnreadableLedgerError(self.path, "is no ledger")
        if written != FORMAT:
            raise UnreadableLedgerError(self.path, f"is a ledger of another version of mahdar ({written})")

    def verify(self) -> None:
        """Compare the database with its checksums: every page, every index with its table, every row.

        Raises:
            UnreadableLedgerError: the database is damaged.
        """
        run = self.identity
        if run is None:
            return
        with self._translated_errors():
            found = self._row("PRAGMA integrity_check(1)")[0]
            if found == "ok":
                found = next(self._find_damage(), None)
        if found:
            raise UnreadableLedgerError(self.path, f"is damaged ({found})")

    def _find_damage(self) -> Iterator[str]:
        """Yield a description of each difference from what was written."""
        with closing(sqlite3.connect(":memory:")) as fresh:
            fresh.executescript(_TABLES)
            if self._db.execute(_SCHEMA).fetchall() != fresh.execute(_SCHEMA).fetchall():
                yield "the tables are not as they were created"
                return
        self._only_row("run")
        self._only_row("charges")
        for row in self._db.execute("SELECT * FROM articles"):
            if not is_intact(self._key, row):
                yield f"the checksum of {clean(str(row[0]))} differs"
        for line, text in self._db.execute("SELECT line, text FROM replacements"):
            if line != checksum(str(text).encode()):
                yield "the checksum of a waiting record differs"

    @property
    def identity(self) -> Identity | None:
        """The identity of the run; None if the ledger has just been created.

        Raises:
            UnreadableLedgerError: none can be read.
        """
        with self._translated_errors():
            if self._row("SELECT count(*) FROM sqlite_schema") == (0,):
                return None
            row = self._db.execute("SELECT identity FROM run").fetchone()
        run = json_object(str(row[0])) if row else None
        if run is None or not isinstance(run.get(MADE_BY), dict):
            raise UnreadableLedgerError(self.path, "is no ledger")
        return run

    @property
    def _key(self) -> bytes:
        """The key of the rows' checksums."""
        if self._known_key is None:
            self._known_key = run_key(self.identity or {})
        return self._known_key

    def begin(
        self,
        run: Identity,
        entries: Iterable[Entry] = (),
        spent: Progress = Progress(),
        files: Iterable[Sequence[Any]] = (),
    ) -> None:
        """Create the tables and store the identity of the run.

        Args:
            run: the identity.
            entries: outcomes that are already known.
            spent: total, tokens and cost that are already known.
            files: rows of the ids of files that are known already; of two with one file or one id the last counts.
        """
        self._known_key = run_key(run)
        charged = (spent.charged.tokens, str(spent.charged.cost))
        values = (dumps(run), spent.total, spent.tokens_in, spent.tokens_out, spent.cost)
        with self._translated_errors():
            self._db.executescript(f"PRAGMA page_size = {PAGE}; BEGIN; {_TABLES}")
            self._db.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)", with_checksum(self._key, values))
            self._db.execute("INSERT INTO charges VALUES (?, ?, ?)", with_checksum(self._key, charged))
            self._db.executemany(_PUT, (entry.row(self._key) for entry in entries))
            self._db.executemany("REPLACE INTO files VALUES (?, ?, ?)", files)
            self._db.execute("COMMIT")

    def use_wal(self) -> None:
        """Commit without waiting for the disk from now on, if the file system supports WAL mode."""
        with self._translated_errors():
            if self._row("PRAGMA journal_mode = WAL") == ("wal",):
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._uses_wal = True

    def account(self) -> Account:
        """Open the account of the run, once `begin` has created the tables."""
        return Account(self.path, self._key)

    def files(self) -> FileIds:
        """Return the ids of the files of the run, once `begin` has created the tables."""
        return FileIds(self.path, self._db, self._key)

    def get(self, article: str) -> Entry | None:
        """Return the entry of an article; None if it has none."""
        with self._translated_errors():
            row = self._db.execute("SELECT * FROM articles WHERE id = ?", (article,)).fetchone()
        return Entry(*row[:-1]) if row else None

    def put(self, entry: Entry, *, old: bytes | None = None, text: str = "") -> None:
        """Store the outcome of an article in place of its earlier entry, and add its tokens and cost to the run's.

        Args:
            entry: the outcome.
            old: checksum of the line in the results that is to be replaced, if any.
            text: the line that replaces it.
        """
        with self._translated_errors(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._spend(entry.tokens_in, entry.tokens_out, entry.cost)
            self._db.execute(_PUT, entry.row(self._key))
            if old is not None:
                pending = self._db.execute("SELECT old FROM replacements WHERE line = ?", (old,)).fetchone()
                self._db.execute("DELETE FROM replacements WHERE line = ?", (old,))
                in_results = pending[0] if pending else old
                if in_results != entry.line:
                    self._db.execute("INSERT INTO replacements VALUES (?, ?, ?)", (entry.line, in_results, text))

    def spend(self, usage: Usage) -> None:
        """Add tokens and cost of an article whose entry stays as it is."""
        with self._translated_errors():
            self._spend(usage.tokens_in, usage.tokens_out, None if usage.unpriced else float(usage.cost))

    def _spend(self, tokens_in: int, tokens_out: int, cost: float | None) -> None:
        run, total, before_in, before_out, before = self._only_row("run")
        total_cost = None if before is None or cost is None else before + cost
        self._put_run(run, total, before_in + tokens_in, before_out + tokens_out, total_cost)

    def set_total(self, articles: int) -> None:
        """Store the number of articles."""
        with self._translated_errors():
            run, _, *spent = self._only_row("run")
            self._put_run(run, articles, *spent)

    def _put_run(self, *values: Any) -> None:
        self._db.execute(
            "UPDATE run SET identity = ?, total = ?, tokens_in = ?, tokens_out = ?, cost = ?, checksum = ?",
            with_checksum(self._key, values),
        )

    def __len__(self) -> int:
        """Count the entries."""
        with self._translated_errors():
            (number,) = self._row("SELECT count(*) FROM articles")
        return int(number)

    def progress(self) -> Progress:
        """Return the progress of the run."""
        with self._translated_errors():
            sums = self._row(
                "SELECT count(*), ifnull(sum(records), 0), ifnull(sum(rejected), 0), ifnull(sum(cached), 0) "
                "FROM articles WHERE failure IS NULL"
            )
            failed = dict(
                self._db.execute(
                    "SELECT failure, count(*) FROM articles WHERE failure IS NOT NULL GROUP BY failure ORDER BY failure"
                )
            )
            _, total, tokens_in, tokens_out, cost = self._only_row("run")
            charged_tokens, charged_cost = self._only_row("charges")
            number, seconds = self._row(
                "SELECT count(*), max(at) - min(at) FROM (SELECT at FROM articles ORDER BY rowid DESC LIMIT ?)", RECENT
            )
        done, records, rejected, cached = sums
        rate = round(60 * (number - 1) / seconds, 1) if seconds else None
        known = Spending(Decimal(str(cost or 0)), tokens_in + tokens_out)  # a run on Ray has no account
        charged = Spending(max(Decimal(charged_cost), known.cost), max(charged_tokens, known.tokens))
        return Progress(total, done, failed, records, rejected, cached, tokens_in, tokens_out, cost, charged, rate)

    def failures(self) -> Iterator[Entry]:
        """Yield the entries of failed articles, in the order in which they failed."""
        with self._translated_errors():
            rows = self._db.execute("SELECT * FROM articles WHERE failure IS NOT NULL ORDER BY rowid")
            for row in rows:
                yield Entry(*row[:-1])

    def has_line(self, line: bytes) -> bool:
        """Return whether a line with this checksum belongs in the results."""
        with self._translated_errors():
            return bool(self._row("SELECT EXISTS (SELECT 1 FROM articles WHERE line = ?)", line)[0])

    def replacement(self, old: bytes) -> tuple[bytes, str] | None:
        """Return checksum and text of the line that is to replace the line with checksum `old`; None if none is."""
        with self._translated_errors():
            row = self._db.execute("SELECT line, text FROM replacements WHERE old = ?", (old,)).fetchone()
        return (row[0], row[1]) if row else None

    def replacements(self) -> Iterator[tuple[bytes, str]]:
        """Yield checksum and text of every line that is to replace another."""
        with self._translated_errors():
            yield from self._db.execute("SELECT line, text FROM replacements ORDER BY rowid")

    def forget_replacements(self) -> None:
        """Delete the replacements, once they are in the results."""
        with self._translated_errors():
            self._db.execute("DELETE FROM replacements")

    def compare(self, lines: Iterable[bytes]) -> tuple[int, int]:
        """Compare the results with the ledger.

        Args:
            lines: the checksum of every line of the results.

        Returns:
            How many lines do not belong there (second copies included), and how many lines are missing.
        """
        with self._translated_errors():
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

    def take_found(self, line: bytes) -> bool:
        """Return whether `compare` found a line with this checksum; each call after the first returns False."""
        with self._translated_errors():
            return self._db.execute("DELETE FROM temp.found WHERE line = ?", (line,)).rowcount > 0

    def forget_missing(self, shown: int) -> tuple[list[str], int]:
        """Delete the outcomes of the articles whose line `compare` did not find, so that they are extracted again.

        An article that has changed and failed since keeps its failure, and loses only the line of its earlier text.

        Returns:
            The ids of the first `shown` that are extracted again, and how many keep a failure.
        """
        missing = "id IN (SELECT id FROM temp.missing)"
        with self._translated_errors(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            failed = self._db.execute(f"SELECT * FROM articles WHERE failure IS NOT NULL AND {missing}").fetchall()  # noqa: S608  # no value of a user
            self._db.executemany(_PUT, (replace(Entry(*row[:-1]), line=None).row(self._key) for row in failed))
            names = [name for (name,) in self._db.execute("SELECT id FROM temp.missing LIMIT ?", (shown,))]
            self._db.execute(f"DELETE FROM articles WHERE {missing}")  # noqa: S608  # as above
        return names, len(failed)

    def sync(self) -> None:
        """Flush everything written to the disk."""
        with self._translated_errors():
            self._db.execute("PRAGMA wal_checkpoint")

    def close(self) -> None:
        """Close the database, and fold its WAL back into it unless another process is reading."""
        if self._uses_wal:
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA busy_timeout = 1000")
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    def _only_row(self, table: Literal["run", "charges"]) -> Sequence[Any]:
        """Return the values of the one row of a table.

        Raises:
            UnreadableLedgerError: they are not as they were written.
        """
        rows = self._db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608  # no value of a user
        if len(rows) != 1 or not is_intact(self._key, rows[0]):
            raise UnreadableLedgerError(self.path, f"is damaged (the checksum of the {table} differs)")
        return rows[0][:-1]  # type: ignore[no-any-return]  # of sqlite3's

    def _row(self, query: str, *values: Any) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(query, values).fetchone()
        return row

    def _translated_errors(self) -> AbstractContextManager[None]:
        return translated_errors(self.path)
