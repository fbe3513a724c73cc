"""Positions in English and French sentences: who takes one, toward what, in which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from extractor.choosing.cues import Cue
from extractor.choosing.latin.clauses import Clauses, Mentions, Predicate
from extractor.choosing.positions import AGAINST, Position
from extractor.resolving.countries import listed
from schemas.enums import Polarity, Speech

LONGEST_TARGET: Final = 26
"""Words: a longer one runs into the next clause."""
_NEGATABLE: Final = listed("support recognize")
"""Acts whose denial is a refusal; what the denial of another means is not known."""
_INTENT: Final = listed(
    """
    continue continues continued aims aim wants want wanted wishes wish intends intend ready willing prepared agreed
    decided determined continuer continue continuent continuera veut veulent souhaite souhaitent decide pret prets prete
    """
)
_ADDRESSED: Final = listed("call_for demand")
_LEADS: Final = listed(
    """
    that to of for on about against over at by in with toward towards regarding concerning que qu' a au aux de du des d'
    sur contre pour envers face quant vis-a-vis en concernant avec
    """
)
_DETERMINERS: Final = listed("the a an le la les l' un une")
_END: Final = frozenset({".", "!", "?", ";", "—", "–", "…", "]", "[", ":"})
_SUBORDINATE: Final = listed(
    """
    while when because since although though if whether unless after before following ahead amid saying adding which
    as according including notably until during alors tandis lorsque quand parce puisque si apres lors afin notamment
    selon dont jusqu' lorsqu' puisqu' ajoutant tant
    """
)
_AND: Final = listed("and but et mais puis or ou while")
_MEDIA: Final = listed(
    """
    statement interview speech press news televised tweet letter communique declaration conference discours entretien
    message briefing address remarks post telegram video
    """
)
_BASE: Final = listed(
    """
    protect open end solve support ensure resume implement respect continue work stop refrain hold release withdraw allow
    lift provide help take make put return reach find build strengthen prevent avoid maintain preserve establish restore
    begin start launch form adopt accept abandon halt cease cooperate engage pursue achieve address reduce increase
    promote expand deepen enhance fight combat counter facilitate guarantee honor honour uphold complete conclude comply
    unite de-escalate lay give bring keep act create develop collaborate explore exercise show reconsider join condemn
    reject recognize recognise impose send deliver consult advance realize realise abide disarm dismantle free
    """
)
_DIRECT_PREPOSITION: Final = listed(
    """
    avec for about over of on to with at toward towards against regarding concerning in a au aux de du des d' pour
    sur face contre envers quant devant
    """
)
_IMPORTANT: Final = listed(
    """
    necessary important essential crucial vital indispensable necessaire importante essentiel essentielle cruciale
    primordial fondamental key pivotal
    """
)
_IMPERSONAL: Final = listed("it il ce c' there this that cela ca he she they elle ils elles we nous")


_PARTING: Final = listed("and et who qui")
_BEFORE_DEED: Final = listed("a de d' et , l' se")
_CLAUSE_OPENERS: Final = listed("that que qu' said has have had was were is will a ont est")
_AGAIN: Final = listed("the its their la le les l'")
_IS: Final = listed("is are was were remains est sont etait etaient se dit s' fully also tout")


@dataclass(frozen=True, slots=True)
class _Object:
    """The words about a target, by their tokens."""

    first: int
    stop: int
    addressee: str | None = None


def positions_in(clauses: Clauses) -> Iterator[Position]:
    """The positions a sentence holds, in the order of their words."""
    if clauses.sentence.line.text.rstrip(' "”»\u00a0').endswith("?") or clauses.sentence.is_heading:
        return
    found = sorted(_all(clauses), key=lambda one: one.pieces[0][0])
    seen: set[tuple[str, int]] = set()
    for position in found:
        place = (position.target, position.pieces[-1][1])
        if position.target and position.holders and place not in seen:
            seen.add(place)
            clauses.scene.topic = position.target
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
    yield from _rated(clauses)
    yield from _vowed(clauses, used)
    yield from _felt(clauses)
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
    told = _object(clauses, predicate, act)
    if told is not None and clauses.key(told.first + 1) in {"comment", "commenter", "say", "elaborate"}:
        return  # nothing is said
    if told is None or _is_saying(clauses, predicate, act, told):
        return
    if predicate.verb.lemma in _WANTING and _is_own_deed(clauses, told.first):
        act = "commit"
    if act == "commit" and _is_agreed(clauses, predicate, holders, told):
        return
    yield from _positions(clauses, predicate.first, act, holders, told, predicate)


def _is_saying(clauses: Clauses, predicate: Predicate, act: str, told: _Object) -> bool:
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
    return _is_infinitive(clauses, at)


def _is_agreed(clauses: Clauses, predicate: Predicate, holders: Mentions, told: _Object) -> bool:
    """What those who met commit to together is an outcome (contract, ruling 6); to meet again is a meeting."""
    first = _behind_leads(clauses, told.first, told.stop)
    together = len(holders) > 1 and any(_same(one, holders) for one in clauses.scene.groups)
    return clauses.key(first) in {"meet", "rencontrer"} or (together and predicate.verb.lemma in {"commit", "agree"})


def _same(group: Mentions, holders: Mentions) -> bool:
    return {one.name for one in group} == {one.name for one in holders}


def _is_ask(clauses: Clauses, predicate: Predicate, told: _Object) -> bool:
    """«asked Egypt to», "wants an end to": a want that concerns others."""
    own = predicate.verb.lemma in _WANTING and _is_own_deed(clauses, told.first)
    return own or told.addressee is not None or predicate.verb.lemma == "demander"


def _passive(clauses: Clauses, predicate: Predicate, act: str, holders: Mentions) -> Iterator[Position]:
    """«X was condemned by Y»: the target stands before."""
    stop = predicate.first
    while clauses.key(stop - 1) in {",", "widely", "strongly"} or clauses.key(stop - 1).endswith(("ly", "ment")):
        stop -= 1
    first = _noun_start(clauses, stop)
    if first >= stop or clauses.key(first) in _IMPERSONAL:
        return
    target, against = _without_stop(clauses, first, stop)
    yield _built(
        clauses,
        act,
        holders,
        target,
        _polarity(act, stopped=against),
        predicate,
        ((predicate.first, predicate.verb.stop), (first, stop)),
    )


def _noun_start(clauses: Clauses, stop: int) -> int:
    """Where the subject before a token begins: behind the mark or conjunction before it."""
    first = stop
    while first > 0 and clauses.key(first - 1) not in _END | {
        ",",
        '"',
        "“",
        "«",
        "that",
        "que",
        "qu'",
        "and",
        "et",
        "but",
        "mais",
        "(",
        ")",
    }:
        first -= 1
    return first


def _object(clauses: Clauses, predicate: Predicate, act: str) -> _Object | None:
    """Where the words about the target are, and who is addressed."""
    first = _past_adverbs(clauses, predicate.verb.stop)
    stop = clause_end(clauses, first, lists=act in _ADDRESSED | {"affirm_importance", "commit"})
    if first >= stop:
        return None
    if act == "warn":
        return _warned(clauses, first, stop)
    if act in _ADDRESSED:
        return _addressed(clauses, first, stop)
    if act in {"thank", "accuse"}:
        return _thanked(clauses, first, stop)
    return _Object(first, stop)


def _past_adverbs(clauses: Clauses, at: int) -> int:
    """Behind adverbs, dates and « dans un communiqué »."""
    while at < len(clauses.sentence.tokens):
        key = clauses.key(at)
        skipped = (
            key.endswith(("ly", "ment"))
            and clauses.mention_at(at) is None
            and key
            not in {"parliament", "gouvernement", "parlement", "settlement", "bombardement", "engagement", "mouvement"}
        )
        dated = at in clauses.sentence.dated or (key in {"on", "en"} and at + 1 in clauses.sentence.dated)
        if _is_media(clauses, at):
            at = _media_end(clauses, at)
        elif key in {"pas", "plus", "jamais"}:
            at += 1
        elif clauses.key(at + 1) == "'s":
            return at
        elif skipped or dated or (key == "," and (at + 1) and _is_media(clauses, at + 1)):
            at += 1
        else:
            return at
    return at


def _is_media(clauses: Clauses, at: int) -> bool:
    """«in a statement», « dans un communiqué », « lors d'une conférence de presse »."""
    if clauses.key(at) not in {"in", "during", "at", "on", "dans", "lors", "a", "sur", "to", "par"}:
        return False
    return any(clauses.key(one) in _MEDIA for one in range(at + 1, at + 5)) and clauses.key(at + 1) in {
        "a", "an", "the", "his", "her", "their", "its", "un", "une", "l'", "d'", "de", "son", "sa", "leur", "remarks", "joint", "televised", "cet", "cette"
    }  # fmt: skip


def _media_end(clauses: Clauses, at: int) -> int:
    end = next(one for one in range(at + 1, at + 5) if clauses.key(one) in _MEDIA) + 1
    while (
        clauses.key(end) in _MEDIA | {"de", "presse", "commun", "conjoint", "conjointe", "issued", "publie"}
        or end in clauses.sentence.dated
    ):
        end += 1
    return end + (clauses.key(end) == ",")


def clause_end(clauses: Clauses, first: int, *, lists: bool = False) -> int:
    """The token behind the clause that begins at one."""
    tokens = clauses.sentence.tokens
    quoted = clauses.sentence.quoted
    starts = {one.first for one in clauses.predicates} | {
        one.verb.at for one in clauses.predicates if one.form != "infinitive"
    }
    at, words = first, 0
    while at < len(tokens) and words <= LONGEST_TARGET:
        if at > first and _ends(clauses, first, at, starts, lists=lists):
            break
        if quoted[first] and not quoted[at]:
            break
        words += tokens[at].is_word
        at += 1
    return _trimmed(clauses, first, at)


def _ends(  # noqa: PLR0911  # a table
    clauses: Clauses, first: int, at: int, starts: set[int], *, lists: bool
) -> bool:
    key = clauses.key(at)
    if key in _END:
        return True
    if key == ",":
        return not (lists and (_goes_on(clauses, first, at) or _is_again(clauses, at) or _is_enumerated(clauses, at)))
    if key in _SUBORDINATE:
        well = key == "as" and (
            clauses.key(at + 1) in {"well", "soon"} or clauses.key(at - 1) in {"such", "well", "soon"}
        )
        return not well and clauses.mention_at(at) is None
    if key in _AND and lists and _goes_on(clauses, first, at - 1):
        return False
    if key in _AND:
        return _is_new_clause(clauses, at + 1, starts)
    if key in {"in", "during", "at", "dans", "lors"} and _is_media(clauses, at):
        return True
    return at in starts and clauses.sentence.quoted[first] == 0 and _is_gerund(clauses, at)


def _is_gerund(clauses: Clauses, at: int) -> bool:
    return any(one.verb.at == at and one.form == "gerund" and clauses.key(at - 1) == "," for one in clauses.predicates)


def _goes_on(clauses: Clauses, first: int, at: int) -> bool:
    """Whether a comma parts things of one list: «to protect civilians, open the borders»."""
    behind = at + 1 + (clauses.key(at + 1) in {"and", "et"})
    if clauses.key(behind) == "to":
        behind += 1
    if not _is_deed(clauses, first) and not any(_is_deed(clauses, one) for one in range(first, min(first + 4, at))):
        return False
    return _is_deed(clauses, behind) or (clauses.key(behind) in {"a", "de", "d'"} and _is_deed(clauses, behind + 1))


def _is_enumerated(clauses: Clauses, at: int) -> bool:
    """«forces, mercenaries, foreign fighters, and»: one or two words up to the next comma."""
    for one in range(at + 1, at + 5):
        if clauses.key(one) == "," and one > at + 1:
            return any(clauses.key(last) in {"and", "et"} for last in range(one, one + 8))
        if not clauses.key(one)[:1].isalpha() or clauses.key(one) in _SUBORDINATE | _LEADS | _PARTING:
            return False
    return False


def _is_deed(clauses: Clauses, at: int) -> bool:
    if clauses.sentence.language == "en":
        return clauses.key(at) in _BASE
    return re.fullmatch(r"\w{2,}(?:er|ir|re)", clauses.key(at)) is not None and clauses.key(at - 1) in _BEFORE_DEED


def _is_new_clause(clauses: Clauses, at: int, starts: set[int]) -> bool:
    """Whether a verb, or a subject and a verb, follow a conjunction."""
    key = clauses.key(at)
    if at in starts or key in _CLAUSE_OPENERS:
        return True
    for one in range(at, min(at + 3, len(clauses.sentence.tokens))):
        if one in starts and all(
            clauses.key(before).endswith(("ly", "ment")) or clauses.key(before) in {"also", "then", "to"}
            for before in range(at, one)
        ):
            return "to" not in {clauses.key(before) for before in range(at, one)}
    past = (
        clauses.sentence.language == "en"
        and key.endswith("ed")
        and clauses.key(at + 1) in {"the", "a", "an", "its", "his", "their", "that"}
    )
    held = clauses.mention_at(at) or clauses.mention_at(at + 1)
    follows = held is not None and _is_verbal(clauses, held[1], starts)
    return past or follows


def _is_verbal(clauses: Clauses, at: int, starts: set[int]) -> bool:
    return at in starts or clauses.key(at) in clauses.words.words["auxiliaries"] - {"to", "y", "en", "nous"}


def _trimmed(clauses: Clauses, first: int, stop: int) -> int:
    """Without a date, a preposition or a mark at the end."""
    while stop > first:
        key = clauses.key(stop - 1)
        adverb = key.endswith("ly") and clauses.sentence.tokens[stop - 1].text.islower() and key not in _NOUNS_IN_LY
        loose = (
            stop - 1 in clauses.sentence.dated
            or adverb
            or key
            in {"on", "in", "en", "and", "et", "by", '"', "”", "»", "“", "«", ",", "le", "since", "last", "also", "'"}
        )
        if key in {"in", "en", "le"} and stop not in clauses.sentence.dated and stop < len(clauses.sentence.tokens):
            loose = True
        if not loose:
            break
        stop -= 1
    return stop


_NOUNS_IN_LY: Final = listed("family ally assembly supply reply monopoly rally anomaly")


def _addressed(clauses: Clauses, first: int, stop: int) -> _Object:
    """«called on Israel to withdraw», « appelé Israël à se retirer »: who is addressed stands before the deed."""
    if clauses.sentence.language == "en":
        for at in range(first + 1, min(first + _LONGEST_ADDRESSEE, stop)):
            if clauses.key(at) == "to" and _is_bidden(clauses, first, at):
                return _Object(at + 1, stop, clauses.sentence.piece(first, at))
        return _Object(first, stop)
    for at in range(first, min(first + _LONGEST_ADDRESSEE, stop)):
        if clauses.key(at) in {"a", "de", "d'", "contre"} and _is_infinitive(clauses, at + 1) and at > first:
            addressee = clauses.sentence.piece(first + (clauses.key(first) in {"a", "aux", "au"}), at)
            return _Object(at + 1, stop, addressee or None)
    return _Object(first, stop)


def _warned(clauses: Clauses, first: int, stop: int) -> _Object:
    """«warned Israel against», "warned of": what is warned of stands behind."""
    for at in range(first + 1, min(first + 8, stop)):
        if clauses.key(at) in {"against", "of", "about", "contre"} and clauses.mention_at(at - 1) is not None:
            return _Object(at + 1, stop, clauses.sentence.piece(first, at))
    if clauses.key(first) in {"that", "que", "qu'"} and (copula := _copula(clauses, first + 1)) is not None:
        return _Object(first + 1, copula)
    return _Object(first, stop)


def _is_bidden(clauses: Clauses, first: int, at: int) -> bool:
    """Whether «to» behind an addressee begins what is asked of it: not «a halt to», "access to"."""
    behind = clauses.key(at + 1)
    verb = behind in _BASE | {"not", "be"} or any(form == "infinitive" for _, form in clauses.words.of(behind))
    noun = (
        behind in _DETERMINERS | {"its", "their", "his", "her", "all", "any"} or clauses.mention_at(at + 1) is not None
    )
    person = any(clauses.mention_at(one) is not None for one in range(first, at)) or clauses.key(at - 1).endswith("s")
    return verb or (person and not noun)


def _is_infinitive(clauses: Clauses, at: int) -> bool:
    if clauses.key(at) in {"se", "s'", "ne", "le", "la", "les", "l'", "y", "en", "pas", "plus"}:
        return any(re.fullmatch(r"\w{2,}(?:er|ir|re|oir)", clauses.key(one)) for one in range(at + 1, at + 4))
    return re.fullmatch(r"\w{2,}(?:er|ir|re|oir)", clauses.key(at)) is not None and clauses.mention_at(at) is None


def _thanked(clauses: Clauses, first: int, stop: int) -> _Object:
    """«thanked Kuwait for its aid», "accused Iran of shelling": the deed stands behind the actor."""
    for at in range(first + 1, min(first + _LONGEST_ADDRESSEE, stop)):
        behind = clauses.key(at) in {"for", "of", "pour", "d'", "de", "over"}
        if behind and _is_after_mention(clauses, first, at):
            return _Object(at + 1, stop, clauses.sentence.piece(first, at))
    return _Object(first, stop)


def _is_after_mention(clauses: Clauses, first: int, at: int) -> bool:
    held = clauses.mention_at(at - 1)
    if clauses.key(at) in {"de", "d'"}:
        return held is not None and (
            _is_infinitive(clauses, at + 1) or clauses.key(at + 1) in {"avoir", "etre", "son", "sa", "leur"}
        )
    return held is not None or at - first <= 6


_LONGEST_ADDRESSEE: Final = 14


def _positions(  # noqa: PLR0917  # what a position is made of
    clauses: Clauses, start: int, act: str, holders: Mentions, told: _Object, predicate: Predicate
) -> Iterator[Position]:
    """One position for each deed of a list."""
    parts = (
        list(_parts(clauses, told))
        if act in _ADDRESSED | {"affirm_importance", "commit", "support"}
        else [(told.first, told.stop)]
    )
    for number, (first, stop) in enumerate(parts):
        begin = _behind_leads(clauses, first, stop)
        if begin >= stop:
            continue
        target, against = _without_stop(clauses, begin, stop)
        pieces = ((start, stop),) if number == 0 else ((start, told.first), (begin, stop))
        if target:
            yield _built(
                clauses, act, holders, target, _polarity(act, stopped=against), predicate, pieces, told.addressee
            )


def _parts(clauses: Clauses, told: _Object) -> Iterator[tuple[int, int]]:
    first = told.first
    for at in range(told.first + 1, told.stop):
        comma = clauses.key(at) == ","
        joined = comma or (clauses.key(at) in {"and", "et"} and clauses.key(at - 1) != ",")
        if joined and (_goes_on(clauses, told.first, at if comma else at - 1) or _is_again(clauses, at)):
            yield first, _trimmed(clauses, first, at)
            first = at + 1 + (clauses.key(at + 1) in {"and", "et"})
    yield first, told.stop


def _is_again(clauses: Clauses, at: int) -> bool:
    """«the need for X, and the role of Y», "support for X and to Y": a further thing with its own beginning."""
    if clauses.key(at) == ",":
        return clauses.key(at + 1) in {"and", "et"} and clauses.key(at + 2) in _AGAIN
    return clauses.key(at + 1) in {"to", "for"} and clauses.key(at + 2) != "be" and clauses.key(at - 1) != ","


def _behind_leads(clauses: Clauses, first: int, stop: int) -> int:
    """Behind prepositions, «that», and opening marks."""
    while first < stop and (clauses.key(first) in _LEADS | {'"', "“", "«", ","} and clauses.mention_at(first) is None):
        if clauses.sentence.tokens[first].text.casefold() == "a":
            break  # the article, or « a » of «avoir»
        if clauses.key(first) in {"face", "quant"} and clauses.key(first + 1) not in {"a", "au", "aux"}:
            break
        first += 1
    return first


def _without_stop(clauses: Clauses, first: int, stop: int) -> tuple[str, bool]:
    """«an end to the fighting»: what shall end is the target, and the position is against it (contract, ruling 8)."""
    whole = clauses.sentence.piece(first, stop)
    keys = {clauses.key(at) for at in range(first, stop)}
    if keys & clauses.words.spared:
        return whole.strip(_MARKS), False
    at = first
    while clauses.key(at) in _DETERMINERS | {"immediate", "complete", "full", "total", "rapid", "un", "une"}:
        at += 1
    for begin in dict.fromkeys((first, at)):
        for words in clauses.words.stops:
            behind = _match(clauses, begin, words)
            if behind is not None and behind < stop and _is_thing(clauses, behind):
                return clauses.sentence.piece(_behind_leads(clauses, behind, stop), stop).strip(_MARKS), True
    return whole.strip(_MARKS), False


def _is_thing(clauses: Clauses, at: int) -> bool:
    return clauses.key(at) not in {",", ".", "and"}


def _match(clauses: Clauses, at: int, words: tuple[str, ...]) -> int | None:
    """The token behind some words, with an adjective behind the first."""
    for number, word in enumerate(words):
        if number == 1 and clauses.key(at) not in _CONTRACTED.get(word, {word}) and _is_adjective(clauses, at):
            at += 1
        if clauses.key(at) not in _CONTRACTED.get(word, {word}):
            return None
        at += 1
    if clauses.key(at - 1) in {"halt", "halting"} and clauses.key(at) in {"to", "in", "of"}:
        at += 1
    return at


def _is_adjective(clauses: Clauses, at: int) -> bool:
    return re.fullmatch(r"\w+(?:e|es|able|aux|el|elle)", clauses.key(at)) is not None


_CONTRACTED: Final = {"de": {"de", "d'", "du", "des"}, "a": {"a", "au", "aux"}, "to": {"to", "of", "in"}}
_MARKS: Final = ' "“”«»,\n\u00a0'


def _polarity(act: str, *, stopped: bool) -> Polarity:
    return "against" if act in AGAINST or stopped else "favor"


# -- verbs that take their act from a noun --------------------------------------------------------------------------


def _expressed(clauses: Clauses, predicate: Predicate, holders: Mentions) -> Iterator[Position]:
    """«expressed its concern about», « a réaffirmé son soutien à », «stressed the need for», «stressed that»."""
    if predicate.negated or predicate.passive:
        return
    first = _past_adverbs(clauses, predicate.verb.stop)
    noun = _noun_of(clauses, first)
    stressing = clauses.words.is_stress(predicate.verb.lemma)
    if noun is not None:
        at, act = noun
        if act == "commit" and clauses.key(at + 2) in {"meet", "rencontrer"}:
            return
        if clauses.key(at) in clauses.words.spared:
            yield from _positions(
                clauses, predicate.first, act, holders, _Object(first, clause_end(clauses, first)), predicate
            )
            return
        if act == "affirm_importance" and not (stressing or predicate.verb.lemma in _TELLING):
            return
        if act in {"support", "reject", "condemn", "commit", "concern"}:
            at = _past_owner(clauses, at)
        stop = clause_end(clauses, at + 1, lists=True)
        told = _Object(at + 1, stop)
        if at + 1 < stop and clauses.key(at + 1) in _DIRECT_PREPOSITION | {"that", "que", "qu'"}:
            yield from _positions(clauses, predicate.first, act, holders, told, predicate)
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
    return clauses.sentence.language == "en" and clauses.key(at + 1) not in _DIRECT_PREPOSITION | {"that", ",", "."}


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
        yield from _positions(clauses, predicate.first, "affirm_importance", holders, _Object(first, stop), predicate)
        return
    if predicate.verb.lemma in {"affirmer", "affirm"}:
        return
    copula = _copula(clauses, first + 1)
    if copula is None or clauses.key(first + 1) in _IMPERSONAL:
        return
    subject = _Object(first + 1, copula)
    yield from _positions(clauses, predicate.first, "affirm_importance", holders, subject, predicate)


_NEUTRAL: Final = listed("position stance view views attitude posture avis point")
"""What somebody reaffirms without telling it."""


def _copula(clauses: Clauses, first: int) -> int | None:
    for at in range(first + 1, min(first + 22, len(clauses.sentence.tokens))):
        if (
            clauses.key(at) in clauses.words.words["copulas"] | {"lie", "lies", "remain", "form"}
            and clauses.mention_at(at) is None
        ):
            return at
        if clauses.key(at) in _END | {"which", "who", "qui"}:
            return None
    return None


# -- judgements -----------------------------------------------------------------------------------------------------


def _described(clauses: Clauses, predicate: Predicate, holders: Mentions) -> Iterator[Position]:
    """«described the raid as a crime», « qualifié la décision de trahison »."""
    if predicate.negated:
        return
    words = clauses.words.words
    stop = next(
        (at for at in range(predicate.verb.stop, len(clauses.sentence.tokens)) if clauses.key(at) in _END),
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
    if border is not None and border >= predicate.verb.stop + 1 and clauses.key(predicate.verb.stop) not in _IMPERSONAL:
        yield from _positions(
            clauses,
            predicate.first,
            act,
            holders,
            _Object(predicate.verb.stop, _trimmed(clauses, predicate.verb.stop, border)),
            predicate,
        )


def _rated(clauses: Clauses) -> Iterator[Position]:
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
            or key in _END | {'"', "“", "«", "that", "que", "qu'", ","}
            or (key in {"and", "et", "but", "mais"} and _is_new_clause(clauses, first, {at}))
        ):
            break
        first -= 1
    return first


def _judged(clauses: Clauses, at: int, first: int, speaker: Mentions) -> Iterator[Position]:
    words = clauses.words.words
    for judged in range(at + 1, min(at + 7, len(clauses.sentence.tokens))):
        key = clauses.key(judged)
        if key in words["negation"] | {"pas"} | _END | {","}:
            return
        if key in words["evaluated_good"] | words["evaluated_bad"]:
            bad = key in words["evaluated_bad"]
            act = "condemn" if bad else "affirm_importance" if key in _IMPORTANT else "praise"
            stop = clause_end(clauses, at)
            yield from _judgement(clauses, act, speaker, (first, at, judged, stop))
            return


def _judgement(clauses: Clauses, act: str, speaker: Mentions, places: tuple[int, int, int, int]) -> Iterator[Position]:
    """What is judged: the subject; behind «it is important» the deed; behind «it was a crime» what was told of last."""
    first, at, judged, stop = places
    bad: Polarity = "against" if act == "condemn" else "favor"
    if clauses.key(first) not in _IMPERSONAL:
        target, _ = _without_stop(clauses, _behind_leads(clauses, first, at), at)
        yield _built(clauses, act, speaker, target, bad, None, ((_saying(clauses, first), stop),))
    elif clauses.key(judged + 1) in {"to", "de", "d'", "que", "qu'", "that"} and judged + 2 < stop:
        target, against = _without_stop(clauses, judged + 2, stop)
        yield _built(
            clauses, act, speaker, target, "against" if against else bad, None, ((_saying(clauses, first), stop),)
        )
    elif (
        not _takes_before(clauses, first)
        and clauses.key(first) in {"it", "this", "that", "il", "c'", "ce"}
        and clauses.scene.topic
    ):
        yield _built(clauses, act, speaker, clauses.scene.topic, bad, None, ((_saying(clauses, first), stop),))


def _takes_before(clauses: Clauses, first: int) -> bool:
    """Whether a position is taken in the same sentence before: what «it» means is judged already."""
    return any(one.verb.code("stance") and one.verb.at < first for one in clauses.predicates)


def _saying(clauses: Clauses, first: int) -> int:
    """Where the verb of saying begins that stands right before what is said."""
    near = [
        one for one in clauses.predicates if one.verb.in_table("speech") and 0 <= first - one.verb.stop <= _SAID_NEAR
    ]
    return near[-1].first if near and near[-1].subject else first


_SAID_NEAR: Final = 3


def _vowed(clauses: Clauses, used: set[int]) -> Iterator[Position]:
    """«we will defend», « nous allons couper », "Egypt is ready to", « personne n'a le droit de »: deeds of one's own."""
    for at in range(len(clauses.sentence.tokens)):
        if at in used or clauses.mention_at(at) is not None:
            continue
        told = _resolve_at(clauses, at)
        if told is None:
            continue
        holders, begin, refused = told
        stop = clause_end(clauses, begin)
        if not holders or stop - begin < 2 or any(one in used for one in range(begin, stop)):
            continue
        target, against = _without_stop(clauses, _behind_leads(clauses, begin, stop), stop)
        act = "reject" if refused else "commit"
        yield _built(clauses, act, holders, target, _polarity(act, stopped=against), None, ((at, stop),))


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
_BEING: Final = listed(
    """
    is are was were be remains remained also deeply gravely very extremely strongly firmly fully est sont etait se
    s' dit dite dits declare declaree reste restent tres profondement vivement toujours resolument been has have
    """
)


def _felt(clauses: Clauses) -> Iterator[Position]:
    """«is deeply concerned about», « s'est dit préoccupé par », "remains committed to"."""
    for at in range(1, len(clauses.sentence.tokens)):
        act = _FEELINGS.get(clauses.key(at))
        if (
            act is None
            or clauses.key(at + 1) not in _DIRECT_PREPOSITION | {"by", "par", "that"}
            or clauses.mention_at(at)
        ):
            continue
        first = at
        while clauses.key(first - 1) in _BEING:
            first -= 1
        stop = clause_end(clauses, at + 1)
        begin = _behind_leads(clauses, at + 1 + (clauses.key(at + 1) == "par"), stop)
        holders = _resolver(clauses, first) if first < at else ()
        if holders and begin < stop and clauses.key(at - 1) not in {"not", "pas"}:
            target, against = _without_stop(clauses, begin, stop)
            yield _built(clauses, act, holders, target, _polarity(act, stopped=against), None, ((first, stop),))


_READY: Final = listed(
    """
    willing ready prepared determined pret prete prets pretes determine determinee determines resolu dispose
    disposee
    """
)


def _resolve_at(clauses: Clauses, at: int) -> tuple[Mentions, int, bool] | None:
    """Whose resolve begins at a token, where the deed begins, and whether it is refused."""
    key, negation = clauses.key(at), clauses.words.words["negation"]
    if key in _READY and clauses.key(at + 1) in {"to", "a"}:
        first = at
        while clauses.key(first - 1) in _IS:
            first -= 1
        denied = not negation.isdisjoint({clauses.key(one) for one in range(first - 1, at)})
        return (_resolver(clauses, first), at + 2, denied) if first < at and not denied else None
    if key in {"personne", "nobody"} or (key == "no" and clauses.key(at + 1) in {"one", "country"}):
        right = next((one for one in range(at + 1, at + 6) if clauses.key(one) in {"droit", "right"}), None)
        return (clauses.speaker(at), right + 2, True) if right is not None else None
    if clauses.sentence.language == "en" and key in {"will", "would", "won't", "wouldn't"}:
        return _will(clauses, at)
    return _go(clauses, at) if clauses.sentence.language == "fr" else None


def _will(clauses: Clauses, at: int) -> tuple[Mentions, int, bool] | None:
    """«we will not accept», «Biden said the United States will advocate»."""
    begin, refused = at + 1, clauses.key(at) not in {"will", "would"}
    while clauses.key(begin) in {"not", "never", "always", "also", "continue", "to"} or clauses.key(begin).endswith(
        "ly"
    ):
        refused = refused or clauses.key(begin) in {"not", "never"}
        begin += 1
    if clauses.key(begin) in {"be", "have", "meet", "travel", "visit", "host", "discuss"}:
        return None
    if refused and any(_match(clauses, begin, words) for words in clauses.words.stops):
        return None  # «will not stop»
    holders = _own_speaker(clauses, at)
    return (holders, begin, refused) if holders else None


def _go(clauses: Clauses, at: int) -> tuple[Mentions, int, bool] | None:
    """« nous allons couper », « je ne vais pas spéculer », « ne comptent pas jouer », « nous poursuivons »."""
    key = clauses.key(at)
    if key in {"allons", "vais"} | _COUNTING:
        begin = at + 1
        while clauses.key(begin) in {"pas", "jamais", "plus", "essayer", "de", "continuer", "a", "d'"}:
            begin += 1
        refused = clauses.key(at - 1) in {"ne", "n'"}
        return (_own_speaker(clauses, at), begin, refused) if _is_infinitive(clauses, begin) else None
    going = key in {"poursuivons", "continuons", "continuerons", "poursuivrons"} and clauses.key(at - 1) == "nous"
    if going:
        stop = at + 1
        if clauses.key(stop) == ",":
            stop = next((one for one in range(stop + 1, stop + 9) if clauses.key(one) == ","), stop) + 1
        return clauses.speaker(at), stop, False
    return None


_COUNTING: Final = listed("compte comptent comptait comptaient entend entendent entendait entendaient")


def _own_speaker(clauses: Clauses, at: int) -> Mentions:
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
    subject, own = clauses.named(held, first)
    spoken = (
        bool(speaker)
        and len(subject) == 1
        and subject[0].kind in {"country", "body"}
        and clauses.scene.cast.actor(speaker[0]).type in {"person", "role"}
    )
    return speaker if own or (spoken and clauses.scene.cast.actor(speaker[0]).country is None) else ()


def _resolver(clauses: Clauses, first: int) -> Mentions:
    held = clauses.mention_at(clauses.before(first))
    speaker = clauses.speaker(first)
    if clauses.key(first - 1) in {"he", "she", "they", "it", "il", "elle", "ils"} and not speaker:
        return clauses.scene.current or clauses.scene.subject
    if clauses.key(first - 1) in {"we", "i", "nous", "je", "he", "she", "it", "il", "elle"}:
        return speaker
    if held is None:
        return ()
    subject, own = clauses.named(held, first)
    return speaker if own and speaker else speaker or subject


def _required(clauses: Clauses, at: int, first: int, speaker: Mentions) -> Iterator[Position]:
    """«the siege must be lifted», « il faut lever le blocus »: the whole is the target."""
    negation = clauses.words.words["negation"] | {"pas"}
    stop = clause_end(clauses, at)
    if stop - at < 2 or not negation.isdisjoint(clauses.key(one) for one in range(first, min(at + 3, stop))):
        return
    impersonal = clauses.key(at) in {"faut", "faudrait", "faudra"}
    begin = at + 1 if impersonal else first
    if clauses.key(first) in {"we", "i", "nous", "je", "on"}:
        begin = at + 1
    elif not impersonal and (clauses.key(first) in _IMPERSONAL or first == at):
        return
    if clauses.key(begin) in {"que", "qu'"}:
        begin += 1
    target, against = _without_stop(clauses, begin, stop)
    yield _built(
        clauses,
        "affirm_importance",
        speaker,
        target,
        _polarity("affirm_importance", stopped=against),
        None,
        ((begin, stop),),
    )


# -- nouns of position ------------------------------------------------------------------------------------------------

_FREE_NOUNS: Final = listed("support call_for reject condemn demand commit concern")


def _nominal(clauses: Clauses, used: set[int]) -> Iterator[Position]:
    """«Egypt's support for», « un appel de l'Union africaine à », «his opposition to»."""
    for at in range(1, len(clauses.sentence.tokens)):
        act = clauses.words.nouns.get(clauses.key(at))
        if at in used or act not in _FREE_NOUNS or clauses.mention_at(at) is not None:
            continue
        told = _possessed(clauses, at) if clauses.sentence.language == "en" else _owned(clauses, at)
        if told is None:
            continue
        holders, behind = told
        stop = clause_end(clauses, behind + 1)
        if clauses.key(behind) not in _DIRECT_PREPOSITION or behind + 1 >= stop or not holders:
            continue
        first = _behind_leads(clauses, behind + 1, stop)
        target, against = _without_stop(clauses, first, stop)
        if target:
            yield _built(clauses, act, holders, target, _polarity(act, stopped=against), None, ((at, stop),))


def _possessed(clauses: Clauses, at: int) -> tuple[Mentions, int] | None:
    """«Egypt's strong support for»."""
    first = at - 1
    while first > 0 and clauses.mention_at(first) is None and clauses.key(first) != "'s" and at - first < 4:
        if not clauses.sentence.tokens[first].is_word or clauses.key(first) in _LEADS | _DETERMINERS | _AND:
            return None
        first -= 1
    if clauses.key(first) == "'s" and (held := clauses.mention_at(first - 1)) is not None:
        return clauses.scene.resolved(held[2]), at + 1
    return None


def _owned(clauses: Clauses, at: int) -> tuple[Mentions, int] | None:
    """« le soutien affiché de la Ligue arabe à »."""
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


# -- building ---------------------------------------------------------------------------------------------------------


def _built(  # noqa: PLR0917  # what a position is made of
    clauses: Clauses,
    act: str,
    holders: Mentions,
    target: str,
    polarity: Polarity,
    predicate: Predicate | None,
    pieces: tuple[tuple[int, int], ...],
    addressee: str | None = None,
) -> Position:
    line, tokens = clauses.sentence.line, clauses.sentence.tokens
    spans = tuple((line.start + tokens[first].start, line.start + tokens[stop - 1].end) for first, stop in pieces)
    at = predicate.verb.at if predicate else pieces[0][0]
    first = next((number for number, word in enumerate(line.row.words) if word.end > tokens[at].start), 0)
    unique = tuple({clauses.scene.cast.actor(one).name: one for one in reversed(holders)}.values())[::-1]
    return Position(
        line,
        Cue(act, first, first + 1),
        unique,
        target,
        polarity,
        _speech(clauses, at, pieces[-1]),
        _named(addressee),
        spans,
        _source(clauses, holders),
    )


def _named(addressee: str | None) -> str | None:
    text = (addressee or "").strip(_MARKS)
    return text if text and text.casefold() not in {"him", "her", "them", "us", "it", "le", "la", "les", "l'"} else None


def _speech(clauses: Clauses, at: int, piece: tuple[int, int]) -> Speech:
    quoted = clauses.sentence.quoted
    if quoted[at]:
        return "direct"
    inside = any(quoted[one] for one in range(at, min(piece[1] + 1, len(quoted))))
    return "mixed" if inside else "indirect"


def _source(clauses: Clauses, holders: Mentions) -> str | None:
    """«according to the ministry», « selon l'agence »: who reports it."""
    for at in range(len(clauses.sentence.tokens)):
        told = (clauses.key(at) == "according" and clauses.key(at + 1) == "to") or clauses.key(at) == "selon"
        if told:
            sources = clauses.joined(at + 1 + (clauses.key(at) == "according"))
            if sources and sources[0].name not in {one.name for one in holders}:
                return sources[0].text
    return None
