"""The lexicon: verbs and nouns of position, saying and meeting in their forms, read from a table (`lexicon.toml`)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from mahdar.documents.folding import fold
from mahdar.offline.latin.tokens import LatinLanguage, TokenizedSentence
from mahdar.offline.lexicon import tables

VerbForm = Literal["finite", "participle", "gerund", "infinitive"]
VerbTable = Literal["stance", "speech", "with", "direct", "to", "done"]

_DOUBLED: Final = ("commit", "regret", "slam", "rebut", "hit", "sit", "stop", "confer")
"""English verbs that double their last letter before an ending."""
_FRENCH_ENDINGS: Final[Mapping[VerbForm, tuple[str, ...]]] = {
    "finite": (
        "e",
        "es",
        "ent",
        "ons",
        "ez",
        "ais",
        "ait",
        "aient",
        "a",
        "èrent",
        "era",
        "eront",
        "erait",
        "eraient",
        "erons",
        "erions",
        "ions",
    ),
    "participle": ("é", "ée", "és", "ées"),
    "gerund": ("ant",),
    "infinitive": ("er",),
}


@dataclass(frozen=True, slots=True)
class VerbEntry:
    """A verb with the words that must follow it."""

    table: VerbTable
    code: str
    tail: tuple[str, ...]
    pronominal: bool = False


@dataclass(frozen=True)
class Lexicon:
    """The words of one language."""

    language: LatinLanguage
    forms: Mapping[str, frozenset[tuple[str, VerbForm]]]
    """form → lemmas, each with what the form is"""
    entries: Mapping[str, tuple[VerbEntry, ...]]
    """lemma → its entries, those with the most words first"""
    nouns: Mapping[str, str]
    """noun of position → act"""
    meeting_nouns: frozenset[str]
    stressing: frozenset[str]
    stops: tuple[tuple[str, ...], ...]
    """words of ending or countering, folded, the longest first"""
    spared: frozenset[str]
    words: Mapping[str, frozenset[str]]

    def of(self, word: str) -> frozenset[tuple[str, VerbForm]]:
        """What a word may be a form of."""
        return self.forms.get(word.casefold().replace("’", "'"), frozenset())

    def is_stress(self, lemma: str) -> bool:
        """Whether a verb says how much something matters."""
        return lemma in self.stressing


@cache
def lexicon(language: LatinLanguage) -> Lexicon:
    """The words of a language, its verbs in all their forms."""
    raw = tables("latin/lexicon")
    table = raw[language]
    entries: dict[str, list[VerbEntry]] = {}
    for lemma, entry in _entries(table):
        entries.setdefault(lemma, []).append(entry)
    forms: dict[str, set[tuple[str, VerbForm]]] = {}
    for lemma in entries:
        for form, kind in _forms(language, lemma, table["irregular"]):
            forms.setdefault(form, set()).add((lemma, kind))
    return Lexicon(
        language,
        {form: frozenset(found) for form, found in forms.items()},
        {lemma: tuple(sorted(found, key=lambda one: -len(one.tail))) for lemma, found in entries.items()},
        {fold(noun): act for act, nouns in table["nouns"].items() for noun in nouns},
        frozenset(fold(noun) for noun in table["meeting"]["nouns"]),
        frozenset(table["stress"]["words"]),
        tuple(sorted((_keys(phrase) for phrase in table["stop"]["words"]), key=lambda one: -len(one))),
        frozenset(raw["spared"]["words"]),
        {name: frozenset(words) for name, words in table["words"].items()},
    )


def _keys(phrase: str) -> tuple[str, ...]:
    return tuple(word.replace('"', "'") for word in fold(phrase).split())


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, VerbEntry]]:
    for act, phrases in table["verbs"].items():
        for phrase in phrases:
            yield _entry("stance", act, phrase)
    for phrase in table["speech"]["words"]:
        yield _entry("speech", "said", phrase)
    kinds: tuple[VerbTable, ...] = ("with", "direct", "to", "done")
    for kind in kinds:
        for phrase in table["meeting"][kind]:
            yield _entry(kind, "met", phrase)


def _entry(table: VerbTable, code: str, phrase: str) -> tuple[str, VerbEntry]:
    first, *tail = phrase.split("+")
    pronominal = first in {"se", "s'"}
    if pronominal:
        first, *tail = tail
    return first, VerbEntry(table, code, tuple(fold(word).replace('"', "'") for word in tail), pronominal)


def _forms(language: LatinLanguage, lemma: str, irregular: Mapping[str, str]) -> Iterator[tuple[str, VerbForm]]:
    if language == "en":
        yield from _english(lemma, irregular.get(lemma))
    elif listed := irregular.get(fold(lemma)):
        kinds: tuple[VerbForm, ...] = ("finite", "participle", "gerund", "infinitive")
        for kind, forms in zip(kinds, listed.split("|"), strict=True):
            yield from ((form, kind) for form in forms.split())
    elif lemma.endswith("ir"):
        yield from _french_second(lemma)
    else:
        yield from _french(lemma)


def _english(lemma: str, listed: str | None) -> Iterator[tuple[str, VerbForm]]:
    yield lemma, "infinitive"
    yield _with_s(lemma), "finite"
    stem = lemma + lemma[-1] if lemma in _DOUBLED else lemma
    yield (stem.removesuffix("e") if stem.endswith("e") and not stem.endswith("ee") else stem) + "ing", "gerund"
    past, participle = listed.split() if listed else (_past(lemma), _past(lemma))
    yield from ((form, "finite") for form in past.split(","))
    yield from ((form, "participle") for form in participle.split(","))


def _with_s(lemma: str) -> str:
    if lemma == "have":
        return "has"
    if re.search(r"[^aeiou]y$", lemma):
        return f"{lemma[:-1]}ies"
    return lemma + ("es" if re.search(r"(?:s|sh|ch|x|z|o)$", lemma) else "s")


def _past(lemma: str) -> str:
    if re.search(r"[^aeiou]y$", lemma):
        return f"{lemma[:-1]}ied"
    return lemma + ("d" if lemma.endswith("e") else "ed")


def _french(lemma: str) -> Iterator[tuple[str, VerbForm]]:
    stem = lemma.removesuffix("er")
    open_stem = re.sub(r"é([^aeiouéè]+)$", r"è\1", stem)
    doubled = stem + stem[-1] if stem in {"appel", "rappel", "rejet"} else open_stem
    doubled = re.sub(r"e([lmns])$", r"è\1", doubled) if lemma in {"lever", "mener", "relever"} else doubled
    soft = re.sub(r"c$", "ç", re.sub(r"g$", "ge", stem))
    for kind, endings in _FRENCH_ENDINGS.items():
        for ending in endings:
            before_e = {"e", "es", "ent", "era", "eront", "erait", "eraient", "erons"}
            used = doubled if ending in before_e and kind == "finite" else soft if ending[0] in "ao" else stem
            yield used + ending, kind
            if used != stem and ending in before_e:
                yield stem + ending, kind  # «réitèrera» and «réitérera»


def _french_second(lemma: str) -> Iterator[tuple[str, VerbForm]]:
    stem = lemma.removesuffix("r")
    yield lemma, "infinitive"
    yield stem + "ssant", "gerund"
    yield from ((stem + ending, "finite") for ending in ("t", "ssent", "ssait", "ssaient", "ra", "ront", "ssons"))
    yield from ((stem + ending, "participle") for ending in ("", "e", "s", "es"))


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the lexicon where it stands in a sentence, by the numbers of its tokens."""

    at: int
    stop: int
    lemma: str
    form: VerbForm
    entries: tuple[VerbEntry, ...]

    def in_table(self, *tables: VerbTable) -> bool:
        """Whether it belongs to one of some tables."""
        return any(entry.table in tables for entry in self.entries)

    def code(self, table: VerbTable) -> str | None:
        """What it is in a table."""
        return next((entry.code for entry in self.entries if entry.table == table), None)


_BETWEEN: Final = frozenset({"also", "both", "again", "egalement", "aussi", "tous", "encore"})


def verbs_at(sentence: TokenizedSentence, at: int) -> tuple[Verb, ...]:
    """The verbs that a token may begin: of each lemma and form those entries that take the most words."""
    words = lexicon(sentence.language)
    found: list[Verb] = []
    for lemma, form in sorted(words.of(sentence.tokens[at].text)):
        fitting = [(stop, entry) for entry in words.entries[lemma] if (stop := _stop(sentence, at, entry)) is not None]
        if fitting:
            longest = max(stop for stop, _ in fitting)
            tables = {entry.table for stop, entry in fitting if stop == longest}
            told = longest > at + 1 and "stance" in tables  # «called on» is no call
            rest = {"speech", "done"} if told else {"stance", "speech", "with", "direct", "to", "done"}
            entries = tuple(
                entry for stop, entry in fitting if stop == longest or (entry.table in rest - tables and not entry.tail)
            )
            found.append(Verb(at, longest, lemma, form, entries))
    return tuple(found)


def _stop(sentence: TokenizedSentence, at: int, entry: VerbEntry) -> int | None:
    """The token behind a verb's words; None where they do not follow."""
    if entry.pronominal != _is_pronominal(sentence, at) and sentence.language == "fr":
        return None
    stop = at + 1
    for word in entry.tail:
        while sentence.key(stop) in _BETWEEN or sentence.key(stop).endswith(("ment", "ly")):
            stop += 1
        if not _is_word(sentence, stop, word):
            return None
        stop += 1
    return stop


_CONTRACTED: Final = {
    "de": {"de", "d'", "du", "des"},
    "a": {"a", "au", "aux"},
    "un": {"un", "une", "des"},
    "une": {"une", "des", "sa", "la"},
    "des": {"des", "les"},
}


def _is_word(sentence: TokenizedSentence, at: int, word: str) -> bool:
    return sentence.key(at) in _CONTRACTED.get(word, {word})


_CLITICS: Final = frozenset({"s'", "se", "m'", "me", "nous"})
_AUX: Final = frozenset(
    [
        "est",
        "sont",
        "etait",
        "etaient",
        "sera",
        "seront",
        "suis",
        "sommes",
        "serait",
        "seraient",
        "soit",
        "soient",
        "etre",
        "y",
        "en",
        "n'",
        "ne",
        "a",
    ]
)


def _is_pronominal(sentence: TokenizedSentence, at: int) -> bool:
    """« s'est entretenu », « se félicite », « s'étant engagé »: a pronoun before verb and auxiliary."""
    first = at - 1
    while first >= 0 and (sentence.key(first) in _AUX or sentence.key(first).endswith("ment")):
        first -= 1
    key = sentence.key(first)
    if key == "nous":
        return sentence.key(first - 1) == "nous"
    return key in _CLITICS
