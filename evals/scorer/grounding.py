"""Whether the evidence of predicted records stands in the article, and in its body rather than its furniture."""

from dataclasses import dataclass
from functools import lru_cache

from mahdar.evals.scorer.rates import Counts
from mahdar.evals.scorer.text import normalise
from mahdar.schemas.records import Evidence, Extraction, Record


@dataclass(frozen=True, slots=True)
class Grounding(Counts):
    """Pieces of evidence, by how they stand in the article."""

    exact: int = 0
    folded: int = 0
    """there, but the model had written it in another spelling"""
    not_found: int = 0
    unchecked: int = 0
    """scored without the text"""


def grounding(extraction: Extraction, text: str | None) -> Grounding:
    """Count the evidence of all records."""
    pieces = [piece for records in extraction.records.values() for record in records for piece in record.evidence]
    if text is None:
        return Grounding(unchecked=len(pieces))
    found = [_match(piece, text) for piece in pieces]
    return Grounding(found.count("exact"), found.count("folded"), found.count("not_found"))


def is_only_in_noise(record: Record, text: str | None) -> bool:
    """Whether none of a record's evidence stands in the body: it rests on another article's headline, on furniture."""
    if text is None:
        return False
    found = [piece.quote for piece in record.evidence if _match(piece, text) != "not_found"]
    rest = _folded_body(text)
    return bool(found) and not any(normalise(line) in rest for quote in found for line in quote.splitlines())


@lru_cache(maxsize=1)
def _folded_body(text: str) -> str:
    """Computed once for all records of an article."""
    from mahdar.documents.boilerplate import body  # scoring without texts needs no extractor

    return normalise(body(text))


def _match(piece: Evidence, text: str) -> str:
    if piece.quote in text:
        return piece.match
    return "folded" if normalise(piece.quote) in normalise(text) else "not_found"
