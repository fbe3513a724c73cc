"""Split an office from the name of a person, and list the offices in a phrase.

«وزير الخارجية الفرنسي جان إيف لودريان» has no mark between office and name. An office is read word by word, as long as
the words are known: heads («وزير»), the words they govern («الخارجية»), countries. It must be complete: after «رئيس
حركة» follows the name of the movement, not of a person. In doubt a phrase is not split, unless the article has the name
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

# Forms of address, and words that refer to an office named before: part of neither names nor offices.
_HONORIFICS: Final = word_set(
    """
    السيد السيده الساده معالي معاليه سعاده فخامه جلاله سمو صاحب صاحبه السمو الملكي الجلاله الفخامه المعالي السعاده
    الدكتور الدكتوره دكتور دكتوره المهندس المهندسه الاستاذ الاستاذه البروفيسور المحامي المحاميه الحاج الشيخ الشيخه
    الامير الاميره نايبه ونايبه mr mrs ms miss dr sir dame lord
    prof professor hon sheikh shaikh monsieur madame mme mlle
    """
)
_INITIALS: Final = word_set("د م ا m")
"""Honorifics only before a full stop or a slash: «د. محمد», «م/ علي»."""
_STATE: Final = "دوله"
"""An honorific before an office («دولة الرئيس»), otherwise a state."""

_RANKS: Final = word_set(
    """
    المشير الفريق اللواء العميد العقيد المقدم الرايد النقيب الملازم الجنرال الادميرال المارشال العماد general
    colonel marshal admiral lieutenant captain amiral marechal
    """
)
_RANK_TAILS: Final = word_set("اول ركن الركن المتقاعد طيار بحري مهندس حقوقي دو ديفزيون دوكوردارمي")

# Words with which an office begins, if they govern another word and if they stand alone.
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
"""Heads that are also names («أمير عبد اللهيان»): an office only before a word of office or a country."""

_CONSTRUCT: Final = word_set(
    """
    خارجيه داخليه دفاع ماليه عدل مجلس حكومه وزاره وزارات وزراء جهاز هييه لجنه شوون مكتب حركه حزب قوات جيش اركان
    مخابرات استخبارات بعثه منظمه اتحاد برلمان دوله جمهوريه مملكه ديوان بنك مصرف عام عامه اعمال باسم عهد وفد سفاره
    اداره قياده قطاع بلديه وكاله اول شركه مفوضيه رياسه امانه جامعه نقابه مكافحه تنظيم كتله مدينه نواب
    """
)
"""Words that a head governs, and that need a further word."""
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
"""Words with which an office may end, if they have the article."""
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
"""Words of a person's name; more are a clause."""
_FEWEST_WORDS: Final = 2
"""Words before an office without a mark between; a single one need not be a name."""
_MOST_LATIN_WORDS: Final = 2
"""Capitalised words after an office, without particles; the first of three may belong to the office."""
_NOT_IN_NAMES: Final = _PREPOSITIONS | word_set("مع خلال حول بين ان الذي التي يوم اليوم بعد قبل")
_AFFAIRS: Final = "شوون"
"""«وزير الشؤون الخارجية» is «وزير الخارجية»."""
_SERVANT: Final = "عبد"
"""«عبد الملك» is a name, not a king."""
_SHORTEST_NAME: Final = 4
"""Letters of a name that only the article shows to be one."""

_COMMA: Final = re.compile(r"\s*[،,؛;:]\s*|\s+[-–—]\s+")
_QUOTED: Final = re.compile(r"(?P<office>.+?)\s*[\"“”„«‹(](?P<name>[^\"“”„«»‹›()]+)[\"“”»›)]?")
_WRAPPING: Final = " \t\n\"'“”„«»‹›()[]،,؛;:-–—"

Reading = Literal["head", "standing", "governed", "construct", "link", ""]


@dataclass(frozen=True, slots=True)
class Office:
    """The identifying words of an office, folded, and its country code: «وزير خارجية روسيا» is (وزير, خارجيه) of RU."""

    words: tuple[str, ...]
    country: str | None


@lru_cache(maxsize=4096)
def strip_titles(name: str) -> str:
    """Remove forms of address, ranks and «الرئيس» before a person's name, and quote marks around it.

    A phrase that is an office as a whole («الرئيس الصيني», «وزير الدفاع») is returned unchanged.
    """
    phrase = office_phrase(name.strip(_WRAPPING))
    titles = phrase.count_titles()
    return phrase.text[phrase.words[titles].start :] if titles else phrase.text


def split_office(name: str, *, article: str | None = None) -> tuple[str | None, str]:
    """Split an office from the name of a person: «وزير الخارجية الفرنسي جان إيف لودريان».

    Args:
        name: the name that a model gave.
        article: decides in doubt: words that it also has by themselves, after a mark, are a name.

    Returns:
        The office as written, and the name without titles; None and the name without titles if there is no office, or
        no clear border.
    """
    phrase = office_phrase(name.strip(_WRAPPING))
    parts = _split(phrase.text)
    if parts is None and article and phrase.is_office:
        parts = phrase.split_by(article)
    office, person = parts or (None, phrase.text)
    return office, strip_titles(person)


@lru_cache(maxsize=4096)
def is_office(phrase: str) -> bool:
    """Whether a phrase begins with an office: «وزير الخارجية», "Israeli Prime Minister"."""
    return office_phrase(phrase.strip(_WRAPPING)).is_office


@lru_cache(maxsize=4096)
def offices_in(role: str) -> tuple[Office, ...]:
    """Return the offices in a role, in order: «نائب رئيس مجلس الوزراء وزير الدولة» are two; () if it has no words."""
    phrase = office_phrase(role)
    if not phrase.words:
        return ()
    starts = [0, *(at for at in range(1, len(phrase.words)) if phrase.begins_another(at))]
    pieces = zip(starts, [*starts[1:], len(phrase.words)], strict=True)
    return tuple(
        Office(phrase.identifying_words(*piece), country_of(phrase.piece(*piece)) or country_of(role))
        for piece in pieces
    )


@dataclass(frozen=True, slots=True)
class _Reach:
    """The end of an office: the word after it, its number of heads, whether it is complete and ends with a country."""

    stop: int
    heads: int
    complete: bool
    by_country: bool


@dataclass(frozen=True)
class OfficePhrase:
    """A phrase that may have an office, word by word.

    Attributes:
        text: the phrase as written.
        words: its words.
        countries: index of a country's first word → index after its last word.
        named: indices of the words of a country's name or adjective.
    """

    text: str
    words: tuple[Word, ...]
    countries: Mapping[int, int]
    named: frozenset[int]

    @property
    def is_office(self) -> bool:
        """Whether the phrase begins with an office, after forms of address."""
        return self.reach(self.count_honorifics()).heads > 0

    def piece(self, first: int, stop: int) -> str:
        """Return the text from one word up to another, with the marks between them."""
        return self.text[self.words[first].start : self.words[stop - 1].end]

    def reading(self, at: int) -> Reading:
        """Return what a word is in an office; "" if it is unknown or a name."""
        if at > 0 and self.words[at - 1].key == _SERVANT:
            return ""
        if at > 0 and self.is_rank(at):
            return "governed"
        for form in _forms(self.words[at].key):
            if (reading := read_word(form)) and (form not in _NAMES_TOO or self.is_known(at + 1)):
                return reading
        return ""

    def is_known(self, at: int) -> bool:
        """Whether a word is part of an office or a country."""
        return at < len(self.words) and (at in self.countries or self.reading(at) != "")

    def reach(self, start: int) -> _Reach:
        """Find the end of the office that begins at a word, which is before the first unknown word."""
        at, heads, last = start, 0, ""
        while at < len(self.words) and self.is_known(at):
            last = "country" if at in self.countries else self.reading(at)
            heads += self.reading(at) in {"head", "standing"}  # also in a body's name: «المرشد الأعلى»
            at = self.countries.get(at, at + 1)
        return _Reach(at, heads, last in {"country", "standing", "governed"}, last == "country")

    def count_honorifics(self) -> int:
        """Count the forms of address at the beginning: «معالي السيد»."""
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

    def count_titles(self) -> int:
        """Count the words before a person's name that are forms of address, ranks, or a title such as «الرئيس»."""
        at = 0
        while at < len(self.words) - 1 and (self.is_honorific(at) or self.is_rank(at) or self.is_title(at)):
            if self.countries.get(at + 1) == len(self.words):
                break  # «الرئيس الصيني»
            at += 1
        return at

    def is_rank(self, at: int) -> bool:
        """Whether a word is a military rank, or the continuation of one: «الفريق أول ركن»."""
        key = self.words[at].key
        return key in _RANKS or (at > 0 and key in _RANK_TAILS and self.is_rank(at - 1))

    def is_title(self, at: int) -> bool:
        """Whether a word is an office by itself and stands before a name: «الرئيس محمد المنفي»."""
        if self.words[at].key not in _STANDING or self.is_known(at + 1):
            return False
        return at + 2 == len(self.words) or not self.words[at + 1].key.startswith("ال")

    def split_before_name(self) -> tuple[str, str] | None:
        """Split an office before a name; after a mere title, an office behind the name is returned instead."""
        start = self.count_honorifics()
        reach = self.reach(start)
        behind = self.next_office(reach.stop + 1)
        alone = all(at == start or self.is_rank(at) for at in range(start, reach.stop))
        if reach.heads == 0 or not self.is_name(reach, behind, alone=alone):
            return None
        fuller = reach.stop == start + 1 and behind < len(self.words)
        office = self.piece(behind, len(self.words)) if fuller else self.piece(start, reach.stop)
        return office, self.piece(reach.stop, behind)

    def split_after_name(self) -> tuple[str, str] | None:
        """Split an office behind a name: «محمد أبوبكر مساعد وزير الخارجية»."""
        behind = self.next_office(_FEWEST_WORDS)
        if self.is_office or behind > min(len(self.words) - 1, _MOST_WORDS) or not read_word(self.words[behind].key):
            return None
        name = self.words[:behind]
        if self.is_known(0) or any(word.key in _NOT_IN_NAMES for word in name):
            return None
        return self.piece(behind, len(self.words)), self.piece(0, behind)

    def next_office(self, start: int) -> int:
        """Return the index of the next word that begins an office; the number of words if there is none."""
        heads = (at for at in range(start, len(self.words) - 1) if self.reading(at) in {"head", "standing"})
        return next((at for at in heads if self.is_known(at + 1)), len(self.words))

    def is_name(self, reach: _Reach, behind: int, *, alone: bool) -> bool:
        """Whether the words after an office are certainly a person's name."""
        name = self.words[reach.stop : behind]
        if not reach.complete or not 0 < len(name) <= _MOST_WORDS or any(word.key in _NOT_IN_NAMES for word in name):
            return False
        if name[0].key.isascii():
            return self.is_latin_name(name)
        if name[0].key.startswith("ال") and name[0].key not in _HONORIFICS | _RANKS:
            # Several words may begin with an adjective («الرئيس التونسي المخلوع»), but not after a rank.
            return alone and (len(name) == 1 or self.is_rank(reach.stop - 1))
        return len(name) > 1 or alone or reach.by_country

    def is_latin_name(self, name: Sequence[Word]) -> bool:
        """Whether words are capitalised as a name, and few enough not to be part of the office."""
        if not all(word.raw[0].isupper() or word.key in _LATIN_PARTICLES for word in name):
            return False
        small = _LATIN_PARTICLES | _HONORIFICS
        weighty = [word for word in name if word.key not in small and self.text[word.start - 1] != "-"]
        return len(weighty) <= _MOST_LATIN_WORDS

    def split_by(self, article: str) -> tuple[str, str] | None:
        """Split before the longest end of the phrase that the article also has after a mark."""
        folded = _folded(article)
        for first in range(1, len(self.words)):
            name = self.piece(first, len(self.words))
            opened = rf"[\",.:;(-]\s*{re.escape(fold(name))}(?!\w)"
            if not self.is_known(first) and len(name) >= _SHORTEST_NAME and re.search(opened, folded):
                return self.piece(0, first), name
        return None

    def begins_another(self, at: int) -> bool:
        """Whether a further office begins at a word: a head after a definite word, or joined by «و»."""
        if self.reading(at) not in {"head", "standing"}:
            return False
        joined = not read_word(self.words[at].key)
        definite = self.words[at - 1].key.startswith("ال") or at in self.countries.values()
        return joined or (definite and read_word(self.words[at].key) == "head")

    def identifying_words(self, first: int, stop: int) -> tuple[str, ...]:
        """Return an office's words without its country's name, prepositions, particles and articles."""
        keys = (self.words[at].key for at in range(first, stop) if at not in self.named)
        plain = (
            next((form for form in _forms(key) if read_word(form)), key).removeprefix("ال")
            for key in keys
            if key not in _PREPOSITIONS | _LATIN_LINKS
        )
        return tuple(word for word in plain if word != _AFFAIRS)


@lru_cache(maxsize=4096)
def office_phrase(text: str) -> OfficePhrase:
    """Find the words and countries of a phrase."""
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


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, str] | None:
    """Split an office and a name by the words of the phrase alone."""
    phrase = office_phrase(text)
    return _split_at_mark(text) or phrase.split_before_name() or phrase.split_after_name()


def _split_at_mark(text: str) -> tuple[str, str] | None:
    """Split an office and a name, in either order, at a comma or quote marks between them."""
    quoted = _QUOTED.fullmatch(text)
    first, *others = (quoted["office"], quoted["name"]) if quoted else _COMMA.split(text)
    if len(others) != 1:
        return None
    for office, name in ((first, others[0]), (others[0], first)):
        person = office_phrase(strip_titles(name))
        if is_office(office) and 0 < len(person.words) <= _MOST_WORDS and not person.is_known(0):
            return office.strip(_WRAPPING), name
    return None


def _forms(key: str) -> Iterator[str]:
    """Yield a word as it is, without conjunction, and without preposition."""
    yield key
    bases = [key, key[1:]] if key[:1] in {"و", "ف"} else [key]
    yield from bases[1:]
    for base in bases:
        if base.startswith("لل"):
            yield f"ا{base[1:]}"
        if base[:1] in {"ب", "ل", "ك"}:
            yield base[1:]


def read_word(form: str) -> Reading:
    """Return what a folded word is in an office; "" if it is unknown."""
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
