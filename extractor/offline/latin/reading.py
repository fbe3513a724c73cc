"""Reading an English or French article: who is in it, who met, who takes which position."""

from functools import lru_cache
from typing import Final

from mahdar.offline.accounts import go_on, is_accounted, names_of
from mahdar.offline.actors import ActorIndex
from mahdar.offline.cues import AnnotatedSentence, lines_of
from mahdar.offline.encounters import RuleMeeting
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.encounters import encounters_in
from mahdar.offline.latin.mentions import found_in
from mahdar.offline.latin.positions import positions_in
from mahdar.offline.latin.stage import LatinDiscourseState
from mahdar.offline.latin.tokens import TokenizedSentence, language_of
from mahdar.offline.lexicon import word_group
from mahdar.offline.positions import RuleStance

_APART: Final = frozenset({"press_conference", "signing", "session"})
"""Kinds that are a record of their own (contract)."""


@lru_cache(maxsize=4)
def sentences_of(article: str) -> tuple[TokenizedSentence, ...]:
    """The sentences of an article's body."""
    language = language_of(article) or "en"
    return tuple(TokenizedSentence(line, language) for line in lines_of(article))


def read_latin(
    article: str,
) -> tuple[tuple[AnnotatedSentence, ...], ActorIndex, tuple[RuleMeeting, ...], tuple[RuleStance, ...]]:
    """Its sentences, its cast, and what code finds: encounters and positions."""
    sentences = sentences_of(article)
    cast = ActorIndex(article, found_in(sentences))
    scene = LatinDiscourseState(cast)
    encounters: list[RuleMeeting] = []
    positions: list[RuleStance] = []
    for sentence in sentences:
        scene.current = ()
        clauses = Clauses(sentence, scene)
        told = list(encounters_in(clauses))
        for one in told:
            _enter(encounters, one, scene)
        if not told and encounters and _goes_on(sentence):
            go_on(encounters, len(encounters) - 1, sentence.line)
        if told:
            clauses = Clauses(sentence, scene)  # «met, and the two men agreed»: they are those who met here
        positions.extend(positions_in(clauses))
        _move(scene, clauses)
    kept = tuple(one for one in encounters if not is_accounted(one, encounters, cast))
    return tuple(one.line for one in sentences), cast, kept, tuple(positions)


def _move(scene: LatinDiscourseState, clauses: Clauses) -> None:
    """Who is on stage behind a sentence: its last subject, and whoever speaks in it."""
    subjects = [one.subject for one in clauses.predicates if one.subject and not one.own and one.form != "infinitive"]
    said = [one.subject for one in clauses.predicates if one.subject and one.verb.in_table("speech")]
    first = next(
        (held[2] for held in clauses.mentions if held[2].kind in {"person", "role", "body", "delegation"}), None
    )
    scene.subject = subjects[0] if subjects else (first,) if first is not None else scene.subject
    scene.speaker = said[-1] if said else scene.speaker


def _enter(encounters: list[RuleMeeting], one: RuleMeeting, scene: LatinDiscourseState) -> None:
    """Add an encounter; one told again goes on with the first account."""
    names = names_of(one, scene.cast)
    principals = tuple(party.mention for party in one.parties if party.capacity in {"principal", "host"})
    if one.kind != "visit":
        scene.groups.append(principals)
    for number, told in enumerate(encounters):
        apart = {one.kind, told.kind} & _APART and one.kind != told.kind
        planned = {one.status, told.status} == {"held", "planned"} and one.date != told.date
        if names == names_of(told, scene.cast) and not apart and not planned:
            go_on(encounters, number, one.line)
            return
    encounters.append(one)


_GOING_ON: Final = word_group("reading.going_on", "latin/names")
_OPENERS: Final = word_group("reading.openers", "latin/names")


def _goes_on(sentence: TokenizedSentence) -> bool:
    """Whether a sentence goes on about the encounter told before: «During the meeting», "The two leaders"."""
    keys = [sentence.key(at) for at in range(min(8, len(sentence.tokens)))]
    pair = "two" in keys[:3] or "both" in keys[:2] or keys[:1] in (["they"], ["ils"])
    return pair or (bool(keys) and keys[0] in _OPENERS and not _GOING_ON.isdisjoint(keys))
