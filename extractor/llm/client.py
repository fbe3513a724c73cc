"""The client: from a request to validated records.

A call goes down these steps, each a method:

    ask                     instructor asks, validates and asks again (`mahdar.llm.conversation`)
    _create                 what instructor calls
    _send_cached            the cache
    _send_once              one call at a time of the same question, in this process …
    _send_claimed           … and between processes
    _send_with_retries      tenacity's
    _send_within_limits     budget, rate, concurrency, circuit
    _send                   the transport
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from mahdar.cache.async_store import AsyncStore
from mahdar.cache.completion import Completion
from mahdar.cache.disk import Store
from mahdar.errors import NoModelError, UsageError
from mahdar.limits.budget import OverBudgetError, Purse, Spending
from mahdar.limits.circuit import CLOSED, SILENT
from mahdar.limits.concurrency import UNBOUNDED, Clock, Limits, Pacer, Sleep
from mahdar.limits.estimate import about_in, about_out
from mahdar.llm.call import Call, Transport
from mahdar.llm.conversation import OVER_BUDGET, Conversation, Create, Outcome, converse, patched
from mahdar.llm.reply import CallError
from mahdar.llm.request import Request
from mahdar.observability.logs import silence_instructor
from mahdar.results import Usage
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from tenacity import AsyncRetrying, RetryCallState

__all__ = ["Client", "Outcome", "Policy"]

log = logging.getLogger("mahdar")

DOUBLINGS: Final = 16
"""Of the wait between two calls to an endpoint that is silent; the policy's longest comes sooner."""
TIMEOUT: Final = "timeout"
LOOKS: Final = (0.05, 1.0)
"""Seconds between two looks for an answer that another process asks for: the first, doubled up to the last."""
LONG: Final = 10.0
"""Seconds of waiting for another process after which it is logged: that process may be suspended."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and how long. Waits double from `first_wait`, unless the endpoint says how long to wait.

    Attributes:
        attempts: at one call, at most.
        reasks: of one request, at most.
        first_wait: seconds.
        longest_wait: seconds.
        silent: calls in a row without an answer that are too many: from there on one call at a time is made.
        patience: seconds of such silence after which the run ends.
        retries_timeouts: whether a call is made again that was not answered in time.
    """

    attempts: int = 4
    reasks: int = 1
    first_wait: float = 1.0
    longest_wait: float = 60.0
    silent: int = 20
    patience: float = 60.0
    retries_timeouts: bool = True

    def __post_init__(self) -> None:
        least = min(self.reasks, self.first_wait, self.longest_wait, self.patience)
        if self.attempts < 1 or self.silent < 1 or least < 0:
            raise UsageError(f"{self}: at least one attempt is needed, and nothing may be negative")

    def for_embedded(self) -> "Policy":
        """The same for the engine on this machine: asked again, a small model takes as long and does no better."""
        return replace(self, reasks=0, retries_timeouts=False)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a call brought, and what it took."""

    came: Completion | CallError
    usage: Usage


class Client:
    """Asks a model, each question once: of the cache first, then of the endpoint.

    Args:
        transport: sends the calls.
        store: where answers are kept; None for nowhere.
        policy: how often to ask again.
        concurrency: calls in flight at most.
        limits: requests and tokens a minute.
        purse: what may be spent.
        clock: seconds, only ever rising.
        sleep: waits so many.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store | None,
        *,
        policy: Policy,
        concurrency: int,
        limits: Limits = UNBOUNDED,
        purse: Purse | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._transport = transport
        self._store = AsyncStore(store)
        self._policy = policy
        self._pacer = Pacer(concurrency, limits, clock=clock, sleep=sleep)
        self._circuit = CLOSED
        self._purse = purse or Purse()
        self._clock = clock
        self._sleep = sleep
        self._patched: dict[str, Create] = {}
        self._flying: dict[str, asyncio.Future[_Answered | None]] = {}
        self._heard = False  # whether the endpoint has ever taken a question
        self._warned = False
        silence_instructor()

    async def ask(self, request: Request, source: Source) -> Outcome:
        """Ask, validate the answer against the article, and ask again while something is wrong.

        Args:
            request: what is asked.
            source: the article.

        Raises:
            ExtractionError: no usable answer came; says why, and after how many attempts.
            StoreError: the cache cannot be read.
            NoModelError: the endpoint has not answered for so long that there is no use in asking.
        """
        create = self._patched.get(request.mode)
        if create is None:
            create = self._patched[request.mode] = patched(self._create, request.mode)
        return await converse(create, Conversation(request, source, self._policy.reasks))

    async def _create(self, *, conversation: Conversation, **arguments: Any) -> "ChatCompletion":
        """Stand in for `chat.completions.create`: every attempt and every re-ask of instructor's comes here."""
        call = conversation.call(arguments)
        answered = await self._send_cached(call, conversation)
        conversation.usage += answered.usage
        if isinstance(answered.came, CallError):
            raise answered.came
        return conversation.take(call, answered.came)

    async def _send_cached(self, call: Call, conversation: Conversation) -> _Answered:
        """Answer a call from the cache, or send it."""
        return await self._stored(call, conversation) or await self._send_once(call, conversation)

    async def _stored(self, call: Call, conversation: Conversation) -> _Answered | None:
        """Answer a call from the cache. What would not be kept today, say after an unreadable answer, is no answer."""
        stored = await self._store.get(call.fingerprint)
        return _Answered(stored, Usage(hits=1)) if stored is not None and conversation.keeps(stored) else None

    async def _send_once(self, call: Call, conversation: Conversation) -> _Answered:
        """Send a call, unless the same is under way in this process: then wait for its answer.

        Where the one who makes it is cancelled, the next of those who wait makes it again.
        """
        while (flying := self._flying.get(call.fingerprint)) is not None:
            answered = await asyncio.shield(flying)
            if answered is not None:
                return replace(answered, usage=Usage(hits=int(isinstance(answered.came, Completion))))
        landed = self._flying[call.fingerprint] = asyncio.get_running_loop().create_future()
        answered = None
        try:
            answered = await self._send_claimed(call, conversation)
            return answered
        finally:
            del self._flying[call.fingerprint]
            landed.set_result(answered)

    async def _send_claimed(self, call: Call, conversation: Conversation) -> _Answered:
        """Send a call, unless another process makes the same: then its answer, or the call when it has given up."""
        looks, since = _looks(), self._clock()
        while not await self._store.claim(call.fingerprint):
            await self._sleep(next(looks))
            self._warn(call, since)
            if (stored := await self._stored(call, conversation)) is not None:
                return stored
        try:
            # Between the look that found nothing and the claim, another process may have answered and let go.
            stored = await self._stored(call, conversation) if self._store.shared else None
            return stored or await self._send_and_keep(call, conversation)
        finally:
            await self._store.release(call.fingerprint)

    def _warn(self, call: Call, since: float) -> None:
        """Log once when waiting for another process that sends the same request."""
        if not self._warned and self._clock() - since >= LONG:
            self._warned = True
            log.warning("another process asks the same; waiting for it", extra=_named(call))

    async def _send_and_keep(self, call: Call, conversation: Conversation) -> _Answered:
        """Send a call, and keep its answer. One that nothing can be made of is not kept: asking later may do better."""
        came, attempts = await self._send_with_retries(call)
        if isinstance(came, CallError):
            return _Answered(came, Usage(attempts=attempts))
        if conversation.keeps(came):
            await self._store.put(call.fingerprint, came, call.components)
        return _Answered(came, self._usage(came, attempts))

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

    async def _send_with_retries(self, call: Call) -> tuple[Completion | CallError, int]:
        """Send a call, again while that can help, and count."""
        retrying = self._retrying()
        try:
            completion: Completion = await retrying(self._send_within_limits, call)
        except CallError as error:
            made = retrying.statistics["attempt_number"] - (error.failure == OVER_BUDGET)
            log.info("given up: %s", error.failure, extra=_named(call, attempts=made, failure=error.failure))
            return error, made
        return completion, retrying.statistics["attempt_number"]

    async def _send_within_limits(self, call: Call) -> Completion:
        """Send a call when the budget and the pace allow it."""
        most = self._purse.most(call.arguments)
        try:
            await self._purse.reserve(most)
        except OverBudgetError as error:
            raise CallError(OVER_BUDGET, str(error), again=False, billed=False) from None
        came_to = Spending()
        try:
            async with self._pacer.turn(_about(call) if self._pacer.counts_tokens else 0) as turn:
                self._check()
                came_to = most  # as long as it is not known
                completion = await self._send(call, turn.started)
                came_to = self._purse.came_to(completion, most)
                turn.tokens = came_to.tokens or turn.tokens
        except CallError as error:
            came_to = most if error.billed else Spending()
            self._check()
            raise
        finally:
            self._purse.settle(most, came_to)
        return completion

    async def _send(self, call: Call, started: float) -> Completion:
        """Send a call; what comes of it says something of the endpoint, which is remembered."""
        try:
            completion = await self._transport.send(call)
        except CallError as error:
            self._note(error, started)
            log.info("no answer: %s", error.failure, extra=_named(call, failure=error.failure, again=error.again))
            raise
        self._took()
        self._pacer.answered()
        if log.isEnabledFor(logging.INFO):
            log.info("called", extra=_named(call, **_figures(completion)))
        return completion

    def _took(self) -> None:
        """Note that the endpoint answers: close the circuit."""
        self._circuit, self._heard = CLOSED, True

    def _note(self, error: CallError, started: float) -> None:
        """Note a failed call: slow down where the endpoint is busy, count it where it does not answer."""
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
        """Check that the circuit is closed.

        Raises:
            NoModelError: it is open: the endpoint has not answered for too long.
        """
        if not self._circuit.lets_through(now := self._clock()):
            said = self._circuit.account(now)
            verb = "refuses" if self._circuit.said.startswith("HTTP 4") else "does not answer"
            raise NoModelError(f"the endpoint {verb}: {said}; what is done is kept, run it again to go on")

    def _retrying(self) -> "AsyncRetrying":
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        return AsyncRetrying(
            stop=stop_after_attempt(self._policy.attempts),
            wait=self._wait,
            retry=retry_if_exception(self._retries),
            sleep=self._sleep,
            reraise=True,
        )

    def _retries(self, error: BaseException) -> bool:
        """Whether to send a call again."""
        if not isinstance(error, CallError) or not error.again:
            return False
        return self._policy.retries_timeouts or error.failure != TIMEOUT

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


def _named(call: Call, **more: object) -> dict[str, object]:
    """What a line of the log is about."""
    return {"task": call.tasks, "fingerprint": call.fingerprint, **more}


def _about(call: Call) -> int:
    """Tokens in and out, by estimate."""
    request = call.request
    return about_in(call.arguments) + about_out(request.messages[-1]["content"], request.parameters)


def _figures(completion: Completion) -> dict[str, object]:
    """What a call took."""
    seconds = round(completion.seconds, 3)
    return {"tokens_in": completion.tokens_in, "tokens_out": completion.tokens_out, "seconds": seconds}
