"""The doctor: what is configured, whether the model answers, and what is missing."""

import asyncio
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from extractor.cache.opening import open_store
from extractor.errors import MahdarError
from extractor.llm.completion import Completion
from extractor.llm.endpoint import Endpoint, embedded_endpoint, remote_endpoint, without_secrets
from extractor.llm.reply import CallError
from extractor.llm.request import Request
from extractor.llm.transport import Door
from extractor.llm.validation import read_drafts
from extractor.settings import Settings
from prompts import PromptLibrary, TemplateError
from schemas.tasks import task_schema

Progress = Callable[[str, float | None], None]

PATIENCE: Final = 60.0
"""Seconds for a tiny answer, after the embedded model is up."""
TASK: Final = "meetings"
"""The question is tiny, but goes out with this task's schema, in the form of a real one."""
NOBODY: Final = "; is the server running, is OPENAI_BASE_URL right?"
"""The remedy where nobody took the call."""
EXTRAS: Final = {
    "evals": ("numpy", "scipy", "sacrebleu"),
    "report": ("vl_convert", "networkx", "numpy", "fontpkg_ibm_plex_sans_arabic"),
    "files": ("pyarrow", "duckdb", "fsspec", "zstandard"),
    "ray": ("ray",),
    "prices": ("genai_prices",),
    "redis": ("redis",),
    "otel": ("opentelemetry",),
    "bench": ("matplotlib",),
}
"""extra → modules; `local` is looked at by the embedded model itself"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        fault: what is wrong with it, and the remedy; None where it is as it should be.
        spare: not there, but not needed either.
    """

    name: str
    value: str
    fault: str | None = None
    spare: bool = False

    def __str__(self) -> str:
        mark = "✗" if self.fault else "-" if self.spare else "✓"
        return f"{mark} {self.name:<9} {' — '.join(part for part in (self.value, self.fault) if part)}"


def examine(settings: Settings, prompts: tuple[Path, ...], progress: Progress) -> Iterator[Finding]:
    """Look at one thing after the other; the last is a question to the model, if there is one to ask."""
    yield Finding("versions", ", ".join(_versions()))
    yield _cache(settings)
    yield from _extras(settings)
    yield _prompts(prompts)
    try:
        endpoint = embedded_endpoint(settings) if settings.embedded else remote_endpoint(settings)
    except MahdarError as error:
        yield Finding("endpoint", "", str(error))
        return
    yield from _configured(settings, endpoint)
    yield _answer(endpoint, min(settings.timeout, PATIENCE), progress)


def _configured(settings: Settings, endpoint: Endpoint) -> Iterator[Finding]:
    where = "the embedded model: no OPENAI_BASE_URL, no OPENAI_API_KEY"
    yield Finding("endpoint", where if endpoint.embedded else without_secrets(endpoint.base_url))
    yield Finding("model", endpoint.model)
    yield Finding("mode", endpoint.mode)
    yield Finding("key", "set (OPENAI_API_KEY)" if settings.api_key else "not set (OPENAI_API_KEY)")


def _versions() -> Iterator[str]:
    for package in ("mahdar", "openai", "instructor", "pydantic"):
        with suppress(PackageNotFoundError):
            yield f"{package} {version(package)}"
    yield f"Python {platform.python_version()} on {sys.platform}"


def _cache(settings: Settings) -> Finding:
    try:
        store = open_store(settings)
        stats = store.stats()
        store.close()
    except MahdarError as error:
        return Finding("cache", "", str(error))
    named = "MAHDAR_STORE" if settings.store else "MAHDAR_CACHE_DIR"
    where = stats.folder if settings.store else settings.cache
    return Finding("cache", f"{where}: {stats.entries:,} answers, {stats.bytes:,} bytes ({named})")


def _extras(settings: Settings) -> Iterator[Finding]:
    from extractor.llm.local.model import status

    problem = status(settings.cache).problem
    yield Finding("local", problem or "installed", spare=problem is not None)
    for extra, modules in EXTRAS.items():
        absent = not all(map(find_spec, modules))
        yield Finding(extra, f"pip install 'mahdar[{extra}]'" if absent else "installed", spare=absent)


def _prompts(folders: tuple[Path, ...]) -> Finding:
    try:
        return Finding("prompts", ", ".join(prompt.ref for prompt in PromptLibrary(*folders)))
    except TemplateError as error:
        return Finding("prompts", "", str(error))


def _answer(endpoint: Endpoint, patience: float, progress: Progress) -> Finding:
    try:
        completion = asyncio.run(_ask(endpoint, patience, progress))
    except CallError as error:
        silent = error.failure == "unreachable" and error.again and not (error.billed or endpoint.embedded)
        return Finding("answer", error.failure, f"{error}{NOBODY if silent else ''}")
    except MahdarError as error:
        return Finding("answer", "", str(error))
    spent = f"{completion.seconds:.1f} s, {completion.tokens_in} + {completion.tokens_out} tokens"
    problems = read_drafts(completion.text, task_schema(TASK)).problems
    fault = f"{problems[0]}; set MAHDAR_MODE to another mode, or take another model" if problems else None
    return Finding("answer", spent, fault)


async def _ask(endpoint: Endpoint, patience: float, progress: Progress) -> Completion:
    door = Door(endpoint, timeout=patience, progress=progress)
    try:
        return await door.ask(_question(endpoint))
    finally:
        await door.close()


def _question(endpoint: Endpoint) -> Request:
    """As short as a question can be."""
    messages: tuple[Mapping[str, str], ...] = (
        {"role": "system", "content": 'Answer with this JSON, nothing else: {"meetings": []}'},
        {"role": "user", "content": "Answer."},
    )
    return Request(
        task=TASK,
        model=endpoint.model,
        mode=endpoint.mode,
        messages=messages,
        schema=task_schema(TASK),
        parameters=endpoint.parameters,
        prompt_sha256="",
        article_sha256="",
    )
