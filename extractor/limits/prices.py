"""Prices of a model's tokens, from the tables of genai-prices or given by the caller."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from mahdar.errors import UsageError

MILLION: Final = 1_000_000
REMEDY: Final = "give the prices of a million tokens: --price-in and --price-out"


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars for a million tokens, for requests with more than `above` input tokens."""

    input: Decimal
    output: Decimal
    above: int = 0

    def __post_init__(self) -> None:
        if self.input < 0 or self.output < 0:
            raise UsageError(f"price {self.input} and {self.output}: a price is not negative")


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates, by rising length of the request: some models cost more for long ones."""

    rates: tuple[Rate, ...]

    @classmethod
    def per_million(cls, tokens_in: Decimal | float | str, tokens_out: Decimal | float | str) -> "Price":
        """Return one rate in US dollars for requests of every length."""
        return cls((Rate(Decimal(str(tokens_in)), Decimal(str(tokens_out))),))

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        """Return the US dollars of one call."""
        rate = next((rate for rate in reversed(self.rates) if tokens_in > rate.above), self.rates[0])
        return (tokens_in * rate.input + tokens_out * rate.output) / MILLION


FREE: Final = Price((Rate(Decimal(0), Decimal(0)),))


def find_price(model: str, base_url: str, *, today: dt.date | None = None) -> Price | None:
    """Return the price of a model at an endpoint by genai-prices; None where it is not known.

    An endpoint that the tables lack has no price, whatever the model's name: it is a private server, or a reseller.
    Where the price changes with the hour, it is the highest of the day, so that a budget is never exceeded by waiting.
    """
    if _is_private(base_url):  # the tables take a while to load
        return None
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), model, provider_api_url=base_url)
    except LookupError:
        return None
    day = today or dt.datetime.now(dt.UTC).date()
    hours = (dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC) for hour in range(24))
    return _price([found.model.get_prices(hour) for hour in hours])


def unknown_price(model: str) -> UsageError:
    """Return the error for a bound on the cost of a model whose price is not known."""
    try:
        import genai_prices  # noqa: F401  # installed?
    except ImportError:
        return UsageError(f"no price known for {model}: pip install 'mahdar[prices]', or {REMEDY}")
    return UsageError(f"no price known for {model} at this endpoint: {REMEDY}")


def _is_private(url: str) -> bool:
    """Whether the host of a URL is an IP address or this machine."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or not host.strip("0123456789.") or ":" in host


def _price(prices_by_hour: Iterable[Any]) -> Price | None:
    """Return the highest of several prices of one model, rate by rate."""
    pairs = [(one.input_mtok, one.output_mtok) for one in prices_by_hour]
    if any(price is None for pair in pairs for price in pair):
        return None
    bounds = sorted({0, *(tier.start for pair in pairs for price in pair for tier in getattr(price, "tiers", ()))})
    rates = []
    for above in bounds:
        highest_input, highest_output = (max(_at(one, above) for one in prices) for prices in zip(*pairs, strict=True))
        rates.append(Rate(highest_input, highest_output, above))
    return Price(tuple(rates))


def _at(price: Any, above: int) -> Decimal:
    """Return the price of a million tokens for requests with more input tokens than `above`."""
    tiers = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= above]
    return Decimal(tiers[-1] if tiers else getattr(price, "base", price))
