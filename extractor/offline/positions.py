"""Positions: the words by which somebody takes one, and what code reads there: holder, target, polarity, source."""

import re
from dataclasses import dataclass, replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.cues import AnnotatedSentence, Cue
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.quotations import speech_of
from mahdar.offline.subjects import DiscourseState, after, is_named, subject_of
from mahdar.offline.targets import object_of, statements, targets
from mahdar.schemas.enums import Act, Polarity, Speech

AGAINST: Final = word_group("positions.against")
_NEAR: Final = 6
"""Words between a verb of saying and a noun of position, the subject aside; a noun behind «و» may stand farther."""
_PARTED: Final = word_group("positions.parted")
_EITHER: Final = word_group("positions.either")
_GOVERNED_REACH: Final = 20
"""Words between a verb of saying and the noun of position that it governs."""


@dataclass(frozen=True, slots=True)
class RuleStance:
    """What code reads at one word of position."""

    line: AnnotatedSentence
    cue: Cue
    holders: tuple[ActorMention, ...]
    target: str
    polarity: Polarity
    speech: Speech
    addressee: str | None
    pieces: tuple[tuple[int, int], ...]
    """where its words stand in the article: verb and target, in one piece or, of a list of targets, in two"""
    attribution: str | None

    @property
    def clause(self) -> tuple[int, int]:
        """From the verb to the end of the target, in the article."""
        return self.pieces[0][0], self.pieces[-1][1]

    @property
    def act(self) -> Act:
        """What the holder does."""
        return self.cue.code  # type: ignore[return-value]  # the table's codes are acts


def positions_in(line: AnnotatedSentence, scene: DiscourseState) -> tuple[RuleStance, ...]:
    """The positions a sentence may hold, in the order of their words; the scene's subject moves on with them."""
    found: list[RuleStance] = []
    governor: Cue | None = None
    used = False  # whether the verb of saying governs a noun already
    for cue in statements(line):
        if is_named(line, scene, cue):
            continue
        if cue.code == "said":
            subject = subject_of(line, scene, cue)
            scene.subject = subject or scene.subject
            _forget_reporter(line, scene, subject)
            governor, used = cue, False
            continue
        told = _told(line, scene, cue, governor, used=used)
        used = used or bool(told)
        found.extend(told)
        if told and not cue.is_noun:
            scene.subject = told[0].holders
            _forget_reporter(line, scene, scene.subject)
        governor = governor if cue.is_noun else None
    return tuple(found)


def _follows(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, governor: Cue | None) -> bool:
    """Whether a word that may be verb or noun stands right behind a verb of saying and its subject."""
    return governor is not None and cue.first - governor.stop <= subject_length(line, scene, governor) + 1


def _holders(
    line: AnnotatedSentence, scene: DiscourseState, cue: Cue, governor: Cue | None
) -> tuple[ActorMention, ...]:
    """Whose position it is; an impersonal one is that of all who met (contract, ruling 7)."""
    words = [word.key for word in line.row.words[max(0, cue.first - 4) : cue.stop]]
    if not _IMPERSONAL.isdisjoint(words) and any(_STATED.match(word) for word in words) and scene.groups:
        return scene.groups[-1]
    if cue.is_noun:
        return scene.subject
    holders = subject_of(line, scene, cue)
    return scene.subject if governor and _speaks_for(scene, holders) else holders


def _speaks_for(scene: DiscourseState, holders: tuple[ActorMention, ...]) -> bool:
    """«أكد الرئيس أن تونس ستواصل»: who speaks for a country or body of theirs holds the position."""
    if len(scene.subject) != 1 or holders[0].kind not in {"country", "body"}:
        return False
    speaker, named = scene.cast.actor(scene.subject[0]), scene.cast.actor(holders[0])
    return speaker.type in {"person", "role"} and fold(named.name) in fold(speaker.role or "")


_STATED_ITSELF: Final = re.compile(r"[وف]?(?:مع )?(?:تاكيد|(?:ال)?(?:تاكيد|تشديد|اشاده|تنويه))")


_IMPERSONAL: Final = word_group("positions.impersonal")


_STATED: Final = re.compile(r"(?:ال)?(?:تاكيد|تشديد|اشاده|تنويه|ترحيب|دعوه|مطالبه|ادانه|تعبير|اعراب)")
"""Verbal nouns of taking a position: «تمت الإشادة بـ», «جرى التشديد على»."""


def _told(
    line: AnnotatedSentence, scene: DiscourseState, cue: Cue, governor: Cue | None, *, used: bool
) -> tuple[RuleStance, ...]:
    """The positions at a word: one for each thing of a list (contract, ruling 9)."""
    if not cue.is_noun and line.row.words[cue.first].key in _EITHER and _follows(line, scene, cue, governor):
        cue = replace(cue, is_noun=True)
    noun = cue.is_noun
    if (noun and not _is_said(line, scene, cue, governor, used=used)) or _is_attribute(line, cue):
        return ()
    if line.is_negated(cue.first):
        return ()  # whether «لم يرحب» is the opposite position, or none, is not ours to tell
    holders = _holders(line, scene, cue, governor)
    addressee, first, stop = object_of(line, scene, cue)
    if not holders:
        return ()
    start = line.row.words[governor.first if noun and governor else cue.first].start
    return tuple(
        RuleStance(
            line,
            cue,
            holders,
            target,
            "against" if cue.code in AGAINST or stopped else "favor",
            speech_of(line, cue, governor),
            addressee,
            pieces,
            attribution(line, scene, holders),
        )
        for target, stopped, pieces in targets(line, cue, start, first, stop)
    )


def subject_length(line: AnnotatedSentence, scene: DiscourseState, governor: Cue) -> int:
    """How many words the subject behind a verb takes."""
    named = after(line, scene.cast, governor.stop - 1)
    end = named[-1].end - line.start if named else 0
    return sum(line.row.words[governor.stop - 1].end < word.end <= end for word in line.row.words)


def _is_said(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, governor: Cue | None, *, used: bool) -> bool:
    """Whether a verb of saying or position stands before a noun, near enough to govern it."""
    if _STATED_ITSELF.match(line.row.words[cue.first].key):
        return True  # a word of saying itself
    if governor is None or cue.first - governor.stop > _GOVERNED_REACH:
        return False
    key, previous = line.row.words[cue.first].key, line.row.words[cue.first - 1].key
    near = not used and cue.first - governor.stop <= _NEAR + subject_length(line, scene, governor)
    if previous in _PARTED or not (near or key.startswith("و") or (cue.code == "affirm_importance" and not used)):
        return False
    between = line.text[line.row.words[governor.stop - 1].end : line.row.words[cue.first].start]
    return re.search(r"[.؛;!?؟]", between) is None


def _is_attribute(line: AnnotatedSentence, cue: Cue) -> bool:
    """«التي دعمته», «المدعومة»: a relative clause tells no position; nor does a word of a topic."""
    before = line.row.words[cue.first - 1].key if cue.first else ""
    if before in {"التي", "الذي", "الذين", "اللذين", "سبل", "وسبل", "بحث", "مناقشه", "حول"}:
        return True
    return not cue.is_noun and before in {
        "بشان",
        "من",
        "في",
        "علي",
        "الي",
        "عن",
        "بعد",
        "قبل",
        "مع",
        "عدم",
        "عند",
    }


def _forget_reporter(line: AnnotatedSentence, scene: DiscourseState, speaking: tuple[ActorMention, ...]) -> None:
    """Behind another body that speaks for itself, the one told before reports no more."""
    if _speaks_itself(line, scene, speaking):
        scene.reporter = None


def _speaks_itself(line: AnnotatedSentence, scene: DiscourseState, speaking: tuple[ActorMention, ...]) -> bool:
    """Whether a body or country named in this sentence speaks, and the reporter was told before it."""
    here = (one for one in speaking if line.start <= one.start < line.end)
    told = scene.reporter
    return told is not None and told.start < line.start and any(one.kind in {"body", "country"} for one in here)


def attribution(line: AnnotatedSentence, scene: DiscourseState, holders: tuple[ActorMention, ...]) -> str | None:
    """Who reports it; an institution that speaks for itself has none (contract, ruling 12)."""
    told = scene.reporter
    if told is None or _speaks_itself(line, scene, holders):
        return None
    name = told.named_in(line.article)
    own = any(told.start < one.end and one.start < told.end for one in holders)
    return None if own else name
