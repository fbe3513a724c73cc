"""Mentions: the actors of an English or French article, found by capitals, offices, titles and heads of bodies."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.latin.parts import (
    ACRONYM,
    ADJECTIVAL,
    DETERMINERS,
    JOINERS,
    LETTERS,
    OF,
    PEOPLES,
    STATES_ALIKE,
    Known,
    Office,
    Parts,
    table,
)
from mahdar.offline.latin.tokens import Sentence
from mahdar.offline.mention import Mention, MentionKind
from mahdar.resolving.countries import CountryForm, country_of, listed

_OWN: Final = listed("his her their its son sa ses leur leurs")
_PAIRS: Final = listed(
    """
    sides leaders presidents countries ministers parties men nations officials governments states kings delegations
    diplomats chiefs cotes dirigeants presidents pays ministres parties hommes nations responsables gouvernements
    etats delegations chefs diplomates
    """
)
_STATES: Final = listed(
    """
    states countries nations governments etats pays nations gouvernements capitales capitals powers puissances
    """
)
_DEFINITE: Final = listed("the le la l' ce cet cette this du au")
_BOTH: Final = listed("two both deux")
_TOP: Final = listed(
    """
    president minister premier king emir sultan prince chancellor ministre roi premier chancelier leader
    """
)
"""Heads of those whom « les dirigeants » of a country may mean."""
_ROYAL: Final = listed("roi king emir sultan reine queen prince princess princesse")
_PLAIN_PAIRS: Final = listed("leaders dirigeants presidents sides delegations")


class Scan(Parts):
    """Reads one sentence from left to right, each token once."""

    def mentions(self) -> Iterator[Mention]:
        """All that are found, in order."""
        at = 0
        while at < len(self.tokens):
            found = next((one for read in self._readers() if (one := read(at)) is not None), None)
            if found is None:
                at += 1
            else:
                told, at = found
                yield from told

    def _readers(self) -> tuple[Callable[[int], tuple[list[Mention], int] | None], ...]:
        return self._pair, self._sides, self._group, self._office, self._titled, self._body, self._name, self._country

    def _pair(self, at: int) -> tuple[list[Mention], int] | None:
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

    def _group(self, at: int) -> tuple[list[Mention], int] | None:
        """People who act as one: "the rebels", « Les Palestiniens »."""
        found = self.countries.get(at)
        text = self.tokens[at].text
        if (
            found
            and found[0] == at + 1
            and found[1].kind is CountryForm.NAME
            and text[0].isupper()
            and self._is_people(at)
        ):
            return [self._mention(at, at + 1, "people", code=found[1].code)], at + 1
        if self._key(at) in PEOPLES and self._key(at + 1) in table("heads") and self._key(at + 1).endswith("s"):
            return [self._mention(at, at + 2, "people")], at + 2
        if self._key(at) in _STATES and (self._key(at + 1) in PEOPLES or self._key(at - 1) in PEOPLES):
            first, stop = at - (self._key(at - 1) in PEOPLES), at + 1 + (self._key(at + 1) in PEOPLES)
            return [self._mention(first, stop, "people")], stop
        if self.tokens[at].key not in table("groups"):
            return None
        stop = at + 1
        while self._adjective(stop):
            stop = self._adjective(stop) or stop
        first = at
        while first > 0 and self._adjective(first - 1) == first:
            first -= 1
        return [self._mention(first, stop, "people", code=country_of(self.sentence.piece(first, stop)))], stop

    def _sides(self, at: int) -> tuple[list[Mention], int] | None:
        """The Greek and Turkish delegations, « les délégations de Tunisie et du Maroc »: one of each country."""
        told = self._sides_before(at) if self.sentence.language == "en" else None
        told = told or self._sides_behind(at)
        if told is None:
            return None
        places, stop = told
        found = [self._mention(one, self.countries[one][0], "country", self.countries[one][1].code) for one in places]
        if self.sentence.language == "en" and stop > self.countries[places[-1]][0]:
            kind: MentionKind = "delegation" if self._key(stop - 1) == "delegations" else "country"
            found[-1] = self._mention(places[-1], stop, kind, self.countries[places[-1]][1].code)
        else:
            whole = self._mention(at, self.countries[places[0]][0], "country", found[0].country)
            found[0] = replace(whole, name=found[0].name)
        return found, stop

    def _sides_before(self, at: int) -> tuple[list[int], int] | None:
        places, stop = [], at
        while stop in self.countries and (
            self._adjective(stop) == self.countries[stop][0] or self._key(stop) in LETTERS
        ):
            places.append(stop)
            stop = self.countries[stop][0]
            while self._key(stop) in {",", "and"}:
                stop += 1
        while self._key(stop) in table("modifiers"):
            stop += 1
        return (places, stop + 1) if len(places) > 1 and self._key(stop) in _PAIRS else None

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

    def _is_people(self, at: int) -> bool:
        word = self.tokens[at].key
        adjective = word.endswith("s") and ADJECTIVAL.fullmatch(word.removesuffix("s")) is not None
        return (
            adjective
            and word not in STATES_ALIKE
            and word.removesuffix("s") not in STATES_ALIKE
            and self.sentence.key(at + 1) not in table("heads")
        )

    def _office(self, at: int) -> tuple[list[Mention], int] | None:
        """An office, with a name behind it, or alone."""
        office = self._office_at(at)
        if office is None:
            return None
        stop = office.stop
        if (outer := self._served(office)) is not None:
            return outer
        if not office.is_plural and (named := self._name_behind(office)) is not None:
            told = self.sentence.piece(office.first, stop)
            person = self._person(named[0], named[1], told, office.first)
            return [person], max(named[2], self.sentence.number(person.end - self.sentence.line.start - 1) + 1)
        if office.is_plural:
            return self._several(office)
        own = self._key(at - 1) in _OWN or self._key(at - 2) in _OWN
        bound = office.is_bound or (own and office.stop - office.first > 1)
        if not bound and self._key(office.first - 1) not in _DEFINITE:
            return [], stop
        return [self._mention(office.first, stop, "role" if bound else "short")], stop

    def _served(self, office: Office) -> tuple[list[Mention], int] | None:
        """« conseiller du président Luis Ortega, Paul Martin »: the first name is that of whom the office serves."""
        serves = any(
            self._key(one) in _TOP and self._key(one - 1) in {"of", "du", "to", "for", "the"}
            for one in range(office.first + 1, office.stop)
        )
        stop = self._name_end(office.stop)
        if not serves or stop == office.stop or self._key(office.stop - 1) not in _TOP:
            return None
        if self._key(stop) in {"pour", "for", "on"} and self._complement_step(stop + 2) is not None:
            stop += 2
            while self._key(stop) in table("matters") | table("modifiers") | JOINERS:
                stop += 1
        whole = Office(office.first, stop, office.head, is_bound=True, is_plural=False)
        if (named := self._name_behind(whole)) is not None:
            return [self._person(named[0], named[1], self.sentence.piece(office.first, stop), office.first)], named[2]
        return [self._mention(office.first, stop, "role")], stop

    def _several(self, office: Office) -> tuple[list[Mention], int]:
        """« les dirigeants grec et chypriote », "the foreign ministers of Egypt and Jordan": one of each."""
        told = [(at, found) for at, found in self.countries.items() if office.first <= at < office.stop]
        if len(told) < 2:
            kind: MentionKind = "people" if office.is_bound else "short"
            return [self._mention(office.first, office.stop, kind)], office.stop
        found = [self._mention(at, stop, "country", code=one.code) for at, (stop, one) in told]
        if self.sentence.language == "fr":
            found[0] = self._mention(office.first, told[0][1][0], "country", code=told[0][1][1].code)
        return found, office.stop

    def _titled(self, at: int) -> tuple[list[Mention], int] | None:
        """A title and a name: "Mr. Vance", « l'amiral Mullen »."""
        name = self._titles(at)
        if name == at:
            return None
        stop = self._name_end(name)
        if stop == name:
            return None
        return [self._person(name, stop, None, at)], stop

    def _body(self, at: int) -> tuple[list[Mention], int] | None:
        """A ministry, a league, a movement, an acronym."""
        known = self.countries.get(at)
        if known is not None and known[1].kind is CountryForm.BODY and self.tokens[at].is_capital:
            end = max(known[0], self._body_end(at) or 0)
            return [self._mention(at, end, "body", code=known[1].code)], end
        stop = self._body_end(at)
        if stop is None:
            return None
        text = self.sentence.piece(at, stop)
        kind: MentionKind = "delegation" if "delegation" in fold(text) else "body"
        bare = stop == at + 1 and self._key(at) not in table("alone") and not ACRONYM.fullmatch(self.tokens[at].text)
        if bare and not self.tokens[at].is_capital:
            if self._key(at - 1) not in _DEFINITE:
                return None
            kind = "short"
        mention = self._mention(at, stop, kind)
        if full := self.known.bodies.get(text):
            mention = replace(mention, name=full)
        if self._key(stop) == "(" and self._key(stop + 2) == ")" and ACRONYM.fullmatch(self.tokens[stop + 1].text):
            self.known.bodies[self.tokens[stop + 1].text] = text
            return [mention], stop + 3
        return [mention], stop

    def _name(self, at: int) -> tuple[list[Mention], int] | None:
        """A name that no office announces: two capitals and more, or one that is known from elsewhere."""
        stop = self._name_end(at)
        if stop == at:
            return None
        known = self._known(at, stop)
        country = self._possessor(at)
        if known is None and country is None and (stop - at < 2 or self._is_thing(at, stop)):
            return ([], stop) if stop - at > 1 else None
        office = self._office_behind(stop)
        told = self.sentence.piece(office.first, office.stop) if office else None
        person = self._person(at, stop, told, at)
        return [replace(person, country=person.country or country)], office.stop if office else stop

    def _possessor(self, at: int) -> str | None:
        """«Turkey's Erdogan»: the country whose name stands before a name."""
        before = next((one for one, (stop, _) in self.countries.items() if stop == at - 1), None)
        return self.countries[before][1].code if before is not None and self._key(at - 1) == "'s" else None

    def _country(self, at: int) -> tuple[list[Mention], int] | None:
        """A country by its name, or by its capital."""
        found = self.countries.get(at)
        if found is None or not self.tokens[at].is_capital:
            return None
        stop, one = found
        if {self._key(at - 1), self._key(stop)} & {"-", "–"} and self._is_hyphened(at, stop):
            return [], stop
        if one.kind is CountryForm.CITY:
            return [self._mention(at, stop, "country", code=one.code)], stop
        if one.kind is not CountryForm.NAME or self._adjective(at) is not None:
            return None
        return [self._mention(at, stop, "country", code=one.code)], stop

    def _is_hyphened(self, at: int, stop: int) -> bool:
        """«U.S.-Egypt relations»."""
        text = self.sentence.line.text
        start, end = self.tokens[at].start, self.tokens[stop - 1].end
        return text[start - 1 : start] in {"-", "–"} or text[end : end + 1] in {"-", "–"}

    def _mention(self, first: int, stop: int, kind: MentionKind, code: str | None = None) -> Mention:
        start, end = self.tokens[first].start, self.tokens[stop - 1].end
        text = self.sentence.line.text[start:end]
        country = code or country_of(text, article=self.sentence.line.article)
        base = self.sentence.line.start
        office = text if kind == "role" else None
        return Mention(base + start, base + end, text, kind, text, office, None, country)

    def _person(self, at: int, stop: int, office: str | None, first: int) -> Mention:
        name = self.sentence.piece(at, stop)
        full = self._known(at, stop) or name
        end = stop
        if self._key(stop) in {"de", "d'", "du", "of"} and stop + 1 in self.countries and self._key(at - 1) in _ROYAL:
            end = self.countries[stop + 1][0]
            full = self.sentence.piece(at, end)
        mention = self._mention(first, end, "person")
        country = country_of(mention.text if end > stop else office, article=self.sentence.line.article)
        return replace(mention, name=full, office=office, country=country)


def found_in(sentences: Sequence[Sentence]) -> tuple[Mention, ...]:
    """The mentions of an article, persons under their fullest names, offices alone under their holders'."""
    known = Known()
    for mention in _all(sentences, known):
        if mention.kind == "person":
            known.enter(mention.name)
    found = list(_all(sentences, known))
    return tuple(_resolved(found))


def _all(sentences: Iterable[Sentence], known: Known) -> Iterator[Mention]:
    told = (sentence for sentence in sentences if not sentence.is_heading)
    return (mention for sentence in told for mention in Scan(sentence, known).mentions())


def _resolved(found: Sequence[Mention]) -> Iterator[Mention]:
    """Mentions with « le président » as whoever had that office before; those that stay nobody are left out."""
    people = [one for one in found if one.kind == "person"]
    for mention in found:
        if mention.kind == "role":
            holder = _holder(mention, people)
            yield replace(mention, kind="person", name=holder.name, office=None) if holder else mention
        elif mention.kind == "short":
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


def _holder(role: Mention, people: Sequence[Mention]) -> Mention | None:
    """The one person who is said to have an office of these words: «the Egyptian president»."""
    if "counterpart" in fold(role.name) or "homologue" in fold(role.name):
        return None
    wanted = _office_keys(role.name)
    held = [one for one in people if one.office and wanted <= _office_keys(one.office)]
    return held[0] if len({one.name for one in held}) == 1 else None


_LEADERS: Final = re.compile(r"dirigeant|leader|chefs? d['’]Etat|[a-zà-ÿ]+$")
"""What a country told by its leaders is written as: « dirigeants soudanais », and « israéliens » behind."""


def _leader(told: Mention, people: Sequence[Mention]) -> Mention | None:
    """« les dirigeants grecs et chypriotes »: the one person who leads a country in this article."""
    leads = [one for one in people if one.country == told.country and one.office and _office_keys(one.office) & _TOP]
    names = {one.name for one in leads}
    return replace(told, kind="person", name=leads[0].name) if len(names) == 1 else None


def _meant(short: Mention, found: Sequence[Mention]) -> Mention | None:
    """Whom «the president» means: the last before with that head."""
    head = fold(short.name.split()[-1])
    offices: dict[str, set[str]] = {}
    for one in found:
        told = one.office if one.kind == "person" else one.name if one.kind in {"role", "body", "delegation"} else ""
        offices.setdefault(one.name, set()).update(_office_keys(told or ""))
    before = (one for one in reversed(found) if one.end <= short.start and one.kind != "short")
    fitting = [one for one in before if head in offices[one.name]]
    several = len({one.name for one in fitting}) > 1 and fitting[0].kind == "body"
    return None if not fitting or several else fitting[0]
