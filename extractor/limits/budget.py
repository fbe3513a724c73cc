"""The budget: money and tokens are counted before they are spent.

Each attempt reserves the upper bound of its cost before it is sent, and is charged what the endpoint reports. Spending
and reservations together never exceed the budget, whatever is retried, asked again or in flight. An attempt that may
have been billed without an answer is charged its upper bound.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final

from mahdar.cache.completion import Completion
from mahdar.errors import MahdarError, UsageError
from mahdar.limits.estimate import Arguments, max_input_tokens, max_output_tokens
from mahdar.limits.prices import Price

log = logging.getLogger("mahdar")

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend; None for no bound.

    Attributes:
        max_cost: US dollars.
        max_tokens: in and out together.
    """

    max_cost: Decimal | float | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("max_cost", self.max_cost), ("max_tokens", self.max_tokens)):
            if value is not None and not value >= 0:
                raise UsageError(f"{name} {value}: a budget is not negative")

    @property
    def bounded(self) -> bool:
        """Whether there is a bound."""
        return self.max_cost is not None or self.max_tokens is not None

    def allows(self, spending: "Spending") -> bool:
        """Whether spending so much in all keeps to the budget."""
        affordable = self.max_cost is None or spending.cost <= Decimal(str(self.max_cost))
        return affordable and (self.max_tokens is None or spending.tokens <= self.max_tokens)

    def __str__(self) -> str:
        bounds = [f"${self.max_cost}"] if self.max_cost is not None else []
        return " and ".join([*bounds, *([f"{self.max_tokens:,} tokens"] if self.max_tokens is not None else [])])


UNBOUNDED: Final = Budget()


@dataclass(frozen=True, slots=True)
class Spending:
    """US dollars and tokens. The cost is zero where no price is known."""

    cost: Decimal = ZERO
    tokens: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(self.cost + other.cost, self.tokens + other.tokens)

    def __sub__(self, other: "Spending") -> "Spending":
        return Spending(self.cost - other.cost, self.tokens - other.tokens)

    @classmethod
    def of(cls, price: Price | None, tokens_in: int, tokens_out: int) -> "Spending":
        """Return what one call takes."""
        return cls(price.cost(tokens_in, tokens_out) if price else ZERO, tokens_in + tokens_out)


def ignore(_: Spending) -> None:
    """Record nothing."""


class OverBudgetError(MahdarError):
    """The next call could exceed the budget."""


class Purse:
    """A budget and what is spent of it, for the tasks of one event loop.

    Args:
        budget: what may be spent.
        find_price: returns the model's price; called when the first call is made, or earlier where the cost is bounded.
        owner: whose budget it is, for messages; empty if there is only one.

    Attributes:
        parent: a purse that pays for the same calls, and whose budget holds too; None if there is none.
        spent: by calls that have ended.
        reserved: for calls in flight, each with its upper bound.
        record: called with the sum of both whenever it changes, before a call is sent and after it has ended. If it
            raises before, the call is not sent; after, the error is logged, and the answer is used.
    """

    def __init__(
        self, budget: Budget = UNBOUNDED, find_price: Callable[[], Price | None] = lambda: None, *, owner: str = ""
    ) -> None:
        self.budget = budget
        self.parent: Purse | None = None
        self.spent = Spending()
        self.reserved = Spending()
        self.record: Callable[[Spending], None] = ignore
        self._find_price = find_price
        self._owner = owner
        self._waiting: list[asyncio.Future[None]] = []

    @cached_property
    def price(self) -> Price | None:
        """The model's price; None where it is not known."""
        return self.parent.price if self.parent else self._find_price()

    @property
    def bounded(self) -> bool:
        """Whether a budget holds: this one, or that of the parent."""
        return self.budget.bounded or (self.parent is not None and self.parent.bounded)

    def cost(self, completion: Completion) -> Decimal | None:
        """Return the US dollars of a call; None where the price is not known, or the tokens were not reported."""
        if self.price is None or not (_is_reported(completion) or not self.price.cost(1, 1)):
            return None
        return self.price.cost(completion.tokens_in, completion.tokens_out)

    def upper_bound(self, arguments: Arguments) -> Spending:
        """Return an upper bound of what a call can take; zero if there is no budget, since counting takes time."""
        if not self.bounded:
            return Spending()
        return Spending.of(self.price, max_input_tokens(arguments), max_output_tokens(arguments))

    def charge_for(self, completion: Completion, reserved: Spending) -> Spending:
        """Return what an answered call took: its upper bound if the endpoint does not report all tokens."""
        if self.bounded and not _is_reported(completion):
            return reserved
        return Spending.of(self.price, completion.tokens_in, completion.tokens_out)

    async def reserve(self, bound: Spending) -> None:
        """Reserve what a call can take, waiting while only the reservations of calls in flight are in the way.

        Raises:
            OverBudgetError: the call could exceed the budget.
            Exception: `record` raised it.
        """
        if self.parent is not None:
            await self.parent.reserve(bound)
        try:
            await self._reserve(bound)
        except BaseException:
            if self.parent is not None:
                self.parent.settle(bound, Spending())
            raise

    async def _reserve(self, bound: Spending) -> None:
        while not self.budget.allows(self.spent + self.reserved + bound):
            if not self.budget.allows(self.spent + bound):
                reason = f"{self.spent.tokens:,} tokens are spent, and the next call can take {bound.tokens:,}"
                if not replace(self.budget, max_tokens=None).allows(self.spent + bound):
                    reason = f"${self.spent.cost:.4f} are spent, and the next call can cost ${bound.cost:.4f}"
                if self._owner:
                    raise OverBudgetError(f"the budget of {self._owner!r}, {self.budget}, would be exceeded: {reason}")
                remedy = "raise it, and run the same command again"
                raise OverBudgetError(f"the budget of {self.budget} would be exceeded: {reason}; {remedy}")
            released = asyncio.get_running_loop().create_future()
            self._waiting.append(released)
            await released
        if bound != Spending():
            self.record(self.spent + self.reserved + bound)
        self.reserved += bound

    def settle(self, reserved: Spending, charged: Spending) -> None:
        """Release the reservation of a call that has ended, and count what it took."""
        if self.parent is not None:
            self.parent.settle(reserved, charged)
        self.reserved -= reserved
        self.spent += charged
        waiting, self._waiting = self._waiting, []
        for released in waiting:
            if not released.done():  # cancelled
                released.set_result(None)
        if {reserved, charged} != {Spending()}:
            try:
                self.record(self.spent + self.reserved)
            except Exception as error:  # noqa: BLE001  # the answer is paid for, and must reach its article
                log.warning("what the calls have cost cannot be stored: %s", error)

    def reset_in_fork(self) -> None:
        """Release all reservations and record nothing: calls in flight and databases are the other process's."""
        self.reserved, self._waiting, self.record = Spending(), [], ignore


PAYER: Final[ContextVar[Purse | None]] = ContextVar("mahdar_payer", default=None)
"""The purse that pays for the calls made in this context; None for the client's own."""


def _is_reported(completion: Completion) -> bool:
    """Whether an endpoint reports all tokens that it charges for: some report only input or only output."""
    return bool(completion.tokens_in and (completion.tokens_out or not completion.raw))
