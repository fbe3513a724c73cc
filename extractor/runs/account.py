"""Keep what the calls of a run can have cost in its ledger, so that a killed process leaves none uncounted."""

from pathlib import Path

from mahdar.limits.budget import Spending
from mahdar.runs.database import connect, translated_errors
from mahdar.runs.entry import with_checksum


class Account:
    """The cost of all calls of a run so far; calls in flight and calls without an answer count with their upper bounds.

    It has a connection of its own, since calls are made in another thread than the one that writes results.

    Args:
        path: the ledger.
        key: of the rows' checksums.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        with translated_errors(path):
            self._db = connect(path, "rw")
            self._db.execute("PRAGMA synchronous = NORMAL")

    def write(self, charged: Spending) -> None:
        """Store the sum before a call is sent, and when the call has ended."""
        row = with_checksum(self._key, (charged.tokens, str(charged.cost)))
        with translated_errors(self._path):
            sql = "UPDATE charges SET tokens = ?, cost = ?, checksum = ?"
            self._db.execute(sql, row)

    def close(self) -> None:
        """Close the connection; to be called before the ledger is closed."""
        self._db.close()
