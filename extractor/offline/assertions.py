"""Assertions: what somebody says something is, «اعتبر الاستيطان انتهاكا», or says to be so, «أكد أن السلام خيار»."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.positions import AGAINST, RuleStance, attribution, subject_length
from mahdar.offline.quotations import speech_of
from mahdar.offline.subjects import DiscourseState, is_named, subject_of
from mahdar.offline.targets import LONGEST_TARGET, ROOTED_IN_WAW, clause_end, statements, stripped, words_behind
from mahdar.resolving.countries import Word
from mahdar.schemas.enums import Act

_THAT: Final = word_group("assertions.that")
_THAT_REACH: Final = 16
"""Words between a verb of saying and its «أن»: subject, office, aside."""
_JUDGING: Final = prefixes("assertions.judging")
_RELAYING: Final = prefixes("assertions.relaying")
_ASSERTING: Final = prefixes("assertions.asserting")
_COPULA: Final = word_group("assertions.copula")
_NEGATIONS: Final = word_group("assertions.negations")
_PRONOUNS: Final = word_group("assertions.pronouns")
_ONLY: Final = word_group("assertions.only")
_ONLY_REACH: Final = 6
_FEWEST: Final = 3
"""Words of what is asserted: fewer are a fragment."""


@dataclass(frozen=True, slots=True)
class _Saying:
    """A verb of saying, who says it, and the words it governs, by their numbers."""

    line: AnnotatedSentence
    scene: DiscourseState
    verb: Cue
    holders: tuple[ActorMention, ...]
    first: int
    last: int

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(self.line.row.words)

    def position(self, cue: Cue, target: str, end: int) -> RuleStance:
        """What is held at a cue; the verb of saying begins the clause."""
        line = self.line
        start = self.words[self.verb.first].start
        return RuleStance(
            line,
            cue,
            self.holders,
            target,
            "against" if cue.code in AGAINST else "favor",
            speech_of(line, replace(cue, is_noun=True), self.verb),
            None,
            ((line.start + start, line.start + end),),
            attribution(line, self.scene, self.holders),
        )


def assertions_in(line: AnnotatedSentence, scene: DiscourseState, told: Sequence[RuleStance]) -> tuple[RuleStance, ...]:
    """The positions that a sentence holds by its content alone.

    Args:
        line: the sentence.
        scene: who is on stage.
        told: the positions that its words of position tell; what stands behind one belongs to it.
    """
    return tuple(found for saying in _sayings(line, scene, told) for found in (_judged(saying) or _asserted(saying)))


def _sayings(line: AnnotatedSentence, scene: DiscourseState, told: Sequence[RuleStance]) -> Iterator[_Saying]:
    verbs = [cue for cue in statements(line) if cue.code == "said" and not is_named(line, scene, cue)]
    for at, verb in enumerate(verbs):
        others = (one.first for one in (*verbs[at + 1 :], *(found.cue for found in told)) if one.first > verb.first)
        clause = _clause(line, scene, verb, min(others, default=len(line.row.words)))
        if clause is None or _verb(line, verb).startswith(_RELAYING):
            continue
        if holders := subject_of(line, scene, verb):
            yield _Saying(line, scene, verb, holders, *clause)


def _verb(line: AnnotatedSentence, verb: Cue) -> str:
    key = line.row.words[verb.first].key
    return key[1:] if key[0] in "وف" and not key.startswith(ROOTED_IN_WAW) else key


def _clause(line: AnnotatedSentence, scene: DiscourseState, verb: Cue, following: int) -> tuple[int, int] | None:
    """The words that a verb of saying governs: behind «أن», or behind «اعتبر» and its subject; first and last."""
    words = line.row.words
    limit = next((at for at in range(verb.stop, following) if _is_break(line, at)), following)
    that = next((at for at in range(verb.stop, limit) if words[at].key in _THAT), None)
    behind = verb.stop + subject_length(line, scene, verb)
    if _verb(line, verb).startswith(_JUDGING) and (that is None or that > behind):
        first = behind  # «وصف العقوبات بأنها جائرة»: what is judged stands before «أن»
    elif that is not None and that - verb.stop <= _THAT_REACH:
        first = that + 1
    else:
        return None
    return (first, limit - 1) if first < limit else None


def _is_break(line: AnnotatedSentence, at: int) -> bool:
    return re.search(r"[.؛;!?؟]", line.text[line.row.words[at - 1].end : line.row.words[at].start]) is not None


def _judged(saying: _Saying) -> tuple[RuleStance, ...]:
    """What is judged stands before the judgement; one that is negated is left out."""
    line, words = saying.line, saying.words
    cue = next((one for one in line.cues("judgement") if saying.first < one.first <= saying.last), None)
    if cue is None or any(words[at].key in _NEGATIONS for at in range(max(saying.first, cue.first - 3), cue.first)):
        return ()
    behind = next((at for at in range(saying.first + 1, cue.first + 1) if words[at].key in _COPULA), cue.first)
    target = stripped(line.text, words[saying.first].start, words[behind - 1].end)
    if not 1 <= len(target.split()) <= LONGEST_TARGET or target in _PRONOUNS:
        return ()
    return (saying.position(cue, target, min(clause_end(line, cue), words[saying.last].end)),)


def _asserted(saying: _Saying) -> tuple[RuleStance, ...]:
    """A position by its content, in favour of what is said to be so; with «لا» before it, against it."""
    line, words = saying.line, saying.words
    text = line.text[words[saying.first].start : words[saying.last].end]
    if not _verb(line, saying.verb).startswith(_ASSERTING) or any(char.isdigit() for char in text):
        return ()
    end = max(min(clause_end(line, saying.verb), words[saying.last].end), words[min(saying.first + 3, saying.last)].end)
    act, first = _content(saying)
    target = stripped(line.text, words[first].start, min(end, words_behind(line, words[first].start)))
    return (saying.position(replace(saying.verb, code=act), target, end),) if len(target.split()) >= _FEWEST else ()


def _content(saying: _Saying) -> tuple[Act, int]:
    """The act that the first words tell, and where what it is about begins."""
    words, first = saying.words, saying.first
    if words[first].key != "لا" or first == saying.last:
        return "support", first
    only = next((at for at in range(first, min(first + _ONLY_REACH, saying.last)) if words[at].key in _ONLY), None)
    return ("reject", first + 1) if only is None else ("affirm_importance", only + 1)
