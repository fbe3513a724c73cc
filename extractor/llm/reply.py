"""The reply: what an endpoint sent back, as a completion or as the reason why there is none."""

import datetime as dt
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from extractor.errors import FailureClass
from extractor.llm.completion import Completion

LONGEST_WAIT: Final = 120.0
"""Seconds of a `Retry-After` that are waited; OpenAI's own client stops there too. Who asks for more is not asked
again: sooner would be against their wish, and a run that stands still for an hour against everybody's."""
BUSY: Final = frozenset({408, 429, 503, 504, 529})
"""Statuses that say "too much"; 529 is Anthropic's."""
MAYBE_BILLED: Final = frozenset({408, 502, 504})
"""Statuses of one in between, who does not know what became of the request; with others there was no answer."""
FATAL: Final = frozenset({401, 404, 405})
"""Statuses of a key, a URL or a model that does not hold. 403 may be about one article: filters answer with it."""
SHOWN: Final = 200
"""Characters of an error's text in the failure's message."""
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_TOO_LONG: Final = re.compile(r"context.{0,30}(length|size|window)|prompt is too long|too many tokens", re.IGNORECASE)


class CallError(Exception):
    """A call that brought no completion.

    Attributes:
        failure: the class of the failure.
        again: whether asking again can help.
        wait: seconds the endpoint asked to wait, if it did.
        busy: whether fewer calls at once would help.
        billed: whether the endpoint may have worked, and charge for it.
        fatal: whether every question would end so: no key, no credit, no such model.
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
    ) -> None:
        super().__init__(message)
        self.failure: FailureClass = failure
        self.again = again
        self.wait = wait
        self.busy = busy
        self.billed = billed
        self.fatal = fatal


def read_answer(answer: Any, *, seconds: float) -> Completion:
    """The text of an answer, from its content or from the arguments of its tool call.

    Raises:
        CallError: there is no choice in it.
    """
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text = _text(message)
    except (KeyError, IndexError, TypeError, AttributeError):
        detail = json.dumps(answer, ensure_ascii=False)[:SHOWN]
        raise CallError("unreachable", f"the endpoint answered without a choice: {detail}", again=True) from None
    usage = answer.get("usage")
    return Completion(
        text=_writable(text),
        finish=_word(choice.get("finish_reason")) or "stop",
        refusal=_word(message.get("refusal")),
        model=_word(answer.get("model")),
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        seconds=seconds,
    )


def status_error(status: int, headers: Mapping[str, str], text: str) -> CallError:
    """What an HTTP status means for the document and for asking again."""
    said, wait = f"HTTP {status}: {_said(text)}", retry_after(headers, now=time.time())
    patient = wait is None or wait <= LONGEST_WAIT
    said += "" if patient else f"; asks to wait {wait:.0f} s, which is longer than a run should: run it again then"
    busy, billed = status in BUSY, status in MAYBE_BILLED
    if status == 402 or "insufficient_quota" in text:
        return CallError(
            "rate_limited", f"{said}; the account has no credit left", again=False, billed=False, fatal=True
        )
    if status == 429:
        return CallError("rate_limited", said, again=patient, wait=wait, busy=busy, billed=billed, fatal=not patient)
    if status in {408, 409, 425} or status >= 500:
        return CallError("unreachable", said, again=patient, wait=wait, busy=busy, billed=billed, fatal=not patient)
    return CallError(*_final(status, said, text), again=False, billed=billed, fatal=status in FATAL)


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds to wait by the header `Retry-After` (RFC 9110, 10.2.3): a number or an HTTP date.

    Azure says the same in milliseconds, more precisely.
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


def _final(status: int, said: str, text: str) -> tuple[FailureClass, str]:
    """The class and the remedy, for a status that asking again does not change."""
    if status in {401, 403}:
        return "unreachable", f"{said}; check OPENAI_API_KEY"
    if status in {404, 405} or status < 400:
        return "unreachable", f"{said}; check OPENAI_BASE_URL and MAHDAR_MODEL"
    if status == 413 or _TOO_LONG.search(text):
        return "bad_input", f"{said}; the article is longer than the model reads"
    if "response_format" in text or "json_schema" in text:
        return "refused", f"{said}; set MAHDAR_MODE to json, tools or md_json"
    return "refused", said


def _said(text: str) -> str:
    """What an error's body says, on one line: its message where it is JSON as OpenAI words it."""
    try:
        error = json.loads(text)["error"]
        text = error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return " ".join(str(text).split())[:SHOWN] or "no reason given"


def _text(message: Mapping[str, Any]) -> str:
    """What a message says: some servers split it into parts, some leave a tool's arguments unwritten."""
    calls = message.get("tool_calls")
    said = calls[0]["function"]["arguments"] if calls else message.get("content")
    if isinstance(said, list):
        return "".join(part.get("text") or "" for part in said)
    if isinstance(said, dict):
        return json.dumps(said, ensure_ascii=False)
    return said if isinstance(said, str) else ""


def _writable(text: str) -> str:
    """The text with halves of surrogate pairs, which no file can hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _word(value: Any) -> str | None:
    return _writable(value) if value and isinstance(value, str) else None


def _count(usage: Any, name: str) -> int:
    """A number of tokens; what cannot be one is none, so that it lowers no bill."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else 0
