"""What the environment says: which endpoint, which model, where the store lies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import UsageError

SMALL, STANDARD = PROFILES = ("small", "standard")
"""How a model is asked: in closed questions about single sentences, or in one question about the article."""
DEFAULT_TIMEOUT = 300.0
"""Seconds for one answer: the embedded model takes up to a minute for a long article on two cores."""


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where answers, weights and run-time files are kept: `MAHDAR_CACHE_DIR`, else the user's cache folder."""
    if chosen := environment.get("MAHDAR_CACHE_DIR"):
        return Path(chosen).expanduser()
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mahdar"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides, read once.

    `base_url` None and `api_key` None mean the embedded model.
    """

    base_url: str | None = field(default=None, repr=False)
    """not shown: it may hold a password"""
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    mode: str | None = None
    profile: str = ""
    """`small` or `standard`; by default small for the embedded model"""
    cache: Path = field(default_factory=cache_dir)
    timeout: float = DEFAULT_TIMEOUT
    store: str | None = field(default=None, repr=False)
    """a server's URL, in place of the cache folder; not shown: it may hold a password"""

    def __post_init__(self) -> None:
        chosen = self.profile or (SMALL if self.embedded else STANDARD)
        if chosen not in PROFILES:
            raise UsageError(f"profile {chosen!r}: not known; use one of {', '.join(PROFILES)} (MAHDAR_PROFILE)")
        object.__setattr__(self, "profile", chosen)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """What the variables `OPENAI_…` and `MAHDAR_…` say."""
        return cls(
            base_url=environment.get("OPENAI_BASE_URL") or None,
            api_key=environment.get("OPENAI_API_KEY") or None,
            model=environment.get("MAHDAR_MODEL") or None,
            mode=environment.get("MAHDAR_MODE") or None,
            profile=environment.get("MAHDAR_PROFILE", ""),
            cache=cache_dir(environment),
            store=environment.get("MAHDAR_STORE") or None,
        )

    @property
    def embedded(self) -> bool:
        """Nothing is configured, so that the embedded model serves."""
        return self.base_url is None and self.api_key is None
