"""The store: raw completions under the fingerprint of the request they answer.

Kept by diskcache (SQLite, safe between threads and processes). By itself that reads pickles, and so executes what a
stranger has planted; here nothing but text goes in, and nothing else comes out.
"""

import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import diskcache
from diskcache.core import MODE_RAW

from extractor.cache.claims import claims_in
from extractor.errors import StoreError
from extractor.llm.completion import VERSION, Completion, read_entry

FOLDER = f"completions-v{VERSION}"
CLAIMS = f"claims-v{VERSION}"
REMEDY = "free space on the disk, remove the folder, or set MAHDAR_CACHE_DIR to another one"
PICKLED = "(a key that is no text)"
UNREADABLE = "(a value that is no text)"


class Store(Protocol):
    """What the request path needs of a store. A recording, or a server's client, fits as well."""

    def get(self, fingerprint: str) -> Completion | None:
        """The answer, or None."""

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Keep an answer."""

    def close(self) -> None:
        """Let go of files and connections."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache is untyped
    """A `Disk` that keeps text, in the database itself, and reads nothing else: no pickle, no file of any name."""

    def put(self, key: Any) -> tuple[Any, bool]:
        """Keys are text."""
        return self._text(key), True

    def get(self, key: Any, raw: bool) -> Any:  # noqa: FBT001  # diskcache's signature
        """A key that was pickled stays closed."""
        return key if raw and isinstance(key, str) else PICKLED

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:  # noqa: ARG002, FBT001
        """Values are text."""
        return 0, MODE_RAW, None, self._text(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:  # noqa: ARG002, FBT001
        """A value that is not text is not read."""
        return value if mode == MODE_RAW and isinstance(value, str) else UNREADABLE

    def remove(self, file_path: str) -> None:
        """No file was written, so that none is removed, whatever the database says."""

    @staticmethod
    def _text(value: Any) -> str:
        if not isinstance(value, str):
            raise StoreError(f"the store keeps text only, got {type(value).__name__}")
        return value


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How much a store holds, and where: entries, bytes, tokens that a hit does not cost again."""

    folder: Path | str
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
        with self._named("cannot be used as a store"):
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
            self._claims = claims_in(cache / CLAIMS)
            self._cache = diskcache.Cache(
                str(self.folder), disk=TextDisk, eviction_policy="none", cull_limit=0, statistics=0
            )

    def get(self, fingerprint: str) -> Completion | None:
        """The answer, or None.

        Raises:
            StoreError: the file is damaged.
        """
        with self._named("cannot be read"):
            stored = self._cache.get(fingerprint)
        return Completion.loads(stored) if stored is not None else None

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Keep an answer.

        Raises:
            StoreError: it could not be written, say on a full disk.
        """
        with self._named("an answer could not be kept"):
            self._cache.set(fingerprint, completion.dumps(components))

    def claim(self, fingerprint: str) -> bool:
        """Take a question on, unless another process has it.

        Raises:
            StoreError: the folder cannot be used.
        """
        return self._claims.claim(fingerprint)

    def renew(self, fingerprint: str) -> None:
        """Still at it."""
        self._claims.renew(fingerprint)

    def release(self, fingerprint: str) -> None:
        """Done, or given up."""
        self._claims.release(fingerprint)

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Every fingerprint with its entry; None where the entry cannot be read.

        Raises:
            StoreError: the file is damaged.
        """
        with self._named("cannot be read"):
            for fingerprint in self._cache.iterkeys():
                yield fingerprint, read_entry(self._cache.get(fingerprint, UNREADABLE))

    def stats(self) -> StoreStats:
        """Count what is there."""
        entries = [entry for _, entry in self.entries() if entry]
        tokens = sum(entry["tokens_in"] + entry["tokens_out"] for entry in entries)
        return StoreStats(self.folder, len(entries), self._cache.volume(), tokens)

    def verify(self) -> tuple[str, ...]:
        """Fingerprints whose entries cannot be read, and what SQLite finds wrong with its file."""
        broken = tuple(fingerprint for fingerprint, entry in self.entries() if entry is None)
        with self._named("cannot be read"), warnings.catch_warnings():
            warnings.simplefilter("always")
            return broken + tuple(str(warning.message) for warning in self._cache.check())

    def clear(self) -> int:
        """Remove every entry; the number removed."""
        with self._named("cannot be emptied"):
            return int(self._cache.clear())

    def close(self) -> None:
        """Let go of the files."""
        self._claims.close()
        self._cache.close()

    @contextmanager
    def _named(self, failed: str) -> Iterator[None]:
        """An error of files or of SQLite as a `StoreError` that names the folder and the remedy."""
        try:
            yield
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            said = str(error) or "it is locked, or the disk is full"
            raise StoreError(f"{self.folder}: {failed} ({said}); {REMEDY}") from None
