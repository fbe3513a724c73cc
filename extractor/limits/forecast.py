"""The forecast: what a run will ask and cost, before anything is asked.

Two figures: about, by estimate of the tokens, and at most, where every question is asked twice (the re-ask carries the
first answer) and every answer is as long as allowed. Attempts repeated after a timeout may come on top of either; what
`Budget` bounds includes them.
"""

import operator
from dataclasses import dataclass, fields
from decimal import Decimal

from extractor.limits.estimate import about_in, about_out, most_in, most_out
from extractor.limits.prices import Price
from extractor.llm.request import Request


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one or more articles will take.

    Attributes:
        questions: that they raise.
        cached: of these, answered in the store.
        tokens_in: of the others, by estimate.
        tokens_out: of their answers, by estimate.
        most_tokens: in and out, at most.
        cost: US dollars, by estimate; zero where the price is not known.
        most_cost: US dollars, at most.
    """

    articles: int = 0
    questions: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    most_tokens: int = 0
    cost: Decimal = Decimal(0)
    most_cost: Decimal = Decimal(0)

    def __add__(self, other: "Forecast") -> "Forecast":
        return Forecast(*map(operator.add, _figures(self), _figures(other)))


_figures = operator.attrgetter(*(field.name for field in fields(Forecast)))


def forecast_question(request: Request, price: Price | None, *, reasks: int) -> Forecast:
    """What a question takes that is not answered in the store."""
    tokens_in = about_in(request)
    tokens_out = about_out(request, tokens_in)
    most = [(most_in(request) + asked * most_out(request), most_out(request)) for asked in range(reasks + 1)]
    return Forecast(
        questions=1,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        most_tokens=sum(map(sum, most)),
        cost=price.cost(tokens_in, tokens_out) if price else Decimal(0),
        most_cost=sum((price.cost(*one) for one in most), Decimal(0)) if price else Decimal(0),
    )
