"""A request: all that decides an answer, and the fingerprint that names it.

Keys, URLs, time and process never enter; the same question has the same fingerprint on every machine.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from mahdar.schemas.tasks import AnswerSchema

Message = Mapping[str, str]

REMEMBERED: Final = 64
"""Hashes of turns, at most."""


@dataclass(frozen=True)
class Request:
    """One question to a model, for one task or several.

    Attributes:
        messages: instructions, examples, and last the article.
        answer: the schema of what is asked for.
        parameters: of decoding, as the endpoint names them.
        sentences: the numbers of those that it shows; no part of the fingerprint, since the messages hold them.
    """

    tasks: tuple[str, ...]
    model: str
    mode: str
    messages: tuple[Message, ...]
    answer: AnswerSchema
    parameters: Mapping[str, Any]
    prompt_sha256: str
    article_sha256: str
    sentences: range

    @cached_property
    def components(self) -> Mapping[str, str]:
        """What the fingerprint is made of, part by part, so that a miss can say which part changed."""
        return {
            "task": "+".join(self.tasks),
            "model": self.model,
            "mode": self.mode,
            "schema": self.answer.sha256,
            "parameters": json.dumps(self.parameters, ensure_ascii=False, sort_keys=True),
            "prompt": self.prompt_sha256,
            "article": self.article_sha256,
            "messages": sha256("".join(_turn_sha256(turn["role"], turn["content"]) for turn in self.messages)),
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the components."""
        return sha256(json.dumps(self.components, ensure_ascii=False, sort_keys=True))


def reask_fingerprint(first: str, answers: Sequence[str], problems: Sequence[tuple[str, str]]) -> str:
    """The fingerprint of a re-ask.

    It holds the first request's, the raw answers so far, and the problems of the last by path and code; never their
    wording, so that a better sentence, or another version of pydantic, does not orphan what is stored.
    """
    return sha256(json.dumps([first, list(answers), [list(one) for one in problems]], ensure_ascii=False))


@lru_cache(maxsize=REMEMBERED)
def _turn_sha256(role: str, content: str) -> str:
    """Remembered: all turns but the last are the same for every article of a task."""
    return sha256(f"{role}\n{content}")


def sha256(text: str) -> str:
    """The hash that names a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
