"""Collection: the answers of the batches that have ended, into the store, as the text that came.

They are validated when they are read, by the next extraction or submission.
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
from mahdar.openai_batch.job import Batch, BatchResult, Job, SubmittedRequest
from mahdar.openai_batch.line import Failed, failed, read_line, what_is_wrong

DISCOUNT: Final = Decimal("0.5")
"""Of the price of a live call: what OpenAI, Azure and most others ask for a batch."""
_BY_STATUS: Final = {
    "expired": Failed("expired", "the batch expired before its turn"),
    "cancelled": Failed("cancelled", "the batch was cancelled before its turn"),
}
_SILENT: Final = Failed("unreachable", "the batch ended without a word about it")
_GONE: Final = Failed("unreachable", "the provider has the answers no longer")


@dataclass(frozen=True, slots=True)
class Standing:
    """A batch, where it stands with the provider, and whether it was collected."""

    batch: Batch
    state: State | None
    """None for one that was collected before, and for one that was never created"""


def standings(job: Job, api: BatchApi) -> Iterator[Standing]:
    """Where every batch stands; of one that was collected, the provider is not asked."""
    for batch in job.batches:
        asked = batch.result is None and batch.batch_id is not None
        yield Standing(batch, api.state(batch.batch_id) if asked and batch.batch_id else None)


def unanswered(job: Job, store: Store) -> int:
    """How many requests came to nothing, are not under way again, and have no answer from elsewhere."""
    failed = {error["fingerprint"] for batch in job.batches for error in job.errors(batch)}
    return sum(store.get(fingerprint) is None for fingerprint in failed - job.under_way())


def collect(
    job: Job, api: BatchApi, store: Store, *, again: bool = False, price: Price | None = None
) -> Iterator[Standing]:
    """Put the answers of every batch that has ended into the store.

    Each is marked as collected after its last answer is in. With `again` also those are read that were collected
    before, say into a store that was emptied. Of a `price`, which is that of a live call, half is counted.
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


def _collected(batch: Batch, state: State, job: Job, api: BatchApi, count: "_Count") -> Batch:
    gone = False
    for file in filter(None, (state.answers, state.errors)):
        with api.lines(file) as lines:
            gone |= lines is None
            count.take(lines or ())
    count.give_up(_GONE if gone else _reason(state))
    job.write_errors(batch, count.errors)
    done = batch.model_copy(update={"result": count.result})
    job.put(done)
    return done


def _reason(state: State) -> Failed:
    """Why a batch has no word about a request."""
    if state.reason is not None:
        return failed(*state.reason)
    return _BY_STATUS.get(state.status, _SILENT)


@dataclass(slots=True)
class _Count:
    """What came of the requests of a batch; of several lines about one, the first that can be used counts."""

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
        """Settle what the lines tell of."""
        for line in filter(bytes.strip, lines):
            settled = read_line(line)
            if settled is None or settled.fingerprint not in self.waiting:
                self.strangers += 1
            elif settled.fingerprint not in self.answered:
                self._settle(self.waiting[settled.fingerprint], settled.outcome)

    def _settle(self, entry: SubmittedRequest, came: Completion | Failed) -> None:
        if isinstance(came, Failed):
            self.unusable.setdefault(entry.fingerprint, came)
            return
        self.tokens.update({"tokens_in": came.tokens_in, "tokens_out": came.tokens_out})
        self.cost += self.price.cost(came.tokens_in, came.tokens_out) * DISCOUNT if self.price else 0
        wrong = what_is_wrong(came, entry)
        if wrong is None or wrong.kept:
            self.store.put(entry.fingerprint, came, entry.components)
        if wrong is not None:
            self.unusable.setdefault(entry.fingerprint, wrong)
            return
        self.answered.add(entry.fingerprint)
        self.unusable.pop(entry.fingerprint, None)

    def give_up(self, reason: Failed) -> None:
        """Write down why each request that has no answer has none."""
        for fingerprint, entry in self.waiting.items():
            if fingerprint not in self.answered:
                self.errors.append(_error(entry, self.unusable.setdefault(fingerprint, reason)))

    @property
    def result(self) -> BatchResult:
        return BatchResult(
            kept=len(self.answered),
            failed=dict(sorted(Counter(one.failure for one in self.unusable.values()).items())),
            strangers=self.strangers,
            cost=float(self.cost) if self.price else None,
            **self.tokens,
        )


def _error(entry: SubmittedRequest, why: Failed) -> dict[str, Any]:
    return {
        "document_id": entry.document,
        "task": entry.components["task"],
        "fingerprint": entry.fingerprint,
        "failure": why.failure,
        "message": why.message,
    }
