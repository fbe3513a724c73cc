"""Responses: convert what an endpoint sent back to a completion, or to the reason why there is none."""

import datetime as dt
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from mahdar.cache.completion import CUT, FILTERED, WHOLE, Completion, ToolCall, finish_reasons, on_one_line, writable
from mahdar.results import FailureClass

LONGEST_WAIT: Final = 120.0
"""Seconds of a `Retry-After` that are waited, as in OpenAI's client. An endpoint that names more is not asked again: a
run should neither disregard it nor stand still for an hour."""
BUSY: Final = frozenset({408, 429, 503, 504, 529})
"""Statuses of an endpoint that is busy; 529 is Anthropic's."""
MAYBE_BILLED: Final = frozenset({408, 502, 504})
"""Statuses of a proxy that does not know what became of the request; with others there was no answer."""
SHOWN: Final = 200
"""Characters of an error's text in the failure's message."""
LONGEST_WORDS: Final = 4_000
"""Characters of an error's text that are searched."""
MOST_TOKENS: Final = 1_000_000_000
"""The largest count of tokens that is believed."""
UNFINISHED: Final = frozenset(
    {"error", "abort", "aborted", "cancelled", "network_error", "insufficient_system_resource"}
)
"""Finish reasons of an answer that was given up: OpenRouter's, vLLM's, SGLang's, Zhipu's and DeepSeek's."""
MALFORMED: Final = frozenset({"malformed_function_call", "malformed_response", "unexpected_tool_call"})
"""Finish reasons of an answer that the endpoint itself could not read, and left out: Gemini's."""
EMPTY_ARGUMENTS: Final = frozenset({"", "{}", "null"})
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_SAYING: Final = ("error", "errors", "message", "msg", "status_msg", "detail", "metadata", "raw")
"""Members of an error's body that hold its message."""
_NAMING: Final = (*_SAYING, "code", "type", "status", "param", "loc", "reason", "reasons", "error_type")
"""Members by which errors are told apart; what an error repeats of the request is left out."""
_STATING: Final = ("code", "status", "status_code", "type")
"""Members of an error that name a status."""
_DEEPEST: Final = 6


@dataclass(frozen=True, slots=True)
class _Meaning:
    """The meaning of errors with certain statuses, words, or both.

    Attributes:
        statuses: of these errors.
        words: a pattern that is searched in their text; None where the status is enough.
        again, fatal: as of a `CallError`.
        remedy: added to the endpoint's message.
    """

    failure: FailureClass
    remedy: str
    statuses: range | frozenset[int] = range(1_000)
    words: str | None = None
    again: bool = False
    fatal: bool = False


_NO_CREDIT: Final = "the account has no credit left"
_NO_KEY: Final = "check OPENAI_API_KEY"
_NO_MODEL: Final = "check OPENAI_BASE_URL and MAHDAR_MODEL"
_TOO_LONG: Final = "the article is longer than the model reads"
_MEANINGS: Final = (
    _Meaning("rate_limited", _NO_CREDIT, frozenset({402}), fatal=True),
    _Meaning(
        "rate_limited",
        _NO_CREDIT,
        words=r"insufficient.{0,20}(quota|balance|credit|funds)|balance is (too low|insufficient)"
        r"|billing_hard_limit|arrearage|exceeded_current_quota|specified API usage limits|spending limit|余额不足|欠费",
        fatal=True,
    ),
    _Meaning(
        "rate_limited",
        "one request needs more tokens than the account has for a minute: have its limit raised",
        words=r"request too large.{0,200}(tokens per min|\bTPM\b)",
    ),
    _Meaning("rate_limited", "", frozenset({429}), again=True),
    _Meaning("rate_limited", "", range(400, 500), r"rate.?limit|tokens per min|too many requests|throttl", again=True),
    _Meaning(
        "refused",
        "the endpoint's filter refuses this article",
        frozenset({400, 403, 422, 451}),
        r"content.?(filter|policy|management)|data_inspection|moderation|flagged|responsible.?ai|safety|敏感",
    ),
    _Meaning("unreachable", _NO_KEY, frozenset({401}), fatal=True),
    _Meaning("unreachable", _NO_KEY, frozenset({403})),
    _Meaning(
        "unreachable",
        _NO_KEY,
        frozenset({400}),
        r"api.?key.{0,20}(not valid|invalid)|invalid.{0,5}api.?key",
        fatal=True,
    ),
    _Meaning("bad_input", _TOO_LONG, frozenset({413})),
    _Meaning(
        "bad_input",
        _TOO_LONG,
        frozenset({400, 422, 500, 503}),
        r"context.{0,30}(length|size|window|limit)|(prompt|inputs?|query|message).{0,40}(too long|too large)"
        r"|too (many|long).{0,20}tokens|(token count|input length|prompt length|input tokens).{0,80}exceed"
        r"|maximum (prompt|input) length|must be <= [0-9]+\. given|exceed.{0,30}max(imum)? (input|prompt)"
        r"|range of input length|must have less than [0-9]+ tokens|model token limit|reduce the length of the messages"
        r"|input token count.{0,40}only supports|max_seq_len|超长|输入长度超过",
    ),
    _Meaning(
        "unparsable",
        "the model does not keep to the form; set MAHDAR_MODE to json or md_json",
        range(400, 500),
        r"json_validate_failed|tool_use_failed|failed to generate json",
    ),
    _Meaning(
        "refused",
        "set MAHDAR_MODE to json, tools or md_json",
        frozenset({400, 404, 422, 500, 501}),
        r"response.?format|json.?schema|schema|structured.?output|grammar|requested parameters|tool.?(use|choice|call)"
        r"|support.{0,20}(tools|functions?)|(tools|functions?).{0,20}support|additionalProperties|json mode"
        r"|function.?calling|guided_|unsupported keyword|\b(anyOf|maxItems|minItems)\b",
    ),
    _Meaning(
        "unreachable",
        _NO_MODEL,
        range(400, 500),
        r"model.{0,80}(not.?found|not exist|decommissioned|no longer)"
        r"|(invalid|no such|unknown) model|not a valid model",
        fatal=True,
    ),
    _Meaning("unreachable", "", frozenset({408, 409, 425, *range(500, 600)}), again=True),
    _Meaning("unreachable", _NO_MODEL, frozenset({404, 405, 410, *range(400)}), fatal=True),
    _Meaning(
        "refused",
        "the endpoint refuses a parameter and does not say what it takes instead: take another model",
        words=r"max_tokens|max_completion_tokens|temperature|unsupported.?parameter",
    ),
    _Meaning("refused", ""),
)
"""The first that matches counts."""
_NAMED: Final = (
    (402, r"insufficient|payment|billing|余额不足|欠费"),
    (429, r"rate.?limit|exhausted|too.?many|频率|并发"),
    (401, r"auth|api.?key|permission|login"),
    (529, r"overload"),
    (404, r"not.?found"),
    (400, r"context|invalid|bad.?request"),
    (500, r"server|internal|unavailable|timeout"),
)
"""Statuses by the words with which an error names them."""


class CallError(Exception):
    """A call that brought no completion.

    Attributes:
        failure: the class of the failure.
        again: whether asking again can help.
        wait: seconds that the endpoint asked to wait; None where it named none.
        busy: whether fewer calls at once would help.
        billed: whether the endpoint may have worked, and charge for it.
        fatal: whether every call would fail in this way: no key, no credit, no such model.
        refused: whether the endpoint refused the call, by a status of 4xx.
    """

    def __init__(
        self,
        failure: FailureClass,
        message: str,
        *,
        again: bool,
        wait: float | None = None,
        busy: bool = False,
        billed: bool = True,
        fatal: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.again = again
        self.wait = wait
        self.busy = busy
        self.billed = billed
        self.fatal = fatal
        self.refused = refused


def read_answer(answer: Any, *, seconds: float, headers: Mapping[str, str] | None = None) -> Completion:
    """Convert an answer to a completion.

    Args:
        answer: the JSON of a response with status 200.
        seconds: that the call took.
        headers: of the response.

    Raises:
        CallError: it has no choice, or an error in place of one.
    """
    headers = headers or {}
    _raise_error(_error_in(answer), headers)
    try:
        choice = answer["choices"][0]
        if isinstance(error := choice.get("error"), dict) and error:
            _raise_error({"code": 502, **error}, headers)
        finish = _word(choice.get("finish_reason")) or ""
        # Gemini leaves the message out of a choice that it filtered.
        message = choice["message"] if finish_reasons(finish) & {"", *WHOLE} else choice.get("message") or {}
        tool_calls = _tool_calls(message)
        text = _content(message, called=bool(tool_calls), cut=bool(finish_reasons(finish) & CUT))
    except (KeyError, IndexError, TypeError, AttributeError):
        detail = on_one_line(json.dumps(answer, ensure_ascii=False)[:SHOWN])
        raise CallError("unreachable", f"the endpoint answered without a choice: {detail}", again=True) from None
    usage, refusal = answer.get("usage"), _word(message.get("refusal"))
    is_empty = not (text.strip() or tool_calls or refusal)
    is_unknown = finish_reasons(finish).isdisjoint({"", *WHOLE, *CUT, *FILTERED, *MALFORMED})
    if finish_reasons(finish) & UNFINISHED or (is_empty and is_unknown):
        raise CallError("unreachable", f"the endpoint gave up its answer (finish reason {finish!r})", again=True)
    return Completion(
        text=writable(text),
        finish=finish,
        refusal=refusal,
        model=_word(answer.get("model")),
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        seconds=seconds,
        tool_calls=tool_calls,
    )


def status_error(status: int, headers: Mapping[str, str], text: str, *, came: str = "") -> CallError:
    """Convert an error response to a `CallError`, by its status and its words.

    Args:
        status: of the response, or the one that its body names.
        headers: of the response.
        text: its body.
        came: where the status stands, if not in the response itself.
    """
    message, words = error_words(text)
    meaning = next(
        one
        for one in _MEANINGS
        if status in one.statuses and (one.words is None or re.search(one.words, words, re.IGNORECASE))
    )
    said, wait = f"HTTP {status}{came}: {message}", retry_after(headers, now=time.time())
    too_long = wait is not None and wait > LONGEST_WAIT
    if meaning.again and wait is not None and too_long:
        said += f"; asks to wait {wait:.0f} s, which is longer than a run should: run it again then"
    return CallError(
        meaning.failure,
        f"{said}; {meaning.remedy}" if meaning.remedy else said,
        again=meaning.again and not too_long,
        wait=wait if meaning.again else None,
        busy=meaning.again and (status in BUSY or meaning.failure == "rate_limited"),
        billed=status in MAYBE_BILLED,
        fatal=meaning.fatal or (meaning.again and too_long),
        refused=400 <= status < 500,
    )


def error_words(text: str) -> tuple[str, str]:
    """Return the message of an error's body on one line, and all the words by which errors are told apart."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    said = "; ".join(dict.fromkeys(_members(body, _SAYING))) or text
    named = " ".join(_members(body, _NAMING)) or text
    return on_one_line(said[: 2 * SHOWN])[:SHOWN] or "no reason given", named[:LONGEST_WORDS]


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds to wait by `Retry-After` (RFC 9110, 10.2.3), a number or an HTTP date; None without it.

    Azure's `retry-after-ms` is more precise and comes first.

    Args:
        headers: of the response.
        now: seconds since 1970, for dates.
    """
    milliseconds, said = headers.get("retry-after-ms", ""), headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1_000
    if _NUMBER.fullmatch(said):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    # A date without a zone is in UTC, as all of HTTP's are.
    return max((until if until.tzinfo else until.replace(tzinfo=dt.UTC)).timestamp() - now, 0.0)


def _members(value: Any, names: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    """Find the texts under some names in an error's body; one provider's error may stand as text in another's."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, dict):
        for name in names:
            yield from _members(value.get(name), names, depth + 1)
    elif isinstance(value, list):
        for one in value[:_DEEPEST]:
            yield from _members(one, names, depth + 1)
    elif value is not None and (isinstance(value, str) or depth > 1):
        yield str(value)


def _raise_error(error: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Raise an error of an answer of status 200 as one of the status that it names, by a number or by its words.

    Raises:
        CallError: the error names a status.
    """
    members = [error.get(name) for name in (*_STATING, *_SAYING)]
    said = [str(one).lower() for one in members if isinstance(one, str | int)]
    known = next((int(one) for one in said if re.fullmatch(r"[45][0-9]{2}", one)), None)
    named = (number for one in said for number, words in _NAMED if re.search(words, one))
    status = known or next(named, None)
    if status is not None:
        text = json.dumps({"error": error}, ensure_ascii=False)
        raise status_error(status, headers, text, came=" in an answer of status 200")


def _error_in(answer: Any) -> Mapping[str, Any]:
    """Return the error in an answer, from the members that providers use for it; empty if there is none."""
    if isinstance(answer, list) and len(answer) == 1:  # Gemini's
        (answer,) = answer
    if not isinstance(answer, dict):
        return {}
    if isinstance(error := answer.get("error"), dict) or answer.get("choices"):
        return error if isinstance(error, dict) else {}
    said = error or answer.get("base_resp") or answer  # MiniMax's
    return said if isinstance(said, dict) else {"message": str(said)}


def _content(message: Mapping[str, Any], *, called: bool, cut: bool) -> str:
    """Return a message's text: its content, else what some servers have in its place.

    Args:
        message: of the answer.
        called: whether it has tool calls, so that the text may be empty.
        cut: whether it was cut. Then the field for reasoning, where some servers leave the whole answer, counts only if
            it is JSON from its beginning: anything else is thoughts, with drafts in them.
    """
    text = ""
    for name in ("content", "parsed", "reasoning_content", "reasoning"):
        found = _text(message.get(name))
        if cut and name.startswith("reasoning") and not found.lstrip().startswith(("{", "[", "```")):
            found = ""
        text = found if name == "content" or found.strip() else text
        if text.strip() or called:
            break
    return text


def _text(content: Any) -> str:
    """Return the text in a message's content: a text, a part with a text, several of them, or the answer as JSON.

    Raises:
        TypeError: a part is none of these.
    """
    if isinstance(content, list):
        if odd := [part for part in content if not isinstance(part, str | dict | list)]:
            raise TypeError(odd)
        return "".join(_text(part) for part in content if not isinstance(part, list))
    if isinstance(content, dict) and not content.keys() & {"type", "text"}:
        return json.dumps(content, ensure_ascii=False) if content else ""
    text = content.get("text") if isinstance(content, dict) else content
    return text if isinstance(text, str) else ""


def _tool_calls(message: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the tool calls of a message that have arguments, also one in the older field `function_call`."""
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    if isinstance(older := message.get("function_call"), dict):
        functions.append(older)
    calls = []
    for function in functions:
        arguments = function.get("arguments")
        if not isinstance(arguments, str):  # some servers send them as JSON, not as text
            arguments = json.dumps(arguments or {}, ensure_ascii=False)
        if arguments.strip() not in EMPTY_ARGUMENTS:
            calls.append(ToolCall(_word(function.get("name")) or "", writable(arguments)))
    return tuple(calls)


def _word(value: Any) -> str | None:
    return writable(value) if value and isinstance(value, str) else None


def _count(usage: Any, name: str) -> int:
    """Return a count of tokens; zero for what is no plausible count, so that it lowers no bill."""
    value = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= MOST_TOKENS else 0
