"""Questions: a long reading task cut into small ones, for a model too small to read an article in one go.

Code offers, the model chooses, code completes. Sentences that may tell of an encounter or a position are found by
their words; a question shows one such sentence and a closed list; what the model chooses becomes a draft whose every
text is the article's. No question depends on the answer to another, so that they can be asked in any order.
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
from extractor.encounters import Encounter, Party, city_in, date_near, described, encounters_in, venue_in
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
    doubtful: tuple[Line, ...]
    """sentences with a word of meeting and two actors, in which code finds no encounter"""
    stages: Mapping[Line, tuple[Mention, ...]]
    """sentence → who was on stage when it began"""


def small_questions(text: str, published_at: dt.date | None = None) -> tuple[Question, ...]:  # noqa: ARG001  # dates are resolved later
    """All questions an article raises, in the order of its sentences."""
    reading = read(text)
    lines = lines_of(text)
    meetings = (_meeting_question(reading, line) for line in lines if _may_meet(reading, line))
    stances = (_stance_question(reading, line) for line in lines if any(one.line == line for one in reading.positions))
    return (*meetings, *stances)


def _may_meet(reading: Reading, line: Line) -> bool:
    return line in reading.doubtful or any(one.line == line for one in reading.encounters)


@lru_cache(maxsize=4)
def read(text: str) -> Reading:
    """Read an article without a model."""
    cast = cast_of(text)
    scene = Scene(cast)
    encounters: list[Encounter] = []
    positions: list[Position] = []
    doubtful: list[Line] = []
    stages: dict[Line, tuple[Mention, ...]] = {}
    for line in lines_of(text):
        stages[line] = (*scene.subject, *(scene.groups[-1] if scene.groups else ()))
        told = encounters_in(line, scene)
        for one in told:
            _enter(encounters, one, scene)
        if told:
            scene.subject = told[-1].principals[:1]
        elif encounters and _goes_on(line):
            _follow(encounters, len(encounters) - 1, line)
        elif line.cues("meeting") and len(_offered(cast, line, ())) > 1:
            doubtful.append(line)
        positions.extend(positions_in(line, scene))
    kept = tuple(one for one in encounters if not _is_accounted(one, encounters, cast))
    return Reading(text, cast, kept, tuple(positions), tuple(doubtful), stages)


_MOST_OFFERED: Final = 12


def _offered(cast: Cast, line: Line, stage: Sequence[Mention]) -> tuple[Mention, ...]:
    """The actors a question offers: those of the sentence, then those on stage before it."""
    here = [one for one in cast.within(line.start, line.end) if one.kind != "pair" and not cast.is_seat(one)]
    return unite([*here, *stage], cast)[:_MOST_OFFERED]


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


_GOING_ON: Final = listed("اللقاء الاجتماع المباحثات المحادثات الجانبان الطرفان الاتصال خلاله خلالها ذلك الزياره اللقا المحادثه")


def _goes_on(line: Line) -> bool:
    """Whether a sentence goes on about the encounter told before."""
    return any(word.key.lstrip("وفبل") in _GOING_ON or word.key in _GOING_ON for word in line.row.words[:40])


# -- meetings ----------------------------------------------------------------------------------------------------


def _meeting_question(reading: Reading, line: Line) -> Question:
    offered = _by_name(reading, _offered(reading.cast, line, reading.stages[line]))
    names = tuple(offered)
    answer = create_model("Met", __config__=_CLOSED, met=(list[Literal[names]], Field(max_length=_MOST_MET)))  # type: ignore[valid-type]
    told = [one for one in reading.encounters if one.line == line]
    met = {name for one in told for name in _names(one, reading.cast)}
    return Question(
        task="meetings",
        values={**_shown(reading, line), "actors": _listed(reading, offered.values())},
        answer=answer,
        expand=lambda given: tuple(_met(reading, line, [offered[name] for name in given.met])),  # type: ignore[attr-defined]
        proposal=answer(met=[name for name in names if name in met][:_MOST_MET]),
    )


_MOST_MET: Final = 6


def _by_name(reading: Reading, mentions: Sequence[Mention]) -> dict[str, Mention]:
    return {reading.cast.actor(one).name: one for one in mentions}


def _met(reading: Reading, line: Line, chosen: Sequence[Mention]) -> Iterator[MeetingDraft]:
    """The encounters of a sentence between those chosen: as code reads them, else one of all."""
    told = [one for one in reading.encounters if one.line == line]
    names = {reading.cast.actor(one).name for one in chosen}
    kept = [one for one in told if len(_names(one, reading.cast) & names) >= min(2, len(one.principals))]
    for one in kept:
        yield meeting_draft(reading, one)
    if not told and len(names) > 1:
        cue = line.cues("meeting")[0]
        yield meeting_draft(reading, described(line, cue, tuple(Party(one) for one in chosen)))


def meeting_draft(reading: Reading, encounter: Encounter) -> MeetingDraft:
    """A meeting as code reads it."""
    lines = (encounter.line, *encounter.followers)
    date = encounter.date or next((found for line in lines[1:] if (found := date_near(line, None))), None)
    venue = next((found for line in lines if (found := venue_in(line))), None)
    city = next((found for line in lines if (found := city_in(line, encounter.cue if line is encounter.line else None))), None)
    host = next((one.mention for one in encounter.parties if one.capacity == "host" and one.mention.kind == "country"), None)
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


def _stance_question(reading: Reading, line: Line) -> Question:
    positions = [one for one in reading.positions if one.line == line]
    stage = (*reading.stages[line], *(one for told in positions for one in told.holders))
    offered = _by_name(reading, _offered(reading.cast, line, stage))
    choices = (*offered, _BOTH, _NOBODY)
    fields: dict[str, Any] = {f"p{number}": (Literal[choices], ...) for number in range(1, len(positions) + 1)}
    answer = create_model("Held", __config__=_CLOSED, **fields)
    phrases = (f"p{number}. {_clause(reading, one)}" for number, one in enumerate(positions, 1))
    return Question(
        task="stances",
        values={**_shown(reading, line), "actors": _listed(reading, offered.values()), "phrases": "\n".join(phrases)},
        answer=answer,
        expand=lambda given: tuple(_held(reading, positions, offered, list(given.model_dump().values()))),
        proposal=answer(**{name: _holder(reading, one, offered) for name, one in zip(fields, positions, strict=True)}),
    )


def _holder(reading: Reading, position: Position, offered: Mapping[str, Mention]) -> str:
    """The name of the holder that code finds."""
    name = reading.cast.actor(position.holders[0]).name
    return _BOTH if len(position.holders) > 1 else name if name in offered else _NOBODY


def _clause(reading: Reading, position: Position) -> str:
    words = reading.text[slice(*position.clause)].split()
    return " ".join(words[:_SHOWN_WORDS])


def _held(
    reading: Reading, positions: Sequence[Position], offered: Mapping[str, Mention], given: Sequence[str]
) -> Iterator[StanceDraft]:
    """The positions that somebody holds, with who was chosen."""
    for position, name in zip(positions, given, strict=True):
        if name == _NOBODY:
            continue
        chosen = position.holders if name == _BOTH else (offered[name],)
        yield stance_draft(reading, replace(position, holders=chosen))


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

_BOTH: Final = "both"
_NOBODY: Final = "none"
_SHOWN_WORDS: Final = 14
_SHOWN_BEFORE: Final = 140
"""Characters of the sentence before, to tell whom «وأضاف» means."""
_CLOSED: Final = ConfigDict(frozen=True, extra="forbid")


def _shown(reading: Reading, line: Line) -> dict[str, str]:
    """A sentence and the end of the one before."""
    lines = lines_of(reading.text)
    at = lines.index(line)
    before = lines[at - 1].text[-_SHOWN_BEFORE:] if at else ""
    return {"before": " ".join(before.split()), "sentence": " ".join(line.text.split())}


def _listed(reading: Reading, offered: Iterable[Mention]) -> str:
    """One line for each actor: name and office."""
    return "\n".join(f"- {_called(reading, one)}" for one in offered)


def _called(reading: Reading, mention: Mention) -> str:
    actor = reading.cast.actor(mention)
    return f"{actor.name} ({actor.role})" if actor.role and actor.role != actor.name else actor.name


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
