"""Targets: what a position is about, to whom it is said, and where the words for that begin and end."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mahdar.documents.folding import fold
from mahdar.offline.cues import AnnotatedSentence, Cue, starts_with
from mahdar.offline.lexicon import prefixes, word_group
from mahdar.offline.subjects import DiscourseState, after

LONGEST_TARGET: Final = 16
"""Words: a longer one runs into the next clause."""

LONGEST_LIST: Final = 60
"""Words of several targets."""

_LEADS: Final = word_group("targets.leads")

_PREPOSED: Final = re.compile(r"^(?:بال|لل|ب|ل)(?=\w{3})")

_CLAUSE_END: Final = re.compile(
    r"[.؛;!?؟]|(?<=[^\s(])[»”\"](?=[\s،,]|$)(?!\s*[،,]?\s*و)|،\s*(?:وفق|بحسب|حسب|مشير|مضيف|موضح|مؤكد|مشدد|معرب|داعي|مطالب|لافت|مثمن|معبر|معلن|قائل|متهم"
    r"|فيما|في حين|إذ|حيث|كما)"
)

_GAP: Final = re.compile(r"^[\s:،,\"“”«»\-–]+|[\s:،,\"“”«\-–]+$")


def statements(line: AnnotatedSentence) -> list[Cue]:
    """Words of saying and of position, by place; a word of position counts before one of saying."""
    verbs = line.cues("stance")
    taken = {at for cue in verbs for at in range(cue.first, cue.stop)}
    nouns = [replace(cue, is_noun=True) for cue in line.cues("stance_noun") if cue.first not in taken]
    taken |= {at for cue in nouns for at in range(cue.first, cue.stop)}
    said = [cue for cue in line.cues("speech") if cue.first not in taken]
    return sorted([*verbs, *nouns, *said], key=lambda cue: cue.first)


def targets(
    line: AnnotatedSentence, cue: Cue, start: int, first: int, stop: int
) -> Iterator[tuple[str, bool, tuple[tuple[int, int], ...]]]:
    """What the words between two places are about, each with whether it shall end and with where it is told."""
    if (among := _AMONG.search(line.text, first, stop)) is not None and cue.code in _LISTING:
        first = among.end()
    places = [first, *(_parts(line.text, first, stop) if cue.code in _LISTING else ()), stop]
    for at, (begin, end) in enumerate(itertools.pairwise(places)):
        last = min(end, words_behind(line, begin))
        target, stopped = _without_stop(stripped(line.text, begin, last))
        if target:
            head, piece = (line.start + start, line.start + first), (line.start + begin, line.start + last)
            yield target, stopped, (head, piece) if at else ((head[0], piece[1]),)


_LISTING: Final = frozenset({"affirm_importance", "call_for", "demand", "commit"})
"""Acts of which an article lists the objects."""


_NEXT: Final = re.compile(
    r"(?:[،,]\s*|[»\"”]\s*[،,]?\s*)و(?=((?:ال)?\w{3,})\s)"
    r"|[،,]?\s(?=(?:فضلا عن|فضلاً عن|إلى جانب|بالإضافة إلى|علاوة على)\s)"
)


_DEED: Final = re.compile(
    r"(?:ال)?(?:ت\w{2}ي\w|ا\w{2}ا\w|ا\wا\wه|ا[نفست]\w{2,3}ا\w|م\w{1,2}ا?\w{2,3}ه|ت\w{3}|عوده|عقد|وقف|دعم|رفع|فتح|منع|حل|خفض"
    r"|ضبط|بناء|بنا|ضمان|احترام|حفظ|صون|وضع|نزع|دفع|نشر|بدء|بدا|عدم|ضروره|اهميه)"
)
"""Verbal nouns, by their form, folded: what somebody demands or stresses is a deed."""


def words_behind(line: AnnotatedSentence, begin: int) -> int:
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


_NO_DEED: Final = prefixes("targets.no_deed")


def object_of(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> tuple[str | None, int, int]:
    """To whom a position is said, and where the words about its target begin and end, in the sentence's offsets."""
    stop = clause_end(line, cue)
    first = max(line.row.words[cue.stop - 1].end, _behind_subject(line, scene, cue))
    if cue.is_noun:
        first = _behind_owner(line, scene, cue, first)
    if cue.code in {"call_for", "demand", "accuse", "warn", "thank"}:
        addressee, first = _addressed(line, cue, first, stop)
        return addressee, first, stop
    return None, first, stop


_OWNERS: Final = word_group("targets.owners")


_PREPOSITION: Final = re.compile(r"(?:الي|علي|من|عن|في|بان|لان|ازاء|تجاه|حيال|بشان|[بل]\w{3,})")


_MOST_OWNER: Final = 7
"""Words between a noun of position and its preposition."""


def _behind_owner(line: AnnotatedSentence, scene: DiscourseState, cue: Cue, first: int) -> int:
    """«التزام تونس بمكافحة الإرهاب»: whose position it is stands between the noun and what it is about."""
    words = line.row.words
    if cue.stop >= len(words):
        return first
    begin = line.start + words[cue.stop].start
    owner = next((one for one in scene.cast.within(begin, begin + 2) if one.particle == ""), None)
    place = next((one for one in line.countries if one.start == words[cue.stop].start), None)
    if owner is None and place is None and words[cue.stop].key not in _OWNERS:
        return first
    end = owner.end - line.start if owner else place.end if place else words[cue.stop].end
    behind = [at for at in range(cue.stop, min(cue.stop + _MOST_OWNER, len(words))) if words[at].start >= end]
    if behind and cue.code in _TRANSITIVE and _is_object(words[behind[0]].key):
        return words[behind[0]].start
    found = next((at for at in behind if _PREPOSITION.fullmatch(words[at].key)), None)
    return first if found is None else words[found].start


_TRANSITIVE: Final = word_group("targets.transitive")


_DETERMINERS: Final = word_group("targets.determiners")


def _is_object(key: str) -> bool:
    """Whether a word behind an owner is what the position is about, not an adjective of either."""
    return key in _DETERMINERS


def _behind_subject(line: AnnotatedSentence, scene: DiscourseState, cue: Cue) -> int:
    named = after(line, scene.cast, cue.stop - 1) if not cue.is_noun else ()
    return named[-1].end - line.start if named else 0


def clause_end(line: AnnotatedSentence, cue: Cue) -> int:
    """Where the clause of a word of position ends, in the sentence's offsets."""
    words = line.row.words
    longest = LONGEST_LIST if cue.code in _LISTING else LONGEST_TARGET
    limit = words[min(cue.stop + longest, len(words)) - 1].end
    charged = words[cue.first].key.lstrip("وفم").startswith("حمل")  # «حمّل إسرائيل المسؤولية»: the charged is the target
    ends = [word.start for word in words[cue.stop :] if charged and word.key.endswith("مسووليه")]
    ends += [found.start() for found in _CLAUSE_END.finditer(line.text, words[cue.stop - 1].end + 1)]
    ends += [
        words[other.first].start for other in statements(line) if other.first > cue.stop and _starts_clause(line, other)
    ]
    return min([limit, *ends])


def _starts_clause(line: AnnotatedSentence, cue: Cue) -> bool:
    """Whether a word begins a clause of its own: a verb behind «و» or a comma."""
    key = line.row.words[cue.first].key
    behind_comma = line.text[: line.row.words[cue.first].start].rstrip()[-1:] in {"،", ","}
    joined = key.startswith("و") and not key.startswith(ROOTED_IN_WAW)
    if cue.is_noun:
        return joined and (behind_comma or key.endswith(("ه", "ها", "هم", "هما")))
    return joined or behind_comma


ROOTED_IN_WAW: Final = prefixes("targets.rooted_in_waw")


def _addressed(line: AnnotatedSentence, cue: Cue, first: int, stop: int) -> tuple[str | None, int]:
    """«دعا الدول العربية إلى دعم…»: what stands before «إلى», «بـ», «على» is whom it is said to."""
    for word in line.row.words:
        if not first < word.start < stop:
            continue
        split = word.key in _TO.get(cue.code, _TO_WHOM) or (cue.code in _BY_DEED and _is_deed(word.key))
        if split:
            said_to = line.text[first : word.start].strip(' ،,"“”«»:')
            behind = word.start if word.key.startswith("ب") else word.end
            return (said_to or None, behind) if 0 <= len(said_to.split()) <= 8 else (None, first)
    return None, first


_BY_DEED: Final = frozenset({"demand", "accuse"})
"""Acts whose deed stands behind «بـ»: «طالب الحكومة بالإفراج»."""


def _is_deed(key: str) -> bool:
    return key.startswith("ب") and not key.startswith(_WITH_LETTER) and len(key) > _SHORTEST_DEED


_SHORTEST_DEED: Final = 3
"""Letters of «بـ» with what follows."""
_TO_WHOM: Final = word_group("targets.to_whom")


_TO: Final = {"warn": frozenset({"من"})}
"""Words behind which the target stands: «حذر فلانا من كذا», «دعا فلانا إلى كذا»."""


_EMPTY: Final = _LEADS | word_group("targets.empty")
"""Words between a word of position and its object that are no part of it."""


_WITH_LETTER: Final = prefixes("targets.with_letter")


_DESCRIBED: Final = re.compile(
    r"^ب?(?:أشد|أقسى|أقوى) (?:العبارات|عبارات \S+)\s+|"
    r"^(?:مما|ما|عما|بما|لما)\s+(?:وصف|أسم|اعتبر|سم|يسم)\S*\s+(?:ب|أن|بأن)?ـ?\s*[\"“”«]?"
)
"""«مما وصفه بـ»: what is described follows."""


_AND: Final = re.compile(r"[،,\"»”]?\s+و$")
"""A conjunction whose clause is cut off."""


def stripped(text: str, first: int, stop: int) -> str:
    """The words between, without prepositions before and marks around."""
    trimmed = _DESCRIBED.sub("", _GAP.sub("", text[first:stop]))
    while (words := trimmed.split(" ", 1))[1:] and fold(words[0]) in _EMPTY:
        trimmed = _GAP.sub("", words[1])
    key = fold(trimmed)
    if key.startswith("لل") and len(key) > 4:
        trimmed = f"ال{trimmed[2:]}"  # the article is in the particle
    elif _PREPOSED.match(key) and not key.startswith(_WITH_LETTER):
        trimmed = trimmed[1:]
    return _AND.sub("", trimmed.strip(' "“”«»،,'))


_NOT_DOING: Final = re.compile(r"عدم\s+(?=\S{3,}\s)")


def _without_stop(target: str) -> tuple[str, bool]:
    """«وقف التدخلات»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    if (negated := _NOT_DOING.match(target)) is not None:
        return target[negated.end() :], True
    rest = starts_with(target, "stop")
    return (rest, True) if rest else (target, False)
