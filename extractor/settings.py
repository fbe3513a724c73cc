"""Read the settings from environment variables: endpoint, model, cache."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

OFFLINE: Final = "offline"
"""Model name of the rule reader."""
EMBEDDED: Final = "embedded"
"""Model name of the llama.cpp engine on this machine."""
DEFAULT_TIMEOUT: Final = 300.0
"""Seconds for one answer."""


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of answers, weights and run-time files: `MAHDAR_CACHE_DIR`, else the user's cache folder."""
    if chosen := environment.get("MAHDAR_CACHE_DIR"):
        return Path(chosen).expanduser()
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mahdar"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the environment.

    Attributes:
        base_url: the endpoint's URL; not shown in `repr`, since it may contain a password.
        api_key: the endpoint's key; not shown.
        model: a model of the endpoint, `embedded` or `offline`; None without an endpoint is `offline`.
        mode: instructor's mode; None for the endpoint's default.
        parameters: the endpoint's deviating parameters, in the form of `MAHDAR_PARAMETERS`; None to learn them.
        cache: the folder of answers and weights.
        timeout: seconds for one answer.
        store: the URL of a cache server, used instead of the folder; not shown, since it may contain a password.
    """

    base_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    mode: str | None = None
    parameters: str | None = None
    cache: Path = field(default_factory=cache_dir)
    timeout: float = DEFAULT_TIMEOUT
    store: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the variables `OPENAI_…` and `MAHDAR_…`."""
        return cls(
            base_url=environment.get("OPENAI_BASE_URL") or None,
            api_key=environment.get("OPENAI_API_KEY") or None,
            model=environment.get("MAHDAR_MODEL") or None,
            mode=environment.get("MAHDAR_MODE") or None,
            parameters=environment.get("MAHDAR_PARAMETERS") or None,
            cache=cache_dir(environment),
            store=environment.get("MAHDAR_STORE") or None,
        )

    def with_model(self, model: str | None) -> "Settings":
        """Return the settings with a model in place of their own; the same settings if it is None or empty."""
        return replace(self, model=model) if model else self

    @property
    def configured(self) -> bool:
        """Whether an endpoint, a key or a model is set."""
        return any((self.base_url, self.api_key, self.model))

    @property
    def offline(self) -> bool:
        """Whether the rule reader drafts: by name, or because nothing is configured."""
        return self.model == OFFLINE or not self.configured

    @property
    def embedded(self) -> bool:
        """Whether the llama.cpp engine on this machine drafts."""
        return self.model == EMBEDDED


def without_secrets(url: str) -> str:
    """Remove user, password, query and fragment from a URL."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
