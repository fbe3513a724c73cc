"""Parse a date phrase into its parts, without regard to the day on which it was written.

A phrase becomes a row of tokens, one for each word that matters. Each has a kind of one letter; the kinds form a
string, and each form of a date is a pattern over that string:

    «أمس الإثنين 20 يوليو»  ->  A W N M       "October 5-7, 2021"  ->  M N - N Y

    A today, yesterday…   W weekday    N 1 to 31    O ordinal      M month       Y year        # other number
    P last    F next    C current    c this    k week    m month   y year    d day    z days   n three, ten…
    G ago     T to      B between    & and     / - . :             J Hijri month H Hijri year  j Hijri mark
    h hour (before)     q hour (after)         X moves or blurs the date          x anything else

A phrase is a date only if one pattern matches all of its tokens: «قبل الخميس» is not «الخميس».
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import compress, count
from typing import NamedTuple

from mahdar.documents.folding import fold
from mahdar.resolving import calendar_names

# Combining marks and zero-width controls, which may stand anywhere in a word.
MARKS = "\u00ad\u0300-\u036f\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
TOKEN = re.compile(rf"[^\W\d_]+(?:[{MARKS}]+[^\W\d_]*)*|\d+|\n\s*\n|[^\s\w{MARKS}'’ʼ`]")
PREFIXES = ("ب", "ل", "ك")
SHORTEST_STEM = 3  # «باب» is not «ب» and «آب»
GREGORIAN = range(1600, 2200)
HIJRI = range(1300, 1600)
MOST_DAYS_AGO = 10  # «منذ ثلاثة أيام» is counted, "thirty days ago" is rounded

COUNTED = 9  # tokens between a Hijri date and a Gregorian one that makes it superfluous

# Tokens that are dropped, in this order, because beside these neighbours they are not part of a date.
DROPPED = tuple(
    re.compile(pattern)
    for pattern in (
        r"h[N#n](?::[N#])*q?|[N#]:[N#](?::[N#])?q?|[N#]q|[hq:]",  # the hour
        rf"(?:[NO]?JH?|N([/-])N\1H|H)j?[/-]?(?=.{{0,{COUNTED}}}[MY])",  # a Hijri date before a Gregorian one…
        r"(?<=Y)[/-]?(?:[NO]?JH?|N([/-])N\1H)j?",  # … or after it
        r"(?<![dNOWMYA])&|&(?![dNOWMYA])|[TB](?![dNOWMYA])",
        r"(?<![NYM])-|-(?!N|Y|MN)|(?<=M)-(?=Y)|(?<![NY])[/.]|[/.](?![NY])",
        r"m(?=M)|y(?=Y)|(?<![PFCc])y(?![PFC])",
        r"c(?![kmyWMNOA])|(?<![dNOWMYAkmyz])[PFC](?![dNOWMYAkmyz])|(?<!d)n(?![zd])",
    )
)
# Other words are dropped, except between tokens that they separate: «5 وزراء في يوليو» is not 5 July.
OTHER_WORDS = re.compile(
    r"(?<![NOMYGnzkmyPFCcWx])x++|x++(?![NOMYGnzdkmyPFCW])"
    r"|(?<=W)x++(?!W)|(?<![Wx])x++(?=W)"  # words may separate a weekday from its date, not from a second weekday
)
DAY_WORDS = re.compile("d")
AGO = re.compile(r"G(?:[Nn]z|z|dn?)|[Nn]zG|n?dG")
LEAD = r"(?P<anchor>A?)(?P<ahead>[PFCc]?)(?P<weekdays>(?:W(?:&?W)*)?)(?P<side>[PFCc]?)"
DAYS = r"(?P<days>B?(?:[NO]TW?[NO]|[NO](?:[&-]W?[NO])*))"
YEAR = r"(?P<after>[PFC]?)(?P<year>Y|y[PFC]|[PFCc]y)?"
DAY_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"{LEAD}{DAYS}(?P<month>M+){YEAR}",
        rf"{LEAD}(?P<month>M+){DAYS}{YEAR}",
        r"(?P<anchor>A?)(?P<weekdays>W?)(?P<numbers>N([/.-])N\4Y|Y([/.-])N\5N)",
    )
)
# Tokens among which a day may be. Other words end them, since no pattern for days crosses one, except that a Hijri date
# is dropped for the sake of a Gregorian one some words away.
DAY_TOKENS = re.compile(r"(?=[^x]*[NO])(?=[^x]*[MY])[^x]+")
HIJRI_TOKENS = re.compile("[JH]")
SHAPES = DAY_SHAPES + tuple(
    re.compile(shape)
    for shape in (
        rf"(?P<side>[PFCc]?)(?P<month>M+){YEAR}",
        r"(?P<year>Y|y[PFC]|[PFCc]y)",
        r"c?(?P<anchor>A)(?P<weekdays>W?)",
        r"(?P<side>[PFCc]?)(?P<weekdays>B?W(?:[&T]?W)*)(?P<after>[PFC]?)",
        r"(?P<weekdays>W?)(?P<week>k[PFC]|[PFCc]k)",
        rf"{DAYS}?(?P<calendar_month>m[PFC]|[PFCc]m)",
        rf"{DAYS}(?P<calendar_month>C)",
    )
)


@dataclass(frozen=True, slots=True)
class DateParts:
    """What a date phrase states; None or empty is what it does not state. A shift is -1 last, 0 current, +1 next.

    Attributes:
        anchor: days from the day of writing: -1 for yesterday.
        weekdays: Monday is 0.
        days: days of the month.
        month: 1 to 12.
        year: a Gregorian year.
        shift: shift of the weekday, or of the day and month: «الخميس الماضي», «20 فيفري الجاري».
        week: shift of the week: «الأسبوع الماضي».
        calendar_month: shift of the month: «الشهر الجاري».
        calendar_year: shift of the year: «العام المقبل».
        spread: whether the days are the first and last of an interval, rather than single days.
        order_open: whether the date is numeric, and day and month could change places.
        until: the last day of an interval, where it has a month of its own.
    """

    anchor: int | None = None
    weekdays: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    month: int | None = None
    year: int | None = None
    shift: int | None = None
    week: int | None = None
    calendar_month: int | None = None
    calendar_year: int | None = None
    spread: bool = False
    order_open: bool = False
    until: "DateParts | None" = None


class DateToken(NamedTuple):  # an article has hundreds: a dataclass takes three times as long to make
    """A word or sign of a text, its kind and number for dates, and its offsets in code points."""

    kind: str
    number: int
    start: int
    end: int


OTHER = DateToken("x", 0, 0, 0)
"""Stands for any other word; its offsets are not used."""


@lru_cache(maxsize=4096)  # a phrase recurs in many articles
def parse(phrase: str) -> DateParts | None:
    """Return the parts of the date or interval that a phrase states; None if it states none, or two."""
    row = _without(OTHER_WORDS, items(phrase))
    if AGO.fullmatch(_kinds(row)):
        return _ago(row)
    row = _without(DAY_WORDS, row)
    return _shaped(row, SHAPES) or _interval(row)


def find(article: str) -> Iterator[tuple[int, int, DateParts]]:
    """Yield every day of a month that an article names: start and end in code points, and its parts."""
    whole = _scanned(article)
    kinds = _kinds(whole)
    has_hijri = HIJRI_TOKENS.search(kinds)
    for tokens in [whole] if has_hijri else [whole[slice(*found.span())] for found in DAY_TOKENS.finditer(kinds)]:
        row = _without(DAY_WORDS, _dated(tokens))
        matches = [match for shape in DAY_SHAPES for match in shape.finditer(_kinds(row))]
        end = 0
        for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
            parts = _parts(match, row) if match.start() >= end else None
            if parts:
                end = match.end()
                yield row[match.start()].start, row[end - 1].end, parts


def items(text: str) -> tuple[DateToken, ...]:
    """Return the words and signs of a text that may be part of a date; any other word is of kind x."""
    return _dated(_scanned(text))


def _dated(row: tuple[DateToken, ...]) -> tuple[DateToken, ...]:
    """Drop the tokens that are no part of a date beside their neighbours."""
    for pattern in DROPPED:
        row = _without(pattern, row)
    return row


@lru_cache(maxsize=8_192)  # words recur in an article
def _folded(token: str) -> tuple[str, bool]:
    """Return a folded token, and whether it may begin a phrase of dates, which most do not."""
    word = fold(token)
    return word, word.isdecimal() or bool(_beginnings(word))


def _scanned(text: str) -> tuple[DateToken, ...]:
    """Return the tokens of a text, none dropped; of other words in a row, only those that patterns can count."""
    matches = tuple(TOKEN.finditer(text))
    if not matches:
        return ()
    words, begins = zip(*[_folded(match[0]) for match in matches], strict=True)
    row: list[DateToken] = []
    at = 0
    for first in (*compress(count(), begins), len(words)):
        if first < at:  # inside a phrase
            continue
        row += [OTHER] * min(first - at, COUNTED + 1)
        if first == len(words):
            break
        size, joined, kind, number = _longest(words, first)
        at = first + size
        start, end = matches[first].start(), matches[at - 1].end()
        if joined:
            row.append(DateToken("&", 0, start, start))
        if kind != " ":
            row.append(DateToken(kind, number, start, end))
    return tuple(row)


def _longest(words: tuple[str, ...], at: int) -> tuple[int, bool, str, int]:
    """Return the number of words of the longest known phrase at `at`, whether «و» or «ف» leads, kind and number."""
    if words[at].isdecimal():
        return 1, False, *_numeral(words[at])
    for joined, stem in _beginnings(words[at]):
        for rest, kind, number in _lexicon()[stem]:
            if words[at + 1 : at + 1 + len(rest)] == rest:
                return 1 + len(rest), joined, kind, number
    return 1, False, "x", 0


@lru_cache(maxsize=1024)
def _beginnings(word: str) -> tuple[tuple[bool, str], ...]:
    """Return the stems of a word that begin a known phrase, each with whether «و» or «ف» leads it."""
    return tuple((joined, stem) for joined, stem in _stems(word) if stem in _lexicon())


def _stems(word: str) -> Iterator[tuple[bool, str]]:
    """Yield a word, and the word without «و», «ف» and the prepositions attached to it."""
    yield False, word
    for joined, stem in ((False, word), (True, word[1:])):
        if (joined and not word.startswith(("و", "ف"))) or len(stem) < SHORTEST_STEM:
            continue
        if joined:
            yield True, stem
        if stem.startswith("لل"):
            yield joined, f"ال{stem[2:]}"
        elif stem[0] in PREFIXES and len(stem) > SHORTEST_STEM:
            yield joined, stem[1:]


def _numeral(digits: str) -> tuple[str, int]:
    number = int(digits)
    if len(digits) <= 2 and 1 <= number <= 31:
        return "N", number
    if len(digits) == 4 and number in GREGORIAN:
        return "Y", number
    return ("H" if number in HIJRI else "#"), number


@cache
def _lexicon() -> Mapping[str, Sequence[tuple[tuple[str, ...], str, int]]]:
    """Map the first word of each phrase to the rest of it, its kind and its number, the longest phrase first."""
    signs = {(sign,): (sign, 0) for sign in "/-.:"}
    known = signs | {
        tuple(fold(match[0]) for match in TOKEN.finditer(phrase)): (kind, number)
        for phrase, kind, number in calendar_names.phrases()
    }
    lexicon: dict[str, list[tuple[tuple[str, ...], str, int]]] = {}
    for (first, *rest), (kind, number) in sorted(known.items(), key=lambda item: -len(item[0])):
        lexicon.setdefault(first, []).append((tuple(rest), kind, number))
    return lexicon


def _kinds(row: Iterable[DateToken]) -> str:
    return "".join([item[0] for item in row])


def _without(pattern: re.Pattern[str], row: tuple[DateToken, ...]) -> tuple[DateToken, ...]:
    spans = [match.span() for match in pattern.finditer(_kinds(row))]
    if not spans:
        return row
    gone = {at for span in spans for at in range(*span)}
    return tuple([item for at, item in enumerate(row) if at not in gone])


def _ago(row: tuple[DateToken, ...]) -> DateParts | None:
    count = next((item.number for item in row if item.number), 0)
    return DateParts(anchor=-count) if 0 < count <= MOST_DAYS_AGO else None


def _shaped(row: tuple[DateToken, ...], shapes: Iterable[re.Pattern[str]]) -> DateParts | None:
    kinds = _kinds(row)
    return next((_parts(match, row) for shape in shapes if (match := shape.fullmatch(kinds))), None)


def _interval(row: tuple[DateToken, ...]) -> DateParts | None:
    """Parse two days that have a month each: «من 30 يونيو إلى 2 يوليو 2021»."""
    for at in (at for at, item in enumerate(row) if item.kind in "T-&"):
        first, last = _shaped(row[:at], DAY_SHAPES), _shaped(row[at + 1 :], DAY_SHAPES)
        if first and last and len(first.days) == len(last.days) == 1:
            spread, order_open = row[at].kind != "&", first.order_open or last.order_open
            year = first.year
            if not year and last.year and first.month and last.month:
                year = last.year - (first.month > last.month)  # «من 30 ديسمبر إلى 2 يناير 2021»
            return replace(first, year=year, spread=spread, order_open=order_open, until=last)
    return None


def _parts(match: re.Match[str], row: tuple[DateToken, ...]) -> DateParts | None:
    """Return the parts in a pattern's groups; None where they contradict each other."""
    groups = {name: row[slice(*match.span(name))] for name, text in match.groupdict().items() if text}
    numbers = {name: {item.number for item in group} for name, group in groups.items()}
    months = numbers.get("month", set())
    shifts = set[int]().union(*(numbers.get(name, ()) for name in ("ahead", "side", "after")))
    if len(months) > 1 or len(shifts) > 1:
        return None
    tokens = groups.get("weekdays", ()) + groups.get("days", ())
    year = groups.get("year", ())
    parts = DateParts(
        anchor=min(numbers.get("anchor", ()), default=None),
        weekdays=tuple(item.number for item in tokens if item.kind == "W"),
        days=tuple(item.number for item in tokens if item.kind in "NO"),
        month=min(months, default=None),
        year=next((item.number for item in year if item.kind == "Y"), None),
        shift=min(shifts, default=None),
        week=_shift(groups.get("week", ())),
        calendar_month=_shift(groups.get("calendar_month", ())),
        calendar_year=_shift(year),
        spread=any(item.kind in "BT-" for item in tokens),
    )
    return _numeric(parts, groups["numbers"]) if "numbers" in groups else parts


def _shift(row: Iterable[DateToken]) -> int | None:
    return next((item.number for item in row if item.kind in "PFCc"), None)


def _numeric(parts: DateParts, row: tuple[DateToken, ...]) -> DateParts | None:
    """Add the day, month and year of «20/07/2020» or "2020-07-20"; the day is first unless the order cannot be."""
    numbers = [item.number for item in row if item.kind in "NY"]
    from_year = row[0].kind == "Y"
    year, month, day = numbers if from_year else reversed(numbers)
    if month > 12 and not from_year:
        month, day = day, month
    if month > 12:
        return None
    order_open = not from_year and max(numbers[:2]) <= 12 and day != month
    return replace(parts, days=(day,), month=month, year=year, order_open=order_open)
