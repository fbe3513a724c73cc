"""Names in a line: where one begins and ends, by the words about it and by what is no part of a name."""

import re
from typing import Final

from mahdar.documents.folding import word_set
from mahdar.offline.cues import AnnotatedSentence
from mahdar.offline.lexicon import BODIES, COMMON, DEEDS, GIVEN, word_group
from mahdar.offline.mention import bare, stems
from mahdar.resolving.offices import read_word

_MOST_NAME_WORDS: Final = 5
_ALEF_MAQSURA: Final = word_set("علي")
"""«على» is no «علي»."""
_NAME_MONTHS: Final = word_group("names.name_months")
_NAME_STARTS: Final = word_group("names.name_starts")
_JOINING: Final = word_group("names.joining")
_REIGNING: Final = word_group("names.reigning")
_COMMON_PARTICLES: Final = word_group("names.common_particles")
OPEN: Final = re.compile(r"[\s\u00a0]*[\"“”„«‹'’‘(]?[\s\u00a0]*")
NEAR: Final = re.compile(r"[\s\u00a0.\-’'/]{1,2}|[\s\u00a0]*")
_MASDAR: Final = re.compile(r"[بل](?:است\w+|ا\w{1,2}[ا]\w{1,2}|ت\w{2}ي\w{1,3}|تولي\w*)")
"""Verbal nouns behind a preposition, by their form: no name begins so."""
_DEED: Final = re.compile(
    r"(?:ال)?(?:ت\w{2}ي\w|ا\w{2}ا\w|ا\wا\wه|است\w{3,}|ا\w{3}ا\w|مواصله|محاوله|مشاركه|مساعده|متابعه)"
    r"|(?!عرفات|فرحات|بركات|شحات)\w{3,}ات"
)
"""Verbal nouns by their form: behind a whole name the object begins."""
_FUTURE: Final = re.compile(r"س[يتن]\w{3,}")
_TANWIN: Final = re.compile("[\u064b\u064d]")


class NameReader:
    """Reads names in one line.

    Args:
        line: the sentence.
        known: surnames of persons who are named in full elsewhere in the article, folded.
    """

    def __init__(self, line: AnnotatedSentence, known: frozenset[str]) -> None:
        self.line = line
        self.row = line.row
        self.words = line.row.words
        self.known = known

    def _is_marked(self, at: int) -> bool:
        """Whether a mark stands right before a word."""
        between = self.line.text[self.words[at - 1].end : self.words[at].start]
        return re.search(r"[،,\"“”«»(]", between) is not None

    def _name(self, at: int, *, given: bool = False) -> int:
        """The word behind a name that begins at a word; the word itself where none does."""
        stop = at + given
        while (
            stop < len(self.words)
            and stop - at < _MOST_NAME_WORDS + self._joined(at, stop)
            and self._fits(stop, stop - at)
        ):
            if stop > at and not self._adjoins(stop, NEAR):
                break
            stop += 1
        if stop > at and self.words[stop - 1].key in _JOINING:
            stop -= 1
        return stop

    def _joined(self, at: int, stop: int) -> int:
        return sum(self.words[index].key in _JOINING for index in range(at, stop))

    def _fits(self, at: int, so_far: int) -> bool:
        """Whether a word may be part of a name, behind so many of its words."""
        word = self.words[at]
        if word.raw[0] < "\u0600":
            return False
        if word.key in _ALEF_MAQSURA and word.raw.endswith("ي") and (so_far > 0 or self._after_office(at)):
            return True
        again = self._is_behind_surname(at, so_far)
        if self._is_ordinal(at, so_far) or (not again and self._is_surname_behind(at, so_far)):
            return True
        if self._is_office_word(at, so_far) or (word.key in _NAME_MONTHS and not self.line.is_counted(at)):
            return word.key in _NAME_MONTHS and not self._is_office_word(at, so_far)
        if again or self._is_ordinary(at, so_far) or self._is_definite(at, so_far):
            return False
        return so_far == 0 or not self._stripped_known(at) or self._goes_on(at, so_far)

    def _is_ordinal(self, at: int, so_far: int) -> bool:
        """«الملك عبد الله الثاني»."""
        reigns = at > so_far > 0 and self.words[at - so_far - 1].key in _REIGNING
        return reigns and self.words[at].key in {"الاول", "الثاني"}

    def _is_behind_surname(self, at: int, so_far: int) -> bool:
        """«رفض شكري التدخل»: who is named by surname alone has no further name."""
        definite = so_far == 1 and self.words[at].key.startswith("ال")
        return definite and self._is_surname(at - 1) and not self._is_surname(at)

    def _is_surname_behind(self, at: int, so_far: int) -> bool:
        """«ناصر العلمي»: behind one given name a definite word is the surname, unless it is a country's adjective."""
        if so_far != 1 or not self.words[at].key.startswith("ال") or self.words[at - 1].key not in GIVEN:
            return False
        foreign = any(first <= at < stop for first, stop in self.row.countries.items())
        return not foreign and self.words[at].key not in COMMON and not self.line.is_any_cue(at)

    def _is_office_word(self, at: int, so_far: int) -> bool:
        word = self.words[at]
        known = self.row.is_known(at) and word.key not in _NAME_STARTS and not self._in_name(at, so_far)
        return known or (so_far == 0 and read_word(word.key) == "head" and word.key not in GIVEN)

    def _is_ordinary(self, at: int, so_far: int) -> bool:
        """Whether a word is one of the language rather than a name, by its form or by the lists."""
        word = self.words[at]
        body = so_far == 0 and any(stem in BODIES for stem, particle in stems(word.key) if particle)
        masdar = so_far == 0 and _MASDAR.fullmatch(word.key) is not None
        masdar = masdar or (so_far > 1 and word.key not in GIVEN and _DEED.fullmatch(word.key) is not None)
        adverb = so_far > 1 and word.key.endswith("ا") and len(word.key) > 4 and not self._is_surname(at)
        cue = self.line.is_any_cue(at) and not self._ends_name(at, so_far)
        future = so_far != 1 and _FUTURE.fullmatch(word.key) is not None and word.key not in GIVEN
        preposed = so_far > 1 and word.key[0] in "بل" and self._is_preposed(word.key)
        listed_word = len(word.key) < 2 or self._is_common(at) or self.line.is_dated(at)
        return (
            body or masdar or adverb or cue or future or preposed or listed_word or _TANWIN.search(word.raw) is not None
        )

    @staticmethod
    def _is_preposed(key: str) -> bool:
        return key.endswith(("ه", "ها", "هم")) or key[1:] in DEEDS

    def _is_definite(self, at: int, so_far: int) -> bool:
        """Whether an article or preposition tells that no name begins here: «للـ», «بالـ», or «الـ» at the start."""
        word = self.words[at]
        if word.key.startswith(("لل", "بال", "وال", "كال", "فال")):
            return True
        named = self._is_surname(at) or self._after_office(at) or word.key in GIVEN
        return so_far == 0 and word.key.startswith("ال") and not named

    def _in_name(self, at: int, so_far: int) -> bool:
        """«أمير عبد اللهيان», «شيخ» are offices that may be names; behind a first name they are."""
        return so_far > 0 and self.row.reading(at) == "link" and self.words[at].key == "علي"

    def _is_common(self, at: int) -> bool:
        word = self.words[at].key
        return word in COMMON or any(stem in COMMON for stem, glued in stems(word) if glued in _COMMON_PARTICLES)

    def _ends_name(self, at: int, so_far: int) -> bool:
        """«سامح شكري»: a word that looks like a cue, behind a given name that is nobody's surname."""
        verb_like = any(self.line.is_cue(table, at) for table in ("speech", "stance", "stance_noun"))
        begun = so_far == 1 and self.words[at - 1].key in GIVEN
        return begun and verb_like and (not self._is_surname(at - 1))

    def _after_office(self, at: int) -> bool:
        return at > 0 and self.row.is_known(at - 1) and self._adjoins(at, OPEN)

    def _stripped_known(self, at: int) -> bool:
        """Whether a word after a name begins with «و», «ب», «ل» and something that is no name."""
        key = self.words[at].key
        if key[:1] not in {"و", "ب", "ل", "ف"} or len(key) < 4:
            return False
        if key[0] == "و":
            return True
        rest = key[1:]
        return bare(rest) in self.known

    def _goes_on(self, at: int, so_far: int) -> bool:
        """«ستيف ويتكوف»: after one word that is no surname, «و» is a letter of the next."""
        key = self.words[at].key
        if key[0] == "و":
            before = self.words[at - 1].key
            return (
                so_far == 1
                and not before.startswith("ال")
                and bare(before) not in self.known
                and bare(key[1:]) not in self.known
                and key[1:] not in COMMON
                and not self.row.is_known(at)
            )
        return False

    def _opens(self, at: int) -> bool:
        return at < len(self.words) and (
            at == 0
            or self.words[at].key[:1] != "و"
            or not self._stripped_known(at)
            or self.words[at].key.startswith(("ولي", "وسي", "وا", "وي"))
        )

    def _given(self, at: int) -> str | None:
        """What is glued before a common given name; None where a word is none."""
        if self.words[at].raw.endswith("ى") and self.words[at].key in _ALEF_MAQSURA:
            return None
        word = self.words[at].key
        if word in COMMON:
            return None
        return next((glued for stem, glued in stems(word) if stem in GIVEN), None)

    def _is_surname(self, at: int) -> bool:
        return bare(self.words[at].key) in self.known

    def _raw(self, at: int) -> str:
        return self.words[at].key if at < len(self.words) else ""

    def _adjoins(self, at: int, allowed: re.Pattern[str]) -> bool:
        between = self.line.text[self.words[at - 1].end : self.words[at].start] if at > 0 else ""
        return allowed.fullmatch(between) is not None
