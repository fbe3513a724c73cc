"""Positions in English and French sentences: who takes one, toward what, in which words."""

from collections.abc import Iterator
from typing import Final

from mahdar.documents.folding import word_set
from mahdar.offline.latin.building import built, polarity, positions
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.judgements import felt, rated, vowed
from mahdar.offline.latin.objects import (
    DIRECT_PREPOSITION,
    Object,
    behind_leads,
    clause_end,
    copula_behind,
    noun_start,
    object_of,
    past_adverbs,
    without_stop,
)
from mahdar.offline.latin.stage import ActorMentions, Predicate
from mahdar.offline.lexicon import word_group
from mahdar.offline.positions import RuleStance

_NEGATABLE: Final = frozenset({"recognize", "support"})
"""Acts whose denial is a refusal; what the denial of another means is not known."""


_INTENT: Final = word_group("positions.intent", "latin/names")


def positions_in(clauses: Clauses) -> Iterator[RuleStance]:
    """The positions a sentence holds, in the order of their words."""
    if clauses.sentence.line.text.rstrip(' "”»\u00a0').endswith("?") or clauses.sentence.is_heading:
        return
    found = sorted(_all(clauses), key=lambda one: one.pieces[0][0])
    seen: set[tuple[str, int]] = set()
    for position in found:
        place = (position.target, position.pieces[-1][1])
        if any(map(str.isalpha, position.target)) and position.holders and place not in seen:
            seen.add(place)
            yield position


def _all(clauses: Clauses) -> Iterator[RuleStance]:
    used: set[int] = set()
    for predicate in clauses.predicates:
        told = list(_told(clauses, predicate))
        for position in told:
            used.update(
                range(predicate.verb.at, clauses.sentence.number(position.pieces[-1][1] - clauses.sentence.line.start))
            )
        yield from told
    yield from rated(clauses)
    yield from vowed(clauses, used)
    yield from felt(clauses)
    yield from _nominal(clauses, used)


def _told(clauses: Clauses, predicate: Predicate) -> Iterator[RuleStance]:
    """The positions that a verb tells."""
    act = predicate.verb.code("stance")
    holders = _holders(predicate)
    if not holders or predicate.uncertain:
        return
    if predicate.form == "infinitive" and not _is_intended(clauses, predicate):
        return
    if act == "express":
        yield from _expressed(clauses, predicate, holders)
    elif act == "rate":
        yield from _described(clauses, predicate, holders)
    elif act is not None:
        yield from _acted(clauses, predicate, act, holders)
    elif predicate.own and predicate.future and not predicate.verb.in_table("speech"):
        return


def _holders(predicate: Predicate) -> ActorMentions:
    """Whose position it is: the speaker's, where he speaks of his own side; what he tells of others is not theirs."""
    if predicate.speaker and not predicate.own:
        same = {one.name for one in predicate.speaker} & {one.name for one in predicate.subject}
        return predicate.subject if same else ()
    return predicate.subject


def _is_intended(clauses: Clauses, predicate: Predicate) -> bool:
    """«continues to support», "met to reaffirm": an infinitive that is more than thought of."""
    if clauses.sentence.language != "en":
        before = {clauses.key(one) for one in range(max(0, predicate.verb.at - 4), predicate.verb.at)}
        return not before.isdisjoint(_INTENT)
    before = {clauses.key(one) for one in range(max(0, predicate.verb.at - 5), predicate.verb.at)}
    if "to" in before:
        purpose = predicate.verb.code("stance") == "express" and not before & {"need", "order", "able"}
        return bool(before & _INTENT) or purpose
    return True


def _acted(clauses: Clauses, predicate: Predicate, act: str, holders: ActorMentions) -> Iterator[RuleStance]:
    """A verb of position and its object."""
    if predicate.negated:
        if act not in _NEGATABLE:
            return
        act = "reject"
    if predicate.passive:
        yield from _passive(clauses, predicate, act, holders)
        return
    told = object_of(clauses, predicate, act)
    if told is None or (act == "commit" and _is_agreed(clauses, predicate, holders)):
        return
    yield from positions(clauses, predicate.first, act, holders, told, predicate)


def _is_agreed(clauses: Clauses, predicate: Predicate, holders: ActorMentions) -> bool:
    """What those who met commit to together is an outcome (contract, ruling 6)."""
    together = len(holders) > 1 and any(_same(one, holders) for one in clauses.scene.groups)
    return together and predicate.verb.lemma in {"commit", "agree"}


def _same(group: ActorMentions, holders: ActorMentions) -> bool:
    return {one.name for one in group} == {one.name for one in holders}


def _passive(clauses: Clauses, predicate: Predicate, act: str, holders: ActorMentions) -> Iterator[RuleStance]:
    """«X was condemned by Y»: the target stands before."""
    stop = predicate.first
    while clauses.key(stop - 1) in {",", "widely", "strongly"}:
        stop -= 1
    first = noun_start(clauses, stop)
    target, against = without_stop(clauses, first, stop)
    yield built(
        clauses,
        act,
        holders,
        target,
        polarity(act, stopped=against),
        predicate,
        ((predicate.first, predicate.verb.stop), (first, stop)),
    )


def _expressed(clauses: Clauses, predicate: Predicate, holders: ActorMentions) -> Iterator[RuleStance]:
    """«expressed its concern about», « a réaffirmé son soutien à », «stressed the need for», «stressed that»."""
    if predicate.passive:
        return
    first = past_adverbs(clauses, predicate.verb.stop)
    noun = _noun_of(clauses, first)
    stressing = clauses.words.is_stress(predicate.verb.lemma)
    if noun is not None:
        at, act = noun
        if act == "commit" and clauses.key(at + 2) in {"meet", "rencontrer"}:
            return
        stop = clause_end(clauses, at + 1, lists=True)
        told = Object(at + 1, stop)
        if at + 1 < stop and clauses.key(at + 1) in DIRECT_PREPOSITION | {"that", "que", "qu'"}:
            yield from positions(clauses, predicate.first, act, holders, told, predicate)
    elif stressing:
        yield from _stressed(clauses, predicate, holders, first)


_WIDEST_NOUN_GAP: Final = 5


def _noun_of(clauses: Clauses, first: int) -> tuple[int, str] | None:
    """The noun of position near a verb's object's beginning, and its act."""
    for at in range(
        first, min(first + _WIDEST_NOUN_GAP + _mention_length(clauses, first), len(clauses.sentence.tokens))
    ):
        key = clauses.key(at)
        if key in {"that", "que", "qu'", ",", ".", "to", "of", "for"}:
            return None
        act = clauses.words.nouns.get(key)
        if act and not _is_compound(clauses, at):
            return at, act
    return None


def _is_compound(clauses: Clauses, at: int) -> bool:
    """«support staff», «l'intérêt général»."""
    return clauses.sentence.language == "en" and clauses.key(at + 1) not in DIRECT_PREPOSITION | {"that", ",", "."}


def _mention_length(clauses: Clauses, first: int) -> int:
    held = clauses.mention_at(first) or clauses.mention_at(first + 1)
    return held[1] - held[0] if held else 0


def _stressed(clauses: Clauses, predicate: Predicate, holders: ActorMentions, first: int) -> Iterator[RuleStance]:
    """What somebody stresses: a thing, or a statement, of which the subject is the target."""
    that = clauses.key(first) in {"that", "que", "qu'"}
    if not that:
        stop = clause_end(clauses, first)
        yield from positions(clauses, predicate.first, "affirm_importance", holders, Object(first, stop), predicate)
        return
    if predicate.verb.lemma in {"affirmer", "affirm"}:
        return
    copula = copula_behind(clauses, first + 1)
    if copula is None:
        return
    subject = Object(first + 1, copula)
    yield from positions(clauses, predicate.first, "affirm_importance", holders, subject, predicate)


def _described(clauses: Clauses, predicate: Predicate, holders: ActorMentions) -> Iterator[RuleStance]:
    """«described the raid as a crime», « qualifié la décision de trahison »."""
    words = clauses.words.words
    behind = range(predicate.verb.stop, min(predicate.verb.stop + 16, len(clauses.sentence.tokens)))
    judged = next((at for at in behind if clauses.key(at) in words["evaluated_good"] | words["evaluated_bad"]), None)
    if predicate.passive and judged is not None:
        act = "condemn" if clauses.key(judged) in words["evaluated_bad"] else "praise"
        yield from _passive(clauses, predicate, act, holders)


_FREE_NOUNS: Final = word_set("support call_for reject condemn demand commit concern")


def _nominal(clauses: Clauses, used: set[int]) -> Iterator[RuleStance]:
    """«Egypt's support for», « un appel de la Grèce à », «his opposition to»."""
    for at in range(1, len(clauses.sentence.tokens)):
        act = clauses.words.nouns.get(clauses.key(at))
        if at in used or act not in _FREE_NOUNS or clauses.mention_at(at) is not None:
            continue
        told = _owned(clauses, at)
        if told is None:
            continue
        holders, behind = told
        stop = clause_end(clauses, behind + 1)
        first = behind_leads(clauses, behind + 1, stop)
        target, against = without_stop(clauses, first, stop)
        if target:
            yield built(clauses, act, holders, target, polarity(act, stopped=against), None, ((at, stop),))


def _owned(clauses: Clauses, at: int) -> tuple[ActorMentions, int] | None:
    """« le soutien affiché de la Grèce à »."""
    of = at + 1
    while of < at + 3 and clauses.key(of) not in {"de", "du", "des", "d'"}:
        of += 1
    if clauses.key(of) not in {"de", "du", "des", "d'"}:
        return None
    holders = clauses.joined(of + 1)
    held = next((one for one in clauses.mentions if holders and one[2] == holders[-1]), None)
    return (
        (holders, held[1])
        if held is not None and clauses.key(held[1]) in {"a", "au", "aux", "contre", "pour", "envers"}
        else None
    )
