"""Positions: the words by which somebody takes one, and what code reads there: holder, target, polarity, source."""

import itertools
import re
from collections.abc import Iterator, Sequence
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
    found.extend(judged(line, scene, found))
    return tuple(sorted(found, key=lambda one: one.pieces[0][0]))


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


def _holders(line: Line, scene: Scene, cue: Cue, governor: Cue | None) -> tuple[Mention, ...]:
    """Whose position it is; an impersonal one is that of all who met (contract, ruling 7)."""
    words = [word.key for word in line.row.words[max(0, cue.first - 4) : cue.stop]]
    if not _IMPERSONAL.isdisjoint(words) and any(_STATED.match(word) for word in words) and scene.groups:
        return scene.groups[-1]
    if cue.is_noun:
        return scene.subject
    holders = subject_of(line, scene, cue)
    return scene.subject if governor and _speaks_for(scene, holders) else holders


def _speaks_for(scene: Scene, holders: tuple[Mention, ...]) -> bool:
    """«أكد الرئيس أن تونس ستواصل»: who speaks for a country or body of theirs holds the position."""
    if len(scene.subject) != 1 or len(holders) != 1 or holders[0].kind not in {"country", "body"}:
        return False
    speaker, named = scene.cast.actor(scene.subject[0]), scene.cast.actor(holders[0])
    own = speaker.country is not None and speaker.country == named.country
    return speaker.type in {"person", "role"} and (own or fold(named.name) in fold(speaker.role or ""))


_STATED_ITSELF: Final = re.compile(r"[وف]?(?:مع )?(?:تاكيد|(?:ال)?(?:تاكيد|تشديد|اشاده|تنويه))")
_IMPERSONAL: Final = listed("تم وتم جري وجري تمت وتمت جرت وجرت تركز شهد شهدت")
_STATED: Final = re.compile(r"(?:ال)?(?:تاكيد|تشديد|اشاده|تنويه|ترحيب|دعوه|مطالبه|ادانه|تعبير|اعراب)")
"""Verbal nouns of taking a position: «تمت الإشادة بـ», «جرى التشديد على»."""


def _told(line: Line, scene: Scene, cue: Cue, governor: Cue | None, *, used: bool) -> tuple[Position, ...]:
    """The positions at a word: one for each thing of a list (contract, ruling 9)."""
    if not cue.is_noun and line.row.words[cue.first].key in _EITHER and _follows(line, scene, cue, governor):
        cue = replace(cue, is_noun=True)
    noun = cue.is_noun
    if (noun and not _is_said(line, scene, cue, governor, used=used)) or _is_attribute(line, cue):
        return ()
    holders = _holders(line, scene, cue, governor)
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
    if _STATED_ITSELF.match(line.row.words[cue.first].key):
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
    if cue.is_noun:
        first = _behind_owner(line, scene, cue, first)
    if cue.code in {"call_for", "demand", "accuse", "warn", "thank"}:
        addressee, first = _addressed(line, cue, first, stop)
        return addressee, first, stop
    return None, first, stop


_OWNERS: Final = listed("بلاده بلادها بلاد حكومته حكومتها المملكه دولته المجتمع")
_PREPOSITION: Final = re.compile(r"(?:الي|علي|من|عن|في|بان|لان|ازاء|تجاه|حيال|بشان|[بل]\w{3,})")
_MOST_OWNER: Final = 7
"""Words between a noun of position and its preposition."""


def _behind_owner(line: Line, scene: Scene, cue: Cue, first: int) -> int:
    """«التزام تونس بمكافحة الإرهاب»: whose position it is stands between the noun and what it is about."""
    words = line.row.words
    if cue.stop >= len(words):
        return first
    begin = line.start + words[cue.stop].start
    owner = next((one for one in scene.cast.within(begin, begin + 2) if one.particle == ""), None)
    if owner is None and words[cue.stop].key not in _OWNERS:
        return first
    end = owner.end - line.start if owner else words[cue.stop].end
    behind = [at for at in range(cue.stop, min(cue.stop + _MOST_OWNER, len(words))) if words[at].start >= end]
    found = next((at for at in behind if _PREPOSITION.fullmatch(words[at].key)), None)
    return first if found is None else words[found].start


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
        split = word.key in _TO.get(cue.code, _TO_WHOM) or (
            word.key.startswith("ب") and cue.code in {"demand", "accuse"} and len(word.key) > 4
        )
        if split:
            said_to = line.text[first : word.start].strip(' ،,"“”«»:')
            behind = word.start if word.key.startswith("ب") else word.end
            return (said_to or None, behind) if 0 <= len(said_to.split()) <= 8 else (None, first)
    return None, first


_TO_WHOM: Final = frozenset({"الي", "علي", "to"})
_TO: Final = {"warn": frozenset({"من", "against"})}
"""Words behind which the target stands: «حذر فلانا من كذا», «دعا فلانا إلى كذا»."""
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


_DESCRIBED: Final = re.compile(r"^(?:مما|ما|عما|بما|لما)\s+(?:وصف|أسم|اعتبر|سم|يسم)\S*\s+(?:ب|أن|بأن)?ـ?\s*[\"“”«]?")
"""«مما وصفه بـ»: what is described follows."""


def _stripped(text: str, first: int, stop: int) -> str:
    """The words between, without prepositions before and marks around."""
    trimmed = _DESCRIBED.sub("", _GAP.sub("", text[first:stop]))
    while (words := trimmed.split(" ", 1))[1:] and fold(words[0]) in _EMPTY:
        trimmed = _GAP.sub("", words[1])
    key = fold(trimmed)
    if key.startswith("لل") and len(key) > 4:
        trimmed = f"ال{trimmed[2:]}"  # the article is in the particle
    elif _PREPOSED.match(key) and not key.startswith(_WITH_LETTER):
        trimmed = trimmed[1:]
    return trimmed.strip(' "“”«»،,')


_NOT_DOING: Final = re.compile(r"عدم\s+(?=\S{3,}\s)")


def _without_stop(target: str) -> tuple[str, bool]:
    """«وقف التدخلات»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    if starts_with(target, "spared"):
        return target, False
    if (negated := _NOT_DOING.match(target)) is not None:
        return target[negated.end() :], True
    rest = starts_with(target, "stop")
    return (rest, True) if rest else (target, False)


def judged(line: Line, scene: Scene, found: Sequence[Position]) -> Iterator[Position]:
    """«اعتبر الاستيطان انتهاكا»: what somebody says something is; the target stands before the judgement."""
    verbs = [cue for cue in _ordered(line) if cue.code == "said" and not is_named(line, scene, cue)]
    words = line.row.words
    for at, verb in enumerate(verbs):
        others = (one.first for one in (*verbs[at + 1 :], *(told.cue for told in found)) if one.first > verb.first)
        clause = _clause_of(line, scene, verb, min(others, default=len(line.row.words)))
        if clause is None:
            continue
        holders = subject_of(line, scene, verb)
        judgement = next((one for one in line.cues("judgement") if clause[0] < one.first < clause[1]), None)
        if not holders or words[verb.first].key.lstrip("وف").startswith(_RELAYING):
            continue
        if judgement is not None:
            yield from _judgement(line, scene, verb, judgement, holders, clause)
        elif words[verb.first].key.lstrip("وف").startswith(_ASSERTING):
            yield from _asserted(line, scene, verb, holders, clause)


def _clause_of(line: Line, scene: Scene, verb: Cue, following: int) -> tuple[int, int] | None:
    """The words that a verb of saying governs, by their numbers: behind «أن», or behind «اعتبر» and its subject."""
    words = line.row.words
    limit = next((at for at in range(verb.stop, following) if _is_break(line, at)), following)
    that = next((at for at in range(verb.stop, limit) if words[at].key in _THAT), None)
    if that is not None and that - verb.stop <= _THAT_REACH:
        return that + 1, limit
    if words[verb.first].key.lstrip("وف").startswith(_JUDGING):
        return verb.stop + _subject_length(line, scene, verb), limit
    return None


def _is_break(line: Line, at: int) -> bool:
    return re.search(r"[.؛;!?؟]", line.text[line.row.words[at - 1].end : line.row.words[at].start]) is not None


_THAT: Final = listed("ان بان انه انها بانه بانها بكون كون")
_THAT_REACH: Final = 16
"""Words between a verb of saying and its «أن»: subject, office, aside."""
_JUDGING: Final = ("اعتبر", "تعتبر", "يعتبر", "وصف", "يصف", "تصف", "معتبر", "عد")


def _judgement(
    line: Line, scene: Scene, verb: Cue, cue: Cue, holders: tuple[Mention, ...], clause: tuple[int, int]
) -> Iterator[Position]:
    words = line.row.words
    begin = words[clause[0]].start
    last = next((at for at in range(clause[0] + 1, cue.first + 1) if words[at].key in _COPULA), cue.first)
    target = _stripped(line.text, begin, words[last - 1].end)
    if not 1 <= len(target.split()) <= LONGEST_TARGET or target in _PRONOUNS:
        return
    end = min(_stop(line, cue), words[clause[1] - 1].end)
    start = words[verb.first].start
    negated = any(words[at].key in _NEGATIONS for at in range(max(clause[0], cue.first - 3), cue.first))
    if negated:
        return
    yield Position(
        line,
        cue,
        holders,
        target,
        "against" if cue.code in AGAINST else "favor",
        speech_of(line, replace(cue, is_noun=True), verb),
        None,
        ((line.start + start, line.start + end),),
        _attribution(line, scene, holders),
    )


_RELAYING: Final = ("نقل", "ذكر", "افاد", "اورد", "كشف", "نشر")
"""Verbs of passing on: what follows is no position of who does it."""
_ASSERTING: Final = ("اكد", "موكد", "يوكد", "توكد", "شدد", "مشدد", "يشدد", "اعتبر", "معتبر", "يعتبر", "راي", "يري", "تري")


def _asserted(
    line: Line, scene: Scene, verb: Cue, holders: tuple[Mention, ...], clause: tuple[int, int]
) -> Iterator[Position]:
    """«أكد أن …»: a position by its content, in favour of what is said to be so."""
    words = line.row.words
    first, last = clause[0], clause[1] - 1
    if last <= first or any(char.isdigit() for char in line.text[words[first].start : words[last].end]):
        return
    end = min(_stop(line, verb), words[last].end) if last < len(words) else _stop(line, verb)
    end = max(end, words[min(first + 3, last)].end)
    act: Act = "support"
    if words[first].key == "لا":
        only = next((at for at in range(first, min(first + _ONLY_REACH, last)) if words[at].key in _ONLY), None)
        act, first = ("reject", first + 1) if only is None else ("affirm_importance", only + 1)
    target = _stripped(line.text, words[first].start, min(end, _words_behind(line, words[first].start)))
    if len(target.split()) < _FEWEST_ASSERTED:
        return
    yield Position(
        line,
        replace(verb, code=act),
        holders,
        target,
        "against" if act in AGAINST else "favor",
        speech_of(line, replace(verb, is_noun=True), verb),
        None,
        ((line.start + words[verb.first].start, line.start + end),),
        _attribution(line, scene, holders),
    )


_ONLY: Final = listed("الا بدون دون سوي بغير عن")
"""«لا سلام من دون», «لا سبيل إلا»: what follows is what it takes."""
_ONLY_REACH: Final = 6
_FEWEST_ASSERTED: Final = 3
"""Words of what is asserted: fewer are a fragment."""


_COPULA: Final = listed("هو هي تعد يعد تمثل يمثل تشكل يشكل تعتبر يعتبر كانت تكون يكون سيكون تاتي ياتي مهم كان هم")
_NEGATIONS: Final = listed("ليس ليست لا لم لن غير دون عدم")
_PRONOUNS: Final = frozenset({"ذلك", "هذا", "هذه", "ما", "أنه", "أنها"})


def _forget_reporter(line: Line, scene: Scene, speaking: tuple[Mention, ...]) -> None:
    """Another body or country that speaks in this sentence speaks for itself, and so do those behind it."""
    here = (one for one in speaking if line.start <= one.start < line.end)
    told = scene.reporter
    if told and told.start < line.start and any(one.kind in {"body", "country"} for one in here):
        scene.reporter = None


def _attribution(line: Line, scene: Scene, holders: tuple[Mention, ...]) -> str | None:
    """Who reports it; an institution that speaks for itself has none (contract, ruling 12)."""
    told = scene.reporter
    if told is None:
        return None
    name = told.named_in(line.article)
    own = any(told.start < one.end and one.start < told.end for one in holders)
    named = {fold(scene.cast.actor(one).name) for one in holders}
    return None if own or any(fold(name) in one or one in fold(name) for one in named) else name
