"""Readings: what code makes of an article by grammar alone: who is in it, who may have met, who may have said what.

Cues find the sentences, case and word order tell the parties.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from mahdar.offline.accounts import go_on, is_accounted, names_of
from mahdar.offline.actors import ActorIndex, cast_of
from mahdar.offline.assertions import assertions_in
from mahdar.offline.cues import AnnotatedSentence, lines_of
from mahdar.offline.delegations import members_of
from mahdar.offline.encounters import RuleMeeting, encounters_in
from mahdar.offline.latin.reading import read_latin
from mahdar.offline.latin.tokens import language_of
from mahdar.offline.lexicon import word_group
from mahdar.offline.parties import MeetingParty
from mahdar.offline.positions import RuleStance, positions_in
from mahdar.offline.quotations import opened_before
from mahdar.offline.reporters import reporter_in
from mahdar.offline.sittings import sittings_in
from mahdar.offline.subjects import DiscourseState


@dataclass(frozen=True)
class RuleReading:
    """What code reads in an article: who is in it, what took place, who said what."""

    text: str
    lines: tuple[AnnotatedSentence, ...]
    cast: ActorIndex
    encounters: tuple[RuleMeeting, ...]
    positions: tuple[RuleStance, ...]


@lru_cache(maxsize=4)
def read(text: str) -> RuleReading:
    """Read an article without a model."""
    if language_of(text):
        return _read_latin(text)
    cast = cast_of(text)
    scene = DiscourseState(cast)
    encounters: list[RuleMeeting] = []
    positions: list[RuleStance] = []
    lines = lines_of(text)
    for line in lines:
        scene.reporter = reporter_in(line, scene.reporter)
        told = encounters_in(line, scene) or sittings_in(line, scene)
        for one in told:
            _enter(encounters, one, scene)
        if told:
            scene.subject = scene.subject if _is_quoted(told[-1]) else told[-1].principals[:1]
        elif encounters and _goes_on(line):
            go_on(encounters, len(encounters) - 1, line)
        positions.extend(_held(line, scene))
    kept = tuple(_with_members(one, cast, lines) for one in encounters if not is_accounted(one, encounters, cast))
    return RuleReading(text, tuple(lines), cast, kept, tuple(positions))


def _held(line: AnnotatedSentence, scene: DiscourseState) -> tuple[RuleStance, ...]:
    """The positions of a sentence, in the order of their words; a question holds none."""
    if line.text.rstrip(' "”»').endswith(("؟", "?")):
        return ()
    told = positions_in(line, scene)
    asserted = assertions_in(line, scene, told)
    return tuple(sorted((*told, *asserted), key=lambda one: one.clause))


def _is_quoted(told: RuleMeeting) -> bool:
    """Whether somebody tells of an encounter in quote marks: the speaker goes on."""
    return opened_before(told.line, told.line.row.words[told.cue.first].start) is not None


def _read_latin(text: str) -> RuleReading:
    lines, cast, encounters, positions = read_latin(text)
    return RuleReading(text, lines, cast, encounters, positions)


def _enter(encounters: list[RuleMeeting], one: RuleMeeting, scene: DiscourseState) -> None:
    """Add an encounter; one told again goes on with the first account."""
    names = names_of(one, scene.cast)
    scene.groups.append(one.principals)
    for number, told in enumerate(encounters):
        apart = {one.kind, told.kind} & {"press_conference", "signing", "session"} and one.kind != told.kind
        apart = apart or _on_other_days(one, told)
        apart = apart or (one.status in {"cancelled", "postponed"} and told.status != one.status)
        if names == names_of(told, scene.cast) and not apart:
            go_on(encounters, number, one.line)
            return
    encounters.append(one)


def _on_other_days(one: RuleMeeting, told: RuleMeeting) -> bool:
    """Whether two accounts name different days of the month: the same people met twice."""
    days = [re.findall(r"\d{1,2}(?!\d)", told.date or "")[:1] for told in (one, told)]
    return all(days) and days[0] != days[1]


def carried(reading: RuleReading, encounter: RuleMeeting, told: Callable[[RuleMeeting], str | None]) -> str | None:
    """What an encounter of the same visit tells: its city, its date (contract, ruling 11)."""
    if encounter.status != "held":
        return None
    names = names_of(encounter, reading.cast)
    same = (one for one in reading.encounters if one.status == "held" and names & names_of(one, reading.cast))
    return next((found for one in same if (found := told(one))), None)


def _with_members(encounter: RuleMeeting, cast: ActorIndex, lines: Sequence[AnnotatedSentence]) -> RuleMeeting:
    """An encounter with the members of its delegations."""
    delegations = [one for one in encounter.principals if one.kind == "delegation"]
    known = {cast.actor(party.mention).name for party in encounter.parties}
    members = (one for told in delegations for one in members_of(told, cast, lines))
    named = (MeetingParty(one, "member") for one in members if cast.actor(one).name not in known)
    return replace(encounter, parties=(*encounter.parties, *named)) if delegations else encounter


_GOING_ON: Final = word_group("readings.going_on")


def _goes_on(line: AnnotatedSentence) -> bool:
    """Whether a sentence goes on about the encounter told before."""
    return any(word.key.lstrip("وفبل") in _GOING_ON for word in line.row.words[:40])
