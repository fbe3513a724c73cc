"""One extractor behind all requests: admission, accounts, and what is under way."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from fastapi import Request

from mahdar.documents.document import Document
from mahdar.documents.pages import is_page
from mahdar.errors import ExtractionError, MahdarError
from mahdar.limits.budget import Spending
from mahdar.results import Usage
from mahdar.runs.lines import json_line
from mahdar.schemas.records import Extraction
from mahdar.server.articles import ArticleRequest, as_problem, class_of, failure_line
from mahdar.server.callers import Caller, Callers
from mahdar.server.metrics import Metrics
from mahdar.server.problems import RequestProblem
from mahdar.service import Extractor, as_document

T = TypeVar("T")
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a request, or the service, takes at most.

    Attributes:
        body: bytes of a request.
        upload: bytes of a job's articles.
        receive: seconds in which a request's body must have come.
        upload_pause: seconds between two pieces of a job's articles.
        article: seconds for one article.
        articles: in one request.
        requests: under way at once.
        at_once: articles of one list under way at once.
        jobs: that run at once.
        waiting: jobs that wait, of one caller.
        grace: seconds in which what is under way may end when the service is stopped.
    """

    body: int = 8 * MEGABYTE
    upload: int = 1_000 * MEGABYTE
    receive: float = 30
    upload_pause: float = 30
    article: float = 600
    articles: int = 100
    requests: int = 500
    at_once: int = 8
    jobs: int = 1
    waiting: int = 20
    grace: float = 30


def spending_of(usage: Usage) -> Spending:
    """What was used, as an account counts it."""
    return Spending(usage.cost, usage.tokens_in + usage.tokens_out)


def spent_on(result: Extraction) -> Spending:
    """What an extraction came to, as an account counts it."""
    made = result.provenance
    return Spending(Decimal(str(made.cost or 0)), made.tokens_in + made.tokens_out)


class Gone(Exception):  # noqa: N818  # nothing went wrong: nobody listens any more
    """The client has gone."""


class ExtractionService:
    """Extracts articles for callers, with one extractor.

    Args:
        extractor: behind all requests; its caller closes it.
        callers: who may use it.
        bounds: what is taken at most.

    Attributes:
        stopping: nothing more is begun.
        under_way: ids of the articles that are extracted for requests.
        given_up: ids of those that a stop did not leave enough time.
    """

    def __init__(self, extractor: Extractor, callers: Callers, bounds: Bounds) -> None:
        self.extractor = extractor
        self.callers = callers
        self.bounds = bounds
        self.metrics = Metrics()
        self.stopping = False
        self.under_way: dict[int, str] = {}
        self.given_up: list[str] = []
        self._numbers = iter(range(1 << 62))

    def admit(self, caller: Caller, articles: list[ArticleRequest]) -> None:
        """Take articles in, or refuse them before anything is done for them.

        Raises:
            RequestProblem: there are too many, two have one id, a task is not known, or the service is being stopped.
        """
        if self.stopping:
            raise RequestProblem("stopping")
        if len(articles) > self.bounds.articles:
            raise RequestProblem("too_large", f"{len(articles)} articles; a request has {self.bounds.articles} at most")
        known = [task.name for task in self.extractor.tasks]
        for name in (name for article in articles for name in article.tasks or ()):
            if name not in known:
                raise RequestProblem("invalid_request", f"task {name!r}: this service has {', '.join(known)}")
        ids = [article.id for article in articles if article.id is not None]
        if len(set(ids)) < len(ids):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            raise RequestProblem("invalid_request", f"two articles have the id {twice!r}; give each its own")
        caller.admit(len(articles))

    async def extract(self, article: ArticleRequest, caller: Caller) -> Extraction:
        """Extract one article.

        Raises:
            RequestProblem: it cannot be taken.
            ExtractionError: it failed.
            MahdarError: no article can be extracted now.
        """
        try:
            slow = is_page(article.text)
            document = await asyncio.to_thread(article.document) if slow else article.document()
            result = await self._paid(document, article.tasks, caller)
        except (RequestProblem, MahdarError) as error:
            self.metrics.failed(
                class_of(error), caller.name, error.usage if isinstance(error, ExtractionError) else Usage()
            )
            raise
        self.metrics.extracted(result, caller.name)
        return result

    async def _paid(self, document: Document, tasks: Iterable[str] | None, caller: Caller) -> Extraction:
        """Extract an article on a caller's account."""
        most = came_to = await self.most(document, caller)
        with self._noted(document.id):
            await self.callers.reserve(caller, most)
            try:
                async with asyncio.timeout(self.bounds.article):
                    result = await self.extractor.aextract(document, tasks=tasks)
                came_to = spent_on(result)
            except TimeoutError:  # what it came to is not known, and counts at its most; so where nobody waits for it
                said = f"the article took longer than {self.bounds.article:g} seconds"
                raise ExtractionError("timeout", said) from None
            except MahdarError as error:
                came_to = spending_of(error.usage if isinstance(error, ExtractionError) else Usage())
                raise
            finally:
                self.callers.settle(caller, most, came_to)
            return result

    async def most(self, document: Document, caller: Caller) -> Spending:
        """What an article may cost; nothing where the caller has no budget, since it takes time to tell.

        Raises:
            BadInputError: the article cannot be read.
        """
        if not caller.purse.budget.bounded:
            return Spending()
        forecast = await asyncio.to_thread(self.extractor.forecast, document)
        return Spending(forecast.most_cost, forecast.most_tokens)

    async def lines(self, articles: Iterable[ArticleRequest], caller: Caller) -> AsyncIterator[str]:
        """Extract several articles; yields a line of JSON for each as its result comes, failures among them.

        Once the service is being stopped, no further one is begun, and each of those has a line that says so.
        """
        waiting = iter(articles)
        under_way: set[asyncio.Task[str]] = set()
        try:
            while True:
                while len(under_way) < self.bounds.at_once and (article := next(waiting, None)):
                    under_way.add(asyncio.create_task(self._line(article, caller)))
                if not under_way:
                    return
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield f"{task.result()}\n"
        finally:
            for task in under_way:
                task.cancel()

    async def _line(self, article: ArticleRequest, caller: Caller) -> str:
        id_ = article.id or as_document(article.text).id
        if self.stopping:
            return failure_line(
                id_, RequestProblem("stopping", "the service was stopped before this article was begun")
            )
        try:
            return json_line(await self.extract(article, caller))
        except Exception as error:  # noqa: BLE001  # a fault in one article must not cost the others
            return failure_line(id_, as_problem(error))

    @contextmanager
    def _noted(self, document_id: str) -> Iterator[None]:
        """Keep an article among those under way."""
        number = next(self._numbers)
        self.under_way[number] = document_id
        try:
            yield
        except asyncio.CancelledError:
            if self.stopping:
                self.given_up.append(document_id)
            raise
        finally:
            del self.under_way[number]


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do work for a client, and give it up once the client has gone.

    Raises:
        Gone: the client has.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        gone.cancel()
        task.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
