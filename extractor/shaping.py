"""The shape of a request: as its mode wants it, in the form that instructor gives it.

A response format, a tool, or instructions in words. The first two stand beside the messages, are the same for every
article of a task, and are made once.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from extractor.request import Message, Request
from schemas.tasks import TaskSchema

if TYPE_CHECKING:
    from pydantic import BaseModel

Handler = Callable[[list[Message]], dict[str, Any]]


class Shaper:
    """Turns requests into bodies."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._beside: dict[tuple[str, str], str | None] = {}

    def body(self, request: Request) -> bytes:
        """What is sent, as JSON in UTF-8."""
        kind = request.mode, request.schema.sha256
        if kind not in self._beside:
            self._learn(kind, request)
        beside, messages = self._beside[kind], list(request.messages)
        if beside is None:
            shaped = self._handlers[kind](messages)
            messages, beside = shaped.pop("messages"), _json(shaped)
        settings = _json({"model": request.model, **request.parameters})
        parts = (settings[:-1], f'"messages": {_json(messages)}', *filter(None, [beside[1:-1]]))
        return f"{', '.join(parts)}}}".encode("utf-8", "replace")

    def _learn(self, kind: tuple[str, str], request: Request) -> None:
        """Whether a mode leaves the messages as they are, and what it puts beside them."""
        handler = self._handlers[kind] = _handler(request.mode, request.schema)
        shaped = handler(list(request.messages))
        unchanged = shaped.pop("messages") == list(request.messages)
        self._beside[kind] = _json(shaped) if unchanged else None


def _handler(mode: str, schema: TaskSchema) -> Handler:
    from instructor.mode import Mode
    from instructor.v2.core.providers import Provider
    from instructor.v2.core.registry import mode_registry

    handlers, form = mode_registry.get_handlers(Provider.OPENAI, Mode[mode.upper()]), _form(schema)

    def shaped(messages: list[Message]) -> dict[str, Any]:
        _, made = handlers.request_handler(form, {"messages": [dict(message) for message in messages]})
        if "json_schema" in made.get("response_format", {}):
            made["response_format"]["json_schema"] |= {"strict": True, "schema": schema.json_schema}
        return made

    return shaped


def _form(schema: TaskSchema) -> "type[BaseModel]":
    """What instructor is told of a schema: a class of its name that is only asked for its JSON Schema."""
    from instructor.v2.core.function_calls import ResponseSchema

    name = schema.drafts.__name__
    described: Mapping[str, Any] = {"title": name, **schema.json_schema}
    asked = classmethod(lambda cls, **_: dict(described))  # noqa: ARG005  # pydantic's signature
    return type(name, (ResponseSchema,), {"model_json_schema": asked, "__module__": __name__})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
