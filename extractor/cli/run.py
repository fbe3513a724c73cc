"""A run: articles in, results out as they come, and the count of what became of them."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from mahdar.cli.display import cost
from mahdar.cli.exits import ALL_WELL, NO_MODEL, SOME_FAILED
from mahdar.cli.output import JsonLines, Output, Tables
from mahdar.cli.progress import Silent
from mahdar.documents.bidi import clean
from mahdar.documents.document import BadInput, Document
from mahdar.results import Failure, Usage
from mahdar.runs.ledger import LEFT
from mahdar.runs.outputs import Result
from mahdar.runs.results import Results
from mahdar.service import Extractor
from mahdar.wording import CHANGED, NAMED, counted, listed

log = logging.getLogger("mahdar")


@dataclass(slots=True)
class Tally:
    """What a run has come to so far.

    Attributes:
        total: articles there are; None while that is not known.
        cost: US dollars; None once one article's cost is not known.
        before: articles that the run had extracted before it was taken up again.
        failed_before: those that had failed, and were left at that.
        changed: those that had been extracted, and have another text or day now.
        changed_ids: the first of them.
        repeated: those that were in the input twice.
        missing: those that failed before, are to be tried again, and are not in the input.
        stopped: why no further article was begun; empty where all were.
        no_model: the reason is that nobody answers.
        retry: only what failed before was to be taken.
    """

    total: int | None
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
    def exit_code(self) -> int:
        """What the process is to say of the run."""
        if self.no_model:
            return NO_MODEL
        if not (self.failures or self.failed_before or self.missing or self.stopped):
            return ALL_WELL
        silent = not (self.extracted or self.before) and set(self.failures) == {"unreachable"}
        return NO_MODEL if silent else SOME_FAILED

    @property
    def rest(self) -> str:
        """Articles that the run has not come to, or has left as they were."""
        return "an unknown number of articles" if self.total is None else counted(self.total - self.done, "article")

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

    @property
    def _idle(self) -> str:
        """Why there was nothing to do; empty where there was something."""
        if self.retry and self.total == 0:
            return "no failures to retry"
        all_done = self.before and self.before == self.total and not self.repeated
        return f"nothing to do: {self.before} of {self.total} done before" if all_done else ""

    def __str__(self) -> str:
        if self._idle:
            return self._idle
        cached = f" ({self.cached} from the cache)" if self.cached else ""
        rest = "".join(f", {number} {said}" for number, said in self._rest() if number)
        return (
            f"{counted(self.extracted, 'article', self.total)}{cached}, {counted(self.records, 'record')}, "
            f"{self.rejected} rejected, {self.failed} failed{rest}{self._spent}"
        )

    @property
    def _spent(self) -> str:
        """What was paid for, failed articles included; empty where nothing was."""
        return f"; {self.tokens:,} tokens, {cost(self.cost)}" if self.tokens else ""

    @property
    def changes(self) -> str:
        """Names the articles that have changed: the first of them, and how many more there are."""
        return f"{listed(list(map(clean, self.changed_ids)), self.changed)}: {CHANGED}"

    def _rest(self) -> Iterator[tuple[int, str]]:
        yield self.before, "done before"
        yield self.failed_before, "failed before (--retry-errors takes them)"
        yield self.changed, "with another text or day than before"
        yield self.repeated, "given twice and read once"
        yield self.missing, "that failed are not among these articles"


class Stop(Protocol):
    """Tells whether somebody wants the run to end."""

    heard: bool


class Run:
    """Takes articles through the extractor, at most so many at once as that has under way.

    Args:
        mahdar: the extractor.
        outputs: where results go; a `Results` among them tells what needs nothing more.
        progress: the display.
        tally: the count.
        stop: ends the intake; what is under way comes to its end.
        retry: take only what failed before, by the `Results`.
    """

    def __init__(
        self,
        mahdar: Extractor,
        outputs: Iterable[Output],
        progress: Silent,
        tally: Tally,
        *,
        stop: Stop,
        retry: bool = False,
    ) -> None:
        self._mahdar = mahdar
        self._outputs = tuple(outputs)
        self._progress = progress
        self._tally = tally
        self._stop = stop
        self._results = next((output for output in self._outputs if isinstance(output, Results)), None)
        self._on_screen = any(isinstance(output, Tables | JsonLines) for output in self._outputs)
        self._retry = retry
        self._met = 0
        self._tried_again = 0

    def take(self, articles: Iterable[Document | BadInput]) -> None:
        """Extract every article that needs it; one that cannot be read is a failure."""
        self._tally.retry = self._retry
        if self._results and self._retry:
            self._tally.total = self._results.history.failed
        elif self._results and self._tally.total is not None:
            self._results.announce(self._tally.total)
        for result in self._mahdar.extract_many(self._intake(articles)):
            self._give(result)

    def _intake(self, articles: Iterable[Document | BadInput]) -> Iterator[Document]:
        """What is to be extracted, as the extractor asks for it."""
        for article in articles:
            if self._stop.heard or self._tally.stopped:
                return
            self._met += 1
            if not self._wanted(article):
                continue
            if self._results:
                self._results.expect(article)
            if isinstance(article, Document):
                yield article
            else:
                self._give(Failure(article.id, "bad_input", article.reason))
        self._all_met()

    def _all_met(self) -> None:
        """Now it is known how many there are, those that came twice apart; of what failed, only how many are here."""
        if self._retry:
            self._tally.missing = (self._tally.total or 0) - self._tried_again
            return
        self._tally.total = self._met
        if self._results:
            self._results.all_met()

    def _wanted(self, article: Document | BadInput) -> bool:
        """Whether the article needs anything; one that does not is counted."""
        if self._results is None:
            return True
        fate = self._results.fate(article)
        if self._retry:
            wanted = self._results.has_failed(article)
            self._tried_again += wanted
            return wanted
        self._tally.before += fate == "done"
        self._tally.failed_before += fate == "failed"
        if fate == "changed":
            self._tally.changed += 1
            self._tally.changed_ids += (
                [article.id] if self._tally.changed <= NAMED else []
            )  # of a million, the first few
        return fate == "new"

    def _give(self, result: Result) -> None:
        if isinstance(result, Failure) and result.failure in LEFT:
            self._leave(result)
            return
        self._tally.add(result)
        if isinstance(result, Failure):
            told = {"document_id": result.document_id, "failure": result.failure, "attempts": result.attempts}
            log.info("failed", extra=told)
        to_screen = self._on_screen or isinstance(result, Failure)
        with self._progress.paused() if to_screen else nullcontext():
            for output in self._outputs:
                output.write(result)
        self._progress.advance(result, self._tally)

    def _leave(self, failure: Failure) -> None:
        self._tally.stopped = self._tally.stopped or failure.message
        self._tally.spend(failure.usage)
        if self._results:
            self._results.write(failure)
