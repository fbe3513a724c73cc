"""Handle Ctrl-C: the first stops gracefully within a few seconds, the second at once."""

import os
import signal
import threading
from types import FrameType
from typing import Final, Self

GRACE: Final = 5.0
"""Seconds for calls under way to finish: most answers take less, and nobody waits longer for a prompt."""
SAID: Final = b"\nfinishing what is under way; Ctrl-C again stops at once\n"
_STDERR: Final = 2


class Interrupt:
    """A context manager that handles Ctrl-C.

    Attributes:
        heard: whether Ctrl-C was pressed, so that no further article is begun.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.heard = False
        self._late = threading.Timer(grace, signal.raise_signal, [signal.SIGINT])
        self._late.daemon = True

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.heard:
            raise KeyboardInterrupt
        self.heard = True
        os.write(_STDERR, SAID)  # the signal may have interrupted print, which is not reentrant
        self._late.start()

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._late.cancel()
        signal.signal(signal.SIGINT, self._before)
