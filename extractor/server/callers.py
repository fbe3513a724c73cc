"""Callers: who may use the service, at what rate, and for how much money."""

import hashlib
import hmac
import math
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from mahdar.errors import UsageError
from mahdar.limits.budget import UNBOUNDED, Budget, OverBudgetError, Purse, Spending
from mahdar.server.problems import RequestProblem

VARIABLE: Final = "MAHDAR_TOKENS"
SHORTEST: Final = 16
"""Characters of a secret."""
MINUTE: Final = 60.0
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FORM: Final = "NAME:SECRET, and after it as needed :per_minute=N, :max_cost=DOLLARS, :max_tokens=N"
_CONVERT: Final[Mapping[str, Callable[[str], float]]] = {"per_minute": int, "max_cost": float, "max_tokens": int}


@dataclass(slots=True)
class Caller:
    """One who may use the service.

    Attributes:
        name: in logs, metrics and of jobs.
        digest: SHA-256 of the secret.
        per_minute: articles a minute; None for no bound. As many as that may come at once.
        purse: the budget, and what was spent of it.
    """

    name: str
    digest: bytes
    per_minute: int | None = None
    purse: Purse = field(default_factory=Purse)
    _drained_at: float = -math.inf

    def admit(self, articles: int) -> None:
        """Count articles against the rate.

        Raises:
            RequestProblem: `too_many`; says when they may come.
        """
        if self.per_minute is None:
            return
        now = time.monotonic()
        backlog = max(0.0, self._drained_at - now)
        added = articles * MINUTE / self.per_minute
        if backlog and backlog + added > MINUTE:
            wait = min(backlog, backlog + added - MINUTE)
            raise RequestProblem("too_many", f"{self.per_minute} articles a minute are allowed", retry_after=wait)
        self._drained_at = now + backlog + added


ANYBODY: Final = "anybody"
"""The name of the one caller of a service without tokens."""


class Accounts:
    """What each caller has spent, in a file that outlives the process.

    Args:
        path: the SQLite database; it is made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS spent (caller TEXT PRIMARY KEY, cost TEXT, tokens INTEGER)")

    def spent(self, caller: str) -> Spending:
        """What a caller has spent."""
        row = self._database.execute("SELECT cost, tokens FROM spent WHERE caller = ?", (caller,)).fetchone()
        return Spending(Decimal(row[0]), row[1]) if row else Spending()

    def keep(self, caller: str, spent: Spending) -> None:
        """Replace what a caller has spent."""
        self._database.execute("INSERT OR REPLACE INTO spent VALUES (?, ?, ?)", (caller, str(spent.cost), spent.tokens))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


class Callers:
    """All who may use the service; anybody where there are no tokens.

    Args:
        callers: those with tokens.
        accounts: what they spent before.
    """

    def __init__(self, callers: Iterable[Caller], accounts: Accounts) -> None:
        self._callers = tuple(callers)
        self._anybody = Caller(ANYBODY, b"")
        self._accounts = accounts
        for caller in self._callers:
            caller.purse.spent = accounts.spent(caller.name)

    @property
    def closed(self) -> bool:
        """Whether a token is needed."""
        return bool(self._callers)

    def named(self, name: str) -> Caller | None:
        """The caller of this name, whose job goes on after a restart; None where the token is gone."""
        return next((one for one in (*self._callers, self._anybody) if one.name == name), None)

    def authorized(self, secret: str | None) -> Caller:
        """The caller with this secret. Every secret is compared, in constant time.

        Raises:
            RequestProblem: `unauthorized`.
        """
        if not self._callers:
            return self._anybody
        digest = hashlib.sha256((secret or "").encode()).digest()
        found = [caller for caller in self._callers if hmac.compare_digest(caller.digest, digest)]
        if not found:
            raise RequestProblem("unauthorized")
        return found[0]

    async def reserve(self, caller: Caller, most: Spending) -> None:
        """Set aside what an article may cost its caller. Waits where only articles under way stand against it.

        Raises:
            RequestProblem: `over_budget`.
        """
        try:
            await caller.purse.reserve(most)
        except OverBudgetError:
            said = f"the budget of {caller.name!r} is {caller.purse.budget}; the next article could exceed it"
            raise RequestProblem("over_budget", said) from None

    def settle(self, caller: Caller, most: Spending, came_to: Spending) -> None:
        """Charge what an article came to, in place of what was set aside for it."""
        caller.purse.settle(most, came_to)
        if caller.purse.budget.bounded:
            self._accounts.keep(caller.name, caller.purse.spent)


def read_tokens(value: str) -> tuple[Caller, ...]:
    """The callers that `MAHDAR_TOKENS` names: entries with white space between them, or `@FILE` with one a line.

    Raises:
        UsageError: an entry does not hold; no secret is shown.
    """
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{VARIABLE}={value}: cannot be read ({error.strerror})") from None
    lines = (line.partition("#")[0] for line in value.splitlines())
    callers = tuple(_caller(entry, number) for number, entry in enumerate(" ".join(lines).split(), start=1))
    names = [caller.name for caller in callers]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"{VARIABLE}: the name {twice[0]!r} is given twice; give each token its own")
    if len({caller.digest for caller in callers}) < len(callers):
        raise UsageError(f"{VARIABLE}: two names have the same secret; give each its own")
    return callers


def _caller(entry: str, number: int) -> Caller:
    name, _, rest = entry.partition(":")
    secret, *options = rest.split(":")
    where = f"{VARIABLE}: entry {number}"
    if not _NAME.fullmatch(name) or name == ANYBODY or not secret:
        raise UsageError(f"{where}: write {_FORM}; a name has letters, digits, _ . - only")
    if len(secret) < SHORTEST:
        example = secrets.token_urlsafe(24)
        raise UsageError(f"{where} ({name}): a secret has {SHORTEST} characters or more, for example {example}")
    bounds: dict[str, float] = {}
    for option in options:
        key, _, number_ = option.partition("=")
        try:
            bounds[key] = _CONVERT[key](number_)
        except (KeyError, ValueError):
            raise UsageError(f"{where} ({name}): {option!r} is no bound; write {_FORM}") from None
    per_minute = bounds.pop("per_minute", None)
    if per_minute is not None and per_minute < 1:
        raise UsageError(f"{where} ({name}): per_minute={per_minute:g}: at least one, or none for no bound")
    budget = Budget(**bounds) if bounds else UNBOUNDED  # type: ignore[arg-type]  # ints where they must be
    purse = Purse(budget)
    return Caller(name, hashlib.sha256(secret.encode()).digest(), int(per_minute) if per_minute else None, purse)
