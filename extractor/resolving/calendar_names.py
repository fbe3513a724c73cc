"""Words and phrases of dates in Arabic, English and French, each with its kind and its number.

A kind is a single letter, so that the kinds of a phrase form a string that patterns match (see `date_grammar`).
"""

from collections.abc import Iterator

# The locales of CLDR whose month names differ: يوليو، تموز، جويلية، يوليوز are one month.
MONTH_LOCALES = ("ar", "ar_LB", "ar_DZ", "ar_TN", "ar_MA", "ar_MR", "en", "fr")
DAY_LOCALES = ("ar", "en", "fr")

# Spellings that CLDR lacks: Egyptian endings, names without the article, common slips.
MORE_MONTHS = {
    "كانون ثاني": 1,
    "جانفى": 1,
    "فيفرى": 2,
    "مايس": 5,
    "يونيه": 6,
    "يوليه": 7,
    "أغسطوس": 8,
    "سبتنبر": 9,
    "اوكتوبر": 10,
    "تشرين أول": 10,
    "تشرين ثاني": 11,
    "نوفنبر": 11,
    "كانون أول": 12,
    "Sept": 9,
    "juill": 7,
}

# Phrase → days from the day of writing. The longest phrase wins: «بعد غد» over «بعد».
ANCHORS = {
    "اليوم": 0,
    "يومه": 0,
    "الليلة": 0,
    "أمس": -1,
    "الأمس": -1,
    "البارحة": -1,
    "الليلة الماضية": -1,
    "الليلة الفائتة": -1,
    "أول أمس": -2,
    "أول من أمس": -2,
    "أمس الأول": -2,
    "قبل أمس": -2,
    "غدا": 1,
    "غد": 1,
    "الغد": 1,
    "عشية اليوم": 0,
    "عشية أمس": -1,
    "بعد غد": 2,
    "بعد الغد": 2,
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "yesterday": -1,
    "last night": -1,
    "last evening": -1,
    "day before yesterday": -2,
    "tomorrow": 1,
    "day after tomorrow": 2,
    "aujourd'hui": 0,
    "ce matin": 0,
    "ce soir": 0,
    "cet après-midi": 0,
    "hier": -1,
    "avant-hier": -2,
    "avant hier": -2,
    "demain": 1,
    "après-demain": 2,
    "après demain": 2,
}
COUNTS = {
    "واحد": 1,
    "واحدة": 1,
    "ثلاثة": 3,
    "ثلاث": 3,
    "أربعة": 4,
    "أربع": 4,
    "خمسة": 5,
    "خمس": 5,
    "ستة": 6,
    "ست": 6,
    "سبعة": 7,
    "سبع": 7,
    "ثمانية": 8,
    "ثماني": 8,
    "تسعة": 9,
    "تسع": 9,
    "عشرة": 10,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "un": 1,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
}
ORDINAL_UNITS = ("الحادي", "الثاني", "الثالث", "الرابع", "الخامس", "السادس", "السابع", "الثامن", "التاسع")
ORDINALS = ("الأول", *ORDINAL_UNITS[1:], "العاشر")

HIJRI_MONTHS = (
    ("محرم", "المحرم"),
    ("صفر",),
    ("ربيع الأول",),
    ("ربيع الآخر", "ربيع الثاني"),
    ("جمادى الأولى", "جمادى الأول"),
    ("جمادى الآخرة", "جمادى الثانية", "جمادى الثاني"),
    ("رجب",),
    ("شعبان",),
    ("رمضان",),
    ("شوال",),
    ("ذو القعدة", "ذي القعدة"),
    ("ذو الحجة", "ذي الحجة"),
)

# Kind → (number, words); kinds are listed in `date_grammar`.
WORDS: dict[str, tuple[tuple[int, str], ...]] = {
    "P": (
        (-1, "الماضي الماضية الماضيين المنصرم المنصرمة الفارط الفارطة الفائت الفائتة"),
        (-1, "last dernier dernière derniers passé passée écoulé"),
    ),
    "F": (
        (1, "المقبل المقبلة المقبلين القادم القادمة القادمين الآتي الآتية"),
        (1, "next coming prochain prochaine prochains"),
    ),
    "C": ((0, "الجاري الجارية الحالي الحالية current courant"),),
    "c": ((0, "هذا هذه this ce cet cette"),),
    "k": ((0, "أسبوع الأسبوع week semaine"),),
    "m": ((0, "شهر الشهر month mois"),),
    "y": ((0, "عام العام سنة السنة year année"),),
    "d": ((1, "يوم يومي day jour journée"),),
    "z": ((0, "أيام الأيام يوما days jours"), (2, "يومين يومان اليومين")),
    "G": ((0, "قبل منذ ago"),),
    "T": ((0, "إلى حتى to through au"),),
    "B": ((0, "بين between entre"),),
    "&": ((0, "و and et"),),
    "j": ((0, "ه هجري هجرية الهجري الهجرية"),),
    "h": ((0, "الساعة"),),
    "q": ((0, "صباحا مساء مساءا ظهرا am pm h heures heure gmt"),),
    # Words that move a date to another day, make it vague, or refer to a day that the phrase does not name.
    "X": (
        (0, "بعد عقب عشية غداة قبيل بعيد بحلول نحو حوالي قرابة كل أو نفسه نفسها ذاته ذاتها عينه"),
        (0, "التالي التالية السابق السابقة الموالي الموالية الوطني العالمي ليس"),
        (0, "before after until till since by about around every following same previous eve or not"),
        (0, "avant après depuis jusqu vers environ chaque veille lendemain suivant même ici ou"),
    ),
    # Words without effect inside a date.
    " ": (
        (0, "من في ال م ميلادي ميلادية الموافق المصادف صباح فجر ظهر عصر ليل ليلة نهار"),
        (0, "on in the of st nd rd th sup morning afternoon evening night"),
        (0, "le la les de du en l er matin soir"),
        (0, ", ، ( ) [ ] < >"),
    ),
}
PHRASES: tuple[tuple[str, str, int], ...] = (
    ("بعد ظهر", " ", 0),
    ("بعد الظهر", " ", 0),
    ("قبل ظهر", " ", 0),
    ("قبل الظهر", " ", 0),
    ("بعد منتصف ليل", " ", 0),
    ("après-midi", " ", 0),
    ("p.m.", "q", 0),
    ("a.m.", "q", 0),
    ("il y a", "G", 0),
    ("l'an", "y", 0),
    ("à venir", "F", 1),
    ("premier", "O", 1),
    ("غرة", "O", 1),
    ("فاتح", "O", 1),
)


def phrases() -> Iterator[tuple[str, str, int]]:
    """Yield every phrase with its kind and number."""
    yield from ((phrase, "A", days) for phrase, days in ANCHORS.items())
    yield from ((phrase, "n", count) for phrase, count in COUNTS.items())
    yield from ((phrase, "O", day) for day, phrase in _ordinals())
    yield from ((phrase, "J", month) for month, names in enumerate(HIJRI_MONTHS, start=1) for phrase in names)
    yield from (
        (word, kind, number) for kind, rows in WORDS.items() for number, words in rows for word in words.split()
    )
    yield from PHRASES
    yield from ((name, "M", month) for name, month in MORE_MONTHS.items())
    yield from _cldr()


def _ordinals() -> Iterator[tuple[int, str]]:
    yield from enumerate(ORDINALS, start=1)
    yield from ((10 + unit, f"{name} عشر") for unit, name in enumerate(ORDINAL_UNITS, start=1))
    for ten, units, names in ((20, 9, ("العشرين", "العشرون")), (30, 1, ("الثلاثين", "الثلاثون"))):
        yield from ((ten, name) for name in names)
        yield from ((ten + n, f"{ORDINAL_UNITS[n - 1]} و{name}") for n in range(1, units + 1) for name in names)


def _cldr() -> Iterator[tuple[str, str, int]]:
    from babel import Locale  # heavy: imported for the first date

    for locale in map(Locale.parse, MONTH_LOCALES):
        for width in ("wide", "abbreviated"):
            for month, name in locale.months["format"][width].items():
                yield name, "M", month
                yield name.rstrip("."), "M", month
    for locale in map(Locale.parse, DAY_LOCALES):
        yield from ((name, "W", day) for day, name in locale.days["format"]["wide"].items())
