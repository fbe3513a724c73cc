"""Offices: where an office ends and a person's name begins, and when two phrases name one office.

«وزير الخارجية الفرنسي جان إيف لودريان» has no mark between office and name. An office is read word by word, as long
as the words are known: heads («وزير»), what they govern («الخارجية»), countries. It must be complete: after «رئيس حركة»
the name of the movement follows, not a person's. What stays in doubt is left unsplit, unless the article has the name
by itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from extractor.countries import Kind, Word, country_mentions, country_of, words_of
from extractor.folding import fold

# Forms of address: no part of a name, and no office.
_HONORIFICS: Final = frozenset(
    (
        "السيد السيده السادة معالي معاليه سعاده فخامه جلاله سمو صاحب صاحبه السمو الملكي الجلاله الفخامه المعالي السعاده "
        "الدكتور الدكتوره دكتور دكتوره المهندس المهندسه الاستاذ الاستاذه البروفيسور المحامي المحاميه الحاج الشيخ الشيخه "
        "الامير الاميره نظيره نظيرته نظيرها نظيرتها نظيرهما ونظيره ونظيرته "
        "mr mrs ms miss dr sir dame lord prof professor hon sheikh shaikh monsieur madame mme mlle"
    ).split()
)
_INITIALS: Final = frozenset("د م أ m".split())
"""Honorifics only with a stop or a stroke behind: «د. محمد», «م/ علي»."""
_STATE: Final = "دوله"
"""Honorific before an office («دولة الرئيس»), otherwise a state."""

_RANKS: Final = frozenset(
    (
        "المشير الفريق اللواء العميد العقيد المقدم الرايد النقيب الملازم الجنرال الادميرال المارشال العماد "
        "general colonel marshal admiral lieutenant major captain amiral marechal"
    ).split()
)
_RANK_TAILS: Final = frozenset("اول ركن طيار بحري مهندس حقوقي دو ديفزيون دوكوردارمي field".split())

# Words an office begins with, as they govern another word, and so as they stand alone.
_GOVERNING: Final = frozenset(
    (
        "وزير وزيره وزيرا وزيري وزراء رييس رييسه نايب نايبه نواب وكيل وكيله مساعد مساعده سفير سفيره قنصل مبعوث مبعوثه "
        "موفد مندوب مندوبه ممثل ممثله مستشار مستشاره مدير مديره محافظ عميد عمده والي حاكم عضو عضوه زعيم مرشد سكرتير "
        "سكرتيره كاتب منسق منسقه مفوض مفوضه متحدث متحدثه ناطق ناطقه امين امينه ولي كبير مسوول مسووله مدعي مفتش قايم "
        "قايد قايده ملك ملكه امير سلطان شيخ"
    ).split()
)
_STANDING: Final = frozenset(
    (
        "الوزير الوزيره الرييس الرييسه النايب النايبه الوكيل المساعد السفير السفيره القنصل المبعوث المبعوثه الموفد "
        "المندوب المندوبه الممثل الممثله المستشار المستشاره المدير المديره المحافظ العمده الوالي الحاكم العضو الزعيم "
        "المرشد السكرتير المنسق المنسقه المفوض المتحدث المتحدثه الناطق الناطقه الامين الامينه القايم القايمه المكلف "
        "المكلفه القايد الملك الملكه العاهل السلطان المدعي المفتش"
    ).split()
)
_NAMES_TOO: Final = frozenset("قايد ملك ملكه امير سلطان شيخ امين ولي عميد سفير كبير ناطق".split())
"""Heads that are names as well («أمير عبد اللهيان», «قائد السبسي»): an office only before a word of office or country."""
_DEPUTIES: Final = frozenset("نايب نايبه مساعد مساعده وكيل وكيله مستشار مستشاره مدير متحدث ناطق ممثل مبعوث عضو".split())

# What a head governs without its article, and what then needs a further word.
_CONSTRUCT: Final = frozenset(
    (
        "خارجيه داخليه دفاع ماليه عدل مجلس حكومه وزاره وزارات جهاز هييه لجنه شوون مكتب حركه حزب قوات جيش اركان مخابرات "
        "استخبارات بعثه منظمه اتحاد برلمان دوله جمهوريه مملكه ديوان بنك مصرف عام عامه اعمال باسم عهد وزراء وفد سفاره "
        "اداره قياده قطاع بلديه وكاله مديريه اول شركه مفوضيه رياسه امانه جامعه نقابه هيءه شعبه مكافحه تنظيم كتله"
    ).split()
)
# What ends an office, with its article. The names among them would be definite at the beginning of a name.
_GOVERNED: Final = frozenset(
    (
        "خارجيه داخليه دفاع حكومه وزراء جمهوريه مجلس رياسي عام عامه نواب دوله شعب شعبي شوون خارج تعاون دولي دوليه امن "
        "وطني وطنيه قومي مخابرات استخبارات اركان جيش جيوش قوات مسلحه بحريه جويه بريه ماليه اقتصاد اقتصاديه تجاره "
        "صناعه نفط غاز طاقه كهرباء صحه تعليم عالي علمي بحث عدل زراعه مياه سياحه ثقافه اعلام شباب رياضه نقل مواصلات "
        "اتصالات بييه تخطيط عمل عمال اسكان مرافق حكم محلي موارد مايه معدنيه استثمار تنميه تضامن اجتماعي اجتماعيه "
        "اوقاف دينيه اسلاميه هجره مهجرين مغتربين لاجيين مراه داخلي خارجي سياسي سياسيه برلماني برلمانيه اعلي عليا اول "
        "اولي ثاني ثانيه ثالث مساعد مساعده سابق سابقه اسبق حالي حاليه جديد جديده راحل موقت موقته مفوض مفوضه مكلف "
        "مكلفه منتدب منتدبه منتخب منتخبه معني معنيه مختص مختصه خاص خاصه دايم دايمه مقيم مقيمه وفاق وحده استقرار انتقالي "
        "انتقاليه سياده عسكري عسكريه مشتركه مشترك مختلطه مركزي مركزيه برلمان شيوخ شوري امه تاسيسي ملكي ملكيه هاشميه "
        "عربيه اتحادي اتحاديه فيدرالي فيدراليه شرعيه شمالي جنوبيه افريقي افريقيه امين امانه بلدي بلديه جمارك حدود "
        "سواحل شرطه استراتيجي استراتيجيه تنفيذي تنفيذيه رسمي رسميه سلم سلام دعم بعثه مخابراتيه امني امنيه منظمه جامعه "
        "مفوضيه اتحاد تشريعيه قضاء قضاييه دستوريه محكمه ديوان قصر حرس ثوري معارضه ايتلاف حزب حركه جماعه عموم خارجين"
    ).split()
)
_ADVERBS: Final = frozenset("سابقا حاليا بالوكاله بالنيابه بالانابه بالتكليف".split())
_PREPOSITIONS: Final = frozenset("في لدي الي علي عن من لشوون".split())

_LATIN_HEADS: Final = frozenset(
    (
        "president presidente minister premier chancellor king queen prince princess secretary ambassador envoy chairman "
        "chairwoman chair chief head speaker spokesman spokeswoman spokesperson director commander governor mayor senator "
        "advisor adviser representative coordinator commissioner emir sultan ministre roi reine chef ambassadeur "
        "ambassadrice secretaire directeur directrice commandant gouverneur maire depute chancelier"
    ).split()
)
_LATIN_WORDS: Final = frozenset(
    (
        "prime foreign defence defense interior finance justice trade deputy vice former acting national security state "
        "affairs under assistant special crown general permanent republic staff army government council parliament "
        "senate house representatives oil energy health house party opposition supreme leader high international "
        "etrangeres interieur affaires etat adjoint delegue republique gouvernement conseil assemblee nationale armee "
        "parole porte"
    ).split()
)
_LATIN_LINKS: Final = frozenset("of for the and to in at de des du la le les l d et a au aux en".split())
_LATIN_PARTICLES: Final = frozenset("bin ben ibn al el de der den von van du la le abu".split())

_MOST_WORDS: Final = 6
"""In a person's name; more is a clause."""
_MARK: Final = re.compile(r"\s*[،,؛;:]\s*|\s+[-–—]\s+")
_QUOTED: Final = re.compile(r"^(?P<office>.+?)\s*[\"“”«‹(](?P<name>[^\"“”«»‹›()]+)[\"“”»›)]\s*$")
_WRAPPING: Final = " \t\n\"'“”„«»‹›()[]،,.؛;:-–—"


@dataclass(frozen=True, slots=True)
class Office:
    """An office without articles, particles and the word for its country: «وزير خارجية روسيا» is (وزير، خارجيه), RU."""

    words: tuple[str, ...]
    country: str | None


def strip_titles(name: str) -> str:
    """A person's name without forms of address, ranks and «الرئيس» before it, and without quote marks about it.

    A phrase that is an office as a whole («الرئيس الصيني», «وزير الدفاع») stays as it is.
    """
    text = name.strip(_WRAPPING)
    words = words_of(text)
    first = _titles(text, words)
    return text[words[first].start :] if first else text


def split_office(name: str, *, article: str | None = None) -> tuple[str | None, str]:
    """Split «وزير الخارجية الفرنسي جان إيف لودريان» into the office and the person's name.

    Args:
        name: what a model gave as a name.
        article: where in doubt, a name that the article also has by itself is one.

    Returns:
        The office as written, or None; and the name without titles. Without an office before or behind it, and
        where the border is in doubt, the name as given, without titles.
    """
    text = name.strip(_WRAPPING)
    for split in (_split_at_mark, _split_in_front, _split_behind):
        if found := split(text):
            return found
    found = _split_by_article(text, article) if article else None
    return found or (None, strip_titles(text))


def is_office(phrase: str) -> bool:
    """Whether a phrase begins with an office: «وزير الخارجية», "Israeli Prime Minister"."""
    words = words_of(phrase.strip(_WRAPPING))
    return bool(words) and _reach(phrase.strip(_WRAPPING), words, _honorifics(phrase, words)).heads > 0


def offices_in(role: str) -> tuple[Office, ...]:
    """The offices in a role, one after another: «نائب رئيس مجلس الوزراء وزير الدولة» are two."""
    words = words_of(role)
    inside = _countries(role, words)
    starts = [0, *(at for at in range(1, len(words)) if _begins_another(words, at, inside))]
    country = country_of(role)
    return tuple(
        Office(tuple(_plain(words[at].key) for at in range(first, stop) if at not in inside and _tells(words[at].key)), country)
        for first, stop in zip(starts, [*starts[1:], len(words)], strict=True)
    )
