"""What can be seen of a run: spans and metrics by OpenTelemetry's conventions, and lines of a log; not a word of it."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from newsroom import ARTICLE, HURRIED, KEY, MET, configured, reads_well

from mahdar import Extractor, NoModelError, UsageError
from mahdar.cli.telemetry import export_telemetry
from mahdar.observability.logs import JsonFormatter, TextFormatter, log_to_standard_error

from loopback import Endpoint, status

ROOT = Path(__file__).parents[1]

# --- telemetry


@pytest.fixture(scope="module")
def exported() -> tuple[Any, Any]:
    """What OpenTelemetry keeps in memory, of this process from here on."""
    pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed: pip install 'mahdar[otel]'")
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader, provider = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    return spans, reader


def test_a_call_is_a_span_of_its_article(exported: tuple[Any, Any], tmp_path: Path) -> None:
    spans, _ = exported
    spans.clear()
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        made = mahdar.extract(ARTICLE, document_id="talks").provenance
        (planned,) = mahdar.plan(ARTICLE)
    call, article = spans.get_finished_spans()
    assert (article.name, dict(article.attributes)) == ("mahdar.extract", {"mahdar.document_id": "talks"})
    assert (call.name, call.kind.name, call.parent.span_id) == ("chat loopback", "CLIENT", article.context.span_id)
    port = int(endpoint.url.rpartition(":")[2].partition("/")[0])
    assert dict(call.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "loopback",
        "gen_ai.request.max_tokens": planned.parameters["max_tokens"],
        "gen_ai.request.temperature": 0,
        "gen_ai.response.model": "loopback",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "server.address": "127.0.0.1",
        "server.port": port,
        "mahdar.document_id": "talks",
        "mahdar.task": "meetings+stances",
        "mahdar.fingerprint": made.fingerprints[0],
    }


def test_every_attempt_is_a_span_and_a_failed_one_says_so(exported: tuple[Any, Any], tmp_path: Path) -> None:
    spans, _ = exported
    spans.clear()
    with (
        Endpoint([status(500, message=f"no {KEY} here"), status(401)]) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=HURRIED) as mahdar,
        pytest.raises(NoModelError),
    ):
        mahdar.extract(ARTICLE)
    found = spans.get_finished_spans()
    assert [span.name for span in found] == ["chat loopback", "chat loopback", "mahdar.extract"]
    assert [span.attributes["error.type"] for span in found] == ["unreachable", "unreachable", "NoModelError"]
    assert [(span.status.status_code.name, span.status.description, span.events) for span in found] == [
        ("ERROR", None, ())
    ] * 3


def test_duration_and_tokens_are_measured(exported: tuple[Any, Any], tmp_path: Path) -> None:
    _, reader = exported
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        mahdar.extract(ARTICLE)
    data = json.loads(reader.get_metrics_data().to_json())
    found = {
        metric["name"]: metric for one in data["resource_metrics"][0]["scope_metrics"] for metric in one["metrics"]
    }
    assert {name: metric["unit"] for name, metric in found.items()} == {
        "gen_ai.client.operation.duration": "s",
        "gen_ai.client.token.usage": "{token}",
    }
    points = found["gen_ai.client.token.usage"]["data"]["data_points"]
    here = [point for point in points if endpoint.url.split(":")[2].startswith(str(point["attributes"]["server.port"]))]
    assert {point["attributes"]["gen_ai.token.type"]: point["sum"] for point in here} == {"input": 100, "output": 20}
    assert KEY not in json.dumps(data)


def test_nothing_of_the_article_is_in_a_span(exported: tuple[Any, Any], tmp_path: Path) -> None:
    spans, _ = exported
    spans.clear()
    with Endpoint(reads_well) as endpoint, Extractor(configured(endpoint, tmp_path)) as mahdar:
        mahdar.extract(ARTICLE)
    said = "".join(span.to_json() for span in spans.get_finished_spans())
    assert [word for word in (MET[:20], KEY) if word in json.dumps(said, ensure_ascii=False)] == []


def test_where_nobody_has_loaded_it_nothing_is_made_or_loaded() -> None:
    program = (
        "import sys; from mahdar.service import Extractor; from mahdar.observability.tracing import telemetry;"
        "print(telemetry(), any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout
    assert said == b"None False\n"


@pytest.mark.parametrize(
    "environment",
    [{}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_METRICS_EXPORTER": "none, none"}, {"OTEL_SERVICE_NAME": "news"}],
)
def test_nothing_is_exported_unless_asked_for(environment: dict[str, str]) -> None:
    before = set(sys.modules)
    export_telemetry(environment)
    assert {name for name in set(sys.modules) - before if name.startswith("opentelemetry")} == set()


@pytest.mark.parametrize("chosen", ["jaeger", "otlp,jaeger"])
def test_an_exporter_that_is_not_known_is_named(chosen: str) -> None:
    with pytest.raises(UsageError, match="OTEL_TRACES_EXPORTER 'jaeger': not known; use one of otlp, console, none"):
        export_telemetry({"OTEL_TRACES_EXPORTER": chosen})


EXPORTING = """
import sys
if sys.argv[1] == "without":
    sys.modules["opentelemetry"] = None
from mahdar.cli.telemetry import export_telemetry
export_telemetry({"OTEL_TRACES_EXPORTER": "otlp,console", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_METRICS_EXPORTER": "none"})
if sys.argv[1] == "with":
    from opentelemetry import trace
    print(len(trace.get_tracer_provider()._active_span_processor._span_processors))
"""


def test_variables_for_other_programs_do_not_refuse_a_run() -> None:
    ended = subprocess.run([sys.executable, "-c", EXPORTING, "without"], cwd=ROOT, capture_output=True, check=True)
    assert (ended.stdout, ended.stderr.decode()) == (
        b"",
        "mahdar: OTEL_… variables are set; nothing is exported without pip install 'mahdar[otel]'\n",
    )


def test_several_exporters_are_legal() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed: pip install 'mahdar[otel]'")
    ended = subprocess.run([sys.executable, "-c", EXPORTING, "with"], cwd=ROOT, capture_output=True, check=True)
    assert ended.stdout == b"2\n"


# --- logs


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """The logger as it was."""
    log = logging.getLogger("mahdar")
    before = (log.handlers[:], log.level, log.propagate)
    yield
    log.handlers, log.level, log.propagate = before


@pytest.mark.usefixtures("quiet_again")
def test_a_line_a_call_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_standard_error(as_json=True)
    with (
        Endpoint(lambda asked: status(500) if len(endpoint.requests) == 1 else reads_well(asked)) as endpoint,
        Extractor(configured(endpoint, tmp_path), tasks=["meetings"], policy=HURRIED) as mahdar,
    ):
        made = mahdar.extract(ARTICLE, document_id="لقاء").provenance
        mahdar.extract(ARTICLE, document_id="again")
    said = capsys.readouterr().err
    lines = [json.loads(line) for line in said.splitlines()]
    fails, call, first, again = [
        {name: line[name] for name in line if name not in {"time", "seconds"}} for line in lines
    ]
    assert fails == {
        "level": "info",
        "message": "no answer: unreachable",
        "document_id": "لقاء",
        "task": "meetings",
        "fingerprint": made.fingerprints[0],
        "failure": "unreachable",
        "again": True,
    }
    assert call == {
        "level": "info",
        "message": "called",
        "document_id": "لقاء",
        "task": "meetings",
        "fingerprint": made.fingerprints[0],
        "tokens_in": 100,
        "tokens_out": 20,
    }
    assert first == {"level": "info", "message": "drafted", "document_id": "لقاء", "calls": 1, "cached": False}
    assert again == {"level": "info", "message": "drafted", "document_id": "again", "calls": 0, "cached": True}
    assert MET[:20] not in said
    assert KEY not in said


def record(**fields: object) -> logging.LogRecord:
    made = logging.LogRecord("mahdar", logging.INFO, "", 0, "given up: %s", ("timeout",), None)
    vars(made).update(created=1_600_000_000.0, **fields)
    return made


@pytest.mark.parametrize(
    ("formatter", "line"),
    [
        pytest.param(
            TextFormatter(),
            "2020-09-13T12:26:40+00:00 info given up: timeout document_id=a1 fingerprint=0123456789ab attempts=4",
            id="text",
        ),
        pytest.param(
            JsonFormatter(),
            '{"time": "2020-09-13T12:26:40.000+00:00", "level": "info", "message": "given up: timeout", '
            '"document_id": "a1", "fingerprint": "0123456789abcdef", "attempts": 4}',
            id="json",
        ),
    ],
)
def test_a_line_says_what_it_is_about(formatter: logging.Formatter, line: str) -> None:
    fields = {"document_id": "a1", "fingerprint": "0123456789abcdef", "attempts": 4, "task": None}
    assert formatter.format(record(**fields)) == line
