"""An event loop in a thread of its own: one client for callers with and without a loop (a notebook has one)."""

import asyncio
import itertools
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from mahdar.errors import MahdarError

T = TypeVar("T")
TURN = 0.25
"""Seconds of one wait. Python acts on Ctrl-C between two waits, and may miss one that comes just before a wait."""


def wait(future: Future[T]) -> T:
    """The result of a future, in waits that Ctrl-C can end.

    Raises:
        MahdarError: the loop was closed before there was one.
    """
    while True:
        try:
            return future.result(TURN)
        except TimeoutError:
            if future.done():
                return future.result()
        except CancelledError:
            raise closed() from None


def closed() -> MahdarError:
    """What becomes of work that was under way when its loop was closed."""
    return MahdarError("the extractor was closed while it read this article; extract it again before closing")


_IN_FORKS: Final[WeakKeyDictionary[Any, Callable[[Any], None]]] = WeakKeyDictionary()
_INHERITED: Final[list[object]] = []


def begin_anew_in_forks(one: T, begin_anew: Callable[[T], None]) -> None:
    """See that an object begins anew in every process that is forked from this one.

    Threads, event loops and locks do not live on there: what is waited for would never come.
    """
    _IN_FORKS[one] = begin_anew


def never_collect(*inherited: object) -> None:
    """Keep what a forked process inherited: closing it would close connections that the other process uses."""
    _INHERITED.extend(inherited)


def _forked() -> None:
    for one, begin_anew in list(_IN_FORKS.items()):
        begin_anew(one)


if hasattr(os, "register_at_fork"):  # not on Windows, where no process is forked
    os.register_at_fork(after_in_child=_forked)


class LoopThread:
    """Runs coroutines for other threads, from the first one until `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine; its future can be waited for from any thread."""
        with self._lock:  # a loop that is being closed takes no more
            return asyncio.run_coroutine_threadsafe(work, self._running())

    def as_they_end(self, jobs: Iterable[Coroutine[Any, Any, T]], at_once: int, stop: threading.Event) -> Iterator[T]:
        """Run coroutines, at most so many at once, and yield each result as soon as it is there.

        What one of them raises, or `jobs` itself, is raised when those under way have come to their end; what these
        raise is not. Where the caller stops early, what is under way is given up.

        Args:
            jobs: gone through as there is room.
            at_once: coroutines under way at most.
            stop: ends it when it is set, from another thread.
        """
        waiting = iter(jobs)
        done: queue.SimpleQueue[Future[T]] = queue.SimpleQueue()
        under_way: set[Future[T]] = set()
        failed: BaseException | None = None
        try:
            while not stop.is_set():
                try:
                    for job in itertools.islice(waiting, at_once - len(under_way) if failed is None else 0):
                        begun = self.submit(job)
                        under_way.add(begun)
                        begun.add_done_callback(done.put)
                except Exception as error:  # noqa: BLE001  # raised below
                    failed = error
                if not under_way:
                    break
                try:
                    ended = done.get(timeout=TURN)  # a signal that comes just before a wait would not end it
                except queue.Empty:
                    continue
                under_way.discard(ended)
                try:
                    result = wait(ended)
                except MahdarError as error:
                    failed = failed or error
                else:
                    yield result
            if failed is not None:
                raise failed
        finally:
            for future in under_way:
                future.cancel()

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
