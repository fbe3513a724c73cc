"""What code can mend in an answer without changing what it says: fences, prose around, trailing commas, a cut end."""

import json
from typing import Any

from pydantic_core import from_json


def parse(text: str) -> Any:
    """The JSON value in an answer.

    Prose and code fences around it are dropped (by instructor's reader, which takes the last complete value: what a
    model quotes from its input comes first). Digits of any script and numbers in quotes are left to the schema.

    Raises:
        ValueError: there is none.
    """
    from instructor.v2.core.json import extract_json_from_codeblock

    for candidate in (text, without_trailing_commas(text)):
        try:
            return json.loads(extract_json_from_codeblock(candidate.strip("\ufeff \n\t")), strict=False)
        except ValueError:
            continue
    raise ValueError(_complaint(text))


def parse_cut(text: str) -> Any:
    """The JSON value of an answer that stops in the middle; what was not finished is left out.

    Raises:
        ValueError: not even a beginning of JSON.
    """
    start = text.find("{")
    if start < 0:
        raise ValueError(_complaint(text))
    return from_json(without_trailing_commas(text[start:]), allow_partial=True)


def without_trailing_commas(text: str) -> str:
    """The text less every comma that, outside a string, stands before a closing bracket."""
    kept: list[str] = []
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char in "}]":
            _drop_comma(kept)
        else:
            quoted = char == '"'
        kept.append(char)
    return "".join(kept)


def _drop_comma(kept: list[str]) -> None:
    last = len(kept) - 1
    while last >= 0 and kept[last].isspace():
        last -= 1
    if last >= 0 and kept[last] == ",":
        del kept[last]


def _complaint(text: str) -> str:
    start = text.strip()[:40]
    return f"$: no JSON, begins with {start!r}" if start else "$: the answer is empty"
