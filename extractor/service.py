"""The service: documents in, extractions out."""

import asyncio
import datetime as dt
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from mahdar.assembling.extraction import assemble
from mahdar.cache.disk import Store
from mahdar.cache.opening import open_store
from mahdar.documents.document import Document, as_date, check, check_several
from mahdar.drafting import Drafter, Maker, Request
from mahdar.errors import ExtractionError, MahdarError, NoModelError, UsageError
from mahdar.limits.budget import UNBOUNDED, Budget, Purse, Spending
from mahdar.limits.concurrency import UNBOUNDED as NO_LIMITS
from mahdar.limits.concurrency import Limits
from mahdar.limits.prices import FREE, Price, find_price, unknown_price
from mahdar.llm.client import Client, Policy
from mahdar.llm.drafter import LLMDrafter
from mahdar.llm.endpoint import Endpoint, embedded_endpoint, remote_endpoint
from mahdar.llm.forecast import Forecast, forecast_request
from mahdar.llm.tracing import TracingTransport
from mahdar.llm.transport import OpenAITransport, Progress, Transport
from mahdar.loop import LoopThread, begin_anew_in_forks, closed, never_collect, wait
from mahdar.observability.logs import ARTICLE
from mahdar.observability.tracing import Telemetry, article_span, telemetry
from mahdar.offline import RulesDrafter
from mahdar.prompts import SMALL, STANDARD, PromptLibrary
from mahdar.results import Failure, Usage
from mahdar.schemas.records import Extraction
from mahdar.settings import Settings
from mahdar.tasks import TASKS, Task, load_tasks

__all__ = ["Extractor", "Failure", "as_document"]

log = logging.getLogger("mahdar")


class Extractor:
    """Extracts meetings and stances from articles.

    Who drafts is decided by the arguments, or by the environment (`OPENAI_API_KEY`, `OPENAI_BASE_URL`,
    `MAHDAR_MODEL`): a model at an endpoint, the embedded model (`embedded`), or the rule reader (`offline`, and where
    nothing is configured). Nothing is loaded or started before the first article needs it. Safe to use from several
    threads and event loops at once.

    >>> with Extractor() as mahdar:
    ...     result = mahdar.extract(text, published_at="2020-11-19")
    ...     for meeting in result.meetings: ...

    Args:
        settings: in place of the environment's.
        model: overrides the environment's: a model of the endpoint, `embedded` or `offline`.
        tasks: `name` or `name@version`, in the order asked.
        prompts: folders with further templates.
        store: where answers are kept, which its caller closes; None for nowhere. By default the server that
            `MAHDAR_STORE` names, or the user's cache folder.
        policy: how often to ask again.
        concurrency: calls in flight at most; fewer while the endpoint is busy.
        budget: what may be spent, until it is closed for good; an article that could exceed it fails `over_budget`.
        price: of the model, in place of the tables'.
        limits: requests and tokens a minute.
        transport: sends the calls, in place of openai's client; its caller closes it. Of a function that makes one,
            it is closed with the extractor, in the event loop that used it.
        drafter: drafts the records, in place of what the settings name.
        progress: told what the embedded model is doing, its start and its passages: a phase and the part done.
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
        settings = settings or Settings.from_environment()
        self.settings = replace(settings, model=model) if model else settings
        size = SMALL if self.settings.embedded else STANDARD
        self.tasks = load_tasks(tasks, PromptLibrary(*prompts), size)
        self._purse = Purse(budget, lambda: price or self._known_price())
        if budget.max_cost is not None and self._purse.price is None:
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
        self._lock = threading.RLock()  # several threads may be the first to ask for the drafter
        self._loop = LoopThread()
        begin_anew_in_forks(self, Extractor._begin_anew)

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """What is asked; None for the rule reader.

        Raises:
            UsageError: the settings name an endpoint but no model, a model but no endpoint, or an unusable URL.
            NoModelError: the embedded model is named, and the extra `local` is not installed.
        """
        if self.settings.offline:
            return None
        return embedded_endpoint(self.settings) if self.settings.embedded else remote_endpoint(self.settings)

    @property
    def drafter(self) -> Drafter:
        """Who drafts the records."""
        with self._lock:
            if self._drafter is None:
                at = self.endpoint
                self._drafter = LLMDrafter(at, self._client(at), self._progress) if at else RulesDrafter()
            return self._drafter

    @property
    def made_by(self) -> Mapping[str, Maker]:
        """Who makes the records, by task."""
        return self.drafter.made_by(self.tasks)

    @property
    def spent(self) -> Spending:
        """Money and tokens so far, failed calls that may have been billed included."""
        return self._purse.spent

    def charge(self, earlier: Spending) -> None:
        """Count what earlier runs spent against the budget."""
        self._purse.spent += earlier

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
            document_id: names the article in the result.
            tasks: those of the extractor's tasks to look for; all by default.

        Raises:
            ExtractionError: the article failed; `failure` is the class.
            MahdarError: nothing can be extracted: no model, no template, a setting that cannot be used.
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
        """`extract` for a caller with an event loop."""
        future = self._loop.submit(self._extract(as_document(document, published_at, document_id), tasks))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():  # the caller's own wish
                raise
            raise closed() from None

    def extract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> Iterator[Extraction | Failure]:
        """Extract articles as they come, each result as soon as it is there, at most `concurrency` articles at once.

        An article that fails is a `Failure` among the results; only what stops all of them is raised, once those under
        way have come to their end. What `documents` itself raises is such a thing. Where the caller stops early, what
        is under way is given up.
        """
        check_several(documents)
        return self._results(documents, concurrency or self._concurrency, threading.Event())

    async def aextract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> AsyncIterator[Extraction | Failure]:
        """`extract_many` for a caller with an event loop. If its task is cancelled, what is under way is given up."""
        check_several(documents)
        stop = threading.Event()
        results = self._results(documents, concurrency or self._concurrency, stop)
        try:
            while (result := await asyncio.to_thread(next, results, None)) is not None:
                yield result
        finally:
            stop.set()
            with suppress(ValueError):  # it runs in its thread, and hears of it there
                results.close()

    def _results(
        self, documents: Iterable[str | Document], at_once: int, stop: threading.Event
    ) -> Generator[Extraction | Failure, None, None]:
        """The results as they come; ends early, and gives up what is under way, once `stop` is set."""
        unfinished: list[Usage] = []
        outcomes = (self._outcome(as_document(document), unfinished) for document in documents)
        try:
            yield from self._loop.as_they_end(outcomes, at_once, stop)
        except NoModelError as error:
            error.usage = sum(unfinished, Usage())
            raise

    def plan(self, document: str | Document) -> tuple[Request, ...]:
        """The requests that an article takes, before any is sent; none for the rule reader.

        Raises:
            BadInputError: the article cannot be read.
        """
        document = as_document(document)
        check(document)
        return self.drafter.plan(document, self.tasks)

    @property
    def price(self) -> Price | None:
        """What the model costs; None where that is not known."""
        return self._purse.price

    def forecast(self, document: str | Document) -> Forecast:
        """What an article will take, by estimate, less what is in the cache. Nothing is asked.

        Raises:
            BadInputError: the article cannot be read.
        """
        return sum(map(self._forecast, self.plan(document)), Forecast(articles=1))

    def _forecast(self, request: Request) -> Forecast:
        if self._store is not None and self._store.get(request.fingerprint) is not None:
            return Forecast(requests=1, cached=1)
        return forecast_request(request, self.price, reasks=self._policy.reasks)

    def close(self) -> None:
        """Let go of connections and files. The embedded model stops.

        What is under way is given up. An extractor that is used again opens again.
        """
        with self._lock:
            transport, self._own_transport = self._own_transport, None
            self._drafter = self._given_drafter  # the locks of the other one belong to the loop that ends

        async def last() -> None:
            if transport is not None:
                await transport.close()
            if self._own_store is not None:
                self._own_store.close()  # in the thread that used it, which has its own connection

        self._loop.close(last)
        if self._own_store is not None:
            self._own_store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _begin_anew(self) -> None:
        """Begin anew in a process that was forked after first use; calls under way are the other process's."""
        never_collect(self._loop, self._drafter, self._own_transport)
        self._lock, self._loop = threading.RLock(), LoopThread()
        self._drafter, self._own_transport = self._given_drafter, None
        self._purse.begin_anew()

    async def _outcome(self, document: Document, unfinished: list[Usage]) -> Extraction | Failure:
        """Extract an article; what was spent on one that no model is there for is added to the unfinished."""
        try:
            return await self._extract(document)
        except NoModelError as error:
            unfinished.append(error.usage)
            raise
        except ExtractionError as error:
            return Failure(document.id, error.failure, str(error), error.usage)

    async def _extract(self, document: Document, tasks: Iterable[str] | None = None) -> Extraction:
        chosen = self._chosen(tasks)
        ARTICLE.set(document.id)  # of this task, which is the article's own
        with article_span(self._telemetry, document.id):
            try:
                return await self._drafted(document, chosen)
            except MahdarError:
                raise
            except Exception as error:  # a fault of ours in one article must not cost the others
                fault = type(error).__name__  # its words may be the article's
                log.warning("failed: %s", fault, exc_info=log.isEnabledFor(logging.DEBUG))
                said = f"mahdar failed on this article: {fault}; logged at the level DEBUG, it says where"
                raise ExtractionError("internal", said) from error

    async def _drafted(self, document: Document, tasks: Sequence[Task]) -> Extraction:
        started = time.monotonic()
        check(document)
        drafted = await self.drafter.draft(document, tasks)
        result = assemble(document, tasks, drafted, time.monotonic() - started)
        made = result.provenance
        log.info("drafted", extra={"calls": made.calls, "cached": made.cached, "seconds": made.seconds})
        return result

    def _chosen(self, names: Iterable[str] | None) -> tuple[Task, ...]:
        """The extractor's tasks of these names; all of them for None."""
        if names is None:
            return self.tasks
        known = {task.name: task for task in self.tasks}
        names = tuple(dict.fromkeys(names))
        if not names or (unknown := [name for name in names if name not in known]):
            said = f"task {unknown[0]!r}: not" if names else "no task named: name some"
            raise UsageError(f"{said} of this extractor's tasks: {', '.join(known)}")
        return tuple(known[name] for name in names)

    def _client(self, endpoint: Endpoint) -> Client:
        if self._transport is None:
            transport: Transport = OpenAITransport(endpoint, timeout=self.settings.timeout, progress=self._progress)
        else:
            transport = self._transport() if callable(self._transport) else self._transport
        self._own_transport = transport if transport is not self._transport else None
        return Client(
            TracingTransport(transport, endpoint, self._telemetry) if self._telemetry else transport,
            self._store,
            policy=self._policy.for_embedded() if endpoint.embedded else self._policy,
            concurrency=1 if endpoint.embedded else self._concurrency,  # its server answers one at a time
            limits=self._limits,
            purse=self._purse,
        )

    @cached_property
    def _telemetry(self) -> Telemetry | None:
        return telemetry()

    def _known_price(self) -> Price | None:
        """What the tables know; what runs on this machine costs nothing."""
        if self.endpoint is None or self.endpoint.embedded:
            return FREE
        return find_price(self.endpoint.model, self.endpoint.base_url)


def as_document(
    document: str | Document, published_at: str | dt.date | None = None, document_id: str | None = None
) -> Document:
    """A document from a text; its id is by default the beginning of the text's hash."""
    if isinstance(document, Document):
        known = published_at or document.published_at
        return replace(document, published_at=as_date(known), id=document_id or document.id)
    made = Document(id=document_id or "", text=document, published_at=as_date(published_at))
    return made if document_id else replace(made, id=made.sha256[:12])
