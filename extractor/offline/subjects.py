"""Subjects: who does what a verb says, when the article names them, leaves them out, or says «الجانبان»."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.actors import ActorIndex
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.reporters import Reporter
from mahdar.resolving.countries import CountryForm, Word, country_mentions, words_of

# Folded. Words that may stand between a verb and its subject or object without parting them.
_LIGHT: Final = word_group("subjects.light")
_THAT: Final = word_group("subjects.that")
_QUOTE: Final = re.compile(r"[«“”\"]")
"""Before a country: what stands in quote marks is said, and does not say."""
_ASIDE: Final = re.compile(r"^\s*[،,\-–]\s*[^،,\-–]{2,60}[،,\-–]\s*")


@dataclass(slots=True)
class DiscourseState:
    """Who is on stage at a point of the article."""

    cast: ActorIndex
    subject: tuple[ActorMention, ...] = ()
    groups: list[tuple[ActorMention, ...]] = field(default_factory=list)
    """the principals of every encounter told so far"""
    reporter: Reporter | None = None
    """who was told last to report"""

    def resolved(self, mention: ActorMention) -> tuple[ActorMention, ...]:
        """A mention as the actors it means: «الجانبان» are those of the encounter told last that fits."""
        if mention.kind == "body":
            return _countries_of(mention) or (mention,)
        if mention.kind != "pair":
            return (mention,)
        wanted = {one.code for one in country_mentions(mention.text)}
        for group in reversed(self.groups):
            if not wanted or wanted <= {self.cast.actor(one).country for one in group}:
                return group
        return ()


_MANY: Final = word_group("subjects.many")


def _countries_of(mention: ActorMention) -> tuple[ActorMention, ...]:
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


def after(line: AnnotatedSentence, cast: ActorIndex, at: int) -> tuple[ActorMention, ...]:
    """The mentions right behind a word, joined by «و»."""
    start = line.start + line.row.words[at].end
    found: list[ActorMention] = []
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


def _is_stated_by(line: AnnotatedSentence, at: int, mention: ActorMention) -> bool:
    """«أكد البيان الختامي للقمة»: the body that speaks through a statement of its own."""
    words = [word.key for word in line.row.words[at + 1 : at + 3]]
    return mention.kind == "body" and mention.particle in {"ل", "لل"} and words == ["البيان", "الختامي"]


def before(line: AnnotatedSentence, cast: ActorIndex, at: int, least: int = 0) -> tuple[ActorMention, ...]:
    """The mentions right before a word, joined by «و», none of them behind a preposition."""
    end = line.start + line.row.words[at].start
    found: list[ActorMention] = []
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


def _preposed(line: AnnotatedSentence, mention: ActorMention) -> bool:
    """Whether a preposition or another noun governs a mention."""
    words = [word.key for word in line.row.words if word.end <= mention.start - line.start]
    return bool(words) and words[-1] in word_group("subjects.preposed")


def _joins(line: AnnotatedSentence, end: int, mention: ActorMention) -> bool:
    gap = line.article[end : mention.start].strip(' \u00a0"”“»«،,')
    return "و" in mention.particle or (gap == "" and mention.text.startswith("و"))


def _is_light(line: AnnotatedSentence, start: int, end: int) -> bool:
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
    return bool(kept) and all((_light_key(word.key) or line.is_dated(at) for at, word in words))


def _keys(text: str) -> list[str]:
    return [word.key for word in words_of(text)]


def _light_key(key: str) -> bool:
    return key in _LIGHT or key.removeprefix("و") in _LIGHT


def that_before(line: AnnotatedSentence, at: int) -> int:
    """Where the clause of a word begins: behind the last «أن» before it, in the sentence's offsets."""
    places = [word.end for word in line.row.words[:at] if word.key in _THAT]
    return places[-1] if places else 0


def is_dual(word: Word) -> bool:
    """«أكدا»: of two; not «ستبدأ», «تتهمهما»."""
    key, ends = word.key, word.raw.endswith("ا")
    return ends and len(key) > 3 and not key.endswith(_NO_DUAL) and key not in {"دعا", "ودعا", "كلا"}


_NO_DUAL: Final = prefixes("subjects.no_dual")


_OWN: Final = word_group("subjects.own")


def _is_pronominal(line: AnnotatedSentence, at: int) -> bool:
    return at > 0 and line.row.words[at - 1].key in _OWN


_PARTICIPLES: Final = re.compile(r"[وف]?م\w{3,}(?:ا|ان|ه)")


def subject_of(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """Who does what a verb says: named behind it, before it, or left out and known."""
    key = line.row.words[cue.first].key
    if _PARTICIPLES.fullmatch(key) or key.lstrip("و").startswith("قايل") or _is_pronominal(line, cue.first):
        return scene.subject
    named = after(line, scene.cast, cue.stop - 1)
    if not named and not key.startswith("و"):
        named = before(line, scene.cast, cue.first, that_before(line, cue.first))
    if named:
        return tuple(unique(scene, (one for mention in named for one in scene.resolved(mention))))
    return _left_out(line, scene, cue)


def _left_out(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """Who is meant where nobody is named: all of the last encounter by a dual, else who spoke last."""
    word = line.row.words[cue.first]
    both = is_dual(word) and not word.key.startswith("م") and len(scene.subject) < _BOTH
    return scene.groups[-1] if scene.groups and both else scene.subject


_BOTH: Final = 2


def unique(scene: DiscourseState, mentions: Iterable[ActorMention]) -> Iterator[ActorMention]:
    """Mentions, the first of each actor."""
    seen: set[str] = set()
    for mention in mentions:
        name = scene.cast.actor(mention).name
        if name not in seen:
            seen.add(name)
            yield mention


def is_named(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> bool:
    """Whether a cue is part of a name: «سامح شكري»."""
    at = line.start + line.row.words[cue.first].start
    return any(one.start <= at < one.end for one in scene.cast.within(line.start, line.end) if one.kind == "person")
