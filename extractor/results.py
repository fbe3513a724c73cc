"""Results: what was used, and what an article came to where it failed."""

import operator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mahdar.errors import FailureClass


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls, tokens and cost, added up. Answers from the cache count as hits and cost no tokens.

    Attributes:
        calls: that brought an answer.
        attempts: calls made, those that failed included.
        reasks: answers that were asked for again.
        hits: answers from the cache.
        tokens_in: of the calls.
        tokens_out: of the calls.
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
        failure: the class of the failure, see `mahdar.errors`.
        usage: what was spent before giving up.
    """

    document_id: str
    failure: "FailureClass"
    message: str
    usage: Usage = Usage()

    @property
    def attempts(self) -> int:
        """Calls made before giving up."""
        return self.usage.attempts
