"""The circuit breaker: when an endpoint that does not answer ends the run.

Only what says nothing about the article counts: no connection, a server's error, no answer in time, a key or a quota
that does not hold. A row of such calls, without one answer in between, first holds back all calls but one at a time;
where that one stays unanswered for as long as the policy is patient, the circuit opens. What waiting cannot help, such
as a wrong key, opens it without patience; where no question was taken before, the first call of the kind does. Some
time after that a call is let through again, and an answer closes it.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from mahdar.results import FailureClass

SILENT: Final[frozenset[FailureClass]] = frozenset({"unreachable", "timeout", "rate_limited"})
"""The classes of failure that are the endpoint's, not the article's."""
REST: Final = 30.0
"""Seconds that an open circuit lets nothing through."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """A row of calls without an answer.

    Attributes:
        row: how many.
        since: when the first of them failed.
        said: what the last of them failed of.
        probes: single calls that were let through since the row was too long.
        held_at: when the last of these was put off.
        opened_at: when the circuit opened.
    """

    row: int = 0
    since: float = 0.0
    said: str = ""
    probes: int = 0
    held_at: float = -math.inf
    opened_at: float | None = None

    def failed(
        self, said: str, *, started: float, now: float, limit: int, patience: float, hopeless: bool = False
    ) -> "Circuit":
        """After a call without an answer.

        Args:
            said: what it failed of.
            started: when it did.
            now: when it failed.
            limit: calls in a row that are too many.
            patience: seconds that a row may last.
            hopeless: waiting does not help.
        """
        row, since = self.row + 1, self.since if self.row else now
        after = replace(self, row=row, since=since, said=said)
        if row < limit:
            return after
        if hopeless or now - since >= patience:
            return replace(after, opened_at=now)
        if started < self.held_at:  # it was under way with others that failed
            return after
        return replace(after, probes=self.probes + 1, held_at=now)

    def lets_through(self, now: float) -> bool:
        """Whether a call may be made."""
        return self.opened_at is None or now - self.opened_at >= REST

    def account(self, now: float) -> str:
        """What was seen."""
        if self.row == 1:
            return self.said
        return f"{self.row} calls in a row, over {now - self.since:.0f} s, failed; the last: {self.said}"


CLOSED: Final = Circuit()
