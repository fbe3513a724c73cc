"""Run articles through an extractor, write each result as it comes, and count the outcomes."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from mahdar.documents.bidi import clean
from mahdar.documents.document import BadInput, Document
from mahdar.errors import NoModelError
from mahdar.results import Failure, Usage
from mahdar.runs.ledger import RUN_FAILURES
from mahdar.runs.outputs import Result
from mahdar.runs.results import RunResults
from mahdar.runs.sources import Articles
from mahdar.schemas.records import Extraction
from mahdar.wording import CHANGED, NAMED, cost, counted, join_names

log = logging.getLogger("mahdar")


class Extracts(Protocol):
    """Something that extracts many articles: an `Extractor`, or a `Cluster` of them."""

    def extract_many(self, documents: Iterable[Document], /) -> Iterator[Extraction | Failure]:
        """Yield each result as soon as it is ready; take a document only when its work can begin."""


@dataclass(slots=True)
class RunTally:
    """Counts of the outcomes of a run so far.

    Attributes:
        total: number of articles; None while unknown.
        read: articles read so far.
        cost: US dollars; None once the cost of one article is unknown.
        before: articles that an earlier run into the same files had extracted.
        failed_before: articles that had failed in an earlier run and were not retried.
        changed: articles that had been extracted from another text or for another day, and were not extracted again.
        changed_ids: ids of the first of the changed articles.
        repeated: articles that were in the input twice.
        missing: articles that failed before, are to be retried, and are not in the input.
        stopped: why no further article was begun; empty if all were.
        no_model: whether the run stopped because no model could be reached.
        retry: whether the run takes only articles that failed before.
    """

    total: int | None = None
    read: int = 0
    records: int = 0
    rejected: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    cached: int = 0
    extracted: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    before: int = 0
    failed_before: int = 0
    changed: int = 0
    changed_ids: list[str] = field(default_factory=list)
    repeated: int = 0
    missing: int = 0
    stopped: str = ""
    no_model: bool = False
    retry: bool = False

    @property
    def failed(self) -> int:
        """Number of articles that failed in this run."""
        return self.failures.total()

    @property
    def done(self) -> int:
        """Number of articles that are finished."""
        return self.extracted + self.failed + self.before + self.failed_before + self.changed

    @property
    def rest(self) -> str:
        """Count of the articles that are not finished, as text."""
        return "an unknown number of articles" if self.total is None else counted(self.total - self.done, "article")

    @property
    def changes(self) -> str:
        """One line that names the first changed articles, counts the others, and gives the remedy."""
        return f"{join_names(list(map(clean, self.changed_ids)), self.changed)}: {CHANGED}"

    def add(self, result: Result) -> None:
        """Count one article."""
        if isinstance(result, Failure):
            self.failures[result.failure] += 1
            self.spend(result.usage)
            return
        provenance = result.provenance
        self.extracted += 1
        self.records += sum(map(len, result.records.values()))
        self.rejected += len(result.rejected)
        self.tokens += provenance.tokens_in + provenance.tokens_out
        self.cached += provenance.cached
        self.cost = None if self.cost is None or provenance.cost is None else self.cost + provenance.cost

    def spend(self, usage: Usage) -> None:
        """Count tokens and cost of an article that has no extraction."""
        self.tokens += usage.tokens_in + usage.tokens_out
        self.cost = None if self.cost is None or usage.unpriced else self.cost + float(usage.cost)

    def __str__(self) -> str:
        if self.retry and self.total == 0:
            return "no failures to retry"
        if self.before and self.before == self.total and not self.repeated:
            return f"nothing to do: {self.before} of {self.total} done before"
        cached = f" ({self.cached} from the cache)" if self.cached else ""
        others = (
            (self.before, "done before"),
            (self.failed_before, "failed before (--retry-errors takes them)"),
            (self.changed, "with another text or day than before"),
            (self.repeated, "given twice and read once"),
            (self.missing, "that failed are not among these articles"),
        )
        rest = "".join(f", {number} {label}" for number, label in others if number)
        spent = f"; {self.tokens:,} tokens, {cost(self.cost)}" if self.tokens else ""
        return (
            f"{counted(self.extracted, 'article', self.total)}{cached}, {counted(self.records, 'record')}, "
            f"{self.rejected} rejected, {self.failed} failed{rest}{spent}"
        )


def run(
    extractor: Extracts,
    articles: Iterable[Document | BadInput],
    results: RunResults | None = None,
    *,
    retry_errors: bool = False,
    update_changed: bool = False,
    each: Callable[[Result, RunTally], None] = lambda _result, _tally: None,
    cancelled: Callable[[], bool] = lambda: False,
    tally: RunTally | None = None,
) -> RunTally:
    """Run articles through an extractor, as many at once as its concurrency allows.

    Args:
        extractor: extracts the articles.
        articles: iterated once; one that cannot be read is a failure. The files of `Articles` keep the ids that they
            have in `results`.
        results: the files to write to; articles that are finished there are skipped. Without it, every article is
            extracted.
        retry_errors: take only articles that failed before, according to `results`.
        update_changed: also take articles that were extracted from another text or for another day.
        each: called with each result after it was written, and with the counts so far.
        cancelled: called before each article; once it returns True, no further article is begun, and those under way
            are finished.
        tally: counts to start from.

    Returns:
        The counts. If the budget ended the run, `stopped` gives the reason.

    Raises:
        MahdarError: nothing can be extracted or written; earlier results are in the files.
    """
    loop = _Loop(extractor, results, retry_errors, update_changed, each, cancelled, tally or RunTally())
    loop.run(articles)
    return loop.tally


@dataclass(slots=True)
class _Loop:
    """The state of a run."""

    extractor: Extracts
    results: RunResults | None
    retry_errors: bool
    update_changed: bool
    each: Callable[[Result, RunTally], None]
    cancelled: Callable[[], bool]
    tally: RunTally
    _tried_again: int = 0

    def run(self, articles: Iterable[Document | BadInput]) -> None:
        self.tally.retry = self.retry_errors
        if self.results and isinstance(articles, Articles):
            articles.results = self.results
        if self.results and self.retry_errors:
            self.tally.total = sum(self.results.progress.failed.values())
        elif self.results and self.tally.total is not None:
            self.results.announce(self.tally.total)
        try:
            for result in self.extractor.extract_many(self._to_extract(articles)):
                self._record(result)
        except NoModelError as error:  # the unfinished articles have no result, but were paid for
            self.tally.spend(error.usage)
            if self.results:
                self.results.spend(error.usage)
            raise
        if self.results:
            self.results.settle()

    def _to_extract(self, articles: Iterable[Document | BadInput]) -> Iterator[Document]:
        """Yield the articles to extract, as the extractor asks for them."""
        for article in articles:
            if self.cancelled() or self.tally.stopped:
                return
            self.tally.read += 1
            if not self._wanted(article):
                continue
            if self.results:
                self.results.expect(article)
            if isinstance(article, Document):
                yield article
            else:
                self._record(Failure(article.id, "bad_input", article.reason))
        if self.retry_errors:
            self.tally.before = self.results.restored if self.results else 0
            self.tally.missing = (self.tally.total or 0) - self._tried_again - self.tally.before
            return
        self.tally.total = self.tally.read
        if self.results:
            self.results.set_total()

    def _wanted(self, article: Document | BadInput) -> bool:
        """Return whether to extract an article; count it if not."""
        if self.results is None:
            return True
        if self.retry_errors:
            wanted = self.results.has_failed(article)
            self._tried_again += wanted
            return wanted
        state = self.results.state(article)
        if state == "new" or (state == "changed" and self.update_changed):
            return True
        self.tally.before += state == "done"
        self.tally.failed_before += state == "failed"
        if state == "changed":
            self.tally.changed += 1
            if self.tally.changed <= NAMED:
                self.tally.changed_ids.append(article.id)
        return False

    def _record(self, result: Result) -> None:
        """Write a result and count it; for an article that the budget stopped, count only the cost."""
        if self.results:
            self.results.write(result)
        if isinstance(result, Failure) and result.failure in RUN_FAILURES:
            self.tally.stopped = self.tally.stopped or result.message
            self.tally.spend(result.usage)
            return
        self.tally.add(result)
        if isinstance(result, Failure):
            fields = {"document_id": result.document_id, "failure": result.failure, "attempts": result.attempts}
            log.info("failed", extra=fields)
        self.each(result, self.tally)
