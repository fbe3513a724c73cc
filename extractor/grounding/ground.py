"""Find a quote in the article, or say why it is not evidence.

A quote is evidence if the article has the same words in the same order without a gap. Only spelling conventions may
differ (`mahdar.documents.folding`): nothing is guessed, no word is skipped, and the span found is the article's own
text.

Misquotes are refused although the words are there: half a word, half a number, and a clause without the negation right
before it. Words further away are not examined: a quote may still leave out «هل», or a denial whose subject stands in
between.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice, tee
from typing import Final, Literal

from mahdar.documents.folding import Folded, fold, spaced, word_set
from mahdar.schemas.records import MAX_QUOTE

# Marks that models add around a quote, or leave out. «?» is not among them: it makes another sentence.
_WRAPPING: Final = ' ".,;:!()[]{}*•·-'
# Characters examined for such marks beside a quote: a stop, a closing mark, spaces, bidi controls.
_WRAPPING_REACH: Final = 12


def _with_conjunctions(words: str) -> frozenset[str]:
    """Return the words of a text, and each with «و» and «ف» before it."""
    return frozenset(conjunction + word for conjunction in ("", "و", "ف") for word in word_set(words))


# Negation, denial, refusal, and «لو», which introduces what did not happen. Folding drops apostrophes: "didnt".
_NEGATIONS: Final = _with_conjunctions(
    "لا لم لن ليس ليست ليسوا لسنا لست ما لو الا غير بغير لغير عدم بعدم لعدم دون بدون بلا "
    "نفي نفت نفوا ينفي تنفي انكر انكرت ينكر تنكر رفض رفضت رفضوا يرفض ترفض نرفض"
) | word_set(
    "not no never neither nor cannot without denied denies deny denying refused refuses refusing "
    "cant couldnt didnt doesnt dont hadnt hasnt havent isnt arent wasnt werent wont wouldnt shouldnt "
    "ne pas jamais sans non ni aucun aucune nie nient dement na nai nont nest netait"
)
_THAT: Final = word_set("ان انه انها انهم بان بانه بانها")
# Words between a negation and what it negates: «لا يمكن أن», «لم يعد», «نفى أن», "no longer", "refused to".
_TRANSPARENT: Final = _THAT | word_set(
    "يكن تكن يكون تكون يعد تعد يمكن يجوز ينبغي that to yet longer been be being have has had que ete encore plus"
)
# Before «أن» these mean "however" or "as soon as", and negate nothing.
_HOWEVER: Final = _with_conjunctions("غير الا ما")
_WORDS_BEFORE: Final = 3
_CHARACTERS_BEFORE: Final = 80  # enough for so many words
# Occurrences of a quote that are examined.
_MOST_PLACES: Final = 100

# «وأكد» is «و» and «أكد», but «وافق» is one word. So a conjunction is removed only before alef with hamza, since no
# word of that length has «وأ» or «فأ» in its root, and «و» also before verbs that are frequent in news and form no
# other word with it («ودعت», "and called" or "bade farewell", is left out).
_ALEF_WITH_HAMZA: Final = frozenset("أإآ")
_AFTER_AND: Final = word_set(
    "قال قالت قالوا شدد شددت شددا شددوا جدد جددت بحث بحثت بحثا تناول تناولت تناولا ناقش ناقشت ناقشا رحب رحبت رحبا دعا "
    "ذكر ذكرت نقل نقلت كشف كشفت تابع تابعت عبر عبرت رفض رفضت حذر حذرت طالب طالبت ثمن ثمنت بارك شكر حضر جاء جاءت كان "
    "كانت جري جرت عقد عقدت زار زارت التقي التقت التقيا اجتمع اجتمعت اتفق اتفقت اتفقا استقبل استقبلت استعرض استعرضا "
    "اعتبر اعتبرت اختتم استنكر استنكرت انتقد انتقدت اتهم اتهمت وافق وافقت واصل واصلت وصف وصفت وقع وقعت وصل وصلت"
)
# Letters that must remain of the word: «وأد» is one word.
_SHORTEST_SEPARABLE: Final = 3
# Letters of a phrase after any proclitic: «ريم» is not in «كريم», but «دمشق» is in «بدمشق».
_SHORTEST_AFTER_PROCLITIC: Final = 4
_CLAUSE_END: Final = re.compile(r"[.؟!?؛;،,](?=\s)")


class Miss(StrEnum):
    """Why a quote is not evidence. The texts are stable, since rejected items contain them."""

    TOO_SHORT = "too short"
    TOO_LONG = f"longer than {MAX_QUOTE} characters"
    ABSENT = "not in the article"
    CUTS_WORD = "cuts a word"
    OMITS_WORDS = "omits words (…)"
    LEAVES_OUT_NEGATION = "leaves out the negation before it"


@dataclass(frozen=True, slots=True)
class Rule:
    """The conditions under which words are found.

    Attributes:
        letters: minimum number of letters and digits.
        proclitics: what may be attached to the first word without being part of the quote.
        asserts: whether the words make a claim, so that their length and a negation before them are checked.
    """

    letters: int
    proclitics: tuple[str, ...]
    asserts: bool


EVIDENCE: Final = Rule(letters=8, proclitics=("و", "ف"), asserts=True)
"""For the evidence of a record. Under eight letters are phrases like «قال إنه», which any article has."""
PHRASE: Final = Rule(letters=2, proclitics=("و", "ف", "ب", "ل", "ك", "وب", "ول", "l", "d"), asserts=False)
"""For a name, a date, a place, a topic. A single letter or digit is not looked up. « l'ONU » has « ONU »."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the article, in code points: `text[start:end]` is the evidence, verbatim.

    `match` is "folded" where it differs from the quote in spelling conventions, in the marks around it, or in a
    conjunction that the quote leaves out.
    """

    start: int
    end: int
    match: Literal["exact", "folded"]


class Ground:
    """An article in which quotes are found. It is folded once, when the first quote is looked up."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _folded(self) -> Folded:
        return Folded.of(self.text)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return frozenset(self._folded.text.split())

    def find(self, quote: str, *, rule: Rule = EVIDENCE) -> Span | None:
        """Find a quote.

        Args:
            quote: the quote as the model wrote it.
            rule: `EVIDENCE` or `PHRASE`.

        Returns:
            The first occurrence that is spelt exactly like the quote, else the first one; None where the quote is not
            in the article or misquotes it (`why_not`).
        """
        wanted = _Quote.of(quote)
        folded = None
        for index, span in self._places(wanted, rule):
            if (span.match == "exact" or folded is None) and self._misquoted(wanted, rule, index, span) is None:
                if span.match == "exact" or wanted.verbatim not in self.text:
                    return span
                folded = span  # an exact occurrence may follow
        return folded

    def find_all(self, quote: str, *, rule: Rule = EVIDENCE) -> Iterator[Span]:
        """Yield up to a hundred occurrences: those spelt exactly like the quote, then the others, each in order."""
        wanted = _Quote.of(quote)
        ahead, exact, folded = tee(self._places(wanted, rule), 3)  # each place is found once, on demand
        if next(ahead, None) is None:
            return
        for match, places in (("exact", exact if wanted.verbatim in self.text else ()), ("folded", folded)):
            for index, span in places:
                if span.match == match and self._misquoted(wanted, rule, index, span) is None:
                    yield span

    def why_not(self, quote: str, *, rule: Rule = EVIDENCE) -> Miss | None:
        """Return why `find` returns None for a quote; None if it finds the quote."""
        wanted = _Quote.of(quote)
        if wanted.letters < rule.letters:
            return Miss.TOO_SHORT
        misses = [self._misquoted(wanted, rule, *place) for place in self._places(wanted, rule)]
        if misses:
            return None if None in misses else misses[0]
        if wanted.words.strip() in self._folded.text:
            return Miss.CUTS_WORD
        return Miss.OMITS_WORDS if " . . . " in wanted.words else Miss.ABSENT

    def _places(self, wanted: "_Quote", rule: Rule) -> Iterator[tuple[int, Span]]:
        """Yield the places of the words: the index in the folded text, and the span."""
        if wanted.letters < rule.letters:
            return
        first, *others = wanted.words.split()
        if not self._vocabulary.issuperset(others):
            return  # most absent quotes have a word that is not in the article
        for proclitic in ("", *rule.proclitics):
            if f"{proclitic}{first}" not in self._vocabulary:
                continue
            places = self._folded.places(f" {proclitic}{wanted.words[1:]}", skip=len(proclitic))
            for index, start, end in islice(places, _MOST_PLACES):
                # «ﷺ» is four words in one character: a span may have more than the words
                is_whole = spaced(self.text[start:end]) == wanted.words
                if is_whole and self._is_detached(wanted, rule, proclitic, start, end):
                    yield index, self._span(wanted, start, end, complete=not proclitic)

    def _is_detached(self, wanted: "_Quote", rule: Rule, proclitic: str, start: int, end: int) -> bool:
        """Whether the span follows a space, a quote mark, or a proclitic that is not part of its first word."""
        if not proclitic or self.text[start - 1].isspace() or fold(self.text[start - 1]) == '"':
            return True
        if proclitic.isascii():
            return False  # « l' » without its apostrophe is a letter of the word
        if not rule.asserts:
            return len(wanted.first) >= _SHORTEST_SEPARABLE and wanted.letters >= _SHORTEST_AFTER_PROCLITIC
        if len(wanted.first) < _SHORTEST_SEPARABLE:
            return False
        has_hamza = unicodedata.normalize("NFC", self.text[start:end])[0] in _ALEF_WITH_HAMZA
        return has_hamza or (proclitic == "و" and wanted.first in _AFTER_AND)

    def _span(self, wanted: "_Quote", start: int, end: int, *, complete: bool) -> Span:
        """Return the span with the marks around it that the quote has, too."""
        start -= _shared(reversed(self.text[max(0, start - _WRAPPING_REACH) : start]), wanted.head[::-1])
        end += _shared(self.text[end : end + _WRAPPING_REACH], wanted.tail)
        exact = complete and self.text[start:end] == wanted.verbatim
        return Span(start, end, "exact" if exact else "folded")

    def _misquoted(self, wanted: "_Quote", rule: Rule, index: int, span: Span) -> Miss | None:
        """Return whether a claim is too long or leaves out a negation; None for neither."""
        if not rule.asserts:
            return None
        if span.end - span.start > MAX_QUOTE:
            return Miss.TOO_LONG
        before = self._folded.text[max(0, index - _CHARACTERS_BEFORE) : index].split()[-_WORDS_BEFORE:]
        return Miss.LEAVES_OUT_NEGATION if _negates(before, wanted.first) else None


@dataclass(frozen=True)
class _Quote:
    """A quote, split into the words to find and the marks around them."""

    verbatim: str
    words: str
    head: str
    tail: str

    @staticmethod
    @lru_cache(maxsize=4_096)  # the same names are looked up many times
    def of(quote: str) -> "_Quote":
        """Split a quote."""
        folded = fold(quote)
        opened = folded.lstrip(_WRAPPING)
        if opened[:1].isdigit() and folded.endswith(f"-{opened}"):
            opened = f"-{opened}"  # a sign, not a dash
        core = opened.rstrip(_WRAPPING)
        head, tail = folded[: len(folded) - len(opened)], opened[len(core) :]
        return _Quote(quote.strip(), spaced(core), head.replace(" ", ""), tail.replace(" ", ""))

    @cached_property
    def letters(self) -> int:
        return sum(map(str.isalnum, self.words))

    @property
    def first(self) -> str:
        return self.words.split(maxsplit=1)[0]


@lru_cache(maxsize=16)
def ground_of(article: str) -> Ground:
    """Return the ground of an article, cached for the drafter, the assembly and the resolution of places."""
    return Ground(article)


def shortened(quote: str) -> str:
    """Cut a quote that is longer than `MAX_QUOTE`, after the last clause that fits, else between words."""
    if len(quote) <= MAX_QUOTE:
        return quote
    kept = quote[:MAX_QUOTE]
    clauses = list(_CLAUSE_END.finditer(kept))
    return kept[: clauses[-1].end()] if clauses else (kept.rsplit(None, 1) or [""])[0]


def _negates(before: list[str], following: str) -> bool:
    """Whether the words before negate the one that follows, directly or across transparent words."""
    for word in reversed(before):
        if word in _NEGATIONS:
            return not (word in _HOWEVER and following in _THAT)
        if word not in _TRANSPARENT:
            return False
        following = word
    return False


def _shared(characters: Iterable[str], marks: str) -> int:
    """Return how many of the characters are these marks in order, with white space and quote marks between them."""
    shared = 0
    for count, character in enumerate(characters, start=1):
        mark = fold(character)
        if mark and marks.startswith(mark):
            marks = marks[len(mark) :]
            shared = count
        elif mark not in {"", '"'}:
            break
    return shared
