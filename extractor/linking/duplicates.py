"""Find articles that print the same text, by MinHash over the words that their records quote.

Records do not hold the article, but their evidence is copied from it word by word.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from mahdar.documents.folding import fold
from mahdar.errors import UsageError

ALIKE: Final = 0.6
"""Minimum Jaccard similarity of the shingles of two articles with one text."""
SHINGLE: Final = 3
"""Words in a shingle."""
FEWEST_SHINGLES: Final = 12
"""Minimum of shingles to compare a text at all."""
_WORD: Final = re.compile(r"[^\W_]+")
_PERMUTATIONS: Final = 128
_BANDS: Final = 32
_SEED: Final = 42
_NO_DAY: Final = "9999"


class Originals(dict[str, str]):
    """Near-duplicate → the article that was published first with its text; any other article is its own original."""

    def __missing__(self, article: str) -> str:
        return article


class NearDuplicates:
    """Index of texts that finds, for each article, an earlier one with the same text.

    Raises:
        UsageError: rensa is not installed.
    """

    def __init__(self) -> None:
        try:
            from rensa import RMinHash, RMinHashLSH  # type: ignore[import-untyped]
        except ImportError:
            raise UsageError("near-duplicates are found by rensa: pip install 'mahdar[link]'") from None
        self._hash = RMinHash
        self._index = RMinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._hashes: dict[int, Any] = {}
        self._articles: list[tuple[str, str]] = []
        """day of publication, or `_NO_DAY`, which sorts after all days; id"""
        self._texts: dict[str, int] = {}
        self._first: dict[int, int] = {}

    def add(self, article: str, published_at: str | None, text: str, text_sha256: str) -> None:
        """Add an article.

        Args:
            article: its id.
            published_at: ISO date; the original is the article published first.
            text: the quoted words, which are compared.
            text_sha256: hash of the whole article; articles with equal hashes are not compared.
        """
        at = len(self._articles)
        self._articles.append((published_at or _NO_DAY, article))
        first = self._texts.setdefault(text_sha256, at)
        words = _WORD.findall(fold(text))
        shingles = [" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1)]
        if first == at and len(shingles) >= FEWEST_SHINGLES:
            made = self._hash(num_perm=_PERMUTATIONS, seed=_SEED)
            made.update(shingles)
            near = [other for other in self._index.query(made) if made.jaccard(self._hashes[other]) >= ALIKE]
            if near:
                first = min(near)
            else:
                self._index.insert(at, made)
                self._hashes[at] = made
        if first != at:
            self._first[at] = self._first.get(first, first)

    def originals(self) -> Originals:
        """Return the original of every copy."""
        alike: dict[int, list[int]] = {}
        for at, first in self._first.items():
            alike.setdefault(first, [first]).append(at)
        found = Originals()
        for group in alike.values():
            _, original = min(self._articles[at] for at in group)
            found.update((id_, original) for _, id_ in map(self._articles.__getitem__, group) if id_ != original)
        return found


def quoted(line: Mapping[str, Any]) -> str:
    """Return all evidence of an article, in the order of its text."""
    pieces = {
        (piece["start"], piece["quote"])
        for records in (line["meetings"], line["stances"], *(line.get("more") or {}).values())
        for record in records
        for piece in record["evidence"]
        if "start" in piece
    }
    return " ".join(quote for _, quote in sorted(pieces))
