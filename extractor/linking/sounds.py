"""Compare names by sound: one key for «شكري» and "Shoukry", and whether a Latin word can spell an Arabic one.

A key holds the consonants alone, each as the class of those that spellings exchange («غ» and «ج» of سيرغي / سيرجي,
«ط» and «ت» of أنطوني / أنتوني). It selects names to compare, and never decides alone.
"""

import re
from functools import lru_cache
from typing import Final

_CLASSES: Final = {
    "P": ("بپ", "b p"),
    "T": ("تط", "t"),
    "C": ("ث", "th"),
    "G": ("جغچگقك", "gh dj ck c g j k q"),
    "X": ("خ", "kh"),
    "D": ("دضذ", "dh d"),
    "R": ("ر", "r"),
    "Z": ("زظ", "z"),
    "S": ("سص", "s"),
    "J": ("ش", "tch sch sh ch"),
    "F": ("فڤ", "ph f v"),
    "L": ("ل", "l"),
    "M": ("م", "m"),
    "N": ("ن", "n"),
}
"""Class → its Arabic letters, and its Latin groups in names of this region. Vowels, h, w and y have no class."""
_ARABIC: Final = {letter: name for name, (letters, _) in _CLASSES.items() for letter in letters}
_LATIN: Final = {"x": "GS"} | {group: name for name, (_, groups) in _CLASSES.items() for group in groups.split()}
_GROUP: Final = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)))
_TWICE: Final = re.compile(r"(.)\1+")
_SOFT: Final = {"C": "T", "X": "G", "Z": "S", "J": "S"}
"""Classes merged with another, since languages lack some of the sounds: «ث» becomes "s" or "t"."""

# Latin spellings of an Arabic letter, as a pattern. Short vowels may stand anywhere.
_WRITTEN: Final = {
    "ا": "[aeiou]{1,2}|",
    "و": "ou|oo|u|o|w|v|aw|au|ow|",
    "ي": "ee|ie|ey|ei|ai|ay|ij|i|y|e|a|j|",
    "ع": "[aeiou]{0,2}",
    "ء": "",
    "ه": "h|a|ah|e|t|",
    "ح": "h",
    "ب": "b|p",
    "پ": "p",
    "ت": "t|th",
    "ط": "t",
    "ث": "th|t|s",
    "ج": "j|g|dj|dg",
    "چ": "ch|tch",
    "غ": "gh|g|r",
    "گ": "g",
    "خ": "kh|ch|h|j|x",
    "د": "d",
    "ذ": "dh|d|z|th",
    "ض": "d|dh",
    "ر": "r",
    "ز": "z|s",
    "ظ": "z|dh|th",
    "س": "s|c|ss",
    "ص": "s|ss",
    "ش": "sh|ch|sch|s|sc",
    "ف": "f|v|ph|ff|w",
    "ڤ": "v",
    "ق": "q|k|g|c|gh",
    "ك": "k|c|ck|q|g|x|ch",
    "ل": "l|ll",
    "م": "m",
    "ن": "n",
}
_VOWEL: Final = re.compile("[aeiou]")
_VOWELS: Final = "[aeiouy]{0,2}"


@lru_cache(maxsize=1 << 16)
def sound_key(word: str) -> str:
    """Return the classes of the consonants of a folded word, "" if it has none: "L" of «علي» and "Ali"."""
    if word.isascii():
        classes = "".join(_LATIN[group[0]] for group in _GROUP.finditer(word))
    else:
        classes = "".join(_ARABIC.get(letter, "") for letter in word)
    return _TWICE.sub(r"\1", "".join(_SOFT.get(one, one) for one in classes))


@lru_cache(maxsize=1 << 16)
def can_be_written(one: str, other: str) -> bool:
    """Return whether a folded word in Latin letters can spell a folded Arabic one without article, in either order."""
    latin, arabic = (one, other) if one.isascii() else (other, one)
    written = _TWICE.sub(r"\1", latin.replace("x", "ks"))
    return any(_pattern(form).fullmatch(written) for form in (arabic, f"ال{arabic}"))


def consonants(latin: str) -> int:
    """Count the consonants of a folded Latin name, h, w and y included; a doubled one counts once."""
    return len(_VOWEL.sub("", _TWICE.sub(r"\1", latin)))


@lru_cache(maxsize=1 << 14)
def _pattern(arabic: str) -> re.Pattern[str]:
    letters = (f"(?:{_WRITTEN[letter]})" for letter in _TWICE.sub(r"\1", arabic) if letter in _WRITTEN)
    return re.compile(_VOWELS + _VOWELS.join(letters) + _VOWELS + "e?")
