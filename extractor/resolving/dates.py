"""Dates: from the article's words to an EDTF value, as far as the article and its publication date allow.

No clock is read. A value rests on what the phrase states, on the day of publication, or on a full date that stands
elsewhere in the article; where these leave two days open, the value is None.

    resolution               | rests on
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

NEAR = 7  # days: a wrong weekday beside a date this close to publication is a slip, not another year
SLIPS = (-1, 1, -2, -3)  # days that «اليوم الخميس» may be off when the article appears on another day, nearest first
SAME_STORY = 31  # days: how near a full date must be to lend its year to a day and month
WEEK = 7
SATURDAY = 5
LONGEST_FOREIGN = 60  # characters
LEAP_YEAR = 2000  # holds 29 February while the year is unknown
ARABIC = re.compile(r"[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
DAY_FIRST = frozenset({"ar", "fr"})
UNKNOWN_WORDS = re.compile(r"(?=.*x)(?=.*N)(?=.*Y)[xNY.]+")  # nothing that the grammar knows, and may have refused
FOREIGN = ["de", "es", "fa", "it", "nl", "pt", "ru", "tr", "zh"]  # for dateparser; Arabic, English, French have rules
FIXED_DAY = dt.datetime(2001, 2, 3)  # noqa: DTZ001  # naive like all of dateparser's; keeps it from asking the clock


@dataclass(frozen=True, slots=True)
class DateMention:
    """A day of a month that an article names: `article[start:end]`, and its EDTF value."""

    start: int
    end: int
    value: str
    parts: DateParts
    sound: bool
    """a single day, and of the weekday named"""

    @property
    def day(self) -> dt.date | None:
        """The day, where it is sound and its year is stated."""
        return dt.date.fromisoformat(self.value) if self.sound and "X" not in self.value else None


def resolve_date(
    text: str | None, *, published_at: dt.date | None, article: str = "", at: int | None = None, planned: bool = False
) -> Date:
    """What day, days, month or year the words of a date mean.

    Args:
        text: The date as the article puts it.
        published_at: The day the article appeared; None where it is not known.
        article: The whole text, for a full date that stands elsewhere in it.
        at: Where `text` begins in `article`, if known: «الخميس» may be cut from «الخميس 19 نوفمبر 2020».
        planned: Of an event still to come: a bare weekday or month is the next one, not the last.
    """
    parts = date_grammar.parse(text or "")
    if parts is None:
        return _foreign(text) if text else Date(text=text)
    if not _ordered(parts, text or "", article):
        return Date(text=text)
    mentions = find_dates(article)
    if at is not None:
        parts = _widened(parts, mentions, at, at + len(text or ""))
    date = _resolved(parts, published_at, planned=planned)
    if date.value is None or "X" in date.value:
        date = _elsewhere(parts, mentions, planned=planned) or date
    return date.model_copy(update={"text": text})


@lru_cache(maxsize=16)
def find_dates(article: str) -> tuple[DateMention, ...]:
    """Every day of a month that the article names by number and month, in order; the year may be missing."""
    found = ((start, end, parts, _resolved(parts, None)) for start, end, parts in date_grammar.find(article))
    return tuple(
        DateMention(start, end, date.value, parts, sound=len(parts.days) == 1 and not date.flags)
        for start, end, parts, date in found
        if date.value and _ordered(parts, article[start:end], article)
    )


def _ordered(parts: DateParts, text: str, article: str) -> bool:
    """Whether 05/06/2020 can be read: Arabic and French write the day first, English either."""
    if not parts.order_open or ARABIC.search(text):
        return True
    return language_of(article) in DAY_FIRST


def _widened(parts: DateParts, mentions: Iterable[DateMention], start: int, end: int) -> DateParts:
    """The parts of the longer date that the phrase is cut from, if it is."""
    around = (mention.parts for mention in mentions if mention.start <= start and end <= mention.end)
    return next((wider for wider in around if _agrees(parts, wider)), parts)


def _agrees(parts: DateParts, wider: DateParts) -> bool:
    stated = (parts.anchor, parts.weekdays or None, parts.days or None, parts.month, parts.year)
    held = (wider.anchor, wider.weekdays, wider.days, wider.month, wider.year)
    return all(mine is None or mine == theirs for mine, theirs in zip(stated, held, strict=True))


def _resolved(parts: DateParts, today: dt.date | None, *, planned: bool = False) -> Date:
    """The date of `parts`, written on the day `today`."""
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
    """A month, or days of it; in the year that is stated, or that the day of publication gives."""
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
    """The nearest such month, or of a plan the next; «الماضي» and «المقبل» exclude the current one."""
    ahead = ((parts.month or 0) - today.month) % 12
    if parts.shift == 1:
        ahead = ahead or 12
    elif parts.shift == -1 or (ahead >= 6 and not planned):
        ahead -= 12
    return today.year + (today.month - 1 + ahead) // 12


def _year_of_day(parts: DateParts, today: dt.date, *, planned: bool) -> int | None:
    """The year that puts the day nearest to publication, or that agrees with the weekday named."""
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
    """The days stated, in `year`; a span's end may fall into the next. Empty if the calendar lacks one of them."""
    try:
        days = tuple(dt.date(year, parts.month or 0, day) for day in parts.days)
    except ValueError:
        return ()
    if parts.until is None:
        return days
    ends = (_days(parts.until, parts.until.year or later) for later in (year, year + 1))
    return next((days + end for end in ends if end and end[0] > days[0]), ())


def _edtf(days: tuple[dt.date, ...], *, spread: bool) -> str | None:
    """A day, an interval, or the month of days that lie apart; None for days out of order."""
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
    """«أمس الثلاثاء»: by the day of publication, corrected to the weekday named if that is close."""
    if _fits((day,), parts.weekdays):
        return Date(value=day.isoformat())
    near = (day + dt.timedelta(days=slip) for slip in SLIPS)
    value = next((other.isoformat() for other in near if _fits((other,), parts.weekdays)), None)
    return Date(value=value, flags=("weekday_mismatch",))


def _weekdays(parts: DateParts, today: dt.date, *, planned: bool) -> Date:
    """«الخميس»: the last one up to publication, or the next one where the phrase or the plan says so."""
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
    """«الأسبوع الماضي», Monday to Sunday.

    Weeks begin on Saturday, Sunday or Monday, by country. From Monday to Friday all mean the same week; at the weekend
    they do not, and only the month that holds both weeks is sure.
    """
    monday = today + dt.timedelta(days=WEEK * (parts.week or 0) - today.weekday())
    if today.weekday() >= SATURDAY:
        return Date(value=_month_of(monday - dt.timedelta(days=2), monday + dt.timedelta(days=13)))
    if not parts.weekdays:
        return Date(value=f"{monday}/{monday + dt.timedelta(days=6)}")
    weekday = parts.weekdays[0]
    return Date(value=f"{monday + dt.timedelta(days=weekday)}" if weekday < SATURDAY else None)


def _elsewhere(parts: DateParts, mentions: tuple[DateMention, ...], *, planned: bool) -> Date | None:
    """The date by what the article states elsewhere, if that leaves one value."""
    values = _from_stated_today(parts, mentions, planned=planned) | _from_same_day(parts, mentions, planned=planned)
    full = {value for value in values if "X" not in value}
    values = full | {value for value in values - full if not any(known.endswith(value[4:]) for known in full)}
    if len(values) != 1:
        return None
    value = values.pop()
    return Date(value=value, resolution="partial" if "X" in value else "from_other_mention")


def _from_stated_today(parts: DateParts, mentions: Iterable[DateMention], *, planned: bool) -> set[str]:
    """«اليوم الأربعاء 22 فيفري 2017» says when the article was written, and «أمس» follows."""
    anchored = ((mention.day, mention.parts.anchor) for mention in mentions)
    todays = {day - dt.timedelta(days=anchor) for day, anchor in anchored if day and anchor is not None}
    date = _resolved(parts, todays.pop(), planned=planned) if len(todays) == 1 else Date()
    return {date.value} if date.value and not date.flags else set()


def _from_same_day(parts: DateParts, mentions: tuple[DateMention, ...], *, planned: bool) -> set[str]:
    """The values of the mentions that can only be the same day."""
    if parts.month is not None:
        return _lent_year(parts, mentions)
    if parts.shift is not None or parts.week is not None or parts.calendar_month is not None:
        return set()
    mentions = tuple(mention for mention in mentions if _one_anchor(parts, mention.parts))
    named = [mention for mention in mentions if mention.sound and parts.weekdays in ((), mention.parts.weekdays)]
    anchored = {mention.value for mention in named if None not in (mention.parts.anchor, parts.anchor)}
    if anchored or not parts.weekdays or (planned and parts.anchor is None):
        return anchored
    others = {mention.value for mention in mentions if mention.day and mention.day.weekday() in parts.weekdays}
    return {mention.value for mention in named} | others if named else set()


def _one_anchor(parts: DateParts, other: DateParts) -> bool:
    """Whether both can be one day: «أمس الخميس» is not «اليوم الخميس», nor «الخميس المقبل»."""
    return not other.shift and (None in (parts.anchor, other.anchor) or parts.anchor == other.anchor)


def _lent_year(parts: DateParts, mentions: Iterable[DateMention]) -> set[str]:
    """The year from the same day in full, or from full dates about that time if it makes the weekday right."""
    known = [mention.day for mention in mentions if mention.day]
    years = {day.year for day in known if (day.month, (day.day,)) == (parts.month, parts.days[:1])}
    if not years and parts.weekdays and len({day.year for day in known}) == 1:
        first = _days(parts, known[0].year)[:1]
        years = {day.year for other in known for day in first if abs(day - other).days <= SAME_STORY}
    if parts.calendar_year is not None or not parts.days:
        return set()
    dates = (_calendar(replace(parts, year=year), None) for year in years)
    return {date.value for date in dates if date.value and not date.flags}


def _foreign(text: str) -> Date:
    """A full date in a language that has no rules here, by dateparser; nothing in it is left to be filled in."""
    kinds = "".join(item.kind for item in date_grammar.items(text))
    if len(text) > LONGEST_FOREIGN or not UNKNOWN_WORDS.fullmatch(kinds):
        return Date(text=text)
    import dateparser  # heavy, and hardly ever needed

    settings = {
        "PARSERS": ["absolute-time"],
        "REQUIRE_PARTS": ["day", "month", "year"],
        "STRICT_PARSING": True,
        "RELATIVE_BASE": FIXED_DAY,
    }
    day = dateparser.parse(text, languages=FOREIGN, settings=settings)
    return Date(text=text, value=day.date().isoformat(), resolution="explicit") if day else Date(text=text)
