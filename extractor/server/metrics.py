"""Define the metrics of the service, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from mahdar.results import Usage
from mahdar.schemas.records import Provenance

SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Buckets of durations: an answer from the cache takes milliseconds, one of a model seconds."""


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.requests = Counter("mahdar_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        self.seconds = Histogram(
            "mahdar_request_seconds", "Duration of a request.", ["route"], buckets=SECONDS, registry=own
        )
        self.under_way = Gauge("mahdar_requests_under_way", "Requests under way.", registry=own)
        self.jobs = Gauge("mahdar_jobs", "Jobs that wait or run.", ["state"], registry=own)
        self._articles = Counter("mahdar_articles", "Articles.", ["caller", "outcome"], registry=own)
        self._cached = Counter("mahdar_articles_cached", "Articles answered from the cache.", registry=own)
        self._tokens = Counter("mahdar_tokens", "Tokens of the model.", ["direction"], registry=own)
        self._cost = Counter("mahdar_cost_dollars", "US dollars, if the price is known.", registry=own)

    def count(self, caller: str, outcome: str, spent: Usage | Provenance) -> None:
        """Count an article: its outcome, `extracted` or a class of failure, and what was spent on it."""
        self._articles.labels(caller, outcome).inc()
        self._cached.inc(isinstance(spent, Provenance) and spent.cached)
        self._tokens.labels("in").inc(spent.tokens_in)
        self._tokens.labels("out").inc(spent.tokens_out)
        self._cost.inc(float(spent.cost or 0))
