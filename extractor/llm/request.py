"""A request: all that decides an answer, and the fingerprint that names it.

Keys, URLs, time and process never enter; the same question has the same fingerprint on every machine.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from prompts import ARTICLE, Prompt
from schemas.outline import outline
from schemas.tasks import TaskSchema

Message = Mapping[str, str]

REMEMBERED = 64
"""Outlines, and hashes of turns, at most: those of closed questions never come again."""


@dataclass(frozen=True)
class Request:
    """One question to a model."""

    task: str
    model: str
    mode: str
    messages: tuple[Message, ...]
    schema: TaskSchema
    parameters: Mapping[str, Any]
    prompt_sha256: str
    article_sha256: str

    @cached_property
    def components(self) -> Mapping[str, str]:
        """What the fingerprint is made of, part by part, so that a miss can say which part changed."""
        return {
            "task": self.task,
            "model": self.model,
            "mode": self.mode,
            "schema": self.schema.sha256,
            "parameters": json.dumps(self.parameters, ensure_ascii=False, sort_keys=True),
            "prompt": self.prompt_sha256,
            "article": self.article_sha256,
            "messages": _sha256("".join(_turn_sha256(turn["role"], turn["content"]) for turn in self.messages)),
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the components."""
        return _sha256(json.dumps(self.components, ensure_ascii=False, sort_keys=True))

    def followed_by(self, *messages: Message) -> "Request":
        """The same request with further turns: a re-ask."""
        return replace(self, messages=self.messages + messages)


def build_request(
    prompt: Prompt,
    schema: TaskSchema,
    data: Mapping[str, str],
    *,
    model: str,
    mode: str,
    parameters: Mapping[str, Any],
) -> Request:
    """The request that asks one task of one article, or of the part of it in `data`.

    Raises:
        prompts.TemplateError: the template does not render.
    """
    return Request(
        task=prompt.task,
        model=model,
        mode=mode,
        messages=prompt.messages(data, template_values(schema)),
        schema=schema,
        parameters=parameters,
        prompt_sha256=prompt.sha256,
        article_sha256=_sha256(data[ARTICLE] if data.keys() == {ARTICLE} else json.dumps(data, ensure_ascii=False)),
    )


def template_values(schema: TaskSchema) -> Mapping[str, Any]:
    """The names a template may use, beside those of the article's parts."""
    known = _OUTLINES.get(schema.sha256)  # in one step: another thread may clear them
    if known is None:
        if len(_OUTLINES) >= REMEMBERED:
            _OUTLINES.clear()
        known = _OUTLINES[schema.sha256] = outline(schema.json_schema)
    return {"fields": known}


_OUTLINES: dict[str, str] = {}
"""By the schema's hash: the same for every article."""


@lru_cache(maxsize=REMEMBERED)
def _turn_sha256(role: str, content: str) -> str:
    """Remembered: all turns but the last are the same for every article of a task."""
    return _sha256(f"{role}\n{content}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
