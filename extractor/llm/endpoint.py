"""An endpoint: where a model answers, and what it can be asked for there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from extractor.errors import UsageError
from extractor.settings import Settings

MODES = ("json_schema", "json", "tools", "md_json")
"""instructor's modes that work through chat completions, most constrained first."""

MODE_BY_HOST = {"api.deepseek.com": "json", "api.anthropic.com": "tools"}
"""Hosts that cannot constrain decoding by a JSON Schema; all others, vLLM and Ollama included, can."""

OPENAI = "https://api.openai.com/v1"
FIXED_TEMPERATURE = ("o1", "o3", "o4", "gpt-5")
"""Model families that refuse a temperature."""

MAX_TOKENS = 6_000
"""Of one answer: a bound against endless repetition, above what the longest seed needs."""
PASSAGE = 16_000
"""Tokens of article in one request, by estimate; a longer article is asked in passages. Models of today read eight
times as much, and find less in it."""

EMBEDDED_PASSAGE = 2_500
"""As `PASSAGE`, for the embedded model where the standard profile asks it for drafts: it loses the thread of more."""
EMBEDDED_MAX_TOKENS = 3_000
"""As `MAX_TOKENS`: two minutes on two cores."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask."""

    base_url: str = field(repr=False)
    api_key: str = field(repr=False)
    model: str
    mode: str = "json_schema"
    passage: int = PASSAGE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    embedded: bool = False
    cache: Path | None = None
    """where the embedded model keeps its weights"""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r}: not known; use one of {', '.join(MODES)} (MAHDAR_MODE)")


def embedded_endpoint(settings: Settings) -> Endpoint:
    """The embedded model, named without starting it: an article answered from the store needs no server.

    Raises:
        UsageError: another model is named, which nothing is configured to ask.
    """
    from extractor.llm.local.weights import model_name

    model = model_name(settings.cache / "models")
    if settings.model not in {None, model}:
        raise UsageError(
            f"model {settings.model!r}: nothing is configured to ask it; set OPENAI_API_KEY or OPENAI_BASE_URL, "
            "or leave --model and MAHDAR_MODEL out for the embedded model"
        )
    return Endpoint(
        base_url="",
        api_key="",
        model=model,
        mode=settings.mode or "json_schema",
        passage=EMBEDDED_PASSAGE,
        parameters={"max_tokens": EMBEDDED_MAX_TOKENS, "temperature": 0, "seed": 0},
        embedded=True,
        cache=settings.cache,
    )


def remote_endpoint(settings: Settings) -> Endpoint:
    """The endpoint the environment names.

    Raises:
        UsageError: no model is named, or the URL is none.
    """
    base_url = (settings.base_url or OPENAI).rstrip("/")
    host = _host(base_url)
    if settings.model is None:
        raise UsageError(f"no model named for {without_secrets(base_url)}; set MAHDAR_MODEL or give --model")
    return Endpoint(
        base_url=base_url,
        api_key=settings.api_key or "none",
        model=settings.model,
        mode=settings.mode or MODE_BY_HOST.get(host, "json_schema"),
        parameters=decoding_parameters(host, settings.model),
    )


def decoding_parameters(host: str, model: str) -> Mapping[str, Any]:
    """As repeatable as the endpoint allows, and bounded."""
    bound = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
    family = model.rsplit("/", 1)[-1]
    temperature = {} if family.startswith(FIXED_TEMPERATURE) else {"temperature": 0}
    return {bound: MAX_TOKENS, **temperature}


def without_secrets(url: str) -> str:
    """A URL less the password and the query that it may carry."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _host(url: str) -> str:
    """The host that a URL names. One that cannot be read is not shown: it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError("OPENAI_BASE_URL: not a URL; write it like https://host/v1") from None
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise UsageError(f"OPENAI_BASE_URL {without_secrets(url)!r}: not a URL; write it like https://host/v1")
    return parts.hostname
