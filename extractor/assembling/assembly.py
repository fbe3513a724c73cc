"""Turn validated drafts into records.

This works by the types of fields, not by tasks: sentence numbers and quotes become spans, ids become actors, and dates,
places and countries are resolved. What cannot be resolved is left out and reported in `rejected`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from mahdar.drafting import Item
from mahdar.grounding.ground import Miss
from mahdar.resolving.dates import resolve_date
from mahdar.resolving.names import split_office
from mahdar.resolving.places import country_of, resolve_place
from mahdar.schemas.drafts import ActorDraft, Cited, Dated, Draft, PlaceDraft, Verbatim
from mahdar.schemas.records import Date, Evidence, Place, Record, Rejected
from mahdar.schemas.tasks import TaskSchema
from mahdar.validation.source import Source

_WITHOUT_QUOTES: Final = str.maketrans("", "", '"“”„«»‟')
"""Quote marks, which names do not keep (contract)."""
_FUTURE: Final = frozenset({"planned", "proposed", "postponed"})


@dataclass(frozen=True, slots=True)
class When:
    """The context of a date's words.

    Attributes:
        at: offset of the evidence in code points.
        planned: whether the event is in the future.
    """

    at: int = 0
    planned: bool = False


@dataclass(slots=True)
class Assembly:
    """The assembly of one task's records in one article.

    Attributes:
        schema: the task's schema.
        source: the article.
        records: the records so far.
        rejected: what was left out so far.
    """

    schema: TaskSchema
    source: Source
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    _actors: dict[ActorDraft, dict[str, Any]] = field(default_factory=dict, repr=False)

    def add(self, item: Item) -> None:
        """Add the record of a drafted item, or reject the item."""
        try:
            self.records.append(self._record(item))
        except ValidationError as error:
            self._reject(item.path, _reason(error), item.draft)

    def _record(self, item: Item) -> Record:
        evidence = tuple(self._evidence(item.draft.evidence))
        when = When(evidence[0].start, planned=getattr(item.draft, "status", None) in _FUTURE)
        fields = item.draft.record_fields(self._fields(item.draft, item, item.path, when))
        record = {**fields, "evidence": evidence, "id": f"{self.schema.record.id_prefix}0"}
        return self.schema.record.model_validate(record)

    def _evidence(self, cited: tuple[int | str, ...]) -> Iterator[Evidence]:
        """Yield the cited pieces of the article, each once."""
        seen: set[int] = set()
        for citation in cited:
            if isinstance(citation, int):
                sentence = self.source.sentences[citation - 1]
                start, end, match = sentence.start, sentence.end, "exact"
            else:
                span = self.source.find_quote(citation)
                assert span is not None, "a draft's quotes are validated"
                start, end, match = span.start, span.end, span.match
            if start not in seen:
                seen.add(start)
                yield Evidence(quote=self.source.text[start:end], start=start, end=end, match=match)

    def _fields(self, draft: Draft, item: Item, path: str, when: When) -> dict[str, Any]:
        return {
            name: self._value(getattr(draft, name), marks, item, f"{path}.{name}", when)
            for name, marks in _marked_fields(type(draft))
        }

    def _value(self, value: Any, marks: frozenset[type], item: Item, path: str, when: When) -> Any:  # noqa: PLR0911  # a table
        match value:
            case str() if not marks:
                return value
            case PlaceDraft():
                return self._place(value, path)
            case ActorDraft():
                return self._actor(value, item, path)
            case Draft():
                return self._fields(value, item, path, when)
            case tuple():
                return tuple(
                    self._value(member, marks, item, f"{path}[{index}]", when) for index, member in enumerate(value)
                )
            case str() if Cited in marks:
                return self._actor(item.actors[value], item, path)
            case str() if Dated in marks:
                return self._date(value, when)
            case str() if Verbatim in marks:
                return self.source.phrase(value) or value
            case _:
                return value

    def _actor(self, draft: ActorDraft, item: Item, path: str) -> dict[str, Any]:
        """Resolve an actor, once for all records that refer to it."""
        if (fields := self._actors.get(draft)) is None:
            fields = self._actors[draft] = self._resolve_actor(draft, item, path)
        return fields

    def _resolve_actor(self, draft: ActorDraft, item: Item, path: str) -> dict[str, Any]:
        """Split an office that the model left before the name, and resolve the country.

        The country is the first that the role, the organization, the name or the model's country denotes, of those that
        the article mentions.
        """
        article, stated = self.source.text, draft.country
        fields = self._fields(draft.model_copy(update={"country": None}), item, path, When())
        office, name = None, fields["name"].translate(_WITHOUT_QUOTES).strip()
        if draft.type in {"person", "role"}:
            office, name = split_office(name, article=article)
        role = None if draft.type == "country" else fields["role"] or office
        phrases = (role, fields["organization"], name if draft.type != "person" else None, stated)  # «طاهر المصري»
        codes = (country_of(phrase, article=article) for phrase in phrases if phrase and self.source.may_have(phrase))
        country = next((code for code in codes if code in self.source.countries), None)
        if stated and country is None:
            self._reject(f"{path}.country", "no country that the article mentions", stated)
        return {**fields, "name": name, "role": role, "country": country}

    def _date(self, words: str, when: When) -> Date:
        text = self.source.phrase(words) or words
        at = self.source.text.find(text, when.at)
        return resolve_date(
            text,
            published_at=self.source.published_at,
            article=self.source.text,
            at=at if at >= 0 else None,
            planned=when.planned,
        )

    def _place(self, draft: PlaceDraft, path: str) -> Place | None:
        venue = (self.source.phrase(draft.venue) or draft.venue) if draft.venue else None
        city, country = (name if name and self.source.may_have(name) else None for name in (draft.city, draft.country))
        place = resolve_place(venue, city, country, article=self.source.text)
        for name in ("city", "country"):
            stated = getattr(draft, name)
            if stated and not getattr(place, name, None) and not self.source.has_name(stated):
                self._reject(f"{path}.{name}", str(Miss.ABSENT), stated)
        return place

    def _reject(self, path: str, reason: str, item: Any) -> None:
        plain = item.model_dump(mode="json", exclude_none=True) if isinstance(item, BaseModel) else item
        self.rejected.append(Rejected(task=self.schema.task, path=path, reason=reason, item=plain))


@cache
def _marked_fields(model: type[Draft]) -> tuple[tuple[str, frozenset[type]], ...]:
    """Return the names of a draft's fields, without evidence, each with the classes of its annotations."""
    return tuple(
        (name, frozenset(type(mark) for mark in (*field_.metadata, *_nested_metadata(field_.annotation))))
        for name, field_ in model.model_fields.items()
        if name != "evidence"
    )


def _nested_metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _nested_metadata(part)


def _reason(error: ValidationError) -> str:
    detail: Mapping[str, Any] = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
