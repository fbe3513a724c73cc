"""Prices: what a model's tokens cost, by the tables of genai-prices or by the caller's word."""

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
    """US dollars for a million tokens, of requests with more than `above` input tokens."""

    input: Decimal
    output: Decimal
    above: int = 0

    def __post_init__(self) -> None:
        if self.input < 0 or self.output < 0:
            raise UsageError(f"price {self.input} and {self.output}: a price is not negative")


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs; some cost more where the request is long, so that there may be several rates, rising."""

    rates: tuple[Rate, ...]

    @classmethod
    def per_million(cls, tokens_in: Decimal | float | str, tokens_out: Decimal | float | str) -> "Price":
        """The same for requests of every length, in US dollars."""
        return cls((Rate(Decimal(str(tokens_in)), Decimal(str(tokens_out))),))

    def cost(self, tokens_in: int, tokens_out: int) -> Decimal:
        """US dollars for one call."""
        rate = next((rate for rate in reversed(self.rates) if tokens_in > rate.above), self.rates[0])
        return (tokens_in * rate.input + tokens_out * rate.output) / MILLION


FREE: Final = Price((Rate(Decimal(0), Decimal(0)),))


def find_price(model: str, base_url: str, *, today: dt.date | None = None) -> Price | None:
    """The price of a model at an endpoint, by genai-prices; None where it is not known.

    An endpoint of nobody known has no price, whatever the model's name: it is somebody's own server, or resells. Where
    the price changes with the hour, it is the highest of the day: a budget is never exceeded by waiting.
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
    """Why a bound on the cost cannot be kept."""
    try:
        import genai_prices  # noqa: F401  # is it there?
    except ImportError:
        return UsageError(f"no price known for {model}: pip install 'mahdar[prices]', or {REMEDY}")
    return UsageError(f"no price known for {model} at this endpoint: {REMEDY}")


def _is_private(url: str) -> bool:
    """Whether a URL names a machine by its number, or this one."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or not host.strip("0123456789.") or ":" in host


def _price(found: Iterable[Any]) -> Price | None:
    """The dearest of several price lists of one model."""
    pairs = [(one.input_mtok, one.output_mtok) for one in found]
    if any(price is None for pair in pairs for price in pair):
        return None
    bounds = sorted({0, *(tier.start for pair in pairs for price in pair for tier in getattr(price, "tiers", ()))})
    return Price(tuple(_dearest(pairs, above) for above in bounds))


def _dearest(pairs: list[tuple[Any, Any]], above: int) -> Rate:
    return Rate(max(_at(price, above) for price, _ in pairs), max(_at(price, above) for _, price in pairs), above)


def _at(price: Any, above: int) -> Decimal:
    """The price of a request with more input tokens than that."""
    tiers = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= above]
    return Decimal(tiers[-1] if tiers else getattr(price, "base", price))
