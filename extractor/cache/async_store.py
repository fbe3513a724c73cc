"""Use a store from an event loop, with claims that keep other processes from sending the same request.

A store on a server is called in a thread; one on disk answers faster than a thread starts. If an answer cannot be
stored, the extraction continues, and one warning is logged.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ParamSpec, TypeVar

from mahdar.cache.claims import RENEWAL_INTERVAL, Claims
from mahdar.cache.completion import Completion
from mahdar.cache.disk import Store
from mahdar.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("mahdar")


class AsyncStore:
    """A store for one event loop; without a store it does nothing."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._claims = store if isinstance(store, Claims) else None
        self._remote = bool(getattr(store, "remote", False))
        self._held: set[str] = set()
        self._renewal: asyncio.Task[None] | None = None
        self._warned = False

    @property
    def shared(self) -> bool:
        """Whether other processes may send the same requests at the same time."""
        return self._claims is not None

    async def get(self, fingerprint: str) -> Completion | None:
        """Return the stored answer, or None.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._call(self._store.get, fingerprint) if self._store else None

    async def put(self, fingerprint: str, completion: Completion, components: Mapping[str, str]) -> None:
        """Store an answer; log a warning if that fails."""
        if self._store is None:
            return
        try:
            await self._call(self._store.put, fingerprint, completion, components)
        except StoreError as error:
            self._warn(f"{error}; going on without storing answers")

    async def claim(self, fingerprint: str) -> bool:
        """Claim a request; False where another process holds it. True if the store has no claims."""
        if self._claims is None:
            return True
        try:
            claimed = await self._call(self._claims.claim, fingerprint)
        except StoreError as error:
            self._warn(f"{error}; going on as if no other process sent the same requests")
            return True
        if claimed:
            self._held.add(fingerprint)
            if self._renewal is None:
                self._renewal = asyncio.create_task(self._renew())
        return claimed

    async def release(self, fingerprint: str) -> None:
        """Release a claim."""
        if self._claims is not None and fingerprint in self._held:
            self._held.discard(fingerprint)
            with suppress(StoreError):  # it expires
                await self._call(self._claims.release, fingerprint)

    async def _renew(self) -> None:
        """Renew the claims that are held, until none is left or the loop ends."""
        assert self._claims is not None, "nothing is held without claims"
        while self._held:
            await asyncio.sleep(RENEWAL_INTERVAL)
            for fingerprint in tuple(self._held):
                with suppress(StoreError):
                    await self._call(self._claims.renew, fingerprint)
        self._renewal = None

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(work, *args, **kwargs) if self._remote else work(*args, **kwargs)

    def _warn(self, message: str) -> None:
        if not self._warned:
            log.warning("%s", message)
        self._warned = True
