"""Write the lines of a batch's input file, and read those of its output and error files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mahdar.cache.completion import Completion
from mahdar.llm.reading import UnreadableError, UnusableError, read_completion
from mahdar.llm.reply import CallError, read_answer, status_error
from mahdar.openai_batch.api import CHAT
from mahdar.openai_batch.job import SubmittedRequest
from mahdar.runs.lines import LINE_ENDS
from mahdar.schemas.tasks import UnknownTaskError, answer_schema

_BY_CODE: Final = {
    "batch_expired": "expired",
    "batch_cancelled": "cancelled",
    "token_limit_exceeded": "rate_limited",
    "insufficient_quota": "rate_limited",
    "billing_hard_limit_reached": "rate_limited",
}
"""Class of failure by error code, for errors without an HTTP status."""
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """The failure of a request.

    Attributes:
        failure: a class of failure of `mahdar.results`, or `expired`, or `cancelled`.
        kept: whether the invalid answer is put into the store, so that the next submission does not pay for it again.
    """

    failure: str
    message: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of a request, as a line states it."""

    fingerprint: str
    outcome: Completion | Failed


def request_line(fingerprint: str, body: str) -> bytes:
    """Return a request as a line of the input file; `body` is the JSON of the chat completion request."""
    line = f'{{"custom_id": "{fingerprint}", "method": "POST", "url": "{CHAT}", "body": {body}}}'
    return line.translate(LINE_ENDS).encode() + b"\n"


def read_line(line: bytes) -> Settled | None:
    """Parse a line of an output or error file; return None if it names no request."""
    try:
        reply = json.loads(line)
        fingerprint = reply["custom_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(fingerprint, str):
        return None
    try:
        return Settled(fingerprint, _outcome(reply))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Settled(fingerprint, Failed("unreachable", "the provider's answer has an unknown form"))


def _outcome(reply: Mapping[str, Any]) -> Completion | Failed:
    response = reply.get("response")
    if not isinstance(response, dict) or response.get("status_code") is None:
        error = reply.get("error")
        named = error if isinstance(error, dict) else {}
        return failed(str(named.get("code") or ""), str(named.get("message") or "no answer, and no reason given"))
    status, body = int(response["status_code"]), response.get("body")
    if status != OK:
        refused = status_error(status, {}, json.dumps(body, ensure_ascii=False))
        return Failed(refused.failure, str(refused))
    try:
        return read_answer(body, seconds=0.0)
    except CallError as error:
        return Failed(error.failure, str(error).partition(": ")[0])  # the rest quotes the answer


def failed(code: str, message: str) -> Failed:
    """Make a failure from an error code and message of the provider."""
    return Failed(_BY_CODE.get(code, "unreachable"), " ".join(f"{code}: {message}".split()))


def problem_of(completion: Completion, entry: SubmittedRequest) -> Failed | None:
    """Return why an answer is unusable, without quoting it; None if it is usable, or unreadable and can be re-asked."""
    try:
        answer = answer_schema(tuple(entry.components["task"].split("+")))
    except UnknownTaskError:
        return None
    if answer.sha256 != entry.components["schema"]:  # of another version
        return None
    try:
        read_completion(completion, answer)
    except UnusableError as error:
        refused = "the model refused, or its answer was filtered"
        return Failed(error.failure, refused if error.failure == "refused" else str(error))
    except UnreadableError as error:
        return Failed(error.failure, str(error.problem), kept=True) if entry.reask else None
    return None
