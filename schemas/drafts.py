"""Drafts: the objects that a drafter fills. Texts are copied from the article; code adds offsets, dates and codes.

An actor is written once, in a list of actors, and referred to by its id. Evidence is cited by the numbers of the
article's sentences or, in a task that derives from `QuotedDraft`, as quotes. If pydantic's validation context has an
`article`, the validators check a draft against it.

A model writes the fields of an object in this order: evidence and names come first, closed lists, which need the most
context, last.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Protocol, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from mahdar.schemas import parties
from mahdar.schemas.enums import (
    Act,
    ActorType,
    Channel,
    HolderMode,
    MeetingKind,
    OutcomeType,
    Polarity,
    Speech,
    Status,
    TopicCode,
)
from mahdar.schemas.records import Meeting, Record, Stance

MAX_EVIDENCE: Final = 4
MAX_PROPOSITION_WORDS: Final = 60
"""A longer proposition is cut, if possible after a clause; the prompt asks for fewer."""
MAX_RECORDS: Final = 200
"""Records of one task in one answer; a limit for endless repetition, not for long articles."""
MAX_TEXT: Final = 600
"""Characters of a name, a phrase or a clause."""

_SILENT = {"", "null", "none", "n/a", "na", "unknown", "unspecified", "غير محدد", "غير معروف", "غير مذكور", "لا يوجد"}
"""Fillers that models write for what the article does not state; the contract has null for it."""


class Article(Protocol):
    """The article that validators check drafts against; see `mahdar.validation.source.Source`."""

    @property
    def numbers(self) -> range:
        """The numbers of the sentences that the model was shown."""

    def has_name(self, name: str) -> bool:
        """Whether the article has a name, in any grammatical form."""

    def has_phrase(self, words: str) -> bool:
        """Whether the article has a phrase, apart from clitics and spelling conventions."""

    def supports(self, clause: str, names: Iterable[str]) -> bool:
        """Whether a clause consists of words of neighbouring sentences, in any inflection, and of these names."""

    def why_not(self, quote: str) -> str | None:
        """Return why a quote is not evidence; None if it is."""

    def bearing(self, numbers: Iterable[int], names: Iterable[str], texts: Iterable[str]) -> Collection[int]:
        """Return those of the numbered sentences that share words with a record of these names and texts."""


def article_of(info: ValidationInfo) -> Article | None:
    """Return the article that a draft is checked against; None if the context has none."""
    return info.context.get("article") if info.context is not None else None


def is_silent(value: Any) -> bool:
    """Whether a value is null, or a filler that models write in its place."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _SILENT)


def _without_filler(value: Any) -> Any:
    """Replace a filler by None, and trim a text."""
    if is_silent(value):
        return None
    return value.strip() if isinstance(value, str) else value


def _as_code(value: Any) -> Any:
    """Accept `"In person"` for `in_person`."""
    return re.sub(r"[\s-]+", "_", value.strip().casefold()) if isinstance(value, str) else value


def _check_name(value: str | None, info: ValidationInfo) -> str | None:
    article = article_of(info)
    if article is not None and value is not None and not article.has_name(value):
        raise PydanticCustomError("absent", "is not in the article; copy it letter by letter")
    return value


def _check_phrase(value: str | None, info: ValidationInfo) -> str | None:
    article = article_of(info)
    if article is not None and value is not None and not article.has_phrase(value):
        raise PydanticCustomError("absent", "is not in the article; copy it letter by letter, or write null")
    return value


def _check_clause(value: str, info: ValidationInfo) -> str:
    article = article_of(info)
    if article is not None and not article.supports(value, (_listed_actors(info) or {}).values()):
        raise PydanticCustomError("unsupported", "says what the article does not; use the article's words")
    return value


def _check_quote(value: str, info: ValidationInfo) -> str:
    article = article_of(info)
    reason = article.why_not(value) if article is not None else None
    if reason is not None:
        raise PydanticCustomError("quote", "is no quote of the article: {reason}", {"reason": reason})
    return value


def _listed_actors(info: ValidationInfo) -> Mapping[str, str] | None:
    """Return the id and name of each actor in the answer's list; None if the context has no list."""
    return info.context.get("actors") if info.context is not None else None


def _actor_id(value: str, info: ValidationInfo) -> str:
    """Accept an actor's id or exact name; return the id."""
    known = _listed_actors(info)
    if known is None or value in known:
        return value
    for id_, name in known.items():
        if name == value:
            return id_
    raise PydanticCustomError("actor", "is no id of the list of actors")


def _as_name(value: Any, info: ValidationInfo) -> Any:
    """Accept an actor's id for its name; return the name."""
    value = _without_filler(value)
    return (_listed_actors(info) or {}).get(value, value) if isinstance(value, str) else value


def _check_number(value: int, info: ValidationInfo) -> int:
    article = article_of(info)
    if article is not None and value not in article.numbers:
        bounds = {"first": article.numbers.start, "last": article.numbers.stop - 1}
        raise PydanticCustomError(
            "sentence", "is no sentence of the article; they are numbered from {first} to {last}", bounds
        )
    return value


def _shortened(value: Any) -> Any:
    """Cut a proposition that is too long, after its last clause if it has several."""
    if not isinstance(value, str) or len(words := value.split()) <= MAX_PROPOSITION_WORDS:
        return value
    kept = " ".join(words[:MAX_PROPOSITION_WORDS])
    clauses = re.split(r"[،؛,;]\s", kept)
    return kept[: -len(clauses[-1])].rstrip(" ،؛,;") if len(clauses) > 1 else kept


class Verbatim:
    """Marks a text that the article has verbatim."""


class Worded:
    """Marks a text in the drafter's words, most of which are the article's."""


class Dated:
    """Marks the words of a date, which code resolves to a value."""


class Cited:
    """Marks the id of an actor in the list of actors."""


Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Verbatim(), AfterValidator(_check_name)]
Phrase = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Verbatim(), AfterValidator(_check_phrase)]
MaybeText = Annotated[
    Annotated[str, Field(max_length=MAX_TEXT)] | None,
    Verbatim(),
    BeforeValidator(_without_filler),
    AfterValidator(_check_phrase),
]
"""A text that the article has verbatim: a date, a building; None if it has none."""
DateText = Annotated[MaybeText, Dated()]
MaybeName = Annotated[
    Annotated[str, Field(max_length=MAX_TEXT)] | None,
    Verbatim(),
    BeforeValidator(_as_name),
    AfterValidator(_check_name),
]
"""A text that the article has in any grammatical form: an office, a body, an addressee; None if it has none."""
Clause = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Worded(), AfterValidator(_check_clause)]
Quote = Annotated[str, Field(min_length=1), AfterValidator(_check_quote)]
ActorId = Annotated[str, Cited(), AfterValidator(_actor_id)]
Number = Annotated[int, AfterValidator(_check_number)]
Attribution = Annotated[Name, BeforeValidator(_as_name)]
Attributions = Annotated[tuple[Attribution, ...], Field(max_length=3)]


class Draft(BaseModel):
    """A frozen object that a drafter filled; unknown fields, which a model may add, are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ActorDraft(Draft):
    """An actor who meets others or holds a position."""

    name: Name
    type: Annotated[ActorType, BeforeValidator(_as_code)] = "person"
    role: MaybeName = None
    organization: MaybeName = None
    country: Annotated[str | None, BeforeValidator(_without_filler)] = None


def _id_first(schema: dict[str, Any]) -> None:
    schema["properties"] = {"id": schema["properties"].pop("id"), **schema["properties"]}


class ListedActor(ActorDraft):
    """An actor in the list of actors, with the id by which records refer to it."""

    model_config = ConfigDict(json_schema_extra=_id_first)

    id: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class PlaceDraft(Draft):
    """The place of a meeting, in the article's words."""

    venue: MaybeText = None
    city: Annotated[str | None, BeforeValidator(_without_filler)] = None
    country: Annotated[str | None, BeforeValidator(_without_filler)] = None


class TopicDraft(Draft):
    """A topic of a meeting."""

    text: Clause
    code: Annotated[TopicCode, BeforeValidator(_as_code)] = "other"


class OutcomeDraft(Draft):
    """An outcome of a meeting: agreed, signed or decided."""

    text: Clause
    type: Annotated[OutcomeType, BeforeValidator(_as_code)] = "other"


class RoleDraft(Draft):
    """An actor in a meeting who is not a principal."""

    actor: ActorId
    capacity: Annotated[Literal["member", "attendee", "host", "mediator"], BeforeValidator(_as_code)]


class ItemDraft(Draft):
    """A draft of a record; evidence is first, so that the model reads the other fields from it."""

    evidence: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_EVIDENCE)]

    @model_validator(mode="after")
    def _check_evidence(self, info: ValidationInfo) -> "ItemDraft":
        """Refuse cited sentences that share no words with the draft, and have no supported neighbour."""
        article = article_of(info)
        if article is None or not all(isinstance(number, int) for number in self.evidence):
            return self
        cited, actors, texts = self.evidence, _listed_actors(info) or {}, set(_texts(self))
        names = [actors[text] for text in texts & actors.keys()]
        near = {*cited, *(number - 1 for number in cited)}
        supported = _supported(cited, article.bearing(near, names, texts - actors.keys()))
        wrong = [index for index, number in enumerate(cited) if number not in supported]
        if wrong:
            error = PydanticCustomError("sentence", "cites a sentence that says nothing of this record")
            raise errors_at(type(self), [(("evidence", index), error) for index in wrong])
        return self

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Map the resolved fields of this draft to those of its record; by default they are the same."""
        return fields


class QuotedDraft(ItemDraft):
    """A draft of a record whose evidence is quoted instead of cited by number."""

    evidence: Annotated[tuple[Quote, ...], Field(min_length=1, max_length=MAX_EVIDENCE)]  # type: ignore[assignment]


class MeetingDraft(ItemDraft):
    """A draft of a meeting: two or more parties, held, planned, proposed, postponed, cancelled or denied."""

    principals: tuple[ActorId, ...]
    others: tuple[RoleDraft, ...] = ()
    kind: Annotated[MeetingKind, BeforeValidator(_as_code)] = "talks"
    channel: Annotated[Channel, BeforeValidator(_as_code)] = "unspecified"
    status: Annotated[Status, BeforeValidator(_as_code)] = "held"
    date: DateText = None
    place: PlaceDraft | None = None
    topics: Annotated[tuple[TopicDraft, ...], Field(max_length=6)] = ()
    outcomes: Annotated[tuple[OutcomeDraft, ...], Field(max_length=6)] = ()
    attribution: Attributions = ()

    @model_validator(mode="after")
    def _check_parties(self) -> "MeetingDraft":
        parties.check(self.status, self.kind, len({*self.principals, *(other.actor for other in self.others)}))
        return self

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Join principals and others as participants; an actor who is both is a principal."""
        rest = {name: value for name, value in fields.items() if name not in {"principals", "others"}}
        principals = {
            id_: {**actor, "capacity": "principal"}
            for id_, actor in zip(self.principals, fields["principals"], strict=True)
        }
        others = {
            draft.actor: {**resolved["actor"], "capacity": resolved["capacity"]}
            for draft, resolved in zip(self.others, fields["others"], strict=True)
        }
        return {**rest, "participants": list({**principals, **others, **principals}.values())}


class StanceDraft(ItemDraft):
    """A draft of a stance: one set of holders, one target, one act."""

    holders: Annotated[tuple[ActorId, ...], Field(min_length=1)]
    on_behalf_of: MaybeName = None
    act: Annotated[Act, BeforeValidator(_as_code)]
    polarity: Annotated[Polarity, BeforeValidator(_as_code)]
    target: Clause
    target_actor: ActorId | None = None
    addressee: MaybeName = None
    proposition: Annotated[Clause, BeforeValidator(_shortened)]
    speech: Annotated[Speech, BeforeValidator(_as_code)] = "indirect"
    attribution: Attributions = ()

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Join the target and its actor, and derive the holder mode."""
        rest = {name: value for name, value in fields.items() if name not in {"target", "target_actor"}}
        target = {"text": fields["target"], "actor": fields["target_actor"]}
        mode = holder_mode([actor["type"] for actor in fields["holders"]], fields["on_behalf_of"])
        return {**rest, "target": target, "holder_mode": mode}


def _supported(cited: Collection[int], bearing: Collection[int]) -> set[int]:
    """Return the cited sentences that bear on a record, follow one that does («هو»), or adjoin a supported one."""
    supported = {number for number in cited if number in bearing or number - 1 in bearing}
    while beside := {number for number in set(cited) - supported if not supported.isdisjoint((number - 1, number + 1))}:
        supported |= beside
    return supported


def holder_mode(types: list[ActorType], on_behalf_of: str | None) -> HolderMode:
    """Derive how a stance is held from its holders' types (contract, Stance)."""
    if on_behalf_of is not None:
        return "collective"
    if len(types) > 1:
        return "joint"
    modes: dict[str, HolderMode] = {"person": "individual", "role": "individual", "people": "collective"}
    return modes.get(types[0], "institution")


class Drafts(Draft):
    """All drafts of one task in one article: an object with one list.

    A subclass names its task and its record class, and is registered under the task's name:

    >>> class AgreementDrafts(Drafts, task="agreements", record=Agreement):
    ...     agreements: tuple[AgreementDraft, ...]
    """

    task: ClassVar[str]
    record: ClassVar[type[Record]]

    def __init_subclass__(cls, *, task: str, record: type[Record], **kwargs: Any) -> None:
        """Register the task."""
        super().__init_subclass__(**kwargs)
        cls.task, cls.record = task, record
        DRAFTS[task] = cls


DRAFTS: dict[str, type[Drafts]] = {}
"""Registered classes by task."""


class MeetingDrafts(Drafts, task="meetings", record=Meeting):
    """Drafts of the meetings in one article."""

    meetings: Annotated[tuple[MeetingDraft, ...], Field(max_length=MAX_RECORDS)]


class StanceDrafts(Drafts, task="stances", record=Stance):
    """Drafts of the stances in one article."""

    stances: Annotated[tuple[StanceDraft, ...], Field(max_length=MAX_RECORDS)]


def cites_actors(model: type[BaseModel]) -> bool:
    """Whether a draft refers to actors by id, so that an answer needs a list of them."""
    return any(_mentions(field.annotation, field.metadata) for field in model.model_fields.values())


def _mentions(annotation: Any, metadata: Iterable[Any]) -> bool:
    if any(isinstance(mark, Cited) for mark in metadata):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return cites_actors(annotation)
    inner = getattr(annotation, "__metadata__", ())
    return any(isinstance(mark, Cited) for mark in inner) or any(_mentions(part, ()) for part in get_args(annotation))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a draft except codes; for an actor, the id."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if name != "evidence" and get_origin(field.annotation) is not Literal:
                yield from _texts(getattr(value, name))


def errors_at(
    model: type[BaseModel], errors: list[tuple[tuple[str | int, ...], PydanticCustomError]]
) -> ValidationError:
    """Return a validation error with places inside a model, which a `ValueError` in its validator cannot have."""
    lines: list[InitErrorDetails] = [{"type": error, "loc": place, "input": None} for place, error in errors]
    return ValidationError.from_exception_data(model.__name__, lines)
