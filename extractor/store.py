"""The store: raw completions under the fingerprint of the request they answer.

Kept by diskcache (SQLite, safe between threads and processes), as text only: what diskcache would pickle is refused,
on the way in and on the way out, so that a planted file is never executed.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import diskcache
from diskcache.core import MODE_PICKLE

from extractor.completion import VERSION, Completion, read_entry
from extractor.errors import StoreError

FOLDER = f"completions-v{VERSION}"


class Store(Protocol):
    """What the request path needs of a store. A recording, or a server's client, fits as well."""

    def get(self, fingerprint: str) -> Completion | None:
        """The answer, or None."""

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Keep an answer."""

    def close(self) -> None:
        """Let go of files and connections."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache is untyped
    """A `Disk` that keeps text and refuses pickle."""

    def put(self, key: Any) -> tuple[Any, bool]:
        """Keys are text."""
        return self._text(key), True

    def get(self, key: Any, raw: bool) -> Any:  # noqa: FBT001  # diskcache's signature
        """A key that was pickled is not read."""
        if not raw:
            raise StoreError("the store holds a pickled key, which mahdar never writes; `mahdar cache clear` empties it")
        return key

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:  # noqa: FBT001
        """Values are text."""
        return super().store(self._text(value), read, key=key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:  # noqa: FBT001
        """A value that was pickled is not read."""
        if mode == MODE_PICKLE:
            raise StoreError("the store holds a pickle, which mahdar never writes; `mahdar cache clear` empties it")
        return super().fetch(mode, filename, value, read)

    @staticmethod
    def _text(value: Any) -> str:
        if not isinstance(value, str):
            raise StoreError(f"the store keeps text only, got {type(value).__name__}")
        return value


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much a store holds: entries, bytes on disk, tokens that a hit does not cost again."""

    folder: Path
    entries: int
    bytes: int
    tokens: int


class DiskStore:
    """The store in a folder of mode 0700. Unreadable entries count as absent and are named by `verify`."""

    def __init__(self, cache: Path) -> None:
        """Open, or create, the store below the cache folder.

        Raises:
            StoreError: the folder cannot be used, or the file in it is no store.
        """
        self.folder = cache / FOLDER
        try:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
            self._cache = diskcache.Cache(
                str(self.folder), disk=TextDisk, eviction_policy="none", cull_limit=0, statistics=0
            )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self.folder}: cannot be used as a store ({error}); remove it, or set MAHDAR_CACHE_DIR to another folder"
            ) from None

    def get(self, fingerprint: str) -> Completion | None:
        """The answer, or None."""
        stored = self._cache.get(fingerprint)
        return Completion.loads(stored) if stored is not None else None

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Keep an answer.

        Raises:
            StoreError: it could not be written, say on a full disk.
        """
        try:
            self._cache.set(fingerprint, completion.dumps(components))
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{self.folder}: an answer could not be kept ({error}); free space on the disk") from None

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Every fingerprint with its entry; None where the entry cannot be read."""
        for fingerprint in self._cache.iterkeys():
            yield fingerprint, read_entry(self._cache.get(fingerprint) or "")

    def stats(self) -> StoreStats:
        """Count what is there."""
        entries = [entry for _, entry in self.entries() if entry]
        tokens = sum(entry.get("tokens_in", 0) + entry.get("tokens_out", 0) for entry in entries)
        return StoreStats(self.folder, len(entries), self._cache.volume(), tokens)

    def verify(self) -> tuple[str, ...]:
        """Fingerprints whose entries cannot be read, and what SQLite finds wrong with its file."""
        broken = tuple(fingerprint for fingerprint, entry in self.entries() if entry is None)
        return broken + tuple(str(warning.message) for warning in self._cache.check())

    def clear(self) -> int:
        """Remove every entry; the number removed."""
        return int(self._cache.clear())

    def close(self) -> None:
        """Let go of the file."""
        self._cache.close()
