"""Actors: who is mentioned in an article, where, and under which name, office and body.

Names have no mark in Arabic, so they are found by what stands about them: an office before or behind, a title, a quote
mark, a word of meeting or saying; and once a full name is known, its last word is found wherever it stands. What the
rules cannot see is left out: a word too much taken for a name would be offered as a party.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final, Literal

from extractor.documents.folding import fold
from extractor.offline.cues import Line, lines_of
from extractor.resolving.countries import Kind, country_of, listed, words_of
from extractor.resolving.names import GIVEN as FIRST_NAMES
from extractor.resolving.names import canonical
from extractor.resolving.offices import read_word, strip_titles
from schemas.enums import ActorType
from schemas.records import Actor

MentionKind = Literal["person", "role", "body", "delegation", "country", "people", "pair", "short"]
"""pair: «الجانبان»; short: an office or body told by its head alone, «الوزير», «الحركة»."""

_MOST_NAME_WORDS: Final = 5
_WIDEST_GAP: Final = 8
"""Unknown words between the known part of an office and the comma before the name."""
_FEWEST_FREE: Final = 2
"""Words of a name that no office announces."""

# Folded. Words of news that are no part of a name, beside those that `cues` and `offices` know.
_COMMON: Final = listed(
    """
    مما عما بما لما الا
    بان وبان لان فان ان انه انها انهم الذي التي الذين اللذين مع في من الي علي عن بعد قبل خلال حول بين لدي عند ثم
    او بل لكن لا لم لن ما هو هي هم هذا هذه ذلك تلك كل كافه جميع عدد عده بعض غير اي احد اكثر اول كما ايضا كذلك
    حيث وذلك ضمن عبر نحو ضد تحت فوق منذ حتي كان كانت يكون تكون ليس قد سوف اليوم امس غدا صباح مساء ظهر يوم
    الاسبوع الشهر العام سنه عام شهر اسبوع الجاري الماضي المقبل القادم نفسه نفسها ذاته الاحد الاثنين الثلاثاء
    الاربعاء الخميس الجمعه السبت يناير فبراير مارس ابريل مايو تاكيد الجانب بتاكيد يونيو يوليو اغسطس سبتمبر
    اكتوبر نوفمبر ديسمبر جانفي فيفري افريل ماي جوان جويليه اوت كانون شباط اذار نيسان ايار حزيران تموز اب ايلول
    تشرين شوال علاقات العلاقات التعاون تعاون دور موقف موقفه جهود زياره الزياره لقاء اللقاء اجتماع الاجتماع
    محادثات مباحثات اتصال هاتفي هاتفيا سبل ملف ملفات قضيه قضايا الوضع الاوضاع تطورات الازمه الحرب السلام الامن
    الاستقرار الشعب شعب البلدين البلاد المنطقه الدول الدوله دول عاصمه العاصمه مدينه اتفاق الاتفاق مشروع قرار
    القرار بيان البيان تصريح تصريحات مبادره مذكره توقيع عقب اثر اثناء وفق وفقا بحسب حسب بحضور حضور رفقه برفقه
    مرفوقا اهميه ضروره دعم بشان بخصوص تجاه ازاء اطار هامش مقر بمقر قصر بقصر فندق تعزيز تطوير استمرار حاليا سابقا
    مضيفا موضحا مشيرا موكدا مشددا داعيا مطالبا قايلا قايله قايل مثمنا مشيده متابعا لافتا معربا محذرا معلنا الوفد
    وفد المرافق له لها لهم به بها بهم عنه عنها فيه فيها اليه اليها منه منها لدعم لبحث الاول الثاني الثالث مشترك
    المشترك ثنايي الثنايي رسمي رسميه عمل جديد جديده كبير كبار كبيره هام هامه سياسي سياسيه امني امنيه عسكري
    عسكريه الليله نهايه بدايه مطلع منتصف وصول وصل وصلت غادر زار يزور تزور سيزور قام يقوم تاتي ياتي جاء جاءت شكر
    اشاد رحب اكد قال قالت اضاف اوضح اعلن اعلنت ذكر ذكرت افاد شدد دعا طالب التقي يلتقي سيلتقي استقبل اجتمع اجري
    اجرت عقد بحث ناقش تناول تم يتم جري تري يري ايران رحبت شارك تشارك يشارك كلمه خطاب صحفي صحافي موتمر وساطه
    بوساطه طلب دعوه شخصيات مسوولين مسوول مسوولون ديبلوماسيين دبلوماسيين خاصه خاصا لمده مرتين مجددا فقط هناك هنا
    لانها اذا اذ لما كيف مقابل باعتباره بصفته بدوره بدورها عزاء ومواساه انشغال مناسبه ذكري صلاه رساله رسالتين
    برقيه وسام حفل بدء اعلان قبول اغتيال مقتل وفاه الماضيه الحاليه الراهنه الراهن جانب طرف وجه وجهه اجل حل حلول
    مستجدات اعضاء ممثلي ممثلين مسوولي
    عمليه العمليه سوي عضويه السامي الجوار الممثل البيان الختامي الاعلان صدر صدرت المزمع المقرر وافيه
    """
)
_LATIN_COMMON: Final = listed(
    """
    the a an and of in on at to for with by from after before during as is are was were be will would he she it
    they his her their its this that these those we our i you not but or if when while who which also joined
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december le la les un une des du de et en au aux avec pour par sur dans que qui
    il elle ils ce cette son sa ses leur lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier
    mars avril mai juin juillet aout septembre octobre novembre decembre read more statement
    """
)
BODY_HEADS: Final = listed(
    """
    وزاره حكومه مجلس حركه رياسه جيش حزب منظمه جماعه هييه لجنه بعثه اتحاد جامعه برلمان سفاره قياده كتيبه تحالف
    تيار جبهه تنظيم مفوضيه وكاله مكتب ديوان اللجنه الهييه الاتحاد الجامعه المنظمه البعثه المجلس البرلمان التحالف
    الحكومه الحزب الجيش القوات قوات الوزاره الحركه الرياسه الخارجيه خارجيه الداخليه الكرملين الدفاع فصايل سلطه
    السلطه سلطات السلطات حلف الحلف دايره الدايره اداره الاداره جمعيه الجمعيه محكمه المحكمه بنك صندوق الصندوق
    موسسه الموسسه مركز كتله الكتله جهاز الجهاز القمه جمع الجمع وزراء الوزراء روساء قاده القاده المجتمعون المشاركون
    """
)
_DELEGATION_HEADS: Final = listed("وفد وفدا الوفد الجانب delegation delegations delegues")
_A_DELEGATION: Final = listed("فد وفد وفدا فدا")
"""Without the article, and without «و»: adjectives follow, «وفد برلماني مغربي»."""
_MOST_ADJECTIVES: Final = 3
_DESCRIBING: Final = listed(
    "الجديد الحالي المشترك الاعلي الموقت السابق العام الموحد الموسع المصغر المستقل الحر الشامل الاول الثاني الثالث"
)
"""Adjectives with the article that end in no «ي»."""
_PEOPLE_HEADS: Final = listed("الشعب شعب سكان اهالي")
_SHORT: Final = listed(
    """
    الوزير الوزيره الرييس الرييسه السفير المبعوث العاهل الملك المتحدث الناطق المسوول المشير النايب الوزاره
    الحكومه الحركه الرياسه الخارجيه المنظمه الجماعه المجلس الهييه الوزراء القاده المجتمعون المشاركون
    """
)
_HEAD_AND_NISBA: Final = 2
"""Words of «الوزير المصري», which names nobody's whole office."""
_CUSTODIAN: Final = "خادم"
_OFFICIALS: Final = listed("المسوول الدبلوماسي الديبلوماسي")
_TITLES: Final = listed(
    """
    السيد السيده الشيخ الامير الاميره الدكتور المهندس المستشار المشير الفريق اللواء العميد العقيد الجنرال الملك
    البابا البطريرك المفتي الامام المطران الكاردينال الانبا القس
    نظيره نظيرته نايبه نايبته الرييس السلطان العماد mr mrs ms dr general
    """
)
_HEADS_OF_STATE: Final = listed("الملك السلطان العاهل الرييس")
_REIGNING: Final = listed("الملك العاهل السلطان الامير البابا القيصر")
_WORDS_TOO: Final = listed(
    "كامل كمال سلام سلامه تركي شمس نور امال هدي كير سيف تحسين شريف عزيز عالي فضل كريم صادق حافظ مبروك"
)
"""Given names that are words as well: they begin a name only behind an office."""
GIVEN: Final = (FIRST_NAMES - _WORDS_TOO) | listed(
    """
    عبد ابو جون جو جورج جان جاك فرانسوا ايمانويل انطوني انتوني مايك مايكل ديفيد ريتشارد روبرت وليام توماس بيتر
    بول مارك ماركو دونالد باراك هيلاري كريس ستيفاني غسان انجيلا سيرغي سيرجي فلاديمير ميخايل دميتري رجب طيب هاكان
    مولود خلوصي يشار بنيامين نفتالي اسحاق يايير انطونيو يان لويجي ماريو جوزيبي بيدرو خوسيه شي وانغ مايا عايشه
    فاطمه نجلاء اسماء مريم زينب سلوي نورالدين عزالدين علاءالدين الطاهر الصديق السنوسي عبدالاله سعدالدين خميس
    الباجي المنصف رشدي عباس قيس سامح بدر ماجد ايهاب نايف بندر عبدالفتاح انور جيمي رونالد هنري كولن كوندوليزا ديك
    جيمس توني غوردون ديميتري اندريه الكسندر ايغور يوري نيكولا ميشال ميشيل برونو دومينيك لوران لوك ايلي وليد تمام
    رفيق فواد نبيه حسان عمران ابراهيم برهم هوشيار مقتدي نوري حيدر عادل مصطفي محسن جواد حسن صالح المهدي الامين
    الصادق صديق معين رامي اسماعيل يحيي محمود ماهر الحبيب الهادي كيرياكوس يوانيس الكسيس لويد جيك بريت نانسي ويندي
    جبريل جبران فرونسوا فرنسوا ينس تور جوزيب خالدة ادريس ادم ارشد اسامه اسعد اشرف اكرم الياس
    امجد انس ايمن ايهم بدرالدين برهان بشاره بكر بلال تامر تحسين توفيق ثامر جابر جعفر جلال
    جهاد حاتم حازم حامد حذيفه حسام حسين حلمي حمد حمدان حمدي حمزه حنان خالد خضر خليل
    خيري داود ذياب راشد رافع رامز رائد رجا رشاد رضوان رمزي رياض زاهر زكريا زكي زهير
    زيد ساره سامي سعد سعود سلمان سليم سليمان سمير سهيل شاكر شعيب شكيب شوقي صائب صبري
    صفوان صلاح ضياء طارق طاهر طلال طه عائض عاصم عاطف عامر عبدالرحمن عبدالعزيز عبدالله عثمان عدنان
    عزام عصام عفيف علاء عماد عمار عمر عمرو عيسي غازي فادي فارس فاروق فاضل فتحي فراس
    فرحات فهد فوزي قاسم كاظم لطيفه لؤي لينا مازن مأمون مجدي محجوب مرزوق مروان مشعل مظهر
    معاذ معاويه معتز معمر منصور منير مهدي مهند موسي موفق مؤيد ناجي ناصر نادي نايف نبيل
    نديم نزار نضال نعيم نمر هاشم هاني هدي هشام هيثم وائل وسام وسيم وضاح ياسر ياسين
    يزيد يعقوب يوسف يونس بثينه حليمه خديجه رانيا رنا ريم سميره سهام شيماء صفيه عبير غاده
    لبني ليلي نادية ناديه نجوي نوال هاله هبه وداد الخضر التيجاني المختار المنجي الهاشمي الميلودي ادوارد
    اريك البرتو اليستر اليزابيث اندرو اندرياس انيس اوليفييه اولاف برنار برناردينو تشارلز تشاك تيد جيرارد جيرمي
    جوزيف جوناثان جوش جيسون دانيال دوغلاس دومينيكو دينيس رافاييل راينر روبن رودريغو سارة ساندرا سباستيان ستيف
    ستيفن ستيفاني سكوت سيباستيان سيلفيا فابيو فرانك فرانكو فرديناند فولكر فيليب فيليبو فيكتور فيكتوريا كاثرين كارل
    كارلوس كارين كريستوف كريستين كلاوديا كليمنت كورت كيفن لارس لورنس ليام ماتيو مارتن مارغريت ماريا مانويل
    مايا ميغيل ميلاني نيد نيكوس نيكولاس هايكو هانا هنري هيربرت يانيس يوهان اوغلو بولنت بينالي داوود
    عبدالحميد مولود نعمان ابراهيم يلدرم محمدجواد جواد علي لاريجاني عباس
    ليندا كامالا بوريس تيريزا ريشي اولاف اورسولا شارل فيصل لولوه عقيله خليفه فايز
    """
)
"""Given names, folded: a name that begins with one needs no office to announce it."""
_ALEF_MAQSURA: Final = listed("علي")
"""«على» is no «علي»."""
_NAME_MONTHS: Final = listed("رجب شعبان رمضان صفر محرم")
_SHORT_DEEDS: Final = listed("شن عقد منع وقف فتح رفع دعم حل نقل قتل طرد فوز سحب حظر بحث رد نشر كسر دفع")
"""Verbal nouns that no form tells: behind «بـ», «لـ» and a whole name they are no part of it."""
_NAME_STARTS: Final = listed("عبد ابو بن ال محمد احمد")
_JOINING: Final = listed("عبد ابو بن ابن ال دي فان فون")
_ADJECTIVE: Final = re.compile(r"\w+(?:ي|يه|يين|يان|يتين|يون|ish|ian|ean|ese|ien|ienne|ais|aise|[^l]i|ians|is|iens|ch)")
"""A country's adjective or people, by its ending."""
_NAMES_ALIKE: Final = listed("مالي هايتي جيبوتي بوروندي فيجي mali haiti djibouti burundi fiji")
_OPEN: Final = re.compile(r"[\s\u00a0]*[\"“”„«‹'’‘(]?[\s\u00a0]*")
_NEAR: Final = re.compile(r"[\s\u00a0.\-’'/]{1,2}|[\s\u00a0]*")
_APPOSED: Final = re.compile(r"\.?[\s\u00a0]*[\"”»)]?[\s\u00a0]*[،,]?[\s\u00a0]*[\"“”„«‹(]?[\s\u00a0]*")
_MASDAR: Final = re.compile(r"[بل](?:است\w+|ا\w{1,2}[ا]\w{1,2}|ت\w{2}ي\w{1,3}|تولي\w*)")
"""Verbal nouns behind a preposition, by their form: no name begins so."""
_DEED: Final = re.compile(
    r"(?:ال)?(?:ت\w{2}ي\w|ا\w{2}ا\w|ا\wا\wه|است\w{3,}|ا\w{3}ا\w|مواصله|محاوله|مشاركه|مساعده|متابعه)"
    r"|(?!عرفات|فرحات|بركات|شحات)\w{3,}ات"
)
"""Verbal nouns by their form: behind a whole name the object begins."""
_FUTURE: Final = re.compile(r"س[يتن]\w{3,}")
_SAID: Final = listed("ان علي عن الي في that")
_TANWIN: Final = re.compile("[\u064b\u064d]")


@dataclass(frozen=True, slots=True)
class Mention:
    """An actor where the article mentions it: `text[start:end]`."""

    start: int
    end: int
    text: str
    kind: MentionKind
    name: str
    office: str | None = None
    organization: str | None = None
    country: str | None = None
    particle: str = ""
    """what is glued before, folded: «ب», «ول»"""

    @property
    def actor(self) -> Actor:
        """What this mention says by itself."""
        return Actor(
            name=self.name,
            type=_TYPES[self.kind],
            role=self.office,
            organization=self.organization,
            country=self.country,
        )


_TYPES: Final[Mapping[MentionKind, ActorType]] = {
    "person": "person",
    "role": "role",
    "body": "organization",
    "delegation": "delegation",
    "country": "country",
    "people": "people",
    "pair": "role",
    "short": "role",
}


@dataclass(frozen=True)
class Cast:
    """All who are mentioned in an article."""

    article: str
    mentions: tuple[Mention, ...]

    @cached_property
    def _agreed(self) -> Mapping[str, Actor]:
        told = [mention.actor for mention in self.mentions if mention.kind not in {"pair", "short"}]
        return canonical(told, article=self.article)

    def actor(self, mention: Mention) -> Actor:
        """The one a mention means, under the fullest name."""
        if mention.kind == "short":
            meant = self._meant(mention)
            return self.actor(meant) if meant else mention.actor
        if mention.kind == "role" and (named := self._named_before(mention)):
            return self.actor(named)
        if mention.kind == "delegation" and mention.country:
            return self._delegations.get(mention.country, mention.actor)
        return self._agreed.get(mention.name, mention.actor)

    @cached_property
    def _delegations(self) -> Mapping[str, Actor]:
        """Country → its delegation under the fullest name: «الوفد المصري», «الوفد الأمني المصري»."""
        told = [one for one in self.mentions if one.kind == "delegation" and one.country and "وفد" in one.name]
        fullest = sorted(told, key=lambda one: len(one.name))
        return {one.country: one.actor for one in fullest if one.country}

    def within(self, start: int, end: int) -> tuple[Mention, ...]:
        """Mentions in a piece of the article."""
        return tuple(mention for mention in self.mentions if start <= mention.start < end)

    def before(self, at: int) -> Iterator[Mention]:
        """Mentions before a place, the nearest first."""
        return (mention for mention in reversed(self.mentions) if mention.end <= at)

    def _meant(self, short: Mention) -> Mention | None:
        """Whom «الوزير» or «الحركة» means: the last before with that head."""
        head = _bare(short.name.split()[0])
        before = [mention for mention in self.before(short.start) if not self.is_seat(mention)]
        if short.country:
            return next((one for one in before if one.kind == "person" and self._of(one) == short.country), None)
        again = next((one for one in before if one.kind == "short" and _bare(one.name.split()[0]) == head), None)
        if again:
            return self._meant(again)
        for mention in before:
            told = (mention.office, None if mention.kind == "person" else mention.name)
            if mention.kind not in {"short", "pair"} and any(_bare(text.split()[0]) == head for text in told if text):
                return mention
        return None

    def _named_before(self, role: Mention) -> Mention | None:
        """Whom «الوزير المصري» means: the last named before of that office and country."""
        words = [_bare(word) for word in role.text.split()]
        if len(words) != _HEAD_AND_NISBA or not role.country:
            return None
        before = (one for one in self.before(role.start) if one.kind == "person" and self._of(one) == role.country)
        return next((one for one in before if _bare((self._role(one) or " ").split(" ")[0]) == words[0]), None)

    def _role(self, mention: Mention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).role

    def _of(self, mention: Mention) -> str | None:
        return self._agreed.get(mention.name, mention.actor).country

    def is_seat(self, mention: Mention) -> bool:
        """Whether a body is only told as the place: «بمقر وزارة الدفاع»."""
        return (
            re.search(r"(?:مقر|مبنى|قاعة|قصر)\s+$", self.article[max(0, mention.start - 12) : mention.start])
            is not None
        )


@lru_cache(maxsize=8)
def cast_of(article: str) -> Cast:
    """Find everybody who is mentioned in an article."""
    lines = lines_of(article)
    first = [mention for line in lines for mention in _Scan(line, frozenset()).mentions()]
    known = frozenset(_surnames(first)) | _speakers(lines)
    again = [mention for line in lines for mention in _Scan(line, known).mentions()]
    return Cast(article, tuple(_trimmed(sorted(again, key=lambda mention: mention.start))))


_OFTEN: Final = 2
"""Verbs of saying that have an unknown word as their subject before it counts as a surname."""


def _speakers(lines: Sequence[Line]) -> frozenset[str]:
    """Surnames of those who are never named in full, but speak: «أوضح كيري أن», «قال كيري إن»."""
    counts = Counter(name for line in lines for name in _Scan(line, frozenset()).subjects())
    return frozenset(name for name, count in counts.items() if count >= _OFTEN)


def _trimmed(mentions: Sequence[Mention]) -> Iterator[Mention]:
    """Names without a last word that the article elsewhere leaves out: «محمد علي قاطعا» beside «محمد علي»."""
    names = Counter(one.name for one in mentions if one.kind == "person")
    for mention in mentions:
        shorter, _, last = mention.name.rpartition(" ")
        plain = mention.kind == "person" and shorter in names and " " in shorter and last not in names
        if plain and not _bare(last).startswith(("بن", "عبد")) and names[mention.name] <= names[shorter]:
            cut = mention.end - len(last) if mention.text.endswith(last) else mention.end
            text = mention.text[: cut - mention.start].rstrip() if cut < mention.end else mention.text
            yield replace(mention, name=shorter, text=text, end=mention.start + len(text))
        else:
            yield mention


def _surnames(mentions: Iterable[Mention]) -> Iterator[str]:
    """The words by which a person named in full may be named again.

    «شكري رفضه» beside «سامح شكري» is nobody named in full: it begins with a surname.
    """
    named = [(mention, _keys(mention.name)) for mention in mentions if mention.kind == "person"]
    last = {words[-1] for _, words in named if len(words) > 1}
    for mention, words in named:
        again = mention.office is None and len(words) > 1 and words[0] in last
        if words and not again:
            if words[-1] not in _COMMON | _WORDS_TOO:
                yield _bare(words[-1])
            if len(words) > 1 and len(words[0]) > 3 and not words[0].startswith("عبد"):
                yield f"{words[0]} {words[1]}"


def _keys(name: str) -> list[str]:
    return [word.key for word in words_of(strip_titles(name))]


def _bare(word: str) -> str:
    return fold(word).removeprefix("ال")


class _Scan:
    """Reads one line from left to right, each word once."""

    def __init__(self, line: Line, known: frozenset[str]) -> None:
        self.line = line
        self.row = line.row
        self.words = line.row.words
        self.known = known

    def mentions(self) -> Iterator[Mention]:
        at = 0
        while at < len(self.words):
            found = next((one for read in self._readers() if (one := read(at)) is not None), None)
            if found is None:
                at += 1
            else:
                mention, at = found
                yield mention

    def subjects(self) -> Iterator[str]:
        """Unknown words that stand between a verb of saying and what is said."""
        for cue in self.line.cues("speech"):
            at = cue.stop
            if (
                at + 1 < len(self.words)
                and self.words[at + 1].key in _SAID
                and self._adjoins(at, _OPEN)
                and self._fits(at, 0)
            ):
                yield _bare(self.words[at].key)

    def _readers(self) -> tuple[Callable[[int], tuple[Mention, int] | None], ...]:
        return self._pair, self._official, self._named, self._free, self._known, self._office, self._body, self._country

    # -- the readers: each takes a word's number, and gives a mention and the word behind it ------------------------

    def _pair(self, at: int) -> tuple[Mention, int] | None:
        if not self.line.is_cue("joint", at):
            return None
        stop = at + 1
        while stop < len(self.words) and self.row.is_known(stop) and self.row.reading(stop) != "link":
            stop += 1
        return self._mention(at, stop, "pair"), stop

    def _official(self, at: int) -> tuple[Mention, int] | None:
        """«المسؤول الإسباني»: whoever was named of that country."""
        stop = self.row.countries.get(at + 1)
        if stop is None or self.words[at].key.lstrip("و") not in _OFFICIALS:
            return None
        return self._mention(at, stop, "short"), stop

    def _named(self, at: int) -> tuple[Mention, int] | None:
        """A name with an office behind: «سيرغي لافروف، وزير الخارجية الروسي»."""
        first, at = at, self._titles(at)
        if not self._opens(at):
            return None
        stop = self._name(at)
        if stop - at < _FEWEST_FREE or not self._begins_office(stop) or not self._adjoins(stop, _APPOSED):
            return None
        if at > first and self.words[first].key in _HEADS_OF_STATE and not self._is_marked(stop):
            return None  # «الملك فلان رئيس الحكومة»: the office is another's
        if (
            at == first
            and self.words[at].key not in GIVEN
            and not self._is_marked(stop)
            and self.words[at].raw[0] > "\u0600"
        ):
            return None
        end = self._office_end(stop)
        if end is None or (
            self._raw(stop).startswith("و") and not self.words[stop].key.startswith(("وزير", "وكيل", "والي", "ولي"))
        ):
            return None
        return self._person(at, stop, self.line.piece(stop, end), end, first=first), end

    def _is_marked(self, at: int) -> bool:
        """Whether a mark stands right before a word."""
        between = self.line.text[self.words[at - 1].end : self.words[at].start]
        return re.search(r"[،,\"“”«»(]", between) is not None

    def _titles(self, at: int) -> int:
        """The word behind forms of address and ranks."""
        while at < len(self.words) - 1 and self._is_title(at):
            at += 1
        return at

    def _is_title(self, at: int) -> bool:
        if self.row.is_rank(at):
            return True
        titled = any(stem in _TITLES for stem, _ in _stems(self.words[at].key))
        return titled and (not self.row.is_known(at + 1) or self.words[at + 1].raw == "علي")

    def _free(self, at: int) -> tuple[Mention, int] | None:
        """A title and a name, or a name that begins with a common given name."""
        titled = self._titles(at)
        stop = self._name(titled)
        if titled > at and self.row.is_rank(at) and self._begins_office(titled) and (end := self._office_end(titled)):
            return self._mention(at, end, "role"), end
        if (
            titled > at
            and stop > titled
            and (stop - titled > 1 or self.words[at].key not in _SHORT or self._is_surname(titled))
        ):
            return self._person(titled, stop, None, stop, first=at), stop
        particle = self._given(at)
        if particle is not None and (stop := self._name(at, given=True)) - at >= _FEWEST_FREE:
            mention = self._person(at, stop, None, stop)
            return self._cut(mention, at, particle), stop
        return None

    def _known(self, at: int) -> tuple[Mention, int] | None:
        """A person named in full elsewhere: by surname, with what stands before or behind it of the name."""
        for stem, particle in _stems(self.words[at].key):
            if _bare(stem) in self.known and not self.row.is_known(at):
                mention = self._person(at, at + 1, None, at + 1)
                return self._cut(mention, at, particle), at + 1
            if at + 1 < len(self.words) and f"{stem} {self.words[at + 1].key}" in self.known:
                stop = max(self._name(at), at + 2)
                mention = self._person(at, stop, None, stop)
                return self._cut(mention, at, particle), stop
        return None

    def _cut(self, mention: Mention, at: int, particle: str) -> Mention:
        """The mention without what is glued before its first word."""
        start = self.line.start + self.words[at].start + _raw_length(self.words[at].raw, len(particle))
        text = self.line.article[start : mention.end]
        name = text.strip(' "“”«»()')
        if particle.endswith("لل"):
            name = f"ال{name}"  # the article is in the particle
        return replace(mention, start=start, text=text, name=name, particle=particle)

    def _office(self, at: int) -> tuple[Mention, int] | None:
        """An office, with the name behind it, or alone."""
        stop = self._office_end(at) if self._begins_office(at) else None
        if stop is None:
            return None
        if name := self._name_behind(stop):
            return self._person(*name, self._trimmed(at, stop), name[1], first=at), name[1]
        if far := self._name_beyond(stop):
            return self._person(far[0], far[1], self._trimmed(at, far[2]), far[1], first=at), far[1]
        if stop > at + 1:
            return self._mention(at, stop, "role"), stop
        short = self.words[at].key.removeprefix("و") in _SHORT or self.words[at].key == "الوزير"
        return (self._mention(at, stop, "short"), stop) if short else None

    def _body(self, at: int) -> tuple[Mention, int] | None:
        """A ministry, a government, a movement, a delegation."""
        key, particle = self._head(at, BODY_HEADS | _DELEGATION_HEADS | _PEOPLE_HEADS)
        if key is None:
            return None
        stop = self._body_end(at)
        kind: MentionKind = "delegation" if key in _DELEGATION_HEADS else "people" if key in _PEOPLE_HEADS else "body"
        if stop == at + 1:
            if key not in _SHORT:
                return None
            kind = "short"
        mention = self._mention(at, stop, kind)
        return self._cut(mention, at, particle), stop

    def _country(self, at: int) -> tuple[Mention, int] | None:
        stop = self.row.countries.get(at)
        if stop is None or at not in self.row.named:
            return None
        mention = self._mention(at, stop, "country")
        country = next((one for one in self.line.countries if one.start >= self.words[at].start), None)
        if country is None or country.end > self.words[stop - 1].end:
            return None
        if country.kind is not Kind.NAME and not (country.kind is Kind.CITY and self._is_speaking(at)):
            return None
        text = self.line.text[country.start : country.end]
        if _is_adjective(fold(text)):
            return None
        start = self.line.start + country.start
        name = f"ا{text}" if text.startswith("ل") and f"ا{text}" in self.line.article else text
        return replace(mention, start=start, text=text, name=name, particle=fold(country.particles)), stop

    def _is_speaking(self, at: int) -> bool:
        """«أبدت موسكو استعدادها»: a capital behind a verb of saying or position stands for its government."""
        spoken = at > 0 and (self.line.is_cue("speech", at - 1) or self.line.is_cue("stance", at - 1))
        return spoken and self._adjoins(at, _NEAR)

    # -- what words are ----------------------------------------------------------------------------------------

    def _head(self, at: int, heads: frozenset[str]) -> tuple[str | None, str]:
        return next(((stem, particle) for stem, particle in _stems(self.words[at].key) if stem in heads), (None, ""))

    def _begins_office(self, at: int) -> bool:
        if at >= len(self.words):
            return False
        if self.words[at].raw[0].isascii():
            return self.words[at].raw[0].isupper() and self.row.reach(at).heads > 0
        if self._is_counterpart(at) or self._is_custodian(at):
            return True
        return self.row.reading(at) in {"head", "standing"}

    def _is_custodian(self, at: int) -> bool:
        """«خادم الحرمين الشريفين», as Gulf papers call the king."""
        keys = [word.key for word in self.words[at : at + 3]]
        return keys[1:] == ["الحرمين", "الشريفين"] and keys[0].endswith(_CUSTODIAN)

    def _is_counterpart(self, at: int) -> bool:
        """«نظيره الروسي»."""
        counterpart = any(stem.startswith("نظير") for stem, _ in _stems(self.words[at].key))
        return counterpart and at + 1 in self.row.countries

    def _office_end(self, at: int) -> int | None:
        """The word behind an office; marks other than those in a name end it."""
        if self._is_counterpart(at):
            return self.row.countries[at + 1]
        if self._is_custodian(at):
            return at + 3
        stop = self.row.reach(at).stop
        for word in range(at + 1, stop):
            if not self._adjoins(word, _NEAR) or (word > at + 1 and self._starts_other(word)):
                stop = word
                break
        while stop > at and self.row.reading(stop - 1) == "link":
            stop -= 1
        stop = self._with_body(at, self._with_proper(at, stop))
        return stop if stop > at else None

    def _with_body(self, at: int, stop: int) -> int:
        """«رئيس الجمعية الوطنية», «الأمين العام لحلف الناتو», «أمين سر اللجنة»: the body that an office is of."""
        bodies = (self._body_end(one) for one in range(at + 1, stop) if self._head(one, BODY_HEADS)[0])
        stop = max([stop, *bodies])
        if at < stop < len(self.words) and self.words[stop].key == "سر":
            stop += 1
        if not at < stop < len(self.words) or not self._adjoins(stop, _OPEN):
            return stop
        key, particle = self._head(stop, BODY_HEADS)
        open_ended = self.row.reading(stop - 1) in {"head", "construct"} or self.words[stop - 1].key == "سر"
        governs = key is not None and (particle in {"ل", "لل", "ب"} or (not particle and open_ended))
        return self._with_place(self._body_end(stop)) if governs else stop

    def _with_place(self, stop: int) -> int:
        """«الجمعية الوطنية للسنغال»: a last word with «لل», before a comma."""
        placed = stop < len(self.words) and self.words[stop].key.startswith("لل") and self._adjoins(stop, _OPEN)
        return stop + 1 if placed and self._is_enclosed(stop + 1) else stop

    def _starts_other(self, at: int) -> bool:
        """Whether «و» begins another's office."""
        key = self.words[at].key
        return (
            key.startswith("و")
            and self.row.reading(at) in {"head", "standing"}
            and not key.startswith(("وزير", "وكيل", "والي", "ولي", "وزرا", "وزار"))
        )

    def _with_proper(self, at: int, stop: int) -> int:
        """«رئيس حركة النهضة»: where an office is not complete, the definite word behind it belongs to it."""
        last = self.row.reading(stop - 1) if stop > at else ""
        while (
            last == "construct"
            and stop < len(self.words)
            and self.words[stop].key.startswith("ال")
            and self._adjoins(stop, _OPEN)
        ):
            stop += 1
            last = ""
        return stop

    def _trimmed(self, at: int, stop: int) -> str:
        start = self.words[at].start + _raw_length(self.words[at].raw, self._glued(at))
        return self.line.text[start : self.words[stop - 1].end]

    def _glued(self, at: int) -> int:
        """How many letters before an office are particles."""
        key = self.words[at].key
        if read_word(key):
            return 0
        if key in _TITLES:
            return 0
        if self._is_custodian(at):
            return len(key) - len(_CUSTODIAN)
        stems = _stems(key)
        return next((len(particle) for stem, particle in stems if read_word(stem) or stem in _TITLES), 0)

    def _name_behind(self, stop: int) -> tuple[int, int] | None:
        """A name after an office: right behind, in quote marks, or after a comma."""
        first = stop
        while first < len(self.words) and self.words[first].key in _TITLES and self._adjoins(first, _APPOSED):
            first += 1
        if first >= len(self.words) or not self._adjoins(first, _APPOSED) or self._is_object(first):
            return None
        end = self._name(first)
        between = self.line.text[self.words[first - 1].end : self.words[first].start]
        marked = any(mark in between for mark in "،,")
        least = 2 if marked else 1
        if end - first < least or (marked and self._raw(first).startswith("و") and self._stripped_known(first)):
            return None
        if not self._complete(stop) or (end - first == 1 and self._is_plain(first, stop)):
            return None
        return first, end

    def _is_object(self, at: int) -> bool:
        """«استقبال الوزير لباشاغا»: a known surname behind a preposition is another person."""
        return any(particle and _bare(stem) in self.known for stem, particle in _stems(self.words[at].key))

    def _name_beyond(self, stop: int) -> tuple[int, int, int] | None:
        """A common given name after a comma, where the words of the office between are not known."""
        for at in range(stop + 1, min(stop + _WIDEST_GAP, len(self.words))):
            between = self.line.text[self.words[at - 1].end : self.words[at].start]
            if self.line.is_any_cue(at - 1) or re.search(r"[^\s،,\"“”]", between):
                return None
            if "،" in between or "," in between:
                end = self._name(at)
                apposed = self.words[at].key in GIVEN or self._is_enclosed(end)
                return (at, end, at) if apposed and end - at >= _FEWEST_FREE else None
        return None

    def _is_enclosed(self, end: int) -> bool:
        """Whether a comma closes what one opened: «منسق … في الشرق الأوسط، فلان الفلاني، عن قلقه»."""
        return end < len(self.words) and self.line.text[self.words[end - 1].end : self.words[end].start].strip() == "،"

    def _complete(self, stop: int) -> bool:
        """Whether an office may end before a word: not «رئيس»."""
        by_country = stop in self.row.countries.values()
        return by_country or self.row.reading(stop - 1) in {"standing", "governed", ""} or self.line.is_quoted(stop)

    def _is_plain(self, at: int, stop: int) -> bool:
        """Whether one word behind an office is rather an ordinary word than a surname."""
        word = self.words[at]
        if self._is_surname(at) or self.line.is_quoted(at):
            return False
        if word.key.startswith("ال") and self.row.reading(stop - 1) != "standing":
            return True
        return word.raw[0].islower() or (
            not word.raw[0].isascii() and not word.key.startswith("ال") and not self._closes(at)
        )

    def _closes(self, at: int) -> bool:
        """Whether a mark or a common word follows, as after a name."""
        behind = self.line.text[self.words[at].end : self.words[at].end + 2]
        return bool(re.match(r"\s?[\"“”»،,.)(-]", behind)) or at + 1 >= len(self.words) or not self._fits(at + 1, 1)

    def _is_surname(self, at: int) -> bool:
        return _bare(self.words[at].key) in self.known

    def _name(self, at: int, *, given: bool = False) -> int:
        """The word behind a name that begins at a word; the word itself where none does."""
        stop = at + given
        while (
            stop < len(self.words)
            and stop - at < _MOST_NAME_WORDS + self._joined(at, stop)
            and self._fits(stop, stop - at)
        ):
            if stop > at and not self._adjoins(stop, _NEAR):
                break
            stop += 1
        if stop > at and self.words[stop - 1].key in _JOINING:
            stop -= 1
        return stop

    def _joined(self, at: int, stop: int) -> int:
        return sum(self.words[index].key in _JOINING for index in range(at, stop))

    def _fits(self, at: int, so_far: int) -> bool:
        """Whether a word may be part of a name, behind so many of its words."""
        word = self.words[at]
        if word.raw[0] < "\u0600":
            return self._fits_latin(at)
        if word.key in _ALEF_MAQSURA and word.raw.endswith("ي") and (so_far > 0 or self._after_office(at)):
            return True
        again = self._is_behind_surname(at, so_far)
        if self._is_ordinal(at, so_far) or (not again and self._is_surname_behind(at, so_far)):
            return True
        if self._is_office_word(at, so_far) or (word.key in _NAME_MONTHS and not self.line.is_counted(at)):
            return word.key in _NAME_MONTHS and not self._is_office_word(at, so_far)
        if again or self._is_ordinary(at, so_far) or self._is_definite(at, so_far):
            return False
        return so_far == 0 or not self._stripped_known(at) or self._goes_on(at, so_far)

    def _is_ordinal(self, at: int, so_far: int) -> bool:
        """«الملك عبد الله الثاني»."""
        reigns = at > so_far > 0 and self.words[at - so_far - 1].key in _REIGNING
        return reigns and self.words[at].key in {"الاول", "الثاني"}

    def _is_behind_surname(self, at: int, so_far: int) -> bool:
        """«رفض شكري التدخل»: who is named by surname alone has no further name."""
        definite = so_far == 1 and self.words[at].key.startswith("ال")
        return definite and self._is_surname(at - 1) and not self._is_surname(at)

    def _is_surname_behind(self, at: int, so_far: int) -> bool:
        """«ناصر العلمي»: behind one given name a definite word is the surname, unless it is a country's adjective."""
        if so_far != 1 or not self.words[at].key.startswith("ال") or self.words[at - 1].key not in GIVEN:
            return False
        foreign = any(first <= at < stop for first, stop in self.row.countries.items())
        return not foreign and self.words[at].key not in _COMMON and not self.line.is_any_cue(at)

    def _fits_latin(self, at: int) -> bool:
        word = self.words[at]
        capital = word.raw[0].isupper() or word.key in {"al", "el", "bin", "ben", "de"}
        known = word.key in _LATIN_COMMON or self.row.is_known(at) or self.line.is_any_cue(at)
        return capital and not known

    def _is_office_word(self, at: int, so_far: int) -> bool:
        word = self.words[at]
        known = self.row.is_known(at) and word.key not in _NAME_STARTS and not self._in_name(at, so_far)
        return known or (so_far == 0 and read_word(word.key) == "head" and word.key not in GIVEN)

    def _is_ordinary(self, at: int, so_far: int) -> bool:
        """Whether a word is one of the language rather than a name, by its form or by the lists."""
        word = self.words[at]
        body = so_far == 0 and any(stem in BODY_HEADS for stem, particle in _stems(word.key) if particle)
        masdar = so_far == 0 and _MASDAR.fullmatch(word.key) is not None
        masdar = masdar or (so_far > 1 and word.key not in GIVEN and _DEED.fullmatch(word.key) is not None)
        adverb = so_far > 1 and word.key.endswith("ا") and len(word.key) > 4 and not self._is_surname(at)
        cue = self.line.is_any_cue(at) and not self._ends_name(at, so_far)
        future = so_far != 1 and _FUTURE.fullmatch(word.key) is not None and word.key not in GIVEN
        preposed = so_far > 1 and word.key[0] in "بل" and self._is_preposed(word.key)
        listed_word = len(word.key) < 2 or self._is_common(at) or self.line.is_dated(at)
        return (
            body or masdar or adverb or cue or future or preposed or listed_word or _TANWIN.search(word.raw) is not None
        )

    @staticmethod
    def _is_preposed(key: str) -> bool:
        return key.endswith(("ه", "ها", "هم")) or key[1:] in _SHORT_DEEDS

    def _is_definite(self, at: int, so_far: int) -> bool:
        """Whether an article or preposition tells that no name begins here: «للـ», «بالـ», or «الـ» at the start."""
        word = self.words[at]
        if word.key.startswith(("لل", "بال", "وال", "كال", "فال")):
            return True
        named = self._is_surname(at) or self._after_office(at) or word.key in GIVEN
        return so_far == 0 and word.key.startswith("ال") and not named

    def _in_name(self, at: int, so_far: int) -> bool:
        """«أمير عبد اللهيان», «شيخ» are offices that may be names; behind a first name they are."""
        return so_far > 0 and self.row.reading(at) == "link" and self.words[at].key == "علي"

    def _is_common(self, at: int) -> bool:
        stems = (stem for stem, particle in _stems(self.words[at].key) if particle in _COMMON_PARTICLES)
        return self.words[at].key in _COMMON or any(stem in _COMMON for stem in stems)

    def _ends_name(self, at: int, so_far: int) -> bool:
        """«سامح شكري»: a word that looks like a cue, behind a given name that is nobody's surname."""
        verb_like = any(self.line.is_cue(table, at) for table in ("speech", "stance", "stance_noun"))
        begun = so_far == 1 and self.words[at - 1].key in GIVEN
        return begun and verb_like and (not self._is_surname(at - 1) or self._is_surname(at))

    def _after_office(self, at: int) -> bool:
        return at > 0 and self.row.is_known(at - 1) and self._adjoins(at, _OPEN)

    def _stripped_known(self, at: int) -> bool:
        """Whether a word after a name begins with «و», «ب», «ل» and something that is no name."""
        key = self.words[at].key
        if key[:1] not in {"و", "ب", "ل", "ف"} or len(key) < 4:
            return False
        if key[0] == "و":
            return True
        rest = key[1:]
        return _bare(rest) in self.known or rest in _COMMON or rest.startswith("ال") or bool(country_of(rest))

    def _goes_on(self, at: int, so_far: int) -> bool:
        """«ستيف ويتكوف»: after one word that is no surname, «و» is a letter of the next."""
        key = self.words[at].key
        if key[0] == "و":
            before = self.words[at - 1].key
            return (
                so_far == 1
                and not before.startswith("ال")
                and _bare(before) not in self.known
                and _bare(key[1:]) not in self.known
                and key[1:] not in _COMMON
                and not self.row.is_known(at)
            )
        return False

    def _opens(self, at: int) -> bool:
        return at < len(self.words) and (
            at == 0
            or self.words[at].key[:1] != "و"
            or not self._stripped_known(at)
            or self.words[at].key.startswith(("ولي", "وسي", "وا", "وي"))
        )

    def _given(self, at: int) -> str | None:
        """What is glued before a common given name; None where a word is none."""
        if self.words[at].raw.endswith("ى") and self.words[at].key in _ALEF_MAQSURA:
            return None
        if self.words[at].key in _COMMON:
            return None
        stems = _stems(self.words[at].key)
        return next((particle for stem, particle in stems if stem in GIVEN or stem.startswith("عبدال")), None)

    def _body_end(self, at: int) -> int:
        """Words of a body's name: known ones, definite ones, one in quote marks."""
        stop = at + 1
        while stop < len(self.words) and stop - at < 7 and self._adjoins(stop, _OPEN) and self._belongs(stop, at):
            stop += 1
        while stop > at + 1 and (self.row.reading(stop - 1) == "link" or self.words[stop - 1].key.startswith("بقياد")):
            stop -= 1
        return stop

    def _belongs(self, at: int, head: int) -> bool:
        """Whether a word goes on with a body's name."""
        word, reading = self.words[at], self.row.reading(at)
        if self._begins_anew(at, head):
            return False
        if self.words[head].key.lstrip("وبل") in _A_DELEGATION:
            return at - head <= _MOST_ADJECTIVES and re.fullmatch(r"\w{3,}يا?", word.key) is not None
        if word.key in _COMMON:
            named = reading == "governed" or (at == head + 1 and not self.line.is_any_cue(at))
            return named and word.key.startswith("ال")
        inside = any(first <= at < stop for first, stop in self.row.countries.items())
        if inside or reading in {"governed", "construct"} or (self.line.is_quoted(at) and at == head + 1):
            return True
        definite = word.key.startswith("ال") and not self.line.is_any_cue(at) and self._adjoins(at, _NEAR)
        before = self.words[at - 1].key
        linked = at == head + 1 or before.startswith("ال") or before in BODY_HEADS
        return reading == "" and definite and linked

    def _begins_anew(self, at: int, head: int) -> bool:
        """Whether another actor or a date begins: «وزراء خارجية الدول العربية المملكة المتحدة»."""
        key = self.words[at].key
        other = at > head + 1 and (key in BODY_HEADS or self.row.is_rank(at) or key in _SHORT)
        country = self._is_described(at - 1, head) and self._is_country_name(at)
        object_of = country or (self.words[at - 1].key.startswith("ال") and self._is_object_of(at, head))
        return other or object_of or self._is_other_body(at) or self.line.is_dated(at) or key == "ال"

    def _is_object_of(self, at: int, head: int) -> bool:
        """«أدان الاتحاد الأوروبي الهجوم»: a definite noun that does not describe, behind a body's definite name."""
        key = self.words[at].key
        describes = key.endswith(("ي", "يه", "ين", "يون")) or key in _DESCRIBING
        feminine = self.words[head].key.endswith("ه") and key.endswith("ه")
        return at > head + 1 and key.startswith("ال") and not describes and not feminine

    def _is_country_name(self, at: int) -> bool:
        start = self.words[at].start
        named = (one for one in self.line.countries if one.kind is Kind.NAME and one.start == start)
        return any(not _is_adjective(fold(self.line.text[one.start : one.end])) for one in named)

    def _is_described(self, at: int, head: int) -> bool:
        """Whether a body's name may end with a word: an adjective with the article."""
        key = self.words[at].key
        return key.startswith("ال") and (at == head or key.endswith(("يه", "ي", "ين")))

    def _is_other_body(self, at: int) -> bool:
        """«والمجلس», «لحكومة»: a particle, and the head of another body."""
        key = self.words[at].key
        other = any(stem in BODY_HEADS for stem, particle in _stems(key) if particle)
        return key[:1] in {"و", "ل"} and key != "وطني" and other

    # -- building ----------------------------------------------------------------------------------------------

    def _raw(self, at: int) -> str:
        return self.words[at].key if at < len(self.words) else ""

    def _adjoins(self, at: int, allowed: re.Pattern[str]) -> bool:
        between = self.line.text[self.words[at - 1].end : self.words[at].start] if at > 0 else ""
        return allowed.fullmatch(between) is not None

    def _person(self, at: int, stop: int, office: str | None, end: int, first: int | None = None) -> Mention:
        first = at if first is None else first
        name = self.line.piece(at, stop)
        mention = self._mention(first, max(end, stop), "person")
        return replace(
            mention,
            name=strip_titles(name),
            office=office,
            organization=_organization(office),
            country=self._code(office),
        )

    def _mention(self, at: int, stop: int, kind: MentionKind) -> Mention:
        skip = _raw_length(self.words[at].raw, self._glued(at)) if kind in {"role", "person"} else 0
        start, end = self.line.start + self.words[at].start + skip, self.line.start + self.words[stop - 1].end
        if kind == "body" and self.line.article[end : end + 1] in {'"', "”", "»"} and self.line.is_quoted(stop - 1):
            end += 1
        text = self.line.article[start:end]
        office = text if kind == "role" else None
        particle = self.words[at].key[: self._glued(at)] if skip else ""
        return Mention(start, end, text, kind, text, office, _organization(office), self._code(text), particle)

    def _code(self, text: str | None) -> str | None:
        return country_of(text, article=self.line.article)


_COMMON_PARTICLES: Final = listed("و ف ب ل")
_PARTICLES: Final = ("", "و", "ف", "ب", "ل", "ك", "وب", "ول", "لل", "ولل", "س")


@lru_cache(maxsize=4096)
def _stems(key: str) -> tuple[tuple[str, str], ...]:
    """A folded word without what may be glued before it, and that."""
    found = []
    for particle in _PARTICLES:
        if key.startswith(particle) and len(key) - len(particle) > 2:
            rest = key[len(particle) :]
            found.append((f"ال{rest}" if particle.endswith("لل") else rest, particle))
    return tuple(found)


def _raw_length(raw: str, letters: int) -> int:
    """How many characters of a raw word its first folded letters take."""
    length = 0
    while letters > 0 and length < len(raw):
        letters -= bool(fold(raw[length]))
        length += 1
    return length


_ORGANIZATION: Final = re.compile(
    r"(?:(?<=\bب)|(?<=\bل)|\b)"
    r"(?:حكوم[ةه]|وزار[ةه]|المجلس|مجلس|الجيش|المخابرات|جهاز|حرك[ةه]|القوات|الجيوش|إدارة|رئاس[ةه])\b(?:\s+\S+)*"
)


def _organization(office: str | None) -> str | None:
    """The body in an office: «المفوض بوزارة الداخلية في حكومة الوفاق الوطني» → حكومة الوفاق الوطني."""
    found = list(_ORGANIZATION.finditer(office or ""))
    if not found or not office:
        return None
    governments = list(re.finditer(r"(?:(?<=\s)|(?<=\sب)|^)حكومة\s.+", office))
    last = governments[-1][0] if governments else found[0][0]
    return last.strip() if len(last.split()) > 1 else None


def _is_adjective(text: str) -> bool:
    return text not in _NAMES_ALIKE and _ADJECTIVE.fullmatch(text) is not None


def unite(mentions: Sequence[Mention], cast: Cast) -> tuple[Mention, ...]:
    """Mentions of different actors, the first of each."""
    first: dict[str, Mention] = {}
    for mention in mentions:
        first.setdefault(cast.actor(mention).name, mention)
    return tuple(first.values())
