"""Forecast the requests, tokens and cost of a run before anything is sent.

There are two figures: an estimate of the tokens, and an upper bound, by which every request is asked twice (the re-ask
carries the first answer and its problems) and every answer is as long as allowed. Attempts repeated after a timeout are
in neither; `Budget` bounds them too.
"""

import operator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from mahdar.drafting import Request
from mahdar.limits.estimate import estimate_input_tokens, estimate_output_tokens, max_input_tokens, max_output_tokens
from mahdar.limits.prices import Price
from mahdar.llm.conversation import arguments_of

REASK_TOKENS: Final = 4_096
"""Maximum of tokens of a re-ask message: twelve lines, and what instructor adds to them."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one or more articles will take.

    Attributes:
        articles: number of articles.
        requests: that the articles take.
        cached: requests with an answer in the cache.
        tokens_in: of the other requests, by estimate.
        tokens_out: of their answers, by estimate.
        most_tokens: in and out together, at most.
        cost: US dollars, by estimate; zero where the price is not known.
        most_cost: US dollars, at most.
    """

    articles: int = 0
    requests: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    most_tokens: int = 0
    cost: Decimal = Decimal(0)
    most_cost: Decimal = Decimal(0)

    def __add__(self, other: "Forecast") -> "Forecast":
        return Forecast(*map(operator.add, _figures(self), _figures(other)))


_figures = operator.attrgetter(*(field.name for field in fields(Forecast)))


def forecast_request(request: Request, price: Price | None, *, reasks: int) -> Forecast:
    """Forecast a request without an answer in the cache.

    Args:
        request: the request to be sent.
        price: of the model; None where it is not known.
        reasks: how often the model may be asked again.

    Raises:
        UsageError: the request does not bound its answer.
    """
    arguments = arguments_of(request)
    tokens_out = estimate_output_tokens(request.messages[-1]["content"], request.parameters)
    tokens_in, longest = estimate_input_tokens(arguments), max_output_tokens(arguments)
    rounds = [
        (max_input_tokens(arguments) + number * (longest + REASK_TOKENS), longest) for number in range(reasks + 1)
    ]
    return Forecast(
        requests=1,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        most_tokens=sum(map(sum, rounds)),
        cost=price.cost(tokens_in, tokens_out) if price else Decimal(0),
        most_cost=sum((price.cost(*one) for one in rounds), Decimal(0)) if price else Decimal(0),
    )
