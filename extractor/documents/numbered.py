"""Number an article's sentences: the units in which a model is shown the article and cites its evidence.

Only the body is numbered, so that no headline or caption can be cited. A sentence longer than `MAX_QUOTE` is cut, if
possible between clauses. All offsets are into the original text, so that a number is exact evidence by construction.
"""

from collections.abc import Iterator
from functools import lru_cache

from mahdar.documents.boilerplate import in_noise
from mahdar.documents.passages import split
from mahdar.documents.sentences import Sentence, sentences
from mahdar.errors import BadInputError
from mahdar.schemas.records import MAX_QUOTE


@lru_cache(maxsize=256)  # used by planning, validation and assembly, of many articles at a time
def numbered_sentences(text: str) -> tuple[Sentence, ...]:
    """Split the body of an article into units of evidence; the first one is number 1."""
    body = (one for one in sentences(text) if not in_noise(text, one.start))
    return tuple(piece for sentence in body for piece in _pieces(text, sentence))


def _pieces(text: str, sentence: Sentence) -> Iterator[Sentence]:
    """Cut a sentence that is longer than `MAX_QUOTE` into pieces without white space at their ends."""
    if sentence.end - sentence.start <= MAX_QUOTE:
        yield sentence
        return
    whole = text[sentence.start : sentence.end]
    try:
        cuts = [(piece.start, piece.end) for piece in split(whole, lambda piece: len(piece) <= MAX_QUOTE)]
    except BadInputError:  # no white space: cut anywhere
        cuts = [(at, min(at + MAX_QUOTE, len(whole))) for at in range(0, len(whole), MAX_QUOTE)]
    for start, end in cuts:
        piece = whole[start:end]
        first = sentence.start + start + len(piece) - len(piece.lstrip())
        last = sentence.start + end - (len(piece) - len(piece.rstrip()))
        if first < last:
            yield Sentence(first, last)
