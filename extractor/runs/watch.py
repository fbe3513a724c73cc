"""Watching: files that are new or have changed since they were taken, once they have stopped growing.

Folders are listed again and again, which works on every file system; notices of the kernel's would not save that, for
none of them says that a writer has come to its end.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from mahdar.documents.document import STDIN
from mahdar.errors import BadInputError, UsageError
from mahdar.runs.locations import PATTERN, Location, locations

SETTLED: Final = 2.0
"""Seconds for which a file must not have changed before it is taken."""
PAUSE: Final = 0.5
"""Seconds between two looks."""


class Watch:
    """Looks for files to take.

    Args:
        paths: files, folders and patterns on this machine; a folder or a pattern may have no files yet.
        settled: seconds for which a file must not have changed.
        clock: seconds, only ever rising.

    Raises:
        UsageError: a path cannot be watched.
    """

    def __init__(
        self, paths: Iterable[str], *, settled: float = SETTLED, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paths = tuple(paths)
        for path in self._paths:
            if path == STDIN or "://" in path:
                raise UsageError(f"{path!r} cannot be watched: --watch takes files and folders of this machine")
        self._settled = settled
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, int, int], float]] = {}
        self._taken: dict[str, tuple[int, int, int]] = {}

    def look(self) -> frozenset[str]:
        """The files to take now, by their absolute names. Each is given once, and again when it has changed."""
        ready, now = set(), self._clock()
        for name in self._files():
            try:
                found = os.stat(name)  # noqa: PTH116  # a Path a file takes ten times as long
            except OSError:  # removed since it was listed
                continue
            state = (found.st_size, found.st_mtime_ns, found.st_ino)
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
        """Look until there are files to take; none once `cancelled` says so."""
        while not cancelled():
            if ready := self.look():
                return ready
            time.sleep(PAUSE)
        return frozenset()

    def _files(self) -> Iterator[str]:
        for path in self._paths:
            try:
                yield from (found.name for found in locations(path) if isinstance(found, Location))
            except BadInputError:
                if not (os.path.isdir(path) or PATTERN.intersection(path)):  # noqa: PTH112  # as `locations` does
                    raise
