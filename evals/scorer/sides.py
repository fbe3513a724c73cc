"""Decide whether a predicted meeting is the gold one, only by who met whom.

Only principals define a meeting. A leader, the delegation, its members and the state stand for one side, so naming
another of them does not make another meeting; the field score judges whether the names are right.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from mahdar.evals.scorer.matching import Cast, form
from mahdar.evals.scorer.pairing import best_pairs
from mahdar.evals.scorer.reference import Reference
from mahdar.schemas.labels import LabelledMeeting, LabelledParticipant
from mahdar.schemas.records import Meeting, Participant

AnyParticipant = TypeVar("AnyParticipant", LabelledParticipant, Participant)

_STATES: Final = frozenset({"delegation", "government", "country"})
_BY_NAME, _BY_SIDE = 1 + 2**-10, 1.0
"""Worth of a pair: the number of pairs decides, and between equal numbers those by name."""


def principals(participants: Sequence[AnyParticipant]) -> tuple[AnyParticipant, ...]:
    """Return the principals; all participants if none is marked, since then only the capacities are wrong."""
    return tuple(one for one in participants if one.capacity == "principal") or tuple(participants)


def hub(meetings: Sequence[LabelledMeeting], cast: Cast) -> tuple[LabelledParticipant, ...]:
    """Return the principals of every gold meeting of an article, which do not tell one meeting from another.

    Empty if there is only one meeting, or if a meeting would be left without principals.
    """
    if len(meetings) < 2:
        return ()
    met = [principals(meeting.participants) for meeting in meetings]
    common = tuple(one for one in met[0] if all(_is_among(one, others, cast) for others in met))
    return () if any(all(_is_among(one, common, cast) for one in others) for others in met) else common


def identity(gold: LabelledMeeting, predicted: Meeting, common: Sequence[LabelledParticipant], ref: Reference) -> float:
    """Return F1 of the principals without the hub, from 0 to 1.

    A predicted principal that gold has in another capacity does not count, unless it is the only one that stands for a
    side: of three named members of a delegation, one is its side and two are bystanders.
    """
    met, named = principals(gold.participants), principals(predicted.participants)
    if not met or not named:
        return float(not met and not named)
    if len(named) == 1 and _is_joint_body(named[0], gold, ref):  # naming only the body stands for all its members
        return 1.0
    parties = [one for one in met if not _is_among(one, common, ref.cast)]
    others = _beyond_hub(named, [one for one in met if one not in parties], parties, gold, ref)
    pairs = best_pairs([[_worth(party, other, gold, ref) for other in others] for party in parties])
    taken = {column for _row, column in pairs}
    counted = [other for at, other in enumerate(others) if at in taken or not _is_bystander(other, gold, ref)]
    return 2 * len(pairs) / (len(parties) + len(counted))


def _is_among(one: LabelledParticipant, others: Sequence[LabelledParticipant], cast: Cast) -> bool:
    entity = cast.entity(one)
    return any(entity.is_same(cast.entity(other)) for other in others)


def _beyond_hub(
    named: Sequence[Participant],
    common: Sequence[LabelledParticipant],
    parties: Sequence[LabelledParticipant],
    gold: LabelledMeeting,
    ref: Reference,
) -> list[Participant]:
    """Return the predicted principals without those of the hub.

    Those that match the hub by name and no other party are removed. For each member of the hub that is then unmatched,
    one more is removed: one that also matches another party, or that stands for the member's side.
    """
    certain = [one for one in named if _matches_any(common, one, ref) and not _matches_any(parties, one, ref)]
    left = [one for one in named if one not in certain]
    unnamed = [member for member in common if not any(ref.cast.is_match(member, one.name) for one in certain)]
    others = [_matches_any(parties, one, ref) for one in left]
    worth = [
        [_worth(member, one, gold, ref, by_side=not other) for one, other in zip(left, others, strict=True)]
        for member in unnamed
    ]
    gone = {column for _row, column in best_pairs(worth)}
    return [one for at, one in enumerate(left) if at not in gone]


def _worth(
    party: LabelledParticipant, other: Participant, gold: LabelledMeeting, ref: Reference, *, by_side: bool = True
) -> float:
    if ref.cast.is_match(party, other.name):
        return _BY_NAME
    return _BY_SIDE if by_side and _stands_for(other, party, gold, ref) else 0.0


def _stands_for(other: Participant, party: LabelledParticipant, gold: LabelledMeeting, ref: Reference) -> bool:
    """Return whether a predicted principal is on the side of a gold one."""
    if other.type in _STATES and other.country is not None and other.country == party.country:
        return True
    members = (one for one in gold.participants if one.capacity == "member")
    if any(party in _delegations(member, gold) and ref.cast.is_match(member, other.name) for member in members):
        return True
    return _is_joint_body(other, gold, ref)


def _delegations(member: LabelledParticipant, gold: LabelledMeeting) -> list[LabelledParticipant]:
    """Return the principals that a member may belong to, narrowed by country, organization and type."""
    met = principals(gold.participants)
    own = [one for one in met if member.country and one.country == member.country]
    own = own or [one for one in met if one.type == "delegation"]
    same_body = [one for one in own if member.organization and member.organization in {one.organization, one.name}]
    own = same_body or own
    return [one for one in own if one.type == "delegation"] or own


def _is_joint_body(other: Participant, gold: LabelledMeeting, ref: Reference) -> bool:
    """Return whether a predicted principal is a commission or council in which the parties of a session sit."""
    met = principals(gold.participants)
    if gold.kind != "session" or len(met) < 2 or other.type != "organization":
        return False
    words = form(other.name, ref.scoring.names.joined).words
    return (
        other.country in {None, *(one.country for one in met)}
        and not _matches_any(gold.participants, other, ref)
        and any(word in ref.scoring.identity.joint_bodies for word in words)
    )


def _is_bystander(other: Participant, gold: LabelledMeeting, ref: Reference) -> bool:
    met = principals(gold.participants)
    rest = [one for one in gold.participants if one not in met]
    return _matches_any(rest, other, ref) and not _matches_any(met, other, ref)


def _matches_any(actors: Sequence[LabelledParticipant], other: Participant, ref: Reference) -> bool:
    return any(ref.cast.is_match(actor, other.name) for actor in actors)
