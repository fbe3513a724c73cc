"""Grounding: where in the article a quote stands, or why it is no evidence.

A quote is evidence when the article says the same words in the same order without a gap. Only spelling conventions may
differ (`mahdar.documents.folding`): nothing is guessed, no word is skipped, and what is returned is the article's
own text.

What a reader would call misquoting is refused although the words are there: half a word, half a number, and a clause
without the negation right before it. Words further away are not judged: a quote may still leave out «هل», or a denial
whose subject stands between.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice, tee
from typing import Final, Literal

from mahdar.documents.folding import Folded, fold, spaced
from mahdar.schemas.records import MAX_QUOTE

# Marks that models put around a quote, or leave off. «?» is not among them: it makes another sentence.
_WRAPPING: Final = ' ".,;:!()[]{}*•·-'
# Characters looked at beside a found quote for such marks: a stop, a closing mark, spaces, bidi controls.
_WRAPPING_REACH: Final = 12


def _words(text: str, before: tuple[str, ...] = ("",)) -> frozenset[str]:
    """A list of folded words, each with each of these conjunctions before it."""
    return frozenset(conjunction + word for conjunction in before for word in text.split())


_CONJUNCTIONS: Final = ("", "و", "ف")
# Negation, denial, refusal, and «لو», after which stands what did not happen. An apostrophe is no letter: "didnt".
_NEGATIONS: Final = _words(
    "لا لم لن ليس ليست ليسوا لسنا لست ما لو الا غير بغير لغير عدم بعدم لعدم دون بدون بلا "
    "نفي نفت نفوا ينفي تنفي انكر انكرت ينكر تنكر رفض رفضت رفضوا يرفض ترفض نرفض",
    _CONJUNCTIONS,
) | _words(
    "not no never neither nor cannot without denied denies deny denying refused refuses refusing "
    "cant couldnt didnt doesnt dont hadnt hasnt havent isnt arent wasnt werent wont wouldnt shouldnt "
    "ne pas jamais sans non ni aucun aucune nie nient dement na nai nont nest netait"
)
_THAT: Final = _words("ان انه انها انهم بان بانه بانها")
# What may stand between a negation and what it negates: «لا يمكن أن», «لم يعد», «نفى أن», "no longer", "refused to".
_TRANSPARENT: Final = _THAT | _words(
    "يكن تكن يكون تكون يعد تعد يمكن يجوز ينبغي that to yet longer been be being have has had que ete encore plus"
)
# Before «أن» these say "however" or "as soon as", and negate nothing.
_HOWEVER: Final = _words("غير الا ما", _CONJUNCTIONS)
_WORDS_BEFORE: Final = 3
_CHARACTERS_BEFORE: Final = 80  # enough for so many words
# Places looked at for one quote: an article that repeats words more often is no better evidence at the last of them.
_MOST_PLACES: Final = 100

# «وأكد» is «و» and «أكد», but «وافق» is one word. So a conjunction is taken off only before alef with hamza, since no
# word so long has «وأ» or «فأ» in its root, and «و» also before verbs that news go on with and that make no other word
# with it («ودعت» is "and called" or "bade farewell": not here).
_ALEF_WITH_HAMZA: Final = frozenset("أإآ")
_AFTER_AND: Final = _words(
    "قال قالت قالوا شدد شددت شددا شددوا جدد جددت بحث بحثت بحثا تناول تناولت تناولا ناقش ناقشت ناقشا رحب رحبت رحبا دعا "
    "ذكر ذكرت نقل نقلت كشف كشفت تابع تابعت عبر عبرت رفض رفضت حذر حذرت طالب طالبت ثمن ثمنت بارك شكر حضر جاء جاءت كان "
    "كانت جري جرت عقد عقدت زار زارت التقي التقت التقيا اجتمع اجتمعت اتفق اتفقت اتفقا استقبل استقبلت استعرض استعرضا "
    "اعتبر اعتبرت اختتم استنكر استنكرت انتقد انتقدت اتهم اتهمت وافق وافقت واصل واصلت وصف وصفت وقع وقعت وصل وصلت"
)
# Letters left of the word: «وأد» is a word of its own.
_SHORTEST_SEPARABLE: Final = 3
# Letters of a phrase after any proclitic: «ريم» is not in «كريم», but «دمشق» is in «بدمشق».
_SHORTEST_AFTER_PROCLITIC: Final = 4


_CLAUSE_END: Final = re.compile(r"[.؟!?؛;،,](?=\s)")


class Miss(StrEnum):
    """Why a quote is no evidence. The texts are stable: rejected items carry them."""

    TOO_SHORT = "too short"
    TOO_LONG = f"longer than {MAX_QUOTE} characters"
    ABSENT = "not in the article"
    CUTS_WORD = "cuts a word"
    OMITS_WORDS = "omits words (…)"
    LEAVES_OUT_NEGATION = "leaves out the negation before it"


@dataclass(frozen=True, slots=True)
class Rule:
    """How words are looked up."""

    letters: int
    """letters and digits at least"""
    proclitics: tuple[str, ...]
    """what may be glued to the first word without being part of the quote"""
    asserts: bool
    """whether the words claim something, so that length, negation and what a proclitic leaves matter"""


EVIDENCE: Final = Rule(letters=8, proclitics=("و", "ف"), asserts=True)
"""For the quote that shows a record. Under eight letters is «قال إنه», which any article has."""
PHRASE: Final = Rule(letters=2, proclitics=("و", "ف", "ب", "ل", "ك", "وب", "ول", "l", "d"), asserts=False)
"""For a name, a date, a place, a topic. One letter or digit is found anywhere. « l'ONU » holds « ONU »."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the article, in code points: `text[start:end]` is the evidence, verbatim.

    `folded` says that it differs from the quote in spelling conventions, in the marks around it, or in a conjunction
    that the quote left off.
    """

    start: int
    end: int
    match: Literal["exact", "folded"]


class Ground:
    """An article to find quotes in. It is folded once, when the first quote is looked up."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _folded(self) -> Folded:
        return Folded.of(self.text)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self._folded.text.split())

    def find(self, quote: str, *, rule: Rule = EVIDENCE) -> Span | None:
        """Find a quote; `why_not` tells why there is none.

        Args:
            quote: as the model gave it.
            rule: `EVIDENCE` or `PHRASE`.
        """
        wanted = _Wanted.of(quote)
        folded = None
        for index, span in self._places(wanted, rule):
            if (span.match == "exact" or folded is None) and self._misquoted(wanted, rule, index, span) is None:
                if span.match == "exact" or wanted.verbatim not in self.text:
                    return span
                folded = span  # what is spelt exactly so may stand further on
        return folded

    def find_all(self, quote: str, *, rule: Rule = EVIDENCE) -> Iterator[Span]:
        """Find the occurrences, the first hundred: those spelt exactly so, then the others, each in order."""
        wanted = _Wanted.of(quote)
        ahead, exact, folded = tee(self._places(wanted, rule), 3)  # found once, as far as they are asked for
        if next(ahead, None) is None:
            return
        for match, places in (("exact", exact if wanted.verbatim in self.text else ()), ("folded", folded)):
            for index, span in places:
                if span.match == match and self._misquoted(wanted, rule, index, span) is None:
                    yield span

    def why_not(self, quote: str, *, rule: Rule = EVIDENCE) -> Miss | None:
        """Tell why `find` has no answer; None if it has one."""
        wanted = _Wanted.of(quote)
        if wanted.letters < rule.letters:
            return Miss.TOO_SHORT
        misses = (self._misquoted(wanted, rule, *place) for place in self._places(wanted, rule))
        first = next(misses, self._absent(wanted))
        return None if first is None or None in misses else first

    def _absent(self, wanted: "_Wanted") -> Miss:
        """Why these words stand nowhere as they are."""
        if wanted.words.strip() in self._folded.text:
            return Miss.CUTS_WORD
        return Miss.OMITS_WORDS if wanted.has_ellipsis else Miss.ABSENT

    def _places(self, wanted: "_Wanted", rule: Rule) -> Iterator[tuple[int, Span]]:
        """Where exactly these words stand: the index in the folded text, and the span."""
        if wanted.letters < rule.letters:
            return
        first, *others = wanted.words.split()
        if not self._vocabulary.issuperset(others):
            return  # most absent quotes have a word that the article has not
        for proclitic in ("", *rule.proclitics):
            if f"{proclitic}{first}" not in self._vocabulary:
                continue
            places = self._folded.places(f" {proclitic}{wanted.words[1:]}", skip=len(proclitic))
            for index, start, end in islice(places, _MOST_PLACES):
                if self._whole(wanted, start, end) and self._free(wanted, rule, proclitic, start, end):
                    yield index, self._span(wanted, start, end, complete=not proclitic)

    def _whole(self, wanted: "_Wanted", start: int, end: int) -> bool:
        """Whether the span holds these words and no more: «ﷺ» is four words in one character."""
        return spaced(self.text[start:end]) == wanted.words

    def _free(self, wanted: "_Wanted", rule: Rule, proclitic: str, start: int, end: int) -> bool:
        """Whether no proclitic stands before the span, or one that is not part of the first word."""
        if not proclitic or self.text[start - 1].isspace() or fold(self.text[start - 1]) == '"':
            return True
        if proclitic.isascii():
            return False  # « l' » without its apostrophe is a letter of the word
        if not rule.asserts:
            return len(wanted.first) >= _SHORTEST_SEPARABLE and wanted.letters >= _SHORTEST_AFTER_PROCLITIC
        return _separable(proclitic, wanted.first, spelt=self.text[start:end])

    def _span(self, wanted: "_Wanted", start: int, end: int, *, complete: bool) -> Span:
        """The place, with the marks around it that both the quote and the article have."""
        start -= _shared(reversed(self.text[max(0, start - _WRAPPING_REACH) : start]), wanted.head[::-1])
        end += _shared(self.text[end : end + _WRAPPING_REACH], wanted.tail)
        exact = complete and self.text[start:end] == wanted.verbatim
        return Span(start, end, "exact" if exact else "folded")

    def _misquoted(self, wanted: "_Wanted", rule: Rule, index: int, span: Span) -> Miss | None:
        """Whether a claim is too long, or taken out of a negation."""
        if not rule.asserts:
            return None
        if span.end - span.start > MAX_QUOTE:
            return Miss.TOO_LONG
        before = self._folded.text[max(0, index - _CHARACTERS_BEFORE) : index].split()[-_WORDS_BEFORE:]
        return Miss.LEAVES_OUT_NEGATION if _negates(before, wanted.first) else None


@dataclass(frozen=True)
class _Wanted:
    """A quote, taken apart: the words to find, and the marks that only wrap them."""

    verbatim: str
    words: str
    head: str
    tail: str

    @staticmethod
    @lru_cache(maxsize=4_096)  # names are looked for again and again
    def of(quote: str) -> "_Wanted":
        """Take a quote apart."""
        folded = fold(quote)
        opened = folded.lstrip(_WRAPPING)
        if opened[:1].isdigit() and folded.endswith(f"-{opened}"):
            opened = f"-{opened}"  # a sign, not a dash
        core = opened.rstrip(_WRAPPING)
        head, tail = folded[: len(folded) - len(opened)], opened[len(core) :]
        return _Wanted(quote.strip(), spaced(core), head.replace(" ", ""), tail.replace(" ", ""))

    @cached_property
    def letters(self) -> int:
        return sum(map(str.isalnum, self.words))

    @property
    def first(self) -> str:
        return self.words.split(maxsplit=1)[0]

    @property
    def has_ellipsis(self) -> bool:
        return " . . . " in self.words


@lru_cache(maxsize=16)
def ground_of(article: str) -> Ground:
    """The ground of an article, kept for a while: the drafter, the assembly and the places look into the same text."""
    return Ground(article)


def shortened(quote: str) -> str:
    """Cut a quote that is longer than evidence may be, at the last mark between clauses, else between words."""
    if len(quote) <= MAX_QUOTE:
        return quote
    kept = quote[:MAX_QUOTE]
    clauses = list(_CLAUSE_END.finditer(kept))
    return kept[: clauses[-1].end()] if clauses else kept.rsplit(None, 1)[0]


def _negates(before: list[str], following: str) -> bool:
    """Whether the last of these words, or one that reaches over it, negates what follows."""
    for word in reversed(before):
        if word in _NEGATIONS:
            return not (word in _HOWEVER and following in _THAT)
        if word not in _TRANSPARENT:
            return False
        following = word
    return False


def _separable(conjunction: str, word: str, spelt: str) -> bool:
    """Whether a conjunction glued before this word, spelt so in the article, cannot be part of it."""
    if len(word) < _SHORTEST_SEPARABLE:
        return False
    has_hamza = unicodedata.normalize("NFC", spelt)[0] in _ALEF_WITH_HAMZA
    return has_hamza or (conjunction == "و" and word in _AFTER_AND)


def _shared(characters: Iterable[str], marks: str) -> int:
    """How many of the characters are these marks in their order, or white space and quote marks before one."""
    shared = 0
    if not marks:
        return shared
    for count, character in enumerate(characters, start=1):
        mark = fold(character)
        if mark and marks.startswith(mark):
            marks = marks[len(mark) :]
            shared = count
        elif mark not in {"", '"'}:
            break
    return shared
