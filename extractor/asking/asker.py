"""Asking: from a request to judged drafts, through the store, the retries and the re-asks."""

import asyncio
import logging
import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Protocol

from extractor.asking.completion import Completion
from extractor.asking.judging import Accept, GiveUp, Reask, Verdict, judge, reask_message
from extractor.asking.reply import CallError
from extractor.asking.request import Request
from extractor.asking.store import Store
from extractor.errors import ExtractionError, StoreError, UsageError

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

log = logging.getLogger("mahdar")

NOTHING = "(empty)"
"""An empty answer in a re-ask: some endpoints refuse a turn without a word."""

Sleep = Callable[[float], Awaitable[None]]


class Caller(Protocol):
    """Who can be asked: the door to an endpoint, or a double in a test."""

    async def ask(self, request: Request) -> Completion:
        """One call, no retry."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and how long. Waits double from `first_wait`, unless the endpoint says how long to wait."""

    attempts: int = 4
    reasks: int = 1
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.reasks < 0 or self.first_wait < 0 or self.longest_wait < 0:
            raise UsageError(f"{self}: at least one attempt is needed, and nothing may be negative")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent on one or more requests. Cached answers count as hits and cost no tokens."""

    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*map(operator.add, _counts(self), _counts(other)))


_counts = operator.attrgetter(*(field.name for field in fields(Usage)))


@dataclass(frozen=True, slots=True)
class Answer:
    """The drafts a request brought, and what they cost."""

    drafts: Accept
    usage: Usage
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and what came of it; no text where the call brought none."""

    verdict: Verdict
    usage: Usage
    text: str | None = None


class Asker:
    """Asks each question once: of the store first, then of the endpoint."""

    def __init__(
        self, caller: Caller, store: Store | None, *, policy: Policy, concurrency: int, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._caller = caller
        self._store = store
        self._policy = policy
        self._sleep = sleep
        self._slots = asyncio.Semaphore(concurrency)
        self._flying: dict[str, asyncio.Future[Turn | None]] = {}
        self._store_failed = False

    async def answer(self, request: Request) -> Answer:
        """The judged answer to a request.

        Raises:
            ExtractionError: no usable answer came; says why, and after how many attempts.
            StoreError: the store cannot be read.
        """
        asked, earlier, usage = request, None, Usage()
        fingerprints: tuple[str, ...] = ()
        for left in range(self._policy.reasks, -1, -1):
            turn = await self._turn(asked, earlier, left)
            usage += turn.usage
            fingerprints += (asked.fingerprint,) if turn.text is not None else ()
            if not isinstance(turn.verdict, Reask):
                break
            earlier, usage = turn.verdict, usage + Usage(reasks=1)
            said = {"role": "assistant", "content": (turn.text or "").strip() or NOTHING}
            asked = request.followed_by(said, reask_message(earlier.problems))
        return Answer(_accepted(turn.verdict, earlier, request, usage), usage, fingerprints)

    async def _turn(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """From the store, or from a call; the same question under way is not asked again."""
        stored = self._store.get(request.fingerprint) if self._store else None
        if stored is not None:
            return Turn(judge(stored, request.schema, earlier, reasks_left=left), Usage(hits=1), stored.text)
        while (flying := self._flying.get(request.fingerprint)) is not None:
            turn = await asyncio.shield(flying)
            if turn is not None:
                return replace(turn, usage=Usage(hits=1)) if turn.text is not None else turn
        return await self._fly(request, earlier, left)

    async def _fly(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """A call that others may wait for. Where the one who makes it is cancelled, the next of them makes it again."""
        landed = self._flying[request.fingerprint] = asyncio.get_running_loop().create_future()
        turn = None
        try:
            turn = await self._ask(request, earlier, left)
            return turn
        finally:
            del self._flying[request.fingerprint]
            landed.set_result(turn)

    async def _ask(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """A call, judged and kept. An answer nothing can be made of is not kept: asking later may do better."""
        came, attempts = await self._persist(request)
        if isinstance(came, CallError):
            return Turn(GiveUp(came.failure, str(came)), Usage(attempts=attempts))
        verdict = judge(came, request.schema, earlier, reasks_left=left)
        if not isinstance(verdict, GiveUp):
            self._keep(request, came)
        usage = Usage(calls=1, attempts=attempts, tokens_in=came.tokens_in, tokens_out=came.tokens_out)
        return Turn(verdict, usage, came.text)

    async def _persist(self, request: Request) -> tuple[Completion | CallError, int]:
        """A call, repeated while that can help, and how many it took. Only one that failed pays for the repeating."""
        try:
            return await self._call(request), 1
        except CallError as error:
            failed = [error]
        retrying = self._retrying()
        try:
            async for attempt in retrying:
                with attempt:
                    if failed:
                        raise failed.pop()
                    completion = await self._call(request)
        except CallError as error:
            return error, retrying.statistics["attempt_number"]
        return completion, retrying.statistics["attempt_number"]

    async def _call(self, request: Request) -> Completion:
        async with self._slots:
            return await self._caller.ask(request)

    def _retrying(self) -> "AsyncRetrying":
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        return AsyncRetrying(
            stop=stop_after_attempt(self._policy.attempts),
            wait=self._wait,
            retry=retry_if_exception(lambda error: isinstance(error, CallError) and error.again),
            sleep=self._sleep,
            reraise=True,
        )

    def _wait(self, state: "RetryCallState") -> float:
        """Seconds until the next attempt: what the endpoint asks for, else up to twice as long each time."""
        from tenacity import wait_random_exponential

        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallError) and error.wait is not None:
            return error.wait
        return wait_random_exponential(self._policy.first_wait, self._policy.longest_wait)(state)

    def _keep(self, request: Request, completion: Completion) -> None:
        """Store an answer that was paid for. Where that fails the extraction goes on, and the log says so once."""
        if self._store is None:
            return
        try:
            self._store.put(request.fingerprint, completion, request.components)
        except StoreError as error:
            if not self._store_failed:
                log.warning("%s; going on without keeping answers", error)
            self._store_failed = True


def _accepted(verdict: Verdict, earlier: Reask | None, request: Request, usage: Usage) -> Accept:
    """The drafts to go on with: what an answer brought is not lost when asking again brings nothing."""
    if isinstance(verdict, Accept):
        return verdict
    if earlier is not None and earlier.best.drafts:
        return earlier.best
    assert isinstance(verdict, GiveUp), "the judge asks again only where that is left"
    raise ExtractionError(verdict.failure, f"{request.task}: {verdict.message}", usage.attempts)
