"""Endpoints: where a model answers, and with which mode and parameters."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from mahdar.errors import UsageError
from mahdar.limits.prices import FREE, Price, find_price
from mahdar.llm.parameters import NOTHING_KNOWN, AcceptedParameters
from mahdar.settings import EMBEDDED, OFFLINE, Settings, without_secrets

MODES: Final = ("json_schema", "json", "tools", "md_json")
"""instructor's modes that work through chat completions, most constrained first."""

MODE_BY_HOST: Final = {"api.deepseek.com": "json", "api.anthropic.com": "tools"}
"""Hosts that cannot constrain decoding by a JSON Schema; all others, vLLM and Ollama included, can."""

OPENAI: Final = "https://api.openai.com/v1"
REASONING_PREFIXES: Final = ("o1", "o3", "o4", "gpt-5")
"""Model families that reason before they answer, and refuse a temperature."""

MAX_TOKENS: Final = 16_000
"""Tokens of one answer, at most: a bound against endless repetition, above what an article of fifty stances needs. Some
endpoints refuse more."""
PASSAGE_TOKENS: Final = 16_000
"""Estimated tokens of an article in one request; a longer article is split into passages. Models of today read eight
times as much, and find less in it."""

MIN_SECRET_LENGTH: Final = 8
"""Characters; a shorter key is a placeholder such as `none`, and is not masked."""
PUBLIC_QUERY: Final = frozenset({"api-version"})
"""Query parameters that are no secret: Azure's API version is a date, which an article may mention too."""

EMBEDDED_PASSAGE_TOKENS: Final = 2_500
"""`PASSAGE_TOKENS` of the embedded model, which answers worse to longer ones."""
EMBEDDED_MAX_TOKENS: Final = 600
"""`MAX_TOKENS` of the embedded model: half a minute on two idle cores."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, and how to call it.

    Attributes:
        base_url: up to and including `/v1`; empty for the embedded model.
        mode: how the schema is sent: one of `MODES`.
        passage: estimated tokens of an article in one request, at most.
        parameters: decoding parameters.
        accepted: which of them the endpoint accepts, by `MAHDAR_PARAMETERS`; the rest is learnt from its refusals.
        embedded: whether it is the embedded model, which is started at the first call.
        cache: folder of the embedded model's weights.
    """

    base_url: str = field(repr=False)
    api_key: str = field(repr=False)
    model: str
    mode: str = "json_schema"
    passage: int = PASSAGE_TOKENS
    parameters: Mapping[str, Any] = field(default_factory=dict)
    accepted: AcceptedParameters = NOTHING_KNOWN
    embedded: bool = False
    cache: Path | None = None

    @property
    def reasons(self) -> bool:
        """Whether its model reasons before it answers."""
        return is_reasoning(self.model)

    def find_price(self) -> Price | None:
        """Return the model's price by the price tables; None where they lack it. The embedded model is free."""
        return FREE if self.embedded else find_price(self.model, self.base_url)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r}: not known; use one of {', '.join(MODES)} (MAHDAR_MODE)")


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL and a key, split into what may be shown and what is secret.

    Attributes:
        url: without credentials and query.
        key: sent as a bearer token.
        query: sent with every request.
        credentials: user and password for HTTP basic authentication; None where the URL has none.
        secrets: what must not be shown, in every form in which a response may repeat it.
    """

    url: str
    key: str = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    credentials: tuple[str, str] | None = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)


def endpoint_of(settings: Settings) -> Endpoint:
    """Return the endpoint of the settings: the llama.cpp engine on this machine, or a remote one."""
    return embedded_endpoint(settings) if settings.embedded else remote_endpoint(settings)


def embedded_endpoint(settings: Settings) -> Endpoint:
    """Return the endpoint of the embedded model without starting it: answers from the cache need no server."""
    from mahdar.llm.local.weights import model_name

    model = model_name(settings.cache / "models")
    return Endpoint(
        base_url="",
        api_key="",
        model=model,
        mode=settings.mode or "json_schema",
        passage=EMBEDDED_PASSAGE_TOKENS,
        parameters={"max_tokens": EMBEDDED_MAX_TOKENS, "temperature": 0, "seed": 0},
        embedded=True,
        cache=settings.cache,
    )


def remote_endpoint(settings: Settings) -> Endpoint:
    """Return the endpoint that the settings name.

    Raises:
        UsageError: no model is named, no endpoint is configured, or the URL is invalid.
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
        accepted=AcceptedParameters.parse(settings.parameters or ""),
    )


def decoding_parameters(host: str, model: str) -> Mapping[str, Any]:
    """Return decoding parameters that bound the answer and make it as repeatable as the endpoint allows."""
    bound = "max_completion_tokens" if host == "api.openai.com" else "max_tokens"
    return {bound: MAX_TOKENS, **({} if is_reasoning(model) else {"temperature": 0})}


def is_reasoning(model: str) -> bool:
    """Whether a model is of a family that reasons before it answers."""
    return model.rsplit("/", 1)[-1].startswith(REASONING_PREFIXES)


def address_of(base_url: str, key: str) -> Address:
    """Split a base URL and a key into what may be shown and what is secret.

    Raises:
        UsageError: the key has a character that cannot be sent.
    """
    if not (key.isascii() and key.isprintable()):
        raise UsageError("OPENAI_API_KEY: has a character that no key has, and that cannot be sent; copy it again")
    parts = urlsplit(base_url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    hidden = [value for name, value in query.items() if name not in PUBLIC_QUERY]
    escaped = (one.partition("=") for one in parts.query.split("&"))
    hidden += [value for name, _, value in escaped if name not in PUBLIC_QUERY]
    plain = [one for one in (key, password, *hidden) if len(one) >= MIN_SECRET_LENGTH]
    in_json = [form for one in plain for form in (json.dumps(one, ensure_ascii=False)[1:-1], one.replace("/", "\\/"))]
    secrets = dict.fromkeys(one.encode() for one in (*plain, *in_json))
    credentials = (user, password) if user or password else None
    return Address(without_secrets(base_url).rstrip("/"), key, query, credentials, tuple(secrets))


def _host(url: str) -> str:
    """Return the host of a URL. An error does not show a URL that cannot be parsed: it may hold a password."""
    try:
        parts = urlsplit(url)
        valid = url.isprintable() and " " not in url and parts.port != 0  # an invalid port raises
    except ValueError:
        valid = False
    if not valid:
        raise UsageError("OPENAI_BASE_URL: not a URL; write it like https://host/v1")
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise UsageError(f"OPENAI_BASE_URL {without_secrets(url)!r}: not a URL; write it like https://host/v1")
    return parts.hostname
