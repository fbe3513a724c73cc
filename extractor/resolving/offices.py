"""Offices: where an office ends and a person's name begins, and when two phrases name one office.

«وزير الخارجية الفرنسي جان إيف لودريان» has no mark between office and name. An office is read word by word, as long
as the words are known: heads («وزير»), what they govern («الخارجية»), countries. It must be complete: after «رئيس حركة»
the name of the movement follows, not a person's. What stays in doubt is left unsplit, unless the article has the name
by itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from mahdar.documents.folding import fold, word_set
from mahdar.resolving.countries import CountryForm, Word, country_mentions, country_of, words_of

# Words are folded here: ة is ه, أ is ا, ئ is ي.

# Forms of address, and words that point to an office named before: no part of a name, and no office.
_HONORIFICS: Final = word_set(
    """
    السيد السيده الساده معالي معاليه سعاده فخامه جلاله سمو صاحب صاحبه السمو الملكي الجلاله الفخامه المعالي السعاده
    الدكتور الدكتوره دكتور دكتوره المهندس المهندسه الاستاذ الاستاذه البروفيسور المحامي المحاميه الحاج الشيخ الشيخه
    الامير الاميره نايبه ونايبه mr mrs ms miss dr sir dame lord
    prof professor hon sheikh shaikh monsieur madame mme mlle
    """
)
_INITIALS: Final = word_set("د م ا m")
"""Honorifics only with a stop or a stroke behind: «د. محمد», «م/ علي»."""
_STATE: Final = "دوله"
"""An honorific before an office («دولة الرئيس»), otherwise a state."""

_RANKS: Final = word_set(
    """
    المشير الفريق اللواء العميد العقيد المقدم الرايد النقيب الملازم الجنرال الادميرال المارشال العماد general
    colonel marshal admiral lieutenant captain amiral marechal
    """
)
_RANK_TAILS: Final = word_set("اول ركن الركن المتقاعد طيار بحري مهندس حقوقي دو ديفزيون دوكوردارمي")

# Words an office begins with: as they govern another word, and as they stand by themselves.
_GOVERNING: Final = word_set(
    """
    وزير وزيره وزيرا وزيري رييس رييسه نايب نايبه وكيل وكيله مساعد مساعده سفير سفيره قنصل مبعوث مبعوثه موفد مندوب
    مندوبه ممثل ممثله مستشار مستشاره مدير مديره محافظ عميد عمده والي حاكم عضو عضوه زعيم مرشد سكرتير سكرتيره كاتب
    منسق منسقه مفوض مفوضه متحدث متحدثه ناطق ناطقه امين امينه ولي كبير مسوول مسووله مدعي مفتش قايم قايد قايده ملك
    ملكه امير سلطان شيخ
    """
)
_STANDING: Final = word_set(
    """
    الوزير الوزيره الرييس الرييسه النايب النايبه الوكيل المساعد السفير السفيره القنصل المبعوث المبعوثه الموفد
    المندوب المندوبه الممثل الممثله المستشار المستشاره المدير المديره المحافظ العمده الوالي الحاكم العضو الزعيم
    المرشد السكرتير المنسق المنسقه المفوض المتحدث المتحدثه الناطق الناطقه الامين الامينه القايم القايمه المكلف
    المكلفه القايد الملك الملكه العاهل السلطان المدعي المفتش نظيره نظيرته نظيرها نظيرتها نظيرهما ونظيره ونظيرته
    """
)
_NAMES_TOO: Final = word_set("قايد ملك ملكه امير سلطان شيخ امين ولي عميد سفير كبير ناطق")
"""Heads that are names as well («أمير عبد اللهيان»): an office only before a word of office or a country."""

_CONSTRUCT: Final = word_set(
    """
    خارجيه داخليه دفاع ماليه عدل مجلس حكومه وزاره وزارات وزراء جهاز هييه لجنه شوون مكتب حركه حزب قوات جيش اركان
    مخابرات استخبارات بعثه منظمه اتحاد برلمان دوله جمهوريه مملكه ديوان بنك مصرف عام عامه اعمال باسم عهد وفد سفاره
    اداره قياده قطاع بلديه وكاله اول شركه مفوضيه رياسه امانه جامعه نقابه مكافحه تنظيم كتله مدينه نواب
    """
)
"""What a head governs, and what needs a further word itself."""
_GOVERNED: Final = word_set(
    """
    خارجيه داخليه دفاع حكومه وزراء جمهوريه مجلس رياسي عام عامه نواب دوله شعب شعبي شوون خارج تعاون دولي دوليه امن
    وطني وطنيه قومي مخابرات استخبارات اركان جيش جيوش قوات مسلحه بحريه جويه بريه ماليه اقتصاد اقتصاديه تجاره صناعه
    نفط غاز طاقه كهرباء صحه تعليم عالي علمي بحث عدل زراعه مياه سياحه ثقافه اعلام شباب رياضه نقل مواصلات اتصالات بييه
    تخطيط عمل عمال اسكان مرافق حكم محلي موارد مايه معدنيه استثمار تنميه تضامن اجتماعي اجتماعيه اوقاف دينيه اسلاميه
    هجره مهجرين مغتربين لاجيين مراه داخلي خارجي سياسي سياسيه برلماني برلمانيه اعلي عليا اول اولي ثاني ثانيه ثالث
    مساعد مساعده سابق سابقه اسبق حالي حاليه جديد جديده راحل موقت موقته مفوض مفوضه مكلف مكلفه منتدب منتدبه منتخب
    منتخبه معني معنيه مختص مختصه خاص خاصه دايم دايمه مقيم مقيمه وفاق وحده استقرار انتقالي انتقاليه سياده عسكري
    عسكريه مشتركه مشترك مختلطه مركزي مركزيه برلمان شيوخ شوري امه تاسيسي ملكي ملكيه هاشميه عربيه اتحادي اتحاديه
    فيدرالي فيدراليه شرعيه افريقي افريقيه امانه بلدي بلديه جمارك حدود سواحل شرطه استراتيجي استراتيجيه تنفيذي تنفيذيه
    رسمي رسميه سلم سلام دعم بعثه امني امنيه منظمه جامعه مفوضيه اتحاد تشريعيه قضاء قضاييه دستوريه محكمه ديوان قصر حرس
    ثوري معارضه ايتلاف حزب حركه جماعه عموم سفاره وزاره ملف عهد دول
    """
)
"""What an office may end with, when it has its article."""
_ADVERBS: Final = word_set("سابقا حاليا بالوكاله بالنيابه بالانابه بالتكليف")
_PREPOSITIONS: Final = word_set("في لدي الي عن من")  # not «على»: folded, it is a first name

_LATIN_HEADS: Final = word_set(
    """
    president presidente minister premier chancellor king queen prince princess secretary ambassador envoy chairman
    chairwoman chair chief head speaker spokesman spokeswoman spokesperson director commander governor mayor senator
    advisor adviser representative coordinator commissioner emir sultan ministre roi reine chef ambassadeur
    ambassadrice secretaire directeur directrice commandant gouverneur maire depute chancelier parole
    """
)
_LATIN_GOVERNED: Final = word_set(
    """
    prime foreign defence defense interior finance justice trade deputy vice former acting national security state
    affairs under assistant special crown permanent republic staff army government council parliament senate house
    representatives oil energy health opposition supreme high international etrangeres interieur affaires etat
    adjoint delegue republique gouvernement conseil assemblee nationale armee porte
    """
)
_LATIN_LINKS: Final = word_set("of for the and to in at de des du la le les l d et a au aux en")
_LATIN_PARTICLES: Final = word_set("bin ben ibn al el de der den von van du la le abu abd")

_MOST_WORDS: Final = 6
"""In a person's name; more is a clause."""
_FEWEST_WORDS: Final = 2
"""Before an office without a mark between: of one it is not known that it is a name."""
_MOST_LATIN_WORDS: Final = 2
"""In capitals behind an office, particles aside: of three the first may still belong to the office."""
_NOT_IN_NAMES: Final = _PREPOSITIONS | word_set("مع خلال حول بين ان الذي التي يوم اليوم بعد قبل")
_AFFAIRS: Final = "شوون"
"""«وزير الشؤون الخارجية» is «وزير الخارجية»."""
_SERVANT: Final = "عبد"
"""«عبد الملك» is a name, and no king."""
_SHORTEST_NAME: Final = 4
"""Letters of a name by itself, where only the article tells that it is one."""

_COMMA: Final = re.compile(r"\s*[،,؛;:]\s*|\s+[-–—]\s+")
_QUOTED: Final = re.compile(r"(?P<office>.+?)\s*[\"“”„«‹(](?P<name>[^\"“”„«»‹›()]+)[\"“”»›)]?")
_WRAPPING: Final = " \t\n\"'“”„«»‹›()[]،,؛;:-–—"

Reading = Literal["head", "standing", "governed", "construct", "link", ""]


@dataclass(frozen=True, slots=True)
class Office:
    """An office without articles, particles and its country's name: «وزير خارجية روسيا» is (وزير, خارجيه) of RU."""

    words: tuple[str, ...]
    country: str | None


def strip_titles(name: str) -> str:
    """A person's name without forms of address, ranks and «الرئيس» before it, and without quote marks about it.

    A phrase that is an office as a whole («الرئيس الصيني», «وزير الدفاع») stays as it is.
    """
    row = row_of(name.strip(_WRAPPING))
    first = row.titles()
    return row.text[row.words[first].start :] if first else row.text


def split_office(name: str, *, article: str | None = None) -> tuple[str | None, str]:
    """Split «وزير الخارجية الفرنسي جان إيف لودريان» into the office and the person's name.

    Args:
        name: what a model gave as a name.
        article: decides in doubt: what it also has by itself, after a mark, is a name.

    Returns:
        The office as written, and the name without titles; where there is no office, or no sure border, None and the
        name as given without titles.
    """
    row = row_of(name.strip(_WRAPPING))
    found = _split_at_mark(row.text) or row.split_in_front() or row.split_behind()
    if found is None and article and row.is_office:
        found = row.split_by(article)
    office, person = found or (None, row.text)
    return office, strip_titles(person)


def is_office(phrase: str) -> bool:
    """Whether a phrase begins with an office: «وزير الخارجية», "Israeli Prime Minister"."""
    return row_of(phrase.strip(_WRAPPING)).is_office


@lru_cache(maxsize=1024)
def offices_in(role: str) -> tuple[Office, ...]:
    """The offices in a role, one after another: «نائب رئيس مجلس الوزراء وزير الدولة» are two."""
    row = row_of(role)
    starts = [0, *(at for at in range(1, len(row.words)) if row.begins_another(at))]
    pieces = zip(starts, [*starts[1:], len(row.words)], strict=True)
    return tuple(Office(row.told(*piece), country_of(row.piece(*piece)) or country_of(role)) for piece in pieces)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far an office goes: the word behind it; whether it may end there, and does with a country."""

    stop: int
    heads: int
    complete: bool
    by_country: bool


@dataclass(frozen=True)
class OfficePhrase:
    """The words of a phrase, and where in it a country stands: first word → word behind."""

    text: str
    words: tuple[Word, ...]
    countries: Mapping[int, int]
    named: frozenset[int]
    """words of a country's name or adjective"""

    @property
    def is_office(self) -> bool:
        """Whether it begins with an office."""
        return self.reach(self.address()).heads > 0

    def piece(self, first: int, stop: int) -> str:
        """The text of some words, with the marks between them."""
        return self.text[self.words[first].start : self.words[stop - 1].end]

    def reading(self, at: int) -> Reading:
        """What a word is in an office; "" where it is unknown or a name."""
        if at > 0 and self.words[at - 1].key == _SERVANT:
            return ""
        if at > 0 and self.is_rank(at):
            return "governed"
        for form in _forms(self.words[at].key):
            if (reading := read_word(form)) and (form not in _NAMES_TOO or self.is_known(at + 1)):
                return reading
        return ""

    def is_known(self, at: int) -> bool:
        """Whether a word belongs to offices."""
        return at < len(self.words) and (at in self.countries or self.reading(at) != "")

    def reach(self, start: int) -> _Reach:
        """Read an office word by word, as long as the words are known."""
        at, heads, last = start, 0, ""
        while at < len(self.words) and self.is_known(at):
            last = "country" if at in self.countries else self.reading(at)
            heads += self.reading(at) in {"head", "standing"}  # also in a body's name: «المرشد الأعلى»
            at = self.countries.get(at, at + 1)
        return _Reach(at, heads, last in {"country", "standing", "governed"}, last == "country")

    def address(self) -> int:
        """How many forms of address come first: «معالي السيد»."""
        at = 0
        while at < len(self.words) - 1 and self.is_honorific(at):
            at += 1
        return at

    def is_honorific(self, at: int) -> bool:
        """Whether a word is a form of address where it stands."""
        word = self.words[at]
        if word.key == _STATE:
            return self.reading(at + 1) in {"head", "standing"}
        if word.key in _INITIALS:
            return self.text[word.end : word.end + 1] in {".", "/"}
        return word.key in _HONORIFICS

    def titles(self) -> int:
        """How many words before a person's name are forms of address, ranks, or a title such as «الرئيس»."""
        at = 0
        while at < len(self.words) - 1 and (self.is_honorific(at) or self.is_rank(at) or self.is_title(at)):
            if self.countries.get(at + 1) == len(self.words):
                break  # «الرئيس الصيني»
            at += 1
        return at

    def is_rank(self, at: int) -> bool:
        """Whether a word is a military rank, or goes on with one: «الفريق أول ركن»."""
        key = self.words[at].key
        return key in _RANKS or (at > 0 and key in _RANK_TAILS and self.is_rank(at - 1))

    def is_title(self, at: int) -> bool:
        """Whether an office that needs no further word stands before a name: «الرئيس محمد المنفي»."""
        if self.words[at].key not in _STANDING or self.is_known(at + 1):
            return False
        return at + 2 == len(self.words) or not self.words[at + 1].key.startswith("ال")

    def split_in_front(self) -> tuple[str, str] | None:
        """An office, then a name, and perhaps a further office, which is the fuller one after a mere title."""
        start = self.address()
        reach = self.reach(start)
        behind = self.next_office(reach.stop + 1)
        alone = all(at == start or self.is_rank(at) for at in range(start, reach.stop))
        if reach.heads == 0 or not self.is_name(reach, behind, alone=alone):
            return None
        fuller = reach.stop == start + 1 and behind < len(self.words)
        office = self.piece(behind, len(self.words)) if fuller else self.piece(start, reach.stop)
        return office, self.piece(reach.stop, behind)

    def split_behind(self) -> tuple[str, str] | None:
        """A name, then an office: «محمد أبوبكر مساعد وزير الخارجية»."""
        behind = self.next_office(_FEWEST_WORDS)
        if self.is_office or behind > min(len(self.words) - 1, _MOST_WORDS) or not read_word(self.words[behind].key):
            return None
        name = self.words[:behind]
        if self.is_known(0) or any(word.key in _NOT_IN_NAMES for word in name):
            return None
        return self.piece(behind, len(self.words)), self.piece(0, behind)

    def next_office(self, start: int) -> int:
        """The next word that begins an office, from a word on; behind the last where there is none."""
        heads = (at for at in range(start, len(self.words) - 1) if self.reading(at) in {"head", "standing"})
        return next((at for at in heads if self.is_known(at + 1)), len(self.words))

    def is_name(self, reach: _Reach, behind: int, *, alone: bool) -> bool:
        """Whether the words behind an office are surely a person's name."""
        name = self.words[reach.stop : behind]
        if not reach.complete or not 0 < len(name) <= _MOST_WORDS or any(word.key in _NOT_IN_NAMES for word in name):
            return False
        if name[0].key.isascii():
            return self.is_latin_name(name)
        if name[0].key.startswith("ال") and name[0].key not in _HONORIFICS | _RANKS:
            # More than one may begin with an adjective: «الرئيس التونسي المخلوع». A rank has none.
            return alone and (len(name) == 1 or self.is_rank(reach.stop - 1))
        return len(name) > 1 or alone or reach.by_country

    def is_latin_name(self, name: Sequence[Word]) -> bool:
        """Whether words are written as a name, and are few enough to be nothing else."""
        if not all(word.raw[0].isupper() or word.key in _LATIN_PARTICLES for word in name):
            return False
        small = _LATIN_PARTICLES | _HONORIFICS
        weighty = [word for word in name if word.key not in small and self.text[word.start - 1] != "-"]
        return len(weighty) <= _MOST_LATIN_WORDS

    def split_by(self, article: str) -> tuple[str, str] | None:
        """An office and the longest end of the phrase that the article has after a mark."""
        folded = _folded(article)
        for first in range(1, len(self.words)):
            name = self.piece(first, len(self.words))
            opened = rf"[\",.:;(-]\s*{re.escape(fold(name))}(?!\w)"
            if not self.is_known(first) and len(name) >= _SHORTEST_NAME and re.search(opened, folded):
                return self.piece(0, first), name
        return None

    def begins_another(self, at: int) -> bool:
        """Whether a further office begins: a head after something definite, or joined by «و»."""
        if self.reading(at) not in {"head", "standing"}:
            return False
        joined = not read_word(self.words[at].key)
        definite = self.words[at - 1].key.startswith("ال") or at in self.countries.values()
        return joined or (definite and read_word(self.words[at].key) == "head")

    def told(self, first: int, stop: int) -> tuple[str, ...]:
        """The words that tell an office from another: no country's name, prepositions, particles and articles."""
        keys = (self.words[at].key for at in range(first, stop) if at not in self.named)
        plain = (_plain(key) for key in keys if key not in _PREPOSITIONS | _LATIN_LINKS)
        return tuple(word for word in plain if word != _AFFAIRS)


@lru_cache(maxsize=1024)
def row_of(text: str) -> OfficePhrase:
    """A phrase, taken apart."""
    words = words_of(text)
    countries, named = {}, set[int]()
    for mention in country_mentions(text):
        first = next(at for at, word in enumerate(words) if word.end > mention.start)
        countries[first] = next(at for at, word in enumerate(words, 1) if word.end >= mention.end)
        named.update(range(first, countries[first]) if mention.kind is CountryForm.NAME else ())
    return OfficePhrase(text, words, countries, frozenset(named))


@lru_cache(maxsize=8)
def _folded(article: str) -> str:
    return fold(article)


def _split_at_mark(text: str) -> tuple[str, str] | None:
    """An office and a name with a comma or quote marks between them, in either order."""
    quoted = _QUOTED.fullmatch(text)
    first, *others = (quoted["office"], quoted["name"]) if quoted else _COMMA.split(text)
    if len(others) != 1:
        return None
    for office, name in ((first, others[0]), (others[0], first)):
        if is_office(office) and _may_be_name(name):
            return office.strip(_WRAPPING), name
    return None


def _may_be_name(text: str) -> bool:
    row = row_of(strip_titles(text))
    return 0 < len(row.words) <= _MOST_WORDS and not row.is_known(0)


def _forms(key: str) -> Iterator[str]:
    """A word as it stands, and without conjunction, then without preposition."""
    yield key
    bases = [key, key[1:]] if key[:1] in {"و", "ف"} else [key]
    yield from bases[1:]
    for base in bases:
        if base.startswith("لل"):
            yield f"ا{base[1:]}"
        if base[:1] in {"ب", "ل", "ك"}:
            yield base[1:]


def read_word(form: str) -> Reading:
    """What a folded word is in an office; empty where it is none."""
    if form in _GOVERNING or form in _LATIN_HEADS:
        return "head" if form in _GOVERNING else "standing"
    if form in _STANDING or form in _RANKS:
        return "standing"
    if form.removeprefix("ال") in _GOVERNED and form.startswith("ال"):
        return "governed"
    if form in _ADVERBS or form in _LATIN_GOVERNED:
        return "governed"
    if form in _CONSTRUCT:
        return "construct"
    return "link" if form in _PREPOSITIONS or form in _LATIN_LINKS else ""


def _plain(key: str) -> str:
    """A word of an office without particles and article."""
    known = next((form for form in _forms(key) if read_word(form)), key)
    return known.removeprefix("ال")
