"""Check that an encounter has enough parties."""

from mahdar.schemas.enums import MeetingKind, Status

ALONE: frozenset[MeetingKind] = frozenset({"session", "visit"})
"""Kinds with one party at least: the body of a session, the guest of a visit (contract, rulings 1 and 19)."""
TOOK_PLACE: frozenset[Status] = frozenset({"held", "ongoing"})


def check(status: Status, kind: MeetingKind, count: int) -> None:
    """Check the number of parties of an encounter.

    Raises:
        ValueError: there are none, or fewer than two if it took place and is not a session or visit.
    """
    needed = 2 if status in TOOK_PLACE and kind not in ALONE else 1
    if count < needed:
        raise ValueError(f"participants: needs {needed} when {status}, got {count}")
