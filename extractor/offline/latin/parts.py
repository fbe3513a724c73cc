"""Parts of a mention in an English or French sentence: where offices, names and bodies begin and end."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from mahdar.documents.folding import fold
from mahdar.offline.latin.lexicon import lexicon
from mahdar.offline.latin.tokens import Sentence
from mahdar.resolving.countries import CountryForm, listed

_FILE: Final = Path(__file__).with_name("names.toml")
_MOST_NAME_WORDS: Final = 6
_MOST_OFFICE_WORDS: Final = 16
DETERMINERS: Final = listed(
    """
    the a an his her their its our this that some many le la les l' un une des du au aux son sa ses leur leurs cet
    cette ce plusieurs certains
    """
)
OF: Final = listed("of for to at in de du des d' a au aux pour pres chargee charge and et & the la le les l' en")
JOINERS: Final = listed("and et & the la le les l' de du des d' a of")
PEOPLES: Final = listed(
    """
    arab arabe arabes kurdish kurde kurdes western occidental occidentaux occidentales african africain africaine
    africains africaines gulf
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
LETTERS: Final = listed("u.s. us u.k. uk u.n. un eu uae u.a.e.")
_INITIAL: Final = re.compile(r"[A-Z]\.")
_ROMAN: Final = re.compile(r"[IVX]{1,4}|1er|Ier")
_INSIDE: Final = listed("le la de du al el ben bin")
_ARTICLED: Final = re.compile(r"(?:al|el|ul|as|an|ad|ar)[-‑][A-Z]\w*(?:[-‑]\w+)*")
ACRONYM: Final = re.compile(r"(?:[A-Z]\.){2,}|[A-Z]{2,6}")
ADJECTIVAL: Final = re.compile(
    r"(?:u\.?s\.?|us|\w*(?:[^tp]ish|[ct]h|ese|s?ian|ican|yan|ccan|rman|ban|ghan|[dlniwrt]i|k|eek|wiss|a?ens?|iennes?|ais|aises?"
    r"|ois|oises?|ains?|aines?|es|is|russes?|turcs?|turques?|grecs?|grecques?|suisses?|belges?|arabes?|afghanes?|saudi|iraqi|qatari))"
)
STATES_ALIKE: Final = listed(
    """
    mali haiti djibouti burundi fiji greece grece france netherlands states etats emirates emirats wales maldives
    indes britain spain bahrain ukraine sweden yemen liban denmark irak danemark etats-unis emirats-arabes-unis
    pays-bas seychelles philippines comores honduras chypre cyprus laos palestine suede
    """
)
_OF_NAME: Final = listed("de d' l' la du des of for")
_OF_BODY: Final = listed("of de du des d' and et in a the la l' le les")
_OF_COUNTRY: Final = listed("of in the de d' du des a la l'")
_ARTICLE: Final = re.compile(r"^(?:al|el)[-‑](?=\w{3})")
"""«al-Sisi» is named again as «Sisi»."""


@cache
def table(name: str) -> frozenset[str]:
    """The words of a table of `names.toml`, folded."""
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


def name_keys(name: str) -> list[str]:
    """The words of a name by which it is known again: folded, without "Jr."."""
    words = [fold(word).replace('"', "'").strip(".,") for word in name.split()]
    return [word for word in words if word and word not in {"jr", "sr"}]


@dataclass(frozen=True, slots=True)
class Office:
    """An office read from tokens: where it begins and ends, and whether it tells whose it is."""

    first: int
    stop: int
    head: str
    is_bound: bool
    is_plural: bool


class Parts:
    """Reads offices, names and bodies in one sentence, by its tokens."""

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

    def _titles(self, at: int) -> int:
        stop = at
        while stop < len(self.tokens) and self.tokens[stop].key.rstrip(".") in table("titles"):
            lower = self.tokens[stop].text in {"m", "major", "gen", "col", "sen", "premier"}
            if lower or (self.tokens[stop].text.casefold() == "m" and self._key(stop + 1) != "."):
                break
            stop += 1
            stop += self._key(stop) == "." and stop + 1 < len(self.tokens) and self.tokens[stop + 1].is_capital
        return stop

    def _known(self, at: int, stop: int) -> str | None:
        keys = name_keys(self.sentence.piece(at, stop))
        if not keys:
            return None
        return (
            self.known.people.get(" ".join(keys))
            or self.known.people.get(" ".join(keys[-2:]))
            or (self.known.people.get(keys[-1]) if len(keys) == 1 else None)
        )

    def _key(self, at: int) -> str:
        return self.sentence.key(at)

    def _country_word(self, at: int) -> int | None:
        """The token behind a country's adjective, or behind a country's name with "'s"."""
        found = self.countries.get(at)
        if found is not None and found[1].kind is CountryForm.NAME and self._key(found[0]) == "'s":
            return found[0] + 1
        return self._adjective(at)

    def _adjective(self, at: int) -> int | None:
        """The token behind a country's adjective; None where none stands here."""
        if self._key(at) in PEOPLES:
            return at + 1
        found = self.countries.get(at)
        if found is None or found[1].kind != CountryForm.NAME:
            return None
        stop, word = found[0], self._key(at)
        if self.sentence.language == "fr":
            return stop if self.tokens[at].text[0].islower() else None
        if word in LETTERS:
            return stop if self._is_noun(stop) else None
        lower = self.tokens[at].text[0].islower()
        fits = ADJECTIVAL.fullmatch(word) is not None and word not in STATES_ALIKE and stop == at + 1
        return stop if lower or fits else None

    def _is_noun(self, at: int) -> bool:
        """Whether a word is none of the grammar's, and no verb: "U.S. support"."""
        if at >= len(self.tokens) or not self.tokens[at].is_word:
            return False
        if self._key(at) in table("heads") | table("modifiers") | table("bodies"):
            return True
        grammar = table("common") | self.words.words["auxiliaries"]
        verb = any(form == "finite" for _, form in self.words.of(self.tokens[at].text))
        return self._key(at) not in grammar and not verb

    def _office_at(self, at: int) -> Office | None:
        """Read an office word by word; it must hold a head."""
        if not self._may_begin(at):
            return None
        stop, head, bound, plural = at, "", False, False
        while stop < len(self.tokens) and stop - at < _MOST_OFFICE_WORDS:
            step = self._office_step(stop, headed=bool(head))
            if step is None:
                break
            key = self._key(stop)
            if key in table("heads") and not (head and self._key(stop - 1) in {"of", "the"}):
                head, plural = head or key, plural or (key.endswith("s") and not key.endswith("ss"))
            bound = bound or stop in self.countries or (bool(head) and stop > at and self._key(stop - 1) in OF)
            stop = step
        while stop > at and self._key(stop - 1) in OF | {",", "-"}:
            stop -= 1
        if not head or stop == at or not self._is_head_inside(at, stop):
            return None
        return Office(at, stop, head, bound or stop - at > 1, plural)

    def _is_head_inside(self, at: int, stop: int) -> bool:
        return any(self._key(one) in table("heads") for one in range(at, stop))

    def _may_begin(self, at: int) -> bool:
        """Whether an office may begin at a token: not inside one, and not with a mere complement."""
        key = self._key(at)
        if key in table("heads"):
            return True
        if self._key(at - 1) == "of":
            return False
        begins = key in table("modifiers") or self._country_word(at) is not None or at in self.countries
        begins = (
            begins or (self._is_body_word(at) and self.tokens[at].is_capital) or self._key(at) in {"white", "state"}
        )
        return begins and any(self._key(one) in table("heads") for one in range(at + 1, min(at + 7, len(self.tokens))))

    def _office_step(self, at: int, *, headed: bool) -> int | None:  # noqa: PLR0911  # a table
        """The token behind one that goes on with an office; None where it ends."""
        key = self._key(at)
        if key in table("heads") | table("modifiers"):
            return at + 1
        if (stop := self._adjective(at) if headed else self._country_word(at)) is not None:
            return stop
        if headed and key in OF:
            return at + 1 if self._is_complement(at) else None
        if not headed:
            known = (
                at in self.countries
                or self._is_body_word(at)
                or key in table("matters")
                or key in {"white", "house", "-"}
            )
            return (self.countries[at][0] if at in self.countries else at + 1) if known else None
        if self._key(at - 1) in OF:
            return self._complement_step(at)
        if self.tokens[at].is_capital and (named := self._capital_body(at)) is not None:
            return named
        known = key in table("matters") or self._is_body_word(at)
        return at + 1 if known and self._key(at - 1) != "," else None

    def _is_complement(self, at: int) -> bool:
        """Whether what a preposition governs belongs to the office."""
        behind = at + 1
        while self._key(behind) in JOINERS:
            behind += 1
        if self._key(at) in {"and", "et", "&"}:
            joined = self._key(behind) in table("matters") or self._adjective(behind) is not None
            before = self._key(at - 1) in table("matters") | table("modifiers") or at - 1 in self.countries
            return joined and before and self._key(at + 1) not in table("heads")
        if self._key(at) in {"in", "to", "en", "at", "a"}:
            told = self._key(behind) in table("matters") or self._is_body_word(behind)
            return told or (behind in self.countries and self._is_posted(at))
        return self._complement_step(behind) is not None

    def _is_posted(self, at: int) -> bool:
        before = {self._key(one) for one in range(max(0, at - 6), at)}
        posted = listed("ambassador envoy representative ambassadeur ambassadrice envoye representant mediator")
        return not before.isdisjoint(posted)

    def _complement_step(self, at: int) -> int | None:
        if at in self.countries:
            return self.countries[at][0]
        if self._key(at) in table("matters") | table("heads") | table("modifiers") or self._is_body_word(at):
            return at + 1
        if at < len(self.tokens) and self.tokens[at].is_capital and self._key(at) not in table("common"):
            if (named := self._capital_body(at)) is not None:
                return named
            return at + 1 if self._name_end(at) == at + 1 or ACRONYM.fullmatch(self.tokens[at].text) else None
        return None

    def _is_body_word(self, at: int) -> bool:
        return self._key(at) in table("bodies") or self._key(at) in table("alone")

    def _name_behind(self, office: Office) -> tuple[int, int, int] | None:
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

    def _is_listed(self, office: Office, stop: int) -> bool:
        """«the minister, John Doe and Mary Roe»: a list rather than an apposition."""
        return self._key(stop) in {"and", "et"} and self._key(office.first - 1) not in DETERMINERS

    def _office_behind(self, stop: int) -> Office | None:
        """An office behind a name and a comma, up to the next comma."""
        if self._key(stop) != ",":
            return None
        first = stop + 1
        while self._key(first) in DETERMINERS:
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
        while stop > at and (self._key(stop - 1) in table("particles") and self.tokens[stop - 1].text[0].islower()):
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
            return key in table("particles") and at + 1 < len(self.tokens) and self.tokens[at + 1].is_capital
        if not token.is_word or not token.is_capital or at in self.sentence.dated:
            return False
        listed_word = key in table("common") | table("heads")
        country = at in self.countries and at == first  # «François Hollande»
        if at > first and _ROMAN.fullmatch(token.text):
            return True
        body = self._is_body_word(at) or ACRONYM.fullmatch(token.text) is not None
        return (
            not listed_word
            and not country
            and not body
            and not (at == first and key in table("modifiers") - {"general"})
        )

    def _is_thing(self, at: int, stop: int) -> bool:
        keys = {self._key(one) for one in range(at, stop)}
        return not keys.isdisjoint(table("things") | table("matters")) or self._begins_sentence(at, stop)

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
        while self._key(lower) in table("modifiers") | {"ruling", "main", "armed"} and not self._is_body_word(lower):
            lower += 1
        if not self._is_body_word(lower) or (lower == at and self._is_verb_like(at)):
            return None
        return self._body_tail(lower)

    def _capital_body(self, at: int) -> int | None:
        """A run of capitals that holds a word of bodies: "Arab League", "Human Rights Watch", "White House"."""
        if (
            at in self.countries
            and self.countries[at][1].kind in {CountryForm.NAME, CountryForm.CITY}
            and self._is_acronym(at)
        ):
            return None if not self._is_body_word(self.countries[at][0]) else self._body_tail(self.countries[at][0])
        stop, last = at, None
        while stop < len(self.tokens) and stop - at < 7:
            token = self.tokens[stop]
            link = token.key in {"of", "for", "and", "de", "des", "du", "d'", "l'", "la", "on", "et"}
            if link and not (stop > at and stop + 1 < len(self.tokens) and self._reaches_capital(stop)):
                break
            if not link and not (token.is_capital and token.is_word and token.key not in table("common")):
                break
            if not link and token.key in table("heads") and token.key not in table("bodies"):
                return None
            alone = token.key in table("alone") or self._is_acronym(stop)
            if not link and (self._is_body_word(stop) or (token.key, self._key(stop - 1)) in _COMPOSED or alone):
                last = stop + 1
            if alone and stop == at:
                break
            stop += 1
        if last is None or (last == at + 1 and self._key(at) not in table("alone") and not self._is_acronym(at)):
            return self._body_tail(at) if last is not None and self._is_body_word(at) else None
        return self._body_tail(last - 1)

    def _is_acronym(self, at: int) -> bool:
        text = self.tokens[at].text
        return ACRONYM.fullmatch(text) is not None and _ROMAN.fullmatch(text) is None

    def _reaches_capital(self, at: int) -> bool:
        while self._key(at) in JOINERS | {"for", "on"}:
            at += 1
        return at < len(self.tokens) and self.tokens[at].is_capital and at not in self.sentence.dated

    def _body_tail(self, at: int) -> int:
        """Behind a body's head: adjectives, « des affaires étrangères », "of defence", "in Rabat"."""
        stop = at + 1
        while stop < len(self.tokens) and stop - at < 12:
            if (behind := self._adjective(stop)) is not None and self._key(behind - 1) != "'s":
                stop = behind
            elif self._key(stop) in table("matters") or (self._key(stop) in table("modifiers") and stop == at + 1):
                stop += 1
            elif self.tokens[stop].is_capital and self._key(stop - 1) in _OF_NAME:
                stop = max(stop + 1, self._name_end(stop))
            elif self._is_capital_run(stop) or (self._key(stop) in _OF_BODY and self._is_body_complement(stop)):
                stop += 1
            elif stop in self.countries and self._key(stop - 1) in _OF_COUNTRY:
                stop = self.countries[stop][0]
            else:
                break
        while self._key(stop - 1) in JOINERS | {"in", "and", "et"}:
            stop -= 1
        return stop

    def _is_capital_run(self, at: int) -> bool:
        """«of African Unity»: a capital behind a capital that belongs to the name already."""
        before, token = self.tokens[at - 1], self.tokens[at]
        capitals = before.is_capital and token.is_capital and before.is_word and token.is_word
        return capitals and token.key not in table("common") | table("heads") and at not in self.countries

    def _is_body_complement(self, at: int) -> bool:
        behind = at
        while self._key(behind) in JOINERS | {"in"}:
            behind += 1
        if behind >= len(self.tokens):
            return False
        if self._key(at) in {"in", "a"}:
            return behind in self.countries and self.countries[behind][1].kind is CountryForm.CITY
        if self._key(at) in {"and", "et"}:
            return self._key(behind) in table("matters") and self._key(behind) not in table("bodies") | table("heads")
        capital = self.tokens[behind].is_capital and self._key(behind) not in table("common")
        run = capital and (self.sentence.language == "fr" or self.tokens[at - 1].is_capital)
        return behind in self.countries or self._key(behind) in table("matters") or run

    def _is_verb_like(self, at: int) -> bool:
        """«forces» and «groups» may be verbs; a body's head alone needs a determiner or a capital."""
        return self._key(at - 1) not in DETERMINERS and not self.tokens[at].is_capital
