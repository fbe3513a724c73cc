"""Record spans and metrics, by OpenTelemetry's conventions for generative AI.

They are recorded only where the application has loaded OpenTelemetry (the extra `otel`), and leave the machine only
where it has configured an exporter. They never hold a prompt, an answer or a key.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mahdar.errors import ExtractionError, MahdarError

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram
    from opentelemetry.trace import Span, Tracer

NAME: Final = "mahdar"
DURATION: Final = "gen_ai.client.operation.duration"
TOKENS: Final = "gen_ai.client.token.usage"
SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
COUNTS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""Bounds of the histograms' buckets, by the conventions."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The instruments that record."""

    tracer: "Tracer"
    duration: "Histogram"
    tokens: "Histogram"

    @contextmanager
    def article(self, document_id: str) -> Iterator[None]:
        """Record a span over all calls of an article. A failure is its class only: the message may quote an answer."""
        with self.tracer.start_as_current_span(
            "mahdar.extract",
            attributes={"mahdar.document_id": document_id},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except MahdarError as error:
                mark(span, error.failure if isinstance(error, ExtractionError) else type(error).__name__)
                raise


def telemetry() -> Telemetry | None:
    """Return the instruments; None where the application has not loaded OpenTelemetry."""
    if "opentelemetry.trace" not in sys.modules and "opentelemetry.metrics" not in sys.modules:
        return None
    from opentelemetry import metrics, trace

    meter = metrics.get_meter(NAME)
    return Telemetry(
        trace.get_tracer(NAME),
        meter.create_histogram(DURATION, "s", "Duration of a call", explicit_bucket_boundaries_advisory=SECONDS),
        meter.create_histogram(TOKENS, "{token}", "Tokens of a call", explicit_bucket_boundaries_advisory=COUNTS),
    )


def article_span(instruments: Telemetry | None, document_id: str) -> AbstractContextManager[None]:
    """Record a span over all calls of an article; nothing without instruments."""
    return instruments.article(document_id) if instruments else nullcontext()


def mark(span: "Span", failure: str) -> None:
    """Mark a span as failed, with the class of the failure."""
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", failure)
    span.set_status(StatusCode.ERROR)
