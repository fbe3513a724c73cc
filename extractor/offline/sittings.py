"""Sittings: a body meets: a summit, a committee, the ministers of a league; who takes part, and who hosts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.circumstances import city_in, date_near
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.encounters import RuleMeeting, described
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.parties import MeetingParty
from mahdar.offline.subjects import DiscourseState, after, before, unique
from mahdar.schemas.enums import MeetingKind

_ASSEMBLY: Final = re.compile(r"[وف]?(?:[بل]?(?:ال)?|لل)(?:اجتماع|قمه|موتمر|دوره|منتدي|جمع|ندوه|جلسه)\w{0,2}")
_ATTENDING: Final = re.compile(r"[وف]?س?[يت]?(?:شارك|حضر|تراس|راس|مثل)(?:ت|وا|ه|ها)?")
_HOSTING: Final = re.compile(r"[وف]?س?[يت]?(?:حتضن|ستضيف)|(?:احتضن|استضاف)\w{0,2}|ل?(?:احتضان|استضافه)")
_OWN: Final = re.compile(r"[وف]?(?:اجتماع|دورت|جلست|موتمر)(?:ها|ه|هم)")
"""«عقدت اللجنة اجتماعها»: the body stands before."""
_CABINET: Final = re.compile(r"(?:مجلس الوزراء|(?:ال)?حكومه|مجلس الحكومه)")
"""Its sittings are no records (contract, ruling 1)."""
_MANY: Final = word_group("sittings.many")
_ONE_BODY: Final = re.compile(r"(?:ال|لل|ل)?(?:لجنه|مجلس|جمعيه|برلمان|دوره|جمع)")
_REACH: Final = 16
"""Words between a sitting and the verb that tells who takes part."""


def sittings_in(line: AnnotatedSentence, scene: DiscourseState) -> tuple[RuleMeeting, ...]:
    """The sittings of a body that a sentence tells of (contract, ruling 1).

    One named as context only, without who takes part, who hosts, or both its day and its town, is none.
    """
    return tuple(_sittings(line, scene))[:1]


def _sittings(line: AnnotatedSentence, scene: DiscourseState) -> Iterator[RuleMeeting]:
    for cue in line.cues("meeting"):
        if not _ASSEMBLY.fullmatch(line.row.words[cue.first].key):
            continue
        body = _body(line, scene, cue) or _theirs(line, scene, cue)
        if body is None:
            continue
        attending, hosts = _attending(line, scene, cue), _hosts(line, scene, cue)
        if attending or hosts or _takes_place(line, cue):
            principals = (MeetingParty(one) for one in unique(scene, (*attending, body)))
            yield _told(line, cue, (*principals, *hosts))


def _told(line: AnnotatedSentence, cue: Cue, parties: tuple[MeetingParty, ...]) -> RuleMeeting:
    """A sitting of a body alone that was held is a session, the one kind that takes no two (contract, ruling 1)."""
    told = described(line, cue, parties)
    alone = len(parties) == 1 and told.status in {"held", "ongoing"}
    return replace(told, kind="session" if alone else _kind(line, cue))


_HELD: Final = re.compile(
    r"[وف]?(?:ال)?(?:ختامي|اختتم\w?|اختتام|انطلق\w?|افتتح\w?|افتتاح|انعقد\w?|منعقد\w?|انعقاد\w?|عقد\w{0,2}|س?[يت]عقد|س?[يت]نعقد|طاري)"
)


def _takes_place(line: AnnotatedSentence, cue: Cue) -> bool:
    """Whether a sitting is told with its day and its town, or with one of them as held."""
    date, city = date_near(line, cue), city_in(line, cue)
    near = line.row.words[max(0, cue.first - 3) : cue.stop + 6]
    return bool(date and city) or (bool(date or city) and any(_HELD.fullmatch(word.key) for word in near))


def _body(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> ActorMention | None:
    """The body that sits, right behind the word or with it: «اجتماع اللجنة السياسية», «القمة العربية»."""
    words = line.row.words
    start, last = words[cue.first].start, words[min(cue.stop, len(words) - 1)].start
    found = [*scene.cast.within(line.start + start - 1, line.start + last + 2)]
    if _OWN.fullmatch(words[cue.first].key):
        found = [*reversed(scene.cast.within(line.start, line.start + start))]
    bodies = (one for one in found if one.kind == "body" and not scene.cast.is_seat(one))
    return next((one for one in bodies if not _CABINET.match(fold(one.name))), None)


def _theirs(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> ActorMention | None:
    """Ministers who are the subject: «قرر وزراء الخارجية عقد اجتماع», «وقالوا بعد اجتماع طارئ»."""
    here = scene.cast.within(line.start, line.start + line.row.words[cue.first].start)
    many = [one for one in (*scene.subject, *here) if one.kind == "body" and fold(one.text.split()[0]) in _MANY]
    return many[-1] if many else None


def _attending(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[ActorMention, ...]:
    """Who is told to take part: «شارك وفد برلماني في اجتماع اللجنة»."""
    for at, word in enumerate(line.row.words):
        if abs(at - cue.first) < _REACH and _ATTENDING.fullmatch(word.key):
            named = after(line, scene.cast, at)
            if not named and not word.key.startswith("و"):
                named = before(line, scene.cast, at)
            return tuple(unique(scene, (one for mention in named for one in scene.resolved(mention))))
    return ()


def _hosts(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[MeetingParty, ...]:
    """«ستحتضن السعودية القمة»: the country that hosts."""
    for at, word in enumerate(line.row.words):
        if abs(at - cue.first) < _REACH and _HOSTING.fullmatch(word.key):
            near = (*after(line, scene.cast, at), *before(line, scene.cast, at))
            return tuple(MeetingParty(one, "host") for one in near if one.kind == "country")[:1]
    return ()


def _kind(line: AnnotatedSentence, cue: Cue) -> MeetingKind:
    """A summit of many, or a session of one body."""
    words = [word.key for word in line.row.words[cue.first : cue.stop + 3]]
    if any(_ONE_BODY.match(word) for word in words):
        return "session"
    return "summit" if any(word.lstrip("وبل") in _MANY for word in words) else "session"
