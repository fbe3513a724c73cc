"""Subjects: who does what a verb says, when the article names them, leaves them out, or says «الجانبان»."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.actors import Cast
from mahdar.offline.cues import Cue, Line
from mahdar.offline.mention import Mention
from mahdar.offline.reporters import Reporter
from mahdar.resolving.countries import CountryForm, Word, country_mentions, listed, words_of

# Folded. Words that may stand between a verb and its subject or object without parting them.
_LIGHT: Final = listed(
    """
    خلال خلالها خلاله هذا هذه ذلك اللقاء لقاء الاجتماع المباحثات المحادثات المحادثه الاتصال الزياره المكالمه
    الهاتفي الهاتفيه هاتفيا هاتفيين ايضا كذلك اليوم امس صباح مساء يوم نفسه في من معالي سعاده فخامه السيد قد له
    لها لهم بدوره بدورها مشترك مشتركا الصحفي المؤتمر الموتمر ثنايي ثناييه ثناييا اتصالين اتصالا اتصال هاتفيه
    مباحثات محادثات اجتماعا لقاءا جلسه عمل رسميه موسعه موسعا مغلقا مغلقه مدينه العاصمه بالعاصمه مطوله مطولا عده
    بيان البيان الختامي تصريح تغريده كلمه وقت سابق لاحق الماضي المقبل الاسبوع الشهر الجاري
    """
)
_THAT: Final = listed("ان وان بان انه انها انهم انهما بانه وانه")
_QUOTE: Final = re.compile(r"[«“”\"]")
"""Before a country: what stands in quote marks is said, and does not say."""
_ASIDE: Final = re.compile(r"^\s*[،,\-–]\s*[^،,\-–]{2,60}[،,\-–]\s*")


@dataclass(slots=True)
class Scene:
    """Who is on stage at a point of the article."""

    cast: Cast
    subject: tuple[Mention, ...] = ()
    groups: list[tuple[Mention, ...]] = field(default_factory=list)
    """the principals of every encounter told so far"""
    reporter: Reporter | None = None
    """who was told last to report"""

    def resolved(self, mention: Mention) -> tuple[Mention, ...]:
        """A mention as the actors it means: «الجانبان» are those of the encounter told last that fits."""
        if mention.kind == "body":
            return _countries_of(mention) or (mention,)
        if mention.kind != "pair":
            return (mention,)
        wanted = {one.code for one in country_mentions(mention.text)}
        if "نا" in mention.text[:4] and self.groups:
            return self._alike(self.groups[-1])
        for group in reversed(self.groups):
            if not wanted or wanted <= {self.cast.actor(one).country for one in group}:
                return group
        return ()

    def _alike(self, group: tuple[Mention, ...]) -> tuple[Mention, ...]:
        """The two of a group whose side has two: «النائبان»."""
        first = self.cast.actor(group[0]).country
        same = tuple(one for one in group if self.cast.actor(one).country == first)
        return same if len(same) > 1 else group


_MANY: Final = listed("وزراء روساء قاده زعماء ممثلو ممثلي سفراء مندوبو كبار")


def _countries_of(mention: Mention) -> tuple[Mention, ...]:
    """«وزراء خارجية السودان وتشاد والنيجر»: one of each country, told by the country."""
    if fold(mention.text.split()[0]) not in _MANY:
        return ()
    named = [one for one in country_mentions(mention.text) if one.kind is CountryForm.NAME]
    if len(named) < 2:
        return ()
    return tuple(
        replace(
            mention,
            start=mention.start + one.start,
            end=mention.start + one.end,
            text=mention.text[one.start : one.end],
            name=mention.text[one.start : one.end],
            kind="country",
            country=one.code,
        )
        for one in named
    )


def after(line: Line, cast: Cast, at: int) -> tuple[Mention, ...]:
    """The mentions right behind a word, joined by «و»."""
    start = line.start + line.row.words[at].end
    found: list[Mention] = []
    mentions = cast.within(start, line.end)
    for mention, following in zip_longest(mentions, mentions[1:]):
        gap = line.article[mention.end : following.start].strip() if following else None
        if mention.kind == "pair" and gap in {"", "،", ","}:
            start = mention.end  # «الوزيران، فلان وفلان»: the names tell who
            continue
        if not _is_light(line, start, mention.start) or (found and not _joins(line, start, mention)):
            break
        if not found and mention.particle not in {"", "و"} and not _is_stated_by(line, at, mention):
            break
        if mention.kind == "country" and _QUOTE.search(line.article[start : mention.start]):
            break
        found.append(mention)
        start = mention.end
    return tuple(found)


def _is_stated_by(line: Line, at: int, mention: Mention) -> bool:
    """«أكد البيان الختامي للقمة»: the body that speaks through a statement of its own."""
    words = [word.key for word in line.row.words[at + 1 : at + 3]]
    return mention.kind == "body" and mention.particle in {"ل", "لل"} and words == ["البيان", "الختامي"]


def before(line: Line, cast: Cast, at: int, least: int = 0) -> tuple[Mention, ...]:
    """The mentions right before a word, joined by «و», none of them behind a preposition."""
    end = line.start + line.row.words[at].start
    found: list[Mention] = []
    for mention in reversed(cast.within(line.start + least, end)):
        if not _is_light(line, mention.end, end) or mention.particle not in {"", "و"}:
            break
        found.insert(0, mention)
        end = mention.start
        if "و" not in mention.particle:
            break
    if found and _preposed(line, found[0]):
        return ()
    return tuple(found)


def _preposed(line: Line, mention: Mention) -> bool:
    """Whether a preposition or another noun governs a mention."""
    words = [word.key for word in line.row.words if word.end <= mention.start - line.start]
    return bool(words) and words[-1] in listed(
        """
    مع في الي من عن علي بين لدي بحضور لقاء اجتماع استقبال مقر بمقر صفحه باسم
        """
    )


def _joins(line: Line, end: int, mention: Mention) -> bool:
    gap = line.article[end : mention.start].strip(' \u00a0"”“»«،,')
    return "و" in mention.particle or gap == "و" or (gap == "" and mention.text.startswith("و"))


def _is_light(line: Line, start: int, end: int) -> bool:
    """Whether nothing between two places parts them: dates, places, asides, words of no weight."""
    gap = _ASIDE.sub(" ", line.article[start:end])
    if re.search(r"[.؛;:!?؟]", gap) or gap.count("،") > 2:
        return False
    kept = {word.start for word in line.row.words}
    words = [
        (at, word)
        for at, word in enumerate(line.row.words)
        if start <= line.start + word.start and line.start + word.end <= end
    ]
    if gap != line.article[start:end]:
        return all(_light_key(key) for key in _keys(gap))
    return bool(kept) and all(_light_key(word.key) or line.is_dated(at) or _is_place(line, at) for at, word in words)


def _keys(text: str) -> list[str]:
    return [word.key for word in words_of(text)]


def _light_key(key: str) -> bool:
    return key in _LIGHT or key.removeprefix("و") in _LIGHT


def _is_place(line: Line, at: int) -> bool:
    """«في طهران»: a city or country behind «في» or «ب»."""
    known = line.row.countries
    inside = any(first <= at < stop for first, stop in known.items())
    before_key = line.row.words[at - 1].key if at > 0 else ""
    return inside and (
        before_key in {"في", "العاصمه", "بالعاصمه", "مدينه", "in"} or line.row.words[at].key.startswith("ب")
    )


def that_before(line: Line, at: int) -> int:
    """Where the clause of a word begins: behind the last «أن» before it, in the sentence's offsets."""
    places = [word.end for word in line.row.words[:at] if word.key in _THAT]
    return places[-1] if places else 0


def is_dual(word: Word) -> bool:
    """«أكدا»: of two; not «ستبدأ», «تتهمهما»."""
    key, ends = word.key, word.raw.endswith("ا")
    return ends and len(key) > 3 and not key.endswith(_NO_DUAL) and key not in {"دعا", "ودعا", "كلا"}


_NO_DUAL: Final = ("نا", "وا", "ها", "هما", "كما")


_OWN: Final = listed(
    """
    حكومته حكومتها بلاده بلادها دولته انه انها وانه وانها بانه بانها نحن حكومتنا بلادنا كنا قد
    """
)
"""Words by which a speaker speaks of himself: «أكد أن بلاده تدعم»."""


def _is_pronominal(line: Line, at: int) -> bool:
    return at > 0 and line.row.words[at - 1].key in _OWN


def _subject_first(line: Line, cast: Cast, cue: Cue) -> tuple[Mention, ...]:
    """«إن الوزير أكد», and a name at the very beginning: the subject stands before its verb."""
    named = before(line, cast, cue.first, that_before(line, cue.first))
    if not named or line.row.words[cue.first].key.startswith("و"):
        return ()
    lead = line.article[line.start : named[0].start].rstrip(' \u00a0«“"')
    last = _keys(lead)[-1:]
    opened = not last or last[0] in _THAT or _is_light(line, line.start, named[0].start)
    return named if opened else ()


_PARTICIPLES: Final = re.compile(r"[وف]?م\w{3,}(?:ا|ان|ه)")


def subject_of(line: Line, scene: Scene, cue: Cue) -> tuple[Mention, ...]:
    """Who does what a verb says: named behind it, before it, or left out and known."""
    key = line.row.words[cue.first].key
    if _PARTICIPLES.fullmatch(key) or key.lstrip("و").startswith("قايل") or _is_pronominal(line, cue.first):
        return scene.subject
    named = _subject_first(line, scene.cast, cue) or after(line, scene.cast, cue.stop - 1)
    if not named and not key.startswith("و"):
        named = before(line, scene.cast, cue.first, that_before(line, cue.first))
    if named:
        return tuple(unique(scene, (one for mention in named for one in scene.resolved(mention))))
    return _left_out(line, scene, cue)


def _left_out(line: Line, scene: Scene, cue: Cue) -> tuple[Mention, ...]:
    """Who is meant where nobody is named: all of the last encounter by a dual, else who spoke last."""
    word = line.row.words[cue.first]
    if _is_unknown(line, cue):
        return ()
    both = is_dual(word) and not word.key.startswith("م") and len(scene.subject) < _BOTH
    return scene.groups[-1] if scene.groups and (both or _is_final_statement(line, cue)) else scene.subject


_BOTH: Final = 2


def _is_final_statement(line: Line, cue: Cue) -> bool:
    """«أكد البيان الختامي», «أضاف البيان المشترك»: all who met say it."""
    words = [word.key for word in line.row.words[cue.stop : cue.stop + 2]]
    return words in (["البيان", "الختامي"], ["البيان", "المشترك"])


_WITH_PREPOSITION: Final = re.compile(r"و?(?:شدد|اشاد|رحب|اعرب|نوه|ندد|اشار|اثني|عبر)(?:ت|وا)?")
"""Verbs that take their object behind a preposition: another word behind them is their subject."""


def _is_unknown(line: Line, cue: Cue) -> bool:
    """Whether a verb has a subject behind it that is nobody found."""
    if not _WITH_PREPOSITION.fullmatch(line.row.words[cue.first].key) or cue.stop >= len(line.row.words):
        return False
    word = line.row.words[cue.stop]
    marked = line.text[line.row.words[cue.stop - 1].end : word.start].strip(" \u00a0")
    governed = word.key in {"علي", "عن", "الي", "في", "من", "ب"} | _THAT or word.key.startswith(("ب", "ل"))
    return not marked and not governed and not _light_key(word.key)


def unique(scene: Scene, mentions: Iterable[Mention]) -> Iterator[Mention]:
    """Mentions, the first of each actor."""
    seen: set[str] = set()
    for mention in mentions:
        name = scene.cast.actor(mention).name
        if name not in seen:
            seen.add(name)
            yield mention


def is_named(line: Line, scene: Scene, cue: Cue) -> bool:
    """Whether a cue is part of a name: «سامح شكري»."""
    at = line.start + line.row.words[cue.first].start
    return any(one.start <= at < one.end for one in scene.cast.within(line.start, line.end) if one.kind == "person")
