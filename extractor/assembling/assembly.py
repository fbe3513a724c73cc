"""Assembly: from what a model drafted to records that the article bears out.

Works on types, not on tasks: quotes become spans, verbatim texts are looked up in the article, dates, places and
countries are resolved. What does not hold is left out and named in `rejected`, however small.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from extractor.grounding.ground import Ground
from extractor.grounding.source import Source
from extractor.resolving.dates import resolve_date
from extractor.resolving.names import split_office
from extractor.resolving.places import country_of, resolve_place
from schemas.drafts import ActorDraft, DateDraft, Draft, ItemDraft, PlaceDraft, Verbatim, Worded
from schemas.enums import ActorType
from schemas.records import Date, Evidence, Place, Record, Rejected
from schemas.tasks import TaskSchema

ABSENT = "not in the article"
WITHOUT_QUOTES = str.maketrans("", "", '"“”„«»‟')
"""Contract: a name stands without quote marks."""


@dataclass(frozen=True, slots=True)
class When:
    """What the words of a date depend on: where the evidence begins, and whether the event is still to come."""

    at: int = 0
    planned: bool = False


class UngroundedError(Exception):
    """A part of a draft that the article does not bear out, and that its whole cannot do without."""


@dataclass(slots=True)
class Assembly:
    """The records of one task in one article, and what was left out on the way."""

    schema: TaskSchema
    source: Source
    examples: tuple[Ground, ...] = ()
    """the articles of few-shot examples: a model may copy from them"""
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, path: str, draft: ItemDraft) -> None:
        """Turn one drafted item into a record, or into a rejected item."""
        try:
            self.records.append(self._record(path, draft))
        except (UngroundedError, ValidationError) as error:
            self._reject(path, _reason(error), draft)

    def add_expanded(self, path: str, expand: Callable[[BaseModel], tuple[ItemDraft, ...]], choice: BaseModel) -> None:
        """Add the drafts that a choice becomes; a choice that no draft can be made of costs no other."""
        try:
            drafts = expand(choice)
        except ValidationError as error:
            self._reject(path, _reason(error), choice)
            return
        for number, draft in enumerate(drafts):
            self.add(f"{path}[{number}]", draft)

    def _record(self, path: str, draft: ItemDraft) -> Record:
        evidence = tuple(self._evidence(draft.evidence, path))
        if not evidence:
            raise UngroundedError(f"evidence: {self.why_not(draft.evidence[0])}")
        planned = getattr(draft, "status", None) == "planned"
        fields = self._fields(draft, path, When(evidence[0].start, planned=planned))
        record = {**fields, "evidence": evidence, "id": f"{self.schema.record.id_prefix}0"}
        return self.schema.record.model_validate(record)

    def why_not(self, quote: str) -> str:
        """Why a quote is no evidence."""
        if any(example.find(quote) for example in self.examples) and not self.source.find_quote(quote):
            return "comes from a few-shot example, not from the article"
        return str(self.source.ground.why_not(quote) or ABSENT)

    def _evidence(self, quotes: Iterable[str], path: str) -> Iterator[Evidence]:
        seen: set[int] = set()
        for number, quote in enumerate(quotes):
            span = self.source.find_quote(quote)
            if span is None:
                self._reject(f"{path}.evidence[{number}]", self.why_not(quote), quote)
            elif span.start not in seen:
                seen.add(span.start)
                text = self.source.text[span.start : span.end]
                yield Evidence(quote=text, start=span.start, end=span.end, match=span.match)

    def _fields(self, draft: Draft, path: str, when: When = When()) -> dict[str, Any]:
        fields = type(draft).model_fields
        return {
            name: self._value(getattr(draft, name), info, f"{path}.{name}", when)
            for name, info in fields.items()
            if name != "evidence"
        }

    def _value(self, value: Any, info: FieldInfo | None, path: str, when: When) -> Any:  # noqa: PLR0911  # a table
        match value:
            case DateDraft():
                return self._date(value, path, when)
            case PlaceDraft():
                return self._place(value, path)
            case ActorDraft():
                return self._actor(value, path)
            case Draft():
                return self._fields(value, path, when)
            case tuple():
                return tuple(self._kept(value, path, when))
            case str():
                return self._text(value, info, path)
            case _:
                return value

    def _kept(self, values: tuple[Any, ...], path: str, when: When) -> Iterator[Any]:
        """The members of a list that hold; one that does not is left out alone."""
        for number, value in enumerate(values):
            try:
                yield self._value(value, None, f"{path}[{number}]", when)
            except UngroundedError as error:
                self._reject(f"{path}[{number}]", str(error), value)

    def _text(self, value: str, info: FieldInfo | None, path: str) -> str | None:
        """A text as the article has it; a closed list's value as it is."""
        if info is None or _marked(info, Verbatim):
            found = self.source.phrase(value)
            if found is None and (info is None or info.is_required()):
                raise UngroundedError(f"{path.rsplit('.', 1)[-1]}: {ABSENT}")
            if found is None:
                self._reject(path, ABSENT, value)
            return found
        if _marked(info, Worded) and not self.source.supports(value):
            raise UngroundedError(f"{path.rsplit('.', 1)[-1]}: says what the article does not")
        return value

    def _actor(self, draft: ActorDraft, path: str) -> dict[str, Any]:
        draft, said = draft.model_copy(update={"country": None}), draft.country
        fields = self._fields(draft, path) if not self._is_state(draft) else {**draft.model_dump(), "role": None}
        office, name = self._office(fields["name"].translate(WITHOUT_QUOTES).strip(), draft.type)
        role = fields["role"] or office
        named = None if draft.type == "person" else name  # «طاهر المصري» is nobody's country
        country = self._country(role, fields["organization"], named, said)
        if said and country is None:
            self._reject(f"{path}.country", "no country that the article mentions", said)
        return {**fields, "name": name, "role": role, "country": country}

    def _is_state(self, draft: ActorDraft) -> bool:
        """A country may be named by its adjective alone: «وساطة مصرية» is Egypt's."""
        return draft.type == "country" and self._country(draft.name) is not None

    def _office(self, name: str, kind: ActorType) -> tuple[str | None, str]:
        """The office that a model left before a name, and the name."""
        if kind not in {"person", "role"}:
            return None, name
        return split_office(name, article=self.source.text)

    def _country(self, *phrases: str | None) -> str | None:
        """The first country that a phrase denotes and the article mentions."""
        codes = (country_of(phrase, article=self.source.text) for phrase in phrases)
        return next((code for code in codes if code in self.source.countries), None)

    def _date(self, draft: DateDraft, path: str, when: When) -> Date | None:
        if draft.text is None:
            return None
        text = self.source.phrase(draft.text)
        if text is None:
            self._reject(f"{path}.text", ABSENT, draft.text)
            return None
        source, at = self.source, self.source.text.find(text, when.at)
        return resolve_date(
            text,
            published_at=source.published_at,
            article=source.text,
            at=at if at >= 0 else None,
            planned=when.planned,
        )

    def _place(self, draft: PlaceDraft, path: str) -> Place | None:
        venue = self._text(draft.venue, PlaceDraft.model_fields["venue"], f"{path}.venue") if draft.venue else None
        place = resolve_place(venue, draft.city, draft.country, article=self.source.text)
        for name in ("city", "country"):
            said = getattr(draft, name)
            if said and not (place and (place.city or place.country)):
                self._reject(f"{path}.{name}", ABSENT, said)
        return place

    def _reject(self, path: str, reason: str, item: Any) -> None:
        plain = item.model_dump(mode="json", exclude_none=True) if isinstance(item, BaseModel) else item
        self.rejected.append(Rejected(task=self.schema.task, path=path, reason=reason, item=plain))


def _marked(info: FieldInfo, mark: type) -> bool:
    return any(isinstance(one, mark) for one in info.metadata)


def _reason(error: UngroundedError | ValidationError) -> str:
    if isinstance(error, UngroundedError):
        return str(error)
    detail = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in detail["loc"])
    said = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
