"""The circuit breaker: end the run when the endpoint does not answer.

Only failures that are not the article's count: no connection, a server error, a timeout, a refused key, a used-up
quota. After a row of them without an answer in between, one call at a time is sent; when the row has lasted for as long
as the policy's patience, the circuit opens. A failure that waiting cannot help, such as a refused key, opens it at
once, and does so with the first call where the endpoint has never answered. After a rest a call is let through again,
and an answer closes the circuit.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from mahdar.results import FailureClass

SILENT: Final[frozenset[FailureClass]] = frozenset({"unreachable", "timeout", "rate_limited"})
"""Classes of failure that the endpoint is to blame for, not the article."""
REST: Final = 30.0
"""Seconds after which an open circuit lets a call through."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """The calls in a row that failed, and whether more may be made. Times are monotonic seconds.

    Attributes:
        row: number of calls in a row without an answer.
        since: when the first of them failed.
        said: message of the last failure.
        refused: whether the last failure was a refusal by the endpoint, not its silence.
        probes: single calls made since the row reached its limit.
        held_at: when calls were last held back.
        opened_at: when the circuit opened; None while it is closed.
    """

    row: int = 0
    since: float = 0.0
    said: str = ""
    refused: bool = False
    probes: int = 0
    held_at: float = -math.inf
    opened_at: float | None = None

    def failed(
        self,
        said: str,
        *,
        started: float,
        now: float,
        limit: int,
        patience: float,
        hopeless: bool = False,
        refused: bool = False,
    ) -> "Circuit":
        """Return the state after a call that failed.

        Args:
            said: message of the failure.
            started: when the call started.
            now: when it failed.
            limit: calls in a row after which one call at a time is made.
            patience: seconds that a row may last from its first failure.
            hopeless: whether waiting cannot help.
            refused: whether the endpoint refused the call.
        """
        row, since = self.row + 1, self.since if self.row else now
        after = replace(self, row=row, since=since, said=said, refused=refused)
        if row < limit:
            return after
        if hopeless or now - since >= patience:
            return replace(after, opened_at=now)
        if started < self.held_at:  # it was in flight together with others that failed
            return after
        return replace(after, probes=self.probes + 1, held_at=now)

    def lets_through(self, now: float) -> bool:
        """Whether a call may be made."""
        return self.opened_at is None or now - self.opened_at >= REST

    def account(self, now: float) -> str:
        """Describe the failures."""
        if self.row == 1:
            return self.said
        return f"{self.row} calls in a row, over {now - self.since:.0f} s, failed; the last: {self.said}"


CLOSED: Final = Circuit()
