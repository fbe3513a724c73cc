"""Circumstances of an encounter in an English or French sentence: kind, channel, status, date, place."""

import re
from typing import Final

from mahdar.offline.circumstances import dates_in
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.stage import Predicate
from mahdar.offline.latin.tokens import TokenizedSentence
from mahdar.offline.lexicon import word_group
from mahdar.resolving.countries import CountryForm, is_contested
from mahdar.schemas.enums import Channel, Status

_PHONE: Final = word_group("circumstances.phone", "latin/names")
_CANCELLED: Final = word_group("circumstances.cancelled", "latin/names")
_POSTPONED: Final = word_group("circumstances.postponed", "latin/names")
_INVITED: Final = word_group("circumstances.invited", "latin/names")
_PLANNED: Final = word_group("circumstances.planned", "latin/names")
_HELD: Final = word_group("circumstances.held", "latin/names")
_ANYHOW: Final = word_group("circumstances.anyhow", "latin/names")
_VAGUE: Final = re.compile(
    r"in the (?:near future|coming (?:days|weeks|months))|as soon as possible"
    r"|(?:earlier|later) this\s+(?:month|week|year)"
    r"|dans les (?:prochain(?:s|es)\s+(?:jours|semaines|mois)|(?:jours|semaines|mois) à venir)|prochainement"
)
"""Words of time that name no date, and are still the article's."""
_CITY_REACH: Final = 20
_AT: Final = word_group("circumstances.at", "latin/names")
_VENUE: Final = re.compile(
    r"\b(?:at|in|à|au|dans)\s+(?:the\s+|l['’]|la\s+|le\s+)?"
    r"((?:[A-ZÉ][\w’'-]+\s+|presidential\s+|royal\s+|government\s+|foreign\s+|palais\s+|hôtel\s+|siège\s+)*"
    r"(?:White House|Oval Office|Elys[ée]e|Élysée|Kremlin|Camp David|Bureau ovale|Maison[ -]Blanche|Matignon|"
    r"Quai d['’]Orsay|"
    r"[Pp]alace|[Hh]eadquarters|[Hh]otel|State Department|[Mm]inistry|[Rr]esidence|airport|"
    r"(?:palais|siège|hôtel|ministère|aéroport)(?:\s+(?:de|du|des|d['’]|de la|de l['’])\s*[\w’'-]+)?))"
)


def _window(sentence: TokenizedSentence, at: int, reach: int) -> list[str]:
    return [sentence.key(one) for one in range(max(0, at - reach), min(at + reach, len(sentence.tokens)))]


def channel_of(sentence: TokenizedSentence, at: int) -> Channel:
    """By which channel: by phone or video where the words about it say so."""
    near = set(_window(sentence, at, 9))
    return "phone" if near & _PHONE - {"call", "appel"} else "in_person"


def is_told_apart(sentence: TokenizedSentence, at: int) -> bool:
    """Whether neither the word of meeting nor a building tells that they met in person."""
    return sentence.key(at) in _ANYHOW and venue_of(sentence.line.text) is None


def status_of(clauses: Clauses, at: int) -> Status:
    """Whether an encounter took place, by tense and by the words about it."""
    near = set(_window(clauses.sentence, at, 12))
    if near & _CANCELLED:
        return "cancelled"
    if near & _POSTPONED:
        return "postponed"
    if set(_window(clauses.sentence, at, 8)) & _INVITED:
        return "proposed"
    told = next((one for one in clauses.predicates if one.verb.at <= at < max(one.verb.stop, one.verb.at + 1)), None)
    if told is not None:
        future = told.future or (told.form == "infinitive" and bool(_before(clauses, told) & _PLANNED))
        if told.form == "infinitive" and any(one.future and one.verb.at < told.verb.at for one in clauses.predicates):
            future = True
        return "planned" if future else "held"
    return "held"


def _before(clauses: Clauses, told: Predicate) -> set[str]:
    return {clauses.key(one) for one in range(max(0, told.verb.at - 6), told.verb.at)}


def date_of(sentence: TokenizedSentence, at: int) -> str | None:
    """The date nearest to a word of meeting."""
    spans = [*dates_in(sentence.line), *(found.span() for found in _VAGUE.finditer(sentence.line.text))]
    place = sentence.tokens[at].start
    if not spans:
        return None
    start, end = min(spans, key=lambda span: abs(span[0] - place))
    return sentence.line.text[start:end]


def city_of(sentence: TokenizedSentence, at: int) -> str | None:
    """A city behind «in», «at», «to», « à », near a word of meeting."""
    for place in range(max(1, at - _CITY_REACH), min(at + _CITY_REACH, len(sentence.tokens))):
        if (
            sentence.tokens[place].is_capital
            and sentence.key(place - 1) in _AT
            and is_contested(sentence.tokens[place].text)
        ):
            return sentence.tokens[place].text
    for one in sentence.line.countries:
        if one.kind is not CountryForm.CITY:
            continue
        first = sentence.number(one.start)
        if sentence.key(first - 1) in _AT and abs(first - at) <= _CITY_REACH:
            return sentence.line.text[one.start : one.end]
    return None


def venue_of(text: str) -> str | None:
    """A building named as the place."""
    found = _VENUE.search(text)
    return found[1].strip() if found else None
