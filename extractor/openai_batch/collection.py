"""Collect the answers of finished batches into the store, as raw completions.

The next extraction or submission that reads the answers validates them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from mahdar.cache.completion import Completion
from mahdar.cache.disk import Store
from mahdar.limits.prices import Price
from mahdar.openai_batch.api import BatchApi, State
from mahdar.openai_batch.job import Batch, BatchJob, BatchResult, SubmittedRequest
from mahdar.openai_batch.line import Failed, failed, problem_of, read_line

DISCOUNT: Final = Decimal("0.5")
"""Price of a request in a batch, relative to that of a live call, at OpenAI, Azure and most others."""
_BY_STATUS: Final = {
    "expired": Failed("expired", "the batch expired before its turn"),
    "cancelled": Failed("cancelled", "the batch was cancelled before its turn"),
}
_SILENT: Final = Failed("unreachable", "the batch ended without an answer to it")
_GONE: Final = Failed("unreachable", "the provider has deleted the answers")


@dataclass(frozen=True, slots=True)
class Standing:
    """A batch, and its state at the provider."""

    batch: Batch
    state: State | None
    """None if the batch was collected before, or never created"""


def standings(job: BatchJob, api: BatchApi) -> Iterator[Standing]:
    """Yield the state of every batch; the provider is not asked about collected ones."""
    for batch in job.batches:
        asked = batch.result is None and batch.batch_id is not None
        yield Standing(batch, api.state(batch.batch_id) if asked and batch.batch_id else None)


def unanswered(job: BatchJob, store: Store) -> int:
    """Count the failed requests that have no answer in the store and are not in a batch under way."""
    failed = {error["fingerprint"] for batch in job.batches for error in job.errors(batch)}
    return sum(store.get(fingerprint) is None for fingerprint in failed - job.under_way())


def collect(
    job: BatchJob, api: BatchApi, store: Store, *, again: bool = False, price: Price | None = None
) -> Iterator[Standing]:
    """Put the answers of every finished batch into the store, and yield the state of each batch.

    A batch is marked as collected after its last answer is stored.

    Args:
        job: the job, which is updated.
        api: the provider.
        store: takes the answers.
        again: also collect batches that were collected before, for instance into an emptied store.
        price: the price of a live call, of which `DISCOUNT` is counted; None if unknown.
    """
    for batch in job.batches:
        if batch.batch_id is None or (batch.result is not None and not again):
            yield Standing(batch, None)
            continue
        state = api.state(batch.batch_id)
        if state.ended:
            count = _Count({entry.fingerprint: entry for entry in job.entries(batch)}, store, price)
            batch = _collected(batch, state, job, api, count)  # noqa: PLW2901  # the same, with its result
        yield Standing(batch, state)


def _collected(batch: Batch, state: State, job: BatchJob, api: BatchApi, count: "_Count") -> Batch:
    gone = False
    for file in filter(None, (state.answers, state.errors)):
        with api.lines(file) as lines:
            gone |= lines is None
            count.take(lines or ())
    reason = failed(*state.reason) if state.reason is not None else _BY_STATUS.get(state.status, _SILENT)
    count.give_up(_GONE if gone else reason)
    job.write_errors(batch, count.errors)
    done = batch.model_copy(update={"result": count.result})
    job.put(done)
    return done


@dataclass(slots=True)
class _Count:
    """The outcomes of the requests of a batch; of several lines about a request, the first usable one counts."""

    waiting: dict[str, SubmittedRequest]
    store: Store
    price: Price | None
    unusable: dict[str, Failed] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    strangers: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    cost: Decimal = Decimal(0)

    def take(self, lines: Iterable[bytes]) -> None:
        """Record the outcomes in the lines."""
        for line in filter(bytes.strip, lines):
            settled = read_line(line)
            if settled is None or settled.fingerprint not in self.waiting:
                self.strangers += 1
            elif settled.fingerprint not in self.answered:
                self._settle(self.waiting[settled.fingerprint], settled.outcome)

    def _settle(self, entry: SubmittedRequest, outcome: Completion | Failed) -> None:
        if isinstance(outcome, Failed):
            self.unusable.setdefault(entry.fingerprint, outcome)
            return
        self.tokens.update({"tokens_in": outcome.tokens_in, "tokens_out": outcome.tokens_out})
        self.cost += self.price.cost(outcome.tokens_in, outcome.tokens_out) * DISCOUNT if self.price else 0
        problem = problem_of(outcome, entry)
        if problem is None or problem.kept:
            self.store.put(entry.fingerprint, outcome, entry.components)
        if problem is not None:
            self.unusable.setdefault(entry.fingerprint, problem)
            return
        self.answered.add(entry.fingerprint)
        self.unusable.pop(entry.fingerprint, None)

    def give_up(self, reason: Failed) -> None:
        """Add an error for each request without an answer; `reason` holds for those that no line names."""
        for fingerprint, entry in self.waiting.items():
            if fingerprint not in self.answered:
                failure = self.unusable.setdefault(fingerprint, reason)
                self.errors.append(
                    {
                        "document_id": entry.document,
                        "task": entry.components["task"],
                        "fingerprint": fingerprint,
                        "failure": failure.failure,
                        "message": failure.message,
                    }
                )

    @property
    def result(self) -> BatchResult:
        return BatchResult(
            kept=len(self.answered),
            failed=dict(sorted(Counter(failure.failure for failure in self.unusable.values()).items())),
            strangers=self.strangers,
            cost=float(self.cost) if self.price else None,
            **self.tokens,
        )
