"""Delegations: who belongs to one, so that its members are told in every meeting of it (contract, labels, rule 3)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from mahdar.offline.actors import ActorIndex
from mahdar.offline.cues import AnnotatedSentence
from mahdar.offline.mention import ActorMention

_OF: Final = re.compile(r"[وف]?[يت]?(?:ضم|تالف|تكون)\w{0,3}|[وف]?ب?(?:رياسه|قياده|عضويه)|(?:مكون|مولف)\w{0,2}")
"""Words behind which a delegation's members are named: «ضم الوفد», «برئاسة»."""
_REACH: Final = 8
"""Words between such a word and the delegation."""


def members_of(
    delegation: ActorMention, cast: ActorIndex, lines: Iterable[AnnotatedSentence]
) -> tuple[ActorMention, ...]:
    """The persons named as a delegation's, in the order of the article; the first mention of each."""
    name = cast.actor(delegation).name
    found: dict[str, ActorMention] = {}
    for line in lines:
        for told in cast.within(line.start, line.end):
            if told.kind == "delegation" and cast.actor(told).name == name:
                for person in _members(told, cast, line):
                    found.setdefault(cast.actor(person).name, person)
    return tuple(found.values())


def _members(delegation: ActorMention, cast: ActorIndex, line: AnnotatedSentence) -> Iterator[ActorMention]:
    """Persons behind the word that tells of members, joined by «و» or commas."""
    words = line.row.words
    at = next((n for n, word in enumerate(words) if line.start + word.end >= delegation.end), len(words))
    near = range(max(0, at - _REACH), min(at + _REACH, len(words)))
    cue = next((n for n in near if _OF.fullmatch(words[n].key)), None)
    if cue is None:
        return
    for person in cast.within(max(line.start + words[cue].end, delegation.end), line.end):
        if person.kind != "person":
            continue
        yield person


def _joined(line: AnnotatedSentence, one: ActorMention, other: ActorMention) -> bool:
    """Whether a person follows another in a list."""
    gap = line.article[one.end : other.start]
    return "و" in other.particle or re.fullmatch(r"[^.؛;:]{0,60}[،,]?\s*و?\s*", gap) is not None
