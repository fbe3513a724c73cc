"""Mentions: the actors of an English or French article, found by capitals, offices, titles and heads of bodies."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from extractor.documents.folding import fold
from extractor.offline.actors import Mention, MentionKind
from extractor.offline.latin.lexicon import lexicon
from extractor.offline.latin.tokens import Sentence
from extractor.resolving.countries import Kind, country_of, listed

_FILE: Final = Path(__file__).with_name("names.toml")
_MOST_NAME_WORDS: Final = 6
_MOST_OFFICE_WORDS: Final = 16
_DETERMINERS: Final = listed(
    """
    the a an his her their its our this that some many le la les l' un une des du au aux son sa ses leur leurs cet
    cette ce plusieurs certains
    """
)
_OWN: Final = listed("his her their its son sa ses leur leurs")
_OF: Final = listed("of for to at in de du des d' a au aux pour pres chargee charge and et & the la le les l' en")
_JOINERS: Final = listed("and et & the la le les l' de du des d' a of")
_PAIRS: Final = listed(
    """
    sides leaders presidents countries ministers parties men nations officials governments states kings delegations
    diplomats chiefs cotes dirigeants presidents pays ministres parties hommes nations responsables gouvernements
    etats delegations chefs diplomates
    """
)
_PEOPLES: Final = listed(
    """
    arab arabe arabes kurdish kurde kurdes western occidental occidentaux occidentales african africain africaine
    africains africaines gulf
    """
)
_STATES: Final = listed(
    """
    states countries nations governments etats pays nations gouvernements capitales capitals powers puissances
    """
)
_COMPOSED: Final = frozenset(
    {
        ("house", "white"),
        ("state", "islamic"),
        ("jihad", "islamic"),
        ("islamique", "etat"),
        ("islamique", "jihad"),
        ("street", "downing"),
    }
)
_DEFINITE: Final = listed("the le la l' ce cet cette this du au")
_LETTERS: Final = listed("u.s. us u.k. uk u.n. un eu uae u.a.e.")
_BOTH: Final = listed("two both deux")
_TOP: Final = listed(
    """
    president minister premier king emir sultan prince chancellor ministre roi premier chancelier leader
    """
)
"""Heads of those whom « les dirigeants » of a country may mean."""
_ROYAL: Final = listed("roi king emir sultan reine queen prince princess princesse")
_INITIAL: Final = re.compile(r"[A-Z]\.")
_ROMAN: Final = re.compile(r"[IVX]{1,4}|1er|Ier")
_INSIDE: Final = listed("le la de du al el ben bin")
_ARTICLED: Final = re.compile(r"(?:al|el|ul|as|an|ad|ar)[-‑][A-Z]\w*(?:[-‑]\w+)*")
_ACRONYM: Final = re.compile(r"(?:[A-Z]\.){2,}|[A-Z]{2,6}")
_ADJECTIVAL: Final = re.compile(
    r"(?:u\.?s\.?|us|\w*(?:[^tp]ish|[ct]h|ese|s?ian|ican|yan|ccan|rman|ban|ghan|[dlniwrt]i|k|eek|wiss|a?ens?|iennes?|ais|aises?"
    r"|ois|oises?|ains?|aines?|es|is|russes?|turcs?|turques?|grecs?|grecques?|suisses?|belges?|arabes?|afghanes?|saudi|iraqi|qatari))"
)
_STATES_ALIKE: Final = listed(
    """
    mali haiti djibouti burundi fiji greece grece france netherlands states etats emirates emirats wales maldives
    indes britain spain bahrain ukraine sweden yemen liban denmark irak danemark etats-unis emirats-arabes-unis
    pays-bas seychelles philippines comores honduras chypre cyprus laos palestine suede
    """
)


_PLAIN_PAIRS: Final = listed("leaders dirigeants presidents sides delegations")
_OF_NAME: Final = listed("de d' l' la du des of for")
_OF_BODY: Final = listed("of de du des d' and et in a the la l' le les")
_OF_COUNTRY: Final = listed("of in the de d' du des a la l'")


@cache
def _words(name: str) -> frozenset[str]:
    return listed(_tables()[name])


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@dataclass(slots=True)
class Known:
    """Who an article has named: surname → full name, and acronym → body."""

    people: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)

    def enter(self, name: str) -> None:
        """Remember a full name by its last word, with and without its article, and by its last two."""
        keys = name_keys(name)
        for key in {keys[-1], _ARTICLE.sub("", keys[-1]), " ".join(keys[-2:])} if keys else ():
            if len(name) >= len(self.people.get(key, "")) or self.people[key].split()[0] != name.split(maxsplit=1)[0]:
                self.people[key] = name


_ARTICLE: Final = re.compile(r"^(?:al|el)[-‑](?=\w{3})")
"""«al-Sisi» is named again as «Sisi»."""


def name_keys(name: str) -> list[str]:
    """The words of a name by which it is known again: folded, without "Jr."."""
    words = [fold(word).replace('"', "'").strip(".,") for word in name.split()]
    return [word for word in words if word and word not in {"jr", "sr"}]


@dataclass(frozen=True, slots=True)
class _Office:
    """An office read from tokens: where it begins and ends, and whether it tells whose it is."""

    first: int
    stop: int
    head: str
    is_bound: bool
    is_plural: bool


class Scan:
    """Reads one sentence from left to right, each token once."""

    def __init__(self, sentence: Sentence, known: Known) -> None:
        self.sentence = sentence
        self.tokens = sentence.tokens
        self.known = known
        self.words = lexicon(sentence.language)
        self.countries = {
            at: (sentence.number(one.end - 1) + 1, one)
            for one in sentence.line.countries
            if self._is_whole(at := sentence.number(one.start), one.start)
        }

    def _is_whole(self, at: int, start: int) -> bool:
        return at < len(self.tokens) and self.tokens[at].start == start

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

    # -- readers ---------------------------------------------------------------------------------------------------

    def _pair(self, at: int) -> tuple[list[Mention], int] | None:
        """Finds "the two leaders", « les deux parties », "both sides"; "the leaders" where nothing tells whose."""
        key = self._key(at)
        first = at + (key in _DETERMINERS)
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
        if found and found[0] == at + 1 and found[1].kind is Kind.NAME and text[0].isupper() and self._is_people(at):
            return [self._mention(at, at + 1, "people", code=found[1].code)], at + 1
        if self._key(at) in _PEOPLES and self._key(at + 1) in _words("heads") and self._key(at + 1).endswith("s"):
            return [self._mention(at, at + 2, "people")], at + 2
        if self._key(at) in _STATES and (self._key(at + 1) in _PEOPLES or self._key(at - 1) in _PEOPLES):
            first, stop = at - (self._key(at - 1) in _PEOPLES), at + 1 + (self._key(at + 1) in _PEOPLES)
            return [self._mention(first, stop, "people")], stop
        if self.tokens[at].key not in _words("groups"):
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
            self._adjective(stop) == self.countries[stop][0] or self._key(stop) in _LETTERS
        ):
            places.append(stop)
            stop = self.countries[stop][0]
            while self._key(stop) in {",", "and"}:
                stop += 1
        while self._key(stop) in _words("modifiers"):
            stop += 1
        return (places, stop + 1) if len(places) > 1 and self._key(stop) in _PAIRS else None

    def _sides_behind(self, at: int) -> tuple[list[int], int] | None:
        head = at
        while self._key(head) in _words("modifiers") and self.sentence.language == "en":
            head += 1
        if self._key(head) not in _PAIRS or (
            self.sentence.language == "en" and self._key(head + 1) not in {"from", "of"}
        ):
            return None
        places, stop, last = [], head + 1, head + 1
        while stop in self.countries or self._key(stop) in _JOINERS | {",", "des", "entre", "from"}:
            if stop in self.countries:
                places.append(stop)
                last = self.countries[stop][0]
            stop = self.countries[stop][0] if stop in self.countries else stop + 1
        return (places, last) if len(places) > 1 else None

    def _is_people(self, at: int) -> bool:
        word = self.tokens[at].key
        adjective = word.endswith("s") and _ADJECTIVAL.fullmatch(word.removesuffix("s")) is not None
        return (
            adjective
            and word not in _STATES_ALIKE
            and word.removesuffix("s") not in _STATES_ALIKE
            and self.sentence.key(at + 1) not in _words("heads")
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

    def _served(self, office: _Office) -> tuple[list[Mention], int] | None:
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
            while self._key(stop) in _words("matters") | _words("modifiers") | _JOINERS:
                stop += 1
        whole = _Office(office.first, stop, office.head, is_bound=True, is_plural=False)
        if (named := self._name_behind(whole)) is not None:
            return [self._person(named[0], named[1], self.sentence.piece(office.first, stop), office.first)], named[2]
        return [self._mention(office.first, stop, "role")], stop

    def _several(self, office: _Office) -> tuple[list[Mention], int]:
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

    def _titles(self, at: int) -> int:
        stop = at
        while stop < len(self.tokens) and self.tokens[stop].key.rstrip(".") in _words("titles"):
            lower = self.tokens[stop].text in {"m", "major", "gen", "col", "sen", "premier"}
            if lower or (self.tokens[stop].text.casefold() == "m" and self._key(stop + 1) != "."):
                break
            stop += 1
            stop += self._key(stop) == "." and stop + 1 < len(self.tokens) and self.tokens[stop + 1].is_capital
        return stop

    def _body(self, at: int) -> tuple[list[Mention], int] | None:
        """A ministry, a league, a movement, an acronym."""
        known = self.countries.get(at)
        if known is not None and known[1].kind is Kind.BODY and self.tokens[at].is_capital:
            end = max(known[0], self._body_end(at) or 0)
            return [self._mention(at, end, "body", code=known[1].code)], end
        stop = self._body_end(at)
        if stop is None:
            return None
        text = self.sentence.piece(at, stop)
        kind: MentionKind = "delegation" if "delegation" in fold(text) else "body"
        bare = stop == at + 1 and self._key(at) not in _words("alone") and not _ACRONYM.fullmatch(self.tokens[at].text)
        if bare and not self.tokens[at].is_capital:
            if self._key(at - 1) not in _DEFINITE:
                return None
            kind = "short"
        mention = self._mention(at, stop, kind)
        if full := self.known.bodies.get(text):
            mention = replace(mention, name=full)
        if self._key(stop) == "(" and self._key(stop + 2) == ")" and _ACRONYM.fullmatch(self.tokens[stop + 1].text):
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

    def _known(self, at: int, stop: int) -> str | None:
        keys = name_keys(self.sentence.piece(at, stop))
        if not keys:
            return None
        return (
            self.known.people.get(" ".join(keys))
            or self.known.people.get(" ".join(keys[-2:]))
            or (self.known.people.get(keys[-1]) if len(keys) == 1 else None)
        )

    def _country(self, at: int) -> tuple[list[Mention], int] | None:
        """A country by its name, or by its capital."""
        found = self.countries.get(at)
        if found is None or not self.tokens[at].is_capital:
            return None
        stop, one = found
        if {self._key(at - 1), self._key(stop)} & {"-", "–"} and self._is_hyphened(at, stop):
            return [], stop
        if one.kind is Kind.CITY:
            return [self._mention(at, stop, "country", code=one.code)], stop
        if one.kind is not Kind.NAME or self._adjective(at) is not None:
            return None
        return [self._mention(at, stop, "country", code=one.code)], stop

    def _is_hyphened(self, at: int, stop: int) -> bool:
        """«U.S.-Egypt relations»."""
        text = self.sentence.line.text
        start, end = self.tokens[at].start, self.tokens[stop - 1].end
        return text[start - 1 : start] in {"-", "–"} or text[end : end + 1] in {"-", "–"}

    # -- parts -----------------------------------------------------------------------------------------------------

    def _key(self, at: int) -> str:
        return self.sentence.key(at)

    def _country_word(self, at: int) -> int | None:
        """The token behind a country's adjective, or behind a country's name with "'s"."""
        found = self.countries.get(at)
        if found is not None and found[1].kind is Kind.NAME and self._key(found[0]) == "'s":
            return found[0] + 1
        return self._adjective(at)

    def _adjective(self, at: int) -> int | None:
        """The token behind a country's adjective; None where none stands here."""
        if self._key(at) in _PEOPLES:
            return at + 1
        found = self.countries.get(at)
        if found is None or found[1].kind != Kind.NAME:
            return None
        stop, word = found[0], self._key(at)
        if self.sentence.language == "fr":
            return stop if self.tokens[at].text[0].islower() else None
        if word in _LETTERS:
            return stop if self._is_noun(stop) else None
        lower = self.tokens[at].text[0].islower()
        fits = _ADJECTIVAL.fullmatch(word) is not None and word not in _STATES_ALIKE and stop == at + 1
        return stop if lower or fits else None

    def _is_noun(self, at: int) -> bool:
        """Whether a word is none of the grammar's, and no verb: "U.S. support"."""
        if at >= len(self.tokens) or not self.tokens[at].is_word:
            return False
        if self._key(at) in _words("heads") | _words("modifiers") | _words("bodies"):
            return True
        grammar = _words("common") | self.words.words["auxiliaries"]
        verb = any(form == "finite" for _, form in self.words.of(self.tokens[at].text))
        return self._key(at) not in grammar and not verb

    def _office_at(self, at: int) -> _Office | None:
        """Read an office word by word; it must hold a head."""
        if not self._may_begin(at):
            return None
        stop, head, bound, plural = at, "", False, False
        while stop < len(self.tokens) and stop - at < _MOST_OFFICE_WORDS:
            step = self._office_step(stop, headed=bool(head))
            if step is None:
                break
            key = self._key(stop)
            if key in _words("heads") and not (head and self._key(stop - 1) in {"of", "the"}):
                head, plural = head or key, plural or (key.endswith("s") and not key.endswith("ss"))
            bound = bound or stop in self.countries or (bool(head) and stop > at and self._key(stop - 1) in _OF)
            stop = step
        while stop > at and self._key(stop - 1) in _OF | {",", "-"}:
            stop -= 1
        if not head or stop == at or not self._is_head_inside(at, stop):
            return None
        return _Office(at, stop, head, bound or stop - at > 1, plural)

    def _is_head_inside(self, at: int, stop: int) -> bool:
        return any(self._key(one) in _words("heads") for one in range(at, stop))

    def _may_begin(self, at: int) -> bool:
        """Whether an office may begin at a token: not inside one, and not with a mere complement."""
        key = self._key(at)
        if key in _words("heads"):
            return True
        if self._key(at - 1) == "of":
            return False
        begins = key in _words("modifiers") or self._country_word(at) is not None or at in self.countries
        begins = (
            begins or (self._is_body_word(at) and self.tokens[at].is_capital) or self._key(at) in {"white", "state"}
        )
        return begins and any(self._key(one) in _words("heads") for one in range(at + 1, min(at + 7, len(self.tokens))))

    def _office_step(self, at: int, *, headed: bool) -> int | None:  # noqa: PLR0911  # a table
        """The token behind one that goes on with an office; None where it ends."""
        key = self._key(at)
        if key in _words("heads") | _words("modifiers"):
            return at + 1
        if (stop := self._adjective(at) if headed else self._country_word(at)) is not None:
            return stop
        if headed and key in _OF:
            return at + 1 if self._is_complement(at) else None
        if not headed:
            known = (
                at in self.countries
                or self._is_body_word(at)
                or key in _words("matters")
                or key in {"white", "house", "-"}
            )
            return (self.countries[at][0] if at in self.countries else at + 1) if known else None
        if self._key(at - 1) in _OF:
            return self._complement_step(at)
        if self.tokens[at].is_capital and (named := self._capital_body(at)) is not None:
            return named
        known = key in _words("matters") or self._is_body_word(at)
        return at + 1 if known and self._key(at - 1) != "," else None

    def _is_complement(self, at: int) -> bool:
        """Whether what a preposition governs belongs to the office."""
        behind = at + 1
        while self._key(behind) in _JOINERS:
            behind += 1
        if self._key(at) in {"and", "et", "&"}:
            joined = self._key(behind) in _words("matters") or self._adjective(behind) is not None
            before = self._key(at - 1) in _words("matters") | _words("modifiers") or at - 1 in self.countries
            return joined and before and self._key(at + 1) not in _words("heads")
        if self._key(at) in {"in", "to", "en", "at", "a"}:
            told = self._key(behind) in _words("matters") or self._is_body_word(behind)
            return told or (behind in self.countries and self._is_posted(at))
        return self._complement_step(behind) is not None

    def _is_posted(self, at: int) -> bool:
        before = {self._key(one) for one in range(max(0, at - 6), at)}
        posted = listed("ambassador envoy representative ambassadeur ambassadrice envoye representant mediator")
        return not before.isdisjoint(posted)

    def _complement_step(self, at: int) -> int | None:
        if at in self.countries:
            return self.countries[at][0]
        if self._key(at) in _words("matters") | _words("heads") | _words("modifiers") or self._is_body_word(at):
            return at + 1
        if at < len(self.tokens) and self.tokens[at].is_capital and self._key(at) not in _words("common"):
            if (named := self._capital_body(at)) is not None:
                return named
            return at + 1 if self._name_end(at) == at + 1 or _ACRONYM.fullmatch(self.tokens[at].text) else None
        return None

    def _is_body_word(self, at: int) -> bool:
        return self._key(at) in _words("bodies") or self._key(at) in _words("alone")

    def _name_behind(self, office: _Office) -> tuple[int, int, int] | None:
        """A name right behind an office, or behind a comma: its first token, the one behind it, and where to go on."""
        at = office.stop
        if self._key(at) == "," or self._key(at) == "(":
            first = self._titles(at + 1 + (self._key(at + 1) == "l'"))
            stop = self._name_end(first)
            known = self._known(first, stop) is not None
            enough = stop - first > 1 or known or first > at + 1
            if stop == first or not enough or self._is_thing(first, stop) or self._is_listed(office, stop):
                return None
            return first, stop, stop
        first = self._titles(at)
        stop = self._name_end(first)
        return (first, stop, stop) if stop > first and not self._is_thing(first, stop) else None

    def _is_listed(self, office: _Office, stop: int) -> bool:
        """«the minister, John Doe and Mary Roe»: a list rather than an apposition."""
        return self._key(stop) in {"and", "et"} and self._key(office.first - 1) not in _DETERMINERS

    def _office_behind(self, stop: int) -> _Office | None:
        """An office behind a name and a comma, up to the next comma."""
        if self._key(stop) != ",":
            return None
        first = stop + 1
        while self._key(first) in _DETERMINERS:
            first += 1
        office = self._office_at(first) if first < len(self.tokens) else None
        if office is None or (first == stop + 1 and office.stop - office.first < 2):
            return None
        named = self._name_end(self._titles(office.stop)) > office.stop
        return None if named else office

    def _name_end(self, at: int) -> int:
        """The token behind a run of capitals that may be a name; the token itself where none begins."""
        stop = at
        while stop < len(self.tokens) and stop - at < _MOST_NAME_WORDS and self._is_name_word(stop, at):
            stop += 1
        while stop > at and (self._key(stop - 1) in _words("particles") and self.tokens[stop - 1].text[0].islower()):
            stop -= 1
        if stop > at and self._key(stop) == "," and self._key(stop + 1) in {"jr", "sr"}:
            stop += 2 + (self._key(stop + 2) == ".")
        return stop

    def _is_name_word(self, at: int, first: int) -> bool:  # noqa: PLR0911  # a table
        token = self.tokens[at]
        key = token.key
        if _INITIAL.fullmatch(token.text):
            return at > first or (at + 1 < len(self.tokens) and self.tokens[at + 1].is_capital)
        if _ARTICLED.fullmatch(token.text):
            return True
        joins = key in _INSIDE and at + 1 < len(self.tokens) and self.tokens[at + 1].is_capital
        if at > first and joins and at not in self.sentence.dated:
            return True
        if at > first and token.text[0].islower():
            return key in _words("particles") and at + 1 < len(self.tokens) and self.tokens[at + 1].is_capital
        if not token.is_word or not token.is_capital or at in self.sentence.dated:
            return False
        listed_word = key in _words("common") | _words("heads")
        country = at in self.countries and at == first  # «François Hollande»
        if at > first and _ROMAN.fullmatch(token.text):
            return True
        body = self._is_body_word(at) or _ACRONYM.fullmatch(token.text) is not None
        return (
            not listed_word
            and not country
            and not body
            and not (at == first and key in _words("modifiers") - {"general"})
        )

    def _is_thing(self, at: int, stop: int) -> bool:
        keys = {self._key(one) for one in range(at, stop)}
        return not keys.isdisjoint(_words("things") | _words("matters")) or self._begins_sentence(at, stop)

    def _begins_sentence(self, at: int, stop: int) -> bool:
        """A single capital at the beginning of a sentence may be any word."""
        return stop - at < 2 and (at == 0 or self._key(at - 1) in {"“", "«", '"', ":"})

    def _body_end(self, at: int) -> int | None:
        """The token behind a body's name; None where none begins."""
        start = at
        while (stop := self._country_word(start)) is not None and stop <= at + 4:
            start = stop
        capital = self._capital_body(start)
        if capital is not None:
            return capital
        lower = start
        while self._key(lower) in _words("modifiers") | {"ruling", "main", "armed"} and not self._is_body_word(lower):
            lower += 1
        if not self._is_body_word(lower) or (lower == at and self._is_verb_like(at)):
            return None
        return self._body_tail(lower)

    def _capital_body(self, at: int) -> int | None:
        """A run of capitals that holds a word of bodies: "Arab League", "Human Rights Watch", "White House"."""
        if at in self.countries and self.countries[at][1].kind in {Kind.NAME, Kind.CITY} and self._is_acronym(at):
            return None if not self._is_body_word(self.countries[at][0]) else self._body_tail(self.countries[at][0])
        stop, last = at, None
        while stop < len(self.tokens) and stop - at < 7:
            token = self.tokens[stop]
            link = token.key in {"of", "for", "and", "de", "des", "du", "d'", "l'", "la", "on", "et"}
            if link and not (stop > at and stop + 1 < len(self.tokens) and self._reaches_capital(stop)):
                break
            if not link and not (token.is_capital and token.is_word and token.key not in _words("common")):
                break
            if not link and token.key in _words("heads") and token.key not in _words("bodies"):
                return None
            alone = token.key in _words("alone") or self._is_acronym(stop)
            if not link and (self._is_body_word(stop) or (token.key, self._key(stop - 1)) in _COMPOSED or alone):
                last = stop + 1
            if alone and stop == at:
                break
            stop += 1
        if last is None or (last == at + 1 and self._key(at) not in _words("alone") and not self._is_acronym(at)):
            return self._body_tail(at) if last is not None and self._is_body_word(at) else None
        return self._body_tail(last - 1)

    def _is_acronym(self, at: int) -> bool:
        text = self.tokens[at].text
        return _ACRONYM.fullmatch(text) is not None and _ROMAN.fullmatch(text) is None

    def _reaches_capital(self, at: int) -> bool:
        while self._key(at) in _JOINERS | {"for", "on"}:
            at += 1
        return at < len(self.tokens) and self.tokens[at].is_capital and at not in self.sentence.dated

    def _body_tail(self, at: int) -> int:
        """Behind a body's head: adjectives, « des affaires étrangères », "of defence", "in Rabat"."""
        stop = at + 1
        while stop < len(self.tokens) and stop - at < 12:
            if (behind := self._adjective(stop)) is not None and self._key(behind - 1) != "'s":
                stop = behind
            elif self._key(stop) in _words("matters") or (self._key(stop) in _words("modifiers") and stop == at + 1):
                stop += 1
            elif self.tokens[stop].is_capital and self._key(stop - 1) in _OF_NAME:
                stop = max(stop + 1, self._name_end(stop))
            elif self._is_capital_run(stop) or (self._key(stop) in _OF_BODY and self._is_body_complement(stop)):
                stop += 1
            elif stop in self.countries and self._key(stop - 1) in _OF_COUNTRY:
                stop = self.countries[stop][0]
            else:
                break
        while self._key(stop - 1) in _JOINERS | {"in", "and", "et"}:
            stop -= 1
        return stop

    def _is_capital_run(self, at: int) -> bool:
        """«of African Unity»: a capital behind a capital that belongs to the name already."""
        before, token = self.tokens[at - 1], self.tokens[at]
        capitals = before.is_capital and token.is_capital and before.is_word and token.is_word
        return capitals and token.key not in _words("common") | _words("heads") and at not in self.countries

    def _is_body_complement(self, at: int) -> bool:
        behind = at
        while self._key(behind) in _JOINERS | {"in"}:
            behind += 1
        if behind >= len(self.tokens):
            return False
        if self._key(at) in {"in", "a"}:
            return behind in self.countries and self.countries[behind][1].kind is Kind.CITY
        if self._key(at) in {"and", "et"}:
            return self._key(behind) in _words("matters") and self._key(behind) not in _words("bodies") | _words(
                "heads"
            )
        capital = self.tokens[behind].is_capital and self._key(behind) not in _words("common")
        run = capital and (self.sentence.language == "fr" or self.tokens[at - 1].is_capital)
        return behind in self.countries or self._key(behind) in _words("matters") or run

    def _is_verb_like(self, at: int) -> bool:
        """«forces» and «groups» may be verbs; a body's head alone needs a determiner or a capital."""
        return self._key(at - 1) not in _DETERMINERS and not self.tokens[at].is_capital

    # -- building --------------------------------------------------------------------------------------------------

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
            kind: MentionKind = "role" if fold(mention.name.rsplit(None, 1)[-1]) in _words("heads") else "body"
            if meant is not None:
                yield replace(mention, kind=meant.kind, name=meant.name, country=meant.country)
            elif not fold(mention.name).endswith("s"):
                yield replace(mention, kind=kind, office=mention.name if kind == "role" else None)
        elif mention.kind == "country" and _LEADERS.match(mention.text):
            yield _leader(mention, people) or mention
        else:
            yield mention


def _office_keys(text: str) -> frozenset[str]:
    return frozenset(fold(word).strip(".,'\"") for word in re.split(r"[\s'’]+", text)) - _OF - {"s", ""}


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
