"""The lines of a provider's files: a request as it is handed in, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extractor.errors import FailureClass
from extractor.llm.completion import Completion
from extractor.llm.repair import parse_whole
from extractor.llm.reply import CallError, read_answer, status_error
from extractor.llm.validation import CUT, FILTERED, GiveUp, judge
from extractor.openai_batch.api import CHAT
from extractor.openai_batch.job import Entry
from extractor.runs.lines import LINE_ENDS
from schemas.tasks import TaskSchema, UnknownTaskError, task_schema

_BY_CODE: Final = {
    "batch_expired": "expired",
    "batch_cancelled": "cancelled",
    "token_limit_exceeded": "rate_limited",
    "insufficient_quota": "rate_limited",
    "billing_hard_limit_reached": "rate_limited",
}
"""The class of an error that has a code and no HTTP status."""
OK: Final = 200
QUOTING: Final = ", begins with "
"""Stands in a judgement before the answer's own words."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without an answer that can be used.

    Attributes:
        failure: a class of `extractor.errors`, or `expired`, or `cancelled`.
    """

    failure: str
    message: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What a line says came of a request."""

    fingerprint: str
    outcome: Completion | Failed


def request_line(fingerprint: str, body: bytes) -> bytes:
    """A request as a line of a file to be uploaded."""
    return b'{"custom_id": "%s", "method": "POST", "url": "%s", "body": %s}\n' % (
        fingerprint.encode(),
        CHAT.encode(),
        body.decode().translate(LINE_ENDS).encode(),
    )


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


def worth(completion: Completion, entry: Entry, *, reasks: int) -> Completion | Failed:
    """The answer, if it is one that a live call would keep; else it is asked for again.

    Of a closed question, whose schema is the article's own, only what is whole is kept.
    """
    schema = _schema(entry)
    if schema is not None:
        verdict = judge(completion, schema, reasks_left=max(reasks - entry.turn, 0))
        return _named(verdict) if isinstance(verdict, GiveUp) else completion
    failure = _plain_failure(completion)
    return Failed(failure, "the answer is not whole") if failure else completion


def _named(verdict: GiveUp) -> Failed:
    """Why an answer is not kept; its words are none of a job's, which hold an article's."""
    said = "the model refused, or its answer was filtered" if verdict.failure == "refused" else verdict.message
    return Failed(verdict.failure, said.partition(QUOTING)[0])


def _schema(entry: Entry) -> TaskSchema | None:
    """The schema of a request that asks for drafts; None for any other."""
    try:
        schema = task_schema(entry.components["task"])
    except UnknownTaskError:
        return None
    return schema if schema.sha256 == entry.components["schema"] else None


def _plain_failure(completion: Completion) -> FailureClass | None:
    if completion.refusal or completion.finish in FILTERED:
        return "refused"
    if completion.finish in CUT:
        return "truncated"
    try:
        parse_whole(completion.text)
    except (ValueError, RecursionError):
        return "unparsable"
    return None
