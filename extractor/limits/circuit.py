"""The circuit breaker: end the run when the endpoint does not answer.

Only failures of the endpoint count: no connection, a server error, a timeout, a refused key, a used-up
quota. After a row of them without an answer in between, one call at a time is sent; when the row has lasted for as long
as the policy's patience, the circuit opens. A failure that waiting cannot help, such as a refused key, opens it at
once, and does so with the first call where the endpoint has never answered. After `COOLDOWN` seconds one
call is allowed again, and an answer closes the circuit.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from mahdar.results import FailureClass

ENDPOINT_FAILURES: Final[frozenset[FailureClass]] = frozenset({"unreachable", "timeout", "rate_limited"})
"""Classes of failure that are caused by the endpoint, not by the article."""
COOLDOWN: Final = 30.0
"""Seconds after which an open circuit allows a call."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """The calls in a row that failed, and whether more may be made. Times are monotonic seconds.

    Attributes:
        failures: number of calls in a row without an answer.
        since: when the first of them failed.
        message: of the last failure.
        refused: whether the last failure was a refusal by the endpoint, not its silence.
        probes: single calls made since the row reached its limit.
        paused_at: when calls were last paused.
        opened_at: when the circuit opened; None while it is closed.
    """

    failures: int = 0
    since: float = 0.0
    message: str = ""
    refused: bool = False
    probes: int = 0
    paused_at: float = -math.inf
    opened_at: float | None = None

    def failed(
        self,
        message: str,
        *,
        started: float,
        now: float,
        limit: int,
        patience: float,
        permanent: bool = False,
        refused: bool = False,
    ) -> "Circuit":
        """Return the state after a failed call.

        Args:
            message: of the failure.
            started: when the call started.
            now: when it failed.
            limit: calls in a row after which one call at a time is made.
            patience: seconds that a row may last from its first failure.
            permanent: whether waiting cannot help.
            refused: whether the endpoint refused the call.
        """
        failures, since = self.failures + 1, self.since if self.failures else now
        after = replace(self, failures=failures, since=since, message=message, refused=refused)
        if failures < limit:
            return after
        if permanent or now - since >= patience:
            return replace(after, opened_at=now)
        if started < self.paused_at:  # it was in flight together with others that failed
            return after
        return replace(after, probes=self.probes + 1, paused_at=now)

    def allows_call(self, now: float) -> bool:
        """Whether a call may be made."""
        return self.opened_at is None or now - self.opened_at >= COOLDOWN

    def describe(self, now: float) -> str:
        """Describe the failures in one clause, for an error message."""
        if self.failures == 1:
            return self.message
        return f"{self.failures} calls in a row, over {now - self.since:.0f} s, failed; the last: {self.message}"


CLOSED: Final = Circuit()
