"""The service: documents in, extractions out."""

import asyncio
import datetime as dt
import itertools
import logging
import queue
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from extractor.assembling.extraction import assemble
from extractor.cache.disk import Store
from extractor.cache.opening import open_store
from extractor.documents.document import Document, as_date, check
from extractor.errors import ExtractionError, FailureClass, MahdarError
from extractor.inquiries import Inquiry, inquiries, settled
from extractor.limits.budget import UNBOUNDED, Budget, Purse, Spending
from extractor.limits.concurrency import UNBOUNDED as NO_LIMITS
from extractor.limits.concurrency import Limits
from extractor.limits.forecast import Forecast, forecast_question
from extractor.limits.prices import FREE, Price, find_price, unknown_price
from extractor.llm.client import Answer, Asker, Caller, Policy, Usage
from extractor.llm.endpoint import Endpoint, embedded_endpoint, remote_endpoint
from extractor.llm.request import Request
from extractor.llm.transport import Door
from extractor.loop import TURN, LoopThread, wait
from extractor.observability.logs import ARTICLE
from extractor.observability.tracing import Observed, Telemetry, article_span, telemetry
from extractor.settings import Settings
from extractor.tasks import TASKS, load_tasks
from prompts import PromptLibrary
from schemas.records import Extraction, Provenance

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger("mahdar")

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be extracted, and why. It has no records, so that it is never taken for an empty one.

    Attributes:
        failure: the class of the failure, see `extractor.errors`.
        attempts: calls made before giving up.
    """

    document_id: str
    failure: FailureClass
    message: str
    attempts: int = 0


class Extractor:
    """Extracts meetings and stances from articles.

    Without arguments it reads the environment: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `MAHDAR_MODEL`, and uses the
    embedded model where nothing is configured. Nothing is loaded or started before the first question needs it.
    Safe to use from several threads and event loops at once.

    >>> with Extractor() as mahdar:
    ...     result = mahdar.extract(text, published_at="2020-11-19")
    ...     for meeting in result.meetings: ...

    Args:
        settings: in place of the environment's.
        model: overrides the environment's.
        tasks: `name` or `name@version`, in the order asked.
        prompts: folders with further templates.
        store: where answers are kept; None for nowhere. By default the server that `MAHDAR_STORE` names, or the
            user's cache folder.
        policy: how often to ask again.
        concurrency: calls in flight at most; fewer while the endpoint is busy.
        budget: what may be spent, until it is closed for good; an article that could exceed it fails `over_budget`.
        price: of the model, in place of the tables'.
        limits: requests and tokens a minute.
        caller: who is asked, in place of the endpoint.
        progress: told what the embedded model's start is doing: a phase and the part done.
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
        caller: Caller | None = None,
        progress: Progress | None = None,
    ) -> None:
        settings = settings or Settings.from_environment()
        self.settings = replace(settings, model=model) if model else settings
        self.tasks = load_tasks(tasks, PromptLibrary(*prompts), self.settings.profile)
        self._purse = Purse(budget, lambda: price or self._known_price())
        if budget.max_cost is not None and self._purse.price is None:
            raise unknown_price(self.endpoint.model)
        self._store = open_store(self.settings) if store == "default" else store
        self._policy = policy or Policy()
        self._concurrency = concurrency
        self._limits = limits
        self._progress = progress
        self._caller = caller
        self._loop = LoopThread()

    @cached_property
    def endpoint(self) -> Endpoint:
        """What is asked: by the environment, or the embedded model.

        Raises:
            UsageError: the environment names an endpoint but no model, a model but no endpoint, or an unusable URL.
            NoModelError: nothing is configured, and the extra `local` is not installed.
        """
        return embedded_endpoint(self.settings) if self.settings.embedded else remote_endpoint(self.settings)

    @property
    def spent(self) -> Spending:
        """Money and tokens so far, failed calls that may have been billed included."""
        return self._purse.spent

    def extract(
        self, document: str | Document, *, published_at: str | dt.date | None = None, document_id: str | None = None
    ) -> Extraction:
        """Extract one article.

        Args:
            document: the article, or its text.
            published_at: the day it appeared, ISO 8601; dates such as "yesterday" need it.
            document_id: names the article in the result.

        Raises:
            ExtractionError: the article failed; `failure` is the class.
            MahdarError: nothing can be extracted: no model, no template, a setting that cannot be used.
        """
        return wait(self._loop.submit(self._extract(as_document(document, published_at, document_id))))

    async def aextract(
        self, document: str | Document, *, published_at: str | dt.date | None = None, document_id: str | None = None
    ) -> Extraction:
        """`extract` for a caller with an event loop."""
        return await asyncio.wrap_future(
            self._loop.submit(self._extract(as_document(document, published_at, document_id)))
        )

    def extract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> Iterator[Extraction | Failure]:
        """Extract articles as they come, each result as soon as it is there, at most `concurrency` articles at once.

        An article that fails is a `Failure` among the results; only what stops all of them is raised, once those under
        way have come to their end. What `documents` itself raises is such a thing.
        """
        done: queue.SimpleQueue[Future[Extraction | Failure]] = queue.SimpleQueue()
        waiting, under_way = iter(documents), 0
        free = concurrency or self._concurrency
        while True:
            try:
                for document in itertools.islice(waiting, free - under_way):
                    self._loop.submit(self._outcome(as_document(document))).add_done_callback(done.put)
                    under_way += 1
            except Exception:
                yield from _results(done, under_way)
                raise
            if not under_way:
                return
            ended = _first(done)
            under_way -= 1
            if isinstance(stopped := ended.exception(), MahdarError):
                yield from _results(done, under_way)
                raise stopped
            yield ended.result()

    async def aextract_many(
        self, documents: Iterable[str | Document], *, concurrency: int | None = None
    ) -> AsyncIterator[Extraction | Failure]:
        """`extract_many` for a caller with an event loop."""
        results = self.extract_many(documents, concurrency=concurrency)
        while (result := await asyncio.to_thread(next, results, None)) is not None:
            yield result

    def inquiries(self, document: Document) -> tuple[Inquiry, ...]:
        """Every question that the article raises, before any is asked."""
        return inquiries(document, self.tasks, self.endpoint)

    @property
    def price(self) -> Price | None:
        """What the model costs; None where that is not known."""
        return self._purse.price

    def forecast(self, document: str | Document) -> Forecast:
        """What an article will take, by estimate, less what is in the store. Nothing is asked.

        Raises:
            BadInputError: the article cannot be read.
        """
        document = as_document(document)
        check(document)
        asked = (self._forecast(inquiry.request) for inquiry in self.inquiries(document))
        return sum(asked, Forecast(articles=1))

    def _forecast(self, request: Request) -> Forecast:
        if self._store is not None and self._store.get(request.fingerprint) is not None:
            return Forecast(questions=1, cached=1)
        return forecast_question(request, self.price, reasks=self._policy.reasks)

    def close(self) -> None:
        """Let go of connections and files. The embedded model stops when its last user does."""
        self._loop.close(self._caller.close if isinstance(self._caller, Door) else None)
        self.__dict__.pop("_asker", None)  # its locks belong to the loop that has ended
        if self._store is not None:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _outcome(self, document: Document) -> Extraction | Failure:
        try:
            return await self._extract(document)
        except ExtractionError as error:
            return Failure(document.id, error.failure, str(error), error.attempts)
        except MahdarError:
            raise
        except Exception as error:  # a fault of ours in one article must not cost the others
            fault, more = type(error).__name__, {"document_id": document.id}  # its words may be the article's
            log.warning("%s: %s", document.id, fault, exc_info=log.isEnabledFor(logging.DEBUG), extra=more)
            return Failure(document.id, "invalid", f"mahdar failed on this article: {error!r}"[:300])

    async def _extract(self, document: Document) -> Extraction:
        ARTICLE.set(document.id)  # of this task, which is the article's own
        with article_span(self._telemetry, document.id):
            return await self._extracted(document)

    async def _extracted(self, document: Document) -> Extraction:
        started = time.monotonic()
        check(document)
        asked, ready = self.inquiries(document), settled(document, self.tasks)
        answers = await asyncio.gather(*(self._asker.answer(one.request) for one in asked), return_exceptions=True)
        given = [_raised(answer) for answer in answers]
        provenance = self._provenance(given, time.monotonic() - started)
        answered = [(one.task, answer, one.expand) for one, answer in zip(asked, given, strict=True)]
        said = {"calls": provenance.calls, "cached": provenance.cached, "seconds": provenance.seconds}
        log.info("answered", extra=said)
        return assemble(document, answered, provenance, ready)

    @cached_property
    def _asker(self) -> Asker:
        if self._caller is None:
            self._caller = Door(self.endpoint, timeout=self.settings.timeout, progress=self._progress)
        slots = 1 if self.endpoint.embedded else self._concurrency  # its server answers one at a time
        observed = Observed(self._caller, self.endpoint, self._telemetry) if self._telemetry else self._caller
        return Asker(
            observed,
            self._store,
            policy=self._policy,
            concurrency=slots,
            limits=self._limits,
            purse=self._purse,
        )

    @cached_property
    def _telemetry(self) -> Telemetry | None:
        return telemetry()

    def _known_price(self) -> Price | None:
        """What the tables know; the embedded model costs nothing."""
        return FREE if self.endpoint.embedded else find_price(self.endpoint.model, self.endpoint.base_url)

    def _provenance(self, answers: list[Answer], seconds: float) -> Provenance:
        usage = sum((answer.usage for answer in answers), Usage())
        return Provenance(
            model=self.endpoint.model,
            prompts={task.prompt.task: f"{task.prompt.ref} sha256:{task.prompt.sha256}" for task in self.tasks},
            schemas={task.schema.task: f"sha256:{task.schema.sha256}" for task in self.tasks},
            fingerprints=tuple(print_ for answer in answers for print_ in answer.fingerprints),
            calls=usage.calls,
            attempts=usage.attempts,
            reasks=usage.reasks,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost=None if usage.unpriced else float(usage.cost),
            cached=not usage.calls and usage.hits > 0,
            seconds=round(seconds, 3),
            valid_at_first=not any(answer.usage.reasks or answer.drafts.problems for answer in answers),
        )


def as_document(
    document: str | Document, published_at: str | dt.date | None = None, document_id: str | None = None
) -> Document:
    """A document from a text; its id is by default the beginning of the text's hash."""
    if isinstance(document, Document):
        known = published_at or document.published_at
        return replace(document, published_at=as_date(known), id=document_id or document.id)
    made = Document(id=document_id or "", text=document, published_at=as_date(published_at))
    return made if document_id else replace(made, id=made.sha256[:12])


def _first(done: "queue.SimpleQueue[Future[Extraction | Failure]]") -> "Future[Extraction | Failure]":
    """The next that is done. Waits in short turns: a signal that comes just before a wait would not end it."""
    while True:
        with suppress(queue.Empty):
            return done.get(timeout=TURN)


def _results(done: "queue.SimpleQueue[Future[Extraction | Failure]]", under_way: int) -> Iterator[Extraction | Failure]:
    """The results among the last that are under way."""
    for _ in range(under_way):
        with suppress(MahdarError):
            yield _first(done).result()


def _raised(answer: Answer | BaseException) -> Answer:
    """The answer; what was raised instead is raised here, after all other questions had theirs stored."""
    if isinstance(answer, BaseException):
        raise answer
    return answer
