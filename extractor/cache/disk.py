"""The store on disk: completions by the fingerprint of their request.

diskcache keeps them (SQLite, safe between threads and processes). By default it reads pickles, which can execute code
that somebody has planted; here it writes and reads text only.

Damage is found: each entry has a checksum, and an entry that cannot be read, or is not as it was written, counts as
absent. A file so damaged that no entry can be looked up is refused when it is opened.
"""

import logging
import sqlite3
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import diskcache
from diskcache.core import MODE_RAW

from mahdar.cache.claims import claims_in
from mahdar.cache.completion import VERSION, Completion, read_entry
from mahdar.errors import StoreError

log = logging.getLogger("mahdar")

FOLDER = f"completions-v{VERSION}"
CLAIMS = f"claims-v{VERSION}"
EARLIER = tuple(f"completions-v{version}" for version in range(1, VERSION))
REMEDY = "free space on the disk, move the folder away, or set MAHDAR_CACHE_DIR to another one"
LOCKED_REMEDY = "another process has locked it; wait for it to end, or set MAHDAR_CACHE_DIR to another folder"
NOT_A_TEXT_KEY = "(a key that is no text)"
UNREADABLE = "(a value that is no text)"
DAMAGED = "(a damaged part of the file)"
LOCK_TIMEOUT: Final = 60.0
"""Seconds to wait for a database that another process keeps locked."""
MAX_DAMAGED_ROWS: Final = 100_000
"""Maximum of damaged rows that are skipped one by one before the rest of the file is given up."""
_DAMAGE: Final = (sqlite3.DatabaseError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors that SQLite and diskcache raise for a file in which bytes have changed."""
_ROW: Final = "SELECT rowid, key, raw, mode, value, tag FROM Cache WHERE rowid > ? ORDER BY rowid LIMIT 1"


class Store(Protocol):
    """Keeps answers for the client. A recording or a server's client can replace it."""

    def get(self, fingerprint: str) -> Completion | None:
        """Return the stored answer, or None."""

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Store an answer."""

    def close(self) -> None:
        """Close files and connections."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache is untyped
    """A diskcache `Disk` that writes and reads text in the database only: no pickles, no files."""

    def put(self, key: Any) -> tuple[Any, bool]:
        """Write a key, which is text."""
        return self._text(key), True

    def get(self, key: Any, raw: bool) -> Any:  # noqa: FBT001  # diskcache's signature
        """Read a key; one that was pickled is not unpickled."""
        return key if raw and isinstance(key, str) else NOT_A_TEXT_KEY

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:  # noqa: ARG002, FBT001
        """Write a value, which is text."""
        return 0, MODE_RAW, None, self._text(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:  # noqa: ARG002, FBT001
        """Read a value; one that is not text is not read."""
        return value if mode == MODE_RAW and isinstance(value, str) else UNREADABLE

    def remove(self, file_path: str) -> None:
        """Remove nothing: no file was written, whatever the database says."""

    @staticmethod
    def _text(value: Any) -> str:
        if not isinstance(value, str):
            raise StoreError(f"the store keeps text only, got {type(value).__name__}")
        return value


class TextCache(diskcache.Cache):  # type: ignore[misc]  # diskcache is untyped
    """A diskcache `Cache` that reads invalid UTF-8 with surrogate escapes, so that other entries stay readable."""

    @property
    def _con(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._con
        connection.text_factory = _text_of
        return connection


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Size of a store: its place, its entries, their bytes, and the tokens that they cost."""

    folder: Path | str
    entries: int
    bytes: int
    tokens: int


def older_folders(cache: Path) -> list[Path]:
    """Return the folders in a cache folder that hold the answers of older versions."""
    return [cache / name for name in EARLIER if (cache / name).is_dir()]


class DiskStore:
    """The store in a folder of mode 0700. Unreadable entries count as absent; `verify` lists them.

    Args:
        cache: the folder that holds the store's own.
        lock_timeout: seconds to wait for a database that another process keeps locked.
    """

    def __init__(self, cache: Path, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        """Open the store, or create it.

        Raises:
            StoreError: the folder cannot be used, or its file is no store.
        """
        self.folder = cache / FOLDER
        self._warned = False
        with self._translated_errors("cannot be used as a store"):
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._warn_of_earlier(cache)
            for folder in (self.folder, cache / CLAIMS):
                if folder.is_symlink():
                    raise StoreError(f"{folder}: is a link, which is not followed; name its folder by MAHDAR_CACHE_DIR")
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
            self._claims = claims_in(cache / CLAIMS)
            self._cache = TextCache(
                str(self.folder), lock_timeout, disk=TextDisk, eviction_policy="none", cull_limit=0, statistics=0
            )
            self._cache.get("")  # raises if no entry can be looked up

    def get(self, fingerprint: str) -> Completion | None:
        """Return the stored answer, or None. A damaged one counts as absent; one warning is logged for all of them.

        Raises:
            StoreError: the file is locked, or cannot be reached.
        """
        try:
            stored, checksum = self._cache.get(fingerprint, tag=True)
        except (diskcache.Timeout, sqlite3.OperationalError) as error:
            raise self._error("cannot be read", error) from None
        except _DAMAGE as error:
            self._warn(f"is damaged ({error})")
            return None
        if stored is None:
            return None
        entry = _entry(fingerprint, stored, checksum)
        if entry is None:
            self._warn(f"{fingerprint} cannot be read")
        return Completion.from_entry(entry) if entry else None

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Store an answer.

        Raises:
            StoreError: it cannot be written, for example to a full disk.
        """
        with self._translated_errors("an answer cannot be stored"):
            text = completion.dumps(components)
            self._cache.set(fingerprint, text, tag=_checksum(fingerprint, text.encode()))

    def remove(self, fingerprint: str) -> bool:
        """Remove an entry, readable or not, and return whether there was one.

        Raises:
            StoreError: the file is damaged where it stands.
        """
        with self._translated_errors("an answer cannot be removed"):
            return bool(self._cache.delete(fingerprint))

    def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it.

        Raises:
            StoreError: the folder cannot be used.
        """
        return self._claims.claim(fingerprint)

    def renew(self, fingerprint: str) -> None:
        """Extend a claim."""
        self._claims.renew(fingerprint)

    def release(self, fingerprint: str) -> None:
        """Release a claim."""
        self._claims.release(fingerprint)

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Yield every fingerprint with its entry, or with None where the entry cannot be read.

        A damaged part of the file, whose fingerprints are not known, yields one such entry.

        Raises:
            StoreError: the file is locked, or cannot be reached.
        """
        row, skipped = 0, 0
        while skipped < MAX_DAMAGED_ROWS:
            with self._translated_errors("cannot be read"):
                try:
                    found = self._cache._sql(_ROW, (row,)).fetchone()  # noqa: SLF001  # iterkeys ends at the first damage
                except sqlite3.OperationalError:
                    raise
                except _DAMAGE:
                    row += 1
                    skipped += 1
                    if skipped == 1:
                        yield DAMAGED, None
                    continue
            if found is None:
                return
            row, key, raw, mode, value, checksum = found
            skipped = 0
            disk: TextDisk = self._cache.disk
            fingerprint = disk.get(key, raw == 1)
            yield fingerprint, _entry(fingerprint, disk.fetch(mode, None, value, read=False), checksum)

    def stats(self) -> StoreStats:
        """Count entries, bytes and tokens."""
        entries = tokens = 0
        for _, entry in self.entries():
            if entry:
                entries += 1
                tokens += entry["tokens_in"] + entry["tokens_out"]
        with self._translated_errors("cannot be read"):
            return StoreStats(self.folder, entries, self._cache.volume(), tokens)

    def verify(self) -> tuple[str, ...]:
        """Return the fingerprints of entries that cannot be read, and what SQLite finds wrong with the file."""
        broken = tuple(fingerprint for fingerprint, entry in self.entries() if entry is None)
        with self._translated_errors("cannot be read"), warnings.catch_warnings():
            warnings.simplefilter("always")
            try:
                return broken + tuple(str(warning.message) for warning in self._cache.check())
            except sqlite3.OperationalError:
                raise
            except _DAMAGE as error:
                return (*broken, str(error))

    def clear(self) -> int:
        """Remove all entries, and return their number."""
        with self._translated_errors("cannot be emptied"):
            return int(self._cache.clear())

    def close(self) -> None:
        """Close the files."""
        self._claims.close()
        self._cache.close()

    def _warn_of_earlier(self, cache: Path) -> None:
        """Warn of the folder of an earlier version, once, when the folder of this one is created."""
        for folder in older_folders(cache) if not self.folder.exists() else ():
            log.warning(
                "%s: answers of an earlier version are not used: their articles are requested again; "
                "remove the folder to free its space",
                folder,
            )

    def _warn(self, damage: str) -> None:
        if not self._warned:
            log.warning(
                "%s: %s; damaged answers are requested again; `mahdar cache verify` lists them", self.folder, damage
            )
        self._warned = True

    @contextmanager
    def _translated_errors(self, failed: str) -> Iterator[None]:
        """Raise an error of files or of SQLite as a `StoreError` that names the folder and the remedy."""
        try:
            yield
        except (OSError, diskcache.Timeout, *_DAMAGE) as error:
            raise self._error(failed, error) from None

    def _error(self, failed: str, error: Exception) -> StoreError:
        if isinstance(error, diskcache.Timeout) or "locked" in str(error):
            return StoreError(f"{self.folder}: {failed}: {LOCKED_REMEDY}")
        return StoreError(f"{self.folder}: {failed} ({error}); {REMEDY}")


def _text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _checksum(fingerprint: str, text: bytes) -> int:
    return zlib.crc32(fingerprint.encode("utf-8", "surrogateescape") + text)


def _entry(fingerprint: str, stored: str, checksum: object) -> dict[str, Any] | None:
    """Parse a stored entry; None where it is no entry, or not as it was written. Older entries have no checksum."""
    try:
        written = stored.encode()
    except UnicodeEncodeError:
        return None
    return read_entry(stored) if checksum is None or checksum == _checksum(fingerprint, written) else None
