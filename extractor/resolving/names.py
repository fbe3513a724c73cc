"""Names: when two of them are one person within an article, and which form stands for both.

Spelling varies («عبد الله لافي», «عبدالله اللافي»), names are shortened («باشاغا»), and an office stands for its holder
(«وزير الدفاع التركي»). Two are one only where nothing speaks against it: different given names, different countries, a
short form that fits two persons, an office that two persons have. The thresholds are those of the contract's entity
match, so that what is merged here is not a mismatch there; what is left apart costs less than a wrong merger.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Final

from mahdar.documents.folding import fold, word_set
from mahdar.resolving.countries import country_of, words_of
from mahdar.resolving.offices import Office, is_office, offices_in, split_office, strip_titles
from mahdar.schemas.enums import ActorType
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
"""Similarity of two whole names, without spaces, per cent (contract, entity match 1)."""
PARTNERS: Final = 75
"""Similarity of one word of the one to its partner in the other (ibid.)."""
SHORTEST_ALIKE: Final = 4
"""Letters of a surname that may be spelt otherwise; a shorter one must be the same: «عون»."""
SHARED_ROLE: Final = 0.5
"""Share of the words of a role that the other must have, where a name lacks the first of the other's words."""

# Folded. Words that join the next: «عبد الله» and «عبدالله» are one word, «بن زايد» is not «زايد».
_JOINING: Final = {"عبد": "عبد", "ابو": "ابو", "بن": "بن", "ابن": "بن", "ال": "ال", "بو": "بو", "ام": "ام"} | {
    word: word for word in ("bin", "ben", "ibn", "abu", "abou", "abd", "de", "von", "van", "der", "le", "la")
}
_LATIN_ARTICLES: Final = frozenset({"al", "el"})

# Common given names, folded: each is another name than any word like it («حسن», «حسين»), and alone it is nobody's.
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
"""«عبداللطيف» and «عبدالله» are alike, and two names."""
_SON: Final = "بن"

_SHORTEST_SURNAME: Final = 3

_OTHER_HOLDER: Final = word_set("سابق سابقه اسبق نايب نايبه مساعد مساعده وكيل وكيله منتدب منتدبه دوله former deputy")
"""A word more of these makes another office: «وزير الدولة للشؤون الخارجية» is not «وزير الخارجية»."""
_PERSONS: Final = frozenset({"person", "role"})


def same_name(a: str, b: str) -> bool:
    """Whether two names are one person's, or two phrases one office, as far as the words tell.

    True for spelling variants, titles more or less, a surname alone, names in the middle left out. False for what
    only resembles: another given name, another country, a father's name («سلمان بن عبد العزيز» and «محمد بن سلمان»).
    """
    if is_office(a) or is_office(b):
        office_a, office_b = split_office(a), split_office(b)
        if office_a[0] is None and office_b[0] is None:
            return _same_office(a, b)
        a, b = office_a[1], office_b[1]
        if is_office(a) or is_office(b):
            return False
    if None is not country_of(a) != country_of(b) is not None:
        return False  # «الجانب الصيني» and «الجانب الصربي» are alike
    return _same_words(person_words(strip_titles(a)), person_words(strip_titles(b)))


def canonical(actors: Iterable[Actor], *, article: str | None = None) -> Mapping[str, Actor]:
    """Agree on one form for every person in an article.

    Args:
        actors: all of them, from all records, as often as they occur.
        article: helps to tell an office from the name behind it.

    Returns:
        Name as given → the merged actor: the fullest form of the name without titles, the longest role and
        organization stated, the country that most state. Names that are left as they are may be missing.
    """
    groups: dict[str, list[Actor]] = {}
    for actor in actors:
        groups.setdefault(actor.name, []).append(actor)
    forms = [_Form.of(name, group, article) for name, group in groups.items()]
    merged: dict[str, Actor] = {}
    for cluster in (*_persons(forms), *_bodies(forms)):
        actor = _merged(cluster)
        merged |= {form.given: actor for form in cluster}
    return merged


@dataclass(frozen=True, slots=True)
class _Form:
    """One form under which an actor was given: what is name in it, and what was said of the actor under it."""

    given: str
    name: str
    words: tuple[str, ...]
    roles: tuple[str, ...]
    countries: tuple[str, ...]
    actors: tuple[Actor, ...]
    is_role: bool

    @classmethod
    def of(cls, given: str, actors: Sequence[Actor], article: str | None) -> "_Form":
        """Read a name and all that its actors say."""
        of_person = any(actor.type in _PERSONS for actor in actors)
        office, name = split_office(given, article=article) if of_person else (None, given)
        stated = [actor.role for actor in actors if actor.role]
        is_role = of_person and office is None and is_office(name)
        roles = (*stated, *((office,) if office else ()), *((name,) if is_role else ()))
        countries = tuple(actor.country for actor in actors if actor.country)
        return cls(given, name, person_words(name), roles, countries, tuple(actors), is_role)

    @property
    def is_person(self) -> bool:
        """Whether persons are meant, by name or office."""
        return any(actor.type in _PERSONS for actor in self.actors)

    @property
    def is_shared(self) -> bool:
        """Whether several countries have the office, and the phrase does not tell which: «وزير الخارجية»."""
        return len(set(self.countries)) > 1 and country_of(self.name) is None

    def disagrees(self, other: "_Form") -> bool:
        """Whether the two represent different countries."""
        return bool(self.countries and other.countries) and not set(self.countries) & set(other.countries)


_Relation = Callable[[_Form, _Form], bool]
_Cluster = list[_Form]


def _persons(forms: Iterable[_Form]) -> list[_Cluster]:
    """Named persons, the fullest names first; then offices, which may find their holder, or each other."""
    persons = [form for form in forms if form.is_person]
    holders: list[_Cluster] = []
    for form in sorted((form for form in persons if not form.is_role), key=lambda form: -len(form.words)):
        if not _joined(form, holders, _same_person):
            holders.append([form])
    offices: list[_Cluster] = []
    for form in (form for form in persons if form.is_role and not form.is_shared):
        if not _joined(form, holders, _holds) and not _joined(form, offices, _same_role):
            offices.append([form])
    return holders + offices


def _bodies(forms: Iterable[_Form]) -> Iterable[_Cluster]:
    """Organizations, countries, delegations: one where they are written the same."""
    clusters: dict[str, _Cluster] = {}
    for form in forms:
        if not form.is_person:
            clusters.setdefault(fold(form.given).replace(" ", ""), []).append(form)
    return clusters.values()


def _joined(form: _Form, clusters: Iterable[_Cluster], related: _Relation) -> bool:
    """Add a form to the one cluster it belongs to; what belongs to two belongs to none."""
    homes = [cluster for cluster in clusters if any(related(form, member) for member in cluster)]
    if len(homes) == 1:
        homes[0].append(form)
    return len(homes) == 1


def _same_person(short: _Form, full: _Form) -> bool:
    """Whether two names of one article are one person's; here the rest of what is said of both counts as well."""
    a, b = short.words, full.words
    if len(a) == len(b):
        return _same_words(a, b)
    if len(a) == 1 and short.disagrees(full):
        return False
    by_given_name = len(a) == 1 and a[0] == b[0] and a[0] not in GIVEN  # «شي» for «شي جين بينغ»
    return by_given_name or _same_words(a, b) or (_is_tail(a, b) and _share_role(short, full))


def _holds(office: _Form, person: _Form) -> bool:
    """Whether an office alone is one that a person is said to have."""
    if office.is_role and person.is_role:
        return False
    wanted = offices_in(office.name)[0]
    held = (one for role in person.roles for one in offices_in(role))
    return any(is_part(wanted, one, office.countries, person.countries) for one in held)


def is_part(wanted: Office, held: Office, stated: Sequence[str], of_person: Sequence[str]) -> bool:
    """Whether one office is the other, told in fewer words."""
    country, other = _code(wanted, stated), _code(held, of_person)
    if (country and other and country != other) or wanted.words[:1] != held.words[:1]:
        return False
    if wanted.words == held.words:
        return True
    more = [word for word in held.words if word not in wanted.words]
    if len(wanted.words) == 1 or not _OTHER_HOLDER.isdisjoint(more):
        return False
    begins = held.words[: len(wanted.words)] == wanted.words
    return begins or (country == other is not None and set(wanted.words) < set(held.words))


def _code(office: Office, stated: Sequence[str]) -> str | None:
    return office.country or next(iter(stated), None)


def _same_role(a: _Form, b: _Form) -> bool:
    return _same_office(a.name, b.name) and not a.disagrees(b)


def _same_office(a: str, b: str) -> bool:
    return offices_in(a) == offices_in(b)


def _share_role(a: _Form, b: _Form) -> bool:
    """Whether the roles of two forms are told in much the same words."""
    told_a, told_b = _told(a.roles), _told(b.roles)
    smaller = min(len(told_a), len(told_b))
    return smaller > 0 and len(told_a & told_b) >= SHARED_ROLE * smaller


def _told(roles: Iterable[str]) -> set[str]:
    """The words of roles, without their heads."""
    return {word for role in roles for office in offices_in(role) for word in office.words[1:]}


@lru_cache(maxsize=4096)
def person_words(name: str) -> tuple[str, ...]:
    """The words of a name, folded, without articles and initials; «عبد», «أبو», «بن», «آل» are joined to the next."""
    words: list[str] = []
    joined = ""
    for key in (word.key for word in words_of(name)):
        if key in _JOINING:
            joined += _JOINING[key]
        elif len(key) > 1 and key not in _LATIN_ARTICLES:
            words.append(_without_article(joined + key))
            joined = ""
    return tuple(words)


def _without_article(word: str) -> str:
    return word[2:] if word.startswith("ال") and len(word) > SHORTEST_ALIKE else word


def _same_words(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    if len(a) == len(b):
        return is_variant(a, b)
    short, full = sorted((a, b), key=len)
    return is_short_form(short, full)


def is_variant(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two rows of words differ in spelling only, word by word and as a whole."""
    pairs = list(zip(a, b, strict=True))
    return bool(pairs) and all(map(are_partners, a, b)) and word_ratio("".join(a), "".join(b)) >= ALIKE


def are_partners(a: str, b: str) -> bool:
    """Whether two words may be one word spelt in two ways."""
    if a == b:
        return True
    if a.startswith(_SON) and b.startswith(_SON):
        return are_partners(a.removeprefix(_SON), b.removeprefix(_SON))
    fixed = not GIVEN.isdisjoint({a, b}) or any(word.startswith((_SERVANT, _SON)) for word in (a, b))
    return not fixed and min(len(a), len(b)) >= SHORTEST_ALIKE and word_ratio(a, b) >= PARTNERS


def is_short_form(short: Sequence[str], full: Sequence[str]) -> bool:
    """Whether a name is the other with words left out: all but the surname, or some in the middle or at the end."""
    if not short:
        return False
    if len(short) == 1 and short[0].startswith(_SON) and short[0] in full[1:]:
        return True  # «بن زايد»
    if len(short) == 1 or (short[0] not in GIVEN and tuple(short) == tuple(full[-len(short) :])):
        return len(short[0]) >= _SHORTEST_SURNAME and is_variant(short, full[-len(short) :])
    rest = iter(full[1:])
    kept = [full[0], *(word for want in short[1:] for word in _next_partner(want, rest))]
    return len(kept) == len(short) and is_variant(short, kept)


def _next_partner(wanted: str, words: Iterator[str]) -> Iterator[str]:
    """The next word, of those not yet passed, that may be the wanted one."""
    for word in words:
        if are_partners(wanted, word):
            yield word
            return


def _is_tail(short: Sequence[str], full: Sequence[str]) -> bool:
    """Whether a name is the other without its first words: the same person's, or the father's."""
    return len(short) > 1 and is_variant(short, full[-len(short) :])


def _merged(cluster: _Cluster) -> Actor:
    """One actor out of all that is said under all its forms."""
    actors = [actor for form in cluster for actor in form.actors]
    named = [form for form in cluster if not form.is_role] or cluster
    fullest = max(named, key=lambda form: (len(form.words), len(fold(form.name))))
    role = _longest(role for form in cluster for role in form.roles)
    return Actor(
        name=fullest.name,
        type=_type(fullest),
        role=role,
        organization=_longest(actor.organization for actor in actors),
        country=_agreed([code for form in cluster for code in form.countries], role),
    )


def _type(form: _Form) -> ActorType:
    if not form.is_person:
        return form.actors[0].type
    return "role" if form.is_role else "person"


def _longest(texts: Iterable[str | None]) -> str | None:
    return max((text for text in texts if text), key=len, default=None)


def _agreed(codes: Sequence[str], role: str | None) -> str | None:
    """The country that the role tells, if any record has it; else the one that most have."""
    told = country_of(role)
    if told in codes or not codes:
        return told if codes else None
    return Counter(codes).most_common(1)[0][0]


def word_ratio(a: str, b: str) -> float:
    """How alike two folded words are, per cent."""
    return float(_fuzz().ratio(a, b))


@cache
def _fuzz() -> ModuleType:
    from rapidfuzz import fuzz  # compiled code: loaded when the first two names are compared

    return fuzz
