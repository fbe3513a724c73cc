"""Forms of a word: what a clitic, the article, a possessive or a shared plural does to it.

A model writes the name that an article implies: «وزير المالية» where it has «وزراء الصحة والمالية», «الوفد التونسي»
where it has «وفد تونسي», "Macron" where it has "Macron's". Such a name is the article's if each of its words is a form
of a word of one sentence. Clitics are taken off the article's words only, and plurals are undone for a closed list of
offices and bodies, so that no name becomes another: «وسام» is not «بسام».

A clause may inflect the article's words freely: its words are compared by their stems.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from mahdar.documents.folding import fold

_MARKS: Final = "\"'.,;:!?()[]{}<>«»*•·…-–—/\\|"
_ARTICLE: Final = "ال"
_WITH_ARTICLE: Final = re.compile(r"[وف]?(?:[بكل]?ال|لل).{3}")
_CONJUNCTIONS: Final = ("و", "ف")
_PREPOSITIONS: Final = ("ب", "ل", "ك")
_SHORTEST: Final = {"و": 3, "ف": 3, "ب": 3, "ل": 3, "ك": 4}
"""Letters that must be left where one is taken off that may belong to the word: «ريم» is not in «كريم»."""
_SHORTEST_STEM: Final = 4
_ROOT: Final = 3
"""Letters that must be left of an Arabic word without its endings."""
_SHARED_STEM: Final = 4
"""Letters that two inflections of one Arabic word have in common: «طالبت», «مطالبتها»."""
_LATIN_STEM: Final = 5
"""First letters that two inflections of one Latin word have in common: "welcomed", "welcoming"."""
_CONTENT_LETTERS: Final = 3
"""A shorter word without a digit supports no clause."""
_NAME_LETTERS: Final = 2
"""A shorter word without a digit is an initial, or no word."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_HEADS: Final = frozenset(
    map(
        fold,
        _listed(
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
        for pair in _listed(
            "وزراء/وزير رؤساء/رئيس سفراء/سفير قادة/قائد ملوك/ملك أمراء/أمير زعماء/زعيم نواب/نائب وكلاء/وكيل مدراء/مدير "
            "أمناء/أمين أعضاء/عضو قناصل/قنصل حكام/حاكم مجالس/مجلس جيوش/جيش وفود/وفد دول/دولة بلدان/بلد أحزاب/حزب "
            "كتل/كتلة لجان/لجنة أطراف/طرف نظراء/نظير"
        )
    )
}
_ENDINGS: Final = _listed("تين تان ين ان ون ات تي تا ي ا و هما هم ها ه")
"""Of the dual, the plural, and the pronoun of the owner: «وفدها»."""
_SUFFIXES: Final = _listed("هما هم ها كم نا تين تان يين يون ات ون ين ان يه ه ي ت وا ا")
"""Endings of Arabic nouns and verbs, the longest first where one ends another."""
_PARTICLES: Final = frozenset(
    conjunction + fold(word)
    for word in _listed(
        "في من إلى على عن مع أن أنه أنها إن إنه إنها بأن بأنه بأنها هذا هذه ذلك تلك التي الذي الذين اللذين كما كل بين "
        "بعد قبل خلال حول عند لدى منذ حتى ثم أو أم لا لم لن ليس ما هو هي هم كان كانت يكون تكون قد لقد إذا لكن غير عبر "
        "ضد دون نحو أيضا حيث بعض جميع أي قال قالت أكد أكدت أعلن أضاف"
    )
    for conjunction in ("", *_CONJUNCTIONS)
) | frozenset(
    _listed(
        "the of and or in to for that with on by at from as is was were be been has have had it its this their his her "
        "an not will would which who he she they said la le les un une des de du et en au aux ou dans pour sur par que "
        "qui est avec ont sont ses son sa leur leurs cette ce pas plus il elle ils"
    )
)
"""Words without content, in the languages of articles."""


@lru_cache(maxsize=50_000)
def forms(word: str) -> frozenset[str]:
    """All that a folded word may be a form of, itself included."""
    bare = frozenset(_bare(word))
    return bare | frozenset(base for one in bare for base in _singular(one))


@lru_cache(maxsize=50_000)
def name_forms(word: str) -> frozenset[str]:
    """All that a folded word of a name may stand for: less is taken off than of the article's words, see above."""
    bare = {word, word.removeprefix(_ARTICLE)} if len(word) > _SHORTEST_STEM else {word}
    return frozenset(bare | {base for one in bare for base in _singular(one)})


@lru_cache(maxsize=50_000)
def stems(word: str) -> frozenset[str]:
    """What inflections of a folded word have in common: two words with a stem in common are forms of one."""
    if word.isascii():
        return forms(word) | {word[:_LATIN_STEM]}
    found, bare = set(forms(word)), list(_bare(word))
    without_article = [one for one in bare if not _WITH_ARTICLE.match(one)] or [bare[-1]]
    for one in map(_without_suffixes, without_article):
        found.update(one[at : at + _SHARED_STEM] for at in range(max(1, len(one) - _SHARED_STEM + 1)))
    return frozenset(found)


@lru_cache(maxsize=4_096)
def content_words(text: str) -> tuple[str, ...]:
    """The folded words of a text that say something."""
    return _words(text, _CONTENT_LETTERS)


def name_words(text: str) -> tuple[str, ...]:
    """The folded words of a name that it cannot do without."""
    return _words(text, _NAME_LETTERS)


def words_of(text: str) -> tuple[str, ...]:
    """The folded words of a text, without the marks around them."""
    return tuple(word for raw in fold(text).replace('"', " ").split() if (word := raw.strip(_MARKS)))


def _words(text: str, letters: int) -> tuple[str, ...]:
    return tuple(
        word
        for word in words_of(text)
        if word not in _PARTICLES and (len(word) >= letters or any(letter.isdigit() for letter in word))
    )


def _without_suffixes(word: str) -> str:
    """The word without its endings: of a noun, and of the pronoun behind it."""
    for _ in range(2):
        ending = next((one for one in _SUFFIXES if word.endswith(one) and len(word) - len(one) >= _ROOT), "")
        word = word.removesuffix(ending)
    return word


def _bare(word: str) -> Iterator[str]:
    """The word, and the word without what is written together with it."""
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
    """Without a possessive, an elided article, or a plural's s."""
    for ending in ("'s", "s'", "'"):
        if word.endswith(ending):
            yield word.removesuffix(ending)
    if "'" in word[:3]:
        yield word.partition("'")[2]
    if word.endswith("s") and len(word) > _SHORTEST_STEM:
        yield word[:-1]


def _singular(word: str) -> Iterator[str]:
    """The office or body of which a word is the dual or the plural."""
    if word in _BROKEN:
        yield _BROKEN[word]
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word:
            yield from (base for base in (stem, stem + "ه") if base in _HEADS)
