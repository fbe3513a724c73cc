"""Match a predicted name with an actor of the labels.

Two names match by spelling, or if one is short for the other; a name that is exactly another actor's matches only that
actor. More tolerant similarities (token sets, weighted ratios) would match people who share a first name.
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
    """A gold actor: a name and its other acceptable forms."""

    @property
    def name(self) -> str:
        """Fullest form of the name."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other forms of the name."""


@dataclass(frozen=True, slots=True)
class Form:
    """A folded name for comparison: as one string without spaces and punctuation, and as words."""

    key: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """Forms of a gold actor as one record names it, and the forms of the article's other actors."""

    name: str
    """key of the fullest form"""
    forms: tuple[Form, ...]
    keys: frozenset[str]
    rival_keys: frozenset[str] = frozenset()
    rival_words: frozenset[str] = frozenset()

    def is_same(self, other: "Entity") -> bool:
        """Return whether two records mean one actor: the name of one is a form of the other.

        A shared form is not enough: there may be two «وزير الخارجية».
        """
        return self.name in other.keys or other.name in self.keys


@dataclass(frozen=True, slots=True)
class Cast:
    """The gold actors of one article."""

    entities: dict[tuple[str, ...], Entity]
    names: NameMatching

    @classmethod
    def of(cls, actors: Iterable[Named], names: NameMatching) -> "Cast":
        """Return the cast in which every actor knows the forms of the others."""
        plain = {_forms_of(actor): _entity(_forms_of(actor), names) for actor in actors}
        return cls({forms: _among(entity, plain.values()) for forms, entity in plain.items()}, names)

    def entity(self, actor: Named) -> Entity:
        """Return the entity of a gold actor of this article."""
        return self.entities[_forms_of(actor)]

    def named(self, text: str) -> Entity:
        """Return the actor that a gold text names exactly, or else a new one with this only name."""
        key = form(text, self.names.joined).key
        known = (entity for entity in self.entities.values() if key in entity.keys)
        return next(known, None) or _among(_entity((text,), self.names), self.entities.values())

    def is_match(self, actor: Named, predicted: str) -> bool:
        """Return whether a predicted name means this gold actor."""
        return self.is_match_of(self.entity(actor), predicted)

    def is_match_of(self, entity: Entity, predicted: str) -> bool:
        """Return whether a predicted name means this entity."""
        found = form(predicted, self.names.joined)
        if found.key in entity.keys or found.key in entity.rival_keys:
            return found.key in entity.keys
        return any(
            is_spelled_alike(own, found, self.names) or is_short(own, found, entity.rival_words, self.names)
            for own in entity.forms
        )

    def is_whole(self, actor: Named, predicted: str) -> bool:
        """Return whether a predicted text is only this gold actor's name, and not a longer text that mentions it."""
        entity, found = self.entity(actor), form(predicted, self.names.joined)
        if found.key in entity.keys or found.key in entity.rival_keys:
            return found.key in entity.keys
        return any(is_spelled_alike(own, found, self.names) for own in entity.forms)


@lru_cache(maxsize=1 << 15)
def form(name: str, joined: tuple[str, ...]) -> Form:
    """Fold a name for comparison; `joined` are words that are joined to the next one."""
    words = _WORD.findall(normalise(name).replace('"', ""))
    return Form("".join(words), _join(words, joined))


@lru_cache(maxsize=1 << 16)
def is_spelled_alike(one: Form, other: Form, names: NameMatching) -> bool:
    """Return whether two names differ only in spelling, as a whole and word by word."""
    if len(one.words) != len(other.words) or _ratio(one.key, other.key) < names.ratio:
        return False
    # Both have equally many words, so neither is the shorter: each must find its words in the other.
    return _has_partners(one, other, names) and _has_partners(other, one, names)


def is_short(one: Form, other: Form, rivals: frozenset[str], names: NameMatching) -> bool:
    """Return whether one name's words are a subset of the other's, with one that no rival has."""
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
    """Join «عبد», «أبو», «بن», «آل» to the word that follows."""
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
    """Return the entity with the forms of the other actors as its rivals."""
    rivals = [other for other in others if not other.is_same(entity)]
    words = frozenset(word for rival in rivals for one in rival.forms for word in one.words)
    keys = frozenset(key for rival in rivals for key in rival.keys)
    return Entity(entity.name, entity.forms, entity.keys, keys, words)
