"""Offices and bodies in a line: where one begins and ends, and the name that belongs to an office."""

import re
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.lexicon import BODIES, COMMON, DESCRIBING, SHORT, TITLES, word_group
from mahdar.offline.mention import bare, is_adjective, raw_length, stems
from mahdar.offline.names import NEAR, OPEN, NameReader
from mahdar.resolving.countries import CountryForm
from mahdar.resolving.offices import read_word

_WIDEST_GAP: Final = 8
"""Unknown words between the known part of an office and the comma before the name."""
FEWEST_FREE: Final = 2
"""Words of a name that no office announces."""
_CUSTODIAN: Final = "خادم"
_A_DELEGATION: Final = word_group("offices.a_delegation")
_MOST_ADJECTIVES: Final = 3
APPOSED: Final = re.compile(r"\.?[\s\u00a0]*[\"”»)]?[\s\u00a0]*[،,]?[\s\u00a0]*[\"“”„«‹(]?[\s\u00a0]*")


class OfficeReader(NameReader):
    """Reads offices and bodies in one line."""

    def _head(self, at: int, heads: frozenset[str]) -> tuple[str | None, str]:
        return next(((stem, particle) for stem, particle in stems(self.words[at].key) if stem in heads), (None, ""))

    def _begins_office(self, at: int) -> bool:
        if at >= len(self.words) or self.words[at].raw[0].isascii():
            return False
        if self._is_counterpart(at) or self._is_custodian(at):
            return True
        return self.row.reading(at) in {"head", "standing"}

    def _is_custodian(self, at: int) -> bool:
        """«خادم الحرمين الشريفين», as Gulf papers call the king."""
        keys = [word.key for word in self.words[at : at + 3]]
        return keys[1:] == ["الحرمين", "الشريفين"] and keys[0].endswith(_CUSTODIAN)

    def _is_counterpart(self, at: int) -> bool:
        """«نظيره الروسي»."""
        counterpart = any(stem.startswith("نظير") for stem, _ in stems(self.words[at].key))
        return counterpart and at + 1 in self.row.countries

    def _office_end(self, at: int) -> int | None:
        """The word behind an office; marks other than those in a name end it."""
        if self._is_counterpart(at):
            return self.row.countries[at + 1]
        if self._is_custodian(at):
            return at + 3
        stop = self.row.reach(at).stop
        for word in range(at + 1, stop):
            if not self._adjoins(word, NEAR) or (word > at + 1 and self._starts_other(word)):
                stop = word
                break
        while stop > at and self.row.reading(stop - 1) == "link":
            stop -= 1
        stop = self._with_body(at, self._with_proper(at, stop))
        return stop if stop > at else None

    def _with_body(self, at: int, stop: int) -> int:
        """«رئيس الجمعية الوطنية», «الأمين العام لحلف الناتو», «أمين سر اللجنة»: the body that an office is of."""
        bodies = (self._body_end(one) for one in range(at + 1, stop) if self._head(one, BODIES)[0])
        stop = max([stop, *bodies])
        if not at < stop < len(self.words) or not self._adjoins(stop, OPEN):
            return stop
        key, particle = self._head(stop, BODIES)
        open_ended = self.row.reading(stop - 1) in {"head", "construct"}
        governs = key is not None and (particle in {"ل", "لل", "ب"} or (not particle and open_ended))
        return self._with_place(self._body_end(stop)) if governs else stop

    def _with_place(self, stop: int) -> int:
        """«الجمعية الوطنية للسنغال»: a last word with «لل», before a comma."""
        placed = stop < len(self.words) and self.words[stop].key.startswith("لل") and self._adjoins(stop, OPEN)
        return stop + 1 if placed and self._is_enclosed(stop + 1) else stop

    def _starts_other(self, at: int) -> bool:
        """Whether «و» begins another's office."""
        key = self.words[at].key
        return (
            key.startswith("و")
            and self.row.reading(at) in {"head", "standing"}
            and not key.startswith(("وزير", "وكيل", "والي", "ولي", "وزرا", "وزار"))
        )

    def _with_proper(self, at: int, stop: int) -> int:
        """«رئيس حركة النهضة»: where an office is not complete, the definite word behind it belongs to it."""
        last = self.row.reading(stop - 1) if stop > at else ""
        while (
            last == "construct"
            and stop < len(self.words)
            and self.words[stop].key.startswith("ال")
            and self._adjoins(stop, OPEN)
        ):
            stop += 1
            last = ""
        return stop

    def _trimmed(self, at: int, stop: int) -> str:
        start = self.words[at].start + raw_length(self.words[at].raw, self._glued(at))
        return self.line.text[start : self.words[stop - 1].end]

    def _glued(self, at: int) -> int:
        """How many letters before an office are particles."""
        key = self.words[at].key
        if read_word(key) or key in TITLES:
            return 0
        if self._is_custodian(at):
            return len(key) - len(_CUSTODIAN)
        return next((len(particle) for stem, particle in stems(key) if read_word(stem) or stem in TITLES), 0)

    def _name_behind(self, stop: int) -> tuple[int, int] | None:
        """A name after an office: right behind, in quote marks, or after a comma."""
        first = stop
        while first < len(self.words) and self.words[first].key in TITLES and self._adjoins(first, APPOSED):
            first += 1
        if first >= len(self.words) or self._is_object(first):
            return None
        end = self._name(first)
        between = self.line.text[self.words[first - 1].end : self.words[first].start]
        marked = any(mark in between for mark in "،,")
        least = 2 if marked else 1
        if end - first < least or (marked and self._raw(first).startswith("و") and self._stripped_known(first)):
            return None
        if end - first == 1 and self._is_plain(first, stop):
            return None
        return first, end

    def _is_object(self, at: int) -> bool:
        """«استقبال الوزير لباشاغا»: a known surname behind a preposition is another person."""
        return any(particle and bare(stem) in self.known for stem, particle in stems(self.words[at].key))

    def _name_beyond(self, stop: int) -> tuple[int, int, int] | None:
        """A common given name after a comma, where the words of the office between are not known."""
        for at in range(stop + 1, min(stop + _WIDEST_GAP, len(self.words))):
            between = self.line.text[self.words[at - 1].end : self.words[at].start]
            if self.line.is_any_cue(at - 1) or re.search(r"[^\s،,\"“”]", between):
                return None
        return None

    def _is_enclosed(self, end: int) -> bool:
        """Whether a comma closes what one opened: «منسق … في الشرق الأوسط، فلان الفلاني، عن قلقه»."""
        return end < len(self.words) and self.line.text[self.words[end - 1].end : self.words[end].start].strip() == "،"

    def _is_plain(self, at: int, stop: int) -> bool:
        """Whether one word behind an office is rather an ordinary word than a surname."""
        word = self.words[at]
        if self._is_surname(at):
            return False
        if word.key.startswith("ال") and self.row.reading(stop - 1) != "standing":
            return True
        return word.raw[0].islower()

    def _body_end(self, at: int) -> int:
        """Words of a body's name: known ones, definite ones, one in quote marks."""
        stop = at + 1
        while stop < len(self.words) and stop - at < 7 and self._adjoins(stop, OPEN) and self._belongs(stop, at):
            stop += 1
        while stop > at + 1 and self.words[stop - 1].key.startswith("بقياد"):
            stop -= 1
        return stop

    def _belongs(self, at: int, head: int) -> bool:
        """Whether a word goes on with a body's name."""
        word, reading = self.words[at], self.row.reading(at)
        if self._begins_anew(at, head):
            return False
        if self.words[head].key.lstrip("وبل") in _A_DELEGATION:
            return at - head <= _MOST_ADJECTIVES and re.fullmatch(r"\w{3,}يا?", word.key) is not None
        if word.key in COMMON:
            named = reading == "governed" or (at == head + 1 and not self.line.is_any_cue(at))
            return named and word.key.startswith("ال")
        inside = any(first <= at < stop for first, stop in self.row.countries.items())
        if inside or reading in {"governed", "construct"} or (self.line.is_quoted(at) and at == head + 1):
            return True
        definite = word.key.startswith("ال") and not self.line.is_any_cue(at) and self._adjoins(at, NEAR)
        before = self.words[at - 1].key
        linked = at == head + 1 or before.startswith("ال")
        return reading == "" and definite and linked

    def _begins_anew(self, at: int, head: int) -> bool:
        """Whether another actor or a date begins: «وزراء خارجية الدول العربية المملكة المتحدة»."""
        key = self.words[at].key
        other = at > head + 1 and (key in BODIES or self.row.is_rank(at) or key in SHORT)
        country = self._is_described(at - 1, head) and self._is_country_name(at)
        object_of = country or (self.words[at - 1].key.startswith("ال") and self._is_object_of(at, head))
        return other or object_of or self._is_other_body(at)

    def _is_object_of(self, at: int, head: int) -> bool:
        """«أدان الاتحاد الأوروبي الهجوم»: a definite noun that does not describe, behind a body's definite name."""
        key = self.words[at].key
        describes = key.endswith(("ي", "يه", "ين", "يون")) or key in DESCRIBING
        feminine = self.words[head].key.endswith("ه") and key.endswith("ه")
        return at > head + 1 and key.startswith("ال") and not describes and not feminine

    def _is_country_name(self, at: int) -> bool:
        start = self.words[at].start
        named = (one for one in self.line.countries if one.kind is CountryForm.NAME and one.start == start)
        return any(not is_adjective(fold(self.line.text[one.start : one.end])) for one in named)

    def _is_described(self, at: int, head: int) -> bool:
        """Whether a body's name may end with a word: an adjective with the article."""
        key = self.words[at].key
        return key.startswith("ال") and (at == head or key.endswith(("يه", "ي", "ين")))

    def _is_other_body(self, at: int) -> bool:
        """«والمجلس», «لحكومة»: a particle, and the head of another body."""
        key = self.words[at].key
        other = any(stem in BODIES for stem, particle in stems(key) if particle)
        return key[:1] in {"و", "ل"} and key != "وطني" and other
