"""Remember the ids of the files of a run in its ledger.

A file is stored as a hash of its name, so that the ledger does not show the folders of a machine. Of rows that are lost
or damaged, `Articles` finds most ids again by the names and the texts of the files.
"""

import sqlite3
from hashlib import blake2b
from pathlib import Path

from mahdar.runs.database import translated_errors
from mahdar.runs.entry import is_intact, with_checksum


def place_of(name: str) -> int:
    """Return a hash of the name of a file, as SQLite stores integers."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


class FileIds:
    """The ids that the files of a run have had so far; to be used by one thread at a time.

    Args:
        path: the ledger.
        database: its connection.
        key: of the rows' checksums.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, key: bytes) -> None:
        self._path = path
        self._db = database
        self._key = key

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
        row = with_checksum(self._key, (place_of(name), file_id))
        with translated_errors(self._path):
            self._db.execute("REPLACE INTO files VALUES (?, ?, ?)", row)

    def _row(self, query: str, value: str | int) -> tuple[int, str] | None:
        with translated_errors(self._path):
            row = self._db.execute(query, (value,)).fetchone()
        return row if row and is_intact(self._key, row) else None
