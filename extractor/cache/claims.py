"""Claims: locks between processes, so that each request is sent and paid once.

On Linux a claim is the lock on one byte of a file, at an offset that the fingerprint gives: it costs microseconds,
where a row in a database costs a third of a millisecond for every call, and the kernel releases it when the process
dies. Elsewhere a claim is a row of a diskcache, renewed while its call is in flight. One that has not been renewed
belongs to a process that died; the next process takes it over.
"""

import errno
import os
import secrets
import sqlite3
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import diskcache

from mahdar.errors import StoreError

try:
    import fcntl

    _LOCKS = hasattr(fcntl, "F_OFD_SETLK")
except ImportError:  # Windows
    _LOCKS = False

LEASE: Final = 30.0
"""Seconds after which a claim expires that is not renewed."""
RENEWAL_INTERVAL: Final = LEASE / 3
"""Seconds between renewals."""
FLOCK_FORMAT: Final = "hhqqi0q"
"""C's `struct flock`: type, whence, start, length, process."""
OFFSET_DIGITS: Final = 15
"""Hexadecimal digits of the fingerprint that give the offset of its byte: a file's offset has 63 bits."""


@runtime_checkable
class Claims(Protocol):
    """Claims of a store that several processes share."""

    def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it."""

    def renew(self, fingerprint: str) -> None:
        """Extend a claim."""

    def release(self, fingerprint: str) -> None:
        """Release a claim."""


def claims_in(folder: Path) -> "ClaimLocks | ClaimRows":
    """Return the claims in a folder, shared by all processes that use it."""
    return ClaimLocks(folder) if _LOCKS else ClaimRows(folder)


class ClaimLocks:
    """Claims as locks on the bytes of one file.

    The locks belong to the open file (OFD), not to the process, so that two stores of one process exclude each other
    too. A forked process opens the file anew, or it would share its parent's claims.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._initialize()

    def _initialize(self) -> None:
        self._process = os.getpid()
        self._file: int | None = None
        self._held: set[str] = set()
        self._mutex = threading.Lock()

    def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it.

        Raises:
            StoreError: the folder cannot be used.
        """
        if self._process != os.getpid():
            self._initialize()
        with self._mutex:
            if fingerprint in self._held or not self._lock(fingerprint, fcntl.F_WRLCK):
                return False
            self._held.add(fingerprint)
            return True

    def renew(self, fingerprint: str) -> None:
        """Do nothing: the kernel keeps the lock while the process lives."""

    def release(self, fingerprint: str) -> None:
        """Release a claim."""
        with self._mutex:
            if fingerprint in self._held:
                self._held.discard(fingerprint)
                self._lock(fingerprint, fcntl.F_UNLCK)

    def close(self) -> None:
        """Close the file, which releases all claims."""
        with self._mutex:
            if self._file is not None:
                os.close(self._file)
            self._file = None
            self._held.clear()

    def _lock(self, fingerprint: str, kind: int) -> bool:
        offset = int(fingerprint[:OFFSET_DIGITS], 16)
        try:
            fcntl.fcntl(
                self._descriptor(), fcntl.F_OFD_SETLK, struct.pack(FLOCK_FORMAT, kind, os.SEEK_SET, offset, 1, 0)
            )
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                return False
            raise _unusable(self.folder, error) from None
        return True

    def _descriptor(self) -> int:
        if self._file is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self.folder / "locks", os.O_CREAT | os.O_RDWR, 0o600)
        return self._file


class ClaimRows:
    """Claims as rows of a diskcache that expire.

    Args:
        folder: of the database.
        lease: seconds after which a claim expires that is not renewed.
    """

    def __init__(self, folder: Path, lease: float = LEASE) -> None:
        self._folder = folder
        self._lease = lease
        self._owner = secrets.token_hex(8)
        self._rows: diskcache.Cache | None = None

    def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it.

        Raises:
            StoreError: the folder cannot be used.
        """
        try:
            if self._rows is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._rows = diskcache.Cache(str(self._folder), disk=diskcache.JSONDisk, eviction_policy="none")
            return bool(self._rows.add(fingerprint, self._owner, expire=self._lease))
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            raise _unusable(self._folder, error) from None

    def renew(self, fingerprint: str) -> None:
        """Extend a claim; one that has expired stays so, since another process may hold it."""
        with suppress(sqlite3.Error, diskcache.Timeout):
            if self._rows is not None and self._rows.get(fingerprint) == self._owner:
                self._rows.touch(fingerprint, expire=self._lease)

    def release(self, fingerprint: str) -> None:
        """Release a claim."""
        with suppress(sqlite3.Error, diskcache.Timeout):  # it expires
            if self._rows is not None and self._rows.get(fingerprint) == self._owner:
                self._rows.delete(fingerprint)

    def close(self) -> None:
        """Close the database."""
        if self._rows is not None:
            self._rows.close()


def _unusable(folder: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{folder}: a request cannot be claimed ({getattr(error, 'strerror', None) or error}); "
        "free space on the disk, or set MAHDAR_CACHE_DIR to another folder"
    )
