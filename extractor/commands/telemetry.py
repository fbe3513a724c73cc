"""Telemetry of the command line: exported where the environment says so in OpenTelemetry's own variables, else nowhere.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`, `…_METRICS_ENDPOINT`) names a collector; `OTEL_TRACES_EXPORTER`
and `OTEL_METRICS_EXPORTER` are `otlp`, `console` (standard error) or `none`. An application that embeds mahdar
configures its own.
"""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from extractor.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

COLLECTOR: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES, METRICS = "TRACES", "METRICS"
OTLP, CONSOLE, NONE = EXPORTERS = ("otlp", "console", "none")


def export_telemetry(environment: Mapping[str, str] = os.environ) -> None:
    """Set up what the environment asks for; flushed when the process ends.

    Raises:
        UsageError: it asks for what is not installed, or not known.
    """
    traces, metrics = _exporter(TRACES, environment), _exporter(METRICS, environment)
    if (traces, metrics) == (NONE, NONE):
        return
    try:
        _export(traces, metrics, environment)
    except ImportError:
        raise UsageError("OTEL_… variables are set, but not the extra: pip install 'mahdar[otel]'") from None


def _exporter(signal: str, environment: Mapping[str, str]) -> str:
    collected = COLLECTOR in environment or f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" in environment
    name = f"OTEL_{signal}_EXPORTER"
    chosen = environment.get(name) or (OTLP if collected else NONE)
    if chosen not in EXPORTERS:
        raise UsageError(f"{name} {chosen!r}: not known; use one of {', '.join(EXPORTERS)}")
    return chosen


def _export(traces: str, metrics: str, environment: Mapping[str, str]) -> None:
    from opentelemetry import metrics as metrics_api
    from opentelemetry import trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME") or "mahdar"})
    if traces != NONE:
        tracer = TracerProvider(resource=resource)
        tracer.add_span_processor(BatchSpanProcessor(_spans(traces)))
        trace.set_tracer_provider(tracer)
    if metrics != NONE:
        reader = PeriodicExportingMetricReader(_metrics(metrics))
        metrics_api.set_meter_provider(MeterProvider([reader], resource=resource))


def _spans(exporter: str) -> "SpanExporter":
    if exporter == CONSOLE:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _metrics(exporter: str) -> "MetricExporter":
    if exporter == CONSOLE:
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()
