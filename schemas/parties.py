"""How many parties an encounter needs to be one."""

from mahdar.schemas.enums import MeetingKind, Status

ALONE: frozenset[MeetingKind] = frozenset({"session", "visit"})
"""A sitting may have the one body, a visit the one guest (contract, rulings 1 and 19)."""
TOOK_PLACE: frozenset[Status] = frozenset({"held", "ongoing"})


def check(status: Status, kind: MeetingKind, count: int) -> None:
    """Refuse an encounter with too few parties.

    Raises:
        ValueError: two are needed where it took place, one always.
    """
    needed = 2 if status in TOOK_PLACE and kind not in ALONE else 1
    if count < needed:
        raise ValueError(f"participants: needs {needed} when {status}, got {count}")
