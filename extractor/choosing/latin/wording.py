"""Wording: how a position is told in a sentence of its own."""

from collections.abc import Sequence
from typing import Final

from extractor.choosing.latin.tokens import Language

_AND: Final = {"en": " and ", "fr": " et "}


def proposition(language: Language, holders: Sequence[str], clause: str, most: int) -> str:
    """Holders first, then the words of the position.

    Args:
        language: of the article.
        holders: their names.
        clause: the words of the position, from the verb on.
        most: words that a proposition may have.
    """
    words = f"{_AND[language].join(holders)} {clause}".split()
    return " ".join(words[:most]).strip(' ,"“”«»')
