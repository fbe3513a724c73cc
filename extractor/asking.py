"""Asking: from a request to judged drafts, through the store, the retries and the re-asks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

from extractor.completion import Completion
from extractor.door import CallError
from extractor.errors import ExtractionError, StoreError
from extractor.judging import Accept, GiveUp, Problem, Reask, judge, reask_message
from extractor.request import Request
from extractor.store import Store

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

log = logging.getLogger("mahdar")

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
        return Usage(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Answer:
    """The drafts a request brought, and what they cost."""

    drafts: Accept
    usage: Usage
    fingerprints: tuple[str, ...]


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
        self._flying: dict[str, asyncio.Future[tuple[Completion, int]]] = {}
        self._store_failed = False

    async def answer(self, request: Request) -> Answer:
        """The judged answer to a request.

        Raises:
            ExtractionError: no usable answer came; says why, and after how many attempts.
        """
        asked, usage, problems, left = request, Usage(), (), self._policy.reasks
        fingerprints: tuple[str, ...] = ()
        while True:
            completion, used = await self._complete(asked, usage)
            usage, fingerprints = usage + used, (*fingerprints, asked.fingerprint)
            verdict = judge(completion, request.schema, problems, reasks_left=left)
            if isinstance(verdict, Accept):
                self._keep(asked, completion)
                return Answer(verdict, usage, fingerprints)
            problems = self._next(asked, completion, verdict, usage)
            asked = request.followed_by({"role": "assistant", "content": completion.text}, reask_message(problems))
            usage, left = usage + Usage(reasks=1), left - 1

    def _next(
        self, asked: Request, completion: Completion, verdict: GiveUp | Reask, usage: Usage
    ) -> tuple[Problem, ...]:
        """The problems to ask again with. An answer nothing can be made of is not kept: asking later may do better."""
        if isinstance(verdict, GiveUp):
            raise ExtractionError(verdict.failure, f"{asked.task}: {verdict.message}", usage.attempts)
        self._keep(asked, completion)
        return verdict.problems

    async def _complete(self, request: Request, before: Usage) -> tuple[Completion, Usage]:
        """From the store, or from a call; the same question in flight is asked once."""
        stored = self._store.get(request.fingerprint) if self._store else None
        if stored is not None:
            return stored, Usage(hits=1)
        flying = self._flying.get(request.fingerprint)
        if flying is not None:
            completion, _ = await asyncio.shield(flying)
            return completion, Usage(hits=1)
        completion, attempts = await self._fly(request, before)
        tokens = {"tokens_in": completion.tokens_in, "tokens_out": completion.tokens_out}
        return completion, Usage(calls=1, attempts=attempts, **tokens)

    async def _fly(self, request: Request, before: Usage) -> tuple[Completion, int]:
        task = asyncio.ensure_future(self._call(request, before))
        self._flying[request.fingerprint] = task
        task.add_done_callback(lambda _: self._flying.pop(request.fingerprint, None))
        return await asyncio.shield(task)

    async def _call(self, request: Request, before: Usage) -> tuple[Completion, int]:
        """A call, repeated while that can help."""
        retrying = self._retrying()
        try:
            async for attempt in retrying:
                with attempt:
                    async with self._slots:
                        completion = await self._caller.ask(request)
        except CallError as error:
            made = before.attempts + retrying.statistics["attempt_number"]
            raise ExtractionError(error.failure, f"{request.task}: {error}", made) from None
        return completion, retrying.statistics["attempt_number"]

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
        """Seconds until the next attempt: what the endpoint asks for, else twice as long each time, with jitter."""
        from tenacity import wait_random_exponential

        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallError) and error.wait is not None:
            return error.wait
        return wait_random_exponential(self._policy.first_wait, self._policy.longest_wait)(state)

    def _keep(self, request: Request, completion: Completion) -> None:
        """Store an answer that was paid for. Where that fails the extraction goes on, and the log says so once."""
        if self._store is None or completion.cached:
            return
        try:
            self._store.put(request.fingerprint, completion, request.components)
        except StoreError as error:
            if not self._store_failed:
                log.warning("%s; going on without keeping answers", error)
            self._store_failed = True


