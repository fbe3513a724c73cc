"""Texts compared: folded to what a reader takes for the same, then by shared character n-grams.

The folding is the scorer's own and not `mahdar.documents.folding`, which finds quotes and may learn more spellings:
what is measured must not move with the thing measured.
"""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

_QUOTES: Final = frozenset("\"'`´«»‹›“”„‟‘’‚‛′″")
_LETTERS: Final = str.maketrans("ٱىة", "ايه")
"""Beside أ إ آ ؤ ئ, which lose their hamza and madda as diacritics."""
_PUNCTUATION: Final = str.maketrans("،؛؟٪٫٬۔", ",;?%.,.")
_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_TATWEEL: Final = "ـ"
_DROPPED: Final = frozenset({"Mn", "Cf"})
"""Diacritics; zero-width and bidi controls."""
_ORDER: Final = 6
"""chrF's longest n-gram (Popović, 2015)."""
_BETA_SQUARED: Final = 4
"""chrF weighs recall over precision, beta 2."""


class _Folding(dict[int, str]):
    """Code point → its folded form, computed where first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(char: str) -> str:
    if char in _QUOTES:
        return '"'
    if char.isspace():
        return " "
    parts = unicodedata.normalize("NFKD", char).translate(_LETTERS).casefold()
    kept = "".join(part for part in parts if part != _TATWEEL and unicodedata.category(part) not in _DROPPED)
    # A diacritic standing alone decomposes into a space that carries it.
    return unicodedata.normalize("NFC", kept.strip()).translate(_PUNCTUATION).translate(_DIGITS)


_FOLDING: Final = _Folding()


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str:
    """The folding N of the scorer, for matching only: spelling conventions, digits, quote marks, spaces and case."""
    return " ".join(text.translate(_FOLDING).split())


@lru_cache(maxsize=1 << 16)
def chrf(hypothesis: str, reference: str) -> float:
    """Character n-gram F-score from 0 to 100, equal to sacrebleu's `CHRF(word_order=0)`.

    sacrebleu counts the n-grams of both texts again for every pair, which is most of its time.
    """
    grams, references = _grams(hypothesis), _grams(reference)
    matches = [0] * _ORDER
    for gram in grams.keys() & references.keys():
        matches[len(gram) - 1] += min(grams[gram], references[gram])
    return _f_score(matches, _length(hypothesis), _length(reference))


def similarity(one: str, other: str) -> float:
    """How alike two texts are once folded, by chrF from 0 to 1; the second is the reference, and equal texts are 1."""
    folded, reference = normalise(one), normalise(other)
    return 1.0 if folded == reference else chrf(folded, reference) / 100


def _f_score(matches: list[int], length: int, reference: int) -> float:
    """F over precision and recall averaged over the orders that both texts are long enough for."""
    orders = min(length, reference, _ORDER)
    precision = recall = 0.0
    for order in range(1, orders + 1):
        precision += matches[order - 1] / (length - order + 1)
        recall += matches[order - 1] / (reference - order + 1)
    if not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * ((1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall))


@lru_cache(maxsize=1 << 14)
def _grams(text: str) -> Counter[str]:
    """All n-grams of the text without spaces, of every order: their lengths keep the orders apart."""
    solid = "".join(text.split())
    orders = range(1, _ORDER + 1)
    return Counter(solid[start : start + order] for order in orders for start in range(len(solid) - order + 1))


def _length(text: str) -> int:
    return sum(map(len, text.split()))
