"""Cluster the mentions of all articles into actors.

Mentions with equal readings make one form. Two forms are compared if they share a key (`_keys`); the surest pairs are
joined first, and no pair is joined that has evidence against it. A reading shorter than a full name (a surname, an
office, a name with words left out) joins an actor only if exactly one fits. Doubtful pairs are kept for review.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise, product
from typing import Final

from mahdar.documents.folding import word_set
from mahdar.linking.clusters import GENERATION, ActorCluster, Doubt, Join, are_parted, final
from mahdar.linking.persons import STRENGTH, Verdict, alike, are_two, compare, have_other_offices, share_office
from mahdar.linking.readings import UNITED, ActorReading
from mahdar.linking.sounds import sound_key
from mahdar.resolving.names import GIVEN, is_part
from mahdar.resolving.offices import Office, read_word

TENURE: Final = dt.timedelta(days=180)
"""Maximum distance from a day on which a person held an office, for a mention of the office alone to mean them."""
SAME_OCCASION: Final = dt.timedelta(days=30)
"""Maximum distance of two articles that mention one office without a name, for both to mean one holder."""
LIFE_OF_A_SURNAME: Final = dt.timedelta(days=5 * 365)
"""Maximum distance of a surname alone from mentions of the full name; beyond it, it may be another person's."""
PASSES: Final = 3
"""Passes over the names that fit several actors."""
REIGN: Final = dt.timedelta(days=3 * 365)
"""`TENURE` of monarchs."""
SLIPS: Final = 0.02
"""Share of the articles of the rarer actor that may mention both as two although they are one: extraction errors."""
MOST_OF_A_KEY: Final = 2_000
"""Maximum of forms with one key; a key that more forms share is too unspecific, and ignored."""
SOLE_HEADS: Final = word_set("وزير وزيره رييس رييسه ملك ملكه عاهل امير سلطان ولي مرشد president minister king")
"""Offices, folded, that one person of a country holds at a time, unlike ambassadors, deputies or envoys."""
MONARCHS: Final = word_set("ملك ملكه امير سلطان")
SOLE_WITH_BODY: Final = word_set("امين مدير محافظ قايد")
"""Offices, folded, that one person holds if a body is named: «مدير المخابرات المصرية»."""


class Linker:
    """Joins clusters of forms in several steps; each step takes the clusters that the earlier ones left.

    Attributes:
        doubts: pairs that were not joined although something speaks for it.
    """

    def __init__(self, clusters: Iterable[ActorCluster]) -> None:
        self._clusters = list(clusters)
        self.doubts: list[Doubt] = []

    @property
    def clusters(self) -> list[ActorCluster]:
        """The actors: clusters that were not joined to another."""
        return [cluster for cluster in self._clusters if cluster.into is None]

    def link(self) -> None:
        """Run all steps, the surest first."""
        self._join_equal()
        self._join_bodies()
        self._join_names()
        self._join_surnames()
        self._join_offices()

    def join(self, a: ActorCluster, b: ActorCluster, reasons: Sequence[str]) -> bool:
        """Join two clusters; if there is evidence against it, keep the pair for review and return False."""
        a, b = final(a), final(b)
        if a is b:
            return True
        against = _against(a, b)
        if against:
            self.doubt(a, b, reasons, against)
            return False
        keeper, other = (a, b) if _order(a) <= _order(b) else (b, a)
        keeper.take(other, Join(keeper.head.name, other.head.name, list(reasons)))
        return True

    def doubt(self, a: ActorCluster, b: ActorCluster, for_: Sequence[str], against: Sequence[str]) -> None:
        """Keep a pair for review."""
        self.doubts.append(Doubt(a, b, list(for_), list(against)))

    def _join_equal(self) -> None:
        """Join countries, peoples and bodies with equal readings."""
        groups = defaultdict[ActorReading, list[ActorCluster]](list)
        for cluster in self.clusters:
            if cluster.kind in {"country", "people", "body"}:
                groups[cluster.head.reading].append(cluster)
        for reading, (first, *others) in groups.items():
            for other in others:
                self.join(first, other, [f"{reading.kind}: the same"])

    def _join_bodies(self) -> None:
        """Join a body without country, or a government named in fewer words, to the only body that fits."""
        by_name = defaultdict[tuple[str, ...], list[ActorCluster]](list)
        bodies = [cluster for cluster in self.clusters if cluster.kind == "body"]
        for cluster in bodies:
            words = cluster.head.reading.words
            for length in range(1, len(words) + 1):
                by_name[words[:length]].append(cluster)
        for cluster in bodies:
            reading = cluster.head.reading
            fitting = [
                other
                for other in by_name[reading.words]
                if other is not cluster and other.into is None and _body_fits(reading, other.head.reading)
            ]
            if len(fitting) == 1:
                self.join(fitting[0], cluster, ["body: the same words, or their beginning"])

    def _join_names(self) -> None:
        """Join full names: first pairs that share a country, office or body, then names that fit only one actor."""
        sure: list[tuple[tuple[int, int], ActorCluster, ActorCluster, Verdict]] = []
        weak = defaultdict[int, list[tuple[ActorCluster, Verdict]]](list)
        named = [one for one in self.clusters if one.kind == "person" and not one.head.reading.is_surname]
        for a, b in _candidates(named):
            verdict = compare(a.head.reading, b.head.reading, a.known, b.known)
            if verdict is None:
                continue
            if not verdict.sure:
                self.doubt(a, b, verdict.for_, verdict.against or ["nothing but the name speaks for it"])
            elif verdict.alike in {"same", "spelling", "near"} and len(verdict.for_) > 1:
                sure.append(((-STRENGTH[verdict.alike], -len(verdict.for_)), a, b, verdict))
            else:
                short, full = sorted((a, b), key=lambda one: (len(one.head.reading.words), len(one.known.countries)))
                weak[id(short)].append((full, verdict))
                if verdict.alike == "script":
                    weak[id(full)].append((short, verdict))
        for _, a, b, verdict in sorted(sure, key=lambda pair: (pair[0], pair[1].head.key, pair[2].head.key)):
            self.join(a, b, verdict.for_)
        ordered = sorted(named, key=lambda one: (-len(one.head.reading.words), one.head.key))
        for _ in range(PASSES):  # each join leaves fewer actors that fit other names
            several = [cluster for cluster in ordered if not self._join_only(cluster, weak[id(cluster)])]
        for cluster in several:
            fitting = _fitting(cluster, weak[id(cluster)])
            for other, verdict in fitting:
                self.doubt(cluster, other, verdict.for_, [f"{len(fitting)} actors fit"])

    def _join_only(self, cluster: ActorCluster, found: Iterable[tuple[ActorCluster, Verdict]]) -> bool:
        """Join a cluster to the only actor that fits, or that shares an office too; return False if several do."""
        fitting = _fitting(cluster, found)
        if len(fitting) > 1:
            fitting = [pair for pair in fitting if share_office(cluster.known, pair[0].known)]
            if len(fitting) != 1:
                return False
        for other, verdict in fitting:
            self.join(other, cluster, verdict.for_)
        return True

    def _join_surnames(self) -> None:
        """Join a one-word name to the only person of its country who bears it and has no other office.

        Of those left, join two that share the word, an office and a country.
        """
        bearers = defaultdict[str, list[ActorCluster]](list)
        for cluster in self.clusters:
            if cluster.kind == "person" and not cluster.head.reading.is_surname:
                for key in {
                    sound_key(word)
                    for form in cluster.forms
                    if len(form.reading.words) > 1
                    for word in (form.reading.words[-1], form.reading.words[0])
                }:
                    bearers[key].append(cluster)
        left = []
        for cluster in self.clusters:
            if cluster.kind == "person" and cluster.head.reading.is_surname:
                self._join_surname(cluster, bearers[sound_key(cluster.head.reading.words[0])])
                left += [cluster] if cluster.into is None else []
        for a, b in _candidates(left):
            if final(a) is final(b) or alike(a.head.reading, b.head.reading) != "surname":
                continue
            office = share_office(a.known, b.known)
            if office and a.known.countries & b.known.countries:
                self.join(a, b, ["name: one word of it", f"office: {office}"])

    def _join_surname(self, cluster: ActorCluster, bearers: Iterable[ActorCluster]) -> None:
        fitting: list[tuple[ActorCluster, Verdict]] = []
        for bearer in bearers:
            verdicts = (compare(cluster.head.reading, one.reading, cluster.known, bearer.known) for one in bearer.forms)
            verdict = next((one for one in verdicts if one and one.alike == "surname"), None)
            if verdict and not any("country" in reason for reason in verdict.against):
                fitting.append((bearer, verdict))
        if not fitting:
            return
        by_office = [pair for pair in fitting if share_office(cluster.known, pair[0].known)]
        if len(by_office) == 1:
            self.join(by_office[0][0], cluster, by_office[0][1].for_)
            return
        bearer, verdict = fitting[0]
        if len(fitting) > 1:
            against = [f"{len(fitting)} actors bear the name"]
        elif have_other_offices(cluster.known, bearer.known):
            against = ["office: another"]
        elif not verdict.sure:
            against = verdict.against or ["nothing but one word of the name speaks for it"]
        elif _apart_by(LIFE_OF_A_SURNAME, cluster, bearer):
            against = ["years lie between them"]
        else:
            self.join(bearer, cluster, verdict.for_)
            return
        for bearer, verdict in fitting:
            self.doubt(bearer, cluster, verdict.for_, against)

    def _join_offices(self) -> None:
        """Join a mention of an office alone to the one person who held it around that day.

        Of those left, join mentions of one office that are at most `SAME_OCCASION` apart, unless two held it then.
        """
        holders = defaultdict[tuple[str | None, str], list[ActorCluster]](list)
        for cluster in self.clusters:
            if cluster.kind == "person":
                for key in {(office.country, office.words[0]) for office in cluster.known.offices}:
                    holders[key].append(cluster)
        left = defaultdict[ActorReading, list[ActorCluster]](list)
        for cluster in self.clusters:
            reading = cluster.head.reading
            if cluster.kind == "role" and _is_sole(reading):
                held_by = self._join_office(cluster, holders[reading.country, reading.words[0]])
                if cluster.into is None and held_by < 2:
                    left[reading].append(cluster)
        for same in left.values():
            dated = sorted((cluster for cluster in same if cluster.days), key=lambda one: (one.days, one.head.key))
            for a, b in pairwise(dated):
                if a.days and b.days and b.days[0] - a.days[1] <= SAME_OCCASION:
                    self.join(a, b, ["office: the same", f"days: {a.days[1]} and {b.days[0]}"])

    def _join_office(self, cluster: ActorCluster, holders: Iterable[ActorCluster]) -> int:
        """Join a mention of an office to its only holder about then; return how many held it about then."""
        reading = cluster.head.reading
        wanted = Office(reading.words, reading.country)
        near: list[tuple[ActorCluster, str]] = []
        far: list[ActorCluster] = []
        for holder in holders:
            if not any(is_part(wanted, office, (), ()) for office in holder.known.offices):
                continue
            gap = _gap(cluster, holder, wanted)
            if gap is not None and gap <= (REIGN if reading.words[0] in MONARCHS else TENURE):
                near.append((holder, f"days: {gap.days} apart from a day on which the office was theirs"))
            else:
                far.append(holder)
        if len(near) == 1:
            holder, days = near[0]
            self.join(holder, cluster, [f"office: {' '.join(wanted.words)}", f"country: {wanted.country}", days])
            return 1
        for holder in [*(one for one, _ in near), *far]:
            against = f"{len(near)} held it about then" if near else "not known to hold it about then"
            self.doubt(holder, cluster, [f"office: {' '.join(wanted.words)}"], [against])
        return len(near)


def _fitting(
    cluster: ActorCluster, found: Iterable[tuple[ActorCluster, Verdict]]
) -> list[tuple[ActorCluster, Verdict]]:
    """Return the actors that the candidates are now part of, each once, without those with evidence against them."""
    fitting: dict[int, tuple[ActorCluster, Verdict]] = {}
    for other, verdict in found:
        if final(other) is not final(cluster) and not _against(final(cluster), final(other)):
            fitting.setdefault(id(final(other)), (final(other), verdict))
    return list(fitting.values())


def _order(cluster: ActorCluster) -> tuple[bool, bool, tuple[str, int]]:
    """Return a sort key: the lower of two clusters absorbs the other, by id, full name and first mention."""
    reading = cluster.head.reading
    return cluster.actor_id is None, reading.kind == "role" or reading.is_surname, cluster.head.key


def _against(a: ActorCluster, b: ActorCluster) -> list[str]:
    """Return the reasons why two clusters cannot be one actor; empty if there is none."""
    reasons = []
    if a.actor_id and b.actor_id and a.actor_id != b.actor_id:
        reasons.append(f"ids: {a.actor_id} and {b.actor_id} stand in earlier results")
    if are_parted(a, b):
        reasons.append("correction: apart")
    if a.kind in {"person", "role"}:
        reasons += _against_person(a, b)
        if _apart_by(GENERATION, a, b):
            reasons.append("years: too many lie between them")
    return reasons


def _against_person(a: ActorCluster, b: ActorCluster) -> Iterator[str]:
    countries, others = a.known.countries, b.known.countries
    if countries and others and not countries & others and not (countries | others) & UNITED:
        yield f"country: {', '.join(sorted(countries))} and {', '.join(sorted(others))}"
    for one in a.forms:
        for other in b.forms:
            names = one.reading.kind == other.reading.kind == "person"
            full = names and not one.reading.is_surname and not other.reading.is_surname
            if full and are_two(one.reading, other.reading):
                yield f"name: {one.name} and {other.name} are two"
                return
    apart = sorted(_articles_with_both(a, b))
    if len(apart) > SLIPS * min(len(a.names), len(b.names)):
        yield f"article: {apart[0]} has both, as two"


def _articles_with_both(a: ActorCluster, b: ActorCluster) -> Iterator[str]:
    """Yield the articles that mention both clusters, by names that are not two spellings of one."""
    for article in a.names.keys() & b.names.keys():
        here, there = ([one for one in cluster.mentions if one.article == article] for cluster in (a, b))
        readings = ((one.reading, other.reading) for one, other in product(here, there) if one.name != other.name)
        if not all(
            one.kind == other.kind == "person" and alike(one, other) in {"same", "spelling"} for one, other in readings
        ):
            yield article


def _candidates(clusters: Sequence[ActorCluster]) -> Iterator[tuple[ActorCluster, ActorCluster]]:
    """Yield the pairs that share a key, each once."""
    blocks = defaultdict[tuple[str, ...], list[int]](list)
    for at, cluster in enumerate(clusters):
        for key in dict.fromkeys(_keys(cluster)):
            blocks[key].append(at)
    seen = set[int]()
    size = len(clusters)
    for block in blocks.values():
        if len(block) > MOST_OF_A_KEY:
            continue
        for a, b in combinations(block, 2):
            if a * size + b not in seen:
                seen.add(a * size + b)
                yield clusters[a], clusters[b]


def _keys(cluster: ActorCluster) -> Iterator[tuple[str, ...]]:
    """Yield the keys of a cluster: names are compared if they share one.

    A key holds the sounds of the first and another word, of the last word and the country, of the first word with
    the initial sound of the last and the country, or of all words.
    """
    for form in cluster.forms:
        words = form.reading.words
        sounds = [sound_key(word) for word in words]
        yield ("whole", "".join(sounds))
        for sound in sounds[1:]:
            yield ("first", sounds[0], sound)
        if len(words) == 2:
            yield ("first", sounds[1], sounds[0])
        if words[-1] not in GIVEN:
            yield ("last", sounds[-1], form.reading.country or "")
        yield ("initial", sounds[0], sounds[-1][:1], form.reading.country or "")


def _body_fits(short: ActorReading, full: ActorReading) -> bool:
    """Return whether a body is another one without its country, or a government in fewer words."""
    if short.words == full.words:
        # A name of its own, and not common to many countries as «وزارة الداخلية» is.
        is_own = any(not read_word(word) and not read_word(f"ال{word}") for word in short.words)
        return short.country is None and full.country is not None and is_own
    begins = full.words[: len(short.words)] == short.words
    return begins and len(short.words) > 1 and short.words[0] == "حكومه" and short.country == full.country is not None


def _apart_by(time: dt.timedelta, a: ActorCluster, b: ActorCluster) -> bool:
    """Return whether more time than given lies between all mentions of one cluster and all of the other."""
    if a.days is None or b.days is None:
        return False
    return max(a.days[0] - b.days[1], b.days[0] - a.days[1]) > time


def _is_sole(reading: ActorReading) -> bool:
    """Return whether one person at a time holds the office, and the reading says of which country or body."""
    if reading.country is None or not reading.words:
        return False
    return reading.words[0] in SOLE_HEADS or (reading.words[0] in SOLE_WITH_BODY and len(reading.words) > 1)


def _gap(role: ActorCluster, holder: ActorCluster, wanted: Office) -> dt.timedelta | None:
    """Return the time between a mention of an office and the days on which a person held it; None if not known."""
    if role.days is None:
        return None
    day = role.days[0]
    spans = [span for office, span in holder.held.items() if is_part(wanted, office, (), ())]
    return min((max(first - day, day - last, dt.timedelta()) for first, last in spans), default=None)
