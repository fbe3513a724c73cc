"""Decide whether two names are one person's, with the reasons for and against.

Names are compared word by word. Similar names are one person's only if there is no evidence against it and, the less
specific the names are, more other evidence for it: the country represented, an office, a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Literal

from mahdar.linking.readings import UNITED, ActorReading
from mahdar.linking.sounds import can_be_written, consonants, sound_key
from mahdar.resolving.names import GIVEN, PARTNERS, are_partners, is_part, is_short_form, is_variant, word_ratio
from mahdar.resolving.offices import Office

Alike = Literal["same", "spelling", "near", "script", "shortened", "surname"]
"""How two names resemble each other: equal word by word; in another spelling; in one that may be
another name; in another script; with words left out; one is a single word of the other."""

TOLD: Final[dict[Alike, str]] = {
    "same": "the same words",
    "spelling": "another spelling",
    "near": "nearly the same",
    "script": "another script",
    "shortened": "words left out",
    "surname": "one word of it",
}
STRENGTH: Final[dict[Alike, int]] = {"same": 6, "spelling": 5, "near": 4, "script": 3, "shortened": 2, "surname": 1}
SHORTEST_NEAR: Final = 5
"""Minimum of letters of the one word in which two nearly equal names differ."""
LONG_SOUND: Final = 8
"""Minimum of consonants of a name in Latin letters for a match across scripts to be no coincidence."""
SHORTEST_SOUND: Final = 4
"""Minimum of consonants of a name in Latin letters to compare it with one in Arabic."""
FEW_SOUNDS: Final = 5
"""Consonants below which a match across scripts needs a shared office: «علي سليم» may be "Ali Salem"."""
SHORTEST_KEY: Final = 4
"""Minimum of consonant classes that two spellings of one name must share."""


@dataclass(frozen=True, slots=True)
class ActorFacts:
    """Countries, offices and bodies of a person."""

    countries: frozenset[str] = frozenset()
    offices: frozenset[Office] = frozenset()
    bodies: frozenset[str] = frozenset()

    def joined(self, other: "ActorFacts") -> "ActorFacts":
        """Return the facts of both."""
        return ActorFacts(self.countries | other.countries, self.offices | other.offices, self.bodies | other.bodies)


@dataclass(slots=True)
class Verdict:
    """Result of comparing two persons, with reasons that a reader can check.

    Attributes:
        sure: whether they are one; if not, they may be, unless `against` has reasons.
    """

    alike: Alike
    for_: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    sure: bool = False


def alike(a: ActorReading, b: ActorReading) -> Alike | None:
    """Return how two persons' names resemble each other; None if they do not."""
    if a.words == b.words or "".join(a.words) == "".join(b.words):
        return "same" if len(a.words) > 1 or len(b.words) > 1 else "surname"
    short, full = sorted((a.words, b.words), key=len)
    if short[0].isascii() != full[0].isascii():
        return _across_scripts(a.words, b.words)
    if len(short) == 1:
        return "surname" if len(full) > 1 and _bears(short[0], full) else None
    if len(short) == len(full):
        if is_variant(short, full) or (len(short) == 2 and short == full[::-1]):
            return "spelling"
        return "near" if _sound_alike(short, full) or _is_near(short, full) else None
    return "shortened" if is_short_form(short, full) else None


def compare(a: ActorReading, b: ActorReading, of_a: ActorFacts, of_b: ActorFacts) -> Verdict | None:
    """Compare two persons; return None if their names do not resemble each other.

    They are one only if they share a country, body or office, unless the names are equal and more than common given
    names. Different countries, a father and a son, or different offices beside a common name, are evidence against it.
    """
    resemblance = alike(a, b)
    if resemblance is None:
        return None
    verdict = Verdict(resemblance, [f"name: {TOLD[resemblance]}"])
    shared = {
        "country": next(iter(sorted(of_a.countries & of_b.countries)), None),
        "office": share_office(of_a, of_b),
        "organization": min(of_a.bodies & of_b.bodies, default=None),
    }
    verdict.for_ += [f"{what}: {which}" for what, which in shared.items() if which]
    if of_a.countries and of_b.countries and not shared["country"]:
        is_full = resemblance in {"same", "spelling"} or (resemblance == "script" and _is_long(a, b))
        if (
            not (is_full and (of_a.countries | of_b.countries) & UNITED) or a.is_common
        ):  # the UN has staff of any country
            codes, others = (", ".join(sorted(facts.countries)) for facts in (of_a, of_b))
            verdict.against.append(f"country: {codes} and {others}")
    if a.generation != b.generation:
        verdict.against.append(f"generation: {a.generation or 'not told'} and {b.generation or 'not told'}")
    if resemblance in {"same", "spelling"} and a.is_common and not shared["office"] and have_other_offices(of_a, of_b):
        verdict.against.append("office: another, and the name is common")
    verdict.sure = not verdict.against and _is_enough(a, b, resemblance, shared)
    return verdict


def _is_enough(a: ActorReading, b: ActorReading, resemblance: Alike, shared: Mapping[str, str | None]) -> bool:
    """Return whether the resemblance of two names, and the facts they share, make them one person."""
    borne_out = any(shared.values())
    match resemblance:
        case "same":
            return borne_out or not a.is_common
        case "spelling":
            return borne_out or (not a.is_common and _sound_alike(a.words, b.words))
        case "near":
            return shared["country"] is not None and bool(shared["office"] or shared["organization"])
        case "script":
            return (
                shared["office"] is not None or _is_long(a, b) or (borne_out and _latin_consonants(a, b) >= FEW_SOUNDS)
            )
        case "shortened":
            short = min((a, b), key=lambda one: len(one.words))
            return shared["office"] is not None or (borne_out and not short.is_common)
        case "surname":
            return borne_out


def _is_long(a: ActorReading, b: ActorReading) -> bool:
    """Return whether two names in two scripts are too long to match by coincidence."""
    return _latin_consonants(a, b) >= LONG_SOUND


def _latin_consonants(a: ActorReading, b: ActorReading) -> int:
    """Return the number of consonants of the name that is in Latin letters."""
    return consonants("".join((a if a.words[0].isascii() else b).words))


def are_two(a: ActorReading, b: ActorReading) -> bool:
    """Return whether two full names contradict each other.

    They do if they do not resemble each other and have one script, equally many words, or different first names.
    """
    if alike(a, b) is not None:
        return False
    first, other = a.words[0], b.words[0]
    if first.isascii() == other.isascii():
        return True
    return len(a.words) == len(b.words) or not can_be_written(first, other)


def share_office(a: ActorFacts, b: ActorFacts) -> str | None:
    """Return the first office, in the order of letters, that both have; None if there is none."""
    shared = []
    for one, other in product(a.offices, b.offices):
        short, full = sorted((one, other), key=lambda office: len(office.words))
        if is_part(short, full, (), ()) and (one.country or other.country or len(short.words) > 1):
            shared.append(" ".join(full.words))
    return min(shared, default=None)


def have_other_offices(a: ActorFacts, b: ActorFacts) -> bool:
    """Return whether both have offices, and none is the first word alone of one of the other's («الوزير»).

    Two equal offices of several words are `share_office`'s to find first.
    """
    if not a.offices or not b.offices:
        return False
    return not any(
        one.words[0] == other.words[0] and 1 in {len(one.words), len(other.words)}
        for one, other in product(a.offices, b.offices)
    )


def _bears(word: str, full: tuple[str, ...]) -> bool:
    """Return whether a word is the last of a full name, or its first if that is no common given name («شي»)."""
    if word in GIVEN:
        return False
    return is_variant((word,), full[-1:]) or word == full[0]


def _across_scripts(a: tuple[str, ...], b: tuple[str, ...]) -> Alike | None:
    """Compare a name in Arabic with one in Latin letters: as a whole, or first and last word; None if they differ."""
    arabic, latin = (b, a) if a[0].isascii() else (a, b)
    if len(arabic) == 1 or len(latin) == 1:
        bears = can_be_written(arabic[-1], latin[-1]) and sound_key(arabic[-1]) == sound_key(latin[-1])
        return "surname" if bears and len(arabic) + len(latin) > 2 and len(sound_key(latin[-1])) > 2 else None
    ends = can_be_written(arabic[0], latin[0]) and can_be_written(arabic[-1], latin[-1])
    whole = can_be_written("".join(arabic), "".join(latin))
    return "script" if (ends or whole) and consonants("".join(latin)) >= SHORTEST_SOUND else None


def _sound_alike(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Return whether names differ only in letters of one sound, and not in a common given name."""
    sounds = [sound_key(word) for word in a]
    if sounds != [sound_key(word) for word in b] or len("".join(sounds)) < SHORTEST_KEY:
        return False
    return all(one == other or GIVEN.isdisjoint({one, other}) for one, other in zip(a, b, strict=True))


def _is_near(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Return whether names differ in letters of one word that is not a common given name in both: رمطان, رمضان."""
    differing = [(one, other) for one, other in zip(a, b, strict=True) if one != other and not are_partners(one, other)]
    if len(a) < 2 or len(differing) != 1 or set(differing[0]) <= GIVEN:
        return False
    one, other = differing[0]
    return min(len(one), len(other)) >= SHORTEST_NEAR and word_ratio(one, other) >= PARTNERS
