"""Check that the evidence of predicted records is in the article, and in its body rather than in site furniture."""

from dataclasses import dataclass
from functools import lru_cache

from mahdar.evals.scorer.rates import Counts
from mahdar.evals.scorer.text import normalise
from mahdar.schemas.records import Evidence, Extraction, Record


@dataclass(frozen=True, slots=True)
class Grounding(Counts):
    """Numbers of evidence pieces, by how they match the article."""

    exact: int = 0
    folded: int = 0
    """in the article in another spelling"""
    not_found: int = 0
    unchecked: int = 0
    """scored without the article's text"""


def grounding(extraction: Extraction, text: str | None) -> Grounding:
    """Count the evidence of all records by how it matches the text; None for an unknown text."""
    pieces = [piece for records in extraction.records.values() for record in records for piece in record.evidence]
    if text is None:
        return Grounding(unchecked=len(pieces))
    found = [_match(piece, text) for piece in pieces]
    return Grounding(found.count("exact"), found.count("folded"), found.count("not_found"))


def is_only_in_noise(record: Record, text: str | None) -> bool:
    """Return whether all of a record's evidence is outside the body: headlines of other articles or site furniture."""
    if text is None:
        return False
    found = [piece.quote for piece in record.evidence if _match(piece, text) != "not_found"]
    rest = _folded_body(text)
    return bool(found) and not any(normalise(line) in rest for quote in found for line in quote.splitlines())


@lru_cache(maxsize=1)
def _folded_body(text: str) -> str:
    """Return the folded body of an article, cached for its records."""
    from mahdar.documents.boilerplate import body  # scoring without texts needs no extractor

    return normalise(body(text))


def _match(piece: Evidence, text: str) -> str:
    if piece.quote in text:
        return piece.match
    return "folded" if normalise(piece.quote) in normalise(text) else "not_found"
