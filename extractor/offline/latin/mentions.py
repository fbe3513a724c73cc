"""Mentions: the actors of an English or French article, found by capitals, offices, titles and heads of bodies."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.latin.parts import (
    DETERMINERS,
    JOINERS,
    OF,
    PEOPLES,
    KnownNames,
    LatinPhraseReader,
    table,
)
from mahdar.offline.latin.tokens import TokenizedSentence
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention, MentionKind
from mahdar.resolving.countries import CountryForm, country_of

_OWN: Final = word_group("mentions.own", "latin/names")
_PAIRS: Final = word_group("mentions.pairs", "latin/names")
_STATES: Final = word_group("mentions.states", "latin/names")
_DEFINITE: Final = word_group("mentions.definite", "latin/names")
_BOTH: Final = word_group("mentions.both", "latin/names")
_TOP: Final = word_group("mentions.top", "latin/names")
_PLAIN_PAIRS: Final = word_group("mentions.plain_pairs", "latin/names")


class LatinMentionReader(LatinPhraseReader):
    """Reads one sentence from left to right, each token once."""

    def mentions(self) -> Iterator[ActorMention]:
        """All that are found, in order."""
        at = 0
        while at < len(self.tokens):
            found = next((one for read in self._readers() if (one := read(at)) is not None), None)
            if found is None:
                at += 1
            else:
                told, at = found
                yield from told

    def _readers(self) -> tuple[Callable[[int], tuple[list[ActorMention], int] | None], ...]:
        return self._pair, self._sides, self._group, self._office, self._titled, self._body, self._name, self._country

    def _pair(self, at: int) -> tuple[list[ActorMention], int] | None:
        """Finds "the two leaders", « les deux parties », "both sides"; "the leaders" where nothing tells whose."""
        key = self._key(at)
        first = at + (key in DETERMINERS)
        if self._key(first) in _BOTH and self._key(first + 1) in _PAIRS and not self._goes_on(first + 2):
            return [self._mention(first, first + 2, "pair")], first + 2
        plain = key in {"the", "les"} and self._key(at + 1) in _PLAIN_PAIRS
        if plain and not self._goes_on(at + 2):
            return [self._mention(at + 1, at + 2, "pair")], at + 2
        return None

    def _goes_on(self, at: int) -> bool:
        """Whether a complement or a country follows a noun."""
        return self._key(at) in {"of", "de", "du", "des", "d'"} or self._adjective(at) is not None

    def _group(self, at: int) -> tuple[list[ActorMention], int] | None:
        """People who act as one: "the rebels", « Les Palestiniens »."""
        if self._key(at) in _STATES and self._key(at + 1) in PEOPLES:
            first, stop = at - (self._key(at - 1) in PEOPLES), at + 1 + (self._key(at + 1) in PEOPLES)
            return [self._mention(first, stop, "people")], stop
        if self.tokens[at].key not in table("groups"):
            return None
        stop = at + 1
        while (behind := self._adjective(stop)) is not None:
            stop = behind
        first = at
        while first > 0 and self._adjective(first - 1) == first:
            first -= 1
        return [self._mention(first, stop, "people", code=country_of(self.sentence.piece(first, stop)))], stop

    def _sides(self, at: int) -> tuple[list[ActorMention], int] | None:
        """The Greek and Turkish delegations, « les délégations de Tunisie et du Maroc »: one of each country."""
        told = self._sides_behind(at)
        if told is None:
            return None
        places, stop = told
        found = [self._mention(one, self.countries[one][0], "country", self.countries[one][1].code) for one in places]
        whole = self._mention(at, self.countries[places[0]][0], "country", found[0].country)
        found[0] = replace(whole, name=found[0].name)
        return found, stop

    def _sides_behind(self, at: int) -> tuple[list[int], int] | None:
        head = at
        while self._key(head) in table("modifiers") and self.sentence.language == "en":
            head += 1
        if self._key(head) not in _PAIRS or (
            self.sentence.language == "en" and self._key(head + 1) not in {"from", "of"}
        ):
            return None
        places, stop, last = [], head + 1, head + 1
        while stop in self.countries or self._key(stop) in JOINERS | {",", "des", "entre", "from"}:
            if stop in self.countries:
                places.append(stop)
                last = self.countries[stop][0]
            stop = self.countries[stop][0] if stop in self.countries else stop + 1
        return (places, last) if len(places) > 1 else None

    def _office(self, at: int) -> tuple[list[ActorMention], int] | None:
        """An office, with a name behind it, or alone."""
        office = self._office_at(at)
        if office is None:
            return None
        stop = office.stop
        if not office.is_plural and (named := self._name_behind(office)) is not None:
            told = self.sentence.piece(office.first, stop)
            person = self._person(named[0], named[1], told, office.first)
            return [person], max(named[2], self.sentence.number(person.end - self.sentence.line.start - 1) + 1)
        bound = office.is_bound
        if not bound and self._key(office.first - 1) not in _DEFINITE:
            return [], stop
        return [self._mention(office.first, stop, "role" if bound else "short")], stop

    def _titled(self, at: int) -> tuple[list[ActorMention], int] | None:
        """A title and a name: "Mr. Vance", « l'amiral Mullen »."""
        name = self._titles(at)
        if name == at:
            return None
        stop = self._name_end(name)
        if stop == name:
            return None
        return [self._person(name, stop, None, at)], stop

    def _body(self, at: int) -> tuple[list[ActorMention], int] | None:
        """A ministry, a league, a movement, an acronym."""
        stop = self._body_end(at)
        if stop is None:
            return None
        return [self._mention(at, stop, "body")], stop

    def _name(self, at: int) -> tuple[list[ActorMention], int] | None:
        """A name that no office announces: two capitals and more, or one that is known from elsewhere."""
        stop = self._name_end(at)
        if stop == at:
            return None
        known = self._known(at, stop)
        if known is None and (stop - at < 2 or self._is_thing(at, stop)):
            return ([], stop) if stop - at > 1 else None
        office = self._office_behind(stop)
        told = self.sentence.piece(office.first, office.stop) if office else None
        person = self._person(at, stop, told, at)
        return [person], office.stop if office else stop

    def _country(self, at: int) -> tuple[list[ActorMention], int] | None:
        """A country by its name, or by its capital."""
        found = self.countries.get(at)
        if found is None or not self.tokens[at].is_capital:
            return None
        stop, one = found
        if one.kind is CountryForm.CITY:
            return [self._mention(at, stop, "country", code=one.code)], stop
        if self._adjective(at) is not None:
            return None
        return [self._mention(at, stop, "country", code=one.code)], stop

    def _mention(self, first: int, stop: int, kind: MentionKind, code: str | None = None) -> ActorMention:
        start, end = self.tokens[first].start, self.tokens[stop - 1].end
        text = self.sentence.line.text[start:end]
        country = code or country_of(text, article=self.sentence.line.article)
        base = self.sentence.line.start
        office = text if kind == "role" else None
        return ActorMention(base + start, base + end, text, kind, text, office, None, country)

    def _person(self, at: int, stop: int, office: str | None, first: int) -> ActorMention:
        name = self.sentence.piece(at, stop)
        full = self._known(at, stop) or name
        end = stop
        mention = self._mention(first, end, "person")
        country = country_of(office, article=self.sentence.line.article)
        return replace(mention, name=full, office=office, country=country)


def found_in(sentences: Sequence[TokenizedSentence]) -> tuple[ActorMention, ...]:
    """The mentions of an article, persons under their fullest names, offices alone under their holders'."""
    known = KnownNames()
    for mention in _all(sentences, known):
        if mention.kind == "person":
            known.enter(mention.name)
    found = list(_all(sentences, known))
    return tuple(_resolved(found))


def _all(sentences: Iterable[TokenizedSentence], known: KnownNames) -> Iterator[ActorMention]:
    told = (sentence for sentence in sentences if not sentence.is_heading)
    return (mention for sentence in told for mention in LatinMentionReader(sentence, known).mentions())


def _resolved(found: Sequence[ActorMention]) -> Iterator[ActorMention]:
    """Mentions with « le président » as whoever had that office before; those that stay nobody are left out."""
    people = [one for one in found if one.kind == "person"]
    for mention in found:
        if mention.kind == "short":
            meant = _meant(mention, found)
            kind: MentionKind = "role" if fold(mention.name.rsplit(None, 1)[-1]) in table("heads") else "body"
            if meant is not None:
                yield replace(mention, kind=meant.kind, name=meant.name, country=meant.country)
            elif not fold(mention.name).endswith("s"):
                yield replace(mention, kind=kind, office=mention.name if kind == "role" else None)
        elif mention.kind == "country" and _LEADERS.match(mention.text):
            yield _leader(mention, people) or mention
        else:
            yield mention


def _office_keys(text: str) -> frozenset[str]:
    return frozenset(fold(word).strip(".,'\"") for word in re.split(r"[\s'’]+", text)) - OF - {"s", ""}


_LEADERS: Final = re.compile(r"dirigeant|leader|chefs? d['’]Etat|[a-zà-ÿ]+$")
"""What a country told by its leaders is written as: « dirigeants soudanais », and « israéliens » behind."""


def _leader(told: ActorMention, people: Sequence[ActorMention]) -> ActorMention | None:
    """« les dirigeants grecs et chypriotes »: the one person who leads a country in this article."""
    leads = [one for one in people if one.country == told.country and one.office and _office_keys(one.office) & _TOP]
    names = {one.name for one in leads}
    return replace(told, kind="person", name=leads[0].name) if len(names) == 1 else None


def _meant(short: ActorMention, found: Sequence[ActorMention]) -> ActorMention | None:
    """Whom «the president» means: the last before with that head."""
    head = fold(short.name.split()[-1])
    offices: dict[str, set[str]] = {}
    for one in found:
        told = one.office if one.kind == "person" else one.name if one.kind in {"role", "body", "delegation"} else ""
        offices.setdefault(one.name, set()).update(_office_keys(told or ""))
    before = (one for one in reversed(found) if one.end <= short.start and one.kind != "short")
    fitting = [one for one in before if head in offices[one.name]]
    return None if not fitting else fitting[0]
