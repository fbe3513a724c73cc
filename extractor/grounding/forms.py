"""Reduce words to their base forms, to compare a drafter's words with the article's.

A model may write a name that the article implies: «وزير المالية» where it has «وزراء الصحة والمالية», «الوفد التونسي»
where it has «وفد تونسي», "Macron" where it has "Macron's". The article has such a name if each word of it shares a base
form with a word of one sentence. Clitics are removed from the article's words only, and plurals only for a closed list
of offices and bodies, so that no name becomes another: «وسام» is not «بسام».

A clause may inflect the article's words freely, so clauses are compared by stems.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from mahdar.documents.folding import fold, word_set

_MARKS: Final = "\"'.,;:!?()[]{}<>«»*•·…-–—/\\|"
_ARTICLE: Final = "ال"
_WITH_ARTICLE: Final = re.compile(r"[وف]?(?:[بكل]?ال|لل).{3}")
_CONJUNCTIONS: Final = ("و", "ف")
_PREPOSITIONS: Final = ("ب", "ل", "ك")
_SHORTEST: Final = {"و": 3, "ف": 3, "ب": 3, "ل": 3, "ك": 4}
"""Letters that must remain when a letter is removed that may belong to the word: «ريم» is not in «كريم»."""
_SHORTEST_STEM: Final = 4
_ROOT: Final = 3
"""Letters that must remain of an Arabic word without its endings."""
_SHARED_STEM: Final = 4
"""Letters that two inflections of one Arabic word have in common: «طالبت», «مطالبتها»."""
_LATIN_STEM: Final = 5
"""First letters that two inflections of one Latin word have in common: "welcomed", "welcoming"."""
_CONTENT_LETTERS: Final = 3
"""A shorter word without a digit supports no clause."""
_NAME_LETTERS: Final = 2
"""A shorter word without a digit is an initial, or no word."""

_HEADS: Final = frozenset(
    map(
        fold,
        word_set(
            "وزير رئيس سفير قائد ملك أمير زعيم نائب وكيل مدير أمين ممثل مندوب مبعوث موفد مسؤول مستشار ناطق متحدث محافظ "
            "عضو قنصل مفوض منسق حاكم مجلس وزارة حكومة رئاسة برلمان جيش جانب وفد دولة بلد حزب كتلة لجنة قيادة حركة "
            "منظمة هيئة سلطة جامعة اتحاد شركة نظير طرف عاهل جنرال وزيرة"
        ),
    )
)
"""Folded singulars of offices and bodies, which articles put in the dual or the plural to share them."""
_BROKEN: Final = {
    fold(plural): fold(singular)
    for plural, _, singular in (
        pair.partition("/")
        for pair in word_set(
            "وزراء/وزير رؤساء/رئيس سفراء/سفير قادة/قائد ملوك/ملك أمراء/أمير زعماء/زعيم نواب/نائب وكلاء/وكيل مدراء/مدير "
            "أمناء/أمين أعضاء/عضو قناصل/قنصل حكام/حاكم مجالس/مجلس جيوش/جيش وفود/وفد دول/دولة بلدان/بلد أحزاب/حزب "
            "كتل/كتلة لجان/لجنة أطراف/طرف نظراء/نظير"
        )
    )
}
_ENDINGS: Final = word_set("تين تان ين ان ون ات تي تا ي ا و هما هم ها ه")
"""Endings of the dual, the plural, and the possessive pronoun: «وفدها»."""
_SUFFIXES: Final = (
    *("هما", "هم", "ها", "كم", "نا", "تين", "تان", "يين", "يون"),
    *("ات", "ون", "ين", "ان", "يه", "ه", "ي", "ت", "وا", "ا"),
)
"""Endings of Arabic nouns and verbs; of two with the same end, the longer is first."""
_PARTICLES: Final = frozenset(
    conjunction + fold(word)
    for word in word_set(
        "في من إلى على عن مع أن أنه أنها إن إنه إنها بأن بأنه بأنها هذا هذه ذلك تلك التي الذي الذين اللذين كما كل بين "
        "بعد قبل خلال حول عند لدى منذ حتى ثم أو أم لا لم لن ليس ما هو هي هم كان كانت يكون تكون قد لقد إذا لكن غير عبر "
        "ضد دون نحو أيضا حيث بعض جميع أي قال قالت أكد أكدت أعلن أضاف"
    )
    for conjunction in ("", *_CONJUNCTIONS)
) | word_set(
    "the of and or in to for that with on by at from as is was were be been has have had it its this their his her "
    "an not will would which who he she they said la le les un une des de du et en au aux ou dans pour sur par que "
    "qui est avec ont sont ses son sa leur leurs cette ce pas plus il elle ils"
)
"""Function words of Arabic, English and French, folded."""


@lru_cache(maxsize=16_384)
def forms(word: str) -> frozenset[str]:
    """Return the base forms of a folded word of the article, the word included."""
    bare = frozenset(_bare(word))
    return bare | frozenset(base for form in bare for base in _singulars(form))


@lru_cache(maxsize=16_384)
def name_forms(word: str) -> frozenset[str]:
    """Return the base forms of a folded word of a name: only its article and a plural are removed."""
    bare = {word, word.removeprefix(_ARTICLE)} if len(word) > _SHORTEST_STEM else {word}
    return frozenset(bare | {base for form in bare for base in _singulars(form)})


@lru_cache(maxsize=16_384)
def stems(word: str) -> frozenset[str]:
    """Return the stems of a folded word: two words with a common stem count as inflections of one."""
    if word.isascii():
        return forms(word) | {word[:_LATIN_STEM]}
    all_stems, bare = set(forms(word)), list(_bare(word))
    without_article = [form for form in bare if not _WITH_ARTICLE.match(form)] or [bare[-1]]
    for stem in map(_without_suffixes, without_article):
        all_stems.update(stem[at : at + _SHARED_STEM] for at in range(max(1, len(stem) - _SHARED_STEM + 1)))
    return frozenset(all_stems)


@lru_cache(maxsize=4_096)
def content_words(text: str) -> tuple[str, ...]:
    """Return the folded words of a text, without function words and words under three letters."""
    return _words(text, _CONTENT_LETTERS)


def essential_words(text: str) -> tuple[str, ...]:
    """Return the folded words of a name, without function words and initials."""
    return _words(text, _NAME_LETTERS)


def folded_words(text: str) -> tuple[str, ...]:
    """Return the folded words of a text, without the marks around them."""
    return tuple(word for raw in fold(text).replace('"', " ").split() if (word := raw.strip(_MARKS)))


def _words(text: str, letters: int) -> tuple[str, ...]:
    return tuple(
        word
        for word in folded_words(text)
        if word not in _PARTICLES and (len(word) >= letters or any(letter.isdigit() for letter in word))
    )


def _without_suffixes(word: str) -> str:
    """Remove up to two endings from a word: a pronoun's and the noun's own."""
    for _ in range(2):
        ending = next((end for end in _SUFFIXES if word.endswith(end) and len(word) - len(end) >= _ROOT), "")
        word = word.removesuffix(ending)
    return word


def _bare(word: str) -> Iterator[str]:
    """Yield a word, and the word without the clitics attached to it."""
    yield word
    if word.isascii() or not "\u0600" <= word[0] <= "\u06ff":
        yield from _latin(word)
        return
    rest = word
    if rest.startswith(_CONJUNCTIONS) and len(rest) > _SHORTEST[rest[0]]:
        rest = rest[1:]
        yield rest
    if rest.startswith("لل") and len(rest) > _SHORTEST_STEM:
        yield rest[2:]
    if rest.startswith(tuple(letter + _ARTICLE for letter in _PREPOSITIONS)) and len(rest) > _SHORTEST_STEM:
        yield rest[3:]
    if rest.startswith(_ARTICLE) and len(rest) > _SHORTEST_STEM:
        yield rest[2:]
    elif rest.startswith(_PREPOSITIONS) and len(rest) > _SHORTEST[rest[0]]:
        yield rest[1:]


def _latin(word: str) -> Iterator[str]:
    """Yield a word without its possessive, its elided article, or its plural s."""
    for ending in ("'s", "s'", "'"):
        if word.endswith(ending):
            yield word.removesuffix(ending)
    if "'" in word[:3]:
        yield word.partition("'")[2]
    if word.endswith("s") and len(word) > _SHORTEST_STEM:
        yield word[:-1]


def _singulars(word: str) -> Iterator[str]:
    """Yield the offices and bodies of which a word is the dual or the plural."""
    if word in _BROKEN:
        yield _BROKEN[word]
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word:
            yield from (base for base in (stem, stem + "ه") if base in _HEADS)
