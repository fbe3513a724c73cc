"""Claims: who asks a question that several processes want answered, so that it is paid once.

A claim is a file that only one process can create. It is renewed while its call is under way; one that was not renewed
for a while is of a process that died, and whoever comes next takes it over. A file, since it costs a tenth of a row in
the database, at every call.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from extractor.errors import StoreError

LEASE: Final = 30.0
"""Seconds that a claim holds without being renewed."""
RENEWED: Final = LEASE / 3
"""Seconds between renewals."""


@runtime_checkable
class Claims(Protocol):
    """What a store can do besides, where processes share it."""

    def claim(self, fingerprint: str) -> bool:
        """Take a question on, unless another process has it."""

    def renew(self, fingerprint: str) -> None:
        """Still at it."""

    def release(self, fingerprint: str) -> None:
        """Done, or given up."""


class ClaimFiles:
    """Claims in a folder, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = False

    def claim(self, fingerprint: str) -> bool:
        """Take a question on, unless another process has it.

        Raises:
            StoreError: the folder cannot be used.
        """
        try:
            return self._create(fingerprint) or (self._expire(fingerprint) and self._create(fingerprint))
        except OSError as error:
            raise StoreError(
                f"{self.folder}: a question cannot be claimed ({error.strerror}); "
                "free space on the disk, or set MAHDAR_CACHE_DIR to another folder"
            ) from None

    def renew(self, fingerprint: str) -> None:
        """Still at it; a claim that somebody took over meanwhile is theirs."""
        with suppress(OSError):
            os.utime(self.folder / fingerprint)

    def release(self, fingerprint: str) -> None:
        """Done, or given up."""
        with suppress(OSError):
            (self.folder / fingerprint).unlink()

    def _create(self, fingerprint: str) -> bool:
        if not self._made:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._made = True
        try:
            os.close(os.open(self.folder / fingerprint, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def _expire(self, fingerprint: str) -> bool:
        """Put away the claim of a process that died; of several who see it, one does."""
        file = self.folder / fingerprint
        try:
            if time.time() - file.stat().st_mtime < LEASE:
                return False
            taken = file.with_name(f"{fingerprint}.{os.getpid()}")
            file.rename(taken)
            taken.unlink()
        except FileNotFoundError:
            pass
        return True
