"""Records: what a user gets. Words are the article's; offsets, dates and codes are resolved and derived by code."""

import datetime as dt
from collections.abc import Mapping
from importlib import import_module  # of what stands above the schemas, looked up when it is asked for
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, computed_field, model_validator

from mahdar.schemas import codes, parties
from mahdar.schemas.enums import (
    Act,
    ActorType,
    Capacity,
    Channel,
    DateFlag,
    DateResolution,
    EvidenceMatch,
    Format,
    HolderMode,
    MeetingKind,
    OutcomeType,
    Polarity,
    Speech,
    Status,
    TopicCode,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_QUOTE: Final = 400
"""Characters in one piece of evidence (contract)."""
CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2, or EU, UN."""


class Value(BaseModel):
    """A frozen part of a record. Fields it does not know (codes derived again on reading) are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Evidence(Value):
    """A verbatim piece of the article: `text[start:end] == quote`, offsets in code points."""

    quote: Annotated[str, Field(min_length=1, max_length=MAX_QUOTE)]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    match: EvidenceMatch


class Date(Value):
    """A date as the article puts it, and its EDTF value (ISO 8601-2) where it can be known."""

    text: str | None = None
    value: str | None = None
    resolution: DateResolution = "unresolved"
    flags: tuple[DateFlag, ...] = ()


class Place(Value):
    """Where: venue and city as written, country as a code; each None where the article is silent."""

    venue: str | None = None
    city: str | None = None
    country: CountryCode | None = None


class Actor(Value):
    """One who meets or holds a position, by the fullest form of the name in the article."""

    name: str
    type: ActorType
    role: str | None = None
    organization: str | None = None
    country: CountryCode | None = None


class Participant(Actor):
    """An actor in a meeting, and in what capacity."""

    capacity: Capacity = "principal"


class Topic(Value):
    """What was discussed: the article's phrase and its code."""

    text: str
    code: TopicCode


class Outcome(Value):
    """What was agreed, signed or decided."""

    text: str
    type: OutcomeType


class Target(Value):
    """What a stance is about; `actor` where that is somebody."""

    text: str
    actor: Actor | None = None


class Record(Value):
    """A thing the article says, with the words that say it. Every task's records derive from this."""

    id_prefix: ClassVar[str] = "r"
    most_evidence: ClassVar[int] = 4

    id: str
    attribution: tuple[str, ...] = ()
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1, max_length=4)]

    @property
    def position(self) -> int:
        """Offset of the first evidence: the order of mention."""
        return min(piece.start for piece in self.evidence)

    def same_as(self, other: Self) -> bool:
        """Whether both tell the same thing, so that only one of them is kept."""
        return self.model_copy(update={"id": other.id}) == other

    def joined(self, other: Self) -> Self:
        """This record with the evidence of its double, and with what only the double knows."""
        quotes = {piece.start: piece for piece in (*other.evidence, *self.evidence)}
        known = {name: _both(getattr(self, name), getattr(other, name)) for name in type(self).model_fields}
        evidence = tuple(quotes[start] for start in sorted(quotes))[: self.most_evidence]
        return self.model_copy(update={**known, "evidence": evidence})

    def renumbered(self, number: int) -> Self:
        """The same record under its number in the order of mention."""
        return self.model_copy(update={"id": f"{self.id_prefix}{number}"})


def _both(mine: Any, others: Any) -> Any:
    """What two records know: of a list the members of both, else what the first has, or the other where it has none."""
    if not isinstance(mine, tuple):
        return mine or others
    members = {_key(one): one for one in (*others, *mine)}
    return tuple(members[key] for key in dict.fromkeys(map(_key, (*mine, *others))))


def _key(member: Any) -> str:
    """What a member of a list is told apart by: an actor's name, the words of a topic."""
    return str(getattr(member, "name", None) or getattr(member, "text", member))


class Meeting(Record):
    """An encounter of two or more parties, or one planned, proposed, postponed, cancelled or denied."""

    id_prefix: ClassVar[str] = "m"

    kind: MeetingKind
    channel: Channel
    status: Status
    participants: tuple[Participant, ...]
    date: Date | None = None
    place: Place | None = None
    topics: tuple[Topic, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    @model_validator(mode="after")
    def _two_met(self) -> Self:
        parties.check(self.status, self.kind, len(self.participants))
        return self

    def same_as(self, other: Self) -> bool:
        """Contract: one meeting per set of principals and kind; the same parties on another day met again."""
        days = {one.date.value for one in (self, other) if one.date is not None} - {None}
        return self._identity == other._identity and len(days) < 2

    @property
    def _identity(self) -> tuple[object, ...]:
        apart = self.kind if self.kind in {"press_conference", "signing", "session"} else "met"
        met = frozenset(actor.name for actor in self.principals or self.participants)
        return apart, self.channel == "phone", self.status, met

    @property
    def principals(self) -> tuple[Participant, ...]:
        """Those who met; they alone define which meeting it is."""
        return tuple(actor for actor in self.participants if actor.capacity == "principal")

    @computed_field  # type: ignore[prop-decorator]  # pydantic documents this order; mypy does not follow it
    @property
    def format(self) -> Format | None:
        """By the number of countries that the principals represent."""
        return codes.meeting_format(tuple(actor.country for actor in self.principals))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cameo(self) -> str | None:
        """CAMEO event code."""
        return codes.meeting_cameo(
            self.kind, self.channel, self.status, third_place=self._in_third_place, mediated=self._mediated
        )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def plover(self) -> str | None:
        """PLOVER event type, with its mode after a dash."""
        return codes.meeting_plover(self.kind, self.channel, self.status, self.format, mediated=self._mediated)

    @property
    def _mediated(self) -> bool:
        return any(actor.capacity == "mediator" for actor in self.participants)

    @property
    def _in_third_place(self) -> bool:
        countries = {actor.country for actor in self.principals}
        known = self.channel == "in_person" and None not in countries and len(countries) > 1
        return known and self.place is not None and self.place.country not in {None, *countries}


class Stance(Record):
    """A position: one holder set, one target, one act."""

    id_prefix: ClassVar[str] = "s"
    most_evidence: ClassVar[int] = 3

    meeting: str | None = None
    holders: Annotated[tuple[Actor, ...], Field(min_length=1)]
    holder_mode: HolderMode
    on_behalf_of: str | None = None
    target: Target
    addressee: str | None = None
    polarity: Polarity
    act: Act
    proposition: str
    speech: Speech

    def same_as(self, other: Self) -> bool:
        """Contract: one holder set, one target, one act."""
        return self._identity == other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        return frozenset(actor.name for actor in self.holders), self.act, self.polarity, self.target.text

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cameo(self) -> str | None:
        """CAMEO event code."""
        return codes.stance_cameo(self.act, self.polarity)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def plover(self) -> str | None:
        """PLOVER event type, with its mode after a dash."""
        return codes.stance_plover(self.act, self.polarity)


class Rejected(Value):
    """A drafted item that did not survive, as the model gave it, and why."""

    task: str
    path: str
    reason: str
    item: Any = None


class Provenance(Value):
    """How an extraction came about: enough to repeat it and to pay for it."""

    made_by: dict[str, str] = {}
    """task → who made its records: a model, or the rule reader and its version"""
    prompts: dict[str, str] = {}
    """task → `template@version sha256:…` of the template and its examples, where a model was asked"""
    schemas: dict[str, str] = {}
    """task → content hash of the JSON Schema that was sent, where a model was asked"""
    fingerprints: tuple[str, ...] = ()
    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    """US dollars; None where the price is not known"""
    cached: bool = False
    seconds: float = 0.0
    valid_at_first: bool = True


class Extraction(Value):
    """All that one article says, and how it was found."""

    document_id: str
    text_sha256: str
    language: str | None = None
    published_at: dt.date | None = None
    kept: dict[str, str] = {}
    """fields of the input that the caller asked to keep: url, title, outlet, …"""
    meetings: tuple[Meeting, ...] = ()
    stances: tuple[Stance, ...] = ()
    more: dict[str, tuple[SerializeAsAny[Record], ...]] = {}
    """records of further tasks, by the task's name"""
    rejected: tuple[Rejected, ...] = ()
    provenance: Provenance

    @property
    def records(self) -> Mapping[str, tuple[Record, ...]]:
        """Every task's records, by the task's name."""
        return {"meetings": self.meetings, "stances": self.stances, **self.more}

    def to_pandas(self) -> "dict[str, pd.DataFrame]":
        """The tables of `mahdar export` as pandas frames, by name.

        Raises:
            UsageError: the extra `files`, or pandas, is not installed.
        """
        return import_module("mahdar.tables.reading").frames([self])  # type: ignore[no-any-return]

    def beside(self, text: str) -> Any:
        """An object that shows the extraction in a notebook beside its article, with its words marked.

        Args:
            text: the article that was extracted; another one is not shown.
        """
        return import_module("mahdar.notebook").Beside(self, text)

    def _repr_html_(self) -> str:
        """Show the records in a notebook, each with its quotes."""
        return str(import_module("mahdar.notebook").html_of(self))
