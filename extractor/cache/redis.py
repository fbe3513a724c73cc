"""The store on a Redis or Valkey server, for machines that share answers.

Entries are the same text as on disk, under `mahdar:<version>:<fingerprint>`; nothing but text is read. Claims are keys
that expire. One more key records that this version has already checked for entries of earlier versions. No message
shows the URL's password.
"""

import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Final

from mahdar.cache.claims import LEASE
from mahdar.cache.completion import VERSION, Completion, read_entry
from mahdar.cache.disk import UNREADABLE, StoreStats
from mahdar.errors import StoreError, UsageError
from mahdar.settings import without_secrets

log = logging.getLogger("mahdar")

ENTRIES: Final = f"mahdar:{VERSION}:"
CLAIMS: Final = f"mahdar-claim:{VERSION}:"
EARLIER: Final = tuple(f"mahdar:{version}:" for version in range(1, VERSION))
EARLIER_CHECKED: Final = f"mahdar-looked:{VERSION}"
TIMEOUT: Final = 10.0
"""Seconds for a connection, and for an answer of the server."""
SCAN_SIZE: Final = 500
"""Keys that one step of a listing returns."""
_RELEASE: Final = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_RENEW: Final = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
)
"""Lua scripts that change a claim only where it is this store's own."""


class RedisStore:
    """The store at a URL that redis-py reads: `redis://`, `rediss://` or `unix://`.

    Attributes:
        remote: calls go over the network, so that an event loop must make them in a thread.
    """

    remote: ClassVar = True

    def __init__(self, url: str) -> None:
        """Prepare the connection, which the first call opens.

        Raises:
            UsageError: the extra `redis` is not installed, or the URL is invalid.
        """
        try:
            import redis
        except ImportError:
            raise UsageError("a store on a server needs redis: pip install 'mahdar[redis]'") from None
        self._errors = redis.RedisError
        self._owner = secrets.token_hex(8)
        self._earlier_checked = False
        try:
            self.folder = without_secrets(url)
            self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
            self._client.connection_pool.make_connection()  # opens nothing; raises for unknown parameters
        except (TypeError, ValueError):
            raise UsageError("MAHDAR_STORE: not a URL; write it like redis://host:6379/0") from None

    def get(self, fingerprint: str) -> Completion | None:
        """Return the stored answer, or None.

        Raises:
            StoreError: the server does not answer.
        """
        with self._translated_errors("cannot be read"):
            stored = self._client.get(ENTRIES + fingerprint)
        if not self._earlier_checked:
            self._earlier_checked = True
            self._warn_of_earlier()
        return Completion.loads(_text(stored)) if stored is not None else None

    def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Store an answer.

        Raises:
            StoreError: it cannot be written.
        """
        with self._translated_errors("an answer cannot be stored"):
            self._client.set(ENTRIES + fingerprint, completion.dumps(components))

    def remove(self, fingerprint: str) -> bool:
        """Remove an entry, and return whether there was one.

        Raises:
            StoreError: the server does not answer.
        """
        with self._translated_errors("an answer cannot be removed"):
            return bool(self._client.delete(ENTRIES + fingerprint))

    def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it.

        Raises:
            StoreError: the server does not answer.
        """
        with self._translated_errors("a request cannot be claimed"):
            return bool(self._client.set(CLAIMS + fingerprint, self._owner, nx=True, px=_lease()))

    def renew(self, fingerprint: str) -> None:
        """Extend a claim."""
        with self._translated_errors("a claim cannot be renewed"):
            self._client.eval(_RENEW, 1, CLAIMS + fingerprint, self._owner, _lease())

    def release(self, fingerprint: str) -> None:
        """Release a claim."""
        with self._translated_errors("a claim cannot be released"):
            self._client.eval(_RELEASE, 1, CLAIMS + fingerprint, self._owner)

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Yield every fingerprint with its entry, or with None where the entry cannot be read.

        Raises:
            StoreError: the server does not answer.
        """
        for keys in self._keys():
            with self._translated_errors("cannot be read"):
                values: Any = self._client.mget(keys)
            for key, value in zip(keys, values, strict=True):
                if value is not None:
                    yield _text(key).removeprefix(ENTRIES), read_entry(_text(value))

    def stats(self) -> StoreStats:
        """Count entries, bytes and tokens."""
        entries = size = tokens = 0
        for _, entry in self.entries():
            if entry:
                entries += 1
                size += len(entry["text"].encode())
                tokens += entry["tokens_in"] + entry["tokens_out"]
        return StoreStats(self.folder, entries, size, tokens)

    def verify(self) -> tuple[str, ...]:
        """Return the fingerprints of entries that cannot be read."""
        return tuple(fingerprint for fingerprint, entry in self.entries() if entry is None)

    def clear(self) -> int:
        """Remove all entries and no other keys, and return their number."""
        removed = 0
        for keys in self._keys():
            with self._translated_errors("cannot be emptied"):
                count: Any = self._client.delete(*keys)
            removed += count
        return removed

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _warn_of_earlier(self) -> None:
        """Warn of entries of earlier versions, once for each server."""
        with suppress(self._errors):
            for entries in EARLIER if self._client.set(EARLIER_CHECKED, "", nx=True) else ():
                if next(self._client.scan_iter(match=f"{entries}*", count=SCAN_SIZE), None) is not None:
                    log.warning(
                        "%s: answers of an earlier version under %s* are not used: their articles are requested "
                        "again; delete these keys to free their space",
                        self.folder,
                        entries,
                    )

    def _keys(self) -> Iterator[list[bytes]]:
        cursor = -1
        while cursor:
            with self._translated_errors("cannot be read"):
                scanned: Any = self._client.scan(max(cursor, 0), match=f"{ENTRIES}*", count=SCAN_SIZE)
            cursor, keys = scanned
            if keys:
                yield keys

    @contextmanager
    def _translated_errors(self, failed: str) -> Iterator[None]:
        """Raise an error of the server as a `StoreError` that names the server without its password."""
        try:
            yield
        except self._errors as error:
            raise StoreError(f"{self.folder}: {failed} ({error}); check the server and MAHDAR_STORE") from None


def _text(stored: Any) -> str:
    """Decode a stored text; one that is not UTF-8 becomes one that is no entry."""
    try:
        return stored.decode() if isinstance(stored, bytes) else str(stored)
    except UnicodeDecodeError:
        return UNREADABLE


def _lease() -> int:
    return int(LEASE * 1_000)
