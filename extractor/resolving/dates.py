"""Resolve the words of a date to an EDTF value, as far as the article and its day of publication determine it.

No clock is read. A value follows from the phrase, the day of publication, or a full date elsewhere in the article;
where two days remain possible, the value is None.

    resolution               | follows from
    explicit                 | the phrase alone
    year_from_publication    | a day or month in the phrase, its year by the day of publication
    relative_to_publication  | the day of publication: today, Thursday, last month
    from_other_mention       | a full date elsewhere in the article
    partial                  | the phrase, which lacks the year: XXXX-07-20
    unresolved               | nothing: the value is None
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from mahdar.documents.language import language_of
from mahdar.resolving import date_grammar
from mahdar.resolving.date_grammar import DateParts
from mahdar.schemas.enums import DateResolution
from mahdar.schemas.records import Date

NEAR = 7  # days from publication within which a wrong weekday beside a date is a slip, not another year
SLIPS = (-1, 1, -2, -3)  # days by which «اليوم الخميس» may be off, tried in this order
SAME_STORY = 31  # days within which a full date gives its year to a day and month
WEEK = 7
SATURDAY = 5
LONGEST_FOREIGN = 60  # characters
LEAP_YEAR = 2000  # has a 29 February, for an unknown year
ARABIC = re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
DAY_FIRST = frozenset({"ar", "fr"})
UNKNOWN_WORDS = re.compile(r"(?=.*x)(?=.*N)(?=.*Y)[xNY.]+")  # no token that the grammar knows, and may have refused
FOREIGN = [
    "de",
    "es",
    "fa",
    "it",
    "nl",
    "pt",
    "ru",
    "tr",
    "zh",
]  # parsed by dateparser; Arabic, English and French have their own rules
FIXED_DAY = dt.datetime(2001, 2, 3)  # noqa: DTZ001  # naive as all of dateparser's; used instead of the clock


@dataclass(frozen=True, slots=True)
class DateMention:
    """A day of a month that an article names, at `article[start:end]`.

    Attributes:
        start: offset in code points.
        end: offset in code points.
        value: the EDTF value; `XXXX` is an unknown year.
        parts: what the phrase states.
        sound: whether it is a single day, and on the weekday that the phrase names.
    """

    start: int
    end: int
    value: str
    parts: DateParts
    sound: bool

    @property
    def day(self) -> dt.date | None:
        """The day; None if the mention is not sound or has no year."""
        return dt.date.fromisoformat(self.value) if self.sound and "X" not in self.value else None


def resolve_date(
    text: str | None, *, published_at: dt.date | None, article: str = "", at: int | None = None, planned: bool = False
) -> Date:
    """Resolve the words of a date to a day, an interval, a month or a year.

    Args:
        text: the words of the date, as in the article.
        published_at: the day of publication; None if unknown.
        article: the whole text, which may have a full date elsewhere.
        at: offset of `text` in `article`, if known: «الخميس» may be cut from «الخميس 19 نوفمبر 2020».
        planned: whether the event is in the future: a bare weekday or month is the next one, not the last.

    Returns:
        The date, with `text` as given and `value` None where it cannot be determined.
    """
    parts = date_grammar.parse(text or "")
    if parts is None:
        return _parse_foreign(text) if text else Date(text=text)
    if not _is_order_known(parts, text or "", article):
        return Date(text=text)
    mentions = find_dates(article)
    if at is not None:
        parts = _widened(parts, mentions, at, at + len(text or ""))
    try:
        date = _resolve(parts, published_at, planned=planned)
        if date.value is None or "X" in date.value:
            date = _from_article(parts, mentions, planned=planned) or date
    except OverflowError:  # before the first day of the calendar or after its last
        date = Date()
    return date.model_copy(update={"text": text})


@lru_cache(maxsize=16)
def find_dates(article: str) -> tuple[DateMention, ...]:
    """Return the days that an article names by number and month, in order; the year may be missing."""
    found = ((start, end, parts, _resolve(parts, None)) for start, end, parts in date_grammar.find(article))
    return tuple(
        DateMention(start, end, date.value, parts, sound=len(parts.days) == 1 and not date.flags)
        for start, end, parts, date in found
        if date.value and _is_order_known(parts, article[start:end], article)
    )


def _is_order_known(parts: DateParts, text: str, article: str) -> bool:
    """Whether the order of 05/06/2020 is known: Arabic and French write the day first, English either."""
    if not parts.order_open or ARABIC.search(text):
        return True
    return language_of(article) in DAY_FIRST


def _widened(parts: DateParts, mentions: Iterable[DateMention], start: int, end: int) -> DateParts:
    """Return the parts of the longer date around the phrase; the phrase's own where there is none."""
    around = (mention.parts for mention in mentions if mention.start <= start and end <= mention.end)
    stated = [
        name for name in ("anchor", "weekdays", "days", "month", "year") if getattr(parts, name) not in (None, ())
    ]
    agreeing = (wider for wider in around if all(getattr(parts, name) == getattr(wider, name) for name in stated))
    return next(agreeing, parts)


def _resolve(parts: DateParts, today: dt.date | None, *, planned: bool = False) -> Date:
    """Resolve parts that were written on the day `today`."""
    if parts.month is not None:
        return _calendar(parts, today, planned=planned)
    if parts.year is not None:
        return Date(value=f"{parts.year}", resolution="explicit")
    if today is None:
        return Date()
    date = _relative(parts, today, planned=planned)
    return date.model_copy(update={"resolution": "relative_to_publication"}) if date.value else date


def _relative(parts: DateParts, today: dt.date, *, planned: bool) -> Date:
    if parts.calendar_year is not None:
        return Date(value=f"{today.year + parts.calendar_year}")
    if parts.calendar_month is not None:
        year, month = divmod(today.year * 12 + today.month - 1 + parts.calendar_month, 12)
        return _calendar(replace(parts, year=year, month=month + 1), None)
    if parts.week is not None:
        return _week(parts, today)
    if parts.anchor is not None:
        return _anchored(parts, today + dt.timedelta(days=parts.anchor))
    return _weekdays(parts, today, planned=planned)


def _calendar(parts: DateParts, today: dt.date | None, *, planned: bool = False) -> Date:
    """Resolve a month or days of it, in the stated year or the year that follows from the day of publication."""
    year, resolution = _year(parts, today, planned=planned)
    if not parts.days:
        return Date(value=f"{year or 'XXXX'}-{parts.month:02d}", resolution=resolution)
    days = _days(parts, year or LEAP_YEAR)
    value = _edtf(days, spread=parts.spread)
    if value is None:
        return Date()
    if year is None:
        return Date(value=re.sub(r"\d{4}-", "XXXX-", value), resolution=resolution)
    weekdays = parts.weekdays + (parts.until.weekdays if parts.until else ())
    return Date(value=value, resolution=resolution, flags=() if _fits(days, weekdays) else ("weekday_mismatch",))


def _year(parts: DateParts, today: dt.date | None, *, planned: bool) -> tuple[int | None, DateResolution]:
    if parts.year is not None:
        return parts.year, "explicit"
    if today is None:
        return None, "partial"
    if parts.calendar_year is not None:
        return today.year + parts.calendar_year, "relative_to_publication"
    year = (_year_of_day if parts.days else _year_of_month)(parts, today, planned=planned)
    return year, "year_from_publication" if year else "partial"


def _year_of_month(parts: DateParts, today: dt.date, *, planned: bool) -> int:
    """Return the year of the nearest such month, if planned of the next; «الماضي» and «المقبل» exclude this month."""
    ahead = ((parts.month or 0) - today.month) % 12
    if parts.shift == 1:
        ahead = ahead or 12
    elif parts.shift == -1 or (ahead >= 6 and not planned):
        ahead -= 12
    return today.year + (today.month - 1 + ahead) // 12


def _year_of_day(parts: DateParts, today: dt.date, *, planned: bool) -> int | None:
    """Return the year in which the day is nearest to publication or, if that is far, on the weekday named."""
    years = (today.year - 1, today.year, today.year + 1)
    days = [days[0] for year in years if (days := _days(replace(parts, until=None), year))]
    if parts.shift:
        days = [day for day in days if (day > today) == (parts.shift > 0) and day != today]
    over = today - dt.timedelta(days=NEAR)
    days.sort(key=lambda day: (planned and day < over, abs(day - today)))
    if not days:
        return None
    if parts.anchor is None and abs(days[0] - today).days > NEAR:
        days.sort(key=lambda day: not _fits((day,), parts.weekdays[:1]))
    return days[0].year


def _days(parts: DateParts, year: int) -> tuple[dt.date, ...]:
    """Return the stated days in `year`; an interval may end in the next. Empty if one of them does not exist."""
    try:
        days = tuple(dt.date(year, parts.month or 0, day) for day in parts.days)
    except ValueError:
        return ()
    if parts.until is None:
        return days
    ends = (_days(parts.until, parts.until.year or later) for later in (year, year + 1))
    return next((days + end for end in ends if end and end[0] > days[0]), ())


def _edtf(days: tuple[dt.date, ...], *, spread: bool) -> str | None:
    """Return a day, an interval, or the month of days that are not consecutive; None for days out of order."""
    steps = {(later - day).days for day, later in pairwise(days)}
    if not days or min(steps, default=1) < 1:
        return None
    if len(days) == 1:
        return days[0].isoformat()
    if spread or steps == {1}:
        return f"{days[0]}/{days[-1]}"
    return _month_of(days[0], days[-1])


def _month_of(first: dt.date, last: dt.date) -> str | None:
    return f"{first:%Y-%m}" if (first.year, first.month) == (last.year, last.month) else None


def _fits(days: tuple[dt.date, ...], weekdays: tuple[int, ...]) -> bool:
    if len(days) == 1:
        return not weekdays or days[0].weekday() in weekdays
    return all(day.weekday() == weekday for day, weekday in zip((days[0], days[-1]), weekdays, strict=False))


def _anchored(parts: DateParts, day: dt.date) -> Date:
    """Resolve «أمس الثلاثاء» by the day of publication, corrected to the weekday named if that is close."""
    if _fits((day,), parts.weekdays):
        return Date(value=day.isoformat())
    near = (day + dt.timedelta(days=slip) for slip in SLIPS)
    value = next((other.isoformat() for other in near if _fits((other,), parts.weekdays)), None)
    return Date(value=value, flags=("weekday_mismatch",))


def _weekdays(parts: DateParts, today: dt.date, *, planned: bool) -> Date:
    """Resolve «الخميس» to the last one up to publication, or to the next if the phrase or a plan says so."""
    steps = [(later - day) % WEEK for day, later in pairwise(parts.weekdays)]
    if any(step != 1 for step in steps) and not (parts.spread and len(steps) == 1):
        return Date()
    ahead = (parts.weekdays[0] - today.weekday()) % WEEK
    if parts.shift == 0 and ahead and not planned:
        return Date()
    if parts.shift == 1:
        ahead = ahead or WEEK
    elif parts.shift == -1:
        ahead -= WEEK * (1 + (ahead + sum(steps) - WEEK >= 0))
    elif ahead and not planned:
        ahead -= WEEK
    first = today + dt.timedelta(days=ahead)
    days = (first, first + dt.timedelta(days=sum(steps))) if steps else (first,)
    return Date(value=_edtf(days, spread=True))


def _week(parts: DateParts, today: dt.date) -> Date:
    """Resolve «الأسبوع الماضي» to Monday to Sunday.

    Weeks begin on Saturday, Sunday or Monday, by country. Written from Monday to Friday, a week is the same in all
    countries; at the weekend it is not, and only a month that contains both weeks is certain.
    """
    monday = today + dt.timedelta(days=WEEK * (parts.week or 0) - today.weekday())
    if today.weekday() >= SATURDAY:
        return Date(value=_month_of(monday - dt.timedelta(days=2), monday + dt.timedelta(days=13)))
    if not parts.weekdays:
        return Date(value=f"{monday}/{monday + dt.timedelta(days=6)}")
    weekday = parts.weekdays[0]
    return Date(value=f"{monday + dt.timedelta(days=weekday)}" if weekday < SATURDAY else None)


def _from_article(parts: DateParts, mentions: tuple[DateMention, ...], *, planned: bool) -> Date | None:
    """Resolve by full dates elsewhere in the article; None if they give no value, or several."""
    values = _from_stated_today(parts, mentions, planned=planned) | _from_same_day(parts, mentions, planned=planned)
    full = {value for value in values if "X" not in value}
    values = full | {value for value in values - full if not any(known.endswith(value[4:]) for known in full)}
    if len(values) != 1:
        return None
    value = values.pop()
    return Date(value=value, resolution="partial" if "X" in value else "from_other_mention")


def _from_stated_today(parts: DateParts, mentions: Iterable[DateMention], *, planned: bool) -> set[str]:
    """Resolve by a mention that states the day of writing: «أمس» by «اليوم الأربعاء 22 فيفري 2017»."""
    anchored = ((mention.day, mention.parts.anchor) for mention in mentions)
    todays = {day - dt.timedelta(days=anchor) for day, anchor in anchored if day and anchor is not None}
    date = _resolve(parts, todays.pop(), planned=planned) if len(todays) == 1 else Date()
    return {date.value} if date.value and not date.flags else set()


def _from_same_day(parts: DateParts, mentions: tuple[DateMention, ...], *, planned: bool) -> set[str]:
    """Return the values of the mentions that can only be the same day."""
    if parts.month is not None:
        return _with_year_of(mentions, parts)
    if parts.shift is not None or parts.week is not None or parts.calendar_month is not None:
        return set()
    # «أمس الخميس» is not «اليوم الخميس», nor «الخميس المقبل»
    anchors = {None, parts.anchor} if parts.anchor is not None else {mention.parts.anchor for mention in mentions}
    mentions = tuple(each for each in mentions if not each.parts.shift and each.parts.anchor in anchors)
    named = [mention for mention in mentions if mention.sound and parts.weekdays in ((), mention.parts.weekdays)]
    anchored = {mention.value for mention in named if None not in (mention.parts.anchor, parts.anchor)}
    if anchored or not parts.weekdays or (planned and parts.anchor is None):
        return anchored
    others = {mention.value for mention in mentions if mention.day and mention.day.weekday() in parts.weekdays}
    return {mention.value for mention in named} | others if named else set()


def _with_year_of(mentions: Iterable[DateMention], parts: DateParts) -> set[str]:
    """Return a day's values in the year of the same day in full, or of full dates near it if the weekday then fits."""
    known = [mention.day for mention in mentions if mention.day]
    years = {day.year for day in known if (day.month, (day.day,)) == (parts.month, parts.days[:1])}
    if not years and parts.weekdays and len({day.year for day in known}) == 1:
        first = _days(parts, known[0].year)[:1]
        years = {day.year for other in known for day in first if abs(day - other).days <= SAME_STORY}
    if parts.calendar_year is not None or not parts.days:
        return set()
    dates = (_calendar(replace(parts, year=year), None) for year in years)
    return {date.value for date in dates if date.value and not date.flags}


def _parse_foreign(text: str) -> Date:
    """Parse a full date in a language without rules here, by dateparser; no part of it is guessed."""
    kinds = "".join(item.kind for item in date_grammar.items(text))
    if len(text) > LONGEST_FOREIGN or not UNKNOWN_WORDS.fullmatch(kinds):
        return Date(text=text)
    import dateparser  # heavy, and rarely needed

    settings = {
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
        "STRICT_PARSING": True,
        "RELATIVE_BASE": FIXED_DAY,
    }
    day = dateparser.parse(text, languages=FOREIGN, settings=settings)
    return Date(text=text, value=day.date().isoformat(), resolution="explicit") if day else Date(text=text)
