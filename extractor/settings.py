"""What the environment says: who drafts, which endpoint and model, where the cache lies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

OFFLINE: Final = "offline"
"""As a model's name: the rule reader."""
EMBEDDED: Final = "embedded"
"""As a model's name: the llama.cpp engine on this machine."""
DEFAULT_TIMEOUT: Final = 300.0
"""Seconds for one answer."""


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where answers, weights and run-time files are kept: `MAHDAR_CACHE_DIR`, else the user's cache folder."""
    if chosen := environment.get("MAHDAR_CACHE_DIR"):
        return Path(chosen).expanduser()
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mahdar"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides, read once.

    Attributes:
        base_url: of an endpoint; not shown, since it may hold a password.
        api_key: of an endpoint; not shown.
        model: a model of the endpoint, `embedded` or `offline`; None with no endpoint is `offline`.
        mode: of instructor; None for the endpoint's own.
        parameters: that the endpoint takes in place of ours, as `MAHDAR_PARAMETERS` says them; None to learn them.
        cache: the folder of answers and weights.
        timeout: seconds for one answer.
        store: a cache server's URL, in place of the folder; not shown, since it may hold a password.
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
        """What the variables `OPENAI_…` and `MAHDAR_…` say."""
        return cls(
            base_url=environment.get("OPENAI_BASE_URL") or None,
            api_key=environment.get("OPENAI_API_KEY") or None,
            model=environment.get("MAHDAR_MODEL") or None,
            mode=environment.get("MAHDAR_MODE") or None,
            parameters=environment.get("MAHDAR_PARAMETERS") or None,
            cache=cache_dir(environment),
            store=environment.get("MAHDAR_STORE") or None,
        )

    @property
    def configured(self) -> bool:
        """Whether anything says who drafts."""
        return any((self.base_url, self.api_key, self.model))

    @property
    def offline(self) -> bool:
        """Whether the rule reader drafts: asked for by name, or nothing is configured."""
        return self.model == OFFLINE or not self.configured

    @property
    def embedded(self) -> bool:
        """Whether the engine on this machine is asked."""
        return self.model == EMBEDDED


def without_secrets(url: str) -> str:
    """A URL less the password and the query that it may carry."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
