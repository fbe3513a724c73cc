"""Parties: who stands to a word of meeting as its subject and as its objects, and in which capacity."""

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mahdar.offline.circumstances import (
    is_visit,
)
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.subjects import DiscourseState, after, before, is_named, subject_of, that_before, unique
from mahdar.resolving.countries import Word
from mahdar.schemas.enums import Capacity

_LINKS: Final = word_group("parties.links")
_TOPICAL: Final = word_group("parties.topical")
_VERBAL_NOUNS: Final = re.compile(
    r"(?:ال)?(?:لقا|اجتماع|مباحثات|محادث|مشاورات|مفاوضات|اتصال|قم[هت]|موتمر|ندوه|جلسه|زيار|حوار|استقبال|توقيع)\w*"
)
_WEAK: Final = re.compile(r"(?:بحث\w?|[يت]بحث|ناقش\w?|استعرض\w?|مناقشات|حوار|وقع\w?|وقعا|لقاات|اجتماعات)")
"""Words that tell an encounter only with «مع»: «بحث الوزير الأزمة» is none."""


@dataclass(frozen=True, slots=True)
class MeetingParty:
    """One who may have met."""

    mention: ActorMention
    capacity: Capacity = "principal"


MeetingSide = tuple[MeetingParty, ...]


def parties_of(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[MeetingSide, MeetingSide]:
    """The actors that stand to a word of meeting as its subject and as its objects."""
    key = line.row.words[cue.first].key
    objects = _objects(line, scene, cue)
    subject = _subject(line, scene, cue, key)
    if is_visit(key):
        objects = (*objects, *_visited(line, scene, cue))
    linked = any(party.capacity in {"principal", "host"} for party in objects) or is_visit(key)
    persons = all(one.kind in {"person", "role"} for one in subject)
    if not linked and not (len(subject) > 1 and (persons or not _WEAK.fullmatch(key.lstrip("وفس")))):
        return (), ()
    taken = {scene.cast.actor(one).name for one in subject}
    others = tuple(party for party in objects if scene.cast.actor(party.mention).name not in taken)
    return tuple(MeetingParty(one) for one in subject), tuple(_once(scene, others))


def _once(scene: DiscourseState, parties: Sequence[MeetingParty]) -> Iterator[MeetingParty]:
    seen: set[str] = set()
    for party in parties:
        name = scene.cast.actor(party.mention).name
        if name not in seen:
            seen.add(name)
            yield party


def _subject(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, key: str) -> tuple[ActorMention, ...]:
    """Who met: the subject of the verb, or who stands right behind the noun, or before it."""
    if _PURPOSE.fullmatch(key):
        return _going(line, scene, cue) or _speaker(line, scene, cue)
    if not _VERBAL_NOUNS.fullmatch(key.lstrip("وبفل")) and not _VERBAL_NOUNS.fullmatch(key):
        return _subject_of_verb(line, scene, cue, key)
    if _PRONOMINAL.fullmatch(key):
        return _owner(line, scene, cue) or scene.subject
    return _subject_of_noun(line, scene, cue)


def _subject_of_noun(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    if any(word.key in _OF_BOTH for word in line.row.words[cue.first : cue.stop + 3]):
        return scene.subject if len(scene.subject) > 1 else ()
    named = after(line, scene.cast, cue.stop - 1)
    if named and not (named[0].kind == "body" and _has_link(line, cue, "مع")):
        return tuple(unique(scene, (one for mention in named for one in scene.resolved(mention))))
    if _has_link(line, cue, "بين"):
        return ()
    return _governing(line, scene, cue) or _speaker(line, scene, cue) or scene.subject


_PRONOMINAL: Final = re.compile(
    r"[وف]?[بل]?(?:لقا|لقاء|لقاي|اجتماع|استقبال|زيارت|مباحثات|محادثات|اتصال|مقابلت|مشاورات)(?:ه|ها|هم|هما)"
)
"""«لقائه»: the pronoun is who met."""
_PURPOSE: Final = re.compile(r"ل(?:ل?لقا(?:ء|اء)?|لاجتماع|لتباحث|مقابله|لقاء)")
"""«للقاء الرئيس»: who goes to meet is told before."""


def _going(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """The subject of the visit before: «يزور الملك واشنطن للقاء الرئيس»."""
    visits = [one for one in line.cues("meeting") if one.first < cue.first and is_visit(line.row.words[one.first].key)]
    return subject_of(line, scene, visits[-1]) if visits else ()


def _owner(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """Whom a pronoun means: the person named last before it in the sentence."""
    before_it = scene.cast.within(line.start, line.start + line.row.words[cue.first].start)
    return tuple(one for one in before_it if one.kind in {"person", "role", "short"})[-1:]


def _subject_of_verb(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, key: str) -> tuple[ActorMention, ...]:
    if is_visit(key) and _is_relative(line, cue):
        return ()
    if _is_relative(line, cue) and cue.stop < len(line.row.words) and line.row.words[cue.stop].key in _THERE:
        persons = (one for one in scene.cast.within(line.start, line.end) if one.kind in {"person", "role"})
        return tuple(itertools.islice((one for one in persons if not one.particle), 1))
    if told := _continued(line, scene, cue):
        return told
    subject = subject_of(line, scene, cue)
    if subject is not scene.subject:
        return subject
    return _speaker(line, scene, cue) or subject or _governing(line, scene, cue)


def _continued(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """«استقبل السفير», with nobody else behind: who stands there is met, and who meets was told before."""
    words = line.row.words
    named = after(line, scene.cast, cue.stop - 1)
    if not _TRANSITIVE.match(words[cue.first].key) or len(named) != 1:
        return ()
    if before(line, scene.cast, cue.first, that_before(line, cue.first)) or _is_followed(line, scene, cue, named[0]):
        return ()
    told = [one for one in _verbs(line) if one.first < cue.first]
    return subject_of(line, scene, told[0]) if told else scene.subject


def _verbs(line: AnnotatedSentence) -> list[Cue]:
    """Words of meeting, saying and position that are verbs, in order."""
    found = (*line.cues("meeting"), *line.cues("speech"), *line.cues("stance"))
    verbs = (one for one in found if not _VERBAL_NOUNS.fullmatch(line.row.words[one.first].key.lstrip("وبفل")))
    return sorted(verbs, key=lambda one: one.first)


def _is_followed(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, named: ActorMention) -> bool:
    """Whether another actor stands behind the one named, in the same clause."""
    start = line.start + line.row.words[cue.stop - 1].end
    others = (one for one in scene.cast.within(named.end, line.end) if one.kind in {"person", "role", "delegation"})
    return any(not _is_cut(line, scene, cue, start, one.start) for one in others)


_THERE: Final = word_group("parties.there")
_OF_BOTH: Final = word_group("parties.of_both")
_REPORTERS: Final = word_group("parties.reporters")


def _is_relative(line: AnnotatedSentence, cue: Cue) -> bool:
    return cue.first > 0 and line.row.words[cue.first - 1].key.removeprefix("و") in {"الذي", "التي", "الذين"}


def _speaker(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """Who says it in this sentence, unless they only report."""
    said = [one for one in line.cues("speech") if one.first < cue.first]
    subject = subject_of(line, scene, said[-1]) if said else ()
    reports = any(
        word.key in _REPORTERS
        for one in subject
        for word in line.row.words
        if one.start <= line.start + word.start < one.end
    )
    return () if reports else subject


def _governing(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """The subject of «أجرى X مباحثات مع», «عقد X لقاء مع»: the nearest before the noun that nothing governs."""
    least = that_before(line, cue.first)
    start, end = line.start + least, line.start + line.row.words[cue.first].start
    mentions = [one for one in scene.cast.within(start, end) if one.kind != "country" or one.particle == ""]
    free = [one for one in mentions if one.particle in {"", "و"} and not _link(line, one)]
    if not free:
        return ()
    first = free[-1]
    group = [first]
    for one in reversed(free[:-1]):
        if "و" in group[0].particle:
            group.insert(0, one)
    return tuple(unique(scene, (one for mention in group for one in scene.resolved(mention))))


def _has_link(line: AnnotatedSentence, cue: Cue, word: str) -> bool:
    return any(one.key == word for one in line.row.words[cue.stop : cue.stop + 4])


def _behind(line: AnnotatedSentence, mention: ActorMention) -> int:
    """The number of words before a mention."""
    return bisect_right(line.row.words, mention.start - line.start, key=lambda word: word.end)


def _link(line: AnnotatedSentence, mention: ActorMention) -> str:
    """The preposition before a mention, or ""."""
    behind = _behind(line, mention)
    last = line.row.words[behind - 1].key if behind else ""
    return last if last in word_group("parties.link") | _LINKS else ""


def _objects(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[MeetingParty, ...]:
    """Those whom a word of meeting takes as objects, and those who were present."""
    start = line.start + line.row.words[cue.stop - 1].end
    key = line.row.words[cue.first].key
    accepted: list[MeetingParty] = []
    previous: ActorMention | None = None
    previous_capacity: Capacity | None = None
    for mention in scene.cast.within(start, line.end):
        if _is_cut(line, scene, cue, start, mention.start):
            break
        if scene.cast.is_seat(mention):
            continue
        capacity = _capacity(line, mention)
        if capacity is None:
            if previous is not None and previous_capacity and _is_joined(line, previous, mention):
                capacity = previous_capacity
            elif _is_object(line, scene, cue, key, mention):
                capacity = "principal"
        if capacity is not None:
            accepted.extend(MeetingParty(one, capacity) for one in scene.resolved(mention))
            previous = mention
        previous_capacity = capacity
        previous = mention
    return tuple(accepted) + tuple(_present(line, scene, cue))


def _present(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> Iterator[MeetingParty]:
    """«بحضور وكيل الوزارة، اجتمع…»: present, and told before."""
    for mention in scene.cast.within(line.start, line.start + line.row.words[cue.first].start):
        if _capacity(line, mention) == "attendee":
            yield MeetingParty(mention, "attendee")


def _is_cut(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, start: int, end: int) -> bool:
    """Whether another statement begins between two places."""
    words = [word for word in line.row.words if start <= line.start + word.start < end]
    said = (other for other in line.cues("speech") if not is_named(line, scene, other))
    at = {line.row.words[other.first].start for other in (*said, *_verbs_behind(line, cue))}
    if any(word.start in at for word in words) or re.search(r"[؛;]|[.]\s", line.article[start:end]):
        return True
    behind = line.row.words[min(cue.stop + 1, len(line.row.words) - 1)].end  # «اللقاء الذي جمعه مع» goes on
    if any(word.key in _CUTTING and word.start > behind for word in words):
        return True
    named = scene.cast.within(line.start, line.end)
    return any(
        _begins_clause(line, word) and not any(one.start - 1 <= line.start + word.start < one.end for one in named)
        for word in words
    )


_CUTTING: Final = word_group("parties.cutting")


def _verbs_behind(line: AnnotatedSentence, cue: Cue) -> Iterator[Cue]:
    """Verbs of meeting behind a word of meeting: «وتلقى» tells of another encounter."""
    for other in line.cues("meeting"):
        key = line.row.words[other.first].key
        if other.first > cue.stop and key.startswith("و") and not _VERBAL_NOUNS.fullmatch(key.lstrip("وبفل")):
            yield other


_GOING_WITH: Final = word_group("parties.going_with")


def _begins_clause(line: AnnotatedSentence, word: Word) -> bool:
    """Whether a word with «و» stands behind a comma, and is no particle."""
    behind_comma = line.text[: word.start].rstrip(" \u00a0")[-1:] in {"،", ","}
    return behind_comma and word.key.startswith("و") and word.key not in _GOING_WITH


def _capacity(line: AnnotatedSentence, mention: ActorMention) -> Capacity | None:
    """The capacity that the words right before a mention tell."""
    behind = _behind(line, mention)
    for at in range(max(0, behind - 3), behind):
        for cue in line.cues("present"):
            if cue.first == at:
                return None if cue.code == "order" else cue.code  # type: ignore[return-value]
    return None


def _is_joined(line: AnnotatedSentence, previous: ActorMention, mention: ActorMention) -> bool:
    gap = line.article[previous.end : mention.start].strip(' \u00a0"”“»«،,)')
    return gap in {"", "و"} and ("و" in mention.particle or mention.text.startswith("و"))


_TAKES_BI: Final = prefixes("parties.takes_bi")
_TAKES_MIN: Final = ("تلق", "اتصال")
"""Folded beginnings of words of meeting that take their object behind «بـ», «لـ», «من»."""
_MEETING_THEM: Final = re.compile(r"و?ب?ل?لق(?:ا|اء|اي)(?:ه|ها|هم|هما)")
_TRANSITIVE: Final = re.compile(r"و?ف?س?(?:التق|يلتق|تلتق|استقبل|يستقبل|تستقبل|قابل|استدع|هاتف)")


def _is_object(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, key: str, mention: ActorMention) -> bool:
    """Whether a mention is an object by its preposition, or by standing right behind verb or subject."""
    link = _link(line, mention)
    weak = _WEAK.fullmatch(key.lstrip("وفس")) is not None
    if link in _LINKS:
        return _is_linked(line, cue, mention, weak=weak)
    if weak or mention.kind == "country":
        return False
    return _is_preposed(key, link, mention) or (
        not link and mention.particle in {"", "و"} and _is_direct(line, scene, cue, key, mention)
    )


def _is_preposed(key: str, link: str, mention: ActorMention) -> bool:
    """«التقى بالوزير», «استقباله لفلان», «تلقى اتصالا من»."""
    bare = key.lstrip("وفس")
    by = mention.particle in {"ب", "وب"} and bare.startswith(_TAKES_BI)
    return by or (link == "من" and bare.startswith(_TAKES_MIN))


def _is_direct(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, key: str, mention: ActorMention) -> bool:
    """«التقى الوزير السفير»: an object without a preposition."""
    behind = line.start + line.row.words[cue.stop - 1].end
    if _MEETING_THEM.fullmatch(key) or _PURPOSE.fullmatch(key):
        return line.article[behind : mention.start].strip() == ""
    if not _TRANSITIVE.match(key):
        return False
    subject = after(line, scene.cast, cue.stop - 1)
    if _continued(line, scene, cue):
        return mention in subject
    if mention in subject:
        return mention is not subject[0] or bool(before(line, scene.cast, cue.first, that_before(line, cue.first)))
    return not subject or _near(line, subject[-1].end, mention.start)


def _is_linked(line: AnnotatedSentence, cue: Cue, mention: ActorMention, *, weak: bool) -> bool:
    """Whether «مع», «بين» before a mention belong to the word of meeting, and not to «العلاقات مع»."""
    words = [word for word in line.row.words if word.end <= mention.start - line.start]
    distance = len(words) - 1 - cue.stop
    nouns = (word.key.lstrip("وبل").removeprefix("ال") for word in words[max(cue.stop, len(words) - 3) : -1])
    bound = not _BOUND.isdisjoint(nouns)
    if words[-1].key in _GATHERING:
        return distance <= _GATHERING_REACH and not is_visit(line.row.words[cue.first].key)
    if words[-1].key in {"بين", "وبين"}:
        sides = any(word.key in _SIDES for word in line.row.words[cue.first : cue.stop + 2])
        return (distance <= 2 and not bound) or (sides and mention.kind == "country")
    if mention.kind == "country" and distance > 4:
        return False
    return distance <= _WITH_REACH and (weak or not bound)


_GATHERING: Final = word_group("parties.gathering")
_GATHERING_REACH: Final = 3
_WITH_REACH: Final = 22
_SIDES: Final = word_group("parties.sides")
_BOUND: Final = word_group("parties.bound")


def _near(line: AnnotatedSentence, start: int, end: int) -> bool:
    """Whether only dates and places stand between."""
    words = [at for at, word in enumerate(line.row.words) if start <= line.start + word.start < end]
    return len(words) <= 8 and not any(line.row.words[at].key in _TOPICAL for at in words)


def _visited(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> Iterator[MeetingParty]:
    """The country visited takes part as host (contract, ruling 1)."""
    start = line.start + line.row.words[cue.stop - 1].end
    verb = not _VERBAL_NOUNS.fullmatch(line.row.words[cue.first].key.lstrip("وبفل"))
    for mention in scene.cast.within(start, line.end):
        if mention.kind != "country":
            continue
        direct = not _link(line, mention) and not mention.particle
        near = verb and _near(line, start, mention.start)
        if _link(line, mention) == "الي" or "ل" in mention.particle or (direct and near):
            yield MeetingParty(mention, "host")
            return
