"""Positions in English and French sentences: who takes one, toward what, in which words."""

from collections.abc import Iterator
from typing import Final

from mahdar.offline.latin.building import built, polarity, positions
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.judgements import felt, rated, vowed
from mahdar.offline.latin.objects import (
    AND,
    DETERMINERS,
    DIRECT_PREPOSITION,
    END,
    IMPERSONAL,
    LEADS,
    Object,
    behind_leads,
    clause_end,
    copula_behind,
    is_infinitive,
    noun_start,
    object_of,
    past_adverbs,
    trimmed,
    without_stop,
)
from mahdar.offline.latin.stage import Mentions, Predicate
from mahdar.offline.positions import Position
from mahdar.resolving.countries import listed

_NEGATABLE: Final = listed("support recognize")
"""Acts whose denial is a refusal; what the denial of another means is not known."""


_INTENT: Final = listed(
    """
    continue continues continued aims aim wants want wanted wishes wish intends intend ready willing prepared agreed
    decided determined continuer continue continuent continuera veut veulent souhaite souhaitent decide pret prets prete
    """
)


def positions_in(clauses: Clauses) -> Iterator[Position]:
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


def _all(clauses: Clauses) -> Iterator[Position]:
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


def _told(clauses: Clauses, predicate: Predicate) -> Iterator[Position]:
    """The positions that a verb tells."""
    act = predicate.verb.code("stance")
    holders = _holders(predicate)
    if not holders or predicate.uncertain:
        return
    if predicate.form == "infinitive" and not _is_intended(clauses, predicate):
        return
    behind = clauses.sentence.line.start + clauses.sentence.tokens[predicate.verb.at].end
    if (
        act is not None
        and predicate.form != "gerund"
        and predicate.is_inverted(behind)
        and predicate.verb.in_table("speech")
    ):
        return  # «…», a promis X: what was said stands before
    if act == "express" or (act is None and clauses.words.is_stress(predicate.verb.lemma)):
        yield from _expressed(clauses, predicate, holders)
    elif act == "rate":
        yield from _described(clauses, predicate, holders)
    elif act is not None:
        yield from _acted(clauses, predicate, act, holders)
    elif predicate.own and predicate.future and not predicate.verb.in_table("speech"):
        return


def _holders(predicate: Predicate) -> Mentions:
    """Whose position it is: the speaker's, where he speaks of his own side; what he tells of others is not theirs."""
    if predicate.speaker and not predicate.own:
        same = {one.name for one in predicate.speaker} & {one.name for one in predicate.subject}
        return predicate.subject if same or predicate.verb.in_table("speech") else ()
    return predicate.subject


def _is_intended(clauses: Clauses, predicate: Predicate) -> bool:
    """«continues to support», "met to reaffirm": an infinitive that is more than thought of."""
    if clauses.sentence.language != "en":
        before = {clauses.key(one) for one in range(max(0, predicate.verb.at - 4), predicate.verb.at)}
        return not before.isdisjoint(_INTENT)
    if (
        clauses.key(predicate.verb.at - 1) in {"will", "would", "did", "does", "do", "not"}
        or predicate.first < predicate.verb.at - 1
    ):
        return True
    before = {clauses.key(one) for one in range(max(0, predicate.verb.at - 5), predicate.verb.at)}
    if "to" in before:
        purpose = predicate.verb.code("stance") == "express" and not before & {"need", "order", "able"}
        return bool(before & _INTENT) or purpose
    return True


def _acted(clauses: Clauses, predicate: Predicate, act: str, holders: Mentions) -> Iterator[Position]:
    """A verb of position and its object."""
    if predicate.negated:
        if act not in _NEGATABLE:
            return
        act = "reject"
    if predicate.passive:
        yield from _passive(clauses, predicate, act, holders)
        return
    told = object_of(clauses, predicate, act)
    if told is not None and clauses.key(told.first + 1) in {"comment", "commenter", "say", "elaborate"}:
        return  # nothing is said
    if told is None or _is_saying(clauses, predicate, act, told):
        return
    if predicate.verb.lemma in _WANTING and _is_own_deed(clauses, told.first):
        act = "commit"
    if act == "commit" and _is_agreed(clauses, predicate, holders, told):
        return
    yield from positions(clauses, predicate.first, act, holders, told, predicate)


def _is_saying(clauses: Clauses, predicate: Predicate, act: str, told: Object) -> bool:
    """« soutient que »: a verb of position that only says; what is hoped or wanted for oneself is none either."""
    that = clauses.key(predicate.verb.stop) in {"that", "que", "qu'"}
    return (that and act in {"support", "recognize", "praise"} and predicate.verb.lemma != "souhaiter") or (
        predicate.verb.lemma in {"want", "seek", "vouloir", "ask", "demander"} and not _is_ask(clauses, predicate, told)
    )


_WANTING: Final = listed("want vouloir souhaiter intend")


def _is_own_deed(clauses: Clauses, at: int) -> bool:
    """«wants to leave», « souhaite transférer »: what somebody wants to do."""
    if clauses.sentence.language == "en":
        return clauses.key(at) == "to"
    return is_infinitive(clauses, at)


def _is_agreed(clauses: Clauses, predicate: Predicate, holders: Mentions, told: Object) -> bool:
    """What those who met commit to together is an outcome (contract, ruling 6); to meet again is a meeting."""
    first = behind_leads(clauses, told.first, told.stop)
    together = len(holders) > 1 and any(_same(one, holders) for one in clauses.scene.groups)
    return clauses.key(first) in {"meet", "rencontrer"} or (together and predicate.verb.lemma in {"commit", "agree"})


def _same(group: Mentions, holders: Mentions) -> bool:
    return {one.name for one in group} == {one.name for one in holders}


def _is_ask(clauses: Clauses, predicate: Predicate, told: Object) -> bool:
    """«asked Egypt to», "wants an end to": a want that concerns others."""
    own = predicate.verb.lemma in _WANTING and _is_own_deed(clauses, told.first)
    return own or told.addressee is not None or predicate.verb.lemma == "demander"


def _passive(clauses: Clauses, predicate: Predicate, act: str, holders: Mentions) -> Iterator[Position]:
    """«X was condemned by Y»: the target stands before."""
    stop = predicate.first
    while clauses.key(stop - 1) in {",", "widely", "strongly"} or clauses.key(stop - 1).endswith(("ly", "ment")):
        stop -= 1
    first = noun_start(clauses, stop)
    if first >= stop or clauses.key(first) in IMPERSONAL:
        return
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


def _expressed(clauses: Clauses, predicate: Predicate, holders: Mentions) -> Iterator[Position]:
    """«expressed its concern about», « a réaffirmé son soutien à », «stressed the need for», «stressed that»."""
    if predicate.negated or predicate.passive:
        return
    first = past_adverbs(clauses, predicate.verb.stop)
    noun = _noun_of(clauses, first)
    stressing = clauses.words.is_stress(predicate.verb.lemma)
    if noun is not None:
        at, act = noun
        if act == "commit" and clauses.key(at + 2) in {"meet", "rencontrer"}:
            return
        if clauses.key(at) in clauses.words.spared:
            yield from positions(
                clauses, predicate.first, act, holders, Object(first, clause_end(clauses, first)), predicate
            )
            return
        if act == "affirm_importance" and not (stressing or predicate.verb.lemma in _TELLING):
            return
        if act in {"support", "reject", "condemn", "commit", "concern"}:
            at = _past_owner(clauses, at)
        stop = clause_end(clauses, at + 1, lists=True)
        told = Object(at + 1, stop)
        if at + 1 < stop and clauses.key(at + 1) in DIRECT_PREPOSITION | {"that", "que", "qu'"}:
            yield from positions(clauses, predicate.first, act, holders, told, predicate)
    elif stressing:
        yield from _stressed(clauses, predicate, holders, first)


def _past_owner(clauses: Clauses, at: int) -> int:
    """«the support of the United States for», « le soutien de la France à »: behind the owner."""
    if clauses.key(at + 1) not in {"of", "de", "du", "des", "d'"}:
        return at
    owner = next((one for one in clauses.mentions if at + 1 < one[0] <= at + 3), None)
    behind = owner[1] if owner is not None else 0
    return behind - 1 if clauses.key(behind) in {"for", "to", "a", "au", "aux", "pour", "contre"} else at


_TELLING: Final = listed("express recall reiterate convey share exprimer évoquer mettre rappeler confirmer")


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


def _stressed(clauses: Clauses, predicate: Predicate, holders: Mentions, first: int) -> Iterator[Position]:
    """What somebody stresses: a thing, or a statement, of which the subject is the target."""
    that = clauses.key(first) in {"that", "que", "qu'"}
    if not that:
        if predicate.verb.lemma in {"affirm", "affirmer", "rappeler"} or clauses.key(first) in {
            '"',
            "“",
            "«",
            ",",
            ":",
        }:
            return
        stop = clause_end(clauses, first)
        if any(clauses.key(one) in _NEUTRAL for one in range(first, min(first + 5, stop))):
            return
        yield from positions(clauses, predicate.first, "affirm_importance", holders, Object(first, stop), predicate)
        return
    if predicate.verb.lemma in {"affirmer", "affirm"}:
        return
    copula = copula_behind(clauses, first + 1)
    if copula is None or clauses.key(first + 1) in IMPERSONAL:
        return
    subject = Object(first + 1, copula)
    yield from positions(clauses, predicate.first, "affirm_importance", holders, subject, predicate)


_NEUTRAL: Final = listed("position stance view views attitude posture avis point")
"""What somebody reaffirms without telling it."""


def _described(clauses: Clauses, predicate: Predicate, holders: Mentions) -> Iterator[Position]:
    """«described the raid as a crime», « qualifié la décision de trahison »."""
    if predicate.negated:
        return
    words = clauses.words.words
    stop = next(
        (at for at in range(predicate.verb.stop, len(clauses.sentence.tokens)) if clauses.key(at) in END),
        len(clauses.sentence.tokens),
    )
    judged = next(
        (
            at
            for at in range(predicate.verb.stop, min(predicate.verb.stop + 16, stop))
            if clauses.key(at) in words["evaluated_good"] | words["evaluated_bad"]
        ),
        None,
    )
    if judged is None:
        return
    act = "condemn" if clauses.key(judged) in words["evaluated_bad"] else "praise"
    if predicate.passive:
        yield from _passive(clauses, predicate, act, holders)
        return
    border = next(
        (
            at
            for at in range(judged, predicate.verb.stop, -1)
            if clauses.key(at) in {"as", "de", "d'", "a", "an", '"', "“", "«"}
        ),
        None,
    )
    while border is not None and clauses.key(border - 1) in {"as", "a", "an", "de", "d'", '"', "“", "«"}:
        border -= 1
    if border is not None and border >= predicate.verb.stop + 1 and clauses.key(predicate.verb.stop) not in IMPERSONAL:
        yield from positions(
            clauses,
            predicate.first,
            act,
            holders,
            Object(predicate.verb.stop, trimmed(clauses, predicate.verb.stop, border)),
            predicate,
        )


_FREE_NOUNS: Final = listed("support call_for reject condemn demand commit concern")


def _nominal(clauses: Clauses, used: set[int]) -> Iterator[Position]:
    """«Egypt's support for», « un appel de la Grèce à », «his opposition to»."""
    for at in range(1, len(clauses.sentence.tokens)):
        act = clauses.words.nouns.get(clauses.key(at))
        if at in used or act not in _FREE_NOUNS or clauses.mention_at(at) is not None:
            continue
        told = _possessed(clauses, at) if clauses.sentence.language == "en" else _owned(clauses, at)
        if told is None:
            continue
        holders, behind = told
        stop = clause_end(clauses, behind + 1)
        if clauses.key(behind) not in DIRECT_PREPOSITION or behind + 1 >= stop or not holders:
            continue
        first = behind_leads(clauses, behind + 1, stop)
        target, against = without_stop(clauses, first, stop)
        if target:
            yield built(clauses, act, holders, target, polarity(act, stopped=against), None, ((at, stop),))


def _possessed(clauses: Clauses, at: int) -> tuple[Mentions, int] | None:
    """«Egypt's strong support for»."""
    first = at - 1
    while first > 0 and clauses.mention_at(first) is None and clauses.key(first) != "'s" and at - first < 4:
        if not clauses.sentence.tokens[first].is_word or clauses.key(first) in LEADS | DETERMINERS | AND:
            return None
        first -= 1
    if clauses.key(first) == "'s" and (held := clauses.mention_at(first - 1)) is not None:
        return clauses.scene.resolved(held[2]), at + 1
    return None


def _owned(clauses: Clauses, at: int) -> tuple[Mentions, int] | None:
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
