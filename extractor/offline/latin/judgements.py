"""Judgements: what somebody calls right or wrong, necessary, or his own resolve, without a verb of position."""

from collections.abc import Iterator
from typing import Final

from mahdar.offline.latin.building import built, polarity
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.objects import (
    DIRECT_PREPOSITION,
    END,
    IMPERSONAL,
    behind_leads,
    clause_end,
    is_infinitive,
    is_new_clause,
    without_stop,
)
from mahdar.offline.latin.stage import ActorMentions
from mahdar.offline.lexicon import word_group
from mahdar.offline.positions import RuleStance

_IMPORTANT: Final = word_group("judgements.important", "latin/names")


def rated(clauses: Clauses) -> Iterator[RuleStance]:
    """«said the blockade was unacceptable», "the siege must be lifted": judgements that somebody utters."""
    words = clauses.words.words
    for at in range(1, len(clauses.sentence.tokens)):
        key = clauses.key(at)
        if clauses.mention_at(at) is not None or key not in words["copulas"] | words["must"]:
            continue
        speaker = clauses.speaker(at)
        if not speaker:
            continue
        first = _content_start(clauses, at)
        if key in words["must"]:
            yield from _required(clauses, at, first, speaker)
        elif first < at:
            yield from _judged(clauses, at, first, speaker)


def _content_start(clauses: Clauses, at: int) -> int:
    """Where the clause of a verb begins, in what somebody says."""
    first = at
    while first > 0:
        key = clauses.key(first - 1)
        verb = any(one.verb.stop == first and one.verb.in_table("speech") for one in clauses.predicates)
        if (
            verb
            or key in END | {'"', "“", "«", "that", "que", "qu'", ","}
            or (key in {"and", "et", "but", "mais"} and is_new_clause(clauses, first, {at}))
        ):
            break
        first -= 1
    return first


def _judged(clauses: Clauses, at: int, first: int, speaker: ActorMentions) -> Iterator[RuleStance]:
    words = clauses.words.words
    for judged in range(at + 1, min(at + 7, len(clauses.sentence.tokens))):
        key = clauses.key(judged)
        if key in words["negation"] | {"pas"} | END | {","}:
            return
        if key in words["evaluated_good"] | words["evaluated_bad"]:
            bad = key in words["evaluated_bad"]
            act = "condemn" if bad else "affirm_importance" if key in _IMPORTANT else "praise"
            stop = clause_end(clauses, at)
            yield from _judgement(clauses, act, speaker, (first, at, judged, stop))
            return


def _judgement(
    clauses: Clauses, act: str, speaker: ActorMentions, places: tuple[int, int, int, int]
) -> Iterator[RuleStance]:
    """What is judged: the subject; behind «it is important» the deed; behind «it was a crime» what was told of last."""
    first, at, judged, stop = places
    bad = polarity(act, stopped=False)
    if clauses.key(first) not in IMPERSONAL:
        target, _ = without_stop(clauses, behind_leads(clauses, first, at), at)
        yield built(clauses, act, speaker, target, bad, None, ((_saying(clauses, first), stop),))
    elif clauses.key(judged + 1) in {"to", "de", "d'", "que", "qu'", "that"} and judged + 2 < stop:
        target, _ = without_stop(clauses, judged + 2, stop)
        yield built(clauses, act, speaker, target, bad, None, ((_saying(clauses, first), stop),))


def _saying(clauses: Clauses, first: int) -> int:
    """Where the verb of saying begins that stands right before what is said."""
    near = [
        one for one in clauses.predicates if one.verb.in_table("speech") and 0 <= first - one.verb.stop <= _SAID_NEAR
    ]
    return near[-1].first if near and near[-1].subject else first


_SAID_NEAR: Final = 3


def vowed(clauses: Clauses, used: set[int]) -> Iterator[RuleStance]:
    """«we will defend», « nous allons couper », "Egypt is ready to", « personne n'a le droit de »."""
    for at in range(len(clauses.sentence.tokens)):
        if at in used or clauses.mention_at(at) is not None:
            continue
        told = _resolve_at(clauses, at)
        if told is None:
            continue
        holders, begin, refused = told
        stop = clause_end(clauses, begin)
        if any(one in used for one in range(begin, stop)):
            continue
        target, against = without_stop(clauses, behind_leads(clauses, begin, stop), stop)
        act = "reject" if refused else "commit"
        yield built(clauses, act, holders, target, polarity(act, stopped=against), None, ((at, stop),))


_FEELINGS: Final = {
    word: act
    for act, words in {
        "concern": "concerned worried alarmed preoccupe preoccupee preoccupes inquiet inquiete inquiets consterne",
        "reject": "opposed hostile oppose opposee opposes opposees",
        "support": "favorable favorables supportive satisfait satisfaite pleased",
        "commit": "committed attache attachee attaches attachees",
        "thank": "grateful reconnaissant reconnaissante",
        "optimism": "confident optimistic hopeful optimiste confiant",
        "condemn": "outraged shocked appalled indigne choque",
    }.items()
    for word in words.split()
}
"""Adjectives of position, behind «is», « s'est dit »."""


_BEING: Final = word_group("judgements.being", "latin/names")


def felt(clauses: Clauses) -> Iterator[RuleStance]:
    """«is deeply concerned about», « s'est dit préoccupé par », "remains committed to"."""
    for at in range(1, len(clauses.sentence.tokens)):
        act = _FEELINGS.get(clauses.key(at))
        if act is None or clauses.key(at + 1) not in DIRECT_PREPOSITION | {"by", "par", "that"}:
            continue
        first = at
        while clauses.key(first - 1) in _BEING:
            first -= 1
        stop = clause_end(clauses, at + 1)
        begin = behind_leads(clauses, at + 1 + (clauses.key(at + 1) == "par"), stop)
        holders = _resolver(clauses, first) if first < at else ()
        if holders and begin < stop and clauses.key(at - 1) not in {"not", "pas"}:
            target, against = without_stop(clauses, begin, stop)
            yield built(clauses, act, holders, target, polarity(act, stopped=against), None, ((first, stop),))


def _resolve_at(clauses: Clauses, at: int) -> tuple[ActorMentions, int, bool] | None:
    """Whose resolve begins at a token, where the deed begins, and whether it is refused."""
    key, _negation = clauses.key(at), clauses.words.words["negation"]
    if key in {"personne", "nobody"}:
        right = next((one for one in range(at + 1, at + 6) if clauses.key(one) in {"droit", "right"}), None)
        return (clauses.speaker(at), right + 2, True) if right is not None else None
    if clauses.sentence.language == "en" and key in {"will", "would", "won't", "wouldn't"}:
        return _will(clauses, at)
    return _go(clauses, at) if clauses.sentence.language == "fr" else None


def _will(clauses: Clauses, at: int) -> tuple[ActorMentions, int, bool] | None:
    """«we will not accept», «Ortega said Peru will advocate»."""
    begin, refused = at + 1, clauses.key(at) not in {"will", "would"}
    while clauses.key(begin) in {"not", "never", "always", "also", "continue", "to"}:
        refused = clauses.key(begin) in {"not", "never"}
        begin += 1
    if clauses.key(begin) in {"be", "have", "meet", "travel", "visit", "host", "discuss"}:
        return None
    holders = _own_speaker(clauses, at)
    return (holders, begin, refused) if holders else None


def _go(clauses: Clauses, at: int) -> tuple[ActorMentions, int, bool] | None:
    """« nous allons couper », « je ne vais pas spéculer », « ne comptent pas jouer », « nous poursuivons »."""
    key = clauses.key(at)
    if key in {"allons", "vais"} | _COUNTING:
        begin = at + 1
        while clauses.key(begin) in {"pas", "jamais", "plus", "essayer", "de", "continuer", "a", "d'"}:
            begin += 1
        refused = clauses.key(at - 1) in {"ne", "n'"}
        return (_own_speaker(clauses, at), begin, refused) if is_infinitive(clauses, begin) else None
    going = key in {"poursuivons", "continuons", "continuerons", "poursuivrons"} and clauses.key(at - 1) == "nous"
    if going:
        stop = at + 1
        if clauses.key(stop) == ",":
            stop = next((one for one in range(stop + 1, stop + 9) if clauses.key(one) == ","), stop) + 1
        return clauses.speaker(at), stop, False
    return None


_COUNTING: Final = word_group("judgements.counting", "latin/names")


def _own_speaker(clauses: Clauses, at: int) -> ActorMentions:
    """The speaker, where a verb's subject is «we», or his country."""
    speaker = clauses.speaker(at)
    first = at
    while clauses.key(first - 1) in {"ne", "n'", "also"}:
        first -= 1
    if clauses.key(first - 1) in {"we", "i", "nous", "je"}:
        return speaker
    held = clauses.mention_at(clauses.before(first))
    if held is None:
        return ()
    return speaker if clauses.named(held, first)[1] else ()


def _resolver(clauses: Clauses, first: int) -> ActorMentions:
    held = clauses.mention_at(clauses.before(first))
    speaker = clauses.speaker(first)
    if held is None:
        return ()
    subject, own = clauses.named(held, first)
    return speaker if own and speaker else subject


def _required(clauses: Clauses, at: int, first: int, speaker: ActorMentions) -> Iterator[RuleStance]:
    """«the siege must be lifted», « il faut lever le blocus »: the whole is the target."""
    stop = clause_end(clauses, at)
    impersonal = clauses.key(at) in {"faut", "faudrait", "faudra"}
    begin = at + 1 if impersonal else first
    if clauses.key(first) in {"we", "i", "nous", "je", "on"}:
        begin = at + 1
    target, against = without_stop(clauses, begin, stop)
    yield built(
        clauses,
        "affirm_importance",
        speaker,
        target,
        polarity("affirm_importance", stopped=against),
        None,
        ((begin, stop),),
    )
