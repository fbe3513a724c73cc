"""Read and check labels: the records that a careful reader found in an article, one file an article.

A label has the fields of a record without those that code computes, and in addition every other acceptable form of a
name (`aliases`), further acceptable values (`accept`, `alternatives`) and a reason (`note`).
"""

import datetime as dt
import hashlib
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mahdar.schemas import edtf, parties
from mahdar.schemas.enums import (
    Act,
    ActorType,
    Capacity,
    Channel,
    HolderMode,
    MeetingKind,
    OutcomeType,
    Polarity,
    Speech,
    Status,
    TopicCode,
)
from mahdar.schemas.records import MAX_QUOTE, CountryCode, Extraction, Meeting, Provenance, Record, Stance

BEYOND_ISO = frozenset({"EU", "UN"})
"""Codes of the contract that are not in ISO 3166-1."""
CHOICE = " | "
"""Separator of the values in a skeleton, of which one is to be chosen."""
MAX_PROPOSITION_WORDS = 30
"""Words of a labelled proposition (contract); a drafted one may be longer."""

Text = Annotated[str, Field(pattern=r"\S")]
"""A text with a letter or digit; what is unknown is null, never empty."""


class LabelError(ValueError):
    """A label file is invalid; the message has one line a problem, each with its path."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))
        self.problems = tuple(problems)


class Label(BaseModel):
    """A frozen part of a label file. An unknown field is refused as a typing error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LabelledActor(Label):
    """An actor, with every other form of the name that a correct system could return."""

    name: Text
    aliases: tuple[Text, ...] = ()
    type: ActorType
    role: Text | None
    organization: Text | None
    country: CountryCode | None


class LabelledParticipant(LabelledActor):
    """An actor in a meeting."""

    capacity: Capacity


class LabelledDate(Label):
    """A date; `accept` lists further acceptable values, which may include null."""

    text: Text | None
    value: str | None
    accept: tuple[str | None, ...] = ()


class LabelledSpot(Label):
    """A place without alternatives."""

    venue: Text | None
    city: Text | None
    country: CountryCode | None


class LabelledPlace(LabelledSpot):
    """A place; `accept` lists further acceptable places, which may include null."""

    accept: tuple[LabelledSpot | None, ...] = ()


class LabelledTopic(Label):
    """A topic of a meeting."""

    text: Text
    code: TopicCode


class LabelledOutcome(Label):
    """An outcome of a meeting: agreed, signed or decided."""

    text: Text
    type: OutcomeType


class LabelledTarget(Label):
    """The target of a stance; `actor` is set if it is an actor, or an actor's action."""

    text: Text
    actor: LabelledActor | None


class LabelledEvidence(Label):
    """A verbatim piece of the article."""

    quote: Text


class MeetingAlternatives(Label):
    """Further acceptable values of a meeting's closed fields."""

    kind: tuple[MeetingKind, ...] = ()
    channel: tuple[Channel, ...] = ()
    status: tuple[Status, ...] = ()


class StanceAlternatives(Label):
    """Further acceptable values of a stance's closed fields."""

    polarity: tuple[Polarity, ...] = ()
    act: tuple[Act, ...] = ()
    speech: tuple[Speech, ...] = ()
    holder_mode: tuple[HolderMode, ...] = ()


class LabelledMeeting(Label):
    """A labelled meeting."""

    id: str
    kind: MeetingKind
    channel: Channel
    status: Status
    participants: tuple[LabelledParticipant, ...]
    date: LabelledDate | None
    place: LabelledPlace | None
    topics: tuple[LabelledTopic, ...]
    outcomes: tuple[LabelledOutcome, ...]
    attribution: tuple[Text, ...]
    evidence: tuple[LabelledEvidence, ...]
    alternatives: MeetingAlternatives = MeetingAlternatives()
    note: str | None = None


class LabelledStance(Label):
    """A labelled stance."""

    id: str
    meeting: str | None
    holders: Annotated[tuple[LabelledActor, ...], Field(min_length=1)]
    holder_mode: HolderMode
    on_behalf_of: Text | None
    target: LabelledTarget
    addressee: Text | None
    polarity: Polarity
    act: Act
    proposition: Text
    speech: Speech
    attribution: tuple[Text, ...]
    evidence: tuple[LabelledEvidence, ...]
    alternatives: StanceAlternatives = StanceAlternatives()
    note: str | None = None


class Labels(Label):
    """The labels of one article. Empty lists are labels, too: they test for invented records."""

    document_id: Text
    language: Text | None
    published_at: dt.date | None
    meetings: tuple[LabelledMeeting, ...]
    stances: tuple[LabelledStance, ...]

    @property
    def actors(self) -> tuple[LabelledActor, ...]:
        """The actors of all records, in order, as often as they occur."""
        return tuple(actor for _path, actor in _actors(self))


def parse(text: str, source: str = "labels") -> Labels:
    """Parse the text of a label file.

    Args:
        text: the file's text.
        source: the name of the file in messages.

    Raises:
        LabelError: the text is not JSON, a field is duplicate, missing or unknown, or a value not in its closed list.
    """
    try:
        json.loads(text, object_pairs_hook=_unique)
        return Labels.model_validate_json(text)
    except ValidationError as error:
        raise LabelError(source, _problems(error)) from error
    except ValueError as error:
        raise LabelError(source, [f"$: {error}"]) from error


def read(path: Path) -> Labels:
    """Read a label file.

    Raises:
        LabelError: as `parse`; the message names the file.
    """
    return parse(path.read_text(encoding="utf-8"), str(path))


def check(labels: Labels, text: str, stem: str | None = None) -> list[str]:
    """Check labels against their article and the contract.

    Args:
        labels: the labels.
        text: the article as written.
        stem: the stem of the label file's name, which must be the document's id.

    Returns:
        Problems, as `$.meetings[0].evidence[1].quote: …`.
    """
    return [
        *_check_id(labels.document_id, stem),
        *_check_ids("meetings", "m", [meeting.id for meeting in labels.meetings]),
        *_check_ids("stances", "s", [stance.id for stance in labels.stances]),
        *(problem for path, meeting in _records(labels, "meetings") for problem in _check_meeting(path, meeting)),
        *(problem for path, stance in _records(labels, "stances") for problem in _check_stance(path, stance, labels)),
        *_check_evidence(labels, text),
        *_check_countries(labels),
    ]


def as_extraction(labels: Labels, text: str) -> Extraction:
    """Convert labels to the extraction that they describe, which scores 1 on everything.

    Raises:
        LabelError: a quote is not in the text.
    """
    problems = [problem for problem in _check_evidence(labels, text) if "not in the article" in problem]
    if problems:
        raise LabelError(labels.document_id, problems)
    return Extraction(
        document_id=labels.document_id,
        text_sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
        language=labels.language,
        published_at=labels.published_at,
        meetings=tuple(Meeting.model_validate(_with_offsets(meeting, text)) for meeting in labels.meetings),
        stances=tuple(Stance.model_validate(_with_offsets(stance, text)) for stance in labels.stances),
        provenance=Provenance(),
    )


def _with_offsets(record: LabelledMeeting | LabelledStance, text: str) -> dict[str, Any]:
    """Return a label's fields with the offsets of its evidence; a record ignores the fields that only labels have."""
    starts = [text.index(piece.quote) for piece in record.evidence]
    spans = [
        {"quote": piece.quote, "start": start, "end": start + len(piece.quote), "match": "exact"}
        for piece, start in zip(record.evidence, starts, strict=True)
    ]
    return {**record.model_dump(), "evidence": spans}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that occurs twice in an object, of which JSON would keep the last."""
    counts = Counter(key for key, _value in pairs)
    if twice := sorted(key for key, count in counts.items() if count > 1):
        raise ValueError(f"key {twice[0]!r} stands twice in one object: keep one")
    return dict(pairs)


def _problems(error: ValidationError) -> list[str]:
    """Return one line a problem; a list is not reported as too short if a problem inside it is reported."""
    parts = error.errors()
    inside = {part["loc"][:size] for part in parts for size in range(len(part["loc"]))}
    return [_problem(part) for part in parts if part["type"] != "too_short" or part["loc"] not in inside]


def _problem(part: Any) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in part["loc"])
    value, wanted = part["input"], part.get("ctx", {})
    shown = f", got {value!r}" if isinstance(value, str | int | float | None) else ""
    match part["type"]:
        case "literal_error":
            said = f"choose {wanted['expected']}" + ("" if CHOICE in str(value) else shown)
        case "too_short":
            said = f"at least {wanted['min_length']} needed, got {wanted['actual_length']}"
        case "missing":
            said = "is missing"
        case "extra_forbidden":
            said = "no field of this name: correct it, or remove it"
        case _:
            said = part["msg"] + shown
    return f"${steps}: {said}"


def _records(labels: Labels, task: str) -> Iterator[tuple[str, Any]]:
    for index, record in enumerate(getattr(labels, task)):
        yield f"$.{task}[{index}]", record


def _actors(labels: Labels) -> Iterator[tuple[str, LabelledActor]]:
    for path, meeting in _records(labels, "meetings"):
        for index, actor in enumerate(meeting.participants):
            yield f"{path}.participants[{index}]", actor
    for path, stance in _records(labels, "stances"):
        for index, actor in enumerate(stance.holders):
            yield f"{path}.holders[{index}]", actor
        if stance.target.actor:
            yield f"{path}.target.actor", stance.target.actor


def _check_id(id_: str, stem: str | None) -> Iterator[str]:
    if stem is not None and id_ != stem:
        yield f"$.document_id: {id_!r} is not the file's name {stem!r}: rename one of them"


def _check_ids(task: str, prefix: str, ids: list[str]) -> Iterator[str]:
    """Check that ids count from one in the order of the list."""
    for index, id_ in enumerate(ids):
        if id_ != f"{prefix}{index + 1}":
            yield f"$.{task}[{index}].id: must be '{prefix}{index + 1}', got {id_!r}"


def _check_meeting(path: str, meeting: LabelledMeeting) -> Iterator[str]:
    try:
        parties.check(meeting.status, meeting.kind, len(meeting.participants))
    except ValueError as error:
        yield f"{path}.{error}"
    if all(actor.capacity != "principal" for actor in meeting.participants):
        yield f"{path}.participants: none is a principal, and only principals say which meeting it is"
    if meeting.date:
        values = {"value": meeting.date.value}
        values |= {f"accept[{index}]": value for index, value in enumerate(meeting.date.accept)}
        yield from (
            f"{path}.date.{field}: {value!r} is no EDTF date, such as 2020-07-20 or XXXX-07-20"
            for field, value in values.items()
            if value is not None and edtf.parse(value) is None
        )


def _check_stance(path: str, stance: LabelledStance, labels: Labels) -> Iterator[str]:
    if stance.meeting is not None and stance.meeting not in {meeting.id for meeting in labels.meetings}:
        yield f"{path}.meeting: {stance.meeting!r} is no meeting of this file"
    words = len(stance.proposition.split())
    if words > MAX_PROPOSITION_WORDS:
        yield f"{path}.proposition: at most {MAX_PROPOSITION_WORDS} words, got {words}"


def _check_evidence(labels: Labels, text: str) -> Iterator[str]:
    kinds: dict[str, type[Record]] = {"meetings": Meeting, "stances": Stance}
    for task, kind in kinds.items():
        for path, record in _records(labels, task):
            if not 1 <= len(record.evidence) <= kind.most_evidence:
                yield f"{path}.evidence: 1 to {kind.most_evidence} pieces, got {len(record.evidence)}"
            for index, piece in enumerate(record.evidence):
                yield from _check_quote(f"{path}.evidence[{index}].quote", piece.quote, text)


def _check_quote(path: str, quote: str, text: str) -> Iterator[str]:
    """Check that a quote is verbatim, and not too long; a message shows where it first differs from the article."""
    if quote not in text:
        length = bisect_left(range(1, len(quote) + 1), x=True, key=lambda size: quote[:size] not in text)
        agreeing, differing = quote[max(0, length - 20) : length], quote[length : length + 10]
        yield f"{path}: not in the article letter by letter: agrees up to {agreeing!r}, then has {differing!r}"
    if len(quote) > MAX_QUOTE:
        yield f"{path}: at most {MAX_QUOTE} characters, got {len(quote)}: quote the clause that says it"


def _check_countries(labels: Labels) -> Iterator[str]:
    stated = [(f"{path}.country", actor.country) for path, actor in _actors(labels)]
    for path, meeting in _records(labels, "meetings"):
        spots = [("place", meeting.place)] if meeting.place else []
        if meeting.place:
            spots += [(f"place.accept[{index}]", spot) for index, spot in enumerate(meeting.place.accept) if spot]
        stated += [(f"{path}.{field}.country", spot.country) for field, spot in spots]
    for path, country in stated:
        if country is not None and country not in _countries():
            yield f"{path}: {country!r} is no country of ISO 3166-1 (two letters), nor EU or UN"


@cache
def _countries() -> frozenset[str]:
    import pycountry  # read from disk on import

    return frozenset(country.alpha_2 for country in pycountry.countries) | BEYOND_ISO
