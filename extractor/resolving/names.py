"""Decide which names in an article are one person's, and merge them under the fullest form.

Spelling varies («عبد الله لافي», «عبدالله اللافي»), names are shortened («باشاغا»), and an office is used for its
holder («وزير الدفاع التركي»). Two names are merged unless something contradicts it: different given names, different
countries, a short form that fits two persons, an office that two persons have. The thresholds are those of the
contract's entity match, so that names merged here match there; a name left apart costs less than a wrong merger.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Final

from mahdar.documents.folding import fold, word_set
from mahdar.resolving.countries import country_of, words_of
from mahdar.resolving.offices import Office, is_office, offices_in, split_office, strip_titles
from mahdar.schemas.records import Actor

__all__ = [
    "GIVEN",
    "PARTNERS",
    "are_partners",
    "canonical",
    "is_part",
    "is_short_form",
    "is_variant",
    "person_words",
    "same_name",
    "split_office",
    "strip_titles",
    "word_ratio",
]

ALIKE: Final = 85
"""Minimum similarity of two whole names without spaces, in per cent (contract, entity match 1)."""
PARTNERS: Final = 75
"""Minimum similarity of two words that may be one word, in per cent (contract, entity match 1)."""
SHORTEST_ALIKE: Final = 4
"""Letters of a surname that may be spelt in two ways; a shorter one must be identical: «عون»."""
SHARED_ROLE: Final = 0.5
"""Share of the words of the shorter role that both must have, if one name lacks the other's first words."""

# Folded words that are joined to the next: «عبد الله» and «عبدالله» are one word, «بن زايد» is not «زايد».
_JOINING: Final = {"عبد": "عبد", "ابو": "ابو", "بن": "بن", "ابن": "بن", "ال": "ال", "بو": "بو", "ام": "ام"} | {
    word: word for word in ("bin", "ben", "ibn", "abu", "abou", "abd", "de", "von", "van", "der", "le", "la")
}
_LATIN_ARTICLES: Final = frozenset({"al", "el"})

# Common given names, folded. Similar ones are different names («حسن», «حسين»), and one alone identifies nobody.
GIVEN: Final = word_set(
    """
    محمد احمد محمود حمد حامد حميد حماد حمدي مصطفي علي عالي عمر عمرو عمار عامر حسن حسين حسني حسان محسن سالم سليم
    سلمان سليمان سلام سلامه سامي سامر سمير خالد خليل خليفه وليد سعد سعيد سعود مسعود اسعد فهد فواد فارس فايز فوزي
    ناصر نصر نصير منصور نبيل نادر جمال جميل كمال كامل كريم ابراهيم اسماعيل اسحق يوسف يونس يحيي ياسر ياسين ادريس داود
    موسي عيسي صالح صلاح صادق طارق طاهر طه ماهر مهدي هادي هاني هشام هاشم عادل عدنان عثمان عباس عماد معتز معاذ مجدي
    ماجد مالك مروان منير بشير بشار بكر باسم بلال ثامر جابر جعفر حاتم حازم رامي راشد رشيد رياض زايد زياد زيد شريف
    شكري فتحي فيصل قاسم لطفي نوري مبروك مفتاح رمضان شعبان معمر رفيق توفيق انور نوح عقيله جمعه خميس حافظ فرج شوقي فضل
    نجيب نعيم عزيز عارف غسان غازي نزار وسام يعقوب ايمن اشرف اكرم انس ايهاب حبيب رضا زكريا سيف صفوان ضياء علاء قيس
    لوي هيثم george john james robert william michael david joseph paul peter jean pierre jacques
    """
)
_SERVANT: Final = "عبد"
"""«عبداللطيف» and «عبدالله» are similar, and different names."""
_SON: Final = "بن"

_SHORTEST_SURNAME: Final = 3

_OTHER_HOLDER: Final = word_set("سابق سابقه اسبق نايب نايبه مساعد مساعده وكيل وكيله منتدب منتدبه دوله former deputy")
"""Words that make a different office: «وزير الدولة للشؤون الخارجية» is not «وزير الخارجية»."""
_PERSONS: Final = frozenset({"person", "role"})


def same_name(a: str, b: str) -> bool:
    """Whether two names can be one person's, or two phrases one office, judged by their words.

    True for spelling variants, additional titles, a surname alone, middle names left out. False for names that are
    only similar: another given name, another country, a father's name («سلمان بن عبد العزيز», «محمد بن سلمان»).
    """
    if is_office(a) or is_office(b):
        office_a, office_b = split_office(a), split_office(b)
        if office_a[0] is None and office_b[0] is None:
            return offices_in(a) == offices_in(b)
        a, b = office_a[1], office_b[1]
        if is_office(a) or is_office(b):
            return False
    if None is not country_of(a) != country_of(b) is not None:
        return False  # «الجانب الصيني» and «الجانب الصربي» are similar
    return _same_words(person_words(strip_titles(a)), person_words(strip_titles(b)))


def canonical(actors: Iterable[Actor], *, article: str | None = None) -> Mapping[str, Actor]:
    """Merge the actors of an article that are one person or body.

    Args:
        actors: the actors of all records, as often as they occur.
        article: decides in doubt where an office ends and a name begins.

    Returns:
        Name as given → the merged actor: the fullest form of the name without titles, the longest role and
        organization stated, the country stated most often. Names that are not changed may be missing.
    """
    groups: dict[str, list[Actor]] = {}
    for actor in actors:
        groups.setdefault(actor.name, []).append(actor)
    forms = [_Form.of(name, group, article) for name, group in groups.items()]
    merged: dict[str, Actor] = {}
    for cluster in (*_cluster_persons(forms), *_cluster_bodies(forms)):
        actor = _merged(cluster)
        merged |= {form.given: actor for form in cluster}
    return merged


@dataclass(frozen=True, slots=True)
class _Form:
    """A name as given, split from its office, with what the actors of that name state."""

    given: str
    name: str
    words: tuple[str, ...]
    roles: tuple[str, ...]
    countries: tuple[str, ...]
    actors: tuple[Actor, ...]
    is_role: bool

    @classmethod
    def of(cls, given: str, actors: Sequence[Actor], article: str | None) -> "_Form":
        """Collect what the actors of a name state."""
        of_person = any(actor.type in _PERSONS for actor in actors)
        office, name = split_office(given, article=article) if of_person else (None, given)
        stated = [actor.role for actor in actors if actor.role]
        is_role = of_person and office is None and is_office(name)
        roles = (*stated, *((office,) if office else ()), *((name,) if is_role else ()))
        countries = tuple(actor.country for actor in actors if actor.country)
        return cls(given, name, person_words(name), roles, countries, tuple(actors), is_role)

    @property
    def is_person(self) -> bool:
        """Whether it denotes a person, by name or office."""
        return any(actor.type in _PERSONS for actor in self.actors)

    @property
    def is_shared(self) -> bool:
        """Whether actors of several countries have the office and the phrase names none: «وزير الخارجية»."""
        return len(set(self.countries)) > 1 and country_of(self.name) is None

    def disagrees(self, other: "_Form") -> bool:
        """Whether the two represent different countries."""
        return bool(self.countries and other.countries) and not set(self.countries) & set(other.countries)


_Relation = Callable[[_Form, _Form], bool]
_Cluster = list[_Form]


def _cluster_persons(forms: Iterable[_Form]) -> list[_Cluster]:
    """Cluster named persons, the fullest names first; then offices, with their holder or with each other."""
    persons = [form for form in forms if form.is_person]
    holders: list[_Cluster] = []
    for form in sorted((form for form in persons if not form.is_role), key=lambda form: -len(form.words)):
        if not _add_to_only(form, holders, _same_person):
            holders.append([form])
    offices: list[_Cluster] = []
    for form in (form for form in persons if form.is_role and not form.is_shared):
        if not _add_to_only(form, holders, _is_held_by) and not _add_to_only(form, offices, _same_role):
            offices.append([form])
    return holders + offices


def _cluster_bodies(forms: Iterable[_Form]) -> Iterable[_Cluster]:
    """Cluster organizations, countries and delegations that are spelt the same."""
    clusters: dict[str, _Cluster] = {}
    for form in forms:
        if not form.is_person:
            clusters.setdefault(fold(form.given).replace(" ", ""), []).append(form)
    return clusters.values()


def _add_to_only(form: _Form, clusters: Iterable[_Cluster], related: _Relation) -> bool:
    """Add a form to the only cluster with a related form; return False if there is none, or several."""
    matches = [cluster for cluster in clusters if any(related(form, member) for member in cluster)]
    if len(matches) == 1:
        matches[0].append(form)
    return len(matches) == 1


def _same_person(short: _Form, full: _Form) -> bool:
    """Whether two names of one article are one person's, judged by their words, countries and roles."""
    a, b = short.words, full.words
    if len(a) == len(b):
        return _same_words(a, b)
    if len(a) == 1 and short.disagrees(full):
        return False
    by_given_name = len(a) == 1 and a[0] == b[0] and a[0] not in GIVEN  # «شي» for «شي جين بينغ»
    # without its first words a name may also be the father's: then the roles must agree
    is_tail = len(a) > 1 and is_variant(a, b[-len(a) :])
    return by_given_name or _same_words(a, b) or (is_tail and _share_role(short, full))


def _is_held_by(form: _Form, person: _Form) -> bool:
    """Whether a form that is an office is one of a person's roles."""
    if person.is_role:
        return False
    office = offices_in(form.name)[0]
    held = (held for role in person.roles for held in offices_in(role))
    return any(is_part(office, each, form.countries, person.countries) for each in held)


def is_part(wanted: Office, held: Office, stated: Sequence[str], of_person: Sequence[str]) -> bool:
    """Whether two phrases are one office, the first in the same or fewer words.

    Args:
        wanted: the office in fewer words.
        held: an office of a person.
        stated: the countries stated with the first, used if it names none.
        of_person: the countries stated with the person, used if the second names none.
    """
    country, other = (
        office.country or next(iter(codes), None) for office, codes in ((wanted, stated), (held, of_person))
    )
    if (country and other and country != other) or wanted.words[:1] != held.words[:1]:
        return False
    if wanted.words == held.words:
        return True
    more = [word for word in held.words if word not in wanted.words]
    if len(wanted.words) == 1 or not _OTHER_HOLDER.isdisjoint(more):
        return False
    begins = held.words[: len(wanted.words)] == wanted.words
    return begins or (country == other is not None and set(wanted.words) < set(held.words))


def _same_role(a: _Form, b: _Form) -> bool:
    return offices_in(a.name) == offices_in(b.name) and not a.disagrees(b)


def _share_role(a: _Form, b: _Form) -> bool:
    """Whether the roles of two forms share enough words, without their heads."""
    words_a, words_b = (
        {word for role in form.roles for office in offices_in(role) for word in office.words[1:]} for form in (a, b)
    )
    smaller = min(len(words_a), len(words_b))
    return smaller > 0 and len(words_a & words_b) >= SHARED_ROLE * smaller


@lru_cache(maxsize=4096)
def person_words(name: str) -> tuple[str, ...]:
    """Return the folded words of a name without articles and initials; «عبد», «أبو», «بن», «آل» join the next."""
    words: list[str] = []
    joined = ""
    for key in (word.key for word in words_of(name)):
        if key in _JOINING:
            joined += _JOINING[key]
        elif len(key) > 1 and key not in _LATIN_ARTICLES:
            word = joined + key
            words.append(word[2:] if word.startswith("ال") and len(word) > SHORTEST_ALIKE else word)
            joined = ""
    return tuple(words)


def _same_words(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    if len(a) == len(b):
        return is_variant(a, b)
    short, full = sorted((a, b), key=len)
    return is_short_form(short, full)


def is_variant(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two names of equally many words differ in spelling only, word by word and as a whole."""
    pairs = list(zip(a, b, strict=True))
    return bool(pairs) and all(are_partners(*pair) for pair in pairs) and word_ratio("".join(a), "".join(b)) >= ALIKE


def are_partners(a: str, b: str) -> bool:
    """Whether two words of names may be spellings of one."""
    if a == b:
        return True
    if a.startswith(_SON) and b.startswith(_SON):
        return are_partners(a.removeprefix(_SON), b.removeprefix(_SON))
    fixed = not GIVEN.isdisjoint({a, b}) or any(word.startswith((_SERVANT, _SON)) for word in (a, b))
    return not fixed and min(len(a), len(b)) >= SHORTEST_ALIKE and word_ratio(a, b) >= PARTNERS


def is_short_form(short: Sequence[str], full: Sequence[str]) -> bool:
    """Whether a name is the other without words: only the surname, or without middle or last words."""
    if not short:
        return False
    if len(short) == 1 and short[0].startswith(_SON) and short[0] in full[1:]:
        return True  # «بن زايد»
    if len(short) == 1 or (short[0] not in GIVEN and tuple(short) == tuple(full[-len(short) :])):
        return len(short[0]) >= _SHORTEST_SURNAME and is_variant(short, full[-len(short) :])
    rest = iter(full[1:])  # each search continues after the last match
    partners = (next((word for word in rest if are_partners(wanted, word)), None) for wanted in short[1:])
    kept = [full[0], *(word for word in partners if word is not None)]
    return len(kept) == len(short) and is_variant(short, kept)


def _merged(cluster: _Cluster) -> Actor:
    """Merge what is stated under all forms of one actor."""
    actors = [actor for form in cluster for actor in form.actors]
    named = [form for form in cluster if not form.is_role] or cluster
    fullest = max(named, key=lambda form: (len(form.words), len(fold(form.name))))
    role = max((role for form in cluster for role in form.roles), key=len, default=None)
    country = country_of(role)  # unless no record states it: then the one stated most often
    codes = Counter(code for form in cluster for code in form.countries)
    if country not in codes:
        country = codes.most_common(1)[0][0] if codes else None
    return Actor(
        name=fullest.name,
        type=("role" if fullest.is_role else "person") if fullest.is_person else fullest.actors[0].type,
        role=role,
        organization=max((actor.organization for actor in actors if actor.organization), key=len, default=None),
        country=country,
    )


def word_ratio(a: str, b: str) -> float:
    """Return the similarity of two folded words in per cent (rapidfuzz's `ratio`)."""
    return float(_fuzz().ratio(a, b))


@cache
def _fuzz() -> ModuleType:
    from rapidfuzz import fuzz  # compiled code: imported for the first comparison

    return fuzz
