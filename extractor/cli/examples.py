"""Check that a prompt renders, and that its few-shot examples obey the rules that they teach.

An example passes through the same validation and assembly as a model's answer, under stricter conditions: it must have
every field, in the schema's order, and nothing may be rejected, because a model copies what it is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from mahdar.assembling.assembly import Assembly
from mahdar.drafting import items_of
from mahdar.llm.plan import answer_to, first_turns
from mahdar.prompts import Example, Prompt, TemplateError
from mahdar.schemas.tasks import AnswerSchema, UnknownTaskError
from mahdar.validation.answers import problems_of, validate
from mahdar.validation.source import Source

Schema = Mapping[str, Any]

_BLANK: Final = Example("blank", "خبر", {})
"""Appended to the prompt's own examples, so that the turn of an example is rendered even if there is none."""


def problems(prompt: Prompt) -> list[str]:
    """Return the problems of a prompt, one line each with file, place and reason; an empty list if there are none."""
    try:
        schema = answer_to(prompt, prompt.tasks)
        shown = replace(prompt, examples=(*prompt.examples, _BLANK))
        for tasks in {prompt.tasks, *((task,) for task in prompt.tasks)}:
            first_turns(shown, tasks)
    except TemplateError as error:
        return [str(error)]
    except UnknownTaskError as error:
        return [f"{prompt.path}: {error}"]
    folder = prompt.path.parent
    return [
        f"{folder / example.name}.json: {problem}"
        for example in prompt.examples
        for problem in _of_example(example, schema)
    ]


def _of_example(example: Example, schema: AnswerSchema) -> Iterator[str]:
    yield from _misshapen(example.answer, schema.json_schema, schema.json_schema.get("$defs", {}), "$")
    source = Source(example.article)
    try:
        answer = validate(example.answer, schema, source)
    except ValidationError as error:
        yield from map(str, problems_of(error, example.answer, schema))
        return
    items = items_of(answer, schema)
    for task in schema.tasks:
        assembly = Assembly(task, source)
        for item in items[task.task]:
            assembly.add(item)
        yield from (f"{item.path}: {item.reason}" for item in assembly.rejected)


def _misshapen(value: Any, schema: Schema, defs: Schema, path: str) -> Iterator[str]:
    """Yield a problem for each object whose fields are not exactly the schema's, in its order."""
    schema = _resolved(schema, defs)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _misshapen(item, schema.get("items", {}), defs, f"{path}[{number}]")
    elif isinstance(value, dict):
        fields: Schema = schema.get("properties", {})
        if list(value) != list(fields):
            yield f"{path}: has {', '.join(value)}; the schema has, in this order, {', '.join(fields)}"
        for name in fields.keys() & value.keys():
            yield from _misshapen(value[name], fields[name], defs, f"{path}.{name}")


def _resolved(schema: Schema, defs: Schema) -> Schema:
    """Resolve references, and alternatives with null, to the schema behind them."""
    if "$ref" in schema:
        return _resolved(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
    options = (option for option in schema.get("anyOf", ()) if option.get("type") != "null")
    inner = next(options, None)
    return schema if inner is None else _resolved(inner, defs)
