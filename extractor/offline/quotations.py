"""Quotations: whose words stand between quote marks."""

import re
from typing import Final

from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.schemas.enums import Speech

_OPENING: Final = "«“„"
_CLOSING: Final = "»"
_EITHER: Final = '"”'
"""Marks that open what is closed, and close what is open: many a desk uses one for both."""
_FIRST_PERSON: Final = re.compile(r"[وف]?(?:س?ن\w{2,}|\w{2,}نا|نحن|لا|لن)")
_THAT: Final = re.compile(r"\b[وب]?[أإ]ن\w{0,2}\b[\s:]*$")


def opened_before(line: AnnotatedSentence, at: int) -> int | None:
    """Where the quotation begins that holds a place of a sentence; None where the place is in none.

    Args:
        line: the sentence.
        at: the place, in the sentence's offsets.

    Returns:
        The offset of the quote mark in the sentence, negative where it opened in a sentence before it.
    """
    paragraph = line.article.rfind("\n", 0, line.start) + 1
    opened: int | None = None
    for place in range(paragraph, line.start + at):
        mark = line.article[place]
        if mark in _OPENING or (mark in _EITHER and opened is None):
            opened = place - line.start
        elif mark in _CLOSING or mark in _EITHER:
            opened = None
    return opened


def speech_of(line: AnnotatedSentence, cue: Cue, governor: Cue | None) -> Speech:
    """How a position is told: `direct` in the holder's words, `indirect` in another's, `mixed` where both share it.

    A third person inside quote marks is the words of whoever reports: «أكد … رفضهم» in a ministry's statement.
    """
    words = line.row.words
    opened = opened_before(line, words[cue.first].start)
    if opened is None:
        behind = line.text[words[cue.stop - 1].end : words[cue.stop - 1].end + _QUOTED_SOON]
        return "mixed" if re.search(r"[«“\"]", behind) else "indirect"
    if not cue.is_noun:
        return "direct" if _FIRST_PERSON.fullmatch(words[cue.first].key) else "indirect"
    if governor is not None and words[governor.first].start > opened:
        return "direct" if _FIRST_PERSON.fullmatch(words[governor.first].key) else "indirect"
    return "mixed" if _THAT.search(line.text[: max(opened, 0)]) else "direct"


_QUOTED_SOON: Final = 20
"""Characters behind a word of position within which its object is quoted."""
