"""Group mentions with equal readings into forms, and forms into clusters: actors that linking can still join."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from mahdar.documents.folding import fold
from mahdar.linking.mentions import NameMention
from mahdar.linking.persons import ActorFacts
from mahdar.linking.readings import ActorReading
from mahdar.resolving.offices import Office

GENERATION: Final = dt.timedelta(days=12 * 365)
"""Maximum gap between two articles with one full name; beyond it, the name may be a son's or a grandson's."""


@dataclass(slots=True)
class ActorForm:
    """One reading of an actor, with all its mentions."""

    reading: ActorReading
    mentions: list[NameMention] = field(default_factory=list)
    actor_id: str | None = None
    sides: frozenset[int] = frozenset()
    """numbers of the sides of corrections that match its mentions"""

    @property
    def name(self) -> str:
        """Commonest spelling."""
        names = Counter(mention.name for mention in self.mentions)
        return min(names, key=lambda name: (-names[name], -len(name), name))

    @property
    def key(self) -> tuple[str, int]:
        """Article and place of its first mention: a unique key that does not depend on the order of files."""
        first = self.mentions[0]
        return first.article, first.place


@dataclass(slots=True)
class Join:
    """Reasons why two forms are one actor, or two meetings one event."""

    left: str
    right: str
    reasons: list[str]


@dataclass(slots=True)
class Doubt:
    """Two actors that may be one, with the evidence for and against it."""

    left: "ActorCluster"
    right: "ActorCluster"
    for_: list[str]
    against: list[str]


@dataclass(eq=False)
class ActorCluster:
    """The forms of one actor so far. Its summaries are computed once and updated with each join."""

    forms: list[ActorForm]
    joins: list[Join] = field(default_factory=list)
    actor_id: str | None = None
    former_ids: list[str] = field(default_factory=list)
    apart: set[int] = field(default_factory=set)
    """numbers of the sides of corrections that it must not be joined with"""
    into: "ActorCluster | None" = None
    """the cluster that it was joined to; None if it stands for itself"""

    @property
    def kind(self) -> str:
        """Kind of the reading of its head."""
        return self.head.reading.kind

    @cached_property
    def head(self) -> ActorForm:
        """Most frequent form; names before offices, full names before parts of them."""
        return min(self.forms, key=_rank)

    @property
    def mentions(self) -> Iterator[NameMention]:
        """All mentions."""
        return (mention for form in self.forms for mention in form.mentions)

    @cached_property
    def known(self) -> ActorFacts:
        """Countries, offices and bodies that its mentions give beside the name."""
        return ActorFacts(
            frozenset(form.reading.country for form in self.forms if form.reading.country),
            frozenset(office for mention in self.mentions for office in mention.offices),
            frozenset(fold(body) for mention in self.mentions for body in mention.organizations),
        )

    @cached_property
    def names(self) -> dict[str, set[str]]:
        """Its names by article."""
        names: dict[str, set[str]] = {}
        for mention in self.mentions:
            names.setdefault(mention.article, set()).add(mention.name)
        return names

    @cached_property
    def held(self) -> dict[Office, tuple[dt.date, dt.date]]:
        """Its offices, each with the first and last day on which an article gives it."""
        dated = ((office, (one.day, one.day)) for one in self.mentions if one.day for office in one.offices)
        return _spans(dated)

    @cached_property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """First and last day on which it is mentioned; None if no article has a day."""
        days = [mention.day for mention in self.mentions if mention.day]
        return (min(days), max(days)) if days else None

    def take(self, other: "ActorCluster", join: Join) -> None:
        """Absorb another cluster."""
        self.head = min(self.head, other.head, key=_rank)
        self.known = self.known.joined(other.known)
        for article, names in other.names.items():
            self.names.setdefault(article, set()).update(names)
        self.held = _spans([*self.held.items(), *other.held.items()])
        days = [day for one in (self.days, other.days) if one for day in one]
        self.days = (min(days), max(days)) if days else None
        self.forms += other.forms
        self.joins += [*other.joins, join]
        self.former_ids += other.former_ids
        self.apart |= other.apart
        if self.actor_id is None:
            self.actor_id = other.actor_id
        other.into = self


def _rank(form: ActorForm) -> tuple[object, ...]:
    office = form.reading.kind == "role"
    return office, form.reading.is_surname, -len(form.mentions), -len(form.reading.words), form.key


def _spans(dated: Iterable[tuple[Office, tuple[dt.date, dt.date]]]) -> dict[Office, tuple[dt.date, dt.date]]:
    """Return the first and last day of each office."""
    spans: dict[Office, tuple[dt.date, dt.date]] = {}
    for office, (first, last) in dated:
        known = spans.get(office, (first, last))
        spans[office] = min(first, known[0]), max(last, known[1])
    return spans


def final(cluster: ActorCluster) -> ActorCluster:
    """Return the cluster that a cluster is now part of, possibly itself."""
    while cluster.into is not None:
        cluster = cluster.into
    return cluster


def forms_of(mentions: Iterable[NameMention], sides: Callable[[NameMention], frozenset[int]]) -> list[ActorForm]:
    """Group mentions with equal readings.

    Delegations and offices without a name stay apart, as do surnames and names of common given names with different
    offices: `Linker` decides by more than their words.
    """
    forms: dict[object, ActorForm] = {}
    for mention in mentions:
        reading, on = mention.reading, sides(mention)
        key: object = (reading, mention.actor_id, on)
        if reading.kind in {"delegation", "role"} and mention.actor_id is None:
            key = (mention.article, mention.name)
        elif reading.is_surname:
            key = (reading, mention.actor_id, on, mention.offices)
        elif reading.kind == "person" and reading.is_common and mention.actor_id is None:
            told = mention.offices or mention.organizations or reading.country
            key = (reading, on, mention.offices, mention.organizations) if told else (mention.article, mention.name)
        form = forms.setdefault(key, ActorForm(reading, actor_id=mention.actor_id, sides=on))
        form.mentions.append(mention)
    return sorted((part for form in forms.values() for part in _by_generation(form)), key=lambda form: form.key)


def _by_generation(form: ActorForm) -> Iterator[ActorForm]:
    """Split a person's form at gaps longer than `GENERATION`; mentions without a day go to the last part."""
    dated = sorted((one for one in form.mentions if one.day), key=lambda one: (one.day, one.article))
    cuts = [at for at, (a, b) in enumerate(pairwise(dated), 1) if a.day and b.day and b.day - a.day > GENERATION]
    if form.reading.kind != "person" or form.actor_id or not cuts:
        yield form
        return
    *early, late = (dated[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(dated)], strict=True))
    for mentions in (*early, [*late, *(one for one in form.mentions if one.day is None)]):
        yield ActorForm(form.reading, sorted(mentions, key=lambda one: (one.article, one.place)), sides=form.sides)


def are_parted(a: ActorCluster, b: ActorCluster) -> bool:
    """Return whether corrections keep two clusters apart."""
    return any(form.sides & a.apart for form in b.forms) or any(form.sides & b.apart for form in a.forms)
