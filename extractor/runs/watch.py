"""Watch for new and changed files, and take each once it has stopped growing.

Folders are polled, which works on every file system. The kernel's notifications would not help, since none of them
tells that a writer has finished.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mahdar.documents.document import STDIN
from mahdar.errors import BadInputError, UsageError
from mahdar.runs.locations import PATTERN, Location, locations

SETTLE_SECONDS: Final = 2.0
"""Seconds for which a file must be unchanged before it is taken."""
POLL_INTERVAL: Final = 0.5
"""Seconds between two polls."""


class Watch:
    """Finds new and changed files.

    Args:
        paths: files, folders and patterns on this machine; a folder or a pattern may have no files yet.
        settled: seconds for which a file must be unchanged before it is taken.
        clock: a monotonic clock, in seconds.

    Raises:
        UsageError: a path is a URL or standard input.
    """

    def __init__(
        self, paths: Iterable[str], *, settled: float = SETTLE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paths = tuple(paths)
        for path in self._paths:
            if path == STDIN or "://" in path:
                raise UsageError(f"{path!r} cannot be watched: --watch takes files and folders of this machine")
        self._settled = settled
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, int, int], float]] = {}
        self._taken: dict[str, tuple[int, int, int]] = {}

    def poll(self) -> frozenset[str]:
        """Return the absolute names of the files to take now. A file is returned once, and again after a change."""
        ready, now = set(), self._clock()
        for name in self._files():
            try:
                stat = os.stat(name)  # noqa: PTH116  # a Path a file takes ten times as long
            except OSError:  # removed since it was listed
                continue
            state = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            if self._taken.get(name) == state:
                continue
            seen, since = self._seen.get(name, (None, now))
            if seen != state:
                self._seen[name] = (state, now)
                since = now
            if now - since >= self._settled:
                del self._seen[name]
                self._taken[name] = state
                ready.add(name)
        return frozenset(ready)

    def wait(self, cancelled: Callable[[], bool]) -> frozenset[str]:
        """Poll until there are files to take, and return them; an empty set once `cancelled` returns True."""
        while not cancelled():
            if ready := self.poll():
                return ready
            time.sleep(POLL_INTERVAL)
        return frozenset()

    def _files(self) -> Iterator[str]:
        for path in self._paths:
            try:
                yield from (found.name for found in locations(path) if isinstance(found, Location))
            except BadInputError:
                if not (os.path.isdir(path) or PATTERN.intersection(path)):  # noqa: PTH112  # as `locations` does
                    raise
