"""Hold what predictions about one article are compared with: labels, text, and the labels' actors."""

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
        """Words of the quote."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Labels, text (None if unknown), scoring and gold actors of one article."""

    labels: Labels
    text: str | None
    scoring: Scoring
    cast: Cast

    @classmethod
    def of(cls, labels: Labels, text: str | None, scoring: Scoring) -> "Reference":
        """Return the reference of an article."""
        return cls(labels, text, scoring, Cast.of(labels.actors, scoring.names))

    def spans(self, evidence: Sequence[Quoted]) -> tuple[Span, ...]:
        """Find evidence in the text; a quote that occurs twice is found at its first place."""
        if self.text is None:
            return ()
        starts = [(self.text.find(piece.quote), len(piece.quote)) for piece in evidence]
        return merged([(start, start + length) for start, length in starts if start >= 0])

    def overlap(self, gold: Sequence[Quoted], predicted: Sequence[Quoted]) -> float:
        """Return the share of the shorter evidence that is in both; without the text, 1 if a quote contains another."""
        if self.text is None:
            pairs = [(normalise(one.quote), normalise(other.quote)) for one in gold for other in predicted]
            return float(any(one in other or other in one for one, other in pairs))
        ours, theirs = self.spans(gold), self.spans(predicted)
        shared = sum(max(0, min(end, stop) - max(start, begin)) for start, end in ours for begin, stop in theirs)
        shorter = min(sum(end - start for start, end in spans) for spans in (ours, theirs))
        return shared / shorter if shorter else 0.0


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Sort spans, and merge those that touch."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
