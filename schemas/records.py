"""Records: what a user gets. Words are the article's; offsets, dates and codes are computed."""

import datetime as dt
from collections.abc import Mapping
from importlib import import_module  # for modules above the schemas, imported on demand
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
    """A frozen part of a record. Unknown fields, such as codes that are computed again, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Evidence(Value):
    """A verbatim piece of the article: `text[start:end] == quote`, with offsets in code points."""

    quote: Annotated[str, Field(min_length=1, max_length=MAX_QUOTE)]
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    match: EvidenceMatch


class Date(Value):
    """A date in the article's words, and its EDTF value (ISO 8601-2), None if it cannot be determined."""

    text: str | None = None
    value: str | None = None
    resolution: DateResolution = "unresolved"
    flags: tuple[DateFlag, ...] = ()


class Place(Value):
    """A place: venue and city as written, country as a code; None for what the article does not state."""

    venue: str | None = None
    city: str | None = None
    country: CountryCode | None = None


class Actor(Value):
    """An actor who meets others or holds a position, under the fullest form of the name in the article."""

    name: str
    type: ActorType
    role: str | None = None
    organization: str | None = None
    country: CountryCode | None = None


class Participant(Actor):
    """An actor in a meeting, with the capacity."""

    capacity: Capacity = "principal"


class Topic(Value):
    """A topic of a meeting: the article's phrase and its code."""

    text: str
    code: TopicCode


class Outcome(Value):
    """An outcome of a meeting: agreed, signed or decided."""

    text: str
    type: OutcomeType


class Target(Value):
    """The target of a stance; `actor` is None if the target is not an actor."""

    text: str
    actor: Actor | None = None


class Record(Value):
    """A record with its evidence. The record class of every task derives from this."""

    id_prefix: ClassVar[str] = "r"
    most_evidence: ClassVar[int] = 4

    id: str
    attribution: tuple[str, ...] = ()
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1, max_length=4)]

    @property
    def position(self) -> int:
        """Offset of the first evidence in code points, by which records are numbered."""
        return min(piece.start for piece in self.evidence)

    def same_as(self, other: Self) -> bool:
        """Whether both records report the same thing, so that they are merged."""
        return self.model_copy(update={"id": other.id}) == other

    def joined(self, other: Self) -> Self:
        """Add the evidence of a record that reports the same thing, and what only that record states."""
        quotes = {piece.start: piece for piece in (*other.evidence, *self.evidence)}
        fields = {name: _combined(getattr(self, name), getattr(other, name)) for name in type(self).model_fields}
        evidence = tuple(quotes[start] for start in sorted(quotes))[: self.most_evidence]
        return self.model_copy(update={**fields, "evidence": evidence})

    def renumbered(self, number: int) -> Self:
        """Return the record with the id of its number in the order of mention."""
        return self.model_copy(update={"id": f"{self.id_prefix}{number}"})


def _combined(first: Any, second: Any) -> Any:
    """Combine a field of two records: the members of both lists, else the first value, or the second if it is empty."""
    if not isinstance(first, tuple):
        return first or second

    def key(member: Any) -> str:  # an actor's name, the words of a topic
        return str(getattr(member, "name", None) or getattr(member, "text", member))

    members = {key(member): member for member in (*second, *first)}
    return tuple(members[each] for each in dict.fromkeys(map(key, (*first, *second))))


class Meeting(Record):
    """A meeting of two or more parties, held, planned, proposed, postponed, cancelled or denied."""

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
    def _check_parties(self) -> Self:
        parties.check(self.status, self.kind, len(self.participants))
        return self

    def same_as(self, other: Self) -> bool:
        """Whether both have the same principals and kind (contract); on different days they are two meetings."""
        days = {meeting.date.value for meeting in (self, other) if meeting.date is not None} - {None}
        return self._identity == other._identity and len(days) < 2

    @property
    def _identity(self) -> tuple[object, ...]:
        kind = self.kind if self.kind in {"press_conference", "signing", "session"} else "met"
        names = frozenset(actor.name for actor in self.principals or self.participants)
        return kind, self.channel == "phone", self.status, names

    @property
    def principals(self) -> tuple[Participant, ...]:
        """The participants who met; they alone identify the meeting."""
        return tuple(actor for actor in self.participants if actor.capacity == "principal")

    @computed_field  # type: ignore[prop-decorator]  # the order that pydantic documents, and mypy does not know
    @property
    def format(self) -> Format | None:
        """Format by the number of countries that the principals represent; None if one is unknown."""
        return codes.meeting_format(tuple(actor.country for actor in self.principals))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cameo(self) -> str | None:
        """CAMEO event code; None for no code."""
        return codes.meeting_cameo(
            self.kind, self.channel, self.status, third_place=self._in_third_place, mediated=self._mediated
        )

    @computed_field  # type: ignore[prop-decorator]
    @property
    def plover(self) -> str | None:
        """PLOVER event type, with its mode after a dash; None for no type."""
        return codes.meeting_plover(self.kind, self.channel, self.status, self.format, mediated=self._mediated)

    @property
    def _mediated(self) -> bool:
        return any(actor.capacity == "mediator" for actor in self.participants)

    @property
    def _in_third_place(self) -> bool:
        countries = {actor.country for actor in self.principals}
        if self.channel != "in_person" or None in countries or len(countries) < 2 or self.place is None:
            return False
        return self.place.country not in {None, *countries}


class Stance(Record):
    """A stance: one set of holders, one target, one act."""

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
        """Whether both have the same holders, target, act and polarity (contract)."""
        return self._identity == other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        return frozenset(actor.name for actor in self.holders), self.act, self.polarity, self.target.text

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cameo(self) -> str | None:
        """CAMEO event code; None for no code."""
        return codes.stance_cameo(self.act, self.polarity)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def plover(self) -> str | None:
        """PLOVER event type, with its mode after a dash; None for no type."""
        return codes.stance_plover(self.act, self.polarity)


class Rejected(Value):
    """A drafted item that was left out, as the model wrote it, and the reason."""

    task: str
    path: str
    reason: str
    item: Any = None


class Provenance(Value):
    """How an extraction was made: what is needed to repeat it, and what it cost.

    Attributes:
        made_by: task → maker of its records: a model, or the rule reader and its version.
        prompts: task → `template@version sha256:…` of the template and its examples, if a model was asked.
        schemas: task → hash of the JSON Schema that was sent, if a model was asked.
        fingerprints: fingerprints of the requests.
        calls: calls that brought an answer.
        attempts: calls made, failed ones included.
        reasks: answers that the model was asked to correct.
        tokens_in: input tokens of the calls.
        tokens_out: output tokens of the calls.
        cost: US dollars; None if the price is not known.
        cached: whether all answers came from the cache.
        seconds: duration of the drafting.
        valid_at_first: whether the first answers were valid.
    """

    made_by: dict[str, str] = {}
    prompts: dict[str, str] = {}
    schemas: dict[str, str] = {}
    fingerprints: tuple[str, ...] = ()
    calls: int = 0
    attempts: int = 0
    reasks: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    cached: bool = False
    seconds: float = 0.0
    valid_at_first: bool = True


class Extraction(Value):
    """The records of one article, and how they were made.

    Attributes:
        document_id: the document's id.
        text_sha256: SHA-256 of the UTF-8 text that all offsets refer to.
        language: a BCP 47 code, given or detected; None if unknown.
        published_at: the day of publication, as given; None if unknown.
        kept: input fields that the caller asked to keep: url, title, outlet, ….
        meetings: the meetings, in the order of mention.
        stances: the stances, in the order of mention.
        more: records of further tasks by the task's name.
        rejected: drafted items that were left out.
        provenance: how the extraction was made.
    """

    document_id: str
    text_sha256: str
    language: str | None = None
    published_at: dt.date | None = None
    kept: dict[str, str] = {}
    meetings: tuple[Meeting, ...] = ()
    stances: tuple[Stance, ...] = ()
    more: dict[str, tuple[SerializeAsAny[Record], ...]] = {}
    rejected: tuple[Rejected, ...] = ()
    provenance: Provenance

    @property
    def records(self) -> Mapping[str, tuple[Record, ...]]:
        """The records of every task by the task's name."""
        return {"meetings": self.meetings, "stances": self.stances, **self.more}

    def to_pandas(self) -> "dict[str, pd.DataFrame]":
        """Return the tables of `mahdar export` as pandas frames by name.

        Raises:
            UsageError: the extra `files`, or pandas, is not installed.
        """
        return import_module("mahdar.tables.reading").frames([self])  # type: ignore[no-any-return]

    def beside(self, text: str) -> Any:
        """Return an object that a notebook shows as the article with the evidence marked, and the records.

        Args:
            text: the article that was extracted; another text is not shown.
        """
        return import_module("mahdar.notebook").ExtractionWithArticle(self, text)

    def _repr_html_(self) -> str:
        """Return the records as HTML for a notebook, each with its quotes."""
        return str(import_module("mahdar.notebook").render(self))
