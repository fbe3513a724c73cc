"""Wording: a position in a sentence of its own; the topics and outcomes that an encounter's sentences tell."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mahdar.offline.cues import AnnotatedSentence
from mahdar.offline.encounters import RuleMeeting
from mahdar.offline.latin.tokens import LatinLanguage

_AND: Final = {"en": " and ", "fr": " et "}


def proposition(language: LatinLanguage, holders: Sequence[str], clause: str, most: int) -> str:
    """Holders first, then the words of the position.

    Args:
        language: of the article.
        holders: their names.
        clause: the words of the position, from the verb on.
        most: words that a proposition may have.
    """
    words = f"{_AND[language].join(holders)} {clause}".split()
    return " ".join(words[:most]).strip(' ,"“”«»')


_MOST_TOPICS: Final = 3
_LEAD: Final = re.compile(
    r"\b(?:discuss\w*|talks on|about|regarding|concerning|focus\w* on|including|reaffirm|évoqu\w+|au sujet"
    r"|à propos|sur|portant|discut\w+|pour|consult on|to)\b"
)
_PHRASE_WORDS: Final = 8
_SIGNED: Final = re.compile(r"\b(?:signed|signé|signèrent)\s+((?:an?|the|un|une|des|le|la|l['’])\s*[^,.;]{4,60})")


def topics(encounter: RuleMeeting) -> Iterator[tuple[str, str]]:
    """What was discussed, by its words, with codes; of each code the first."""
    line = encounter.line
    behind = line.row.words[encounter.cue.first].end
    lead = _LEAD.search(line.text, behind)
    seen: set[str] = set()
    for cue in line.cues("topic_code"):
        start = line.row.words[cue.first].start
        if lead is not None and start >= lead.start() and cue.code not in seen and len(seen) < _MOST_TOPICS:
            seen.add(cue.code)
            yield _phrase(line.text, start), cue.code


def outcomes(lines: Sequence[AnnotatedSentence]) -> Iterator[tuple[str, str]]:
    """What was signed."""
    for line in lines:
        if signed := _SIGNED.search(line.text):
            yield signed[1].strip(), "agreement_signed"
            return


def _phrase(text: str, start: int, words: int = _PHRASE_WORDS) -> str:
    """So many words from a place on, up to a mark."""
    piece = re.split(r"[,.;»”\"]", text[start:])[0]
    kept = list(re.finditer(r"\S+", piece))[:words]
    return piece[: kept[-1].end()].strip() if kept else ""
