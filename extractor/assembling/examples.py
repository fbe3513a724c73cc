"""Examples: whether a prompt renders, and whether its few-shot examples obey the rules that they teach.

An example goes through the same reading and grounding as a model's answer, and is held to more: a quote must be spelt
as in its article, and every field must be there, in the schema's order, because a model copies what it is shown.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from extractor.assembling.assembly import Assembly
from extractor.grounding.source import Source
from extractor.llm.request import template_values
from extractor.llm.validation import read_drafts
from prompts import SMALL, Example, Prompt, TemplateError
from schemas.drafts import ItemDraft
from schemas.tasks import TaskSchema

Schema = Mapping[str, Any]


def problems(prompt: Prompt, schema: TaskSchema) -> list[str]:
    """What is wrong with a prompt, a line each: the file, the place, the reason. Empty if it holds.

    Of a prompt of closed questions only the rendering is checked: its answers are choices, and quote nothing.
    """
    try:
        prompt.messages(_blank(prompt), template_values(schema))
    except TemplateError as error:
        return [str(error)]
    if prompt.profile == SMALL:
        return []
    folder = prompt.path.parent
    return [
        f"{folder / example.name}.json: {problem}"
        for example in prompt.examples
        for problem in _of_example(example, schema)
    ]


def _blank(prompt: Prompt) -> Mapping[str, str]:
    """Something for each part of an article that the template is given."""
    return dict.fromkeys(prompt.parts, "خبر")


def _of_example(example: Example, schema: TaskSchema) -> Iterator[str]:
    yield from _misshapen(example.answer, schema.json_schema, schema.json_schema.get("$defs", {}), "$")
    read = read_drafts(json.dumps(example.answer, ensure_ascii=False), schema)
    yield from map(str, read.problems)
    source = Source(example.article)
    assembly = Assembly(schema, source)
    for path, draft in read.drafts:
        assert isinstance(draft, ItemDraft)
        assembly.add(path, draft)
        yield from _respelt(draft.evidence, source, path)
    yield from (f"{one.path}: {one.reason}" for one in assembly.rejected)


def _respelt(quotes: tuple[str, ...], source: Source, path: str) -> Iterator[str]:
    """Quotes that are evidence, but not letter by letter."""
    for number, quote in enumerate(quotes):
        span = source.find_quote(quote)
        if span is not None and source.text[span.start : span.end] != quote:
            found = source.text[span.start : span.end]
            yield f"{path}.evidence[{number}]: not letter by letter; the example's article has {found!r}"


def _misshapen(value: Any, schema: Schema, defs: Schema, path: str) -> Iterator[str]:
    """Objects whose fields are not exactly the schema's, in its order."""
    schema = _resolved(schema, defs)
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _misshapen(one, schema.get("items", {}), defs, f"{path}[{number}]")
    elif isinstance(value, dict):
        fields: Schema = schema.get("properties", {})
        if list(value) != list(fields):
            yield f"{path}: has {', '.join(value)}; the schema has, in this order, {', '.join(fields)}"
        for name in fields.keys() & value.keys():
            yield from _misshapen(value[name], fields[name], defs, f"{path}.{name}")


def _resolved(schema: Schema, defs: Schema) -> Schema:
    """The schema behind references and alternatives with null."""
    if "$ref" in schema:
        return _resolved(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
    options = (option for option in schema.get("anyOf", ()) if option.get("type") != "null")
    inner = next(options, None)
    return schema if inner is None else _resolved(inner, defs)
