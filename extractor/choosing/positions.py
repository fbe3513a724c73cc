"""Positions: the words by which somebody takes one, and what code reads there: holder, target, polarity, source."""

import re
from dataclasses import dataclass, replace
from typing import Final

from extractor.choosing.actors import Mention
from extractor.choosing.cues import Cue, Line, starts_with
from extractor.choosing.subjects import Scene, after, is_named, subject_of
from extractor.grounding.folding import fold
from extractor.resolving.countries import listed
from schemas.enums import Act, Polarity, Speech

AGAINST: Final = frozenset({"reject", "condemn", "accuse", "warn", "concern", "deny"})
LONGEST_TARGET: Final = 16
"""Words: a longer one runs into the next clause."""
_NEAR: Final = 6
"""Words between a verb of saying and a noun of position, the subject aside; a noun behind «و» may stand farther."""
_PARTED: Final = listed("في اشكال سبيل اجل مزيد المزيد من بين سبل وسبل بحث مناقشه حول بشان لدعم")
"""Words before a noun that make it a part of something else: «أشكال الدعم»."""
_EITHER: Final = listed("شكر رفض طلب شجب")
"""Verbs or nouns, by their place."""
_GOVERNED_REACH: Final = 20
"""Words between a verb of saying and the noun of position that it governs."""

_LEADS: Final = listed(
    """
    علي الي عن ان بان ب في من ل بشده بقوه بحزم اي التي to on for of the that
    """
)
_PREPOSED: Final = re.compile(r"^(?:بال|لل|ب|ل)(?=\w{3})")
_CLAUSE_END: Final = re.compile(
    r"[.؛;!?؟»”\"]|،\s*(?:وفق|بحسب|حسب|مشير|مضيف|موضح|مؤكد|مشدد|معرب|داعي|مطالب|لافت|مثمن|معبر|معلن|قائل|متهم"
    r"|فيما|في حين|إذ|حيث|كما)"
)
_GAP: Final = re.compile(r"^[\s:،,\"“”«»\-–]+|[\s:،,\"“”«\-–]+$")


@dataclass(frozen=True, slots=True)
class Position:
    """What code reads at one word of position."""

    line: Line
    cue: Cue
    holders: tuple[Mention, ...]
    target: str
    polarity: Polarity
    speech: Speech
    addressee: str | None
    clause: tuple[int, int]
    """from the verb to the end of the target, in the article"""
    attribution: str | None

    @property
    def act(self) -> Act:
        """What the holder does."""
        return self.cue.code  # type: ignore[return-value]  # the table's codes are acts


def positions_in(line: Line, scene: Scene) -> tuple[Position, ...]:
    """The positions a sentence may hold, in the order of their words; the scene's subject moves on with them."""
    found: list[Position] = []
    source: str | None = None
    governor: Cue | None = None
    used = False  # whether the verb of saying governs a noun already
    for cue in _ordered(line):
        if is_named(line, scene, cue):
            continue
        if cue.code == "said":
            subject = subject_of(line, scene, cue)
            source = _source(line, cue) or source
            scene.subject = subject or scene.subject
            governor, used = cue, False
            continue
        position = _position(line, scene, cue, governor, source, used=used)
        used = used or position is not None
        if position is not None:
            found.append(position)
            if not cue.is_noun:
                scene.subject = position.holders
        governor = governor if cue.is_noun else None
    return tuple(found)


def _ordered(line: Line) -> list[Cue]:
    """Words of saying and of position, by place; a word of position counts before one of saying."""
    verbs = line.cues("stance")
    taken = {at for cue in verbs for at in range(cue.first, cue.stop)}
    nouns = [replace(cue, is_noun=True) for cue in line.cues("stance_noun") if cue.first not in taken]
    taken |= {at for cue in nouns for at in range(cue.first, cue.stop)}
    said = [cue for cue in line.cues("speech") if cue.first not in taken]
    return sorted([*verbs, *nouns, *said], key=lambda cue: cue.first)


def _follows(line: Line, scene: Scene, cue: Cue, governor: Cue | None) -> bool:
    """Whether a word that may be verb or noun stands right behind a verb of saying and its subject."""
    return governor is not None and cue.first - governor.stop <= _subject_length(line, scene, governor) + 1


def _holders(line: Line, scene: Scene, cue: Cue) -> tuple[Mention, ...]:
    """Whose position it is; an impersonal one is that of all who met (contract, ruling 7)."""
    words = [word.key for word in line.row.words[max(0, cue.first - 3) : cue.stop]]
    impersonal = not {"تم", "وتم", "جري", "تركز"}.isdisjoint(words) and any("تاكيد" in word for word in words)
    if impersonal and scene.groups:
        return scene.groups[-1]
    return scene.subject if cue.is_noun else subject_of(line, scene, cue)


def _position(
    line: Line, scene: Scene, cue: Cue, governor: Cue | None, source: str | None, *, used: bool
) -> Position | None:
    if not cue.is_noun and line.row.words[cue.first].key in _EITHER and _follows(line, scene, cue, governor):
        cue = replace(cue, is_noun=True)
    noun = cue.is_noun
    if noun and not _is_said(line, scene, cue, governor, used=used):
        return None
    if _is_attribute(line, cue):
        return None
    holders = _holders(line, scene, cue)
    target, addressee, end = _target(line, scene, cue)
    if not holders or not target:
        return None
    target, stopped = _without_stop(target)
    start = line.start + line.row.words[governor.first if noun and governor else cue.first].start
    polarity: Polarity = "against" if cue.code in AGAINST or stopped else "favor"
    return Position(
        line,
        cue,
        holders,
        target,
        polarity,
        _speech(line, cue),
        addressee,
        (start, end),
        source,
    )


def _subject_length(line: Line, scene: Scene, governor: Cue) -> int:
    """How many words the subject behind a verb takes."""
    named = after(line, scene.cast, governor.stop - 1)
    end = named[-1].end - line.start if named else 0
    return sum(line.row.words[governor.stop - 1].end < word.end <= end for word in line.row.words)


def _is_said(line: Line, scene: Scene, cue: Cue, governor: Cue | None, *, used: bool) -> bool:
    """Whether a verb of saying or position stands before a noun, near enough to govern it."""
    if "تاكيد" in line.row.words[cue.first].key:
        return True  # a word of saying itself
    if governor is None or cue.first - governor.stop > _GOVERNED_REACH:
        return False
    key, previous = line.row.words[cue.first].key, line.row.words[cue.first - 1].key
    near = not used and cue.first - governor.stop <= _NEAR + _subject_length(line, scene, governor)
    if previous in _PARTED or not (near or key.startswith("و") or (cue.code == "affirm_importance" and not used)):
        return False
    between = line.text[line.row.words[governor.stop - 1].end : line.row.words[cue.first].start]
    return re.search(r"[.؛;!?؟]", between) is None


def _is_attribute(line: Line, cue: Cue) -> bool:
    """«التي دعمته», «المدعومة»: a relative clause tells no position; nor does a word of a topic."""
    before = line.row.words[cue.first - 1].key if cue.first else ""
    if before in {"التي", "الذي", "الذين", "اللذين", "سبل", "وسبل", "بحث", "مناقشه", "حول"}:
        return True
    behind = line.row.words[cue.stop].key if cue.stop < len(line.row.words) else ""
    if behind in {"par", "by"}:
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
        "the",
        "of",
        "عند",
    }


def _target(line: Line, scene: Scene, cue: Cue) -> tuple[str, str | None, int]:
    """What a position is about, to whom it is said, and where that ends in the article."""
    words = line.row.words
    start = words[cue.stop - 1].end
    stop = _stop(line, cue)
    subject_end = _behind_subject(line, scene, cue)
    first = max(start, subject_end)
    addressee = None
    if cue.code in {"call_for", "demand", "accuse", "warn", "thank"}:
        addressee, first = _addressed(line, cue, first, stop)
    text, begin = _stripped(line.text, first, stop)
    return text, addressee, line.start + max(stop, begin)


def _behind_subject(line: Line, scene: Scene, cue: Cue) -> int:
    named = after(line, scene.cast, cue.stop - 1) if not cue.is_noun else ()
    return named[-1].end - line.start if named else 0


def _stop(line: Line, cue: Cue) -> int:
    """Where the clause of a word of position ends, in the sentence's offsets."""
    words = line.row.words
    limit = words[min(cue.stop + LONGEST_TARGET, len(words)) - 1].end
    ends = [found.start() for found in _CLAUSE_END.finditer(line.text, words[cue.stop - 1].end + 1)]
    ends += [
        words[other.first].start for other in _ordered(line) if other.first > cue.stop and _starts_clause(line, other)
    ]
    return min([limit, *ends])


def _starts_clause(line: Line, cue: Cue) -> bool:
    """Whether a word begins a clause of its own: a verb behind «و» or a comma."""
    key = line.row.words[cue.first].key
    before = line.text[: line.row.words[cue.first].start].rstrip()[-1:]
    verb = not cue.is_noun
    return (verb and (key.startswith("و") or before in "،,")) or (not verb and key.startswith("و") and before in "،,")


def _addressed(line: Line, cue: Cue, first: int, stop: int) -> tuple[str | None, int]:
    """«دعا الدول العربية إلى دعم…»: what stands before «إلى», «بـ», «على» is whom it is said to."""
    for at, word in enumerate(line.row.words):
        if not first < word.start < stop or at < cue.stop:
            continue
        split = word.key in {"الي", "علي", "to"} or (
            word.key.startswith("ب") and cue.code in {"demand", "accuse"} and len(word.key) > 4
        )
        if split:
            said_to = line.text[first : word.start].strip(' ،,"“”«»:')
            behind = word.start if word.key.startswith("ب") else word.end
            return (said_to or None, behind) if 0 <= len(said_to.split()) <= 8 else (None, first)
    return None, first


_EMPTY: Final = _LEADS | listed("خلال اهميه ضروره")
_WITH_LETTER: Final = (
    "بلاد", "بيان", "بناء", "لقاء", "ليبي", "لبنان", "بعث", "بحث", "برنامج", "بيع", "بقاء", "لجن"
)  # fmt: skip
"""Words whose first letter is no preposition."""


def _stripped(text: str, first: int, stop: int) -> tuple[str, int]:
    """The words between, without prepositions before and marks around."""
    trimmed = _GAP.sub("", text[first:stop])
    while (words := trimmed.split(" ", 1))[1:] and fold(words[0]) in _EMPTY:
        trimmed = _GAP.sub("", words[1])
    key = fold(trimmed)
    if _PREPOSED.match(key) and not key.startswith(_WITH_LETTER):
        trimmed = trimmed[1:]
    return trimmed.strip(' "“”«»،,'), first + max(text[first:stop].find(trimmed), 0)


def _without_stop(target: str) -> tuple[str, bool]:
    """«وقف التدخلات»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    if starts_with(target, "spared"):
        return target, False
    rest = starts_with(target, "stop")
    return (rest, True) if rest else (target, False)


def _speech(line: Line, cue: Cue) -> Speech:
    """Direct where the word itself stands in quote marks."""
    before = line.text[: line.row.words[cue.first].start]
    opened = sum(before.count(mark) for mark in "«“") - sum(before.count(mark) for mark in "»”")
    if before.count('"') % 2 or opened > 0:
        return "direct"
    behind = line.text[line.row.words[cue.stop - 1].end : line.row.words[cue.stop - 1].end + 20]
    return "mixed" if re.search(r"[«“\"]", behind) else "indirect"


def _source(line: Line, cue: Cue) -> str | None:
    """Who reports, where a verb of saying has a body, a spokesman or a statement as its subject."""
    words = line.row.words[cue.stop : cue.stop + 3]
    if not any(one.first in range(cue.stop, cue.stop + 2) for one in line.cues("source") if one.code == "body"):
        return None
    end = next(
        (word.start for word in line.row.words[cue.stop :] if word.key in {"ان", "انه", "انها", "علي", "عن", "في"}),
        None,
    )
    text = line.text[words[0].start : end] if words and end else ""
    text = re.split(r"[،,]", text)[0].strip(" ،,")
    return text if 0 < len(text.split()) <= 8 else None
