"""The run: articles in, results out as they come, and the count of what became of them."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from mahdar.documents.bidi import clean
from mahdar.documents.document import BadInput, Document
from mahdar.errors import NoModelError
from mahdar.results import Failure, Usage
from mahdar.runs.ledger import LEFT
from mahdar.runs.outputs import Result
from mahdar.runs.results import Results
from mahdar.schemas.records import Extraction
from mahdar.wording import CHANGED, NAMED, cost, counted, listed

log = logging.getLogger("mahdar")


class Extracts(Protocol):
    """Extracts many articles: an `Extractor`, or a `Cluster` of them."""

    def extract_many(self, documents: Iterable[Document], /) -> Iterator[Extraction | Failure]:
        """Yield each result as soon as it is there; take no more documents than are under way."""


@dataclass(slots=True)
class Tally:
    """What a run has come to so far.

    Attributes:
        total: articles there are; None while that is not known.
        met: articles that were read so far.
        cost: US dollars; None once one article's cost is not known.
        before: articles that the run had extracted before it was taken up again.
        failed_before: those that had failed, and were left at that.
        changed: those that had been extracted, have another text or day now, and were left at that.
        changed_ids: the first of them.
        repeated: those that were in the input twice.
        missing: those that failed before, are to be tried again, and are not in the input.
        stopped: why no further article was begun; empty where all were.
        no_model: the reason is that nobody answers.
        retry: only what failed before was to be taken.
    """

    total: int | None = None
    met: int = 0
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
        """Articles that failed in this run."""
        return self.failures.total()

    @property
    def done(self) -> int:
        """Articles that need nothing more."""
        return self.extracted + self.failed + self.before + self.failed_before + self.changed

    @property
    def rest(self) -> str:
        """Articles that the run has not come to, or has left as they were."""
        return "an unknown number of articles" if self.total is None else counted(self.total - self.done, "article")

    @property
    def changes(self) -> str:
        """The articles that have changed: the first of them by name, and how many more there are."""
        return f"{listed(list(map(clean, self.changed_ids)), self.changed)}: {CHANGED}"

    def add(self, result: Result) -> None:
        """Count one article."""
        if isinstance(result, Failure):
            self.failures[result.failure] += 1
            self.spend(result.usage)
            return
        made = result.provenance
        self.extracted += 1
        self.records += sum(map(len, result.records.values()))
        self.rejected += len(result.rejected)
        self.tokens += made.tokens_in + made.tokens_out
        self.cached += made.cached
        self.cost = None if self.cost is None or made.cost is None else self.cost + made.cost

    def spend(self, usage: Usage) -> None:
        """Count what an article without a result cost."""
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
        rest = "".join(f", {number} {said}" for number, said in others if number)
        spent = f"; {self.tokens:,} tokens, {cost(self.cost)}" if self.tokens else ""
        return (
            f"{counted(self.extracted, 'article', self.total)}{cached}, {counted(self.records, 'record')}, "
            f"{self.rejected} rejected, {self.failed} failed{rest}{spent}"
        )


def run(
    extractor: Extracts,
    articles: Iterable[Document | BadInput],
    results: Results | None = None,
    *,
    retry_errors: bool = False,
    update_changed: bool = False,
    each: Callable[[Result, Tally], None] = lambda _result, _tally: None,
    cancelled: Callable[[], bool] = lambda: False,
    tally: Tally | None = None,
) -> Tally:
    """Take articles through an extractor, at most so many at once as it has under way.

    Args:
        extractor: extracts them.
        articles: they are gone through once; one that cannot be read is a failure.
        results: where results are kept; it knows what needs nothing more. Without it every article is extracted.
        retry_errors: take only what failed before, by the results.
        update_changed: take also what was extracted before, and has another text or day now.
        each: called with each result, after it was written, and what the run has come to.
        cancelled: whether to begin no further article; what is under way comes to its end.
        tally: counts on from there.

    Returns:
        What the run has come to. `stopped` says why it ended before all articles were begun, where the budget did it.

    Raises:
        MahdarError: nothing can be extracted or written; what came until then is in the results.
    """
    loop = _Loop(extractor, results, retry_errors, update_changed, each, cancelled, tally or Tally())
    loop.run(articles)
    return loop.tally


@dataclass(slots=True)
class _Loop:
    """The state of a run."""

    extractor: Extracts
    results: Results | None
    retry_errors: bool
    update_changed: bool
    each: Callable[[Result, Tally], None]
    cancelled: Callable[[], bool]
    tally: Tally
    _tried_again: int = 0

    def run(self, articles: Iterable[Document | BadInput]) -> None:
        self.tally.retry = self.retry_errors
        if self.results and self.retry_errors:
            self.tally.total = sum(self.results.progress.failed.values())
        elif self.results and self.tally.total is not None:
            self.results.announce(self.tally.total)
        try:
            for result in self.extractor.extract_many(self._intake(articles)):
                self._give(result)
        except NoModelError as error:  # what it left unfinished is not extracted, and was paid for
            self.tally.spend(error.usage)
            if self.results:
                self.results.spend(error.usage)
            raise
        if self.results:
            self.results.settle()

    def _intake(self, articles: Iterable[Document | BadInput]) -> Iterator[Document]:
        """Yield what is to be extracted, as the extractor asks for it."""
        for article in articles:
            if self.cancelled() or self.tally.stopped:
                return
            self.tally.met += 1
            if not self._wanted(article):
                continue
            if self.results:
                self.results.expect(article)
            if isinstance(article, Document):
                yield article
            else:
                self._give(Failure(article.id, "bad_input", article.reason))
        if self.retry_errors:
            self.tally.missing = (self.tally.total or 0) - self._tried_again
            return
        self.tally.total = self.tally.met
        if self.results:
            self.results.all_met()

    def _wanted(self, article: Document | BadInput) -> bool:
        """Whether the article is to be extracted; one that is not is counted."""
        if self.results is None:
            return True
        if self.retry_errors:
            wanted = self.results.has_failed(article)
            self._tried_again += wanted
            return wanted
        fate = self.results.fate(article)
        if fate == "new" or (fate == "changed" and self.update_changed):
            return True
        self.tally.before += fate == "done"
        self.tally.failed_before += fate == "failed"
        if fate == "changed":
            self.tally.changed += 1
            if self.tally.changed <= NAMED:
                self.tally.changed_ids.append(article.id)
        return False

    def _give(self, result: Result) -> None:
        """Write a result and count it; an article that the budget stopped is left as it was."""
        if self.results:
            self.results.write(result)
        if isinstance(result, Failure) and result.failure in LEFT:
            self.tally.stopped = self.tally.stopped or result.message
            self.tally.spend(result.usage)
            return
        self.tally.add(result)
        if isinstance(result, Failure):
            told = {"document_id": result.document_id, "failure": result.failure, "attempts": result.attempts}
            log.info("failed", extra=told)
        self.each(result, self.tally)
