"""Drafts: what a model fills. Every text is copied from the article; the descriptions go into the request.

Order matters: a model decides the fields of an object in this order, so that evidence and names come first and the
closed lists, which need the most context, come last.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas import parties
from schemas.enums import (
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
from schemas.json_schema import strict
from schemas.records import Meeting, Record, Stance

MAX_QUOTE = 400
"""Characters in one piece of evidence (contract)."""
MAX_PROPOSITION_WORDS = 30

_SILENT = {"", "null", "none", "n/a", "na", "unknown", "unspecified", "غير محدد", "غير معروف", "غير مذكور", "لا يوجد"}
"""What models write where the article is silent; the contract's word for that is null."""


def _spoken(value: Any) -> Any:
    """Turn a filler into None, and trim a text."""
    if not isinstance(value, str):
        return value
    return None if value.strip().casefold() in _SILENT else value.strip()


def _listed(value: Any) -> Any:
    """Accept one value, or null, where a list is asked for: `"x"` → `["x"]`."""
    if value is None:
        return []
    if isinstance(value, str | dict):
        return [value] if _spoken(value) else []
    return [one for one in value if _spoken(one) is not None] if isinstance(value, list) else value


def _coded(value: Any) -> Any:
    """Accept `"In person"` for `in_person`: the same value in another dress."""
    return re.sub(r"[\s-]+", "_", value.strip().casefold()) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Marks a text that must stand in the article as it is."""


@dataclass(frozen=True, slots=True)
class Worded:
    """Marks a text in the model's words, which must be the article's words for the most part."""


MaybeText = Annotated[str | None, Verbatim(), BeforeValidator(_spoken)]
Phrase = Annotated[str, Field(min_length=1), Verbatim()]
Clause = Annotated[str, Field(min_length=1), Worded()]
Quote = Annotated[str, Field(min_length=1, max_length=MAX_QUOTE)]


class Draft(BaseModel):
    """A frozen object a model filled; unknown fields are dropped, since a model may add its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ActorDraft(Draft):
    """One who meets or holds a position."""

    name: Annotated[Phrase, Field(description="fullest name in the article, copied; a role only if never named")]
    type: Annotated[ActorType, BeforeValidator(_coded), Field(description="what the name denotes")] = "person"
    role: Annotated[MaybeText, Field(description="office as written")] = None
    organization: Annotated[MaybeText, Field(description="body represented, as written")] = None
    country: Annotated[MaybeText, Field(description="country represented, as written")] = None


class ParticipantDraft(ActorDraft):
    """An actor in a meeting."""

    capacity: Annotated[
        Capacity,
        BeforeValidator(_coded),
        Field(description="principal: one who met; member: of a delegation; attendee: «بحضور»"),
    ] = "principal"


class PlaceDraft(Draft):
    """Where it took place."""

    venue: Annotated[MaybeText, Field(description="building, as written")] = None
    city: Annotated[MaybeText, Field(description="as written")] = None
    country: Annotated[MaybeText, Field(description="as written")] = None


class DateDraft(Draft):
    """When: the words only; code computes the value."""

    text: Annotated[MaybeText, Field(description="as written")] = None


class TopicDraft(Draft):
    """One thing discussed."""

    text: Annotated[Phrase, Field(description="phrase copied from the article")]
    code: Annotated[TopicCode, BeforeValidator(_coded)] = "other"


class OutcomeDraft(Draft):
    """One thing agreed, signed or decided."""

    text: Annotated[Phrase, Field(description="phrase copied from the article")]
    type: Annotated[OutcomeType, BeforeValidator(_coded)] = "other"


class TargetDraft(Draft):
    """What a stance is about."""

    text: Annotated[Clause, Field(description="phrase copied from the article")]
    actor: Annotated[ActorDraft | None, Field(description="when the target is somebody")] = None


class ItemDraft(Draft):
    """One record to be: evidence first, so that all else is read from it."""

    evidence: Annotated[
        tuple[Quote, ...],
        Field(min_length=1, max_length=4, description="sentences copied letter by letter"),
        BeforeValidator(_listed),
    ]
    attribution: Annotated[
        tuple[Phrase, ...],
        Field(max_length=3, description="who reports it, outermost first; empty when the outlet itself"),
        BeforeValidator(_listed),
    ] = ()


class MeetingDraft(ItemDraft):
    """An encounter of two or more parties, held, planned or cancelled."""

    participants: Annotated[
        tuple[ParticipantDraft, ...], Field(max_length=12, description="all who met"), BeforeValidator(_listed)
    ]
    date: Annotated[DateDraft | None, Field(description="of this meeting")] = None
    place: Annotated[PlaceDraft | None, Field(description="of this meeting")] = None
    topics: Annotated[
        tuple[TopicDraft, ...], Field(max_length=6, description="what was discussed"), BeforeValidator(_listed)
    ] = ()
    outcomes: Annotated[
        tuple[OutcomeDraft, ...], Field(max_length=6, description="what was agreed or signed"), BeforeValidator(_listed)
    ] = ()
    status: Annotated[Status, BeforeValidator(_coded)] = "held"
    channel: Annotated[Channel, BeforeValidator(_coded)] = "unspecified"
    kind: Annotated[MeetingKind, BeforeValidator(_coded), Field(description="talks unless the article says else")] = (
        "talks"
    )

    @model_validator(mode="after")
    def _two_met(self) -> "MeetingDraft":
        parties.check(self.status, self.kind, len(self.participants))
        return self


class StanceDraft(ItemDraft):
    """A position: one holder set, one target, one act."""

    holders: Annotated[
        tuple[ActorDraft, ...],
        Field(min_length=1, max_length=6, description="who holds it, not who reports it"),
        BeforeValidator(_listed),
    ]
    holder_mode: Annotated[HolderMode, BeforeValidator(_coded)] = "individual"
    on_behalf_of: Annotated[MaybeText, Field(description="people spoken for, as written")] = None
    act: Annotated[Act, BeforeValidator(_coded), Field(description="what the holder does")]
    target: Annotated[TargetDraft, Field(description="what the polarity applies to")]
    polarity: Annotated[Polarity, BeforeValidator(_coded), Field(description="toward the target")]
    addressee: Annotated[MaybeText, Field(description="to whom a call or demand is directed")] = None
    proposition: Annotated[Clause, Field(description="self-contained clause in the article's language")]
    speech: Annotated[Speech, BeforeValidator(_coded)] = "indirect"

    @model_validator(mode="after")
    def _short(self) -> "StanceDraft":
        words = len(self.proposition.split())
        if words > MAX_PROPOSITION_WORDS:
            raise ValueError(f"proposition: at most {MAX_PROPOSITION_WORDS} words, got {words}")
        return self


class Drafts(Draft):
    """All that one task finds in one article: an object with one list.

    A subclass names its task and its record, and is found by that name from then on:

    >>> class AgreementDrafts(Drafts, task="agreements", record=Agreement):
    ...     agreements: tuple[AgreementDraft, ...]
    """

    task: ClassVar[str]
    record: ClassVar[type[Record]]
    _strict_schema: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, *, task: str, record: type[Record], **kwargs: Any) -> None:
        """Register the task."""
        super().__init_subclass__(**kwargs)
        cls.task, cls.record = task, record
        DRAFTS[task] = cls

    @classmethod
    def model_json_schema(cls, *arguments: Any, **named: Any) -> dict[str, Any]:
        """The strict JSON Schema, built once a class: instructor would build it again for every call."""
        if "_strict_schema" not in cls.__dict__:
            cls._strict_schema = strict(super().model_json_schema(*arguments, **named))
        return cls._strict_schema


DRAFTS: dict[str, type[Drafts]] = {}
"""task → what a model fills for it"""


class MeetingDrafts(Drafts, task="meetings", record=Meeting):
    """The meetings of one article."""

    meetings: Annotated[tuple[MeetingDraft, ...], Field(max_length=12), BeforeValidator(_listed)]


class StanceDrafts(Drafts, task="stances", record=Stance):
    """The stances of one article."""

    stances: Annotated[tuple[StanceDraft, ...], Field(max_length=24), BeforeValidator(_listed)]
