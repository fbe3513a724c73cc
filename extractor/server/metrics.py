"""Metrics of the service, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mahdar.results import Usage
from mahdar.schemas.records import Extraction

SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""The buckets of durations: a cached answer takes milliseconds, a model seconds."""


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mahdar_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "mahdar_request_seconds", "Duration of a request.", ["route"], buckets=SECONDS, registry=self.registry
        )
        self.under_way = Gauge("mahdar_requests_under_way", "Requests under way.", registry=self.registry)
        self.jobs = Gauge("mahdar_jobs", "Jobs that wait or run.", ["state"], registry=self.registry)
        self._articles = Counter(
            "mahdar_articles",
            "Articles, by caller and class of failure.",
            ["caller", "outcome"],
            registry=self.registry,
        )
        self._cached = Counter("mahdar_articles_cached", "Articles answered from the cache.", registry=self.registry)
        self._tokens = Counter("mahdar_tokens", "Tokens of the model.", ["direction"], registry=self.registry)
        self._cost = Counter("mahdar_cost_dollars", "US dollars, where the price is known.", registry=self.registry)

    def extracted(self, result: Extraction, caller: str) -> None:
        """Count an article and what it took."""
        made = result.provenance
        self._articles.labels(caller, "extracted").inc()
        self._cached.inc(made.cached)
        self._spent(made.tokens_in, made.tokens_out, made.cost or 0)

    def failed(self, failure: str, caller: str, usage: Usage) -> None:
        """Count an article that failed and what it took."""
        self._articles.labels(caller, failure).inc()
        self._spent(usage.tokens_in, usage.tokens_out, float(usage.cost))

    def _spent(self, tokens_in: int, tokens_out: int, cost: float) -> None:
        self._tokens.labels("in").inc(tokens_in)
        self._tokens.labels("out").inc(tokens_out)
        self._cost.inc(cost)

    def text(self) -> bytes:
        """All of them as Prometheus reads them."""
        return generate_latest(self.registry)
