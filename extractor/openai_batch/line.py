"""The lines of a provider's files: a request as it is handed in, and what came of it."""

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
from mahdar.schemas.tasks import AnswerSchema, UnknownTaskError, answer_schema

_BY_CODE: Final = {
    "batch_expired": "expired",
    "batch_cancelled": "cancelled",
    "token_limit_exceeded": "rate_limited",
    "insufficient_quota": "rate_limited",
    "billing_hard_limit_reached": "rate_limited",
}
"""The class of an error that has a code and no HTTP status."""
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without an answer that can be used.

    Attributes:
        failure: a class of `mahdar.errors`, or `expired`, or `cancelled`.
        kept: whether the answer is kept all the same, so that the next submission does not pay for it again.
    """

    failure: str
    message: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What a line says came of a request."""

    fingerprint: str
    outcome: Completion | Failed


def request_line(fingerprint: str, body: str) -> bytes:
    """A request as a line of a file to be uploaded."""
    line = f'{{"custom_id": "{fingerprint}", "method": "POST", "url": "{CHAT}", "body": {body}}}'
    return line.translate(LINE_ENDS).encode() + b"\n"


def read_line(line: bytes) -> Settled | None:
    """What a line of an output or an error file says; None where it says nothing of a request."""
    try:
        said = json.loads(line)
        fingerprint = said["custom_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(fingerprint, str):
        return None
    try:
        return Settled(fingerprint, _outcome(said))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Settled(fingerprint, Failed("unreachable", "the provider's answer is in no form that is known"))


def _outcome(said: Mapping[str, Any]) -> Completion | Failed:
    response = said.get("response")
    if not isinstance(response, dict) or response.get("status_code") is None:
        error = said.get("error")
        named = error if isinstance(error, dict) else {}
        return failed(str(named.get("code") or ""), str(named.get("message") or "no answer, and no reason given"))
    status, body = int(response["status_code"]), response.get("body")
    if status != OK:
        refused = status_error(status, {}, json.dumps(body, ensure_ascii=False))
        return Failed(refused.failure, str(refused))
    try:
        return read_answer(body, seconds=0.0)
    except CallError as error:
        return Failed(error.failure, str(error).partition(": ")[0])  # behind it stands what was answered


def failed(code: str, message: str) -> Failed:
    """A failure that the provider names by a code."""
    return Failed(_BY_CODE.get(code, "unreachable"), " ".join(f"{code}: {message}".split()))


def what_is_wrong(completion: Completion, entry: SubmittedRequest) -> Failed | None:
    """Why an answer cannot be used, without a word of it; None for one that can, or that a re-ask follows on."""
    try:
        answer = _answer(entry)
        if answer is not None:
            read_completion(completion, answer)
    except UnusableError as error:
        refused = "the model refused, or its answer was filtered"
        return Failed(error.failure, refused if error.failure == "refused" else str(error))
    except UnreadableError as error:
        return Failed(error.failure, str(error.problem), kept=True) if entry.reask else None
    return None


def _answer(entry: SubmittedRequest) -> AnswerSchema | None:
    """The schema of the answer to a request; None where this version of mahdar has another."""
    try:
        answer = answer_schema(tuple(entry.components["task"].split("+")))
    except UnknownTaskError:
        return None
    return answer if answer.sha256 == entry.components["schema"] else None
