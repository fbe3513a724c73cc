"""An endpoint: where a model answers, and what it can be asked for there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from mahdar.errors import UsageError
from mahdar.llm.parameters import NOTHING_KNOWN, TakenParameters
from mahdar.settings import EMBEDDED, OFFLINE, Settings, without_secrets

MODES: Final = ("json_schema", "json", "tools", "md_json")
"""instructor's modes that work through chat completions, most constrained first."""

MODE_BY_HOST: Final = {"api.deepseek.com": "json", "api.anthropic.com": "tools"}
"""Hosts that cannot constrain decoding by a JSON Schema; all others, vLLM and Ollama included, can."""

OPENAI: Final = "https://api.openai.com/v1"
REASONING: Final = ("o1", "o3", "o4", "gpt-5")
"""Model families that think to themselves before they answer, and refuse a temperature."""

MAX_TOKENS: Final = 16_000
"""Of one answer: a bound against endless repetition, above what an article of fifty stances needs; more is refused by
some endpoints."""
PASSAGE: Final = 16_000
"""Tokens of article in one request, by estimate; a longer article is asked in passages. Models of today read eight
times as much, and find less in it."""

SHORTEST_SECRET: Final = 8
"""A shorter "key" is a placeholder such as `none`, and part of ordinary words."""
PUBLIC: Final = frozenset({"api-version"})
"""Parameters of a URL's query that are no secret: Azure's version is a day, which an article may name too."""

EMBEDDED_PASSAGE: Final = 2_500
"""As `PASSAGE`, for the embedded model: it loses the thread of more."""
EMBEDDED_MAX_TOKENS: Final = 600
"""As `MAX_TOKENS`: half a minute on two idle cores."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask.

    Attributes:
        passage: tokens of article in one request, by estimate.
        parameters: of decoding.
        taken: which of them it takes, by `MAHDAR_PARAMETERS`; the others are learnt from its refusals.
        embedded: whether it is the engine on this machine, which is started at the first call.
        cache: where that keeps its weights.
    """

    base_url: str = field(repr=False)
    api_key: str = field(repr=False)
    model: str
    mode: str = "json_schema"
    passage: int = PASSAGE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    taken: TakenParameters = NOTHING_KNOWN
    embedded: bool = False
    cache: Path | None = None

    @property
    def reasons(self) -> bool:
        """Whether its model thinks to itself before it answers."""
        return is_reasoning(self.model)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r}: not known; use one of {', '.join(MODES)} (MAHDAR_MODE)")


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL and a key, taken apart into what is shown and what is not.

    Attributes:
        url: without credentials and query.
        key: sent as a bearer.
        query: sent with every request.
        credentials: user and password, sent as HTTP's basic authentication.
        secrets: what must not be shown, as bytes of an answer may hold it.
    """

    url: str
    key: str = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    credentials: tuple[str, str] | None = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)


def embedded_endpoint(settings: Settings) -> Endpoint:
    """The embedded model, named without starting it: an article answered from the cache needs no server."""
    from mahdar.llm.local.weights import model_name

    model = model_name(settings.cache / "models")
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
        UsageError: no model is named, nothing is configured to ask it, or the URL is none.
    """
    if settings.base_url is None and settings.api_key is None:
        raise UsageError(
            f"model {settings.model!r}: nothing is configured to ask it; set OPENAI_API_KEY or OPENAI_BASE_URL, "
            f"or name the model {EMBEDDED} or {OFFLINE}"
        )
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
        taken=TakenParameters.said(settings.parameters or ""),
    )


def decoding_parameters(host: str, model: str) -> Mapping[str, Any]:
    """As repeatable as the endpoint allows, and bounded."""
    bound = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
    return {bound: MAX_TOKENS, **({} if is_reasoning(model) else {"temperature": 0})}


def is_reasoning(model: str) -> bool:
    """Whether a model is of a family that thinks to itself before it answers."""
    return model.rsplit("/", 1)[-1].startswith(REASONING)


def address_of(base_url: str, key: str) -> Address:
    """Take a base URL and a key apart.

    Raises:
        UsageError: the key cannot be sent.
    """
    if not (key.isascii() and key.isprintable()):
        raise UsageError("OPENAI_API_KEY: has a character that no key has, and that cannot be sent; copy it again")
    parts = urlsplit(base_url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    hidden = [value for name, value in query.items() if name not in PUBLIC]
    written = [value for name, _, value in (one.partition("=") for one in parts.query.split("&")) if name not in PUBLIC]
    plain = [one for one in (key, password, *hidden, *written) if len(one) >= SHORTEST_SECRET]
    escaped = [
        form for one in plain for form in (json.dumps(one, ensure_ascii=False)[1:-1], one.replace("/", "\\/"))
    ]  # as a server's JSON may write them
    secrets = dict.fromkeys(one.encode() for one in (*plain, *escaped))
    credentials = (user, password) if user or password else None
    return Address(without_secrets(base_url).rstrip("/"), key, query, credentials, tuple(secrets))


def _host(url: str) -> str:
    """The host that a URL names. One that cannot be read is not shown: it may hold a password."""
    try:
        parts = urlsplit(url)
        sound = url.isprintable() and " " not in url and parts.port != 0  # asking for a port that is none raises
    except ValueError:
        sound = False
    if not sound:
        raise UsageError("OPENAI_BASE_URL: not a URL; write it like https://host/v1")
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise UsageError(f"OPENAI_BASE_URL {without_secrets(url)!r}: not a URL; write it like https://host/v1")
    return parts.hostname
