"""An event loop in its own thread: one client serves callers with and without a loop (a notebook has one)."""

import asyncio
import itertools
import os
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from mahdar.errors import MahdarError

T = TypeVar("T")
Submit = Callable[[Coroutine[Any, Any, T]], Future[T]]
"""Starts a coroutine in an event loop of another thread."""
POLL_INTERVAL = 0.25
"""Seconds of one wait. Python handles Ctrl-C only between two waits."""
CLOSED: Final = "the extractor was closed while it read this article; extract it again before closing"

FORKED: Final = "this process was forked while the articles were read: call extract_many again in it"


def wait(future: Future[T]) -> T:
    """Return the result of a future, in waits that Ctrl-C can end.

    Raises:
        MahdarError: the loop was closed first.
    """
    while True:
        try:
            return future.result(POLL_INTERVAL)
        except TimeoutError:
            if future.done():
                return future.result()
        except CancelledError:
            raise MahdarError(CLOSED) from None


async def wait_in_loop(future: Future[T]) -> T:
    """Return the result of a future to a task of the caller's event loop; cancelling the task cancels the future.

    Raises:
        MahdarError: the future's loop was closed first.
    """
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():  # the caller cancelled it
            raise
        raise MahdarError(CLOSED) from None


async def iterate_in_loop(results: Generator[T, None, None], stop: threading.Event) -> AsyncIterator[T]:
    """Yield the results of a blocking generator to a task of the caller's event loop.

    Args:
        results: runs in threads, one step after the other; never yields None.
        stop: set at the end, to end the generator in its thread.
    """
    try:
        while (result := await asyncio.to_thread(next, results, None)) is not None:
            yield result
    finally:
        stop.set()
        with suppress(ValueError):  # it is running, and will see `stop`
            results.close()


def as_completed(
    jobs: Iterable[Coroutine[Any, Any, T]], submit: Submit[T], at_once: int, stop: threading.Event
) -> Generator[T, None, None]:
    """Run coroutines in an event loop of another thread, and yield each result as soon as it is there.

    The first error, of a coroutine or of `jobs`, is raised once the coroutines in flight have ended; later ones are
    dropped. Where the caller stops early, those in flight are cancelled.

    Args:
        jobs: consumed as there is room.
        submit: starts a coroutine in the loop.
        at_once: coroutines in flight at most.
        stop: ends the run when another thread sets it.

    Raises:
        MahdarError: it is continued in a forked process, in which the loop does not run.
    """
    pending, process = iter(jobs), os.getpid()
    done: queue.SimpleQueue[Future[T]] = queue.SimpleQueue()
    in_flight: set[Future[T]] = set()
    failed: BaseException | None = None
    try:
        while not stop.is_set():
            _check_process(process, in_flight)
            try:
                for job in itertools.islice(pending, at_once - len(in_flight) if failed is None else 0):
                    future = submit(job)
                    in_flight.add(future)
                    future.add_done_callback(done.put)
            except Exception as error:  # noqa: BLE001  # raised below
                failed = error
            if not in_flight:
                break
            try:
                completed = done.get(timeout=POLL_INTERVAL)  # a signal just before a longer wait would be missed
            except queue.Empty:
                continue
            in_flight.discard(completed)
            try:
                result = wait(completed)
            except MahdarError as error:
                failed = failed or error
            else:
                yield result
        if failed is not None:
            raise failed
    finally:
        for future in in_flight:
            future.cancel()


def _check_process(process: int, in_flight: set[Future[T]]) -> None:
    """Raise an error in a process forked from the one that made the calls in flight, and drop these calls.

    Raises:
        MahdarError: this is such a process.
    """
    if os.getpid() != process:
        in_flight.clear()
        raise MahdarError(FORKED)


class LoopThread:
    """Runs coroutines for other threads, from the first one until `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine, and the thread with the first; any thread may wait for the future."""
        with self._lock:  # a closing loop accepts nothing
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="mahdar", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def await_cancelled(self, timeout: float) -> None:
        """Wait at most `timeout` seconds until the coroutines that were cancelled have ended."""

        async def ended() -> None:
            if cancelled := [task for task in asyncio.all_tasks() if task.cancelling()]:
                await asyncio.wait(cancelled, timeout=timeout)

        if self._loop is not None:
            wait(self.submit(ended()))

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """Cancel the running coroutines, run `last` in the loop, and end the thread; do nothing if none was started."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await last()

        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


_RESETS: Final[WeakKeyDictionary[Any, Callable[[Any], None]]] = WeakKeyDictionary()
_INHERITED: Final[list[object]] = []


def reset_in_forks(instance: T, reset: Callable[[T], None]) -> None:
    """Call `reset` with an object in every process that is forked from this one.

    Threads, event loops and locks do not work there: a wait for them would never end.
    """
    _RESETS[instance] = reset


def never_collect(*inherited: object) -> None:
    """Keep objects that a forked process inherited: closing them would close the other process's connections."""
    _INHERITED.extend(inherited)


def _reset_all() -> None:
    for instance, reset in list(_RESETS.items()):
        reset(instance)


if hasattr(os, "register_at_fork"):  # not on Windows, where no process is forked
    os.register_at_fork(after_in_child=_reset_all)
