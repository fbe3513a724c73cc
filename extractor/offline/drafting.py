"""Drafting: from what a reading suggests and a model chose to a draft, every text of which stands in the article."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from extractor.offline.actors import Mention
from extractor.offline.cues import Cue, Line
from extractor.offline.encounters import Encounter, Party, venue_in, when, where
from extractor.offline.latin.tokens import language_of
from extractor.offline.latin.wording import outcomes as latin_outcomes
from extractor.offline.latin.wording import proposition as latin_proposition
from extractor.offline.latin.wording import topics as latin_topics
from extractor.offline.positions import Position
from extractor.offline.readings import Reading, carried
from extractor.resolving.countries import country_mentions, listed
from schemas.drafts import (
    MAX_PROPOSITION_WORDS,
    MAX_QUOTE,
    ActorDraft,
    DateDraft,
    MeetingDraft,
    OutcomeDraft,
    ParticipantDraft,
    PlaceDraft,
    StanceDraft,
    TargetDraft,
    TopicDraft,
)

MOST_PARTICIPANTS: Final = 12
"""In a meeting, by its draft."""


def meeting_draft(reading: Reading, encounter: Encounter) -> MeetingDraft:
    """A meeting as code reads it."""
    if language_of(reading.text):
        return _latin_meeting(reading, encounter)
    lines = (encounter.line, *encounter.followers)
    venue = next((found for line in lines if (found := venue_in(line))), None)
    date, city = when(encounter) or carried(reading, encounter, when), where(encounter)
    if city is None and encounter.channel == "in_person":
        city = carried(reading, encounter, where)
    host = next(
        (one.mention for one in encounter.parties if one.capacity == "host" and one.mention.kind == "country"), None
    )
    place = PlaceDraft(venue=venue, city=city, country=host.name if host else None)
    return MeetingDraft(
        evidence=tuple(_quote(line) for line in lines[:4]),
        participants=tuple(_participant(reading, party) for party in encounter.parties[:MOST_PARTICIPANTS]),
        date=DateDraft(text=date) if date else None,
        place=place if place != PlaceDraft() else None,
        topics=tuple(_topics(lines)),
        outcomes=tuple(_outcomes(lines)),
        status=encounter.status,
        channel=encounter.channel,
        kind=encounter.kind,
    )


def _latin_meeting(reading: Reading, encounter: Encounter) -> MeetingDraft:
    """A meeting of an English or French article: what its own sentence tells of date and place, and no other."""
    lines = (encounter.line, *encounter.followers)
    city = encounter.city
    if city is None and encounter.channel == "in_person":
        city = carried(reading, encounter, lambda one: one.city)
    host = next((one.mention.name for one in encounter.parties if one.capacity == "host"), None)
    place = PlaceDraft(venue=encounter.venue, city=city, country=host)
    return MeetingDraft(
        evidence=tuple(_quote(line) for line in lines[:4]),
        participants=tuple(_participant(reading, party) for party in encounter.parties[:MOST_PARTICIPANTS]),
        date=DateDraft(text=encounter.date) if encounter.date else None,
        place=place if place != PlaceDraft() else None,
        topics=tuple(TopicDraft(text=text, code=code) for text, code in latin_topics(encounter)),
        outcomes=tuple(OutcomeDraft(text=text, type=code) for text, code in latin_outcomes(lines)),
        status=encounter.status,
        channel=encounter.channel,
        kind=encounter.kind,
    )


_MOST_TOPICS: Final = 3


def _topics(lines: Sequence[Line]) -> Iterator[TopicDraft]:
    """What an encounter was about, by the words of matters behind a word of talking; each word in one topic at most."""
    seen: set[str] = set()
    for line in lines:
        lead = next(iter(line.cues("topic")), None)
        told = lead.first if lead else len(line.row.words)
        for cue in line.cues("topic_code"):
            if cue.first < told or cue.code in seen or len(seen) == _MOST_TOPICS or _is_bound(line, cue):
                continue
            seen.add(cue.code)
            text = _phrase(line, cue.first)
            told = cue.first + len(text.split())
            yield TopicDraft(text=text, code=cue.code)


def _is_bound(line: Line, cue: Cue) -> bool:
    """«بين البلدين», «في ليبيا», «والأمني المشترك»: words that only say between whom, where, of what kind."""
    key = line.row.words[cue.first].key
    return key in _BINDING or (key.startswith("وال") and key.endswith(("ي", "يه")))


_BINDING: Final = listed("بين في")


def _phrase(line: Line, at: int) -> str:
    """A word and what follows up to a mark, for a topic's text."""
    start = line.row.words[at].start
    end = line.row.words[min(at + 8, len(line.row.words)) - 1].end
    return re.split(r"[،,.؛;»”\"\n]", line.text[start:end])[0].strip() or line.row.words[at].raw


def _outcomes(lines: Sequence[Line]) -> Iterator[OutcomeDraft]:
    for line in lines:
        for cue in line.cues("outcome"):
            if cue.stop < len(line.row.words) and cue.code != "joint_statement":
                yield OutcomeDraft(text=_phrase(line, cue.stop), type=cue.code)
                return


def _participant(reading: Reading, party: Party) -> ParticipantDraft:
    return ParticipantDraft(**_actor_fields(reading, party.mention), capacity=party.capacity)


def stance_draft(reading: Reading, position: Position) -> StanceDraft:
    """A stance as code reads it."""
    holders = tuple(ActorDraft(**_actor_fields(reading, one)) for one in position.holders[:6])
    institution = len(holders) == 1 and holders[0].type in {"organization", "government", "country", "delegation"}
    mode = "joint" if len(holders) > 1 else "institution" if institution else "individual"
    return StanceDraft(
        evidence=(_quote(position.line, position.clause),),
        attribution=(position.attribution,) if position.attribution else (),
        holders=holders,
        holder_mode=mode,
        act=position.act,
        target=TargetDraft(text=position.target),
        polarity=position.polarity,
        addressee=position.addressee,
        proposition=_proposition(reading, position),
        speech=position.speech,
    )


def _proposition(reading: Reading, position: Position) -> str:
    """Verb, holders, and the rest of the clause in the article's words."""
    clause = " ".join(reading.text[start:end].strip() for start, end in position.pieces)
    if language := language_of(reading.text):
        holders = [reading.cast.actor(one).name for one in position.holders]
        return latin_proposition(language, holders, clause, MAX_PROPOSITION_WORDS)
    verb, _, rest = clause.partition(" ")
    names = " و".join(reading.cast.actor(one).name for one in position.holders)
    for mention in reading.cast.within(*position.clause):
        if mention in position.holders:
            rest = rest.replace(mention.text, "", 1)
    words = f"{verb.removeprefix('و')} {names} {rest}".split()
    return " ".join(words[:MAX_PROPOSITION_WORDS]).strip(' ،,"“”«»')


def _actor_fields(reading: Reading, mention: Mention) -> dict[str, Any]:
    actor = reading.cast.actor(mention)
    return {
        "name": actor.name,
        "type": actor.type,
        "role": actor.role,
        "organization": actor.organization,
        "country": _country_words(reading.text, actor.country),
    }


def _country_words(text: str, code: str | None) -> str | None:
    """Words of the article that stand for a country."""
    return next((text[one.start : one.end] for one in country_mentions(text) if one.code == code), None)


def _quote(line: Line, clause: tuple[int, int] | None = None) -> str:
    """A sentence as evidence; of one too long, the part that holds the clause."""
    if len(line.text) <= MAX_QUOTE:
        return line.text
    start = max(0, (clause[0] - line.start) if clause else 0)
    piece = line.text[start : start + MAX_QUOTE]
    return piece.rsplit(" ", 1)[0].strip()
