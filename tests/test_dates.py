"""Dates: what the words say, what the day of publication adds, and what stays open."""

import datetime as dt
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mahdar.resolving.dates import find_dates, resolve_date
from mahdar.schemas.records import Date

TUESDAY = dt.date(2020, 7, 21)

# The phrase, its value without a publication date, its value when published on Tuesday 21 July 2020.
ARABIC = [
    ("اليوم", None, "2020-07-21"),
    ("اليوم الثلاثاء", None, "2020-07-21"),
    ("مساء اليوم", None, "2020-07-21"),
    ("الليلة", None, "2020-07-21"),
    ("يومه الثلاثاء", None, "2020-07-21"),
    ("أمس", None, "2020-07-20"),
    ("امس الاثنين", None, "2020-07-20"),
    ("أمـس الإثنَيْن", None, "2020-07-20"),
    ("بالأمس", None, "2020-07-20"),
    ("يوم أمس الأثنين", None, "2020-07-20"),
    ("مساء أمس الاثنين", None, "2020-07-20"),
    ("البارحة", None, "2020-07-20"),
    ("الليلة الماضية", None, "2020-07-20"),
    ("عشية أمس", None, "2020-07-20"),
    ("أول أمس", None, "2020-07-19"),
    ("أول من أمس الأحد", None, "2020-07-19"),
    ("أمس الأول", None, "2020-07-19"),
    ("وأول أمس", None, "2020-07-19"),
    ("غدا", None, "2020-07-22"),
    ("غداً الأربعاء", None, "2020-07-22"),
    ("بعد غدٍ", None, "2020-07-23"),
    ("بعد ظهر أمس", None, "2020-07-20"),
    ("منذ ثلاثة أيام", None, "2020-07-18"),
    ("قبل يومين", None, "2020-07-19"),
    ("قبل 5 أيام", None, "2020-07-16"),
    ("الخميس", None, "2020-07-16"),
    ("والخميس", None, "2020-07-16"),
    ("ليوم الخميس", None, "2020-07-16"),
    ("للخميس", None, "2020-07-16"),
    ("الثلاثاء", None, "2020-07-21"),
    ("الثلاثاء الماضي", None, "2020-07-14"),
    ("الخميس المنصرم", None, "2020-07-16"),
    ("الخميس المقبل", None, "2020-07-23"),
    ("فجر الجمعة القادم", None, "2020-07-24"),
    ("يومي الأحد والاثنين", None, "2020-07-19/2020-07-20"),
    ("من الأحد إلى الثلاثاء", None, "2020-07-19/2020-07-21"),
    ("ليل السبت/الأحد", None, "2020-07-18/2020-07-19"),
    ("الأحد والأربعاء", None, None),
    ("الأسبوع الماضي", None, "2020-07-13/2020-07-19"),
    ("الأسبوع الجاري", None, "2020-07-20/2020-07-26"),
    ("خلال الأسبوع المقبل", None, "2020-07-27/2020-08-02"),
    ("الأربعاء من الأسبوع الماضي", None, "2020-07-15"),
    ("الشهر الماضي", None, "2020-06"),
    ("هذا الشهر", None, "2020-07"),
    ("20 من الشهر الجاري", None, "2020-07-20"),
    ("يوم 20 الجاري", None, "2020-07-20"),
    ("في الخامس من الشهر المقبل", None, "2020-08-05"),
    ("العام الماضي", None, "2019"),
    ("هذه السنة", None, "2020"),
    ("أمس الإثنين 20 يوليو", "XXXX-07-20", "2020-07-20"),
    ("يوم 20 جويلية الجاري", "XXXX-07-20", "2020-07-20"),
    ("20 تموز / يوليو", "XXXX-07-20", "2020-07-20"),
    ("٢٠ يوليوز", "XXXX-07-20", "2020-07-20"),
    ("في الـ20 من يوليو", "XXXX-07-20", "2020-07-20"),
    ("20 يوليو من العام الماضي", "XXXX-07-20", "2019-07-20"),
    ("12 آب (أغسطس) الماضي", "XXXX-08-12", "2019-08-12"),
    ("13 غشت المقبل", "XXXX-08-13", "2020-08-13"),
    ("بآذار", "XXXX-03", "2020-03"),
    ("مارس (آذار) الماضي", "XXXX-03", "2020-03"),
    ("في شهر دجنبر", "XXXX-12", "2020-12"),
    ("الأول من مارس", "XXXX-03-01", "2020-03-01"),
    ("الثالث والعشرين من يوليو", "XXXX-07-23", "2020-07-23"),
    ("غرة جوان", "XXXX-06-01", "2020-06-01"),
    ("5 و6 يوليو", "XXXX-07-05/XXXX-07-06", "2020-07-05/2020-07-06"),
    ("يومي 29و30 نونبر المقبل", "XXXX-11-29/XXXX-11-30", "2020-11-29/2020-11-30"),
    ("5 و9 يوليو", "XXXX-07", "2020-07"),
    ("بين 5 و9 يوليو", "XXXX-07-05/XXXX-07-09", "2020-07-05/2020-07-09"),
    ("من 30 يونيو إلى 2 يوليو", "XXXX-06-30/XXXX-07-02", "2020-06-30/2020-07-02"),
    ("الأحد 19 والاثنين 20 يوليو", "XXXX-07-19/XXXX-07-20", "2020-07-19/2020-07-20"),
    ("الخميس 19 نوفمبر 2020", "2020-11-19", "2020-11-19"),
    ("20 كانون الأول 2019", "2019-12-20", "2019-12-20"),
    ("20 يوليو/تموز 2020", "2020-07-20", "2020-07-20"),
    ("3 جانفي 2017", "2017-01-03", "2017-01-03"),
    ("9 شتنبر 2017", "2017-09-09", "2017-09-09"),
    ("من 5 إلى 7 يوليو 2021", "2021-07-05/2021-07-07", "2021-07-05/2021-07-07"),
    ("14-15 ماي 2022", "2022-05-14/2022-05-15", "2022-05-14/2022-05-15"),
    ("منتصف مارس 2011", "2011-03", "2011-03"),
    ("يونيو حزيران من عام 1967", "1967-06", "1967-06"),
    ("عام 2014", "2014", "2014"),
    ("20/07/2020", "2020-07-20", "2020-07-20"),
    ("٥/٦/٢٠٢٠", "2020-06-05", "2020-06-05"),
    ("يوم 5-6-2020", "2020-06-05", "2020-06-05"),
    ("2020/7/20", "2020-07-20", "2020-07-20"),
    ("25 شوال 1436هـ الموافق 10 أغسطس 2015م", "2015-08-10", "2015-08-10"),
    ("25/10/1436هـ - 10/8/2015م", "2015-08-10", "2015-08-10"),
    ("10 أغسطس 2015 الموافق 25 شوال 1436هـ", "2015-08-10", "2015-08-10"),
    ("الساعة 10:30 من صباح يوم 20 يوليو 2020", "2020-07-20", "2020-07-20"),
    ("25 شوال 1436هـ", None, None),
    ("الخميس 25 شوال", None, None),
    ("في وقت لاحق", None, None),
    ("قريبا", None, None),
    ("خلال أيام", None, None),
    ("خلال اليومين المقبلين", None, None),
    ("في اليوم نفسه", None, None),
    ("وفي اليوم التالي", None, None),
    ("قبل الخميس", None, None),
    ("بعد يومين", None, None),
    ("عشية الخميس", None, None),
    ("كل خميس", None, None),
    ("قبل نحو ثلاثة أيام", None, None),
    ("قبل ثلاثة أسابيع", None, None),
    ("حتى 20 يوليو", None, None),
    ("الأحد أو الاثنين", None, None),
    ("31 يونيو 2020", None, None),
    ("يوم 20", None, None),
    ("يونيو/يوليو", None, None),
    ("في القاهرة", None, None),
    # Words around a date change nothing; words within it do.
    ("خلال زيارة إلى تركيا أمس الإثنين 20 يوليو", "XXXX-07-20", "2020-07-20"),
    ("الخميس، بباريس، 19 نوفمبر 2020", "2020-11-19", "2020-11-19"),
    ("لقاء ضم 5 وزراء في يوليو", None, None),
    ("في يوليو بشأن اتفاق 2015", None, None),
    ("منذ أكثر من ثلاثة أيام", None, None),
    ("الأحد في تونس والاثنين في الجزائر", None, None),
]
ENGLISH = [
    ("today", None, "2020-07-21"),
    ("Yesterday", None, "2020-07-20"),
    ("the day before yesterday", None, "2020-07-19"),
    ("tomorrow", None, "2020-07-22"),
    ("late Monday", None, "2020-07-20"),
    ("Monday’s", None, "2020-07-20"),
    ("last Tuesday", None, "2020-07-14"),
    ("next Thursday", None, "2020-07-23"),
    ("two days ago", None, "2020-07-19"),
    ("earlier this\nmonth", None, "2020-07"),
    ("last week", None, "2020-07-13/2020-07-19"),
    ("last year", None, "2019"),
    ("last Thursday, July 16", "XXXX-07-16", "2020-07-16"),
    ("on October 5", "XXXX-10-05", "2020-10-05"),
    ("5th of October", "XXXX-10-05", "2020-10-05"),
    ("March 2<sup>nd</sup>", "XXXX-03-02", "2020-03-02"),
    ("Tuesday, Sept. 14, 2021", "2021-09-14", "2021-09-14"),
    ("October 5-7, 2021", "2021-10-05/2021-10-07", "2021-10-05/2021-10-07"),
    ("from 30 June to 2 July 2021", "2021-06-30/2021-07-02", "2021-06-30/2021-07-02"),
    ("June 30–July 2, 2021", "2021-06-30/2021-07-02", "2021-06-30/2021-07-02"),
    ("December 30 to January 2, 2021", "2020-12-30/2021-01-02", "2020-12-30/2021-01-02"),
    ("July 2 to June 31, 2021", None, None),
    ("July 2, 2021 to June 30, 2021", None, None),
    ("20-Jul-2020", "2020-07-20", "2020-07-20"),
    ("November 2022", "2022-11", "2022-11"),
    ("25/06/2020", "2020-06-25", "2020-06-25"),
    ("06/25/2020", "2020-06-25", "2020-06-25"),
    ("2020-06-05", "2020-06-05", "2020-06-05"),
    ("05/06/2020", None, None),
    ("before July 20", None, None),
    ("since Monday", None, None),
    ("later", None, None),
]
FRENCH = [
    ("aujourd'hui", None, "2020-07-21"),
    ("hier", None, "2020-07-20"),
    ("avant-hier", None, "2020-07-19"),
    ("demain", None, "2020-07-22"),
    ("lundi dernier", None, "2020-07-20"),
    ("jeudi prochain", None, "2020-07-23"),
    ("il y a trois jours", None, "2020-07-18"),
    ("la semaine dernière", None, "2020-07-13/2020-07-19"),
    ("le mois dernier", None, "2020-06"),
    ("l’an dernier", None, "2019"),
    ("ce mardi 21 juillet", "XXXX-07-21", "2020-07-21"),
    ("le 3 mars", "XXXX-03-03", "2020-03-03"),
    ("1er août 2020", "2020-08-01", "2020-08-01"),
    ("dimanche 20 mars 2011", "2011-03-20", "2011-03-20"),
    ("du 5 au 7 juillet 2021", "2021-07-05/2021-07-07", "2021-07-05/2021-07-07"),
    ("mi-février 2011", "2011-02", "2011-02"),
    ("avant jeudi", None, None),
    ("la veille", None, None),
]
FOREIGN = [
    ("20. Juli 2020", "2020-07-20"),
    ("20 Temmuz 2020", "2020-07-20"),
    ("20 de julio de 2020", "2020-07-20"),
    ("20. Juli", None),
    ("Juli 2020", "2020"),
    ("vor dem 20. Juli 2020", None),
]

# An own story: the caption has the full date, the text only weekdays.
CAPTION = "استقبل الوزير ضيفه في مكتبه اليوم الخميس.\n\nمن اللقاء في باريس، الخميس 19 نوفمبر 2020. (الوزارة)\n"


def resolve(text: str | None, published_at: dt.date | None = None, **context: Any) -> Date:
    return resolve_date(text, published_at=published_at, **context)


@pytest.mark.parametrize(("text", "alone", "published"), ARABIC + ENGLISH + FRENCH)
def test_value_with_and_without_a_publication_date(text: str, alone: str | None, published: str | None) -> None:
    assert (resolve(text).value, resolve(text, TUESDAY).value) == (alone, published)


@pytest.mark.parametrize(("text", "value"), FOREIGN)
def test_other_languages_give_full_dates_or_the_year(text: str, value: str | None) -> None:
    assert resolve(text).value == value


@pytest.mark.parametrize(
    ("text", "published_at", "resolution"),
    [
        ("20 يوليو 2020", None, "explicit"),
        ("20 يوليو 2020", TUESDAY, "explicit"),
        ("أمس الإثنين 20 يوليو", TUESDAY, "year_from_publication"),
        ("مارس الماضي", TUESDAY, "year_from_publication"),
        ("أمس", TUESDAY, "relative_to_publication"),
        ("20 من الشهر الجاري", TUESDAY, "relative_to_publication"),
        ("20 يوليو من العام الماضي", TUESDAY, "relative_to_publication"),
        ("أمس الإثنين 20 يوليو", None, "partial"),
        ("في يوليو", None, "partial"),
        ("اليوم الأحد", None, "unresolved"),
        ("في وقت لاحق", TUESDAY, "unresolved"),
        ("", TUESDAY, "unresolved"),
        (None, TUESDAY, "unresolved"),
    ],
)
def test_resolution_names_what_the_value_rests_on(text: str, published_at: dt.date | None, resolution: str) -> None:
    assert resolve(text, published_at).resolution == resolution


def test_words_are_kept_as_the_article_has_them() -> None:
    assert resolve("أمـس  الاثنين", TUESDAY).text == "أمـس  الاثنين"


@pytest.mark.parametrize(
    ("text", "published_at", "value"),
    [
        ("5 يناير", dt.date(2020, 12, 20), "2021-01-05"),
        ("28 ديسمبر", dt.date(2021, 1, 3), "2020-12-28"),
        ("في ديسمبر", dt.date(2021, 1, 3), "2020-12"),
        ("يناير المقبل", dt.date(2020, 12, 20), "2021-01"),
        ("من 30 ديسمبر إلى 2 يناير", dt.date(2021, 1, 3), "2020-12-30/2021-01-02"),
        ("الشهر الماضي", dt.date(2021, 1, 3), "2020-12"),
        ("5 من الشهر المقبل", dt.date(2020, 12, 20), "2021-01-05"),
        ("29 فبراير", dt.date(2020, 7, 21), "2020-02-29"),
        ("29 فبراير", dt.date(2022, 7, 21), "XXXX-02-29"),
    ],
)
def test_year_is_the_one_nearest_to_publication(text: str, published_at: dt.date | None, value: str | None) -> None:
    assert resolve(text, published_at).value == value


@pytest.mark.parametrize(
    ("text", "published_at", "value", "flags"),
    [
        ("الخميس 19 نوفمبر 2020", None, "2020-11-19", ()),
        ("الجمعة 19 نوفمبر 2020", None, "2020-11-19", ("weekday_mismatch",)),
        ("الأحد والثلاثاء 19 و20 يوليو 2020", None, "2020-07-19/2020-07-20", ("weekday_mismatch",)),
        # 20 November was a Friday in 2020 and a Wednesday in 2019.
        ("الأربعاء 20 نوفمبر", dt.date(2020, 7, 21), "2019-11-20", ()),
        ("الخميس 20 نوفمبر", dt.date(2020, 7, 21), "2020-11-20", ("weekday_mismatch",)),
        # A Tuesday in 2021; a day before publication that is a slip.
        ("الثلاثاء 20 يوليو", TUESDAY, "2020-07-20", ("weekday_mismatch",)),
        # Published a day later than written, or three; Thursday is too far.
        ("اليوم الاثنين", TUESDAY, "2020-07-20", ("weekday_mismatch",)),
        ("اليوم السبت", TUESDAY, "2020-07-18", ("weekday_mismatch",)),
        ("اليوم الأربعاء", TUESDAY, "2020-07-22", ("weekday_mismatch",)),
        ("اليوم الخميس", TUESDAY, None, ("weekday_mismatch",)),
        ("أمس الأحد", TUESDAY, "2020-07-19", ("weekday_mismatch",)),
    ],
)
def test_weekday_chooses_the_year_or_is_flagged(
    text: str, published_at: dt.date | None, value: str | None, flags: tuple[str, ...]
) -> None:
    date = resolve(text, published_at)
    assert (date.value, date.flags) == (value, flags)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("الخميس", "2020-07-23"),
        ("الثلاثاء", "2020-07-21"),
        ("يومي الأربعاء والخميس", "2020-07-22/2020-07-23"),
        ("this Thursday", "2020-07-23"),
        ("في مارس", "2021-03"),
        ("3 مارس", "2021-03-03"),
        ("أمس", "2020-07-20"),
        ("3 مارس 2020", "2020-03-03"),
    ],
)
def test_planned_events_lie_ahead(text: str, value: str | None) -> None:
    assert resolve(text, TUESDAY, planned=True).value == value


@pytest.mark.parametrize(
    ("published_at", "value"),
    [
        (dt.date(2020, 7, 20), "2020-07-13/2020-07-19"),
        (dt.date(2020, 7, 24), "2020-07-13/2020-07-19"),
        (dt.date(2020, 7, 26), "2020-07"),
        (dt.date(2020, 8, 2), None),
    ],
)
def test_last_week_is_an_interval_only_where_all_week_conventions_agree(
    published_at: dt.date | None, value: str | None
) -> None:
    assert resolve("الأسبوع الماضي", published_at).value == value


@pytest.mark.parametrize(
    ("text", "article", "value", "resolution"),
    [
        ("اليوم الخميس", CAPTION, "2020-11-19", "from_other_mention"),
        ("الخميس", CAPTION * 3, "2020-11-19", "from_other_mention"),
        ("19 نوفمبر", CAPTION, "2020-11-19", "from_other_mention"),
        ("الجمعة", CAPTION, None, "unresolved"),
        ("اليوم", CAPTION, None, "unresolved"),
        ("الخميس المقبل", CAPTION, None, "unresolved"),
        ("في اليوم نفسه", CAPTION, None, "unresolved"),
        ("الأسبوع الماضي", CAPTION, None, "unresolved"),
        ("20 نوفمبر", CAPTION, "XXXX-11-20", "partial"),
        # The weekday named is right in the year of a full date of that time.
        ("الاثنين 16 نوفمبر", CAPTION, "2020-11-16", "from_other_mention"),
        ("الاثنين 17 نوفمبر", CAPTION, "XXXX-11-17", "partial"),
        ("الأحد 19 يوليو", CAPTION, "XXXX-07-19", "partial"),
        # Two Thursdays, or one that names no weekday: open.
        ("اليوم الخميس", CAPTION + "وكان قد زارها الخميس 5 نوفمبر 2020.", None, "unresolved"),
        ("اليوم الخميس", CAPTION + "وكان قد زارها في 5 نوفمبر 2020.", None, "unresolved"),
        ("اليوم الخميس", CAPTION + "وكان قد زارها في 6 نوفمبر 2020.", "2020-11-19", "from_other_mention"),
        ("الخميس", "وقعا الاتفاق في 19 نوفمبر 2020.", None, "unresolved"),
        ("الخميس", "صورة من اللقاء، الخميس 20 نوفمبر 2020", None, "unresolved"),
        ("أمس الخميس", "اجتمعا اليوم الخميس 19 نوفمبر 2020.", None, "unresolved"),
        # A day stated as today dates the article.
        ("أمس", "قال الناطق اليوم الأربعاء 22 فيفري 2017 إن اللقاء تأجل.", "2017-02-21", "from_other_mention"),
        ("20 فيفري الجاري", "صرح اليوم الأربعاء 22 فيفري 2017 بذلك.", "2017-02-20", "from_other_mention"),
        # The same day, with day and month but no year.
        ("أمس الاثنين", "زار الوفد المدينة أمس الإثنين 20 يوليو.", "XXXX-07-20", "partial"),
        ("اليوم الأحد", "صدر اليوم الأحد 10 دجنبر، عن حدود الرابع من يونيو 1967", "XXXX-12-10", "partial"),
        ("lundi", "Photo prise le lundi 21 mars 2011 à Tunis.", "2011-03-21", "from_other_mention"),
        (
            "05/06/2020",
            "Le ministre est arrivé dans la capitale pour une visite de trois jours.",
            "2020-06-05",
            "explicit",
        ),
        ("05/06/2020", "The minister has arrived in the capital for a visit of three days.", None, "unresolved"),
    ],
)
def test_other_mentions_count_where_they_leave_one_day(
    text: str, article: str, value: str | None, resolution: str
) -> None:
    date = resolve(text, article=article)
    assert (date.value, date.resolution) == (value, resolution)


def test_publication_goes_before_other_mentions() -> None:
    assert resolve("الخميس", dt.date(2020, 11, 28), article=CAPTION).value == "2020-11-26"


def test_other_mention_counts_where_publication_leaves_the_day_open() -> None:
    date = resolve("اليوم الخميس", dt.date(2020, 12, 1), article=CAPTION)
    assert (date.value, date.resolution) == ("2020-11-19", "from_other_mention")


def test_planned_weekday_is_not_taken_from_a_caption() -> None:
    assert resolve("الخميس", article=CAPTION, planned=True).value is None


def test_phrase_cut_from_a_longer_date_has_that_date() -> None:
    article = "التقيا الخميس 5 نوفمبر 2020، ثم مجددا الخميس 19 نوفمبر 2020."
    assert resolve("الخميس", article=article).value is None
    assert resolve("الخميس", article=article, at=article.rindex("الخميس")).value == "2020-11-19"


def test_find_dates_gives_offsets_into_the_article() -> None:
    article = "بدأت الزيارة في 5 يوليو، وانتهت\nالثلاثاء 7 يوليو 2020 (الوكالة). ومرّ شهر مارس دون لقاء."
    found = [(article[date.start : date.end], date.value) for date in find_dates(article)]
    assert found == [("5 يوليو", "XXXX-07-05"), ("الثلاثاء 7 يوليو 2020", "2020-07-07")]


WORDS = (
    "اليوم أمس غدا الخميس والأحد 5 20 31 و6 يوليو مارس آب 2019 الماضي المقبل الجاري هذا الأسبوع الشهر العام"
    " من إلى بين قبل ثلاثة أيام الأول شوال 1436هـ / - كلمة"
    " yesterday last next Tuesday October month to hier le lundi mars dernier"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=7).map(" ".join))
def test_no_year_comes_from_anywhere_but_the_words(text: str) -> None:
    """Without a publication date, every year in a value stands in the phrase: today cannot have leaked in."""
    value = resolve(text).value
    assert set(re.findall(r"\d{4}", value or "")) <= set(re.findall(r"\d{4}", text))
    assert value is None or re.fullmatch(r"[\dX]{4}(-\d\d(-\d\d(/[\dX]{4}-\d\d-\d\d)?)?)?", value)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert resolve(text, TUESDAY, article=text).text == text


def test_usual_forms_load_no_date_library() -> None:
    code = (
        "import datetime, sys, mahdar.resolving.dates as d; assert not {'babel', 'dateparser'} & set(sys.modules);"
        "d.resolve_date('أمس الإثنين 20 يوليو', published_at=datetime.date(2020, 7, 21));"
        "d.resolve_date('في وقت لاحق', published_at=None); assert 'dateparser' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "published_at"),
    [("أمس", "0001-01-01"), ("غدا", "9999-12-31"), ("الخميس الماضي", "0001-01-01"), ("الأسبوع القادم", "9999-12-31")],
)
def test_a_day_outside_the_calendar_has_no_value(text: str, published_at: str) -> None:
    assert resolve_date(text, published_at=dt.date.fromisoformat(published_at)).value is None
