"""The budget: money and tokens are counted before they are spent.

Each attempt reserves the most it can cost before it is sent, and settles with what the endpoint reports after. What is
spent and what is reserved together never exceed the budget, whatever is retried, asked again or in flight. An attempt
that may have been billed without an answer stays counted at its most.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from mahdar.cache.completion import Completion
from mahdar.errors import MahdarError, UsageError
from mahdar.limits.estimate import Arguments, most_in, most_out
from mahdar.limits.prices import Price

NOTHING: Final = Decimal(0)


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
        """Whether there is a bound at all."""
        return self.max_cost is not None or self.max_tokens is not None

    def allows(self, spending: "Spending") -> bool:
        """Whether so much may be spent in all."""
        return self.affords(spending.cost) and (self.max_tokens is None or spending.tokens <= self.max_tokens)

    def affords(self, cost: Decimal) -> bool:
        """Whether so much may be paid in all."""
        return self.max_cost is None or cost <= Decimal(str(self.max_cost))

    def __str__(self) -> str:
        bounds = [f"${self.max_cost}"] if self.max_cost is not None else []
        return " and ".join([*bounds, *([f"{self.max_tokens:,} tokens"] if self.max_tokens is not None else [])])


UNBOUNDED: Final = Budget()


@dataclass(frozen=True, slots=True)
class Spending:
    """Money and tokens. The cost is zero where no price is known."""

    cost: Decimal = NOTHING
    tokens: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(self.cost + other.cost, self.tokens + other.tokens)

    def __sub__(self, other: "Spending") -> "Spending":
        return Spending(self.cost - other.cost, self.tokens - other.tokens)

    @classmethod
    def of(cls, price: Price | None, tokens_in: int, tokens_out: int) -> "Spending":
        """What one call comes to."""
        return cls(price.cost(tokens_in, tokens_out) if price else NOTHING, tokens_in + tokens_out)


_NOT_COUNTED: Final = Spending()


class OverBudgetError(MahdarError):
    """The next call could exceed the budget."""


class Purse:
    """A budget while it is spent, for the tasks of one event loop.

    Args:
        budget: what may be spent.
        find_price: asked when the first call is made, or before it where the cost is bounded.

    Attributes:
        spent: by calls that have ended.
        reserved: by calls under way, at most.
    """

    def __init__(self, budget: Budget = UNBOUNDED, find_price: Callable[[], Price | None] = lambda: None) -> None:
        self.budget = budget
        self.spent = Spending()
        self.reserved = Spending()
        self._find_price = find_price
        self._waiting: list[asyncio.Future[None]] = []

    @cached_property
    def price(self) -> Price | None:
        """What the model costs, if that is known."""
        return self._find_price()

    def cost(self, completion: Completion) -> Decimal | None:
        """US dollars of a call; None where the price is not known, or its usage was not reported."""
        if self.price is None or not (_reported(completion) or not self.price.cost(1, 1)):
            return None
        return self.price.cost(completion.tokens_in, completion.tokens_out)

    def most(self, arguments: Arguments) -> Spending:
        """What a call may come to. Nothing where nothing is bounded: it would cost time to count."""
        if not self.budget.bounded:
            return _NOT_COUNTED
        return Spending.of(self.price, most_in(arguments), most_out(arguments))

    def came_to(self, completion: Completion, most: Spending) -> Spending:
        """What an answered call came to; the most, where the endpoint does not say all of it."""
        if self.budget.bounded and not _reported(completion):
            return most
        return Spending.of(self.price, completion.tokens_in, completion.tokens_out)

    async def reserve(self, most: Spending) -> None:
        """Set aside what a call may come to. Waits where only calls under way stand against it.

        Raises:
            OverBudgetError: it could exceed the budget.
        """
        while not self.budget.allows(self.spent + self.reserved + most):
            if not self.budget.allows(self.spent + most):
                raise OverBudgetError(self._refusal(most))
            settled = asyncio.get_running_loop().create_future()
            self._waiting.append(settled)
            await settled
        self.reserved += most

    def settle(self, most: Spending, came_to: Spending) -> None:
        """A call is over: what was set aside for it is free again but for what it came to."""
        self.reserved -= most
        self.spent += came_to
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():  # cancelled
                one.set_result(None)

    def begin_anew(self) -> None:
        """Forget the calls under way: they are another process's, of which this one was forked."""
        self.reserved, self._waiting = Spending(), []

    def _refusal(self, most: Spending) -> str:
        if not self.budget.affords(self.spent.cost + most.cost):
            said = f"${self.spent.cost:.4f} are spent, and the next call can cost ${most.cost:.4f}"
        else:
            said = f"{self.spent.tokens:,} tokens are spent, and the next call can take {most.tokens:,}"
        return f"the budget of {self.budget} ends here: {said}; with a larger one the same command goes on"


def _reported(completion: Completion) -> bool:
    """Whether an endpoint says all that it will charge for: some report only one side."""
    return bool(completion.tokens_in and (completion.tokens_out or not completion.raw))
