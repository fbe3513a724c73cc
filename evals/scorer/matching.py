"""Which actor of an article a name means.

Two names match by spelling, or by being short for one another; a name that is exactly another actor's matches only
that one. Similarity measures that forgive more (token sets, weighted ratios) match people who share a first name.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from mahdar.evals.scorer.config import NameMatching
from mahdar.evals.scorer.text import normalise

_WORD: Final = re.compile(r"[^\W_]+")


class Named(Protocol):
    """A gold actor: a name and every other acceptable form."""

    @property
    def name(self) -> str:
        """The fullest form."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """The others."""


@dataclass(frozen=True, slots=True)
class Form:
    """A name as it is compared: without spaces and punctuation, and word by word."""

    key: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """A gold actor as one record names it, and what tells it from the article's other actors."""

    name: str
    """key of the name itself"""
    forms: tuple[Form, ...]
    keys: frozenset[str]
    rival_keys: frozenset[str] = frozenset()
    rival_words: frozenset[str] = frozenset()

    def is_same(self, other: "Entity") -> bool:
        """Whether two records mean one actor: the name of one is a form of the other.

        A form that two share is not enough: there may be two «وزير الخارجية».
        """
        return self.name in other.keys or other.name in self.keys


@dataclass(frozen=True, slots=True)
class Cast:
    """The gold actors of one article."""

    entities: dict[tuple[str, ...], Entity]
    names: NameMatching

    @classmethod
    def of(cls, actors: Iterable[Named], names: NameMatching) -> "Cast":
        """Set every actor apart from the others."""
        plain = {_forms_of(actor): _entity(_forms_of(actor), names) for actor in actors}
        return cls({forms: _among(entity, plain.values()) for forms, entity in plain.items()}, names)

    def entity(self, actor: Named) -> Entity:
        """What is known of a gold actor; the actor must be of this article."""
        return self.entities[_forms_of(actor)]

    def named(self, text: str) -> Entity:
        """The actor that a gold text names, or, if it names none exactly, one that has only this name."""
        key = form(text, self.names.joined).key
        known = (entity for entity in self.entities.values() if key in entity.keys)
        return next(known, None) or _among(_entity((text,), self.names), self.entities.values())

    def is_match(self, actor: Named, predicted: str) -> bool:
        """Whether a predicted name means this gold actor."""
        return self.is_match_of(self.entity(actor), predicted)

    def is_match_of(self, entity: Entity, predicted: str) -> bool:
        """As `is_match`."""
        found = form(predicted, self.names.joined)
        if found.key in entity.keys or found.key in entity.rival_keys:
            return found.key in entity.keys
        return any(
            is_spelled_alike(own, found, self.names) or is_short(own, found, entity.rival_words, self.names)
            for own in entity.forms
        )

    def is_whole(self, actor: Named, predicted: str) -> bool:
        """Whether a predicted text is nothing but this gold actor's name: one mentioned in a longer text is not."""
        entity, found = self.entity(actor), form(predicted, self.names.joined)
        if found.key in entity.keys or found.key in entity.rival_keys:
            return found.key in entity.keys
        return any(is_spelled_alike(own, found, self.names) for own in entity.forms)


@lru_cache(maxsize=1 << 15)
def form(name: str, joined: tuple[str, ...]) -> Form:
    """A name as it is compared."""
    words = _WORD.findall(normalise(name).replace('"', ""))
    return Form("".join(words), _join(words, joined))


@lru_cache(maxsize=1 << 16)
def is_spelled_alike(one: Form, other: Form, names: NameMatching) -> bool:
    """Whether two names differ in spelling only: as wholes, and word by word."""
    if len(one.words) != len(other.words) or _ratio(one.key, other.key) < names.ratio:
        return False
    # Of two names with as many words neither is the shorter: each must find its words in the other.
    return _has_partners(one, other, names) and _has_partners(other, one, names)


def is_short(one: Form, other: Form, rivals: frozenset[str], names: NameMatching) -> bool:
    """Whether the words of one are among the other's, and one of them tells this actor from its rivals."""
    ours, theirs = frozenset(one.words), frozenset(other.words)
    if not (ours <= theirs or theirs <= ours):
        return False
    return any(sum(map(str.isalpha, word)) >= names.letters for word in (ours & theirs) - rivals)


def _has_partners(one: Form, other: Form, names: NameMatching) -> bool:
    return all(any(_ratio(word, partner) >= names.token_ratio for partner in other.words) for word in one.words)


def _ratio(one: str, other: str) -> float:
    from rapidfuzz import fuzz  # loaded only where names are compared

    return fuzz.ratio(one, other)


def _join(words: Sequence[str], joined: tuple[str, ...]) -> tuple[str, ...]:
    """Words with «عبد», «أبو», «بن», «آل» joined to the word that follows."""
    whole, prefix = [], ""
    for word in words:
        prefix += word
        if word not in joined:
            whole.append(prefix)
            prefix = ""
    return (*whole, prefix) if prefix else tuple(whole)


def _forms_of(actor: Named) -> tuple[str, ...]:
    return (actor.name, *actor.aliases)


def _entity(texts: tuple[str, ...], names: NameMatching) -> Entity:
    forms = tuple(form(text, names.joined) for text in texts)
    return Entity(forms[0].key, forms, frozenset(one.key for one in forms))


def _among(entity: Entity, others: Iterable[Entity]) -> Entity:
    """The entity with the forms of all the others, so that it can be told from them."""
    rivals = [other for other in others if not other.is_same(entity)]
    words = frozenset(word for rival in rivals for one in rival.forms for word in one.words)
    keys = frozenset(key for rival in rivals for key in rival.keys)
    return Entity(entity.name, entity.forms, entity.keys, keys, words)
