"""Pacing: how many calls may be in flight, and when the next may start.

The window of calls in flight grows by addition while answers come, and halves when the endpoint is busy (429, 503, a
timeout), as in TCP's congestion control: calls of one window that fail together halve it once. `Retry-After` holds back
every call to the endpoint, not only the one that received it. Requests and tokens a minute are bounded by meters (GCRA,
the leaky bucket of ATM networks). `Pace` and `Meter` are values with pure transitions; `Pacer` waits.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from mahdar.errors import UsageError

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

DECREASE: Final = 0.5
"""Part of the window that is left when the endpoint is busy."""
GROWTH_WINDOWS: Final = 16
"""Full windows of answers in which the window grows from nothing to its ceiling."""
MINUTE: Final = 60.0
TIMER_TOLERANCE: Final = 0.05
"""Seconds that a call may start before it is due, since timers are late: without it a fast pace would fall behind. The
interval is a little longer to make up for it, so that no minute has more than is allowed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls may be in flight, and from when on. Times are monotonic seconds.

    Attributes:
        ceiling: calls in flight at most.
        window: calls in flight allowed at present, rounded down.
        cut_at: when the window was last cut.
        resume_at: no call starts before.
    """

    ceiling: int
    window: float
    cut_at: float = -math.inf
    resume_at: float = -math.inf

    @classmethod
    def at_ceiling(cls, ceiling: int) -> "Pace":
        """Return the pace to start with: all calls that are allowed, until the endpoint is busy."""
        return cls(ceiling, float(ceiling))

    def answered(self) -> "Pace":
        """Return the pace after an answer: a full window of answers adds one step."""
        if self.window >= self.ceiling:
            return self
        step = max(1.0, self.ceiling / GROWTH_WINDOWS) / self.window
        return replace(self, window=min(float(self.ceiling), self.window + step))

    def slowed(self, started: float, now: float) -> "Pace":
        """Return the pace after a call that found the endpoint busy; one from before the last cut changes nothing."""
        if started < self.cut_at:
            return self
        return replace(self, window=max(1.0, self.window * DECREASE), cut_at=now)

    def held(self, until: float) -> "Pace":
        """Return the pace where no call starts before a time."""
        return replace(self, resume_at=max(self.resume_at, until))

    def narrowed(self, now: float) -> "Pace":
        """Return the pace of one call at a time, for an endpoint that does not answer."""
        return replace(self, window=1.0, cut_at=now)


@dataclass(frozen=True, slots=True)
class Meter:
    """Bounds units a minute, evenly spread.

    Attributes:
        interval: seconds for each unit.
        due: when the next unit is due, in monotonic seconds.
    """

    interval: float
    due: float = -math.inf

    @classmethod
    def of(cls, per_minute: int) -> "Meter":
        """Return a meter that lets no more than so many units through in any minute."""
        return cls((MINUTE + 2 * TIMER_TOLERANCE) / per_minute)

    def wait(self, now: float) -> float:
        """Return the seconds until a call may start. One of more than a minute's units makes the next wait longer."""
        return self.due - TIMER_TOLERANCE - now

    def taken(self, units: float, now: float) -> "Meter":
        """Return the meter after a call started; negative units give back what it did not need."""
        return replace(self, due=max(self.due, now) + units * self.interval)


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests (`rpm`) and tokens (`tpm`) a minute that an endpoint's account allows; None for no bound."""

    rpm: int | None = None
    tpm: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("rpm", self.rpm), ("tpm", self.tpm)):
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}: at least one a minute, or none for no bound")


UNBOUNDED: Final = Limits()


@dataclass(slots=True)
class Slot:
    """A call in flight: when it started, in monotonic seconds, and its tokens."""

    started: float
    tokens: int


class Pacer:
    """Starts calls when the pace and the meters allow it, in the order of their requests.

    Args:
        ceiling: calls in flight at most.
        limits: of the endpoint's account.
        clock: returns monotonic seconds.
        sleep: waits for that many seconds.
    """

    def __init__(
        self, ceiling: int, limits: Limits = UNBOUNDED, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.pace = Pace.at_ceiling(ceiling)
        self.in_flight = 0
        self._requests = Meter.of(limits.rpm) if limits.rpm else None
        self._tokens = Meter.of(limits.tpm) if limits.tpm else None
        self._clock = clock
        self._sleep = sleep
        self._queue = asyncio.Lock()
        self._slot_freed = asyncio.Event()

    @property
    def counts_tokens(self) -> bool:
        """Whether a call's tokens must be given."""
        return self._tokens is not None

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator["Slot"]:
        """Wait until a call may start, and count it as in flight.

        Args:
            tokens: that the call takes, by estimate. The caller sets the actual number before the slot is released.
        """
        async with self._queue:
            await self._wait()
            self.in_flight += 1
        slot = Slot(self._clock(), tokens)
        try:
            self._count(1, tokens, slot.started)
            yield slot
        finally:
            self.in_flight -= 1
            self._count(0, slot.tokens - tokens, slot.started)
            self._slot_freed.set()

    def answered(self) -> None:
        """Count an answer."""
        self.pace = self.pace.answered()

    def slowed(self, started: float, wait: float | None) -> None:
        """Slow down after a call that found the endpoint busy.

        Args:
            started: when the call started.
            wait: seconds that the endpoint asked to wait; None where it named none.
        """
        now = self._clock()
        self.pace = self.pace.slowed(started, now)
        if wait:
            self.pace = self.pace.held(now + wait)

    def hold(self, seconds: float) -> None:
        """Start no call for some seconds, and then one at a time until an answer comes."""
        now = self._clock()
        self.pace = self.pace.narrowed(now).held(now + seconds)

    async def _wait(self) -> None:
        """Wait until the window has room and the next call is due."""
        while True:
            if self.in_flight >= int(self.pace.window):
                self._slot_freed.clear()
                await self._slot_freed.wait()
                continue
            now = self._clock()
            waits = [meter.wait(now) for meter in (self._requests, self._tokens) if meter is not None]
            seconds = max(self.pace.resume_at - now, *waits, 0.0)
            if seconds <= 0:
                return
            await self._sleep(seconds)

    def _count(self, requests: int, tokens: int, now: float) -> None:
        if self._requests is not None and requests:
            self._requests = self._requests.taken(requests, now)
        if self._tokens is not None:
            self._tokens = self._tokens.taken(tokens, now)
