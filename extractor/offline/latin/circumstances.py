"""Circumstances of an encounter in an English or French sentence: kind, channel, status, date, place."""

import re
from typing import Final

from mahdar.offline.circumstances import dates_in
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.stage import Predicate
from mahdar.offline.latin.tokens import Sentence
from mahdar.resolving.countries import CountryForm, is_contested, listed
from mahdar.schemas.enums import Channel, MeetingKind, Status

SUMMIT: Final = listed("summit sommet")
PRESS: Final = listed("press presse news")
_PHONE: Final = listed(
    """
    phone telephone telephonic call phoned telephoned telephonique telephoniquement telephoner telephones appel
    """
)
_VIDEO: Final = listed("video videoconference visioconference virtual virtually")
_CANCELLED: Final = listed("cancelled canceled cancels cancel annule annulee annules annulees annuler scrapped")
_POSTPONED: Final = listed(
    """
    postponed delayed postpone reporte reportee reportes reportees repousse repoussee ajourne ajournee
    """
)
_INVITED: Final = listed("invited invites invitation invite invitee")
_PROPOSED: Final = listed("proposed proposes offered proposal propose offre")
_PLANNED: Final = listed(
    """
    will tomorrow scheduled due expected planned plans upcoming set doit doivent va vont prevu prevue prevus prevoit
    demain prochain prochaine prochains prochaines s'apprete sera seront devrait devraient shall intends intend
    intention next agreed
    """
)
_HELD: Final = listed("met held was were had a ont took lieu")
_ANYHOW: Final = listed(
    """
    speak spoke spoken speaking talked consultations negotiations dialogue pourparlers negociations consultations
    entretenu entretenus entretient entretiendra discute discuter parle negotiated signed signe chaired co-chaired
    consulted
    """
)
"""Words of meeting that do not tell whether people met in person."""
_VAGUE: Final = re.compile(
    r"in the (?:near future|coming (?:days|weeks|months))|as soon as possible"
    r"|(?:earlier|later) this\s+(?:month|week|year)"
    r"|dans les (?:prochain(?:s|es)\s+(?:jours|semaines|mois)|(?:jours|semaines|mois) à venir)|prochainement"
)
"""Words of time that name no date, and are still the article's."""
_CITY_REACH: Final = 20
_AT: Final = listed("in to at a pour near")
_VENUE: Final = re.compile(
    r"\b(?:at|in|à|au|dans)\s+(?:the\s+|l['’]|la\s+|le\s+)?"
    r"((?:[A-ZÉ][\w’'-]+\s+|presidential\s+|royal\s+|government\s+|foreign\s+|palais\s+|hôtel\s+|siège\s+)*"
    r"(?:White House|Oval Office|Elys[ée]e|Élysée|Kremlin|Camp David|Bureau ovale|Maison[ -]Blanche|Matignon|"
    r"Quai d['’]Orsay|"
    r"[Pp]alace|[Hh]eadquarters|[Hh]otel|State Department|[Mm]inistry|[Rr]esidence|airport|"
    r"(?:palais|siège|hôtel|ministère|aéroport)(?:\s+(?:de|du|des|d['’]|de la|de l['’])\s*[\w’'-]+)?))"
)


def _window(sentence: Sentence, at: int, reach: int) -> list[str]:
    return [sentence.key(one) for one in range(max(0, at - reach), min(at + reach, len(sentence.tokens)))]


def kind_of(sentence: Sentence, at: int, kind: MeetingKind) -> MeetingKind:
    """The kind that the words about a word of meeting tell; else the one that the word itself tells."""
    near = set(_window(sentence, at, 5))
    if near & PRESS and near & {"conference"}:
        return "press_conference"
    if sentence.key(at) in SUMMIT and kind == "talks":
        return "summit"
    if near & {"negotiations", "negotiation", "pourparlers", "negociations"}:
        return "negotiation"
    return kind


def channel_of(sentence: Sentence, at: int) -> Channel:
    """By which channel: by phone or video where the words about it say so."""
    near = set(_window(sentence, at, 9))
    if near & _VIDEO:
        return "video"
    called = sentence.key(at) in {"call", "calls", "called", "appel", "phoned", "telephoned", "phone"}
    return "phone" if called or near & (_PHONE - {"call", "appel"}) or {"phone", "call"} <= near else "in_person"


def is_told_apart(sentence: Sentence, at: int) -> bool:
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
        return "planned" if future else "proposed" if near & _PROPOSED else "held"
    before = set(_window(clauses.sentence, at, 6))
    return (
        "planned"
        if before & (_PLANNED - {"a", "va"}) and not before & _HELD - {"a"}
        else "proposed"
        if near & _PROPOSED
        else "held"
    )


def _before(clauses: Clauses, told: Predicate) -> set[str]:
    return {clauses.key(one) for one in range(max(0, told.verb.at - 6), told.verb.at)}


def date_of(sentence: Sentence, at: int) -> str | None:
    """The date nearest to a word of meeting."""
    spans = [*dates_in(sentence.line), *(found.span() for found in _VAGUE.finditer(sentence.line.text))]
    place = sentence.tokens[at].start
    if not spans:
        return None
    start, end = min(spans, key=lambda span: abs(span[0] - place))
    return sentence.line.text[start:end]


def city_of(sentence: Sentence, at: int) -> str | None:
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
