"""Clusters: actors in the making, out of forms: mentions that read alike."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from mahdar.documents.folding import fold
from mahdar.linking.mentions import ActorMention
from mahdar.linking.persons import ActorFacts
from mahdar.linking.readings import ActorReading
from mahdar.resolving.offices import Office

GENERATION: Final = dt.timedelta(days=12 * 365)
"""With no article for so long, a full name may be a son's or a grandson's by then."""


@dataclass(slots=True)
class ActorForm:
    """One reading under which an actor is given, with all its mentions."""

    reading: ActorReading
    mentions: list[ActorMention] = field(default_factory=list)
    actor_id: str | None = None
    sides: frozenset[int] = frozenset()
    """sides of corrections that its mentions are on"""

    @property
    def name(self) -> str:
        """The commonest spelling."""
        names = Counter(mention.name for mention in self.mentions)
        return min(names, key=lambda name: (-names[name], -len(name), name))

    @property
    def key(self) -> tuple[str, int]:
        """Where it stands first; tells it from every other form, whatever the order of the files."""
        first = self.mentions[0]
        return first.article, first.place


@dataclass(slots=True)
class Join:
    """Why two forms are one actor."""

    left: str
    right: str
    reasons: list[str]


@dataclass(slots=True)
class Doubt:
    """Two actors that may be one, and what speaks for and against it."""

    left: "ActorCluster"
    right: "ActorCluster"
    for_: list[str]
    against: list[str]


@dataclass(eq=False)
class ActorCluster:
    """An actor in the making: the forms that are one so far. What it tells is summed up once, and then kept up."""

    forms: list[ActorForm]
    joins: list[Join] = field(default_factory=list)
    actor_id: str | None = None
    former_ids: list[str] = field(default_factory=list)
    apart: set[int] = field(default_factory=set)
    """sides of corrections with which it must not be joined"""
    into: "ActorCluster | None" = None
    """the cluster that it was joined to"""

    @property
    def kind(self) -> str:
        """What is meant by its head."""
        return self.head.reading.kind

    @cached_property
    def head(self) -> ActorForm:
        """The form that is told most often, names before offices and full names before parts of them."""
        return min(self.forms, key=_rank)

    @property
    def mentions(self) -> Iterator[ActorMention]:
        """All mentions."""
        return (mention for form in self.forms for mention in form.mentions)

    @cached_property
    def known(self) -> ActorFacts:
        """What its mentions tell beside the name."""
        return ActorFacts(
            frozenset(form.reading.country for form in self.forms if form.reading.country),
            frozenset(office for mention in self.mentions for office in mention.offices),
            frozenset(fold(body) for mention in self.mentions for body in mention.organizations),
        )

    @cached_property
    def names(self) -> dict[str, set[str]]:
        """Article → its names there."""
        names: dict[str, set[str]] = {}
        for mention in self.mentions:
            names.setdefault(mention.article, set()).add(mention.name)
        return names

    @cached_property
    def held(self) -> dict[Office, tuple[dt.date, dt.date]]:
        """Each office with the first and the last day on which it is told."""
        told = ((office, (one.day, one.day)) for one in self.mentions if one.day for office in one.offices)
        return _spans(told)

    @cached_property
    def days(self) -> tuple[dt.date, dt.date] | None:
        """The first and the last day on which it is mentioned."""
        days = [mention.day for mention in self.mentions if mention.day]
        return (min(days), max(days)) if days else None

    def take(self, other: "ActorCluster", join: Join) -> None:
        """Become one with another."""
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


def _spans(told: Iterable[tuple[Office, tuple[dt.date, dt.date]]]) -> dict[Office, tuple[dt.date, dt.date]]:
    """The first and the last day of each office."""
    spans: dict[Office, tuple[dt.date, dt.date]] = {}
    for office, (first, last) in told:
        known = spans.get(office, (first, last))
        spans[office] = min(first, known[0]), max(last, known[1])
    return spans


def final(cluster: ActorCluster) -> ActorCluster:
    """The cluster that one has become part of."""
    while cluster.into is not None:
        cluster = cluster.into
    return cluster


def forms_of(mentions: Iterable[ActorMention], sides: Callable[[ActorMention], frozenset[int]]) -> list[ActorForm]:
    """Mentions that read alike, together.

    Delegations, surnames and offices alone are not put together by their words: whether two are one is decided by more.
    """
    forms: dict[object, ActorForm] = {}
    for mention in mentions:
        reading, on = mention.reading, sides(mention)
        key: object = (reading, mention.actor_id, on)
        if reading.kind in {"delegation", "role"} and mention.actor_id is None:
            key = (mention.article, mention.name)
        elif reading.is_surname:
            key = (reading, mention.actor_id, on, mention.offices)
        form = forms.setdefault(key, ActorForm(reading, actor_id=mention.actor_id, sides=on))
        form.mentions.append(mention)
    return sorted((part for form in forms.values() for part in _by_generation(form)), key=lambda form: form.key)


def _by_generation(form: ActorForm) -> Iterator[ActorForm]:
    """A person's mentions, cut where no article has the name for very long; those without a day belong to the last."""
    dated = sorted((one for one in form.mentions if one.day), key=lambda one: (one.day, one.article))
    cuts = [at for at, (a, b) in enumerate(pairwise(dated), 1) if a.day and b.day and b.day - a.day > GENERATION]
    if form.reading.kind != "person" or form.actor_id or not cuts:
        yield form
        return
    *early, late = (dated[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(dated)], strict=True))
    for mentions in (*early, [*late, *(one for one in form.mentions if one.day is None)]):
        yield ActorForm(form.reading, sorted(mentions, key=lambda one: (one.article, one.place)), sides=form.sides)
