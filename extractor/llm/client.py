"""The client: from a request to validated records.

A call passes these steps, each a method:

    ask                     answers from the cache if it has the whole conversation; else instructor asks, validates,
                            and asks again (`mahdar.llm.conversation`)
    _create                 what instructor calls for the request and for each re-ask
    _send_cached            answers from the cache
    _send_once              single flight within this process
    _send_claimed           single flight between processes; stores the answer
    _send_with_retries      retries a failed call, with tenacity
    _send_within_limits     budget, rate, concurrency, circuit breaker
    _send                   calls the transport
"""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from mahdar.cache.async_store import AsyncStore
from mahdar.cache.completion import Completion
from mahdar.cache.disk import Store
from mahdar.drafting import Request
from mahdar.errors import NoModelError, UsageError
from mahdar.limits.budget import PAYER, OverBudgetError, Purse, Spending
from mahdar.limits.circuit import CLOSED, ENDPOINT_FAILURES
from mahdar.limits.concurrency import UNBOUNDED, Clock, Limits, Pacer, Sleep
from mahdar.limits.estimate import estimate_input_tokens, estimate_output_tokens
from mahdar.llm.call import Call, Transport
from mahdar.llm.conversation import OVER_BUDGET, Conversation, Create, ValidatedAnswer, converse, patched
from mahdar.llm.reply import CallError
from mahdar.observability.logs import silence_instructor
from mahdar.results import Usage
from mahdar.validation.source import Source

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from tenacity import RetryCallState

log = logging.getLogger("mahdar")

MAX_DOUBLINGS: Final = 16
"""Doublings of the wait between two calls to an endpoint that does not answer: a bound against overflow, above the
policy's longest wait."""
TIMEOUT: Final = "timeout"
FIRST_POLL_INTERVAL: Final = 0.05
"""Seconds before the first poll of the cache for an answer that another process has requested; doubled each time."""
MAX_POLL_INTERVAL: Final = 1.0
"""Maximum of seconds between two such polls."""
WAIT_LOGGED_AFTER: Final = 10.0
"""Seconds of waiting for another process before that is logged, once: the process may be suspended."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often to ask, and how long to wait. Waits double from `first_wait`, unless the endpoint names a wait.

    Attributes:
        attempts: of one call, at most.
        reasks: how often the model is asked to correct its answer, at most.
        first_wait: seconds.
        longest_wait: seconds.
        silent: failed calls in a row after which only one call at a time is made.
        patience: seconds without an answer, counted from the first of these calls, after which the run ends.
        retries_timeouts: whether a call that timed out is repeated.
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
            raise UsageError(f"{self}: attempts and silent must be 1 or more, and nothing may be negative")

    def for_embedded(self) -> "Policy":
        """Return the policy for the embedded model: asked again, a small model takes as long and does no better."""
        return replace(self, reasks=0, retries_timeouts=False)


@dataclass(frozen=True, slots=True)
class _CallResult:
    """The completion of a call or the error that it ended with, and its usage."""

    outcome: Completion | CallError
    usage: Usage


class Client:
    """Asks a model. Answers come from the cache if it has them, else from the endpoint.

    Args:
        transport: sends the calls.
        store: the cache of answers; None for no cache.
        policy: how often to retry and to re-ask.
        concurrency: calls in flight at most.
        limits: requests and tokens a minute.
        purse: what may be spent.
        clock: returns monotonic seconds.
        sleep: waits for that many seconds.
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
        self._in_flight: dict[str, asyncio.Future[_CallResult | None]] = {}
        self._has_answered = False  # whether the endpoint has ever processed a request
        self._warned_of_wait = False
        silence_instructor()

    async def ask(self, request: Request, source: Source) -> ValidatedAnswer:
        """Ask, validate the answer against the article, and ask again while something is wrong.

        Args:
            request: the question.
            source: the article.

        Raises:
            ExtractionError: no answer can be used.
            StoreError: the cache cannot be read.
            NoModelError: the endpoint has not answered for longer than the policy allows.
        """
        stored = Conversation(request, source, self._policy.reasks)
        while stored.is_open and (answered := await self._send_cached(stored)) is not None:
            _receive(stored, answered)
        if not stored.is_open:
            return stored.result()
        # instructor and openai are loaded only now. instructor begins anew, with the stored answers.
        create = self._patched.get(request.mode)
        if create is None:
            create = self._patched[request.mode] = patched(self._create, request.mode)
        return await converse(create, Conversation(request, source, self._policy.reasks))

    async def _create(self, *, conversation: Conversation, **arguments: Any) -> "ChatCompletion":
        """Replace `chat.completions.create`, which instructor calls for the request and for each re-ask."""
        answered = await self._send_cached(conversation)
        _receive(conversation, answered or await self._send_once(conversation.call(arguments), conversation))
        return conversation.chat_completion()

    async def _send_cached(self, conversation: Conversation) -> _CallResult | None:
        """Answer the next call from the cache; None if it has no answer that would be stored today."""
        stored = await self._store.get(conversation.fingerprint)
        if stored is None or not conversation.is_worth_storing(stored):
            return None
        return _CallResult(stored, Usage(hits=1))

    @property
    def _payer(self) -> Purse:
        return PAYER.get() or self._purse

    async def _send_once(self, call: Call, conversation: Conversation) -> _CallResult:
        """Send a call, or wait for the result if the same call is in flight in this process.

        If the task that sends it is cancelled or over its budget, one of the waiting tasks sends it.
        """
        while (future := self._in_flight.get(call.fingerprint)) is not None:
            answered = await asyncio.shield(future)
            if answered is not None:
                return replace(answered, usage=Usage(hits=int(isinstance(answered.outcome, Completion))))
        future = self._in_flight[call.fingerprint] = asyncio.get_running_loop().create_future()
        answered = None
        try:
            answered = await self._send_claimed(call, conversation)
            return answered
        finally:
            del self._in_flight[call.fingerprint]
            outcome = answered and answered.outcome
            future.set_result(None if isinstance(outcome, CallError) and outcome.failure == OVER_BUDGET else answered)

    async def _send_claimed(self, call: Call, conversation: Conversation) -> _CallResult:
        """Send a call and store its answer; if another process has claimed the request, wait for its answer.

        If that process gives up, the call is sent. An answer without usable records is not stored, so that a later run
        asks again.
        """
        since, interval = self._clock(), FIRST_POLL_INTERVAL
        while not await self._store.claim(call.fingerprint):
            await self._sleep(interval)
            interval = min(2 * interval, MAX_POLL_INTERVAL)
            if not self._warned_of_wait and self._clock() - since >= WAIT_LOGGED_AFTER:
                self._warned_of_wait = True
                log.warning("another process sends the same request; waiting for its answer", extra=_log_fields(call))
            if (answered := await self._send_cached(conversation)) is not None:
                return answered
        try:
            # Another process may have answered and released the claim since the cache was looked up.
            answered = await self._send_cached(conversation) if self._store.shared else None
            if answered is None:
                answered = await self._send_with_retries(call)
                if isinstance(answered.outcome, Completion) and conversation.is_worth_storing(answered.outcome):
                    await self._store.put(call.fingerprint, answered.outcome, call.components)
            return answered
        finally:
            await self._store.release(call.fingerprint)

    async def _send_with_retries(self, call: Call) -> _CallResult:
        """Send a call, retry it as the policy says, and count its usage."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._policy.attempts),
            wait=self._wait,
            retry=retry_if_exception(self._can_retry),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            completion: Completion = await retrying(self._send_within_limits, call)
        except CallError as error:
            attempts = retrying.statistics["attempt_number"] - (error.failure == OVER_BUDGET)
            log.info("given up: %s", error.failure, extra=_log_fields(call, attempts=attempts, failure=error.failure))
            return _CallResult(error, Usage(attempts=attempts))
        cost = self._payer.cost(completion)
        usage = Usage(
            calls=1,
            attempts=retrying.statistics["attempt_number"],
            tokens_in=completion.tokens_in,
            tokens_out=completion.tokens_out,
            cost=cost or Decimal(0),
            unpriced=int(cost is None),
        )
        return _CallResult(completion, usage)

    async def _send_within_limits(self, call: Call) -> Completion:
        """Send a call when the budget, the rate and the circuit breaker allow it."""
        tokens = 0
        if self._pacer.counts_tokens:
            answer = estimate_output_tokens(call.request.messages[-1]["content"], call.request.parameters)
            tokens = estimate_input_tokens(call.arguments) + answer
        purse = self._payer
        bound, spent = purse.upper_bound(call.arguments), Spending()
        try:
            await purse.reserve(bound)
        except OverBudgetError as error:
            raise CallError(OVER_BUDGET, str(error), again=False, billed=False) from None
        try:
            async with self._pacer.slot(tokens) as slot:
                self._check_circuit()
                spent = bound  # until the answer says what it took
                completion = await self._send(call, slot.started)
                spent = purse.charge_for(completion, bound)
                slot.tokens = spent.tokens or slot.tokens
        except CallError as error:
            spent = bound if error.billed else Spending()
            self._check_circuit()
            raise
        finally:
            purse.settle(bound, spent)
        return completion

    async def _send(self, call: Call, started: float) -> Completion:
        """Send a call with the transport, and update the pacer and the circuit breaker."""
        try:
            completion = await self._transport.send(call)
        except CallError as error:
            self._count_failure(error, started)
            log.info("no answer: %s", error.failure, extra=_log_fields(call, failure=error.failure, again=error.again))
            raise
        self._circuit, self._has_answered = CLOSED, True
        self._pacer.answered()
        if log.isEnabledFor(logging.INFO):
            tokens = {"tokens_in": completion.tokens_in, "tokens_out": completion.tokens_out}
            log.info("called", extra=_log_fields(call, **tokens, seconds=round(completion.seconds, 3)))
        return completion

    def _count_failure(self, error: CallError, started: float) -> None:
        """Slow down if the endpoint is busy, and count the failure if the endpoint caused it."""
        if error.failure not in ENDPOINT_FAILURES:
            self._circuit, self._has_answered = CLOSED, True
            return
        if error.busy:
            self._pacer.slowed(started, error.wait if error.again else None)
        before, policy = self._circuit, self._policy
        self._circuit = before.failed(
            str(error),
            started=started,
            now=self._clock(),
            limit=1 if error.fatal and not self._has_answered else policy.silent,
            patience=policy.patience,
            permanent=not error.again,
            refused=error.refused,
        )
        if self._circuit.probes > before.probes:
            self._pacer.hold(min(policy.first_wait * 2 ** min(before.probes, MAX_DOUBLINGS), policy.longest_wait))

    def _check_circuit(self) -> None:
        """Check that calls may be made.

        Raises:
            NoModelError: the circuit is open, since the endpoint has not answered for too long.
        """
        if not self._circuit.allows_call(now := self._clock()):
            verb = "refuses" if self._circuit.refused else "does not answer"
            remedy = "results so far are kept; run the same command again"
            raise NoModelError(f"the endpoint {verb}: {self._circuit.describe(now)}; {remedy}")

    def _can_retry(self, error: BaseException) -> bool:
        """Whether sending a call again can help."""
        if not isinstance(error, CallError) or not error.again:
            return False
        return self._policy.retries_timeouts or error.failure != TIMEOUT

    def _wait(self, state: "RetryCallState") -> float:
        """Return the seconds until the next attempt: what the endpoint asks for, else up to twice as long each time."""
        from tenacity import wait_random_exponential

        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallError) and error.wait is not None:
            return error.wait
        return wait_random_exponential(self._policy.first_wait, self._policy.longest_wait)(state)


def _receive(conversation: Conversation, answered: _CallResult) -> None:
    """Add the usage of a call to its conversation, and validate its answer.

    Raises:
        CallError: the call ended with it.
    """
    conversation.usage += answered.usage
    if isinstance(answered.outcome, CallError):
        raise answered.outcome
    conversation.receive(answered.outcome)


def _log_fields(call: Call, **more: object) -> dict[str, object]:
    """Return the fields of a log record about a call."""
    return {"task": call.tasks, "fingerprint": call.fingerprint, **more}
