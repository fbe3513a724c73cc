"""Compare texts: fold spelling conventions, then compute chrF over character n-grams.

The scorer has a folding of its own, since that of `mahdar.documents.folding`, which finds quotes, may change: a score
must not change with the code that it measures.
"""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

_QUOTES: Final = frozenset("\"'`´«»‹›“”„‟‘’‚‛′″")
_LETTERS: Final = str.maketrans("ٱىة", "ايه")
"""Letters to fold besides أ إ آ ؤ ئ, whose hamza and madda are dropped as diacritics."""
_PUNCTUATION: Final = str.maketrans("،؛؟٪٫٬۔", ",;?%.,.")
_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_TATWEEL: Final = "ـ"
_DROPPED: Final = frozenset({"Mn", "Cf"})
"""Unicode categories of diacritics and of zero-width and bidi controls."""
_ORDER: Final = 6
"""Longest n-gram of chrF (Popović, 2015)."""
_BETA_SQUARED: Final = 4
"""Squared beta of chrF: recall weighs twice as much as precision."""


class _Folding(dict[int, str]):
    """Code point → folded form, computed on first use."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in _QUOTES or character.isspace():
            folded = '"' if character in _QUOTES else " "
        else:
            parts = unicodedata.normalize("NFKD", character).translate(_LETTERS).casefold()
            kept = "".join(part for part in parts if part != _TATWEEL and unicodedata.category(part) not in _DROPPED)
            # A lone diacritic decomposes into a space and the mark.
            folded = unicodedata.normalize("NFC", kept.strip()).translate(_PUNCTUATION).translate(_DIGITS)
        self[code] = folded
        return folded


_FOLDING: Final = _Folding()


@lru_cache(maxsize=1 << 16)
def normalise(text: str) -> str:
    """Fold spelling conventions, digits, quote marks, spaces and case, for matching only."""
    return " ".join(text.translate(_FOLDING).split())


@lru_cache(maxsize=1 << 16)
def chrf(hypothesis: str, reference: str) -> float:
    """Return the character n-gram F-score, from 0 to 100, equal to sacrebleu's `CHRF(word_order=0)`.

    sacrebleu counts the n-grams of both texts again for every pair, which takes most of its time.
    """
    grams, references = _grams(hypothesis), _grams(reference)
    matches = [0] * _ORDER
    for gram in grams.keys() & references.keys():
        matches[len(gram) - 1] += min(grams[gram], references[gram])
    length, reference_length = (sum(map(len, text.split())) for text in (hypothesis, reference))
    orders = min(length, reference_length, _ORDER)  # those that both texts are long enough for
    precision = recall = 0.0
    for order in range(1, orders + 1):
        precision += matches[order - 1] / (length - order + 1)
        recall += matches[order - 1] / (reference_length - order + 1)
    if not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * ((1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall))


def similarity(one: str, other: str) -> float:
    """Return chrF of two folded texts, from 0 to 1; the second is the reference, and equal texts are 1."""
    folded, reference = normalise(one), normalise(other)
    return 1.0 if folded == reference else chrf(folded, reference) / 100


@lru_cache(maxsize=1 << 14)
def _grams(text: str) -> Counter[str]:
    """Count the n-grams of all orders of a text without spaces."""
    solid = "".join(text.split())
    orders = range(1, _ORDER + 1)
    return Counter(solid[start : start + order] for order in orders for start in range(len(solid) - order + 1))
