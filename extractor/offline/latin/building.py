"""Building: positions out of what is found about them in a sentence."""

from collections.abc import Iterator

from mahdar.offline.cues import Cue
from mahdar.offline.latin.clauses import Clauses
from mahdar.offline.latin.objects import ADDRESSED, MARKS, Object, behind_leads, parts_of, without_stop
from mahdar.offline.latin.stage import ActorMentions, Predicate
from mahdar.offline.positions import AGAINST, RuleStance
from mahdar.schemas.enums import Polarity, Speech


def positions(  # noqa: PLR0917  # what a position is made of
    clauses: Clauses, start: int, act: str, holders: ActorMentions, told: Object, predicate: Predicate
) -> Iterator[RuleStance]:
    """One position for each deed of a list."""
    parts = (
        list(parts_of(clauses, told))
        if act in ADDRESSED | {"affirm_importance", "commit", "support"}
        else [(told.first, told.stop)]
    )
    for number, (first, stop) in enumerate(parts):
        begin = behind_leads(clauses, first, stop)
        target, against = without_stop(clauses, begin, stop)
        pieces = ((start, stop),) if number == 0 else ((start, told.first), (begin, stop))
        if target:
            yield built(
                clauses, act, holders, target, polarity(act, stopped=against), predicate, pieces, told.addressee
            )


def polarity(act: str, *, stopped: bool) -> Polarity:
    """Toward the target: of some acts against it, and toward what shall end."""
    return "against" if act in AGAINST or stopped else "favor"


def built(  # noqa: PLR0917  # what a position is made of
    clauses: Clauses,
    act: str,
    holders: ActorMentions,
    target: str,
    polarity: Polarity,
    predicate: Predicate | None,
    pieces: tuple[tuple[int, int], ...],
    addressee: str | None = None,
) -> RuleStance:
    """A position out of the places of its words: the verb, and the pieces that tell it."""
    line, tokens = clauses.sentence.line, clauses.sentence.tokens
    spans = tuple((line.start + tokens[first].start, line.start + tokens[stop - 1].end) for first, stop in pieces)
    at = predicate.verb.at if predicate else pieces[0][0]
    first = next((number for number, word in enumerate(line.row.words) if word.end > tokens[at].start), 0)
    unique = tuple({clauses.scene.cast.actor(one).name: one for one in reversed(holders)}.values())[::-1]
    return RuleStance(
        line,
        Cue(act, first, first + 1),
        unique,
        target,
        polarity,
        _speech(clauses, at, pieces[-1]),
        _named(addressee),
        spans,
        None,
    )


def _named(addressee: str | None) -> str | None:
    text = (addressee or "").strip(MARKS)
    return text if text and text.casefold() not in {"him", "her", "them", "us", "it", "le", "la", "les", "l'"} else None


def _speech(clauses: Clauses, at: int, piece: tuple[int, int]) -> Speech:
    quoted = clauses.sentence.quoted
    if quoted[at]:
        return "direct"
    inside = any(quoted[one] for one in range(at, min(piece[1] + 1, len(quoted))))
    return "mixed" if inside else "indirect"
