"""Remember the ids of the files of a run in an SQLite database beside its results.

A file is stored as a hash of its name, so that the database does not show the folders of a machine. If the database is
lost or damaged it is made anew, and `Articles` finds most ids again by the names and the texts of the files.
"""

import sqlite3
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

from mahdar.runs.database import UnreadableLedgerError, connect, translated_errors
from mahdar.runs.entry import row_checksum, run_key
from mahdar.runs.identity import Identity

_TABLE: Final = "CREATE TABLE IF NOT EXISTS files (place INTEGER PRIMARY KEY, id TEXT UNIQUE, checksum BLOB)"


def place_of(name: str) -> int:
    """Return a hash of the name of a file, as SQLite stores integers."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


class FileIds:
    """The ids that the files of a run have had so far; to be used by one thread at a time.

    Args:
        path: the database; created with the first id.
        run: the identity of the run.
    """

    def __init__(self, path: Path, run: Identity) -> None:
        self._path = path
        self._key = run_key(run)
        self._opened: sqlite3.Connection | None = None

    def get(self, name: str) -> str | None:
        """Return the id of the file with this absolute name or URL; None if it has none."""
        row = self._row("SELECT place, id, checksum FROM files WHERE place = ?", place_of(name))
        return row[1] if row else None

    def holder(self, file_id: str) -> int | None:
        """Return the file that has an id, as `place_of` names it; None if none has."""
        row = self._row("SELECT place, id, checksum FROM files WHERE id = ?", file_id)
        return row[0] if row else None

    def set(self, name: str, file_id: str) -> None:
        """Give a file an id, and take the id from the file that had it."""
        values = (place_of(name), file_id)
        with translated_errors(self._path):
            self._db.execute("REPLACE INTO files VALUES (?, ?, ?)", (*values, row_checksum(self._key, values)))

    def close(self) -> None:
        """Close the database, and fold its write-ahead log into it."""
        if self._opened is not None:
            with suppress(sqlite3.Error):
                self._opened.execute("PRAGMA journal_mode = DELETE")
            self._opened.close()
            self._opened = None

    def _row(self, query: str, value: str | int) -> tuple[int, str] | None:
        if self._opened is None and not self._path.exists():
            return None
        with translated_errors(self._path):
            row = self._db.execute(query, (value,)).fetchone()
        return row if row and row[-1] == row_checksum(self._key, row[:-1]) else None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._opened is None:
            try:
                self._opened = self._checked()
            except UnreadableLedgerError:
                for end in ("", "-wal", "-shm"):
                    Path(f"{self._path}{end}").unlink(missing_ok=True)
                self._opened = self._checked()
        return self._opened

    def _checked(self) -> sqlite3.Connection:
        """Open the database, or create it.

        Raises:
            UnreadableLedgerError: it is damaged.
        """
        with translated_errors(self._path):
            db = connect(self._path, "rwc")
            try:
                db.execute(_TABLE)
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            except BaseException:
                db.close()
                raise
        if found != "ok":
            db.close()
            raise UnreadableLedgerError(self._path, f"is damaged ({found})")
        return db
