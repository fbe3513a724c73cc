"""The shape of a request: as its mode wants it, in the form that instructor gives it.

A response format, a tool, or instructions in words. The first two stand beside the messages, are the same for every
article of a task, and are made once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from extractor.llm.request import Message, Request
from schemas.tasks import TaskSchema

if TYPE_CHECKING:
    from pydantic import BaseModel

Handler = Callable[[list[Message]], dict[str, Any]]

REMEMBERED: Final = 32
"""Shapes at most: every closed question has a schema of its own, and there is no end of them."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one mode asks for one schema.

    Attributes:
        beside: what stands beside the messages, as JSON; None for a mode that says it in the messages.
    """

    handler: Handler
    beside: str | None


class Shaper:
    """Turns requests into bodies."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[str, str], _Shape] = {}

    def body(self, request: Request) -> bytes:
        """What is sent, as JSON in UTF-8."""
        shape, messages = self._shape(request), list(request.messages)
        beside = shape.beside
        if beside is None:
            made = shape.handler(messages)
            messages, beside = made.pop("messages"), _json(made)
        settings = _json({"model": request.model, **request.parameters})
        parts = (settings[1:-1], f'"messages": {_json(messages)}', beside[1:-1])
        return f"{{{', '.join(filter(None, parts))}}}".encode("utf-8", "replace")

    def _shape(self, request: Request) -> _Shape:
        kind = request.mode, request.schema.sha256
        shape = self._shapes.get(kind)  # in one step: another thread may clear them
        if shape is None:
            if len(self._shapes) >= REMEMBERED:
                self._shapes.clear()
            shape = self._shapes[kind] = _learnt(request)
        return shape


def _learnt(request: Request) -> _Shape:
    handler = _handler(request.mode, request.schema)
    made = handler(list(request.messages))
    unchanged = made.pop("messages") == list(request.messages)
    return _Shape(handler, _json(made) if unchanged else None)


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
