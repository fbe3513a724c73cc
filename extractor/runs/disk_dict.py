"""A dictionary of texts in a temporary database, which grows on the disk and not in memory."""

import sqlite3
import weakref


class DiskDict:
    """Texts by key, for one thread at a time; the database is deleted with the last reference."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("CREATE TABLE texts (key BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID")

    def get(self, key: str) -> str | None:
        """Return the text of a key; None if it has none."""
        row = self._db.execute("SELECT text FROM texts WHERE key = ?", (_bytes(key),)).fetchone()
        return row[0] if row else None

    def add(self, key: str, text: str) -> str | None:
        """Add a text under a new key and return None; if the key exists, return its text and change nothing."""
        added = self._db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (_bytes(key), text)).rowcount
        return None if added else self.get(key)

    def set(self, key: str, text: str) -> None:
        """Replace the text of a key."""
        self._db.execute("UPDATE texts SET text = ? WHERE key = ?", (text, _bytes(key)))


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")  # a file's name may not be UTF-8
