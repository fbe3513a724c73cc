"""Circumstances: what a sentence tells of an encounter beside its parties: kind, channel, status, date, place."""

import re
from typing import Final

from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import word_group
from mahdar.resolving import date_grammar
from mahdar.resolving.countries import CountryForm
from mahdar.schemas.enums import Channel, MeetingKind, Status

_PLANNED_VERBS: Final = re.compile(r"س[يت]\w+")
_STATUS_REACH: Final = 8
_KIND_REACH: Final = 3
_DATE_KINDS: Final = "AWNMYPFCckmydO"
_VENUE: Final = re.compile(r"\b(?:بمقر|في مقر|مقر|بقصر|في قصر|بديوان|بفندق|في فندق|البيت الأبيض)[^،,.؛:\"“”«»()]*")
_VENUE_END: Final = re.compile(r"\s+(?:في|ب(?:ال)?عاصمة|بالعاصمة|بمدينة|مع|اليوم|أمس|حيث|يوم|على|خلال|بأن|أن)(?:\s|$)")
_CITY_REACH: Final = 24


def is_visit(key: str) -> bool:
    """Whether a folded word is one of visiting, verb or noun."""
    return re.match(r"و?ف?ب?ل?(?:ال)?(?:زيار|زار|س?[يت]زور)", key) is not None


def kind_of(line: AnnotatedSentence, cue: Cue) -> MeetingKind:
    """The kind that the words near a word of meeting tell."""
    key = line.row.words[cue.first].key
    for found in line.cues("kind"):
        near = abs(found.first - cue.first) <= _KIND_REACH
        if near and found.code in {"press_conference", "signing", "summit", "session", "negotiation", "ceremony"}:
            return found.code  # type: ignore[return-value]
    return "visit" if is_visit(key) else "talks"


def channel_of(line: AnnotatedSentence) -> Channel:
    """By which channel: by phone or video where the sentence says so."""
    codes = line.codes("channel")
    return "phone" if "phone" in codes else "in_person"


def status_of(line: AnnotatedSentence, cue: Cue) -> Status:
    """Whether an encounter took place, by the words near its word of meeting and by that word's tense."""
    key = line.row.words[cue.first].key.lstrip("وف")
    codes = {one.code for one in line.cues("status") if abs(one.first - cue.first) <= _STATUS_REACH}
    for code in ("cancelled", "postponed", "denied", "proposed"):
        if code in codes:
            return code
    told = re.match(r"(?:التق|اجتمع|استقبل|بحث|اجر)", key) is not None
    if _PLANNED_VERBS.match(key) or ("planned" in codes and not told):
        return "planned"
    return "held"


def date_near(line: AnnotatedSentence, cue: Cue | None) -> str | None:
    """The date that stands nearest to a word."""
    spans = dates_in(line)
    if not spans:
        return None
    at = line.row.words[cue.first].start if cue else 0
    start, end = min(spans, key=lambda span: abs(span[0] - at))
    return line.text[start:end]


def dates_in(line: AnnotatedSentence) -> list[tuple[int, int]]:
    """Where phrases stand that are dates as a whole."""
    runs: list[list[date_grammar.DateToken]] = []
    for item in date_grammar.items(line.text):
        if item.kind not in _DATE_KINDS:
            continue
        if runs and not line.text[runs[-1][-1].end : item.start].strip(" \u00a0ـ،و"):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [span for run in runs if (span := _longest_date(line.text, run))]


def _longest_date(text: str, run: list[date_grammar.DateToken]) -> tuple[int, int] | None:
    """The longest part of a run of words that is a date."""
    spans = ((one.start, other.end) for at, one in enumerate(run) for other in run[at:])
    dates = [span for span in spans if date_grammar.parse(text[span[0] : span[1]])]
    return max(dates, key=lambda span: span[1] - span[0], default=None)


def venue_in(line: AnnotatedSentence) -> str | None:
    """A building named as the place."""
    found = _VENUE.search(line.text)
    if not found:
        return None
    cut = _VENUE_END.search(found[0], 4)
    return (found[0][: cut.start()] if cut else found[0]).strip() or None


def city_in(line: AnnotatedSentence, cue: Cue) -> str | None:
    """A city named as the place: behind «في», «بـ», «العاصمة», near the word of meeting."""
    words = line.row.words
    for one in line.countries:
        if one.kind is not CountryForm.CITY:
            continue
        at = next((n for n, word in enumerate(words) if word.end > one.start), 0)
        before_key = words[at - 1].key if at else ""
        behind = before_key in word_group("circumstances.city_in") or "ب" in one.particles
        behind = behind or (at > 1 and words[at - 2].key in {"العاصمه", "بالعاصمه"})
        topical = any(at - 14 < lead.first < at for lead in line.cues("topic")) and "العاصمه" not in before_key
        far = abs(at - cue.first) > _CITY_REACH
        if behind and not topical and not far:
            return line.text[one.start : one.end]
    return None
