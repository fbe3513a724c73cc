"""Asking: from a request to judged drafts, through the store, the retries and the re-asks."""

import asyncio
import logging
import operator
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from extractor.cache.disk import Store
from extractor.cache.shelf import Shelf
from extractor.errors import ExtractionError, NoModelError, UsageError
from extractor.limits.budget import OverBudgetError, Purse, Spending
from extractor.limits.circuit import CLOSED, SILENT
from extractor.limits.concurrency import UNBOUNDED, Clock, Limits, Pacer, Sleep
from extractor.limits.estimate import about
from extractor.llm.completion import Completion
from extractor.llm.reply import CallError
from extractor.llm.request import Request
from extractor.llm.validation import Accept, GiveUp, Reask, Verdict, judge, reask_message

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

log = logging.getLogger("mahdar")

NOTHING = "(empty)"
"""An empty answer in a re-ask: some endpoints refuse a turn without a word."""

OVER_BUDGET: Final = "over_budget"
DOUBLINGS: Final = 16
"""Of the wait between two calls to an endpoint that is silent; the policy's longest comes sooner."""
LOOKS: Final = (0.05, 1.0)
"""Seconds between two looks for what another process is asking: the first, then twice as many, up to the last."""
LONG: Final = 10.0
"""Seconds after which somebody should know what is waited for: the other process may be suspended."""


class Caller(Protocol):
    """Who can be asked: the door to an endpoint, or a double in a test."""

    async def ask(self, request: Request) -> Completion:
        """One call, no retry."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and how long. Waits double from `first_wait`, unless the endpoint says how long to wait.

    Attributes:
        silent: calls in a row without an answer that are too many: from there on one call at a time is made.
        patience: seconds of such silence after which the run ends.
    """

    attempts: int = 4
    reasks: int = 1
    first_wait: float = 1.0
    longest_wait: float = 60.0
    silent: int = 20
    patience: float = 60.0

    def __post_init__(self) -> None:
        least = min(self.reasks, self.first_wait, self.longest_wait, self.patience)
        if self.attempts < 1 or self.silent < 1 or least < 0:
            raise UsageError(f"{self}: at least one attempt is needed, and nothing may be negative")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent on one or more requests. Cached answers count as hits and cost no tokens.

    Attributes:
        cost: US dollars, of the calls whose price is known.
        unpriced: calls whose price is not.
    """

    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

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
    """Asks each question once: of the store first, then of the endpoint.

    Args:
        caller: who is asked.
        store: where answers are kept.
        policy: how often to ask again.
        concurrency: calls in flight at most.
        limits: requests and tokens a minute.
        purse: what may be spent.
        clock: seconds, only ever rising.
        sleep: waits so many.
    """

    def __init__(
        self,
        caller: Caller,
        store: Store | None,
        *,
        policy: Policy,
        concurrency: int,
        limits: Limits = UNBOUNDED,
        purse: Purse | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._caller = caller
        self._shelf = Shelf(store)
        self._policy = policy
        self._pacer = Pacer(concurrency, limits, clock=clock, sleep=sleep)
        self._circuit = CLOSED
        self._purse = purse or Purse()
        self._clock = clock
        self._sleep = sleep
        self._flying: dict[str, asyncio.Future[Turn | None]] = {}
        self._heard = False  # whether the endpoint has ever taken a question
        self._warned = False

    async def answer(self, request: Request) -> Answer:
        """The judged answer to a request.

        Raises:
            ExtractionError: no usable answer came; says why, and after how many attempts.
            StoreError: the store cannot be read.
            NoModelError: the endpoint has not answered for so long that there is no use in asking.
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
        stored = await self._stored(request, earlier, left)
        if stored is not None:
            return stored
        while (flying := self._flying.get(request.fingerprint)) is not None:
            turn = await asyncio.shield(flying)
            if turn is not None:
                return replace(turn, usage=Usage(hits=1)) if turn.text is not None else turn
        return await self._fly(request, earlier, left)

    async def _stored(self, request: Request, earlier: Reask | None, left: int) -> Turn | None:
        stored = await self._shelf.get(request.fingerprint)
        if stored is None:
            return None
        return Turn(judge(stored, request.schema, earlier, reasks_left=left), Usage(hits=1), stored.text)

    async def _fly(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """A call that others may wait for. Where the one who makes it is cancelled, the next of them makes it again."""
        landed = self._flying[request.fingerprint] = asyncio.get_running_loop().create_future()
        turn = None
        try:
            turn = await self._claimed(request, earlier, left)
            return turn
        finally:
            del self._flying[request.fingerprint]
            landed.set_result(turn)

    async def _claimed(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """A call, unless another process makes the same: then its answer, or the call when it has given up."""
        looks, since = _looks(), self._clock()
        while not await self._shelf.claim(request.fingerprint):
            await self._sleep(next(looks))
            self._warn(request, since)
            if (stored := await self._stored(request, earlier, left)) is not None:
                return stored
        try:
            # Between the look that found nothing and the claim, another process may have answered and let go.
            stored = await self._stored(request, earlier, left) if self._shelf.shared else None
            return stored or await self._ask(request, earlier, left)
        finally:
            await self._shelf.release(request.fingerprint)

    def _warn(self, request: Request, since: float) -> None:
        """Say once that another process keeps this one waiting."""
        if not self._warned and self._clock() - since >= LONG:
            self._warned = True
            log.warning("another process asks the same; waiting for it", extra=_named(request))

    async def _ask(self, request: Request, earlier: Reask | None, left: int) -> Turn:
        """A call, judged and kept. An answer nothing can be made of is not kept: asking later may do better."""
        came, attempts = await self._persist(request)
        if isinstance(came, CallError):
            return Turn(GiveUp(came.failure, str(came)), Usage(attempts=attempts))
        verdict = judge(came, request.schema, earlier, reasks_left=left)
        if not isinstance(verdict, GiveUp):
            await self._shelf.put(request.fingerprint, came, request.components)
        return Turn(verdict, self._usage(came, attempts), came.text)

    def _usage(self, came: Completion, attempts: int) -> Usage:
        cost = self._purse.cost(came)
        return Usage(
            calls=1,
            attempts=attempts,
            tokens_in=came.tokens_in,
            tokens_out=came.tokens_out,
            cost=cost or Decimal(0),
            unpriced=int(cost is None),
        )

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
            made = retrying.statistics["attempt_number"] - (error.failure == OVER_BUDGET)
            log.info("given up: %s", error.failure, extra=_named(request, attempts=made, failure=error.failure))
            return error, made
        return completion, retrying.statistics["attempt_number"]

    async def _call(self, request: Request) -> Completion:
        """One call, when the budget and the pace allow it."""
        most = self._purse.most(request)
        try:
            await self._purse.reserve(most)
        except OverBudgetError as error:
            raise CallError(OVER_BUDGET, str(error), again=False, billed=False) from None
        came_to = Spending()
        try:
            async with self._pacer.turn(about(request) if self._pacer.counts_tokens else 0) as turn:
                self._check()
                came_to = most  # as long as it is not known
                completion = await self._answered(request, turn.started)
                came_to = self._purse.came_to(completion, most)
                turn.tokens = came_to.tokens or turn.tokens
        except CallError as error:
            came_to = most if error.billed else Spending()
            self._check()
            raise
        finally:
            self._purse.settle(most, came_to)
        return completion

    async def _answered(self, request: Request, started: float) -> Completion:
        """The answer to a call; what it says of the endpoint is remembered."""
        try:
            completion = await self._caller.ask(request)
        except CallError as error:
            self._note(error, started)
            log.info("no answer: %s", error.failure, extra=_named(request, failure=error.failure, again=error.again))
            raise
        self._took()
        self._pacer.answered()
        if log.isEnabledFor(logging.INFO):
            log.info("called", extra=_named(request, **_figures(completion)))
        return completion

    def _took(self) -> None:
        """The endpoint takes questions, whatever it makes of this one."""
        self._circuit, self._heard = CLOSED, True

    def _note(self, error: CallError, started: float) -> None:
        """What a failure says of the endpoint: that it is busy, or not there."""
        if error.failure not in SILENT:
            self._took()
            return
        if error.busy:
            self._pacer.slowed(started, error.wait if error.again else None)
        before, policy = self._circuit, self._policy
        self._circuit = before.failed(
            str(error),
            started=started,
            now=self._clock(),
            limit=1 if error.fatal and not self._heard else policy.silent,
            patience=policy.patience,
            hopeless=not error.again,
        )
        if self._circuit.probes > before.probes:
            self._pacer.hold(min(policy.first_wait * 2 ** min(before.probes, DOUBLINGS), policy.longest_wait))

    def _check(self) -> None:
        """Go on only while there is somebody to ask.

        Raises:
            NoModelError: there is nobody.
        """
        if not self._circuit.lets_through(now := self._clock()):
            said = self._circuit.account(now)
            raise NoModelError(f"the endpoint does not answer: {said}; what is done is kept, run it again to go on")

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


def _looks() -> Iterator[float]:
    wait, longest = LOOKS
    while True:
        yield wait
        wait = min(2 * wait, longest)


def _named(request: Request, **more: object) -> dict[str, object]:
    """What a line of the log is about."""
    return {"task": request.task, "fingerprint": request.fingerprint, **more}


def _figures(completion: Completion) -> dict[str, object]:
    """What a call took."""
    seconds = round(completion.seconds, 3)
    return {"tokens_in": completion.tokens_in, "tokens_out": completion.tokens_out, "seconds": seconds}


def _accepted(verdict: Verdict, earlier: Reask | None, request: Request, usage: Usage) -> Accept:
    """The drafts to go on with: what an answer brought is not lost when asking again brings nothing.

    Where the budget forbids to ask again, the article is left for a run that may: once done, it is not asked about.
    """
    if isinstance(verdict, Accept):
        return verdict
    assert isinstance(verdict, GiveUp), "the judge asks again only where that is left"
    if earlier is not None and earlier.best.drafts and verdict.failure != OVER_BUDGET:
        return earlier.best
    raise ExtractionError(verdict.failure, f"{request.task}: {verdict.message}", usage.attempts)
