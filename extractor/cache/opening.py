"""Open the store: on disk by default, on a server where the settings name one."""

from typing import TYPE_CHECKING, Final

from mahdar.cache.disk import DiskStore
from mahdar.errors import UsageError

if TYPE_CHECKING:
    from mahdar.cache.redis import RedisStore
    from mahdar.settings import Settings

SERVERS: Final = ("redis://", "rediss://", "unix://")
VALKEY: Final = {"valkey://": "redis://", "valkeys://": "rediss://"}
"""Valkey's schemes and the ones that redis-py reads."""


def open_store(settings: "Settings") -> "DiskStore | RedisStore":
    """Open the store that the settings name.

    Raises:
        UsageError: they name no store that mahdar can use.
        StoreError: the store cannot be opened.
    """
    url = settings.store
    if url is None:
        return DiskStore(settings.cache)
    for name, same in VALKEY.items():
        url = same + url.removeprefix(name) if url.startswith(name) else url
    if not url.startswith(SERVERS):
        scheme, mark, _ = url.partition("://")  # the rest may hold a password
        named = f"MAHDAR_STORE {scheme!r}: no such store" if mark and scheme.isalnum() else "MAHDAR_STORE: not a URL"
        raise UsageError(f"{named}; write it like redis://host:6379/0")
    from mahdar.cache.redis import RedisStore

    return RedisStore(url)
