"""Encounters: the sentences that tell of one, with what each tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mahdar.offline.circumstances import (
    channel_of,
    city_in,
    date_near,
    is_visit,
    kind_of,
    status_of,
    venue_in,
)
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.parties import MeetingParty, MeetingSide, parties_of
from mahdar.offline.subjects import DiscourseState, is_named
from mahdar.resolving.countries import CountryForm
from mahdar.schemas.enums import Channel, MeetingKind, Status


@dataclass(frozen=True, slots=True)
class RuleMeeting:
    """What code reads in a sentence that may tell of an encounter."""

    line: AnnotatedSentence
    cue: Cue
    parties: tuple[MeetingParty, ...]
    kind: MeetingKind = "talks"
    channel: Channel = "in_person"
    status: Status = "held"
    date: str | None = None
    venue: str | None = None
    city: str | None = None
    followers: tuple[AnnotatedSentence, ...] = field(default=())
    """sentences behind that go on about it"""

    @property
    def principals(self) -> tuple[ActorMention, ...]:
        """Those who met."""
        return tuple(party.mention for party in self.parties if party.capacity == "principal")


def encounters_in(line: AnnotatedSentence, scene: DiscourseState) -> tuple[RuleMeeting, ...]:
    """The encounters a sentence may tell of."""
    found: list[RuleMeeting] = []
    for cue in line.cues("meeting"):
        if is_named(line, scene, cue) or _is_letter(line, cue):
            continue
        subject, objects = parties_of(line, scene, cue)
        for group in _separate(line, scene, subject, objects):
            known = {scene.cast.actor(one).name for told in found for one in told.principals}
            names = {scene.cast.actor(party.mention).name for party in group if party.capacity == "principal"}
            if _is_enough(group, names, cue, line) and not (names <= known):
                found.append(described(line, cue, group))
    return tuple(found)


def _is_letter(line: AnnotatedSentence, cue: Cue) -> bool:
    """«تلقى رسالة», «تلقى برقية»: nobody met."""
    words = line.row.words
    if not words[cue.first].key.lstrip("وف").startswith("تلق"):
        return False
    behind = (word.key for word in words[cue.stop : cue.stop + _LETTER_REACH])
    return next((one.startswith(_LETTERS) for one in behind if one.startswith((*_LETTERS, *_CALLS))), False)


_LETTERS: Final = prefixes("encounters.letters")
_CALLS: Final = ("اتصال", "مكالم")
_LETTER_REACH: Final = 12
"""Words behind «تلقى»: its subject with name and office, and what was received."""


def _is_enough(parties: Sequence[MeetingParty], names: set[str], cue: Cue, line: AnnotatedSentence) -> bool:
    """Whether enough have met: two, or a guest and the country visited."""
    if len(names) > 1 or not names or not is_visit(line.row.words[cue.first].key):
        return len(names) > 1
    return any(party.capacity == "host" for party in parties) or _visits_city(line, cue)


def _visits_city(line: AnnotatedSentence, cue: Cue) -> bool:
    """«زيارته إلى بكين», «يزور باريس»: a town behind a word of visiting."""
    words = line.row.words
    behind = words[cue.stop - 1].end
    limit = words[min(cue.stop + _NEAR_VISIT, len(words)) - 1].end
    return any(one.kind is CountryForm.CITY and behind <= one.start < limit for one in line.countries)


_NEAR_VISIT: Final = 10
"""Words from a word of visiting to the town: subject, office and day."""


def _separate(
    line: AnnotatedSentence, scene: DiscourseState, subject: MeetingSide, objects: MeetingSide
) -> tuple[MeetingSide, ...]:
    """One encounter for each host of a guest, one for each call of several (contract, ruling 14)."""
    others = [party for party in objects if party.capacity == "principal"]
    rest = tuple(party for party in objects if party.capacity != "principal")
    if len(others) > 1 and subject and (_is_several(line) or _is_guest(line, scene, subject[0], others)):
        return tuple((*subject, other, *rest) for other in others)
    return ((*subject, *objects),)


def _is_several(line: AnnotatedSentence) -> bool:
    return any(word.key in word_group("encounters.is_several") for word in line.row.words)


def _is_guest(
    line: AnnotatedSentence, scene: DiscourseState, subject: MeetingParty, others: Sequence[MeetingParty]
) -> bool:
    """Whether the place is the others' country and not the subject's."""
    home = scene.cast.actor(subject.mention).country
    hosts = {scene.cast.actor(other.mention).country for other in others} - {None}
    places = {one.code for one in line.countries if one.kind is CountryForm.CITY}
    return bool(hosts) and hosts <= places and home not in places


def described(line: AnnotatedSentence, cue: Cue, parties: tuple[MeetingParty, ...]) -> RuleMeeting:
    """An encounter of some parties, with what the sentence tells of it."""
    return RuleMeeting(
        line,
        cue,
        parties,
        kind=kind_of(line, cue),
        channel=channel_of(line),
        status=status_of(line, cue),
        date=date_near(line, cue),
        venue=venue_in(line),
        city=city_in(line, cue),
    )


def when(encounter: RuleMeeting) -> str | None:
    """The date that an encounter's sentences tell."""
    behind = (date_near(line, None) for line in encounter.followers)
    return encounter.date or next((found for found in behind if found), None)


def where(encounter: RuleMeeting) -> str | None:
    """The city that an encounter's sentences tell."""
    behind = (city_in(line, cue) for line in encounter.followers for cue in line.cues("meeting"))
    return city_in(encounter.line, encounter.cue) or next((found for found in behind if found), None)
