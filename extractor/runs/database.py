"""Open the SQLite database of a ledger, and translate SQLite's errors."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from mahdar.errors import UsageError

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait for another process's transaction."""
_NOT_DAMAGE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""SQLite's error codes that say nothing about what the file holds."""


class UnreadableLedgerError(UsageError):
    """A ledger that is damaged, of another version, or none at all.

    Attributes:
        found: what was found, to follow the file's name.
    """

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(f"{path} {found}: the same `mahdar extract` again saves what can be read, or says what to do")
        self.found = found


def connect(path: Path, mode: Literal["rw", "rwc"]) -> sqlite3.Connection:
    """Open a database for use in any thread, each statement a transaction unless one is begun."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's errors into errors that name the file and the remedy."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite's message quotes a damaged table definition
        raise UnreadableLedgerError(path, f"is no ledger, or damaged ({error.reason})") from None
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF  # -1: raised by Python, for text that is no UTF-8
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise UsageError(f"{path}: another process has locked it; wait for it to end") from None
        is_read_only = code == sqlite3.SQLITE_READONLY and not os.access(path, os.W_OK)
        if is_read_only or code in _NOT_DAMAGE:
            raise UsageError(f"{path} cannot be used: {error}; name another file with --output") from None
        raise UnreadableLedgerError(path, f"is no ledger, or damaged ({error})") from None
