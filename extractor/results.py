"""The failure of an article, and the calls, tokens and cost that it took."""

import operator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

FailureClass = Literal[
    "refused",
    "truncated",
    "unparsable",
    "invalid",
    "rate_limited",
    "timeout",
    "over_budget",
    "unreachable",
    "bad_input",
    "internal",
]
"""Why a document failed: because of the model, the endpoint, the budget, the document or, `internal`, mahdar itself."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls, tokens and cost, added up. An answer from the cache counts as a hit and costs no tokens.

    Attributes:
        calls: calls that brought an answer.
        attempts: calls made, failed ones included.
        reasks: answers that the model was asked to correct.
        hits: answers from the cache.
        tokens_in: input tokens of the calls.
        tokens_out: output tokens of the calls.
        cost: US dollars, of the calls whose price is known.
        unpriced: calls whose price is not known.
    """

    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*map(operator.add, _counts(self), _counts(other)))


_counts = operator.attrgetter(*(field.name for field in fields(Usage)))


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be extracted, and why. It has no records, so that it is never taken for an empty one.

    Attributes:
        failure: the class of the failure.
        usage: what was spent before giving up.
    """

    document_id: str
    failure: FailureClass
    message: str
    usage: Usage = Usage()

    @property
    def attempts(self) -> int:
        """Calls made before giving up."""
        return self.usage.attempts
