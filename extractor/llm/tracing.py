"""Trace calls as spans and histograms, by OpenTelemetry's conventions for generative AI."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mahdar.cache.completion import Completion
from mahdar.llm.call import Call, Transport
from mahdar.llm.endpoint import Endpoint
from mahdar.llm.reply import CallError
from mahdar.observability.logs import ARTICLE
from mahdar.observability.tracing import Telemetry, mark

if TYPE_CHECKING:
    from opentelemetry.trace import Span

CHAT: Final = "chat"
PARAMETERS: Final = {
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.seed": "seed",
}
"""attribute → parameter of the request"""

Attributes = Mapping[str, str | int | float | tuple[str, ...]]


class TracingTransport:
    """Records a span for each call of another transport."""

    def __init__(self, transport: Transport, endpoint: Endpoint, instruments: Telemetry) -> None:
        self._transport = transport
        self._instruments = instruments
        self._common: dict[str, str | int] = {
            "gen_ai.operation.name": CHAT,
            "gen_ai.provider.name": "mahdar.embedded" if endpoint.embedded else "openai",
        }
        parts = urlsplit(endpoint.base_url)
        if parts.hostname:  # never the credentials, which the URL may carry
            self._common["server.address"] = parts.hostname
            self._common["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)

    async def send(self, call: Call) -> Completion:
        """Send a call once, as a span of kind CLIENT.

        Raises:
            CallError: there is no completion.
        """
        from opentelemetry.trace import SpanKind

        model = call.request.model
        named = {**self._common, "gen_ai.request.model": model}
        started = time.perf_counter()
        start = self._instruments.tracer.start_as_current_span
        with start(
            f"{CHAT} {model}",
            kind=SpanKind.CLIENT,
            attributes={**named, **_call_attributes(call)},
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
        """Close the connections of the other transport."""
        await self._transport.close()

    def _failed(self, span: "Span", named: Attributes, error: CallError, started: float) -> None:
        mark(span, error.failure)
        self._instruments.duration.record(time.perf_counter() - started, {**named, "error.type": error.failure})

    def _answered(self, span: "Span", named: Attributes, completion: Completion, started: float) -> None:
        answered = {"gen_ai.response.model": completion.model} if completion.model else {}
        usage = {"input": completion.tokens_in, "output": completion.tokens_out}
        span.set_attributes({**answered, "gen_ai.response.finish_reasons": (completion.finish,)})
        span.set_attributes({f"gen_ai.usage.{kind}_tokens": count for kind, count in usage.items()})
        self._instruments.duration.record(time.perf_counter() - started, {**named, **answered})
        for kind, count in usage.items():
            self._instruments.tokens.record(count, {**named, **answered, "gen_ai.token.type": kind})


def _call_attributes(call: Call) -> dict[str, str | int | float]:
    """Return the attributes of one call's span."""
    attributes: dict[str, str | int | float] = {"mahdar.task": call.tasks, "mahdar.fingerprint": call.fingerprint}
    if (article := ARTICLE.get()) is not None:
        attributes["mahdar.document_id"] = article
    for name, given in PARAMETERS.items():
        if given in call.arguments:
            attributes[name] = call.arguments[given]
    return attributes
