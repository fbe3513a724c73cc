"""Positions: the words by which somebody takes one, and what code reads there: holder, target, polarity, source."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from extractor.choosing.actors import Mention
from extractor.choosing.cues import Cue, Line, starts_with
from extractor.choosing.quotations import speech_of
from extractor.choosing.subjects import Scene, after, is_named, subject_of
from extractor.grounding.folding import fold
from extractor.resolving.countries import listed
from schemas.enums import Act, Polarity, Speech

AGAINST: Final = frozenset({"reject", "condemn", "accuse", "warn", "concern", "deny"})
LONGEST_TARGET: Final = 16
"""Words: a longer one runs into the next clause."""
LONGEST_LIST: Final = 60
"""Words of several targets."""
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
    r"[.؛;!?؟]|(?<=[^\s(])[»”\"](?!\s*[،,]?\s*و)|،\s*(?:وفق|بحسب|حسب|مشير|مضيف|موضح|مؤكد|مشدد|معرب|داعي|مطالب|لافت|مثمن|معبر|معلن|قائل|متهم"
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


def positions_in(line: Line, scene: Scene) -> tuple[Position, ...]:
    """The positions a sentence may hold, in the order of their words; the scene's subject moves on with them."""
    if line.text.rstrip(' "”»').endswith(("؟", "?")):
        return ()  # a question takes no position
    found: list[Position] = []
    governor: Cue | None = None
    used = False  # whether the verb of saying governs a noun already
    for cue in _ordered(line):
        if is_named(line, scene, cue):
            continue
        if cue.code == "said":
            subject = subject_of(line, scene, cue)
            scene.subject = subject or scene.subject
            governor, used = cue, False
            continue
        told = _told(line, scene, cue, governor, used=used)
        used = used or bool(told)
        found.extend(told)
        if told and not cue.is_noun:
            scene.subject = told[0].holders
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


def _told(line: Line, scene: Scene, cue: Cue, governor: Cue | None, *, used: bool) -> tuple[Position, ...]:
    """The positions at a word: one for each thing of a list (contract, ruling 9)."""
    if not cue.is_noun and line.row.words[cue.first].key in _EITHER and _follows(line, scene, cue, governor):
        cue = replace(cue, is_noun=True)
    noun = cue.is_noun
    if (noun and not _is_said(line, scene, cue, governor, used=used)) or _is_attribute(line, cue):
        return ()
    holders = _holders(line, scene, cue)
    addressee, first, stop = _object(line, scene, cue)
    if not holders:
        return ()
    start = line.row.words[governor.first if noun and governor else cue.first].start
    return tuple(
        Position(
            line,
            cue,
            holders,
            target,
            "against" if cue.code in AGAINST or stopped else "favor",
            speech_of(line, cue, governor),
            addressee,
            pieces,
            _attribution(line, scene, holders),
        )
        for target, stopped, pieces in _targets(line, cue, start, first, stop)
    )


def _targets(
    line: Line, cue: Cue, start: int, first: int, stop: int
) -> Iterator[tuple[str, bool, tuple[tuple[int, int], ...]]]:
    """What the words between two places are about, each with whether it shall end and with where it is told."""
    if (among := _AMONG.search(line.text, first, stop)) is not None and cue.code in _LISTING:
        first = among.end()
    places = [first, *(_parts(line.text, first, stop) if cue.code in _LISTING else ()), stop]
    for at, (begin, end) in enumerate(itertools.pairwise(places)):
        end = min(end, _words_behind(line, begin))
        target, stopped = _without_stop(_stripped(line.text, begin, end))
        if target:
            head, piece = (line.start + start, line.start + first), (line.start + begin, line.start + end)
            yield target, stopped, (head, piece) if at else ((head[0], piece[1]),)


_LISTING: Final = frozenset({"affirm_importance", "call_for", "demand", "commit"})
"""Acts of which an article lists the objects."""
_NEXT: Final = re.compile(
    r"(?:[،,]\s*|[»\"”]\s*[،,]?\s*)و(?=((?:ال)?\w{3,})\s)|[،,]?\s(?=(?:فضلا عن|فضلاً عن|إلى جانب|بالإضافة إلى|علاوة على)\s)"
)
_DEED: Final = re.compile(
    r"(?:ال)?(?:ت\w{2}ي\w|ا\w{2}ا\w|ا[نفست]\w{2,3}ا\w|م\w{1,2}ا?\w{2,3}ه|ت\w{3}|عوده|عقد|وقف|دعم|رفع|فتح|منع|حل|خفض"
    r"|ضبط|بناء|بنا|ضمان|احترام|حفظ|صون|وضع|نزع|دفع|نشر|بدء|بدا|عدم|ضروره|اهميه)"
)
"""Verbal nouns, by their form, folded: what somebody demands or stresses is a deed."""


def _words_behind(line: Line, begin: int) -> int:
    """Where as many words end as a target may have."""
    behind = [word.end for word in line.row.words if word.start >= begin][:LONGEST_TARGET]
    return behind[-1] if behind else begin


_AMONG: Final = re.compile(r"بما في ذلك|بما فيها|بما يشمل|وهي:|ومنها|من بينها")
"""Before a list: «مطالبه، بما في ذلك وقف القتال، وعودة النازحين»."""


def _parts(text: str, first: int, stop: int) -> Iterator[int]:
    """Where further things of a list begin: «… ، وعودة النازحين، وإعادة الإعمار»."""
    for found in _NEXT.finditer(text, first, stop):
        deed = found[1]
        if deed is None or (_DEED.fullmatch(fold(deed)) and not fold(deed).startswith(_NO_DEED)):
            yield found.end()


_NO_DEED: Final = ("التي", "الذي", "تونس", "تركيا", "ايران", "تم", "تكون", "تعد", "تعتبر", "تاتي")


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


def _object(line: Line, scene: Scene, cue: Cue) -> tuple[str | None, int, int]:
    """To whom a position is said, and where the words about its target begin and end, in the sentence's offsets."""
    stop = _stop(line, cue)
    first = max(line.row.words[cue.stop - 1].end, _behind_subject(line, scene, cue))
    if cue.code in {"call_for", "demand", "accuse", "warn", "thank"}:
        addressee, first = _addressed(line, cue, first, stop)
        return addressee, first, stop
    return None, first, stop


def _behind_subject(line: Line, scene: Scene, cue: Cue) -> int:
    named = after(line, scene.cast, cue.stop - 1) if not cue.is_noun else ()
    return named[-1].end - line.start if named else 0


def _stop(line: Line, cue: Cue) -> int:
    """Where the clause of a word of position ends, in the sentence's offsets."""
    words = line.row.words
    longest = LONGEST_LIST if cue.code in _LISTING else LONGEST_TARGET
    limit = words[min(cue.stop + longest, len(words)) - 1].end
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


_EMPTY: Final = _LEADS | listed(
    """
    خلال اهميه ضروره ايضا مجددا كذلك شديد شديده الشديد الشديده الكامل الكامله التام التامه القاطع القاطعه المطلق البالغ
    بالغ العميق عميق الجزيل الخالص الدايم الثابت الراسخ المتواصل المستمر الكبير الصادق واسعه حاده لاذعه
    """
)
"""Words between a word of position and its object that are no part of it."""
_WITH_LETTER: Final = (
    "بلاد", "بيان", "بناء", "لقاء", "ليبي", "لبنان", "بعث", "بحث", "برنامج", "بيع", "بقاء", "لجن"
)  # fmt: skip
"""Words whose first letter is no preposition."""


def _stripped(text: str, first: int, stop: int) -> str:
    """The words between, without prepositions before and marks around."""
    trimmed = _GAP.sub("", text[first:stop])
    while (words := trimmed.split(" ", 1))[1:] and fold(words[0]) in _EMPTY:
        trimmed = _GAP.sub("", words[1])
    key = fold(trimmed)
    if key.startswith("لل") and len(key) > 4:
        trimmed = f"ال{trimmed[2:]}"  # the article is in the particle
    elif _PREPOSED.match(key) and not key.startswith(_WITH_LETTER):
        trimmed = trimmed[1:]
    return trimmed.strip(' "“”«»،,')


def _without_stop(target: str) -> tuple[str, bool]:
    """«وقف التدخلات»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    if starts_with(target, "spared"):
        return target, False
    rest = starts_with(target, "stop")
    return (rest, True) if rest else (target, False)


def _attribution(line: Line, scene: Scene, holders: tuple[Mention, ...]) -> str | None:
    """Who reports it; an institution that speaks for itself has none (contract, ruling 12)."""
    told = scene.reporter
    if told is None:
        return None
    name = told.named_in(line.article)
    own = any(told.start < one.end and one.start < told.end for one in holders)
    named = {fold(scene.cast.actor(one).name) for one in holders}
    return None if own or any(fold(name) in one or one in fold(name) for one in named) else name
