"""Questions: a long reading task cut into small ones, for a model too small to read an article in one go.

Code offers, the model chooses, code completes. Sentences that may tell of an encounter or a position are found by
their words. What grammar tells for sure is settled without asking; for the rest a question shows one sentence and a
closed list, and what the model chooses becomes a draft whose every text is the article's. No question depends on the
answer to another, so that they can be asked in any order.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from extractor.actors import Cast, Mention, cast_of, unite
from extractor.countries import country_mentions, listed
from extractor.cues import Line, lines_of
from extractor.encounters import (
    Encounter,
    Party,
    capacity_of,
    city_in,
    date_near,
    described,
    encounters_in,
    is_order,
    may_tell,
    venue_in,
)
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
        proposal: the answer that stands in without a model, and that measurements compare with.
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
    doubtful: tuple[Line, ...]
    """sentences with a word of meeting and two actors, in which code finds no encounter"""


def small_questions(text: str, published_at: dt.date | None = None) -> tuple[Question, ...]:  # noqa: ARG001  # dates are resolved later
    """What code cannot decide in an article, as one question a sentence.

    These are sentences with a word of meeting and several actors, where grammar does not tell who met whom. Where it
    does, and for whose position is whose, code was measured to be right more often than a model of 1.5 billion
    parameters; those drafts are `settled`, and nobody is asked.
    """
    reading = read(text)
    return tuple(_meeting_question(reading, line) for line in reading.doubtful)


def settled(text: str, published_at: dt.date | None = None) -> tuple[tuple[str, ItemDraft], ...]:  # noqa: ARG001  # as above
    """What code decides by itself: task and draft, in the order of the article."""
    reading = read(text)
    meetings = (("meetings", meeting_draft(reading, one)) for one in reading.encounters)
    stances = (("stances", stance_draft(reading, one)) for one in reading.positions)
    return (*meetings, *stances)


@lru_cache(maxsize=4)
def read(text: str) -> Reading:
    """Read an article without a model."""
    cast = cast_of(text)
    scene = Scene(cast)
    encounters: list[Encounter] = []
    positions: list[Position] = []
    doubtful: list[Line] = []
    for line in lines_of(text):
        told = encounters_in(line, scene)
        for one in told:
            _enter(encounters, one, scene)
        if told:
            scene.subject = told[-1].principals[:1]
        elif encounters and _goes_on(line):
            _follow(encounters, len(encounters) - 1, line)
        elif may_tell(line) and len(_offered(cast, line)) > 1:
            doubtful.append(line)
        positions.extend(positions_in(line, scene))
    kept = tuple(one for one in encounters if not _is_accounted(one, encounters, cast))
    return Reading(text, cast, kept, tuple(positions), tuple(doubtful))


_MOST_OFFERED: Final = 12


def _offered(cast: Cast, line: Line) -> tuple[Mention, ...]:
    """The actors a question offers: those of the sentence who may be a party."""
    here = (one for one in cast.within(line.start, line.end) if one.kind in _PARTIES)
    return unite([one for one in here if not cast.is_seat(one) and not is_order(line, one)], cast)[:_MOST_OFFERED]


_PARTIES: Final = frozenset({"person", "role", "delegation", "country", "short"})
"""Not bodies: a ministry in a sentence mostly reports it, or is where it was."""


def _enter(encounters: list[Encounter], one: Encounter, scene: Scene) -> None:
    """Add an encounter; one told again goes on with the first account."""
    names = _names(one, scene.cast)
    scene.groups.append(one.principals)
    for number, told in enumerate(encounters):
        apart = {one.kind, told.kind} & {"press_conference", "signing", "session"} and one.kind != told.kind
        if names == _names(told, scene.cast) and not apart:
            _follow(encounters, number, one.line)
            return
    encounters.append(one)


def _follow(encounters: list[Encounter], number: int, line: Line) -> None:
    told = encounters[number]
    if line not in (told.line, *told.followers):
        encounters[number] = replace(told, followers=(*told.followers, line))


def _names(encounter: Encounter, cast: Cast) -> frozenset[str]:
    return frozenset(cast.actor(one).name for one in encounter.principals)


def _is_accounted(visit: Encounter, encounters: list[Encounter], cast: Cast) -> bool:
    """A visit counts only where nobody met (contract)."""
    names = _names(visit, cast)
    return visit.kind == "visit" and any(one.kind != "visit" and names & _names(one, cast) for one in encounters)


_GOING_ON: Final = listed(
    "اللقاء الاجتماع المباحثات المحادثات الجانبان الطرفان الاتصال خلاله خلالها ذلك الزياره اللقا المحادثه"
)


def _goes_on(line: Line) -> bool:
    """Whether a sentence goes on about the encounter told before."""
    return any(word.key.lstrip("وفبل") in _GOING_ON or word.key in _GOING_ON for word in line.row.words[:40])


# -- meetings ----------------------------------------------------------------------------------------------------


def _meeting_question(reading: Reading, line: Line) -> Question:
    offered = {reading.cast.actor(one).name: one for one in _offered(reading.cast, line)}
    names = tuple(offered)
    answer = create_model("Met", __config__=_CLOSED, met=(list[Literal[names]], Field(max_length=_MOST_MET)))  # type: ignore[valid-type]  # built of the article
    return Question(
        task="meetings",
        values={"sentence": _plain(line.text), "actors": _listed(reading, offered.values())},
        answer=answer,
        expand=lambda given: tuple(_met(reading, line, [offered[name] for name in given.met])),  # type: ignore[attr-defined]
        proposal=answer(met=[]),
    )


_MOST_MET: Final = 6
"""Names in one answer: a small model may not find the end of a list."""


def _met(reading: Reading, line: Line, chosen: Sequence[Mention]) -> Iterator[MeetingDraft]:
    """The encounter between those chosen, unless an account of it is settled already."""
    parties = tuple(Party(one, capacity_of(line, one)) for one in chosen)
    principals = {reading.cast.actor(one.mention).name for one in parties if one.capacity == "principal"}
    known = any(
        principals <= _names(one, reading.cast) or _names(one, reading.cast) <= principals for one in reading.encounters
    )
    persons = [one for one in parties if one.mention.kind != "country"]
    if len(principals) > 1 and persons and not known:
        yield meeting_draft(reading, described(line, line.cues("meeting")[0], parties))


def meeting_draft(reading: Reading, encounter: Encounter) -> MeetingDraft:
    """A meeting as code reads it."""
    lines = (encounter.line, *encounter.followers)
    date = encounter.date or next((found for line in lines[1:] if (found := date_near(line, None))), None)
    venue = next((found for line in lines if (found := venue_in(line))), None)
    city = next(
        (found for line in lines if (found := city_in(line, encounter.cue if line is encounter.line else None))), None
    )
    host = next(
        (one.mention for one in encounter.parties if one.capacity == "host" and one.mention.kind == "country"), None
    )
    place = PlaceDraft(venue=venue, city=city, country=host.name if host else None)
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
                yield TopicDraft(text=_phrase(line, cue.first), code=cue.code)


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


# -- stances -----------------------------------------------------------------------------------------------------


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
    clause = reading.text[slice(*position.clause)]
    verb, _, rest = clause.partition(" ")
    names = " و".join(reading.cast.actor(one).name for one in position.holders)
    for mention in reading.cast.within(*position.clause):
        if mention in position.holders:
            rest = rest.replace(mention.text, "", 1)
    words = f"{verb.removeprefix('و')} {names} {rest}".split()
    return " ".join(words[:MAX_PROPOSITION_WORDS]).strip(' ،,"“”«»')


# -- what both share ---------------------------------------------------------------------------------------------

_CLOSED: Final = ConfigDict(frozen=True, extra="forbid")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _listed(reading: Reading, offered: Iterable[Mention]) -> str:
    """One line for each actor: name and office."""
    return "\n".join(f"- {_called(reading, one)}" for one in offered)


def _called(reading: Reading, mention: Mention) -> str:
    actor = reading.cast.actor(mention)
    return _plain(f"{actor.name} ({actor.role})" if actor.role and actor.role != actor.name else actor.name)


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
