"""The pace: how many calls may be under way, and when the next may start.

A window of calls in flight grows by addition while answers come, and halves when the endpoint says that it is too much
(429, 503, no answer in time), as TCP does it: the calls of one window that fail together halve it once. `Retry-After`
holds back every call of the endpoint, not only the one that was told. Requests and tokens a minute are bounded by
meters (GCRA, the leaky bucket of ATM networks). The state is a value, and so is every state after it; the driver waits.
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

CUT: Final = 0.5
"""Of the window is left when the endpoint is busy."""
ROUNDS: Final = 16
"""Windows full of answers in which the window grows from nothing to its ceiling."""
MINUTE: Final = 60.0
EARLY: Final = 0.05
"""Seconds that a call may start before its time, since timers are late: without it a fast pace would fall behind. The
interval is stretched by a little more, so that no minute ever has more than was allowed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls may be under way, and from when on.

    Attributes:
        ceiling: calls in flight at most.
        window: calls in flight now allowed; a fraction counts when it has grown to a whole.
        cut_at: when it was last cut.
        resume_at: until then nothing starts.
    """

    ceiling: int
    window: float
    cut_at: float = -math.inf
    resume_at: float = -math.inf

    @classmethod
    def at_ceiling(cls, ceiling: int) -> "Pace":
        """The start: as fast as allowed, until the endpoint complains."""
        return cls(ceiling, float(ceiling))

    def answered(self) -> "Pace":
        """After an answer: a full window of them adds one step."""
        if self.window >= self.ceiling:
            return self
        step = max(1.0, self.ceiling / ROUNDS) / self.window
        return replace(self, window=min(float(self.ceiling), self.window + step))

    def slowed(self, started: float, now: float) -> "Pace":
        """After a complaint about a call that started then: of calls from before the last cut, it is the same one."""
        if started < self.cut_at:
            return self
        return replace(self, window=max(1.0, self.window * CUT), cut_at=now)

    def held(self, until: float) -> "Pace":
        """Nothing starts before then."""
        return replace(self, resume_at=max(self.resume_at, until))

    def narrowed(self, now: float) -> "Pace":
        """One call at a time, to see whether anybody is there."""
        return replace(self, window=1.0, cut_at=now)


@dataclass(frozen=True, slots=True)
class Meter:
    """So many units a minute, evenly.

    Attributes:
        interval: seconds a unit.
        due: when the next unit is due.
    """

    interval: float
    due: float = -math.inf

    @classmethod
    def of(cls, per_minute: int) -> "Meter":
        """A meter that in no minute lets more through."""
        return cls((MINUTE + 2 * EARLY) / per_minute)

    def wait(self, now: float) -> float:
        """Seconds until something may start. More than a minute's units at once start too, and are waited off after."""
        return self.due - EARLY - now

    def taken(self, units: float, now: float) -> "Meter":
        """After something started; fewer than nothing gives back what was not needed."""
        return replace(self, due=max(self.due, now) + units * self.interval)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint's account allows: requests and tokens a minute; None for no bound."""

    rpm: int | None = None
    tpm: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("rpm", self.rpm), ("tpm", self.tpm)):
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}: at least one a minute, or none for no bound")


UNBOUNDED: Final = Limits()


@dataclass(slots=True)
class Turn:
    """A call under way: since when, and how many tokens it is."""

    started: float
    tokens: int


class Pacer:
    """Lets calls start, in the order in which they came, when the pace and the meters allow it.

    Args:
        ceiling: calls in flight at most.
        limits: of the endpoint's account.
        clock: seconds, only ever rising.
        sleep: waits so many.
    """

    def __init__(
        self, ceiling: int, limits: Limits = UNBOUNDED, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.pace = Pace.at_ceiling(ceiling)
        self.under_way = 0
        self._requests = Meter.of(limits.rpm) if limits.rpm else None
        self._tokens = Meter.of(limits.tpm) if limits.tpm else None
        self._clock = clock
        self._sleep = sleep
        self._line = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a call is."""
        return self._tokens is not None

    @asynccontextmanager
    async def turn(self, tokens: int = 0) -> AsyncIterator["Turn"]:
        """Wait for a turn, and have it.

        Args:
            tokens: that the call takes, by estimate; what it took is set before it ends.
        """
        async with self._line:
            await self._wait()
            self.under_way += 1
        turn = Turn(self._clock(), tokens)
        try:
            self._count(1, tokens, turn.started)
            yield turn
        finally:
            self.under_way -= 1
            self._count(0, turn.tokens - tokens, turn.started)
            self._freed.set()

    def answered(self) -> None:
        """An answer came."""
        self.pace = self.pace.answered()

    def slowed(self, started: float, wait: float | None) -> None:
        """The endpoint is busy, and perhaps says for how long."""
        now = self._clock()
        self.pace = self.pace.slowed(started, now)
        if wait:
            self.pace = self.pace.held(now + wait)

    def hold(self, seconds: float) -> None:
        """Let nothing start for a while, and then one call at a time, until an answer comes."""
        now = self._clock()
        self.pace = self.pace.narrowed(now).held(now + seconds)

    async def _wait(self) -> None:
        while True:
            if self.under_way >= int(self.pace.window):
                self._freed.clear()
                await self._freed.wait()
            elif (seconds := self._seconds()) > 0:
                await self._sleep(seconds)
            else:
                return

    def _count(self, requests: int, tokens: int, now: float) -> None:
        if self._requests is not None and requests:
            self._requests = self._requests.taken(requests, now)
        if self._tokens is not None:
            self._tokens = self._tokens.taken(tokens, now)

    def _seconds(self) -> float:
        """Until the next call may start, as far as time goes."""
        now = self._clock()
        waits = [meter.wait(now) for meter in (self._requests, self._tokens) if meter is not None]
        return max(self.pace.resume_at - now, *waits, 0.0)
