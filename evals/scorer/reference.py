"""One article as the scorer knows it: its labels, its text, and the actors that predictions are matched with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mahdar.evals.scorer.config import Scoring
from mahdar.evals.scorer.matching import Cast
from mahdar.evals.scorer.text import normalise
from mahdar.schemas.labels import Labels

Span = tuple[int, int]
"""Start and end in the article, in code points."""


class Quoted(Protocol):
    """A piece of evidence, of a label or of an extraction."""

    @property
    def quote(self) -> str:
        """The words."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What predictions about one article are compared with."""

    labels: Labels
    text: str | None
    scoring: Scoring
    cast: Cast

    @classmethod
    def of(cls, labels: Labels, text: str | None, scoring: Scoring) -> "Reference":
        """Prepare an article."""
        return cls(labels, text, scoring, Cast.of(labels.actors, scoring.names))

    def spans(self, evidence: Sequence[Quoted]) -> tuple[Span, ...]:
        """Where evidence stands, by its words: of a quote that stands twice, the first place."""
        if self.text is None:
            return ()
        starts = [(self.text.find(piece.quote), len(piece.quote)) for piece in evidence]
        return merged([(start, start + length) for start, length in starts if start >= 0])

    def overlap(self, gold: Sequence[Quoted], predicted: Sequence[Quoted]) -> float:
        """How much of the shorter evidence the other one shares; without the text, whether one quote holds another."""
        if self.text is None:
            return float(_holds_another(gold, predicted))
        ours, theirs = self.spans(gold), self.spans(predicted)
        shorter = min(_length(ours), _length(theirs))
        return _shared(ours, theirs) / shorter if shorter else 0.0


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _shared(ours: Sequence[Span], theirs: Sequence[Span]) -> int:
    return sum(max(0, min(end, stop) - max(start, begin)) for start, end in ours for begin, stop in theirs)


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _holds_another(gold: Sequence[Quoted], predicted: Sequence[Quoted]) -> bool:
    pairs = [(normalise(one.quote), normalise(other.quote)) for one in gold for other in predicted]
    return any(one in other or other in one for one, other in pairs)
