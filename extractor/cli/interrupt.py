"""Ctrl-C: the first one lets what is under way come to its end, for a few seconds; the second one ends it."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Final, Self

GRACE: Final = 5.0
"""Seconds for what is under way: most answers come in less, and nobody waits longer for a prompt."""
SAID: Final = b"\nfinishing what is under way; Ctrl-C again stops at once\n"
_STDERR: Final = 2


class Interrupt:
    """Hears Ctrl-C while it is entered.

    Attributes:
        heard: whether no further article is to be begun.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.heard = False
        self._late = threading.Timer(grace, signal.raise_signal, [signal.SIGINT])
        self._late.daemon = True

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.heard:
            raise KeyboardInterrupt
        self.heard = True
        os.write(_STDERR, SAID)  # print may be under way in what is interrupted, and is not to be entered twice
        self._late.start()

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._late.cancel()
        signal.signal(signal.SIGINT, self._before)
