"""Parts of a mention in an English or French sentence: where offices, names and bodies begin and end."""

import re
from dataclasses import dataclass, field
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.latin.lexicon import lexicon
from mahdar.offline.latin.tokens import TokenizedSentence
from mahdar.offline.lexicon import word_group
from mahdar.resolving.countries import CountryForm

_MOST_NAME_WORDS: Final = 6
_MOST_OFFICE_WORDS: Final = 16
DETERMINERS: Final = word_group("parts.determiners", "latin/names")
OF: Final = word_group("parts.of", "latin/names")
JOINERS: Final = word_group("parts.joiners", "latin/names")
PEOPLES: Final = word_group("parts.peoples", "latin/names")
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
_INITIAL: Final = re.compile(r"[A-Z]\.")
_ROMAN: Final = re.compile(r"[IVX]{1,4}|1er|Ier")
_INSIDE: Final = word_group("parts.inside", "latin/names")
_ARTICLED: Final = re.compile(r"(?:al|el|ul|as|an|ad|ar)[-‑][A-Z]\w*(?:[-‑]\w+)*")
ACRONYM: Final = re.compile(r"(?:[A-Z]\.){2,}|[A-Z]{2,6}")
ADJECTIVAL: Final = re.compile(
    r"(?:u\.?s\.?|us|\w*(?:[^tp]ish|[ct]h|ese|s?ian|ican|yan|ccan|rman|ban|ghan|[dlniwrt]i|k|eek|wiss|a?ens?|iennes?|ais|aises?"
    r"|ois|oises?|ains?|aines?|es|is|russes?|turcs?|turques?|grecs?|grecques?|suisses?|belges?|arabes?|afghanes?|saudi|iraqi|qatari))"
)
STATES_ALIKE: Final = word_group("parts.states_alike", "latin/names")
_OF_NAME: Final = word_group("parts.of_name", "latin/names")
_OF_BODY: Final = word_group("parts.of_body", "latin/names")
_OF_COUNTRY: Final = word_group("parts.of_country", "latin/names")
_ARTICLE: Final = re.compile(r"^(?:al|el)[-‑](?=\w{3})")
"""«al-Sisi» is named again as «Sisi»."""


def table(name: str) -> frozenset[str]:
    """The words of a table of `names.toml`."""
    return word_group(f"names.{name}", "latin/names")


@dataclass(slots=True)
class KnownNames:
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
class OfficeSpan:
    """An office read from tokens: where it begins and ends, and whether it tells whose it is."""

    first: int
    stop: int
    head: str
    is_bound: bool
    is_plural: bool


class LatinPhraseReader:
    """Reads offices, names and bodies in one sentence, by its tokens."""

    def __init__(self, sentence: TokenizedSentence, known: KnownNames) -> None:
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
            if lower:
                break
            stop += 1
            stop += self._key(stop) == "." and stop + 1 < len(self.tokens) and self.tokens[stop + 1].is_capital
        return stop

    def _known(self, at: int, stop: int) -> str | None:
        keys = name_keys(self.sentence.piece(at, stop))
        if not keys:
            return None
        return self.known.people.get(" ".join(keys)) or self.known.people.get(" ".join(keys[-2:]))

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
        fits = ADJECTIVAL.fullmatch(word) is not None and word not in STATES_ALIKE and stop == at + 1
        return stop if fits else None

    def _office_at(self, at: int) -> OfficeSpan | None:
        """Read an office word by word; it must hold a head."""
        stop, head, bound, plural = at, "", False, False
        while stop < len(self.tokens) and stop - at < _MOST_OFFICE_WORDS:
            step = self._office_step(stop, headed=bool(head))
            if step is None:
                break
            key = self._key(stop)
            if key in table("heads") and not (head and self._key(stop - 1) in {"of", "the"}):
                head, plural = (head or key, key.endswith("s") and (not key.endswith("ss")))
            bound = bound or stop in self.countries or (bool(head) and stop > at and self._key(stop - 1) in OF)
            stop = step
        while stop > at and self._key(stop - 1) in OF | {",", "-"}:
            stop -= 1
        if not head:
            return None
        return OfficeSpan(at, stop, head, bound or stop - at > 1, plural)

    def _office_step(self, at: int, *, headed: bool) -> int | None:  # a table
        """The token behind one that goes on with an office; None where it ends."""
        key = self._key(at)
        if key in table("heads") | table("modifiers"):
            return at + 1
        if (stop := self._adjective(at) if headed else self._country_word(at)) is not None:
            return stop
        if headed and key in OF:
            return at + 1 if self._is_complement(at) else None
        if self._key(at - 1) in OF:
            return self._complement_step(at)
        known = key in table("matters")
        return at + 1 if known and self._key(at - 1) != "," else None

    def _is_complement(self, at: int) -> bool:
        """Whether what a preposition governs belongs to the office."""
        behind = at + 1
        while self._key(behind) in JOINERS:
            behind += 1
        if self._key(at) in {"in", "to", "en", "at", "a"}:
            return self._key(behind) in table("matters") or self._is_body_word(behind)
        return self._complement_step(behind) is not None

    def _complement_step(self, at: int) -> int | None:
        if at in self.countries:
            return self.countries[at][0]
        if self._key(at) in table("matters") | table("heads") | table("modifiers") or self._is_body_word(at):
            return at + 1
        return None

    def _is_body_word(self, at: int) -> bool:
        return self._key(at) in table("bodies") or self._key(at) in table("alone")

    def _name_behind(self, office: OfficeSpan) -> tuple[int, int, int] | None:
        """A name right behind an office, or behind a comma: its first token, the one behind it, and where to go on."""
        at = office.stop
        if self._key(at) == ",":
            first = self._titles(at + 1 + (self._key(at + 1) == "l'"))
            stop = self._name_end(first)
            return (first, stop, stop) if stop > first else None
        first = self._titles(at)
        stop = self._name_end(first)
        return (first, stop, stop) if stop > first and not self._is_thing(first, stop) else None

    def _office_behind(self, stop: int) -> OfficeSpan | None:
        """An office behind a name and a comma, up to the next comma."""
        if self._key(stop) != ",":
            return None
        first = stop + 1
        while self._key(first) in DETERMINERS:
            first += 1
        return self._office_at(first) if first < len(self.tokens) else None

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

    def _is_name_word(self, at: int, first: int) -> bool:  # a table
        token = self.tokens[at]
        key = token.key
        if _INITIAL.fullmatch(token.text):
            return at > first
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
        body = self._is_body_word(at) or ACRONYM.fullmatch(token.text) is not None
        return (
            not listed_word
            and not country
            and not body
            and not (at == first and key in table("modifiers") - {"general"})
        )

    def _is_thing(self, at: int, stop: int) -> bool:
        keys = {self._key(one) for one in range(at, stop)}
        return not keys.isdisjoint(table("things") | table("matters"))

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
        if not self._is_body_word(lower):
            return None
        return self._body_tail(lower)

    def _capital_body(self, at: int) -> int | None:
        """A run of capitals that holds a word of bodies: "Arab League", "Human Rights Watch", "White House"."""
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
            elif self._key(stop) in table("matters"):
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
        if self._key(at) in {"in", "a"}:
            return behind in self.countries and self.countries[behind][1].kind is CountryForm.CITY
        if self._key(at) in {"and", "et"}:
            return self._key(behind) in table("matters") and self._key(behind) not in table("bodies") | table("heads")
        capital = self.tokens[behind].is_capital and self._key(behind) not in table("common")
        run = capital and (self.sentence.language == "fr" or self.tokens[at - 1].is_capital)
        return behind in self.countries or self._key(behind) in table("matters") or run
