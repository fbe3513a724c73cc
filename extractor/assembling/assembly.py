"""Assembly: from validated drafts to records.

Works on types, not on tasks: sentence numbers and quotes become spans, ids become actors, dates, places and countries
are resolved. What cannot be resolved is left out and named in `rejected`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from mahdar.drafting import Item
from mahdar.resolving.dates import resolve_date
from mahdar.resolving.names import split_office
from mahdar.resolving.places import country_of, resolve_place
from mahdar.schemas.drafts import ActorDraft, Cited, Dated, Draft, PlaceDraft, Verbatim
from mahdar.schemas.enums import ActorType
from mahdar.schemas.records import Date, Evidence, Place, Record, Rejected
from mahdar.schemas.tasks import TaskSchema
from mahdar.validation.source import Source

ABSENT: Final = "not in the article"
WITHOUT_QUOTES: Final = str.maketrans("", "", '"“”„«»‟')
"""Contract: a name stands without quote marks."""
_TO_COME: Final = frozenset({"planned", "proposed", "postponed"})


@dataclass(frozen=True, slots=True)
class When:
    """What the words of a date depend on: where the evidence begins, and whether the event is still to come."""

    at: int = 0
    planned: bool = False


@dataclass(slots=True)
class Assembly:
    """The records of one task in one article, and what was left out on the way."""

    schema: TaskSchema
    source: Source
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    _actors: dict[ActorDraft, dict[str, Any]] = field(default_factory=dict, repr=False)
    """each resolved once, however many records refer to it"""

    def add(self, item: Item) -> None:
        """Turn one drafted item into a record, or into a rejected item."""
        try:
            self.records.append(self._record(item))
        except ValidationError as error:
            self._reject(item.path, _reason(error), item.draft)

    def _record(self, item: Item) -> Record:
        evidence = tuple(self._evidence(item.draft.evidence))
        when = When(evidence[0].start, planned=getattr(item.draft, "status", None) in _TO_COME)
        fields = item.draft.record_fields(self._fields(item.draft, item, item.path, when))
        record = {**fields, "evidence": evidence, "id": f"{self.schema.record.id_prefix}0"}
        return self.schema.record.model_validate(record)

    def _evidence(self, cited: tuple[int | str, ...]) -> Iterator[Evidence]:
        """The pieces of the article, each once."""
        seen: set[int] = set()
        for one in cited:
            if isinstance(one, int):
                sentence = self.source.sentences[one - 1]
                start, end, match = sentence.start, sentence.end, "exact"
            else:
                span = self.source.find_quote(one)
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
                    self._value(one, marks, item, f"{path}[{number}]", when) for number, one in enumerate(value)
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
        if (known := self._actors.get(draft)) is None:
            known = self._actors[draft] = self._resolved(draft, item, path)
        return known

    def _resolved(self, draft: ActorDraft, item: Item, path: str) -> dict[str, Any]:
        """Name without office, office, body and country of an actor."""
        draft, said = draft.model_copy(update={"country": None}), draft.country
        fields = self._fields(draft, item, path, When())
        office, name = self._office(fields["name"].translate(WITHOUT_QUOTES).strip(), draft.type)
        role = None if draft.type == "country" else fields["role"] or office
        named = None if draft.type == "person" else name  # «طاهر المصري» is nobody's country
        country = self._country(role, fields["organization"], named, said)
        if said and country is None:
            self._reject(f"{path}.country", "no country that the article mentions", said)
        return {**fields, "name": name, "role": role, "country": country}

    def _office(self, name: str, kind: ActorType) -> tuple[str | None, str]:
        """The office that a model left before a name, and the name."""
        if kind not in {"person", "role"}:
            return None, name
        return split_office(name, article=self.source.text)

    def _country(self, *phrases: str | None) -> str | None:
        """The first country that a phrase denotes and the article mentions."""
        codes = (country_of(phrase, article=self.source.text) for phrase in phrases)
        return next((code for code in codes if code in self.source.countries), None)

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
        place = resolve_place(venue, draft.city, draft.country, article=self.source.text)
        for name, found in (("city", place and place.city), ("country", place and place.country)):
            said = getattr(draft, name)
            if said and not found and not self.source.has_name(said):
                self._reject(f"{path}.{name}", ABSENT, said)
        return place

    def _reject(self, path: str, reason: str, item: Any) -> None:
        plain = item.model_dump(mode="json", exclude_none=True) if isinstance(item, BaseModel) else item
        self.rejected.append(Rejected(task=self.schema.task, path=path, reason=reason, item=plain))


@cache
def _marked_fields(model: type[Draft]) -> tuple[tuple[str, frozenset[type]], ...]:
    """A draft's fields, evidence apart, and what marks the text of each, or the texts of its list."""
    return tuple(
        (name, frozenset(type(one) for one in (*field_.metadata, *_inner(field_.annotation))))
        for name, field_ in model.model_fields.items()
        if name != "evidence"
    )


def _inner(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for part in get_args(annotation):
        yield from _inner(part)


def _reason(error: ValidationError) -> str:
    detail: Mapping[str, Any] = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in detail["loc"])
    said = str(detail["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
