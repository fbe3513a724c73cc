"""Objects: where the words about a position's target begin and end, and whom it is addressed to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mahdar.documents.folding import word_set
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.stage import Predicate
from mahdar.offline.lexicon import word_group

DIRECT_PREPOSITION: Final = word_group("objects.direct_preposition", "latin/names")

IMPERSONAL: Final = word_group("objects.impersonal", "latin/names")


LONGEST_TARGET: Final = 26
"""Words: a longer one runs into the next clause."""


ADDRESSED: Final = word_set("call_for demand")


LEADS: Final = word_group("objects.leads", "latin/names")


DETERMINERS: Final = word_group("objects.determiners", "latin/names")


END: Final = frozenset({".", "!", "?", ";", "—", "–", "…", "]", "[", ":"})


AND: Final = word_group("objects.and", "latin/names")


_MEDIA: Final = word_group("objects.media", "latin/names")


_BASE: Final = word_group("objects.base", "latin/names")


_BEFORE_DEED: Final = word_set("a de d' et , l' se")


_CLAUSE_OPENERS: Final = word_group("objects.clause_openers", "latin/names")


_AGAIN: Final = word_group("objects.again", "latin/names")


@dataclass(frozen=True, slots=True)
class Object:
    """The words about a target, by their tokens."""

    first: int
    stop: int
    addressee: str | None = None


def noun_start(clauses: Clauses, stop: int) -> int:
    """Where the subject before a token begins: behind the mark or conjunction before it."""
    first = stop
    while first > 0 and clauses.key(first - 1) not in END | {
        ",",
        '"',
        "“",
        "«",
        "that",
        "que",
        "qu'",
        "and",
        "et",
        "but",
        "mais",
        "(",
        ")",
    }:
        first -= 1
    return first


def object_of(clauses: Clauses, predicate: Predicate, act: str) -> Object | None:
    """Where the words about the target are, and who is addressed."""
    first = past_adverbs(clauses, predicate.verb.stop)
    stop = clause_end(clauses, first, lists=act in ADDRESSED | {"affirm_importance", "commit"})
    if act in ADDRESSED:
        return _addressed(clauses, first, stop)
    if act in {"thank", "accuse"}:
        return _thanked(clauses, first, stop)
    return Object(first, stop)


def past_adverbs(clauses: Clauses, at: int) -> int:
    """Behind adverbs, dates and « dans un communiqué »."""
    while at < len(clauses.sentence.tokens):
        key = clauses.key(at)
        dated = at in clauses.sentence.dated
        if key in {"pas", "plus", "jamais"}:
            at += 1
        elif clauses.key(at + 1) == "'s":
            return at
        elif dated or (key == "," and at + 1 and _is_media(clauses, at + 1)):
            at += 1
        else:
            return at
    return at


def _is_media(clauses: Clauses, at: int) -> bool:
    """«in a statement», « dans un communiqué », « lors d'une conférence de presse »."""
    if clauses.key(at) not in {"in", "during", "at", "on", "dans", "lors", "a", "sur", "to", "par"}:
        return False
    return any(clauses.key(one) in _MEDIA for one in range(at + 1, at + 5)) and clauses.key(at + 1) in {
        *("a", "an", "the", "his", "her", "their", "its", "un", "une", "l'", "d'", "de", "son", "sa", "leur"),
        *("remarks", "joint", "televised", "cet", "cette"),
    }


def clause_end(clauses: Clauses, first: int, *, lists: bool = False) -> int:
    """The token behind the clause that begins at one."""
    tokens = clauses.sentence.tokens
    quoted = clauses.sentence.quoted
    starts = {one.first for one in clauses.predicates} | {
        one.verb.at for one in clauses.predicates if one.form != "infinitive"
    }
    at, words = first, 0
    while at < len(tokens) and words <= LONGEST_TARGET:
        if at > first and _ends(clauses, first, at, starts, lists=lists):
            break
        if quoted[first] and not quoted[at]:
            break
        words += tokens[at].is_word
        at += 1
    return trimmed(clauses, first, at)


def _ends(  # a table
    clauses: Clauses, first: int, at: int, starts: set[int], *, lists: bool
) -> bool:
    key = clauses.key(at)
    if key in END:
        return True
    if key in AND and lists and _goes_on(clauses, first, at - 1):
        return False
    if key in AND:
        return is_new_clause(clauses, at + 1, starts)
    return at in starts and clauses.sentence.quoted[first] == 0 and _is_gerund(clauses, at)


def _is_gerund(clauses: Clauses, at: int) -> bool:
    return any(one.verb.at == at and one.form == "gerund" and clauses.key(at - 1) == "," for one in clauses.predicates)


def _goes_on(clauses: Clauses, first: int, at: int) -> bool:
    """Whether a comma parts things of one list: «to protect civilians, open the borders»."""
    behind = at + 1 + (clauses.key(at + 1) in {"and", "et"})
    if clauses.key(behind) == "to":
        behind += 1
    if not _is_deed(clauses, first) and not any(_is_deed(clauses, one) for one in range(first, min(first + 4, at))):
        return False
    return _is_deed(clauses, behind)


def _is_deed(clauses: Clauses, at: int) -> bool:
    if clauses.sentence.language == "en":
        return clauses.key(at) in _BASE
    return re.fullmatch(r"\w{2,}(?:er|ir|re)", clauses.key(at)) is not None and clauses.key(at - 1) in _BEFORE_DEED


def is_new_clause(clauses: Clauses, at: int, starts: set[int]) -> bool:
    """Whether a verb, or a subject and a verb, follow a conjunction."""
    key = clauses.key(at)
    if at in starts or key in _CLAUSE_OPENERS:
        return True
    return (
        clauses.sentence.language == "en"
        and key.endswith("ed")
        and clauses.key(at + 1) in {"the", "a", "an", "its", "his", "their", "that"}
    )


def trimmed(clauses: Clauses, first: int, stop: int) -> int:
    """Without a date, a preposition or a mark at the end."""
    while stop > first:
        key = clauses.key(stop - 1)
        loose = stop - 1 in clauses.sentence.dated or key in {
            "on",
            "in",
            "en",
            "and",
            "et",
            "by",
            '"',
            "”",
            "»",
            "“",
            "«",
            ",",
            "le",
            "since",
            "last",
            "also",
            "'",
        }
        if not loose:
            break
        stop -= 1
    return stop


def _addressed(clauses: Clauses, first: int, stop: int) -> Object:
    """«called on Israel to withdraw», « appelé Israël à se retirer »: who is addressed stands before the deed."""
    if clauses.sentence.language == "en":
        for at in range(first + 1, min(first + _LONGEST_ADDRESSEE, stop)):
            if clauses.key(at) == "to" and _is_bidden(clauses, at):
                return Object(at + 1, stop, clauses.sentence.piece(first, at))
        return Object(first, stop)
    for at in range(first, min(first + _LONGEST_ADDRESSEE, stop)):
        if clauses.key(at) in {"a", "au"} and at > first and clauses.mention_at(at - 1) is not None:
            return Object(at + 1, stop, clauses.sentence.piece(first, at))
        if clauses.key(at) in {"a", "de", "d'", "contre"} and is_infinitive(clauses, at + 1) and at > first:
            addressee = clauses.sentence.piece(first + (clauses.key(first) in {"a", "aux", "au"}), at)
            return Object(at + 1, stop, addressee or None)
    return Object(first, stop)


def _is_bidden(clauses: Clauses, at: int) -> bool:
    """Whether «to» behind an addressee begins what is asked of it: not «a halt to», "access to"."""
    return clauses.key(at + 1) in _BASE | {"not", "be"}


def is_infinitive(clauses: Clauses, at: int) -> bool:
    """Whether a French infinitive, perhaps with its pronouns, begins at a token."""
    if clauses.key(at) in {"se", "s'", "ne", "le", "la", "les", "l'", "y", "en", "pas", "plus"}:
        return any(re.fullmatch(r"\w{2,}(?:er|ir|re|oir)", clauses.key(one)) for one in range(at + 1, at + 4))
    return re.fullmatch(r"\w{2,}(?:er|ir|re|oir)", clauses.key(at)) is not None and clauses.mention_at(at) is None


def _thanked(clauses: Clauses, first: int, stop: int) -> Object:
    """«thanked Kuwait for its aid», "accused Iran of shelling": the deed stands behind the actor."""
    for at in range(first + 1, min(first + _LONGEST_ADDRESSEE, stop)):
        behind = clauses.key(at) in {"for", "of", "pour", "d'", "de", "over"}
        if behind and _is_after_mention(clauses, at):
            return Object(at + 1, stop, clauses.sentence.piece(first, at))
    return Object(first, stop)


def _is_after_mention(clauses: Clauses, at: int) -> bool:
    held = clauses.mention_at(at - 1)
    if clauses.key(at) in {"de", "d'"}:
        return held is not None and is_infinitive(clauses, at + 1)
    return held is not None


_LONGEST_ADDRESSEE: Final = 14


def parts_of(clauses: Clauses, told: Object) -> Iterator[tuple[int, int]]:
    """The things of a list, each by its tokens."""
    first = told.first
    for at in range(told.first + 1, told.stop):
        comma = clauses.key(at) == ","
        joined = comma or (clauses.key(at) in {"and", "et"} and clauses.key(at - 1) != ",")
        if joined and (_goes_on(clauses, told.first, at if comma else at - 1) or _is_again(clauses, at)):
            yield first, trimmed(clauses, first, at)
            first = at + 1 + (clauses.key(at + 1) in {"and", "et"})
    yield first, told.stop


def _is_again(clauses: Clauses, at: int) -> bool:
    """«the need for X, and the role of Y», "support for X and to Y": a further thing with its own beginning."""
    if clauses.key(at) == ",":
        return clauses.key(at + 1) in {"and", "et"} and clauses.key(at + 2) in _AGAIN
    return clauses.key(at + 1) in {"to", "for"} and clauses.key(at + 2) != "be" and clauses.key(at - 1) != ","


def behind_leads(clauses: Clauses, first: int, stop: int) -> int:
    """Behind prepositions, «that», and opening marks."""
    while first < stop and (clauses.key(first) in LEADS | {'"', "“", "«", ","} and clauses.mention_at(first) is None):
        if clauses.sentence.tokens[first].text.casefold() == "a":
            break  # the article, or « a » of «avoir»
        first += 1
    return first


def without_stop(clauses: Clauses, first: int, stop: int) -> tuple[str, bool]:
    """«an end to the fighting»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    whole = clauses.sentence.piece(first, stop)
    keys = {clauses.key(at) for at in range(first, stop)}
    if keys & clauses.words.spared:
        return whole.strip(MARKS), False
    at = first
    while clauses.key(at) in DETERMINERS | {"immediate", "complete", "full", "total", "rapid", "un", "une"}:
        at += 1
    for begin in dict.fromkeys((first, at)):
        for words in clauses.words.stops:
            behind = match(clauses, begin, words)
            if behind is not None and behind < stop and _is_thing(clauses, behind):
                return clauses.sentence.piece(behind_leads(clauses, behind, stop), stop).strip(MARKS), True
    return whole.strip(MARKS), False


def _is_thing(clauses: Clauses, at: int) -> bool:
    return clauses.key(at) not in {",", ".", "and"}


def match(clauses: Clauses, at: int, words: tuple[str, ...]) -> int | None:
    """The token behind some words; None where they do not stand at a token."""
    for word in words:
        if clauses.key(at) not in _CONTRACTED.get(word, {word}):
            return None
        at += 1
    if clauses.key(at - 1) in {"halt", "halting"} and clauses.key(at) in {"to", "in", "of"}:
        at += 1
    return at


_CONTRACTED: Final = {"de": {"de", "d'", "du", "des"}, "a": {"a", "au", "aux"}, "to": {"to", "of", "in"}}


MARKS: Final = ' "“”«»,\n\u00a0'


def copula_behind(clauses: Clauses, first: int) -> int | None:
    """The first «is», «remains» behind a token, within its clause."""
    for at in range(first + 1, min(first + 22, len(clauses.sentence.tokens))):
        if (
            clauses.key(at) in clauses.words.words["copulas"] | {"lie", "lies", "remain", "form"}
            and clauses.mention_at(at) is None
        ):
            return at
        if clauses.key(at) in END | {"which", "who", "qui"}:
            return None
    return None
