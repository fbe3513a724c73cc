"""Authenticate callers, and hold each to its rate and its budget."""

import hashlib
import hmac
import logging
import math
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mahdar.errors import UsageError
from mahdar.limits.budget import Budget, Purse, Spending, ignore
from mahdar.server.problems import RequestProblem

log = logging.getLogger("mahdar")

VARIABLE: Final = "MAHDAR_TOKENS"
MINUTE: Final = 60.0
ANONYMOUS: Final = "anybody"
"""Name of the only caller of a service without tokens."""
_FORM: Final = "NAME:SECRET, optionally with :per_minute=N, :max_cost=DOLLARS, :max_tokens=N after it"
_TABLES: Final = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS spent (caller TEXT PRIMARY KEY, cost TEXT, tokens INTEGER);
CREATE TABLE IF NOT EXISTS reserved (caller TEXT PRIMARY KEY, cost TEXT, tokens INTEGER);
"""
"""What each caller has spent, reservations included; and how much of it is reserved for calls under way."""


@dataclass(slots=True)
class Caller:
    """A client of the service.

    Attributes:
        name: as logs, metrics and jobs name it.
        digest: SHA-256 of the secret.
        per_minute: articles a minute, which may come all at once; None for no limit.
        purse: the budget, and what was spent of it.
    """

    name: str
    digest: bytes = b""
    per_minute: int | None = None
    purse: Purse = field(default_factory=Purse)
    _drained_at: float = -math.inf

    def admit(self, articles: int) -> None:
        """Count articles against the rate limit.

        Raises:
            RequestProblem: `too_many`, with the seconds until they are allowed.
        """
        if self.per_minute is None:
            return
        now = time.monotonic()
        backlog, added = max(0.0, self._drained_at - now), articles * MINUTE / self.per_minute
        if backlog and backlog + added > MINUTE:
            wait = min(backlog, backlog + added - MINUTE)
            raise RequestProblem("too_many", f"{self.per_minute} articles a minute are allowed", retry_after=wait)
        self._drained_at = now + backlog + added


class Callers:
    """All callers, and an SQLite database of what each with a budget has spent, which outlives the process.

    A call is counted with its upper bound from before it is sent until it has ended. If the process is killed
    meanwhile, it stays so, since it may have been billed; the next start logs it.

    Args:
        callers: those with tokens; if there are none, anybody is a caller.
        path: the database; created if missing.

    Raises:
        sqlite3.Error: the database cannot be used.
    """

    def __init__(self, callers: Iterable[Caller], path: Path) -> None:
        self._with_tokens = tuple(callers)
        self._all = self._with_tokens or (Caller(ANONYMOUS),)
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._database.executescript(_TABLES)
        except sqlite3.Error:
            self._database.close()
            raise
        spent = {name: Spending(Decimal(cost), n) for name, cost, n in self._database.execute("SELECT * FROM spent")}
        for caller in self._with_tokens:
            caller.purse.spent = spent.get(caller.name, Spending())
            if caller.purse.budget.bounded:
                caller.purse.record = partial(self._record, caller)
        for name, cost, tokens in self._database.execute("SELECT * FROM reserved"):
            message = "the service was killed during calls of %s; their upper bounds count as spent: $%s, %d tokens"
            log.warning(message, name, cost, tokens)
        self._database.execute("DELETE FROM reserved")

    def pay_within(self, purse: Purse) -> None:
        """Count every call of a caller against a purse of the service too, at the price of its model."""
        for caller in self._all:
            caller.purse.parent = purse

    @property
    def closed(self) -> bool:
        """Whether a token is needed."""
        return bool(self._with_tokens)

    def named(self, name: str) -> Caller | None:
        """Return the caller of this name; None if there is none any more."""
        return next((caller for caller in self._all if caller.name == name), None)

    def authenticate(self, secret: str) -> Caller:
        """Return the caller with this secret. Every secret is compared, in constant time.

        Raises:
            RequestProblem: `unauthorized`.
        """
        digest = hashlib.sha256(secret.encode()).digest()
        matching = [caller for caller in self._with_tokens if hmac.compare_digest(caller.digest, digest)]
        if self._with_tokens and not matching:
            raise RequestProblem("unauthorized")
        return matching[0] if matching else self._all[0]

    def close(self) -> None:
        """Close the database, once no call is under way."""
        for caller in self._all:
            caller.purse.record = ignore
        self._database.execute("DELETE FROM reserved")
        self._database.close()

    def _record(self, caller: Caller, charged: Spending) -> None:
        """Store what a caller has spent, reservations included; on the disk before a call is sent."""
        reserved = charged - caller.purse.spent
        with self._database:
            self._database.execute("BEGIN")
            row = (caller.name, str(charged.cost), charged.tokens)
            self._database.execute("REPLACE INTO spent VALUES (?, ?, ?)", row)
            if reserved == Spending():
                self._database.execute("DELETE FROM reserved WHERE caller = ?", (caller.name,))
            else:
                row = (caller.name, str(reserved.cost), reserved.tokens)
                self._database.execute("REPLACE INTO reserved VALUES (?, ?, ?)", row)


class _Entry(BaseModel):
    """An entry of `MAHDAR_TOKENS`."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    secret: str = Field(min_length=16)
    per_minute: int | None = Field(None, ge=1)
    max_cost: float | None = Field(None, ge=0)
    max_tokens: int | None = Field(None, ge=0)


def read_tokens(value: str) -> tuple[Caller, ...]:
    """Read the callers of `MAHDAR_TOKENS`: entries separated by white space, or `@FILE` with one on each line.

    Raises:
        UsageError: an entry is not valid, or a name or secret is there twice; the message shows no secret.
    """
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{VARIABLE}={value}: cannot be read ({error})") from None
    callers: list[Caller] = []
    lines = (line.partition("#")[0] for line in value.splitlines())
    for number, entry in enumerate(" ".join(lines).split(), start=1):
        name, _, rest = entry.partition(":")
        secret, *options = rest.split(":")
        bounds: dict[str, Any] = dict(option.partition("=")[::2] for option in options)
        try:
            valid = _Entry(**{**bounds, "name": name, "secret": secret})
        except ValidationError as error:
            first = error.errors()[0]
            message = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise UsageError(f"{VARIABLE}: entry {number}: {message}; write {_FORM}") from None
        digest, budget = hashlib.sha256(secret.encode()).digest(), Budget(valid.max_cost, valid.max_tokens)
        if name in {ANONYMOUS, *(caller.name for caller in callers)}:
            raise UsageError(f"{VARIABLE}: entry {number}: the name {name!r} is taken; give each token its own")
        if digest in {caller.digest for caller in callers}:
            raise UsageError(f"{VARIABLE}: entry {number}: {name!r} has another's secret; give each name its own")
        callers.append(Caller(name, digest, valid.per_minute, Purse(budget, owner=name)))
    return tuple(callers)
