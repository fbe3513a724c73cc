"""Telemetry: spans and metrics of calls, by OpenTelemetry's conventions for generative AI.

Made only where the application has loaded OpenTelemetry (the extra `otel`), and sent only where it has configured an
exporter: nothing leaves the machine otherwise, and nothing is measured. No prompt, no answer and no key is ever in it.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mahdar.errors import ExtractionError, MahdarError
from mahdar.llm.call import Call, Transport
from mahdar.llm.completion import Completion
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.reply import CallError
from mahdar.observability.logs import ARTICLE

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram
    from opentelemetry.trace import Span, Tracer

NAME: Final = "mahdar"
CHAT: Final = "chat"
DURATION: Final = "gen_ai.client.operation.duration"
TOKENS: Final = "gen_ai.client.token.usage"
SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
COUNTS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
"""The buckets that the conventions ask for."""

PARAMETERS: Final = {
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.seed": "seed",
}
"""attribute → parameter of the request"""

Attributes = Mapping[str, str | int | float | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The instruments, where there are any."""

    tracer: "Tracer"
    duration: "Histogram"
    tokens: "Histogram"

    @contextmanager
    def article(self, document_id: str) -> Iterator[None]:
        """The span of one article, over all its calls. A failure is its class: the message may quote an answer."""
        with self.tracer.start_as_current_span(
            "mahdar.extract",
            attributes={"mahdar.document_id": document_id},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except MahdarError as error:
                _mark(span, error.failure if isinstance(error, ExtractionError) else type(error).__name__)
                raise


def telemetry() -> Telemetry | None:
    """The instruments; None where the application has not loaded OpenTelemetry."""
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
    """The span of one article; nothing where there are no instruments."""
    return instruments.article(document_id) if instruments else nullcontext()


class TracingTransport:
    """A transport whose calls are spans."""

    def __init__(self, transport: Transport, endpoint: Endpoint, instruments: Telemetry) -> None:
        self._transport = transport
        self._instruments = instruments
        self._known = dict(_known(endpoint))

    async def send(self, call: Call) -> Completion:
        """Make one call, without a retry; it is a span of kind CLIENT.

        Raises:
            CallError: no completion came.
        """
        from opentelemetry.trace import SpanKind

        model = call.request.model
        named = {**self._known, "gen_ai.request.model": model}
        started = time.perf_counter()
        start = self._instruments.tracer.start_as_current_span
        with start(
            f"{CHAT} {model}",
            kind=SpanKind.CLIENT,
            attributes={**named, **_about(call)},
            record_exception=False,  # its message may quote the endpoint
            set_status_on_exception=False,
        ) as span:
            try:
                completion = await self._transport.send(call)
            except CallError as error:
                self._failed(span, named, error, started)
                raise
            self._answered(span, named, completion, started)
            return completion

    async def close(self) -> None:
        """Let go of the transport's connections."""
        await self._transport.close()

    def _failed(self, span: "Span", named: Attributes, error: CallError, started: float) -> None:
        _mark(span, error.failure)
        self._instruments.duration.record(time.perf_counter() - started, {**named, "error.type": error.failure})

    def _answered(self, span: "Span", named: Attributes, completion: Completion, started: float) -> None:
        answered = {"gen_ai.response.model": completion.model} if completion.model else {}
        usage = {"input": completion.tokens_in, "output": completion.tokens_out}
        span.set_attributes({**answered, "gen_ai.response.finish_reasons": (completion.finish,)})
        span.set_attributes({f"gen_ai.usage.{kind}_tokens": count for kind, count in usage.items()})
        self._instruments.duration.record(time.perf_counter() - started, {**named, **answered})
        for kind, count in usage.items():
            self._instruments.tokens.record(count, {**named, **answered, "gen_ai.token.type": kind})


def _mark(span: "Span", failure: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", failure)
    span.set_status(StatusCode.ERROR)


def _known(endpoint: Endpoint) -> Iterator[tuple[str, str | int]]:
    """What holds for every call: never credentials, which the URL may carry."""
    yield "gen_ai.operation.name", CHAT
    yield "gen_ai.provider.name", "mahdar.embedded" if endpoint.embedded else "openai"
    parts = urlsplit(endpoint.base_url)
    if parts.hostname:
        yield "server.address", parts.hostname
        yield "server.port", parts.port or (443 if parts.scheme == "https" else 80)


def _about(call: Call) -> dict[str, str | int | float]:
    """What one call is about."""
    about: dict[str, str | int | float] = {"mahdar.task": call.tasks, "mahdar.fingerprint": call.fingerprint}
    if (article := ARTICLE.get()) is not None:
        about["mahdar.document_id"] = article
    for name, given in PARAMETERS.items():
        if given in call.arguments:
            about[name] = call.arguments[given]
    return about
