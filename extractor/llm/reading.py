"""Read a completion: find the JSON of the answer, without changing what it says.

Unusual forms are accepted if they have one meaning: code fences and prose around the JSON, trailing commas, a byte
order mark, line breaks in strings, several tool calls, calls written as text, a cut end. An answer that has two
meanings is asked again.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from mahdar.cache.completion import Completion, after_thoughts, ends_in_thoughts
from mahdar.llm.answer_json import (
    MARGIN,
    RepeatedKey,
    UnreadableError,
    UnusableError,
    close_brackets,
    parse,
    parse_at,
    without_trailing_commas,
)
from mahdar.schemas.tasks import ACTORS, AnswerSchema
from mahdar.validation.answers import Place, Problem

__all__ = ["Reading", "UnreadableError", "UnusableError", "read", "read_completion"]

LONGEST: Final = 1_000_000
"""Maximum characters of an answer; models write less than a tenth of it for an article."""
MAX_ITEMS: Final = 1_000
"""Maximum items that are read of a list, since a model may repeat itself without end, and maximum objects in a text."""
MAX_BROKEN: Final = 64
"""Maximum opening brackets without JSON: at each of them the rest of the text is parsed."""
MAX_SEARCHED: Final = 2 * LONGEST
"""Maximum characters that are parsed, over all brackets, to find the beginning of a cut answer."""
SEVERAL_OBJECTS: Final = Problem((), "several", "is several JSON objects with different records; answer with one")
UNREADABLE_PART: Final = Problem((), "unparsable", "has a part that is no JSON; answer with one JSON object")
_BEGINNING: Final = re.compile(r'[{\[]\s*["{\[]')


@dataclass(frozen=True, slots=True)
class Reading:
    """The JSON of an answer, before it is validated.

    Attributes:
        value: an object with at least one list of the answer's schema.
        lost: what was cut off.
        ambiguous: the problems that are asked again although the value may be valid: a repeated key, several objects
            with different records, a part that cannot be read, records under a name that is not in the schema.
    """

    value: dict[str, Any]
    lost: tuple[Problem, ...] = ()
    ambiguous: tuple[Problem, ...] = ()

    def unambiguous(self, answer: AnswerSchema) -> dict[str, Any]:
        """Return the value with all lists of the schema, and null for each member with a repeated key."""
        kept: dict[Any, Any] = {name: list(one) if isinstance(one, list) else one for name, one in self.value.items()}
        for problem in self.ambiguous:
            match problem.place:
                case (name, int(index), *_):
                    kept[name][index] = None
                case (name, *_):
                    kept[name] = []
        return _with_all_lists(kept, answer)


def read_completion(completion: Completion, answer: AnswerSchema) -> Reading:
    """Read the answer in a completion: its text, or the arguments of all calls of the function asked for.

    Raises:
        UnusableError: it is a refusal, was cut before one record was complete, or is too large.
        UnreadableError: it has no object of the schema.
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
        value, ambiguous = _read_calls(calls, answer, beside=after_thoughts(completion.text))
    else:
        value, ambiguous = read(completion.text, answer)
    # The items of an empty list may be in a list of another name.
    has_empty_list = not all(value.get(task.field) for task in answer.tasks)
    for field, items in value.items():
        if not isinstance(items, list):
            continue
        if len(items) > MAX_ITEMS:
            message = f"takes {MAX_ITEMS:,} items at most, got {len(items):,}"
            lost += (Problem((field, MAX_ITEMS), "too_long", message),)
            value = {**value, field: items[:MAX_ITEMS]}
        elif has_empty_list and field not in answer.model.model_fields and any(isinstance(one, dict) for one in items):
            ambiguous += (Problem((), "unknown", "has records in a list that is not asked for", items),)
    return Reading(value, lost, (*ambiguous, *_repeated_keys(value, ())))


def read(text: str, answer: AnswerSchema) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read the object in a text: the text itself, or objects between words, after the model's thoughts if it has any.

    The lists of several objects are joined. A part of an object is never taken for the whole.

    Returns:
        The object, and the problems to ask about again: objects with different records, or a part that is no JSON.

    Raises:
        UnreadableError: there is no object, or there are several that contradict each other.
    """
    if not text.strip(MARGIN):
        raise UnreadableError("unparsable", "the answer is empty")
    for part in dict.fromkeys((after_thoughts(text), text)):
        found: list[dict[str, Any]] = []
        for repair in (str, without_trailing_commas):
            candidate = repair(part)
            try:
                value = parse(candidate)
            except (ValueError, RecursionError):
                pass
            else:
                return _joined_or_last(_objects_in_value(value, answer), answer)
            objects, all_read = _objects_in_text(candidate, answer)
            found = max(found, objects, key=len)
            if objects and all_read:
                return _joined_or_last(objects, answer)
        if found:
            value, problems = _joined_or_last(found, answer)
            return value, (*problems, UNREADABLE_PART)
    raise UnreadableError("unparsable", f"no JSON object with {_list_names(answer)}")


def _read_calls(
    texts: Sequence[str], answer: AnswerSchema, *, beside: str = ""
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read and join the objects of several tool calls.

    Args:
        texts: the arguments of the calls.
        answer: the schema.
        beside: the text of the message, in which some models repeat or complete their calls.

    Returns:
        The object, and a problem for each call that cannot be read.

    Raises:
        UnreadableError: no call can be read, or they contradict each other.
    """
    objects: list[dict[str, Any]] = []
    problems: tuple[Problem, ...] = ()
    unread = UnreadableError("unparsable", "the answer is empty")
    for text in texts:
        try:
            value, more = read(text, answer)
        except UnreadableError as error:
            unread = error
            problems += (UNREADABLE_PART,) if '"' in text else ()
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
    """Read the complete items of an answer that was cut.

    Args:
        texts: the texts of the answer, of which the last was cut.
        answer: the schema.
        cut: how the answer was cut, for the message.

    Returns:
        The object with all its lists, and what was lost.

    Raises:
        UnusableError: no record is complete.
        UnreadableError: the objects contradict each other.
    """
    *complete, last = texts
    objects = []
    with suppress(UnreadableError):
        objects.append(_read_calls(complete, answer)[0])
    open_list = item = None
    try:
        objects += _objects_in_value(parse(last), answer)  # complete: only white space was cut
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


def _objects_in_value(value: Any, answer: AnswerSchema) -> list[dict[str, Any]]:
    """Return the objects of the schema in a value; a list alone is put into an object if the schema has one list.

    Raises:
        UnreadableError: there is no object of the schema.
    """
    if objects := _unwrapped(value, answer):
        return objects
    (name, *others) = answer.model.model_fields
    if isinstance(value, list) and not others:
        return [{name: value}]
    raise UnreadableError("invalid", f"an object with {_list_names(answer)} is asked for")


def _unwrapped(value: Any, answer: AnswerSchema) -> list[dict[str, Any]]:
    """Return the objects of the schema that a value is or wraps; an empty list if there are none.

    Models wrap the object in a call that is written as text, `{"name": "Records", "arguments": {…}}`, in the schema's
    name, `{"Records": {…}}`, in a list, or in a JSON string. An object with several objects or lists, or with a
    repeated key, is no wrapper: its content would be only a part of the answer.
    """
    value, fields = _decoded(value), answer.model.model_fields.keys()
    if isinstance(value, list):
        members = [_unwrapped(one, answer) for one in value]
        return [one for found in members for one in found] if all(members) else []
    if not isinstance(value, dict):
        return []
    if _has_lists(value, answer):
        return [type(value)((name, _decoded(one) if name in fields else one) for name, one in value.items())]
    contents = [found for one in value.values() if (found := _decoded(one)) and isinstance(found, dict | list)]
    if len(contents) != 1 or isinstance(value, RepeatedKey):
        return []
    objects = _unwrapped(contents[0], answer)  # a copy of the JSON Schema has no lists there
    return objects if all(any(isinstance(one.get(name), list) for name in fields) for one in objects) else []


def _has_lists(value: Any, answer: AnswerSchema) -> bool:
    """Whether a value is an object with a list of the schema."""
    return isinstance(value, dict) and not answer.model.model_fields.keys().isdisjoint(value)


def _decoded(value: Any) -> Any:
    """Parse a value that is a JSON string; return any other value unchanged."""
    while isinstance(value, str):
        try:
            value = parse(value)
        except (ValueError, RecursionError, UnreadableError):
            break
    return value


def _with_all_lists(value: dict[str, Any], answer: AnswerSchema) -> dict[str, Any]:
    """Add an empty list for every list of the schema that a value lacks."""
    missing: dict[str, list[Any]] = {name: [] for name in answer.model.model_fields if name not in value}
    return {**value, **missing}


def _joined(objects: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join the lists of several objects.

    Raises:
        UnreadableError: the objects contradict each other, or have one id for two actors.
    """
    if len(objects) == 1:
        return objects[0]
    joined: dict[str, Any] = RepeatedKey() if any(isinstance(one, RepeatedKey) for one in objects) else {}
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


def _joined_or_last(
    objects: Sequence[dict[str, Any]], answer: AnswerSchema
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Join several objects of a text, of which the last may be a correction of the others.

    If they contradict each other, the last one is returned, provided that it has every list, and fills each list that
    another one fills.

    Returns:
        The object, and a problem if the records of the objects differ.

    Raises:
        UnreadableError: the objects contradict each other, and the last one is not complete.
    """
    *before, last = objects
    names = answer.model.model_fields
    filled = [[one[name] for one in objects if one.get(name)] for name in names if name != ACTORS]
    problems = (SEVERAL_OBJECTS,) if any(records != several[0] for several in filled for records in several) else ()
    try:
        return _joined(objects), problems
    except UnreadableError:
        if all(name in last and (last[name] or not any(one.get(name) for one in before)) for name in names):
            return last, (SEVERAL_OBJECTS,)
        raise


def _objects_in_text(text: str, answer: AnswerSchema) -> tuple[list[dict[str, Any]], bool]:
    """Find the objects of the schema in a text with other words.

    Returns:
        The objects, and whether all that begin in the text could be read.
    """
    fields = answer.model.model_fields.keys()
    beginning = re.compile(rf'{{\s*"(?:{"|".join(map(re.escape, fields))})"\s*:')
    found, all_read = [], True
    at = broken = 0
    while broken < MAX_BROKEN and (at := text.find("{", at)) >= 0:
        try:
            value, end = parse_at(text, at)
        except (ValueError, RecursionError):
            all_read = all_read and beginning.match(text, at) is None
            at, broken = at + 1, broken + 1
        else:
            at = end
            found += _unwrapped(value, answer)
            if len(found) > MAX_ITEMS:
                raise UnusableError("invalid", f"the answer has more than {MAX_ITEMS:,} JSON objects")
    return found, all_read


def _read_beginning(text: str, answer: AnswerSchema) -> tuple[dict[str, Any], str | None, Any]:
    """Read an answer that was cut: the object that is open at the end of the text, else the first complete one.

    Brackets of the prose before the object, and of a call around it, are skipped.

    Returns:
        The object, without the item that was cut; the name of the list that was cut, None if it was cut between lists;
        and what there is of the item.
    """
    if ends_in_thoughts(text):
        return {}, None, None
    text = after_thoughts(text)
    value, at, depth, searched = None, 0, 0, 0
    for _ in range(MAX_BROKEN):
        if searched > MAX_SEARCHED or (opening := _BEGINNING.search(text, at)) is None:
            break
        at = opening.start() + 1
        searched += len(text) - at
        closed, depth = close_brackets(without_trailing_commas(text[opening.start() :]))
        try:
            parsed = parse(closed)
        except (ValueError, RecursionError, UnreadableError):
            depth = 0
            continue
        if depth and _unwrapped(parsed, answer) and not _has_lists(parsed, answer):
            depth = 0
            continue
        value = parsed if value is None or depth else value
        if depth:
            break
    try:
        whole = _joined(_objects_in_value(value, answer))
    except UnreadableError:
        return {}, None, None
    depth += isinstance(value, list)
    if depth < 2:  # between two lists
        return whole, None, None
    name, last = next(reversed(whole.items()))
    if not isinstance(last, list):
        del whole[name]
        return whole, None, None
    return whole, name, last.pop() if depth > 2 and last else None


def _repeated_keys(value: Any, place: Place, item: Any = None) -> Iterator[Problem]:
    """Find the objects in which a key is repeated."""
    if isinstance(value, RepeatedKey):
        yield Problem(place, "twice", "has the same key twice", item)
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        if isinstance(inner, dict | list):
            yield from _repeated_keys(inner, (*place, step), inner if len(place) < 2 else item)


def _list_names(answer: AnswerSchema) -> str:
    """Return the names of a schema's lists, for a message."""
    names = [repr(name) for name in answer.model.model_fields]
    return f"the list {names[0]}" if len(names) == 1 else f"the lists {', '.join(names)}"
