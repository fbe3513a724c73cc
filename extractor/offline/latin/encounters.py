"""Encounters in English and French sentences: who met whom, how, when and where."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mahdar.documents.folding import word_set
from mahdar.offline.cues import Cue
from mahdar.offline.encounters import RuleMeeting
from mahdar.offline.latin.circumstances import (
    channel_of,
    city_of,
    date_of,
    is_told_apart,
    status_of,
    venue_of,
)
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.stage import ActorMentions, Predicate
from mahdar.offline.lexicon import word_group
from mahdar.offline.mention import ActorMention
from mahdar.offline.parties import MeetingParty
from mahdar.resolving.countries import CountryForm
from mahdar.schemas.enums import Capacity, MeetingKind

_WITH: Final = word_set("with avec")
_PARTIES: Final = word_group("encounters.parties", "latin/names")
_VISITS: Final = word_group("encounters.visits", "latin/names")
_VISIT_NOUNS: Final = word_group("encounters.visit_nouns", "latin/names")
_SIGNED: Final = word_set("sign signer")
_REACH: Final = 30
_AND: Final = word_set("and et")
_STOPS: Final = frozenset({".", ";", "!", "?", "—"})
_BEFORE_OBJECT: Final = word_group("encounters.before_object", "latin/names")


def encounters_in(clauses: Clauses) -> Iterator[RuleMeeting]:
    """The encounters a sentence tells."""
    if clauses.sentence.is_heading or clauses.sentence.line.text.rstrip(' "”»').endswith("?"):
        return
    seen: list[frozenset[str]] = []
    for at, subject, objects, kind in (*_by_verbs(clauses), *_by_nouns(clauses)):
        for group in _groups(clauses, subject, objects):
            names = frozenset(
                clauses.scene.cast.actor(one.mention).name for one in group if one.capacity in {"principal", "host"}
            )
            again = bool(seen) and _is_pair_near(clauses, at)  # «and the two men discussed»
            if len(names) > 1 and (not again) and (not any(names <= told for told in seen)):
                seen.append(names)
                yield _described(clauses, at, group, kind)


def _is_pair_near(clauses: Clauses, at: int) -> bool:
    return any(held[2].kind == "pair" and 0 <= at - held[1] < 3 for held in clauses.mentions)


MeetingWords = tuple[int, ActorMentions, tuple[MeetingParty, ...], MeetingKind]


def _by_verbs(clauses: Clauses) -> Iterator[MeetingWords]:
    for predicate in clauses.predicates:
        verb = predicate.verb
        if not verb.in_table("with", "direct", "to") or predicate.negated:
            continue
        subject = tuple(one for one in _subject(clauses, predicate) if one.kind in _PARTIES)
        objects = tuple(_objects(clauses, predicate))
        if verb.lemma in _VISITS:
            yield from _visited(clauses, predicate, subject)
        elif verb.lemma in _SIGNED:
            yield verb.at, subject, objects, "signing"
        else:
            yield verb.at, subject, objects, "talks"


_ARRANGING: Final = word_group("encounters.arranging", "latin/names")


def _subject(clauses: Clauses, predicate: Predicate) -> ActorMentions:
    """Who meets: for an infinitive the subject of the verb that arranges it; of a passive the one before."""
    if predicate.passive:
        before = clauses.before(predicate.first)
        held = clauses.mention_at(before)
        return clauses.named(held, predicate.first)[0] if held is not None else ()
    if predicate.subject:
        return predicate.subject
    if predicate.form != "infinitive":
        return ()
    before = clauses.before(_chain_start(clauses, predicate.verb.at))
    held = clauses.mention_at(before)
    return clauses.named(held, predicate.first)[0] if held is not None else ()


def _chain_start(clauses: Clauses, at: int) -> int:
    """Where the verbs begin that end in an infinitive: «is scheduled to meet»."""
    first = at
    auxiliaries = clauses.words.words["auxiliaries"] | clauses.words.words["future"] | _ARRANGING
    while first > 0 and clauses.mention_at(first - 1) is None and (clauses.key(first - 1) in auxiliaries):
        first -= 1
    return first


def _objects(clauses: Clauses, predicate: Predicate) -> Iterator[MeetingParty]:
    """Whom a verb of meeting takes: right behind it, behind «with», or behind «by» of a passive."""
    verb = predicate.verb
    if predicate.passive:
        yield from (MeetingParty(one) for one in predicate.subject)
        return
    direct = verb.in_table("direct")
    at = verb.stop
    if direct and (found := _right_behind(clauses, at)):
        yield from (MeetingParty(one) for one in found)
        return
    if verb.in_table("with"):
        yield from _with(clauses, at)
    if verb.in_table("to") and verb.lemma not in _VISITS:
        for one in range(at, min(at + 8, len(clauses.sentence.tokens))):
            if clauses.key(one) in {"to", "a", "au", "aux"} and (found := clauses.joined(one + 1)):
                yield from (MeetingParty(each) for each in found)
                return


def _right_behind(clauses: Clauses, at: int) -> ActorMentions:
    while clauses.key(at) in _BEFORE_OBJECT:
        at += 1
    found = clauses.joined(at)
    return found if found and all(map(_is_met, found)) else tuple(filter(_is_met, _past_place(clauses, at)))


def _is_met(mention: ActorMention) -> bool:
    return mention.kind in _PARTIES - {"country"}


def _past_place(clauses: Clauses, at: int) -> ActorMentions:
    """« a reçu jeudi au palais de Carthage la ministre …»: the object behind date and place."""
    for one in range(at, min(at + _PLACE_REACH, len(clauses.sentence.tokens))):
        key = clauses.key(one)
        if key in _STOPS | {",", "who", "qui", "que"} | _AND:
            return ()
        held = clauses.mention_at(one)
        free = clauses.key(one - 1) in _ARTICLES or (held is not None and clauses.mention_at(one - 1) is not None)
        if held is not None and held[0] == one and (held[2].kind in {"person", "role", "delegation"}) and free:
            return clauses.joined(one)
    return ()


_PLACE_REACH: Final = 10
_ARTICLES: Final = word_group("encounters.articles", "latin/names")


def _is_led(mention: ActorMention) -> bool:
    """« les dirigeants grec et chypriote » are told by their countries."""
    return mention.text[:1].islower()


def _with(clauses: Clauses, at: int) -> Iterator[MeetingParty]:
    """«with X and Y», within the clause."""
    for one in range(at, min(at + _REACH, len(clauses.sentence.tokens))):
        key = clauses.key(one)
        if key in _WITH and clauses.mention_at(one) is None and not _is_bound(clauses, one):
            found = _joined_parties(clauses, one + 1)
            if found:
                yield from found
                return


def _is_bound(clauses: Clauses, at: int) -> bool:
    """«relations with», « la coopération avec »: no party follows."""
    bound = word_group("encounters.is_bound", "latin/names")
    return clauses.key(at - 1) in bound


def _joined_parties(clauses: Clauses, at: int) -> Iterator[MeetingParty]:
    return iter([MeetingParty(one) for one in clauses.joined(at) if one.kind in _PARTIES])


def _visited(clauses: Clauses, predicate: Predicate, subject: ActorMentions) -> Iterator[MeetingWords]:
    """A journey: whom it is to meet, else the country visited, which is host (contract, ruling 1)."""
    at = predicate.verb.stop
    met = tuple(_for_talks(clauses, at))
    if met:
        yield predicate.verb.at, subject, met, "talks"
        return
    visit = predicate.verb.lemma in {"visit", "visiter", "pay", "make", "effectuer", "travel", "rendre", "envoler"}
    places = (
        [] if not visit else [held for held in clauses.mentions if at <= held[0] < at + 8 and held[2].kind == "country"]
    )
    if places and subject and _is_destination(places[0][0], at):
        country = next((one for one in places[:2] if not _is_city(clauses, one[2])), None)
        if country is not None:
            yield predicate.verb.at, subject, (MeetingParty(country[2], "host"),), "visit"


def _is_destination(at: int, verb: int) -> bool:
    return at - verb <= 3


def _is_city(clauses: Clauses, mention: ActorMention) -> bool:
    start = mention.start - clauses.sentence.line.start
    return any(one.kind is CountryForm.CITY and one.start == start for one in clauses.sentence.line.countries)


def _for_talks(clauses: Clauses, at: int) -> Iterator[MeetingParty]:
    """«… for talks with X», « pour s'entretenir avec X », "to meet X"."""
    for one in range(at, min(at + _REACH, len(clauses.sentence.tokens))):
        if clauses.key(one) in _STOPS:
            return
        noun = clauses.key(one) in clauses.words.meeting_nouns - _VISIT_NOUNS and clauses.key(one + 1) in _WITH
        if noun:
            yield from _joined_parties(clauses, one + 2)
            return


def _by_nouns(clauses: Clauses) -> Iterator[MeetingWords]:
    """«a meeting between A and B», « l'entretien de A avec B », "the visit by A to B", "A's talks with B"."""
    for at in range(len(clauses.sentence.tokens)):
        if clauses.key(at) not in clauses.words.meeting_nouns:
            continue
        if any(one.verb.at <= at < one.verb.stop for one in clauses.predicates if one.subject):
            continue
        kind: MeetingKind = "visit" if clauses.key(at) in _VISIT_NOUNS else "talks"
        told = _noun_parties(clauses, at)
        if told is not None:
            yield at, told[0], told[1], kind


def _noun_parties(  # a table
    clauses: Clauses, at: int
) -> tuple[ActorMentions, tuple[MeetingParty, ...]] | None:
    """Who meets by a noun of meeting: what stands behind it, and who owns it."""
    behind = at + 1
    while clauses.key(behind) in {"de", "presse", "commune", "conjointe"} and clauses.key(at) == "conference":
        behind += 1
    while clauses.key(behind).endswith(("ique", "iques", "al", "ale", "eral", "erale")):
        behind += 1
    key = clauses.key(behind)
    if key in {"between", "entre"}:
        found = clauses.joined(behind + 1)
        return (found[:1], tuple(MeetingParty(one) for one in found[1:])) if len(found) > 1 else None
    owner = _owner(clauses, at)
    if clauses.key(at) in _VISIT_NOUNS:
        return _visit_parties(clauses, behind, owner)
    if key in _WITH:
        objects = tuple(_joined_parties(clauses, behind + 1))
        wanted = not owner and _is_wished(clauses, at)
        return ((owner or _main_subject(clauses, at)), objects) if objects and not wanted else None
    return None


def _is_wished(clauses: Clauses, at: int) -> bool:
    """«rejected any dialogue with»: a meeting that somebody is for or against has not been told."""
    before = [one for one in clauses.predicates if one.verb.at < at and at - one.verb.at < 8]
    stance = before[-1].verb.code("stance") if before else None
    return stance in {"reject", "call_for", "demand", "support", "condemn", "optimism", "warn"}


def _visit_parties(
    clauses: Clauses, at: int, owner: ActorMentions
) -> tuple[ActorMentions, tuple[MeetingParty, ...]] | None:
    """«the visit by Naftali Bennett to Egypt», « la visite de X en Egypte »."""
    who, behind = owner, at
    if clauses.key(at) in {"by", "of", "de", "du", "d'", "des"}:
        who = clauses.joined(at + 1)
        held = next((one for one in clauses.mentions if who and one[2].start == who[-1].start), None)
        behind = held[1] if held is not None else at
    if not who:
        return None
    where = clauses.joined(behind + 1)
    hosts = [one for one in where if one.kind == "country" and not _is_city(clauses, one)]
    return (who, (MeetingParty(hosts[0], "host"),)) if hosts else None


def _owner(clauses: Clauses, at: int) -> ActorMentions:
    """Whose a noun of meeting is: «Egypt's consultations»."""
    first = at - 1
    while first > 0 and at - first < 4 and clauses.key(first) != "'s" and clauses.mention_at(first) is None:
        first -= 1
    held = clauses.mention_at(first - 1) if clauses.key(first) == "'s" else None
    return clauses.scene.resolved(held[2]) if held is not None else ()


def _main_subject(clauses: Clauses, at: int) -> ActorMentions:
    """The subject of the verb before a noun of meeting: «began talks with»."""
    before = [one for one in clauses.predicates if one.verb.at < at and one.subject]
    if not before and at < _FRONTED:
        return next((one.subject for one in clauses.predicates if one.verb.at > at and one.subject), ())
    return before[-1].subject if before and at - before[-1].verb.at < _FAR else ()


_FRONTED: Final = 5
"""Tokens before a noun of meeting that opens a sentence: «During a meeting with X, Y said»."""
_FAR: Final = 16


def _groups(
    clauses: Clauses, subject: ActorMentions, objects: Sequence[MeetingParty]
) -> Iterator[tuple[MeetingParty, ...]]:
    """One encounter for each host of a guest, and for each of several called (contract, ruling 14)."""
    met = tuple(_once(clauses, (*(MeetingParty(one) for one in subject), *objects)))
    others = [one for one in met if one.capacity == "principal" and one.mention not in subject]
    led = [one for one in others if _is_led(one.mention) and one.mention.kind == "country"]
    if len(led) > 1 and subject:
        rest = tuple(one for one in met if one not in led)
        yield from ((*rest, one) for one in led)
    else:
        yield met


def _once(clauses: Clauses, parties: Sequence[MeetingParty]) -> Iterator[MeetingParty]:
    seen: set[str] = set()
    for party in parties:
        for mention in clauses.scene.resolved(party.mention):
            name = clauses.scene.cast.actor(mention).name
            if name not in seen:
                seen.add(name)
                yield MeetingParty(mention, party.capacity)


def _described(clauses: Clauses, at: int, parties: tuple[MeetingParty, ...], kind: MeetingKind) -> RuleMeeting:
    sentence = clauses.sentence
    row = sentence.line.row.words
    first = next((number for number, word in enumerate(row) if word.end > sentence.tokens[at].start), 0)
    cue = Cue("met", first, first + 1)
    city = city_of(sentence, at)
    channel = channel_of(sentence, at)
    if channel == "in_person" and not city and is_told_apart(sentence, at):
        channel = "unspecified"
    return RuleMeeting(
        sentence.line,
        cue,
        (*parties, *_present(clauses, parties)),
        kind=kind,
        channel=channel,
        status=status_of(clauses, at),
        date=date_of(sentence, at),
        venue=venue_of(sentence.line.text),
        city=city if channel == "in_person" else None,
    )


def _present(clauses: Clauses, parties: Sequence[MeetingParty]) -> Iterator[MeetingParty]:
    """«joined by X», "in the presence of", "accompanied by": present, or members."""
    known = {clauses.scene.cast.actor(one.mention).name for one in parties}
    for first, _, mention in clauses.mentions:
        before = " ".join(clauses.key(one) for one in range(max(0, first - 4), first))
        capacity = next((code for words, code in _PRESENCE if re.search(words, before)), None)
        if capacity and mention.kind in {"person", "role"} and clauses.scene.cast.actor(mention).name not in known:
            yield MeetingParty(mention, capacity)


_PRESENCE: Final[tuple[tuple[str, Capacity], ...]] = (
    (r"(?:joined|accompanied) by|accompagne\w* (?:de|du|par)", "member"),
    (r"presence of|attended by|presence (?:de|du)|en presence", "attendee"),
)
