"""Reporters: who tells what an article tells: a ministry, its page, a spokesman, an agency."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import BODIES, prefixes, word_group

MOST_WORDS: Final = 9
"""Of a reporter's name."""
_ENDS: Final = word_group("reporters.ends")
_PAGES: Final = word_group("reporters.pages")
_PAGES_OWN: Final = prefixes("reporters.pages_own")
_AT: Final = word_group("reporters.at")
_SAME: Final = re.compile(r"(?:المصدر|الوكاله|البيان|الصحيفه)(?: (?:ذاته|نفسه|ذاتها|نفسها|عينه))?")
_FILLERS: Final = word_group("reporters.fillers")
_BREAK: Final = re.compile(r"[،,.؛;:!?؟«»“”\"\n()]")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports, where the article names them: `text[start:end]`."""

    start: int
    end: int

    def named_in(self, article: str) -> str:
        """As written."""
        return article[self.start : self.end]


def reporter_in(line: AnnotatedSentence, before: Reporter | None) -> Reporter | None:
    """The body, page or agency that a sentence names as its source; the one told before where it names none.

    A short form, «الوزارة», «المصدر ذاته», means the one told before.
    """
    cited = [*_cited(line)]
    found = cited[-1] if cited else next(iter([*_accounts(line), *_speaking(line)]), None)
    return before if found is None or _is_short(found.named_in(line.article)) else found


def _is_short(name: str) -> bool:
    return len(name.split()) == 1 and not fold(name).startswith(_PAGES_OWN)


def _by(line: AnnotatedSentence) -> Iterator[Cue]:
    return (cue for cue in line.cues("source") if cue.code == "by")


def _cited(line: AnnotatedSentence) -> Iterator[Reporter]:
    """«وفق وزارة الداخلية», «بحسب وكالة …»."""
    for cue in _by(line):
        if not _SAME.match(_keys_behind(line, cue)) and (found := _named(line, cue.stop)):
            yield found


def _speaking(line: AnnotatedSentence) -> Iterator[Reporter]:
    """«وقالت وزارة الداخلية إن»: a body behind a verb of saying."""
    for cue in line.cues("speech"):
        if found := _named(line, cue.stop):
            yield found


def _accounts(line: AnnotatedSentence) -> Iterator[Reporter]:
    """«عبر حسابه على موقع تويتر»: the speaker's own page."""
    words = line.row.words
    for at, word in enumerate(words):
        if word.key.lstrip("وب").startswith(_PAGES_OWN) and at and words[at - 1].key in _AT:
            yield Reporter(line.start + word.start, line.start + words[_stop(line, at) - 1].end)


def _named(line: AnnotatedSentence, first: int) -> Reporter | None:
    """A body's name that begins at a word, or one word behind it."""
    words = line.row.words
    while first < len(words) and words[first].key in _FILLERS:
        first += 1
    if first >= len(words) or not _is_body(line, first):
        return None
    stop = _stop(line, first)
    start = line.start + words[first].start + _glued(line, first)
    return Reporter(start, line.start + words[stop - 1].end)


def _is_body(line: AnnotatedSentence, at: int) -> bool:
    key = line.row.words[at].key
    heads = {key, key.removeprefix("ل"), f"ال{key.removeprefix('لل')}" if key.startswith("لل") else key}
    return not heads.isdisjoint(BODIES) or any(one.first == at for one in line.cues("source") if one.code == "body")


def _stop(line: AnnotatedSentence, first: int) -> int:
    words = line.row.words
    page = words[first].key.lstrip("وبل").removeprefix("ال") in _PAGES
    for at in range(first + 1, min(first + MOST_WORDS, len(words))):
        gap = line.text[words[at - 1].end : words[at].start]
        ended = words[at].key in _ENDS and not (page and words[at].key in {"علي", "في"})
        if ended or (_BREAK.search(gap) and not page) or _BREAK.search(gap.replace("«", "").replace('"', "")):
            return at
    return min(first + MOST_WORDS, len(words))


def _glued(line: AnnotatedSentence, first: int) -> int:
    """Letters of a preposition before the name: «لوزارة»."""
    word = line.row.words[first]
    return 1 if word.key.startswith("ل") and word.key[1:] in BODIES else 0


def _keys_behind(line: AnnotatedSentence, cue: Cue) -> str:
    return " ".join(word.key for word in line.row.words[cue.stop : cue.stop + 3])
