"""Encounters in English and French sentences: who met whom, how, when and where."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mahdar.offline.cues import Cue
from mahdar.offline.encounters import Encounter
from mahdar.offline.latin.circumstances import (
    PRESS,
    SUMMIT,
    channel_of,
    city_of,
    date_of,
    is_told_apart,
    kind_of,
    status_of,
    venue_of,
)
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.stage import Mentions, Predicate
from mahdar.offline.mention import Mention
from mahdar.offline.parties import Party
from mahdar.resolving.countries import CountryForm, listed
from mahdar.schemas.enums import Capacity, MeetingKind

_WITH: Final = listed("with avec")
_PARTIES: Final = frozenset({"person", "role", "delegation", "country", "body", "people", "pair"})
_VISITS: Final = listed(
    """
    visit visiter travel go fly arrive head return come rendre envoler arriver aller effectuer pay make
    """
)
_VISIT_NOUNS: Final = listed("visit trip visite deplacement")
_SIGNED: Final = listed("sign signer")
_REACH: Final = 30
_AND: Final = listed("and et")
_STOPS: Final = frozenset({".", ";", "!", "?", "—"})
_BEFORE_OBJECT: Final = listed(
    "with hier lundi mardi mercredi jeudi vendredi samedi dimanche brievement briefly également egalement aussi"
)


def encounters_in(clauses: Clauses) -> Iterator[Encounter]:
    """The encounters a sentence tells."""
    if clauses.sentence.is_heading or clauses.sentence.line.text.rstrip(' "”»').endswith("?"):
        return
    seen: list[frozenset[str]] = []
    for at, subject, objects, kind in (*_by_verbs(clauses), *_by_nouns(clauses)):
        for group in _groups(clauses, subject, objects):
            names = frozenset(
                clauses.scene.cast.actor(one.mention).name for one in group if one.capacity in {"principal", "host"}
            )
            visit = kind == "visit" and len(names) > 1
            again = bool(seen) and _is_pair_near(clauses, at)  # «and the two men discussed»
            if (len(names) > 1 or visit) and not again and not any(names <= told for told in seen):
                seen.append(names)
                yield _described(clauses, at, group, kind)


def _is_pair_near(clauses: Clauses, at: int) -> bool:
    return any(held[2].kind == "pair" and 0 <= at - held[1] < 3 for held in clauses.mentions)


Told = tuple[int, Mentions, tuple[Party, ...], MeetingKind]


def _by_verbs(clauses: Clauses) -> Iterator[Told]:
    for predicate in clauses.predicates:
        verb = predicate.verb
        if (
            not verb.in_table("with", "direct", "to")
            or predicate.negated
            or (predicate.uncertain and not predicate.future)
        ):
            continue
        if predicate.form == "infinitive" and not _is_arranged(clauses, predicate):
            continue
        if verb.lemma == "call" and not _is_phoned(clauses, verb.stop):
            continue
        subject = tuple(one for one in _subject(clauses, predicate) if one.kind in _PARTIES)
        objects = tuple(_objects(clauses, predicate))
        if verb.lemma in _VISITS:
            yield from _visited(clauses, predicate, subject, objects)
        elif verb.lemma in _SIGNED:
            yield verb.at, subject, objects, "signing"
        else:
            yield verb.at, subject, objects, "talks"


_ARRANGING: Final = listed(
    """
    will would to scheduled due expected set doit doivent va vont devrait devraient planned plans intends pour
    prevoit prevu agreed invited invite apprete souhaite veut intention intend agree
    """
)


def _is_phoned(clauses: Clauses, at: int) -> bool:
    """«called Netanyahu on Sunday»; not «called Netanyahu a liar»."""
    held = clauses.mention_at(at)
    if held is None or held[2].kind not in {"person", "role"}:
        return False
    behind = held[1]
    ended = behind >= len(clauses.sentence.tokens) or clauses.key(behind) in {".", ",", "to", "on", "after", "and"}
    return ended or behind in clauses.sentence.dated


def _is_arranged(clauses: Clauses, predicate: Predicate) -> bool:
    """«is scheduled to meet», « doit rencontrer », «travelled to Cairo to meet»: not «refused to meet»."""
    before = {clauses.key(one) for one in range(max(0, predicate.verb.at - 5), predicate.verb.at)}
    refused = listed(
        """
        refused refuse refuses declined wants want hopes hope could should can peut pourrait unable without sans
        """
    )
    return not before.isdisjoint(_ARRANGING) and before.isdisjoint(refused)


def _subject(clauses: Clauses, predicate: Predicate) -> Mentions:
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


def _objects(clauses: Clauses, predicate: Predicate) -> Iterator[Party]:
    """Whom a verb of meeting takes: right behind it, behind «with», or behind «by» of a passive."""
    verb = predicate.verb
    if predicate.passive:
        yield from (Party(one) for one in predicate.subject)
        return
    direct = verb.in_table("direct")
    at = verb.stop
    if direct and (found := _right_behind(clauses, at)):
        yield from (Party(one) for one in found)
        return
    if verb.in_table("with"):
        yield from _with(clauses, at)
    if verb.in_table("to") and verb.lemma not in _VISITS:
        for one in range(at, min(at + 8, len(clauses.sentence.tokens))):
            if clauses.key(one) in {"to", "a", "au", "aux"} and (found := clauses.joined(one + 1)):
                yield from (Party(each) for each in found)
                return


def _right_behind(clauses: Clauses, at: int) -> Mentions:
    while clauses.key(at) in _BEFORE_OBJECT:
        at += 1
    found = clauses.joined(at)
    return found if found and all(map(_is_met, found)) else tuple(filter(_is_met, _past_place(clauses, at)))


def _is_met(mention: Mention) -> bool:
    return mention.kind in _PARTIES - {"country"} or _is_led(mention)


def _past_place(clauses: Clauses, at: int) -> Mentions:
    """« a reçu jeudi au palais de Carthage la ministre …»: the object behind date and place."""
    for one in range(at, min(at + _PLACE_REACH, len(clauses.sentence.tokens))):
        key = clauses.key(one)
        if key in _STOPS | {",", "who", "qui", "que"} | _AND:
            return ()
        held = clauses.mention_at(one)
        free = clauses.key(one - 1) in _ARTICLES or (held is not None and clauses.mention_at(one - 1) is not None)
        if (
            held is not None
            and held[0] == one
            and held[2].kind in {"person", "role", "delegation"}
            and (free or one - 1 in clauses.sentence.dated)
        ):
            return clauses.joined(one)
    return ()


_PLACE_REACH: Final = 10
_ARTICLES: Final = listed("le la l' les son sa leur the his her")


def _is_led(mention: Mention) -> bool:
    """« les dirigeants grec et chypriote » are told by their countries."""
    return mention.text[:1].islower()


def _with(clauses: Clauses, at: int) -> Iterator[Party]:
    """«with X and Y», within the clause."""
    for one in range(at, min(at + _REACH, len(clauses.sentence.tokens))):
        key = clauses.key(one)
        if key in _STOPS or (
            key in _AND | {"but", "mais", "who", "qui", "which"} and _begins_predicate(clauses, one + 1)
        ):
            return
        if key in _WITH and clauses.mention_at(one) is None and not _is_bound(clauses, one):
            found = _joined_parties(clauses, one + 1)
            if found:
                yield from found
                return


def _is_bound(clauses: Clauses, at: int) -> bool:
    """«relations with», « la coopération avec »: no party follows."""
    bound = listed(
        """
        relations ties cooperation partnership relationship line accordance agreement peace deal accord liens
        cooperation partenariat coordination together
        """
    )
    return clauses.key(at - 1) in bound


def _begins_predicate(clauses: Clauses, at: int) -> bool:
    return any(one.first <= at <= one.verb.at for one in clauses.predicates) or any(
        (held := clauses.mention_at(one)) is not None
        and any(p.first in {held[1], held[1] + 1} for p in clauses.predicates)
        for one in (at, at + 1)
    )


def _joined_parties(clauses: Clauses, at: int) -> Iterator[Party]:
    return iter([Party(one) for one in clauses.joined(at) if one.kind in _PARTIES])


def _visited(clauses: Clauses, predicate: Predicate, subject: Mentions, objects: Sequence[Party]) -> Iterator[Told]:
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
    people = tuple(one for one in objects if one.mention.kind in {"person", "role"})
    if people:
        yield predicate.verb.at, subject, people, "talks"
    elif places and subject and _is_destination(clauses, places[0][0], at):
        country = next((one for one in places[:2] if not _is_city(clauses, one[2])), None)
        if country is not None:
            yield predicate.verb.at, subject, (Party(country[2], "host"),), "visit"


def _is_destination(clauses: Clauses, at: int, verb: int) -> bool:
    before = [clauses.key(one) for one in range(verb, at)]
    return len(before) <= 3 or any(key in {"to", "a", "en", "au", "aux"} for key in before[-3:])


def _is_city(clauses: Clauses, mention: Mention) -> bool:
    start = mention.start - clauses.sentence.line.start
    return any(one.kind is CountryForm.CITY and one.start == start for one in clauses.sentence.line.countries)


def _for_talks(clauses: Clauses, at: int) -> Iterator[Party]:
    """«… for talks with X», « pour s'entretenir avec X », "to meet X"."""
    for one in range(at, min(at + _REACH, len(clauses.sentence.tokens))):
        if clauses.key(one) in _STOPS:
            return
        noun = clauses.key(one) in clauses.words.meeting_nouns - _VISIT_NOUNS and clauses.key(one + 1) in _WITH
        if noun:
            yield from _joined_parties(clauses, one + 2)
            return


def _by_nouns(clauses: Clauses) -> Iterator[Told]:
    """«a meeting between A and B», « l'entretien de A avec B », "the visit by A to B", "A's talks with B"."""
    for at in range(len(clauses.sentence.tokens)):
        if clauses.key(at) not in clauses.words.meeting_nouns or clauses.mention_at(at) is not None:
            continue
        if any(one.verb.at <= at < one.verb.stop for one in clauses.predicates if one.subject):
            continue
        kind: MeetingKind = "visit" if clauses.key(at) in _VISIT_NOUNS else "talks"
        if clauses.key(at) == "conference" and not _is_press(clauses, at):
            continue
        told = _noun_parties(clauses, at)
        if told is not None:
            yield at, told[0], told[1], kind


def _is_press(clauses: Clauses, at: int) -> bool:
    return clauses.key(at - 1) in PRESS or clauses.key(at + 2) in PRESS


def _noun_parties(  # noqa: PLR0911  # a table
    clauses: Clauses, at: int
) -> tuple[Mentions, tuple[Party, ...]] | None:
    """Who meets by a noun of meeting: what stands behind it, and who owns it."""
    behind = at + 1
    while clauses.key(behind) in {"de", "presse", "commune", "conjointe"} and clauses.key(at) == "conference":
        behind += 1
    while (
        clauses.key(behind).endswith(("ique", "iques", "al", "ale", "eral", "erale"))
        or behind in clauses.sentence.dated
        or clauses.key(behind) in {"on", "in", "held", "also"}
        or (clauses.mention_at(behind) and clauses.key(behind - 1) in {"in", "a"})
    ):
        behind += 1
    key = clauses.key(behind)
    if key in {"between", "entre"}:
        found = clauses.joined(behind + 1, closed=True)
        return (found[:1], tuple(Party(one) for one in found[1:])) if len(found) > 1 else None
    owner = _owner(clauses, at)
    if clauses.key(at) in _VISIT_NOUNS:
        return _visit_parties(clauses, behind, owner)
    if key in _WITH:
        objects = tuple(_joined_parties(clauses, behind + 1))
        wanted = not owner and _is_wished(clauses, at)
        return ((owner or _main_subject(clauses, at)), objects) if objects and not wanted else None
    if key in {"of", "de", "du", "des", "by"}:
        first = clauses.joined(behind + 1)
        held = next((one for one in clauses.mentions if first and one[2] is first[-1]), None)
        if held is not None and clauses.key(held[1]) in _WITH:
            return first, tuple(_joined_parties(clauses, held[1] + 1))
        host = _main_subject(clauses, at) if clauses.key(at) in SUMMIT else ()
        if host and first:
            return host, tuple(Party(one) for one in first)
        return (first[:1], tuple(Party(one) for one in first[1:])) if len(first) > 1 else None
    return None


def _is_wished(clauses: Clauses, at: int) -> bool:
    """«rejected any dialogue with»: a meeting that somebody is for or against has not been told."""
    before = [one for one in clauses.predicates if one.verb.at < at and at - one.verb.at < 8]
    stance = before[-1].verb.code("stance") if before else None
    return stance in {"reject", "call_for", "demand", "support", "condemn", "optimism", "warn"}


def _visit_parties(clauses: Clauses, at: int, owner: Mentions) -> tuple[Mentions, tuple[Party, ...]] | None:
    """«the visit by Naftali Bennett to Egypt», « la visite de X en Egypte »."""
    who, behind = owner, at
    if clauses.key(at) in {"by", "of", "de", "du", "d'", "des"}:
        who = clauses.joined(at + 1)
        held = next((one for one in clauses.mentions if who and one[2].start == who[-1].start), None)
        behind = held[1] if held is not None else at
    if not who or clauses.key(behind) not in {"to", "in", "en", "au", "a", "aux"}:
        return None
    where = clauses.joined(behind + 1)
    hosts = [one for one in where if one.kind == "country" and not _is_city(clauses, one)]
    if not hosts:
        held = next((one for one in clauses.mentions if where and one[2] is where[-1]), None)
        hosts = (
            [one for one in clauses.joined(held[1] + 1) if one.kind == "country"]
            if held and clauses.key(held[1]) == ","
            else []
        )
    return (who, (Party(hosts[0], "host"),)) if hosts else None


def _owner(clauses: Clauses, at: int) -> Mentions:
    """Whose a noun of meeting is: «Egypt's consultations»."""
    first = at - 1
    while first > 0 and at - first < 4 and clauses.key(first) != "'s" and clauses.mention_at(first) is None:
        first -= 1
    held = clauses.mention_at(first - 1) if clauses.key(first) == "'s" else None
    return clauses.scene.resolved(held[2]) if held is not None else ()


def _main_subject(clauses: Clauses, at: int) -> Mentions:
    """The subject of the verb before a noun of meeting: «began talks with»."""
    before = [one for one in clauses.predicates if one.verb.at < at and one.subject]
    if not before and at < _FRONTED:
        return next((one.subject for one in clauses.predicates if one.verb.at > at and one.subject), ())
    return before[-1].subject if before and at - before[-1].verb.at < _FAR else ()


_FRONTED: Final = 5
"""Tokens before a noun of meeting that opens a sentence: «During a meeting with X, Y said»."""
_FAR: Final = 16


def _groups(clauses: Clauses, subject: Mentions, objects: Sequence[Party]) -> Iterator[tuple[Party, ...]]:
    """One encounter for each host of a guest, and for each of several called (contract, ruling 14)."""
    met = tuple(_once(clauses, (*(Party(one) for one in subject), *objects)))
    others = [one for one in met if one.capacity == "principal" and one.mention not in subject]
    led = [one for one in others if _is_led(one.mention) and one.mention.kind == "country"]
    if len(led) > 1 and subject:
        rest = tuple(one for one in met if one not in led)
        yield from ((*rest, one) for one in led)
    else:
        yield met


def _once(clauses: Clauses, parties: Sequence[Party]) -> Iterator[Party]:
    seen: set[str] = set()
    for party in parties:
        for mention in clauses.scene.resolved(party.mention):
            name = clauses.scene.cast.actor(mention).name
            if name not in seen:
                seen.add(name)
                yield Party(mention, party.capacity)


def _described(clauses: Clauses, at: int, parties: tuple[Party, ...], kind: MeetingKind) -> Encounter:
    sentence = clauses.sentence
    row = sentence.line.row.words
    first = next((number for number, word in enumerate(row) if word.end > sentence.tokens[at].start), 0)
    cue = Cue("met", first, first + 1)
    city = city_of(sentence, at)
    channel = channel_of(sentence, at)
    if channel == "in_person" and not city and is_told_apart(sentence, at):
        channel = "unspecified"
    return Encounter(
        sentence.line,
        cue,
        (*parties, *_present(clauses, parties)),
        kind=kind_of(sentence, at, kind),
        channel=channel,
        status=status_of(clauses, at),
        date=date_of(sentence, at),
        venue=venue_of(sentence.line.text),
        city=city if channel == "in_person" else None,
    )


def _present(clauses: Clauses, parties: Sequence[Party]) -> Iterator[Party]:
    """«joined by X», "in the presence of", "accompanied by": present, or members."""
    known = {clauses.scene.cast.actor(one.mention).name for one in parties}
    for first, _, mention in clauses.mentions:
        before = " ".join(clauses.key(one) for one in range(max(0, first - 4), first))
        capacity = next((code for words, code in _PRESENCE if re.search(words, before)), None)
        if capacity and mention.kind in {"person", "role"} and clauses.scene.cast.actor(mention).name not in known:
            yield Party(mention, capacity)


_PRESENCE: Final[tuple[tuple[str, Capacity], ...]] = (
    (r"(?:joined|accompanied) by|accompagne\w* (?:de|du|par)", "member"),
    (r"presence of|attended by|presence (?:de|du)|en presence", "attendee"),
)
