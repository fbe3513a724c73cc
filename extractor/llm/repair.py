"""What code can mend in an answer without changing what it says.

Fences and prose around the JSON, trailing commas, a byte order mark, digits of another script where a number is asked
for, a cut end.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from string import ascii_letters
from typing import Any

from pydantic_core import from_json

MARGIN = "\ufeff \t\r\n"
FENCE = "```"
_SEPARATORS = {"٬": "", "٫": "."}
"""Of thousands and of decimals, in Arabic numbers."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

# `strict=False`: models break lines inside a string. What is no number in JSON (`NaN`) is unknown, which is null.
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)


def parse(text: str, name: str) -> Any:
    """The JSON value in an answer: all of it, or the last object in it that has the property `name`.

    A smaller part is never taken for the whole: of a broken object, the last list inside it can be read as well.

    Raises:
        ValueError: there is none.
    """
    for mend in (str, without_trailing_commas):
        candidate = mend(text)
        for read in (parse_whole, _read_last):
            try:
                value = read(candidate)
            except (ValueError, RecursionError):
                continue
            if read is parse_whole or (isinstance(value, dict) and name in value):
                return value
    raise ValueError(f"no JSON object with the list {name!r}")


def parse_whole(text: str) -> Any:
    """The JSON value that an answer is, but for a fence around it.

    Raises:
        ValueError: it is more than that, or less.
    """
    value = _DECODER.decode(_unfenced(text.strip(MARGIN)))
    return _whole_characters(value) if _ESCAPED_SURROGATE.search(text) else value


def parse_cut(text: str) -> Any:
    """The JSON value of an answer that stops in the middle; what was not finished is left out.

    Raises:
        ValueError: not even a beginning of JSON.
    """
    opening = re.search(r"[{\[]", text)
    if opening is None:
        raise ValueError("no beginning of JSON")
    return from_json(without_trailing_commas(text[opening.start() :]), allow_partial=True)


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


def with_plain_numbers(value: Any, places: Iterable[Sequence[str | int]]) -> Any:
    """The value with `"٥"` and `"١٬٢٠٠"` written as `"5"` and `"1200"` in these places, and nowhere else."""
    mended = json.loads(json.dumps(value, ensure_ascii=False))
    for *way, last in places:
        try:
            holder = mended
            for step in way:
                holder = holder[step]
            holder[last] = _plain_number(holder[last])
        except (LookupError, TypeError):
            continue
    return mended


def _plain_number(said: str) -> str:
    return "".join(_SEPARATORS.get(char, str(unicodedata.decimal(char, char))) for char in said)


def _read_last(text: str) -> Any:
    """The last complete value, by instructor's reader: what a model quotes from its input comes before its answer."""
    from instructor.v2.core.json import extract_json_from_codeblock

    return parse_whole(extract_json_from_codeblock(text.strip(MARGIN)))


def _unfenced(text: str) -> str:
    """The text between two fences, without the name of its language."""
    if not (text.startswith(FENCE) and text.endswith(FENCE) and len(text) > 2 * len(FENCE)):
        return text
    return text[len(FENCE) : -len(FENCE)].lstrip(ascii_letters).strip()


def _whole_characters(value: Any) -> Any:
    """The value with halves of surrogate pairs, which no file can hold, replaced by U+FFFD."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _drop_comma(kept: list[str]) -> None:
    last = len(kept) - 1
    while last >= 0 and kept[last].isspace():
        last -= 1
    if last >= 0 and kept[last] == ",":
        del kept[last]
