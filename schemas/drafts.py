"""Drafts: what a drafter fills. Every text is copied from the article; code adds offsets, dates and codes.

An actor is written once, in a list of its own, and referred to by its id. Evidence is cited by the numbers of the
article's sentences, or, in a task that derives from `QuotedDraft`, as quotes. Where the article is at hand, as the
`article` of pydantic's validation context, the validators check what a draft says against it.

Order matters: a model decides the fields of an object in this order, so that evidence and names come first and the
closed lists, which need the most context, come last.
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
"""A longer proposition is cut at a clause; the prompt asks for fewer."""
MAX_RECORDS: Final = 200
"""Records of one task in one answer: a bound against endless repetition, not against long articles."""
MAX_TEXT: Final = 600
"""Characters of a name, a phrase or a clause."""

_SILENT = {"", "null", "none", "n/a", "na", "unknown", "unspecified", "غير محدد", "غير معروف", "غير مذكور", "لا يوجد"}
"""What models write where the article is silent; the contract's word for that is null."""


class Article(Protocol):
    """What validators ask of an article. `mahdar.validation.source.Source` answers."""

    @property
    def numbers(self) -> range:
        """The numbers of the sentences that were shown."""

    def has_name(self, name: str) -> bool:
        """Whether it holds a name, in any grammatical form."""

    def has_phrase(self, words: str) -> bool:
        """Whether it holds a phrase, clitics and spelling conventions aside."""

    def supports(self, clause: str, names: Iterable[str]) -> bool:
        """Whether a clause is made of the words of neighbouring sentences, inflection and these names aside."""

    def why_not(self, quote: str) -> str | None:
        """Why a quote is no evidence; None where it is."""

    def bearing(self, numbers: Iterable[int], names: Iterable[str], texts: Iterable[str]) -> Collection[int]:
        """Those of the numbered sentences that have words in common with a record of these names and texts."""


def article_of(info: ValidationInfo) -> Article | None:
    """The article that a draft is checked against; None where there is none."""
    return info.context.get("article") if info.context is not None else None


def is_silent(value: Any) -> bool:
    """Whether a value says nothing: null, or what models write in its place."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _SILENT)


def _spoken(value: Any) -> Any:
    """Turn a filler into None, and trim a text."""
    if is_silent(value):
        return None
    return value.strip() if isinstance(value, str) else value


def _coded(value: Any) -> Any:
    """Accept `"In person"` for `in_person`: the same value in another dress."""
    return re.sub(r"[\s-]+", "_", value.strip().casefold()) if isinstance(value, str) else value


def _name(value: str | None, info: ValidationInfo) -> str | None:
    article = article_of(info)
    if article is not None and value is not None and not article.has_name(value):
        raise PydanticCustomError("absent", "is not in the article; copy it letter by letter")
    return value


def _phrase(value: str | None, info: ValidationInfo) -> str | None:
    article = article_of(info)
    if article is not None and value is not None and not article.has_phrase(value):
        raise PydanticCustomError("absent", "is not in the article; copy it letter by letter, or write null")
    return value


def _clause(value: str, info: ValidationInfo) -> str:
    article = article_of(info)
    if article is not None and not article.supports(value, (_listed_actors(info) or {}).values()):
        raise PydanticCustomError("unsupported", "says what the article does not; use the article's words")
    return value


def _quote(value: str, info: ValidationInfo) -> str:
    article = article_of(info)
    reason = article.why_not(value) if article is not None else None
    if reason is not None:
        raise PydanticCustomError("quote", "is no quote of the article: {reason}", {"reason": reason})
    return value


def _listed_actors(info: ValidationInfo) -> Mapping[str, str] | None:
    """The ids and names of the answer's list of actors; None where that is not at hand."""
    return info.context.get("actors") if info.context is not None else None


def _actor_id(value: str, info: ValidationInfo) -> str:
    """Accept an id, or the very name that an actor of the list has."""
    known = _listed_actors(info)
    if known is None or value in known:
        return value
    for id_, name in known.items():
        if name == value:
            return id_
    raise PydanticCustomError("actor", "is no id of the list of actors")


def _named(value: Any, info: ValidationInfo) -> Any:
    """Accept an actor's id where a name is asked for."""
    value = _spoken(value)
    return (_listed_actors(info) or {}).get(value, value) if isinstance(value, str) else value


def _number(value: int, info: ValidationInfo) -> int:
    article = article_of(info)
    if article is not None and value not in article.numbers:
        bounds = {"first": article.numbers.start, "last": article.numbers.stop - 1}
        raise PydanticCustomError(
            "sentence", "is no sentence of the article; they are numbered from {first} to {last}", bounds
        )
    return value


def _cut(value: Any) -> Any:
    """Cut a proposition that is too long, at the last mark between clauses where there is one."""
    if not isinstance(value, str) or len(words := value.split()) <= MAX_PROPOSITION_WORDS:
        return value
    kept = " ".join(words[:MAX_PROPOSITION_WORDS])
    clauses = re.split(r"[،؛,;]\s", kept)
    return kept[: -len(clauses[-1])].rstrip(" ،؛,;") if len(clauses) > 1 else kept


class Verbatim:
    """Marks a text that stands in the article as it is."""


class Worded:
    """Marks a text in the drafter's words, which are the article's for the most part."""


class Dated:
    """Marks the words of a date, from which code computes its value."""


class Cited:
    """Marks the id of an actor in the list of actors."""


Name = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Verbatim(), AfterValidator(_name)]
Phrase = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Verbatim(), AfterValidator(_phrase)]
MaybeText = Annotated[
    Annotated[str, Field(max_length=MAX_TEXT)] | None, Verbatim(), BeforeValidator(_spoken), AfterValidator(_phrase)
]
"""A text that stands in the article as it is: a date, a building."""
DateText = Annotated[MaybeText, Dated()]
MaybeName = Annotated[
    Annotated[str, Field(max_length=MAX_TEXT)] | None, Verbatim(), BeforeValidator(_named), AfterValidator(_name)
]
"""A text that stands in the article in some grammatical form: an office, a body, somebody addressed."""
Clause = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), Worded(), AfterValidator(_clause)]
Quote = Annotated[str, Field(min_length=1), AfterValidator(_quote)]
ActorId = Annotated[str, Cited(), AfterValidator(_actor_id)]
Number = Annotated[int, AfterValidator(_number)]
Attribution = Annotated[Name, BeforeValidator(_named)]
Attributions = Annotated[tuple[Attribution, ...], Field(max_length=3)]


class Draft(BaseModel):
    """A frozen object that a drafter filled; unknown fields are dropped, since a model may add its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ActorDraft(Draft):
    """One who meets or holds a position."""

    name: Name
    type: Annotated[ActorType, BeforeValidator(_coded)] = "person"
    role: MaybeName = None
    organization: MaybeName = None
    country: Annotated[str | None, BeforeValidator(_spoken)] = None


def _id_first(schema: dict[str, Any]) -> None:
    schema["properties"] = {"id": schema["properties"].pop("id"), **schema["properties"]}


class ListedActor(ActorDraft):
    """An actor in the list of actors, under the id by which records refer to it."""

    model_config = ConfigDict(json_schema_extra=_id_first)

    id: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class PlaceDraft(Draft):
    """Where it took place, in the article's words."""

    venue: MaybeText = None
    city: Annotated[str | None, BeforeValidator(_spoken)] = None
    country: Annotated[str | None, BeforeValidator(_spoken)] = None


class TopicDraft(Draft):
    """One thing discussed."""

    text: Clause
    code: Annotated[TopicCode, BeforeValidator(_coded)] = "other"


class OutcomeDraft(Draft):
    """One thing agreed, signed or decided."""

    text: Clause
    type: Annotated[OutcomeType, BeforeValidator(_coded)] = "other"


class RoleDraft(Draft):
    """An actor in a meeting who is no principal."""

    actor: ActorId
    capacity: Annotated[Literal["member", "attendee", "host", "mediator"], BeforeValidator(_coded)]


class ItemDraft(Draft):
    """One record to be: evidence first, so that all else is read from it."""

    evidence: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_EVIDENCE)]

    @model_validator(mode="after")
    def _sentences_bear_it(self, info: ValidationInfo) -> "ItemDraft":
        article = article_of(info)
        if article is None or not all(isinstance(number, int) for number in self.evidence):
            return self
        cited, actors, texts = self.evidence, _listed_actors(info) or {}, set(_texts(self))
        names = [actors[text] for text in texts & actors.keys()]
        held = _held(cited, article.bearing({*cited, *(number - 1 for number in cited)}, names, texts - actors.keys()))
        wrong = [index for index, number in enumerate(cited) if number not in held]
        if wrong:
            error = PydanticCustomError("sentence", "cites a sentence that says nothing of this record")
            raise errors_at(type(self), [(("evidence", index), error) for index in wrong])
        return self

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Arrange what became of this draft's fields as its record has them; by default they are the same."""
        return fields


class QuotedDraft(ItemDraft):
    """One record to be, whose evidence is quoted instead of cited by number."""

    evidence: Annotated[tuple[Quote, ...], Field(min_length=1, max_length=MAX_EVIDENCE)]  # type: ignore[assignment]


class MeetingDraft(ItemDraft):
    """An encounter of two or more parties, held, planned, proposed, postponed, cancelled or denied."""

    principals: tuple[ActorId, ...]
    others: tuple[RoleDraft, ...] = ()
    kind: Annotated[MeetingKind, BeforeValidator(_coded)] = "talks"
    channel: Annotated[Channel, BeforeValidator(_coded)] = "unspecified"
    status: Annotated[Status, BeforeValidator(_coded)] = "held"
    date: DateText = None
    place: PlaceDraft | None = None
    topics: Annotated[tuple[TopicDraft, ...], Field(max_length=6)] = ()
    outcomes: Annotated[tuple[OutcomeDraft, ...], Field(max_length=6)] = ()
    attribution: Attributions = ()

    @model_validator(mode="after")
    def _two_met(self) -> "MeetingDraft":
        parties.check(self.status, self.kind, len({*self.principals, *(one.actor for one in self.others)}))
        return self

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Principals and others are the participants, each once; who is both is a principal."""
        rest = {name: value for name, value in fields.items() if name not in {"principals", "others"}}
        principals = {
            id_: {**actor, "capacity": "principal"}
            for id_, actor in zip(self.principals, fields["principals"], strict=True)
        }
        others = {
            draft.actor: {**one["actor"], "capacity": one["capacity"]}
            for draft, one in zip(self.others, fields["others"], strict=True)
        }
        return {**rest, "participants": list({**principals, **others, **principals}.values())}


class StanceDraft(ItemDraft):
    """A position: one holder set, one target, one act."""

    holders: Annotated[tuple[ActorId, ...], Field(min_length=1)]
    on_behalf_of: MaybeName = None
    act: Annotated[Act, BeforeValidator(_coded)]
    polarity: Annotated[Polarity, BeforeValidator(_coded)]
    target: Clause
    target_actor: ActorId | None = None
    addressee: MaybeName = None
    proposition: Annotated[Clause, BeforeValidator(_cut)]
    speech: Annotated[Speech, BeforeValidator(_coded)] = "indirect"
    attribution: Attributions = ()

    def record_fields(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The target and its actor are one field; the mode of holding follows from who holds."""
        rest = {name: value for name, value in fields.items() if name not in {"target", "target_actor"}}
        target = {"text": fields["target"], "actor": fields["target_actor"]}
        mode = holder_mode([actor["type"] for actor in fields["holders"]], fields["on_behalf_of"])
        return {**rest, "target": target, "holder_mode": mode}


def _held(cited: Collection[int], bearing: Collection[int]) -> set[int]:
    """The sentences cited that say something of a record: themselves, the one before («هو»), or a cited one beside."""
    held = {number for number in cited if number in bearing or number - 1 in bearing}
    while beside := {number for number in set(cited) - held if not held.isdisjoint((number - 1, number + 1))}:
        held |= beside
    return held


def holder_mode(types: list[ActorType], on_behalf_of: str | None) -> HolderMode:
    """How a position is held, by who holds it (contract, Stance)."""
    if on_behalf_of is not None:
        return "collective"
    if len(types) > 1:
        return "joint"
    modes: dict[str, HolderMode] = {"person": "individual", "role": "individual", "people": "collective"}
    return modes.get(types[0], "institution")


class Drafts(Draft):
    """All that one task finds in one article: an object with one list.

    A subclass names its task and its record, and is found by that name from then on:

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
"""task → what a drafter fills for it"""


class MeetingDrafts(Drafts, task="meetings", record=Meeting):
    """The meetings of one article."""

    meetings: Annotated[tuple[MeetingDraft, ...], Field(max_length=MAX_RECORDS)]


class StanceDrafts(Drafts, task="stances", record=Stance):
    """The stances of one article."""

    stances: Annotated[tuple[StanceDraft, ...], Field(max_length=MAX_RECORDS)]


def cites_actors(model: type[BaseModel]) -> bool:
    """Whether a draft refers to actors by id, so that an answer needs a list of them."""
    return any(_mentions(field.annotation, field.metadata) for field in model.model_fields.values())


def _mentions(annotation: Any, metadata: Iterable[Any]) -> bool:
    if any(isinstance(one, Cited) for one in metadata):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return cites_actors(annotation)
    inner = getattr(annotation, "__metadata__", ())
    return any(isinstance(one, Cited) for one in inner) or any(_mentions(part, ()) for part in get_args(annotation))


def _texts(value: Any) -> Iterator[str]:
    """Every text of a draft, codes apart; of an actor, the id."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if name != "evidence" and get_origin(field.annotation) is not Literal:
                yield from _texts(getattr(value, name))


def errors_at(
    model: type[BaseModel], found: list[tuple[tuple[str | int, ...], PydanticCustomError]]
) -> ValidationError:
    """Errors with places of their own, which a plain `ValueError` of a model's validator cannot have."""
    lines: list[InitErrorDetails] = [{"type": error, "loc": place, "input": None} for place, error in found]
    return ValidationError.from_exception_data(model.__name__, lines)
