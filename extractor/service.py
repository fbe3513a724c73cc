"""The service: documents in, extractions out."""

import asyncio
import datetime as dt
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

from mahdar.assembling.extraction import assemble
from mahdar.cache.disk import Store
from mahdar.cache.opening import open_store
from mahdar.documents.document import Document, as_document, check, check_several
from mahdar.drafting import Drafter, Maker, Request
from mahdar.errors import ExtractionError, MahdarError, NoModelError
from mahdar.limits.budget import UNBOUNDED, Budget, Purse, Spending, ignore
from mahdar.limits.concurrency import UNBOUNDED as NO_LIMITS
from mahdar.limits.concurrency import Limits
from mahdar.limits.prices import FREE, Price, unknown_price
from mahdar.llm.client import Client, Policy
from mahdar.llm.drafter import LLMDrafter
from mahdar.llm.endpoint import Endpoint, endpoint_of
from mahdar.llm.forecast import Forecast, forecast_request
from mahdar.llm.tracing import TracingTransport
from mahdar.llm.transport import OpenAITransport, Progress, Transport
from mahdar.loop import (
    LoopThread,
    Submit,
    as_completed,
    iterate_in_loop,
    never_collect,
    reset_in_forks,
    wait,
    wait_in_loop,
)
from mahdar.observability.logs import ARTICLE
from mahdar.observability.tracing import Telemetry, article_span, telemetry
from mahdar.offline import RulesDrafter
from mahdar.prompts import SMALL, STANDARD, PromptLibrary
from mahdar.results import Failure, Usage
from mahdar.schemas.records import Extraction
from mahdar.settings import Settings
from mahdar.tasks import TASKS, load_tasks, select_tasks

log = logging.getLogger("mahdar")

CANCELLATION_TIMEOUT: Final = 1.0
"""Seconds to wait for cancelled calls to end."""


class Extractor:
    """Extracts meetings and stances from articles.

    The arguments, else the environment (`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `MAHDAR_MODEL`), decide who drafts the
    records: a model at an endpoint, the embedded model (`embedded`), or the rule reader (`offline`, also where nothing
    is configured). Nothing is loaded or started before the first article needs it. Threads and event loops may share an
    extractor.

    >>> with Extractor() as mahdar:
    ...     result = mahdar.extract(text, published_at="2020-11-19")
    ...     for meeting in result.meetings: ...

    Args:
        settings: replace those of the environment.
        model: overrides that of the settings: a model of the endpoint, `embedded` or `offline`.
        tasks: `name` or `name@version`, in the order in which results list them.
        prompts: folders with further templates.
        store: the cache of answers, closed by its owner; None for no cache. By default the server that
            `MAHDAR_STORE` names, or the user's cache folder.
        policy: how often to retry and to re-ask.
        concurrency: calls in flight at most; fewer while the endpoint is busy.
        budget: what this extractor may spend in total; an article that could exceed it fails as `over_budget`.
        price: of the model, in place of the price tables.
        limits: requests and tokens a minute.
        transport: sends the calls in place of openai's client, and is closed by its owner; or a function that makes
            one, which the extractor closes in the event loop that used it.
        drafter: drafts the records, in place of what the settings name.
        progress: called with a phase and the part of it done, while the embedded model starts and reads passages.

    Attributes:
        settings: those in use.
        tasks: those that it extracts.
        purse: the budget, and what was spent of it.

    Raises:
        UsageError: a task, a setting or the store cannot be used, or the budget bounds the cost of a model whose price
            is not known.
        PromptError: a template does not hold.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        model: str | None = None,
        tasks: Iterable[str] = TASKS,
        prompts: Iterable[Path] = (),
        store: Store | Literal["default"] | None = "default",
        policy: Policy | None = None,
        concurrency: int = 8,
        budget: Budget = UNBOUNDED,
        price: Price | None = None,
        limits: Limits = NO_LIMITS,
        transport: Transport | Callable[[], Transport] | None = None,
        drafter: Drafter | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.settings = (settings or Settings.from_environment()).with_model(model)
        self.tasks = load_tasks(tasks, PromptLibrary(*prompts), SMALL if self.settings.embedded else STANDARD)
        self.purse = Purse(budget, lambda: price or (self.endpoint.find_price() if self.endpoint else FREE))
        if budget.max_cost is not None and self.purse.price is None:
            raise unknown_price(self.endpoint.model if self.endpoint else "")
        asks = drafter is None and not self.settings.offline
        self._own_store = open_store(self.settings) if asks and store == "default" else None
        self._store: Store | None = self._own_store if store == "default" else store
        self._policy = policy or Policy()
        self._concurrency = concurrency
        self._limits = limits
        self._progress = progress
        self._transport = transport
        self._own_transport: Transport | None = None
        self._given_drafter = self._drafter = drafter
        self._lock = threading.RLock()  # several threads may be the first to use the drafter
        self._loop = LoopThread()
        reset_in_forks(self, Extractor._reset)

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that is asked; None for the rule reader.

        Raises:
            UsageError: the settings name an endpoint but no model, a model but no endpoint, or an unusable URL.
            NoModelError: the embedded model is named, and the extra `local` is not installed.
        """
        if self.settings.offline:
            return None
        return endpoint_of(self.settings)

    @property
    def drafter(self) -> Drafter:
        """Who drafts the records."""
        with self._lock:
            if self._drafter is None:
                self._drafter = self._llm_drafter(self.endpoint) if self.endpoint else RulesDrafter()
            return self._drafter

    @property
    def made_by(self) -> Mapping[str, Maker]:
        """Who makes the records, by task."""
        return self.drafter.made_by(self.tasks)

    @property
    def price(self) -> Price | None:
        """The model's price; None where it is not known."""
        return self.purse.price

    @property
    def spent(self) -> Spending:
        """Money and tokens so far, failed calls that may have been billed included."""
        return self.purse.spent

    @contextmanager
    def charge(self, earlier: Spending, record: Callable[[Spending], None]) -> Iterator[None]:
        """Count what earlier runs spent against the budget, and record what is spent, both within the context.

        Args:
            earlier: money and tokens.
            record: called in the extractor's thread with `earlier` and all that the calls of this context have cost, or
                may have cost, whenever that changes: before a call is sent and after it has ended.
        """
        before = self.purse.spent
        self.purse.spent += earlier
        self.purse.record = lambda charged: record(charged - before)
        try:
            yield
        finally:
            self._loop.await_cancelled(CANCELLATION_TIMEOUT)  # calls that were not sent release their reservations
            self.purse.record = ignore
            self.purse.spent -= earlier

    def extract(
        self,
        document: str | Document,
        *,
        published_at: str | dt.date | None = None,
        document_id: str | None = None,
        tasks: Iterable[str] | None = None,
    ) -> Extraction:
        """Extract one article.

        Args:
            document: the article, or its text.
            published_at: the day it appeared, ISO 8601; dates such as "yesterday" need it.
            document_id: the article's id in the result; by default the beginning of the text's hash.
            tasks: names of the extractor's tasks to look for; all by default.

        Raises:
            ExtractionError: the article failed; `failure` is the class.
            MahdarError: no article can be extracted: no model, no template, a setting that cannot be used.
        """
        return wait(self._loop.submit(self._extract(as_document(document, published_at, document_id), tasks)))

    async def aextract(
        self,
        document: str | Document,
        *,
        published_at: str | dt.date | None = None,
        document_id: str | None = None,
        tasks: Iterable[str] | None = None,
    ) -> Extraction:
        """Extract one article; `extract` for a caller with an event loop."""
        work = self._extract(as_document(document, published_at, document_id), tasks)
        return await wait_in_loop(self._loop.submit(work))

    def extract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> Iterator[Extraction | Failure]:
        """Extract articles, at most `concurrency` at once, and yield each result as soon as it is there.

        An article that fails yields a `Failure`. An error that stops all of them, also one that `documents` raises, is
        raised once the articles under way have ended. Where the caller stops early, those under way are cancelled.
        """
        check_several(documents)
        return self._results(documents, concurrency or self._concurrency, threading.Event())

    def aextract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> AsyncIterator[Extraction | Failure]:
        """Extract articles; `extract_many` for a caller with an event loop. Cancelling it cancels the articles."""
        check_several(documents)
        stop = threading.Event()
        results = self._results(documents, concurrency or self._concurrency, stop)
        return iterate_in_loop(results, stop)

    def plan(self, document: str | Document) -> tuple[Request, ...]:
        """Return the requests that an article takes, without sending any; none for the rule reader.

        Raises:
            BadInputError: the article cannot be read.
        """
        document = as_document(document)
        check(document)
        return self.drafter.plan(document, self.tasks)

    def forecast(self, document: str | Document) -> Forecast:
        """Estimate what an article will take that is not in the cache. Nothing is sent.

        Raises:
            BadInputError: the article cannot be read.
        """
        forecast = Forecast(articles=1)
        for request in self.plan(document):
            if self._store is not None and self._store.get(request.fingerprint) is not None:
                forecast += Forecast(requests=1, cached=1)
            else:
                forecast += forecast_request(request, self.price, reasks=self._policy.reasks)
        return forecast

    def close(self) -> None:
        """Close connections and files, stop the embedded model, and cancel articles under way.

        An extractor that is used again opens them again.
        """
        with self._lock:
            transport, self._own_transport = self._own_transport, None
            self._drafter = self._given_drafter  # the locks of the other drafter belong to the loop that ends

        async def close_in_loop() -> None:
            if transport is not None:
                await transport.close()
            if self._own_store is not None:
                self._own_store.close()  # in the thread that used it, which has its own connection

        self._loop.close(close_in_loop)
        if self._own_store is not None:
            self._own_store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    async def _extract(self, document: Document, names: Iterable[str] | None = None) -> Extraction:
        """Check, draft and assemble an article."""
        tasks = self.tasks if names is None else select_tasks(self.tasks, names)
        ARTICLE.set(document.id)  # in the context of this asyncio task, which is this article's alone
        with article_span(self._telemetry, document.id):
            try:
                started = time.monotonic()
                check(document)
                drafted = await self.drafter.draft(document, tasks)
                extraction = assemble(document, tasks, drafted, time.monotonic() - started)
            except MahdarError:
                raise
            except Exception as error:  # a bug that shows in one article must not stop the others
                fault = type(error).__name__  # its message may quote the article
                log.warning("failed: %s", fault, exc_info=log.isEnabledFor(logging.DEBUG))
                message = f"mahdar failed on this article: {fault}; logged at the level DEBUG, it says where"
                raise ExtractionError("internal", message) from error
            made = extraction.provenance
            log.info("drafted", extra={"calls": made.calls, "cached": made.cached, "seconds": made.seconds})
            return extraction

    def _results(
        self, documents: Iterable[str | Document], at_once: int, stop: threading.Event
    ) -> Generator[Extraction | Failure, None, None]:
        """Yield results as articles end, until `stop` is set, which cancels those under way."""
        return extract_each(map(as_document, documents), self._extract, self._loop.submit, at_once, stop)

    def _llm_drafter(self, endpoint: Endpoint) -> LLMDrafter:
        transport = self._transport() if callable(self._transport) else self._transport
        transport = transport or OpenAITransport(endpoint, timeout=self.settings.timeout, progress=self._progress)
        self._own_transport = transport if transport is not self._transport else None
        client = Client(
            TracingTransport(transport, endpoint, self._telemetry) if self._telemetry else transport,
            self._store,
            policy=self._policy.for_embedded() if endpoint.embedded else self._policy,
            concurrency=1 if endpoint.embedded else self._concurrency,  # its server answers one at a time
            limits=self._limits,
            purse=self.purse,
        )
        return LLMDrafter(endpoint, client, self._progress)

    @cached_property
    def _telemetry(self) -> Telemetry | None:
        return telemetry()

    def _reset(self) -> None:
        """Reset the state in a process that was forked after first use: calls in flight belong to the parent."""
        never_collect(self._loop, self._drafter, self._own_transport)
        self._lock, self._loop = threading.RLock(), LoopThread()
        self._drafter, self._own_transport = self._given_drafter, None
        self.purse.reset_in_fork()


def extract_each(
    documents: Iterable[Document],
    extract: Callable[[Document], Awaitable[Extraction]],
    submit: Submit[Extraction | Failure],
    at_once: int,
    stop: threading.Event,
) -> Generator[Extraction | Failure, None, None]:
    """Extract articles in an event loop of another thread, and yield each result, or failure, as soon as it is there.

    Args:
        documents: consumed as there is room.
        extract: extracts one of them.
        submit: starts a coroutine in the loop.
        at_once: articles under way at most.
        stop: cancels the articles under way when another thread sets it.

    Raises:
        MahdarError: an error that stops all of them, once those under way have ended. The usage of a `NoModelError` is
            that of all unfinished articles.
    """
    unfinished = Usage()

    async def result(document: Document) -> Extraction | Failure:
        nonlocal unfinished
        try:
            return await extract(document)
        except NoModelError as error:
            unfinished += error.usage
            raise
        except ExtractionError as error:
            return Failure(document.id, error.failure, str(error), error.usage)

    try:
        yield from as_completed(map(result, documents), submit, at_once, stop)
    except NoModelError as error:
        error.usage = unfinished
        raise
