"""Questions: a long reading task cut into small ones, for a model too small to read an article in one go.

Code offers, the model chooses, code completes. Sentences that may tell of an encounter or a position are found by
their words; a question shows one such sentence and a closed list; what the model chooses becomes a draft whose every
text is the article's. No question depends on the answer to another, so that they can be asked in any order.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, create_model

from extractor.actors import Cast, Mention, cast_of
from extractor.countries import country_mentions, listed
from extractor.cues import Line, lines_of
from extractor.encounters import Encounter, Party, city_in, date_near, encounters_in, venue_in
from extractor.positions import Position, positions_in
from extractor.subjects import Scene
from schemas.drafts import (
    MAX_PROPOSITION_WORDS,
    MAX_QUOTE,
    ActorDraft,
    DateDraft,
    ItemDraft,
    MeetingDraft,
    OutcomeDraft,
    ParticipantDraft,
    PlaceDraft,
    StanceDraft,
    TargetDraft,
    TopicDraft,
)

Answer = BaseModel


@dataclass(frozen=True, slots=True)
class Question:
    """One small question, and what becomes of its answer.

    Attributes:
        task: "meetings" or "stances".
        values: what the prompt's template is filled with.
        answer: the closed list as a model; its JSON Schema constrains decoding.
        expand: turns an answer into drafts, all texts of which stand in the article.
        proposal: the answer that code would give: what is measured against, and what stands in without a model.
    """

    task: str
    values: Mapping[str, str]
    answer: type[Answer]
    expand: Callable[[Answer], tuple[ItemDraft, ...]]
    proposal: Answer


@dataclass(frozen=True)
class Reading:
    """What code reads in an article: who is in it, what may have taken place, who may have said what."""

    text: str
    cast: Cast
    encounters: tuple[Encounter, ...]
    positions: tuple[Position, ...]


def small_questions(text: str, published_at: dt.date | None = None) -> tuple[Question, ...]:  # noqa: ARG001  # dates are resolved later
    """All questions an article raises, in the order of its sentences."""
    reading = read(text)
    meetings = (_meeting_question(reading, one) for one in reading.encounters)
    stances = (_stance_question(reading, one) for one in reading.positions)
    return (*meetings, *stances)


@lru_cache(maxsize=4)
def read(text: str) -> Reading:
    """Read an article without a model."""
    cast = cast_of(text)
    scene = Scene(cast)
    encounters: list[Encounter] = []
    positions: list[Position] = []
    for line in lines_of(text):
        told = encounters_in(line, scene)
        for one in told:
            scene.groups.append(one.principals)
        if told:
            scene.subject = told[-1].principals[:1]
        elif encounters and _goes_on(line):
            encounters[-1] = replace(encounters[-1], followers=(*encounters[-1].followers, line))
        encounters.extend(told)
        positions.extend(positions_in(line, scene))
    return Reading(text, cast, tuple(encounters), tuple(positions))


_GOING_ON: Final = listed("اللقاء الاجتماع المباحثات المحادثات الجانبان الطرفان الاتصال خلاله خلالها ذلك الزياره اللقا المحادثه")


def _goes_on(line: Line) -> bool:
    """Whether a sentence goes on about the encounter told before."""
    return any(word.key.lstrip("وفبل") in _GOING_ON or word.key in _GOING_ON for word in line.row.words[:40])


# -- meetings ----------------------------------------------------------------------------------------------------


def _meeting_question(reading: Reading, encounter: Encounter) -> Question:
    answer = create_model("Met", __config__=_CLOSED, met=(bool, ...))
    return Question(
        task="meetings",
        values={"sentence": encounter.line.text},
        answer=answer,
        expand=lambda given: (meeting_draft(reading, encounter),) if given.met else (),  # type: ignore[attr-defined]
        proposal=answer(met=True),
    )


def meeting_draft(reading: Reading, encounter: Encounter) -> MeetingDraft:
    """A meeting as code reads it."""
    lines = (encounter.line, *encounter.followers)
    date = encounter.date or next((found for line in lines[1:] if (found := date_near(line, None))), None)
    venue = next((found for line in lines if (found := venue_in(line))), None)
    city = next((found for line in lines if (found := city_in(line))), None)
    host = next((one.mention for one in encounter.parties if one.capacity == "host" and one.mention.kind == "country"), None)
    place = PlaceDraft(venue=venue, city=city, country=host.text if host else None)
    return MeetingDraft(
        evidence=tuple(_quote(line) for line in lines[:4]),
        participants=tuple(_participant(reading, party) for party in encounter.parties),
        date=DateDraft(text=date) if date else None,
        place=place if place != PlaceDraft() else None,
        topics=tuple(_topics(lines)),
        outcomes=tuple(_outcomes(lines)),
        status=encounter.status,
        channel=encounter.channel,
        kind=encounter.kind,
    )


def _topics(lines: Sequence[Line]) -> Iterator[TopicDraft]:
    seen: set[str] = set()
    for line in lines:
        lead = next(iter(line.cues("topic")), None)
        if lead is None:
            continue
        for cue in line.cues("topic_code"):
            if cue.first >= lead.first and cue.code not in seen and len(seen) < 3:
                seen.add(cue.code)
                yield TopicDraft(text=_phrase(line, cue.first), code=cue.code)  # type: ignore[arg-type]


def _phrase(line: Line, at: int) -> str:
    """A word and what follows up to a mark, for a topic's text."""
    start = line.row.words[at].start
    end = line.row.words[min(at + 8, len(line.row.words)) - 1].end
    return re.split(r"[،,.؛;»”\"\n]", line.text[start:end])[0].strip() or line.row.words[at].raw


def _outcomes(lines: Sequence[Line]) -> Iterator[OutcomeDraft]:
    for line in lines:
        for cue in line.cues("outcome"):
            if cue.stop < len(line.row.words) and cue.code != "joint_statement":
                yield OutcomeDraft(text=_phrase(line, cue.stop), type=cue.code)  # type: ignore[arg-type]
                return


def _participant(reading: Reading, party: Party) -> ParticipantDraft:
    return ParticipantDraft(**_actor_fields(reading, party.mention), capacity=party.capacity)


# -- stances -----------------------------------------------------------------------------------------------------


def _stance_question(reading: Reading, position: Position) -> Question:
    answer = create_model("Takes", __config__=_CLOSED, takes=(bool, ...))
    return Question(
        task="stances",
        values={"sentence": position.line.text},
        answer=answer,
        expand=lambda given: (stance_draft(reading, position),) if given.takes else (),  # type: ignore[attr-defined]
        proposal=answer(takes=True),
    )


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
        act=position.cue.code,  # type: ignore[arg-type]
        target=TargetDraft(text=position.target),
        polarity=position.polarity,
        addressee=position.addressee,
        proposition=_proposition(reading, position),
        speech=position.speech,
    )


def _proposition(reading: Reading, position: Position) -> str:
    """Verb, holders, and the rest of the clause in the article's words."""
    clause = reading.text[slice(*position.clause)]
    verb, _, rest = clause.partition(" ")
    names = " و".join(reading.cast.actor(one).name for one in position.holders)
    for mention in reading.cast.within(*position.clause):
        if mention in position.holders:
            rest = rest.replace(mention.text, "", 1)
    words = f"{verb.removeprefix('و')} {names} {rest}".split()
    return " ".join(words[:MAX_PROPOSITION_WORDS]).strip(" ،,\"“”«»")


# -- what both share ---------------------------------------------------------------------------------------------

_CLOSED: Final = ConfigDict(frozen=True, extra="forbid")


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
