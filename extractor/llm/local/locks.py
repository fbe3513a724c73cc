"""Locks between processes: one that excludes the others, and one that keeps a server alive.

A lease is a file that every user of a server holds with a shared lock while the server waits for the exclusive one.
The kernel drops the lock of a process that ends, however it ends, so that `kill -9` frees a lease as surely as a clean
exit: no heartbeat, no polling, no trust in process ids.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mahdar.errors import StoreError

if TYPE_CHECKING:
    from filelock import BaseFileLock

TICK = 0.1  # seconds between two signs of waiting


@contextmanager
def exclusive(path: Path, *, timeout: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at `path` alone.

    Args:
        path: the lock file.
        timeout: seconds to wait for another process that holds it.
        waiting: called again and again meanwhile; it may raise to give up.

    Raises:
        StoreError: the other process kept it for longer.
    """
    from filelock import FileLock  # part of the extra `local`

    lock, deadline = FileLock(path), time.monotonic() + timeout
    while not _acquired(lock):
        waiting()
        if time.monotonic() > deadline:
            raise StoreError(
                f"{path} has been locked by another process for {timeout:g} s; end that process or set MAHDAR_CACHE_DIR"
            )
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: "BaseFileLock") -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=TICK)
    except Timeout:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Lease:
    """A shared hold on the file at `path`, until it is released or the process ends."""

    path: Path
    descriptor: int

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new lease file, readable by its owner only, and hold it.

        Raises:
            StoreError: the file system has no locks.
        """
        try:
            return cls(path, _hold(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)))
        except OSError as error:
            raise StoreError(
                f"cannot lock a file in {path.parent}: {error}; set MAHDAR_CACHE_DIR to a folder on a local disk"
            ) from error

    @classmethod
    def join(cls, path: Path) -> Self | None:
        """Hold an existing lease file; None when it is gone, not ours, or its server is on its way out."""
        try:
            return cls(path, _hold(os.open(path, os.O_RDWR | os.O_NOFOLLOW)))
        except OSError:
            return None

    def release(self) -> None:
        """Let go. Closing, not unlocking: a fork that shares the descriptor keeps its hold."""
        os.close(self.descriptor)


def _hold(descriptor: int) -> int:
    import fcntl  # absent on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
