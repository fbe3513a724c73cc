"""Parse the JSON of an answer, within bounds, and repair what only a strict parser refuses."""

import json
import re
from string import ascii_letters
from typing import Any, Final

from mahdar.cache.completion import writable
from mahdar.results import FailureClass
from mahdar.validation.answers import Problem

MARGIN: Final = "\ufeff \t\r\n"
FENCE: Final = "```"
MAX_VALUES: Final = 20_000
"""Maximum values in an answer, objects and lists included; an answer with fifty stances has some 1,500."""
MAX_DEPTH: Final = 64
"""Maximum levels of an answer; the schemas have five."""
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""Half of a surrogate pair, literal or escaped."""
_CLOSING: Final = {"{": "}", "[": "]"}


class UnusableError(Exception):
    """An answer for which asking again is no use: a refusal, one that was cut too early, or one that is too large.

    Attributes:
        failure: the class of the failure.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure


class UnreadableError(Exception):
    """An answer without an object of the schema.

    Attributes:
        failure: the class of the failure if asking again does not help.
        problem: what is wrong, for the re-ask.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.problem = Problem((), failure, message)


class RepeatedKey(dict[str, Any]):
    """An object in which a key is repeated; the last value is kept."""


def parse(text: str) -> Any:
    """Parse a text that is one JSON value, with or without a code fence around it.

    Raises:
        ValueError: the text is not exactly one JSON value.
        UnusableError: the value has more than `MAX_VALUES` values.
        UnreadableError: the value has more than `MAX_DEPTH` levels.
    """
    bare = text.strip(MARGIN)
    if bare.startswith(FENCE) and bare.endswith(FENCE) and len(bare) > 2 * len(FENCE):
        bare = bare[len(FENCE) : -len(FENCE)].lstrip(ascii_letters).strip()  # the letters name the fence's language
    return _checked(_DECODER.decode(bare), text)


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """Parse the JSON value that begins at an index of a text; return it, and the index of its end.

    Raises:
        ValueError: no JSON value begins there.
        UnusableError: the value has more than `MAX_VALUES` values.
        UnreadableError: the value has more than `MAX_DEPTH` levels.
    """
    value, end = _DECODER.raw_decode(text, start)
    return _checked(value, text[start:end]), end


def without_trailing_commas(text: str) -> str:
    """Remove the commas before closing brackets, except in strings."""
    kept: list[str] = []
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char in "}]":
            last = len(kept) - 1
            while last >= 0 and kept[last].isspace():
                last -= 1
            if last >= 0 and kept[last] == ",":
                del kept[last]
        else:
            quoted = char == '"'
        kept.append(char)
    return "".join(kept)


def close_brackets(text: str) -> tuple[str, int]:
    """Close the brackets of a JSON value that was cut, after its last complete member.

    Returns:
        The closed text, and the number of brackets that were open.
    """
    missing: list[str] = []
    end, quoted, escaped = 0, False, False
    for at, char in enumerate(text):
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in _CLOSING:
            missing.append(_CLOSING[char])
            end = at + 1
        elif char in "}]":
            if missing.pop() != char:
                return "", 0
            end = at + 1
            if not missing:
                break
        elif char == ",":
            end = at
    return text[:end] + "".join(reversed(missing)), len(missing)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its pairs; lists under a repeated key are joined, and null beside a list is dropped."""
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = RepeatedKey()
    for name, value in pairs:
        known = repeated.pop(name, None)
        is_list = isinstance(known, list) and (value is None or isinstance(value, list))
        repeated[name] = [*known, *(value or ())] if is_list else value
    return repeated


# `strict=False` allows line breaks in strings, which models write. `NaN` and the like, which are no JSON, become null.
_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=lambda _: None, object_pairs_hook=_object)


def _checked(value: Any, text: str) -> Any:
    """Check the size of a value, and replace halves of surrogate pairs, which no file can hold, by U+FFFD.

    Args:
        value: the parsed value.
        text: what it was parsed from.

    Raises:
        UnusableError: the value has more than `MAX_VALUES` values.
        UnreadableError: the value has more than `MAX_DEPTH` levels.
    """
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        members = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for one in members for inner in one]
        count += len(level)
        if count > MAX_VALUES:
            raise UnusableError("invalid", f"the answer has more than {MAX_VALUES:,} values")
        if not level:
            return _writable(value) if _SURROGATE.search(text) else value
    raise UnreadableError("invalid", f"is nested deeper than {MAX_DEPTH} levels")


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, dict):
        return type(value)((writable(name), _writable(one)) for name, one in value.items())
    return [_writable(one) for one in value] if isinstance(value, list) else value
