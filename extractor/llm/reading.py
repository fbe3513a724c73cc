"""Reading: find the JSON in a completion, without changing what it says.

What a JSON parser refuses and a human reader does not is read: fences and prose around the JSON, trailing commas, a
byte order mark, line breaks inside a string, several tool calls, a cut end. What could be read in two ways is refused.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from string import ascii_letters
from typing import Any, Final

from mahdar.cache.completion import Completion, writable
from mahdar.results import FailureClass
from mahdar.schemas.tasks import ACTORS, AnswerSchema
from mahdar.validation.answers import Place, Problem

MARGIN: Final = "\ufeff \t\r\n"
FENCE: Final = "```"
LONGEST: Final = 1_000_000
"""Characters of an answer; no model of today writes a tenth of it for an article."""
MOST: Final = 20_000
"""Values in an answer, objects and lists included: one of fifty stances has some 1,500."""
MOST_ITEMS: Final = 1_000
"""Items of a list of records; of more, as a model in a loop writes them, the first are read. Objects in an answer."""
THINKING, THOUGHT = "<think>", "</think>"
"""The beginning and the end of a model's reasoning, where a server leaves it in the answer."""
DEEPEST: Final = 64
"""Levels of an answer: the schemas have five."""
BROKEN: Final = 64
"""Brackets that begin no JSON after which a text is not searched further: its end is parsed from each of them."""
SEARCHED: Final = 2 * LONGEST
"""Characters that are parsed in search of the beginning of a cut answer, those behind each bracket counted again."""
SEVERAL: Final = Problem((), "several", "is several JSON objects with different records; answer with one")
BESIDE_BROKEN: Final = Problem((), "unparsable", "has a part that is no JSON; answer with one JSON object")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""Half of a surrogate pair, as it is or escaped."""
_CLOSING: Final = {"{": "}", "[": "]"}
_BEGINNING: Final = re.compile(r'[{\[]\s*["{\[]')


class UnusableError(Exception):
    """An answer that asking again does not mend: a refusal, one that was cut too early, or one that is too large.

    Attributes:
        failure: the class of the failure.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure


class UnreadableError(Exception):
    """An answer without an object of the schema asked for.

    Attributes:
        failure: the class of the failure, should asking again not help.
        problem: what is wrong, for the re-ask.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.problem = Problem((), failure, message)


@dataclass(frozen=True, slots=True)
class Reading:
    """The JSON of an answer, before it is validated.

    Attributes:
        value: an object with at least one list of the answer's schema.
        lost: what was cut off.
        ambiguous: what is asked again although the value may be valid: a key that stands twice, several objects with
            different records, a part that cannot be read, records under a name that is not in the schema.
    """

    value: dict[str, Any]
    lost: tuple[Problem, ...] = ()
    ambiguous: tuple[Problem, ...] = ()

    def unambiguous(self, answer: AnswerSchema) -> dict[str, Any]:
        """Return the value with all lists of the schema, and null for every member in which a key stands twice."""
        kept: dict[Any, Any] = {name: list(one) if isinstance(one, list) else one for name, one in self.value.items()}
        for problem in self.ambiguous:
            match problem.place:
                case (name, int(index), *_):
                    kept[name][index] = None
                case (name, *_):
                    kept[name] = []
        return _with_all_lists(kept, answer)


class _Twice(dict[str, Any]):
    """An object in which a key stands twice; the last value is kept."""


def read_completion(completion: Completion, answer: AnswerSchema) -> Reading:
    """Read the answer in a completion: its text, or the arguments of all calls of the function asked for.

    Raises:
        UnusableError: it is a refusal, was cut before one record was complete, or is larger than an answer can be.
        UnreadableError: it holds no object of the schema asked for.
    """
    if (refused := completion.refused) is not None:
        raise UnusableError("refused", refused)
    name = answer.model.__name__  # some models write "functions.Records"
    named = [call.arguments for call in completion.tool_calls if call.name.rpartition(".")[2] == name]
    calls = named or [call.arguments for call in completion.tool_calls]
    texts = calls or [completion.text]
    if (length := sum(len(text.strip()) for text in texts)) > LONGEST:
        raise UnusableError("invalid", f"the answer has {length:,} characters; it may have {LONGEST:,}")
    lost: tuple[Problem, ...] = ()
    ambiguous: tuple[Problem, ...] = ()
    if completion.is_cut:
        value, lost = _read_cut(texts, answer, f"the answer was cut after {completion.tokens_out} tokens")
    elif calls:
        value, ambiguous = _read_calls(calls, answer, beside=completion.text.rpartition(THOUGHT)[2])
    else:
        value, ambiguous = read(completion.text, answer)
    empty = not all(value.get(task.field) for task in answer.tasks)  # its records may be in a list of another name
    for field, items in value.items():
        if isinstance(items, list) and len(items) > MOST_ITEMS:
            said = f"takes {MOST_ITEMS:,} items at most, got {len(items):,}"
            value, lost = {**value, field: items[:MOST_ITEMS]}, (*lost, Problem((field, MOST_ITEMS), "too_long", said))
        elif empty and field not in answer.model.model_fields and _is_records(items):
            ambiguous += (Problem((), "unknown", "has records in a list that is not asked for", items),)
    return Reading(value, lost, (*ambiguous, *_ambiguous(value, ())))


def read(text: str, answer: AnswerSchema) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read the object in a text: all of it, or what stands between other words, behind the model's reasoning if any.

    The lists of several objects are joined. A smaller part is never taken for the whole.

    Returns:
        The object, and what is to be asked again: objects with different records, or beside one that is no JSON.

    Raises:
        UnreadableError: there is none, or there are several that contradict each other.
    """
    if not text.strip(MARGIN):
        raise UnreadableError("unparsable", "the answer is empty")
    for part in dict.fromkeys((text.rpartition(THOUGHT)[2], text)):
        found: list[dict[str, Any]] = []
        for mend in (str, without_trailing_commas):
            candidate = mend(part)
            try:
                value = parse(candidate)
            except (ValueError, RecursionError):
                pass
            else:
                return _with_lists(value, answer), ()
            objects, is_whole = _objects(candidate, answer)
            found = max(found, objects, key=len)
            if objects and is_whole:
                return _one_of(objects, answer)
        if found:
            value, problems = _one_of(found, answer)
            return value, (*problems, BESIDE_BROKEN)
    raise UnreadableError("unparsable", f"no JSON object with {_named(answer)}")


def parse(text: str) -> Any:
    """Parse a text that is one JSON value, with or without a fence around it.

    Raises:
        ValueError: it is more than that, or less.
        UnusableError: it has more values than an answer can have.
        UnreadableError: it is nested too deep.
    """
    bare = text.strip(MARGIN)
    if bare.startswith(FENCE) and bare.endswith(FENCE) and len(bare) > 2 * len(FENCE):
        bare = bare[len(FENCE) : -len(FENCE)].lstrip(ascii_letters).strip()  # the letters name the fence's language
    return _checked(_DECODER.decode(bare), text)


def without_trailing_commas(text: str) -> str:
    """Remove every comma that, outside a string, stands before a closing bracket."""
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


def _read_calls(
    texts: Sequence[str], answer: AnswerSchema, *, beside: str = ""
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read and join the objects of several tool calls.

    Args:
        texts: the arguments of the calls.
        answer: the schema.
        beside: the text of the message, in which some models repeat or complete their calls.

    Returns:
        The object, and a problem where one of the calls cannot be read.

    Raises:
        UnreadableError: none can be read, or they contradict each other.
    """
    objects: list[dict[str, Any]] = []
    problems: tuple[Problem, ...] = ()
    unread = UnreadableError("unparsable", "the answer is empty")
    for text in texts:
        try:
            value, more = read(text, answer)
        except UnreadableError as error:
            unread = error
            problems += (BESIDE_BROKEN,) if '"' in text else ()
        else:
            objects.append(value)
            problems += more
    if not objects:
        raise unread
    if "{" in beside and len(beside) <= LONGEST:
        with suppress(UnreadableError):
            objects.insert(0, read(beside, answer)[0])
    return _joined(objects), problems


def _read_cut(texts: Sequence[str], answer: AnswerSchema, cut: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read the whole items of an answer that stops in the middle; an unfinished item is left out.

    Args:
        texts: of the answer; the last of them stops in the middle.
        answer: its schema.
        cut: how it was cut, for the message.

    Returns:
        The answer with all its lists, and what was lost.

    Raises:
        UnusableError: not one record is complete.
        UnreadableError: its objects contradict each other.
    """
    *whole, last = texts
    objects = []
    with suppress(UnreadableError):
        objects.append(_read_calls(whole, answer)[0])
    open_list = item = None
    try:
        objects.append(_with_lists(parse(last), answer))  # whole: the rest was white space
    except (ValueError, RecursionError, UnreadableError):
        value, open_list, item = _read_beginning(last, answer)
        objects.append(value)
    joined = _joined(objects)
    lists = [task.field for task in answer.tasks]
    if not any(joined.get(name) for name in lists):
        raise UnusableError("truncated", f"{cut}, before one record was complete")
    lost = [Problem((name,), "cut", f"{cut}, before this list") for name in lists if name not in joined]
    if open_list is not None:
        lost.insert(0, Problem((open_list, len(joined[open_list])), "cut", f"{cut}, in this item or after it", item))
    return _with_all_lists(joined, answer), tuple(lost)


def _with_lists(value: Any, answer: AnswerSchema) -> dict[str, Any]:
    """Return a value that is the object asked for, or put a lone list into the object that is missing around it.

    Raises:
        UnreadableError: it is neither.
    """
    fields = answer.model.model_fields.keys()
    if isinstance(value, list) and len(fields) == 1:
        return {next(iter(fields)): value}
    if isinstance(value, dict) and not fields.isdisjoint(value):
        return value
    raise UnreadableError("invalid", f"an object with {_named(answer)} is asked for")


def _with_all_lists(value: dict[str, Any], answer: AnswerSchema) -> dict[str, Any]:
    """Add an empty list for every list of the schema that a value lacks."""
    missing: dict[str, list[Any]] = {name: [] for name in answer.model.model_fields if name not in value}
    return {**value, **missing}


def _joined(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join the lists of several objects.

    Raises:
        UnreadableError: they contradict each other, say by one id for two actors.
    """
    if len(objects) == 1:
        return objects[0]
    joined: dict[str, Any] = _Twice() if any(isinstance(one, _Twice) for one in objects) else {}
    for one in objects:
        for name, value in one.items():
            known = joined.setdefault(name, value)
            if known is not value and isinstance(known, list) and isinstance(value, list):
                joined[name] = [*known, *(item for item in value if item not in known)]
            elif known != value:
                raise UnreadableError("unparsable", "several JSON objects that contradict each other; answer with one")
    actors = joined.get(ACTORS)
    ids = [str(actor.get("id")) for actor in actors if isinstance(actor, dict)] if isinstance(actors, list) else []
    if len(set(ids)) < len(ids):
        raise UnreadableError("unparsable", "several JSON objects with one id for two actors; answer with one")
    return joined


def _one_of(objects: Sequence[dict[str, Any]], answer: AnswerSchema) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Make one object of several, whose records may be drafts of each other.

    Where they contradict each other, the last one counts if it has every list, none empty that was filled before.

    Returns:
        The object, and a problem where several of them fill one list differently.

    Raises:
        UnreadableError: they contradict each other, and the last one is not complete.
    """
    *before, last = objects
    names = answer.model.model_fields
    filled = [[one[name] for one in objects if one.get(name)] for name in names if name != ACTORS]
    problems = (SEVERAL,) if any(records != several[0] for several in filled for records in several) else ()
    try:
        return _joined(objects), problems
    except UnreadableError:
        if all(name in last and (last[name] or not any(one.get(name) for one in before)) for name in names):
            return last, (SEVERAL,)
        raise


def _objects(text: str, answer: AnswerSchema) -> tuple[list[dict[str, Any]], bool]:
    """Find the outermost objects in a text that have a list of the schema.

    Returns:
        The objects, and whether each one that begins in the text can be read.
    """
    fields = answer.model.model_fields.keys()
    beginning = re.compile(rf'{{\s*"(?:{"|".join(map(re.escape, fields))})"\s*:')
    found, is_whole = [], True
    at = broken = 0
    while broken < BROKEN and (at := text.find("{", at)) >= 0:
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            is_whole = is_whole and beginning.match(text, at) is None
            at, broken = at + 1, broken + 1
        else:
            value, at = _checked(value, text[at:end]), end
            if not fields.isdisjoint(value):
                found.append(value)
            if len(found) > MOST_ITEMS:
                raise UnusableError("invalid", f"the answer has more than {MOST_ITEMS:,} JSON objects")
    return found, is_whole


def _read_beginning(text: str, answer: AnswerSchema) -> tuple[dict[str, Any], str | None, Any]:
    """Read the beginning of an answer: its object, the list that is open at its end, and that list's unfinished item.

    The value read is the one that is open at the text's end, else the first whole one. Brackets in the prose before it,
    which close or hold no JSON, are passed over.
    """
    text = text.rpartition(THOUGHT)[2]
    if text.lstrip(MARGIN).startswith(THINKING):  # cut before the answer began
        return {}, None, None
    value, at, depth, searched = None, 0, 0, 0
    for _ in range(BROKEN):
        if searched > SEARCHED or (opening := _BEGINNING.search(text, at)) is None:
            break
        at = opening.start() + 1
        searched += len(text) - at
        closed, depth = _closed(without_trailing_commas(text[opening.start() :]))
        try:
            parsed = parse(closed)
        except (ValueError, RecursionError, UnreadableError):
            depth = 0
            continue
        value = parsed if value is None or depth else value
        if depth:
            break
    try:
        whole = _with_lists(value, answer)
    except UnreadableError:
        return {}, None, None
    depth += whole is not value
    if depth < 2:  # between two lists
        return whole, None, None
    name, last = next(reversed(whole.items()))
    if not isinstance(last, list):
        del whole[name]
        return whole, None, None
    return whole, name, last.pop() if depth > 2 and last else None


def _closed(text: str) -> tuple[str, int]:
    """Close the beginning of a JSON value behind its last whole part: the text, and the number of open brackets."""
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


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _ambiguous(value: Any, place: Place, item: Any = None) -> Iterator[Problem]:
    """Find the objects in which a key stands twice."""
    if isinstance(value, _Twice):
        yield Problem(place, "twice", "has the same key twice", item)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        if isinstance(inner, dict | list):
            yield from _ambiguous(inner, (*place, step), inner if len(place) < 2 else item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its pairs; two lists under one key are joined, a list and null are the list."""
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    twice = _Twice()
    for name, value in pairs:
        known = twice.pop(name, None)
        is_list = isinstance(known, list) and (value is None or isinstance(value, list))
        twice[name] = [*known, *(value or ())] if is_list else value
    return twice


# `strict=False`: models break lines inside a string. `NaN` and other constants that are no JSON are read as null.
_DECODER: Final = json.JSONDecoder(strict=False, parse_constant=lambda _: None, object_pairs_hook=_object)


def _named(answer: AnswerSchema) -> str:
    """Name the lists of a schema."""
    names = [repr(name) for name in answer.model.model_fields]
    return f"the list {names[0]}" if len(names) == 1 else f"the lists {', '.join(names)}"


def _checked(value: Any, text: str) -> Any:
    """Refuse a value that no answer can have; replace halves of surrogate pairs, which no file can hold, by U+FFFD.

    Args:
        value: the parsed value.
        text: what it was parsed from.

    Raises:
        UnusableError: it has too many values.
        UnreadableError: it is nested too deep.
    """
    level, count = [value], 0
    for _ in range(DEEPEST):
        members = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for one in members for inner in one]
        count += len(level)
        if count > MOST:
            raise UnusableError("invalid", f"the answer has more than {MOST:,} values")
        if not level:
            return _writable(value) if _SURROGATE.search(text) else value
    raise UnreadableError("invalid", f"is nested deeper than {DEEPEST} levels")


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, dict):
        return type(value)((writable(name), _writable(one)) for name, one in value.items())
    return [_writable(one) for one in value] if isinstance(value, list) else value
