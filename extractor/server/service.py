"""Extract articles for callers with one extractor, within bounds and on each caller's budget."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from mahdar.documents.document import Document, as_document
from mahdar.errors import ExtractionError, MahdarError, NoModelError
from mahdar.limits.budget import PAYER
from mahdar.limits.circuit import COOLDOWN
from mahdar.runs.lines import json_line
from mahdar.schemas.records import Extraction
from mahdar.server.articles import ArticleRequest, failure_line, usage_of
from mahdar.server.callers import Caller, Callers
from mahdar.server.metrics import Metrics
from mahdar.server.problems import RequestProblem, as_problem
from mahdar.service import Extractor

T = TypeVar("T")
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of the service.

    Attributes:
        body: bytes of a request.
        upload: bytes of the articles of a job.
        receive: seconds within which the body of a request must arrive, or the next piece of an upload.
        article: seconds for one article of a request.
        articles: articles in one request.
        requests: requests under way at once.
        at_once: articles of one list or job under way at once.
        jobs: jobs that run at once.
        waiting: jobs of one caller that wait or run.
        grace: seconds for work under way to end when the service is stopped.
    """

    body: int = 8 * MEGABYTE
    upload: int = 1_000 * MEGABYTE
    receive: float = 30
    article: float = 600
    articles: int = 100
    requests: int = 500
    at_once: int = 8
    jobs: int = 1
    waiting: int = 20
    grace: float = 30


class ExtractionService:
    """Extracts articles for callers.

    Args:
        extractor: used for all requests and jobs; the caller of this class closes it.
        callers: the clients of the service.
        bounds: limits of requests and jobs.

    Attributes:
        stopping: whether the service is being stopped; no further article is begun.
        given_up: ids of articles of requests that were under way when the time for a stop was over.
    """

    def __init__(self, extractor: Extractor, callers: Callers, bounds: Bounds) -> None:
        self.extractor = extractor
        self.callers = callers
        callers.pay_within(extractor.purse)
        self.bounds = bounds
        self.metrics = Metrics()
        self.stopping = False
        self.given_up: list[str] = []
        self._no_model = ""
        self._no_model_until = 0.0

    def check_ready(self) -> None:
        """Check that articles are taken, as far as is known without asking the model.

        Raises:
            RequestProblem: `stopping`; or `no_model`, while the circuit breaker lets no call through.
        """
        if self.stopping:
            raise RequestProblem("stopping")
        if (rest := self._no_model_until - time.monotonic()) > 0:
            raise RequestProblem("no_model", self._no_model, retry_after=rest)

    def check_tasks(self, names: Iterable[str]) -> None:
        """Refuse tasks that the service does not have.

        Raises:
            RequestProblem: `stopping` or `invalid_request`.
        """
        if self.stopping:
            raise RequestProblem("stopping")
        known = [task.name for task in self.extractor.tasks]
        if unknown := [name for name in names if name not in known]:
            raise RequestProblem("invalid_request", f"task {unknown[0]!r}: this service has {', '.join(known)}")

    def admit(self, caller: Caller, articles: list[ArticleRequest]) -> None:
        """Admit the articles of a request, or refuse them before anything is extracted.

        Raises:
            RequestProblem: they are too many, a task is unknown, or the service is being stopped.
        """
        self.check_tasks(name for article in articles for name in article.tasks or ())
        if len(articles) > self.bounds.articles:
            raise RequestProblem("too_large", f"{len(articles)} articles; a request has {self.bounds.articles} at most")
        caller.admit(len(articles))

    async def extract(
        self, article: ArticleRequest | Document, caller: Caller, tasks: Iterable[str] | None, seconds: float | None
    ) -> Extraction:
        """Extract one article on the budget of its caller, and count it.

        Args:
            article: the article; its own tasks do not count here.
            caller: pays for it.
            tasks: names of tasks; None for all.
            seconds: timeout; None for none.

        Raises:
            MahdarError: the article failed, or none can be extracted now.
        """
        try:
            if isinstance(article, ArticleRequest):
                article = await asyncio.to_thread(article.document)
            result = await self._extract_on_budget(article, caller, tasks, seconds)
        except MahdarError as error:
            if isinstance(error, NoModelError):
                self._no_model, self._no_model_until = str(error), time.monotonic() + COOLDOWN
            self.metrics.count(caller.name, as_problem(error).failure, usage_of(error))
            raise
        if result.provenance.calls:
            self._no_model_until = 0.0  # the model has answered
        self.metrics.count(caller.name, "extracted", result.provenance)
        return result

    async def _extract_on_budget(
        self, document: Document, caller: Caller, tasks: Iterable[str] | None, seconds: float | None
    ) -> Extraction:
        """Extract an article; each call is reserved in the purse of its caller before it is sent, and settled after."""
        paying = PAYER.set(caller.purse)
        try:
            async with asyncio.timeout(seconds):
                return await self.extractor.aextract(document, tasks=tasks)
        except TimeoutError:
            raise ExtractionError("timeout", f"the article took longer than {seconds:g} seconds") from None
        finally:
            PAYER.reset(paying)

    async def answer(self, article: ArticleRequest, caller: Caller) -> str:
        """Extract an article of a request; return the extraction as a line of JSON.

        Raises:
            MahdarError: as `extract`.
        """
        try:
            return json_line(await self.extract(article, caller, article.tasks, self.bounds.article))
        except asyncio.CancelledError:
            if self.stopping:
                self.given_up.append(_id(article))
            raise

    async def answers(self, articles: Iterable[ArticleRequest], caller: Caller) -> AsyncIterator[str]:
        """Extract several articles; yield a line of JSON for each as its result is ready, failures included.

        Once the service is being stopped, no further article is begun, and each of the rest fails as `stopping`.
        """
        places = asyncio.Semaphore(self.bounds.at_once)

        async def line(article: ArticleRequest) -> str:
            async with places:
                try:
                    if not self.stopping:
                        return await self.answer(article, caller)
                    error: Exception = RequestProblem("stopping", "stopped before this article was begun")
                except Exception as raised:  # noqa: BLE001  # an error in one article must not cost the others
                    error = raised
                return failure_line(_id(article), error)

        tasks = [asyncio.create_task(line(article)) for article in articles]
        try:
            for result in asyncio.as_completed(tasks):
                yield f"{await result}\n"
        finally:
            for task in tasks:
                task.cancel()


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await work for a client, and cancel it if the client disconnects; the body must have been read.

    Raises:
        ClientDisconnect: the client has disconnected.
    """
    task, gone = asyncio.create_task(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        gone.cancel()
        task.cancel()


def _id(article: ArticleRequest) -> str:
    return article.id or as_document(article.text).id
