"""Export traces and metrics of the command line, if OpenTelemetry's environment variables ask for it.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`, `…_METRICS_ENDPOINT`) names a collector; `OTEL_TRACES_EXPORTER`
and `OTEL_METRICS_EXPORTER` are `otlp`, `console` (standard error) or `none`, or several with commas. An application
that embeds mahdar configures its own.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import typer

from mahdar.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

COLLECTOR: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES, METRICS = "TRACES", "METRICS"
OTLP, CONSOLE, NONE = EXPORTERS = ("otlp", "console", "none")


def export_telemetry(environment: Mapping[str, str] = os.environ) -> None:
    """Set up the exporters that the environment asks for; they are flushed when the process ends.

    Without the extra `otel` only a note is printed: the variables may be meant for other programs.

    Raises:
        UsageError: the environment names an unknown exporter.
    """
    traces, metrics = _exporters(TRACES, environment), _exporters(METRICS, environment)
    if not (traces or metrics):
        return
    try:
        _export(traces, metrics, environment)
    except ImportError:
        typer.echo("mahdar: OTEL_… variables are set; nothing is exported without pip install 'mahdar[otel]'", err=True)


def _exporters(signal: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the exporters of a signal, without repeats."""
    collected = COLLECTOR in environment or f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT" in environment
    name = f"OTEL_{signal}_EXPORTER"
    chosen = environment.get(name) or (OTLP if collected else NONE)
    named = dict.fromkeys(part.strip() for part in chosen.split(","))
    if unknown := [part for part in named if part not in EXPORTERS]:
        raise UsageError(f"{name} {unknown[0]!r}: not known; use one of {', '.join(EXPORTERS)}")
    return tuple(part for part in named if part != NONE)


def _export(traces: Sequence[str], metrics: Sequence[str], environment: Mapping[str, str]) -> None:
    from opentelemetry import metrics as metrics_api
    from opentelemetry import trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME") or "mahdar"})
    spans, readers = list(map(_spans, traces)), [PeriodicExportingMetricReader(_metrics(name)) for name in metrics]
    if spans:
        tracer = TracerProvider(resource=resource)
        for exporter in spans:
            tracer.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(tracer)
    if readers:
        metrics_api.set_meter_provider(MeterProvider(readers, resource=resource))


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
