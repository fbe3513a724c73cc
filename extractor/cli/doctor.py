"""Implement `mahdar doctor`: check the installation and the settings, and whether the model answers."""

import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mahdar.cache.completion import Completion
from mahdar.cache.disk import older_folders
from mahdar.cache.opening import open_store
from mahdar.documents.document import Document
from mahdar.documents.passages import estimate_tokens
from mahdar.drafting import Request
from mahdar.errors import ExtractionError, MahdarError
from mahdar.llm.call import Call, Transport
from mahdar.llm.client import Client, Policy
from mahdar.llm.endpoint import Endpoint, endpoint_of
from mahdar.llm.reply import CallError
from mahdar.llm.transport import OpenAITransport, Progress
from mahdar.prompts import PromptLibrary, TemplateError
from mahdar.schemas.tasks import answer_schema
from mahdar.service import Extractor
from mahdar.settings import Settings, without_secrets
from mahdar.validation.source import Source
from mahdar.wording import counted

ANSWER_TIMEOUT: Final = 60.0
"""Seconds to wait for the short answer, after the embedded model has started."""
TASKS: Final = ("meetings",)
"""The task whose schema is sent with the question, as in a real request."""
QUESTION: Final = (
    {"role": "system", "content": 'Answer with this JSON, nothing else: {"actors": [], "meetings": []}'},
    {"role": "user", "content": "Answer."},
)
SAMPLE: Final = "التقى الوزيران."
WINDOW: Final = (
    "; a server of your own needs a window of 16,384 or more (Ollama: OLLAMA_CONTEXT_LENGTH, llama.cpp: --ctx-size, "
    "vLLM: --max-model-len)"
)
NOBODY: Final = "; is the server running, is OPENAI_BASE_URL right?"
"""The remedy if there was no connection."""
EXTRAS: Final = {
    "local": ("xllamacpp",),
    "evals": ("numpy", "scipy", "sacrebleu"),
    "report": ("vl_convert", "networkx", "numpy", "fontpkg_ibm_plex_sans_arabic"),
    "files": ("pyarrow", "duckdb", "fsspec", "zstandard", "pandas", "xlsxwriter"),
    "ray": ("ray",),
    "link": ("rensa",),
    "prices": ("genai_prices",),
    "redis": ("redis",),
    "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "web": ("trafilatura", "lxml_html_clean"),
    "serve": ("fastapi", "uvicorn", "prometheus_client"),
}
"""modules that an extra installs; if the embedded model is configured, `local` is checked by the model's own code"""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        fault: the problem and its remedy; None if there is none.
        spare: whether it is absent but not needed.
    """

    name: str
    value: str
    fault: str | None = None
    spare: bool = False

    def __str__(self) -> str:
        mark = "✗" if self.fault else "-" if self.spare else "✓"
        return f"{mark} {self.name:<9} {' — '.join(part for part in (self.value, self.fault) if part)}"


def examine(settings: Settings, prompts: tuple[Path, ...], progress: Progress) -> Iterator[Finding]:
    """Yield the result of each check; the last asks the model a question, if one is configured."""
    versions = []
    for package in ("mahdar", "openai", "instructor", "pydantic"):
        with suppress(PackageNotFoundError):
            versions.append(f"{package} {version(package)}")
    yield Finding("versions", ", ".join((*versions, f"Python {platform.python_version()} on {sys.platform}")))
    yield from _cache(settings)
    yield from _extras(settings)
    yield _prompts(prompts)
    if settings.offline:
        makers = dict.fromkeys(maker.name for maker in Extractor(settings, store=None).made_by.values())
        yield Finding("read by", f"{', '.join(makers)}: rules, no model")
        return
    try:
        endpoint = endpoint_of(settings)
    except MahdarError as error:
        yield Finding("endpoint", "", str(error))
        return
    yield Finding("endpoint", "the embedded model" if endpoint.embedded else without_secrets(endpoint.base_url))
    yield Finding("model", endpoint.model)
    yield Finding("mode", endpoint.mode)
    if not endpoint.embedded:
        yield Finding("key", "set (OPENAI_API_KEY)" if settings.api_key else "not set (OPENAI_API_KEY)")
        yield from _context(settings, prompts)
    yield _answer(endpoint, min(settings.timeout, ANSWER_TIMEOUT), progress)


def _context(settings: Settings, prompts: tuple[Path, ...]) -> Iterator[Finding]:
    """Report the size of the instructions: some servers silently truncate a prompt that exceeds their window."""
    with suppress(MahdarError):  # invalid templates are reported by another check
        requests = Extractor(settings, store=None, prompts=prompts).plan(Document("1", SAMPLE))
        tokens = max(sum(estimate_tokens(turn["content"]) for turn in request.messages) for request in requests)
        yield Finding("context", f"instructions of about {tokens:,} tokens before the article and its answer{WINDOW}")


def _cache(settings: Settings) -> Iterator[Finding]:
    try:
        store = open_store(settings)
        stats = store.stats()
        store.close()
    except MahdarError as error:
        yield Finding("cache", "", str(error))
        return
    where = stats.folder if settings.store else settings.cache
    named = next((f" ({name})" for name in ("MAHDAR_STORE", "MAHDAR_CACHE_DIR") if os.environ.get(name)), "")
    yield Finding("cache", f"{where}: {counted(stats.entries, 'answer')}, {stats.bytes:,} bytes{named}")
    for folder in older_folders(settings.cache):
        yield Finding("cache", f"{folder}: of an older mahdar, left alone; its answers are asked again", spare=True)


def _extras(settings: Settings) -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        if extra == "local" and settings.embedded:
            from mahdar.llm.local.model import status

            problem = status(settings.cache).problem
            yield Finding(extra, problem or "installed", spare=problem is not None)
        else:
            absent = any(map(_is_absent, modules))
            yield Finding(extra, f"pip install 'mahdar[{extra}]'" if absent else "installed", spare=absent)


def _is_absent(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # of the package that it is in
        return True


def _prompts(folders: tuple[Path, ...]) -> Finding:
    try:
        return Finding("prompts", ", ".join(prompt.ref for prompt in PromptLibrary(*folders)))
    except TemplateError as error:
        return Finding("prompts", "", str(error))


def _answer(endpoint: Endpoint, timeout: float, progress: Progress) -> Finding:
    try:
        recorder = _RecordingTransport(OpenAITransport(endpoint, timeout=timeout, progress=progress))
    except MahdarError as error:
        return Finding("answer", "", str(error))
    try:
        asyncio.run(_ask(endpoint, recorder))
        fault = None
    except MahdarError as error:
        unfit = isinstance(error, ExtractionError)
        fault = f"{error}{'; set MAHDAR_MODE to another mode, or take another model' if unfit else ''}"
    outcome = recorder.outcome
    if isinstance(outcome, CallError):
        silent = outcome.failure == "unreachable" and outcome.again and not (outcome.billed or endpoint.embedded)
        return Finding("answer", outcome.failure, f"{outcome}{NOBODY if silent else ''}")
    spent = f"{outcome.seconds:.1f} s, {outcome.tokens_in} + {outcome.tokens_out} tokens" if outcome else ""
    return Finding("answer", spent, fault)


class _RecordingTransport:
    """A transport that passes calls on, and records the outcome of the last one."""

    def __init__(self, transport: Transport) -> None:
        self.outcome: Completion | CallError | None = None
        self._transport = transport

    async def send(self, call: Call) -> Completion:
        try:
            self.outcome = completion = await self._transport.send(call)
        except CallError as error:
            self.outcome = error
            raise
        return completion

    async def close(self) -> None:
        await self._transport.close()


async def _ask(endpoint: Endpoint, transport: Transport) -> None:
    """Ask the short question once, by the client of a real run."""
    client = Client(transport, None, policy=Policy(attempts=1, reasks=0), concurrency=1)
    request = Request(
        tasks=TASKS,
        model=endpoint.model,
        mode=endpoint.mode,
        messages=QUESTION,
        answer=answer_schema(TASKS),
        parameters=endpoint.parameters,
        prompt_sha256="",
        article_sha256="",
        sentences=range(0),
    )
    try:
        await client.ask(request, Source(""))
    finally:
        await transport.close()
