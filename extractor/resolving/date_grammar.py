"""From words to the parts of a date: what a phrase says, before anything is known about when it was written.

A phrase becomes a row of items, one for each word that matters, each of a kind of one letter. The kinds form a
string, and each shape that a date can take is one pattern over that string:

    «أمس الإثنين 20 يوليو»  ->  A W N M       "October 5-7, 2021"  ->  M N - N Y

    A today, yesterday…   W weekday    N 1 to 31    O ordinal      M month       Y year        # other number
    P last    F next    C current    c this    k week    m month   y year    d day    z days   n three, ten…
    G ago     T to      B between    & and     / - . :             J Hijri month H Hijri year  j Hijri mark
    h hour (before)     q hour (after)         X moves or blurs the date          x anything else

A phrase counts only if every item with a meaning finds its place in one shape: «قبل الخميس» is not «الخميس».
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from mahdar.documents.folding import fold
from mahdar.resolving import calendar_names

# Combining marks, and controls that have no width: they may stand anywhere in a word.
MARKS = "\u00ad\u0300-\u036f\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
TOKEN = re.compile(rf"\d+|[^\W\d_](?:[^\W\d_]|[{MARKS}])*|\n\s*\n|[^\s\w{MARKS}'’ʼ`]")
PREFIXES = ("ب", "ل", "ك")
SHORTEST_STEM = 3  # «باب» is not «ب» and «آب»
LONGEST_PHRASE = 4  # "day before yesterday" has three words, «avant-hier» and "p.m." three or four tokens
GREGORIAN = range(1600, 2200)
HIJRI = range(1300, 1600)
MOST_DAYS_AGO = 10  # «منذ ثلاثة أيام» is counted, "thirty days ago" is rounded

# What goes because it has no part in a date where it stands, in this order; the neighbours decide.
DROPPED = tuple(
    re.compile(pattern)
    for pattern in (
        r"h[N#n](?::[N#])*q?|[N#]:[N#](?::[N#])?q?|[N#]q|[hq:]",  # the hour
        r"(?:[NO]?JH?|N([/-])N\1H|H)j?[/-]?(?=.{0,9}[MY])",  # a Hijri date before a Gregorian one…
        r"(?<=Y)[/-]?(?:[NO]?JH?|N([/-])N\1H)j?",  # … or after it
        r"(?<![dNOWMYA])&|&(?![dNOWMYA])|[TB](?![dNOWMYA])",
        r"(?<![NYM])-|-(?!N|Y|MN)|(?<=M)-(?=Y)|(?<![NY])[/.]|[/.](?![NY])",
        r"m(?=M)|y(?=Y)|(?<![PFCc])y(?![PFC])",
        r"c(?![kmyWMNOA])|(?<![dNOWMYAkmyz])[PFC](?![dNOWMYAkmyz])|(?<!d)n(?![zd])",
    )
)
# Other words go too, but not between two that they keep apart: «5 وزراء في يوليو» is not 5 July.
OTHER_WORDS = re.compile(
    r"(?<![NOMYGnzkmyPFCcWx])x++|x++(?![NOMYGnzdkmyPFCW])"
    r"|(?<=W)x++(?!W)|(?<![Wx])x++(?=W)"  # a weekday may stand apart from its date, not from a second weekday
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
    """What a date phrase states; None and empty where it is silent. Shifts are -1 last, 0 current, +1 next."""

    anchor: int | None = None
    """days from the day of writing: -1 for yesterday"""
    weekdays: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    month: int | None = None
    year: int | None = None
    shift: int | None = None
    """of the weekday, or of the day and month: «الخميس الماضي», «20 فيفري الجاري»"""
    week: int | None = None
    calendar_month: int | None = None
    calendar_year: int | None = None
    """three more shifts: «الأسبوع الماضي», «الشهر الجاري», «العام المقبل»"""
    spread: bool = False
    """from the first to the last, rather than each"""
    order_open: bool = False
    """numeric, and day and month could change places"""
    until: "DateParts | None" = None


class DateToken(NamedTuple):  # an article has hundreds: a dataclass takes three times as long to make
    """A word or sign with a meaning for dates, and where it stands."""

    kind: str
    number: int
    start: int
    end: int


def parse(phrase: str) -> DateParts | None:
    """The parts of the one date, or span of dates, that `phrase` states; None where it states none."""
    row = _without(OTHER_WORDS, items(phrase))
    if AGO.fullmatch(_kinds(row)):
        return _ago(row)
    row = _without(DAY_WORDS, row)
    return _shaped(row, SHAPES) or _between(row)


def find(article: str) -> Iterator[tuple[int, int, DateParts]]:
    """Every day of a month that `article` names, with its offsets."""
    row = _without(DAY_WORDS, items(article))
    kinds = _kinds(row)
    matches = [match for shape in DAY_SHAPES for match in shape.finditer(kinds)]
    end = 0
    for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
        parts = _parts(match, row) if match.start() >= end else None
        if parts:
            end = match.end()
            yield row[match.start()].start, row[end - 1].end, parts


def items(text: str) -> tuple[DateToken, ...]:
    """The words and signs of `text` that matter where they stand; any other word is an x."""
    row = _scanned(text)
    for pattern in DROPPED:
        row = _without(pattern, row)
    return row


@lru_cache(maxsize=16_384)  # an article says the same words again and again
def _folded(token: str) -> tuple[str, bool]:
    """A token folded, and whether it means nothing for dates: most do not."""
    word = fold(token)
    return word, not (word.isdecimal() or _beginnings(word))


def _scanned(text: str) -> tuple[DateToken, ...]:
    matches = tuple(TOKEN.finditer(text))
    folded = [_folded(match[0]) for match in matches]
    words = tuple([word for word, _ in folded])
    row: list[DateToken] = []
    at = 0
    while at < len(words):
        if folded[at][1]:
            start, end = matches[at].span()
            row.append(DateToken("x", 0, start, end))
            at += 1
            continue
        size, joined, kind, number = _longest(words, at)
        start, end = matches[at].start(), matches[at + size - 1].end()
        if joined:
            row.append(DateToken("&", 0, start, start))
        if kind != " ":
            row.append(DateToken(kind, number, start, end))
        at += size
    return tuple(row)


def _longest(words: tuple[str, ...], at: int) -> tuple[int, bool, str, int]:
    """How many words the longest known phrase at `at` has, whether «و» leads it, its kind and its number."""
    if words[at].isdecimal():
        return 1, False, *_numeral(words[at])
    for joined, stem in _beginnings(words[at]):
        for size in range(min(LONGEST_PHRASE, len(words) - at), 0, -1):
            known = _lexicon().get((stem, *words[at + 1 : at + size]))
            if known:
                return size, joined, *known
    return 1, False, "x", 0


@lru_cache(maxsize=8192)
def _beginnings(word: str) -> tuple[tuple[bool, str], ...]:
    """The stems of a word that a known phrase begins with: few words have any."""
    return tuple((joined, stem) for joined, stem in _stems(word) if stem in _first_words())


def _stems(word: str) -> Iterator[tuple[bool, str]]:
    """The word, and what is left of it without «و», «ف» and the prepositions that Arabic glues to it."""
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
def _lexicon() -> Mapping[tuple[str, ...], tuple[str, int]]:
    signs = {(sign,): (sign, 0) for sign in "/-.:"}
    return signs | {
        tuple(fold(match[0]) for match in TOKEN.finditer(phrase)): (kind, number)
        for phrase, kind, number in calendar_names.phrases()
    }


@cache
def _first_words() -> frozenset[str]:
    return frozenset(phrase[0] for phrase in _lexicon())


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


def _between(row: tuple[DateToken, ...]) -> DateParts | None:
    """Two days with a month each: «من 30 يونيو إلى 2 يوليو 2021»."""
    for at in (at for at, item in enumerate(row) if item.kind in "T-&"):
        first, last = _shaped(row[:at], DAY_SHAPES), _shaped(row[at + 1 :], DAY_SHAPES)
        if first and last and len(first.days) == len(last.days) == 1:
            spread, order_open = row[at].kind != "&", first.order_open or last.order_open
            return replace(first, year=_first_year(first, last), spread=spread, order_open=order_open, until=last)
    return None


def _first_year(first: DateParts, last: DateParts) -> int | None:
    """The year of a span's first day: its own, or the last day's, less one where a year ends between them."""
    if first.year or last.year is None or first.month is None or last.month is None:
        return first.year
    return last.year - (first.month > last.month)


def _parts(match: re.Match[str], row: tuple[DateToken, ...]) -> DateParts | None:
    """The parts that a shape's groups hold; None where they contradict each other."""
    found = {name: row[slice(*match.span(name))] for name, text in match.groupdict().items() if text}
    numbers = {name: {item.number for item in group} for name, group in found.items()}
    months = numbers.get("month", set())
    shifts = set[int]().union(*(numbers.get(name, ()) for name in ("ahead", "side", "after")))
    if len(months) > 1 or len(shifts) > 1:
        return None
    listed = found.get("weekdays", ()) + found.get("days", ())
    parts = DateParts(
        anchor=min(numbers.get("anchor", ()), default=None),
        weekdays=tuple(item.number for item in listed if item.kind == "W"),
        days=tuple(item.number for item in listed if item.kind in "NO"),
        month=min(months, default=None),
        shift=min(shifts, default=None),
        week=_shift(found.get("week", ())),
        calendar_month=_shift(found.get("calendar_month", ())),
        spread=any(item.kind in "BT-" for item in listed),
    )
    numbered = _numeric(parts, found["numbers"]) if "numbers" in found else parts
    return _in_year(numbered, found.get("year", ())) if numbered else None


def _shift(row: Iterable[DateToken]) -> int | None:
    return next((item.number for item in row if item.kind in "PFCc"), None)


def _numeric(parts: DateParts, row: tuple[DateToken, ...]) -> DateParts | None:
    """«20/07/2020» or "2020-07-20": the day first unless it can only be the month."""
    numbers = [item.number for item in row if item.kind in "NY"]
    from_year = row[0].kind == "Y"
    year, month, day = numbers if from_year else reversed(numbers)
    if month > 12 and not from_year:
        month, day = day, month
    if month > 12:
        return None
    order_open = not from_year and max(numbers[:2]) <= 12 and day != month
    return replace(parts, days=(day,), month=month, year=year, order_open=order_open)


def _in_year(parts: DateParts, row: tuple[DateToken, ...]) -> DateParts:
    year = next((item.number for item in row if item.kind == "Y"), parts.year)
    return replace(parts, year=year, calendar_year=_shift(row))
