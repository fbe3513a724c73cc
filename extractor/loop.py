"""An event loop in a thread of its own: one client for callers with and without a loop (a notebook has one)."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
TURN = 0.25
"""Seconds of one wait. Python acts on Ctrl-C between two waits, and may miss one that comes just before a wait."""


def wait(future: Future[T]) -> T:
    """The result of a future, in waits that Ctrl-C can end."""
    while True:
        try:
            return future.result(TURN)
        except TimeoutError:
            if future.done():
                return future.result()


class LoopThread:
    """Runs coroutines for other threads, from the first one until `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine; its future can be waited for from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def close(self, last: Callable[[], Awaitable[None]] | None = None) -> None:
        """Cancel what still runs, do the last thing, and end the thread. Where none was started, nothing is done."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end(last), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="mahdar", daemon=True)
                self._thread.start()
            return self._loop


async def _end(last: Callable[[], Awaitable[None]] | None) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    if last is not None:
        await last()
