"""Problems: every error of the service as problem details (RFC 9457), with its class and the remedy.

A problem's `failure` is the class of an article's failure (`mahdar.errors`), or one of the service's own: the request
could not be taken, so that nothing was extracted and nothing was paid.
"""

import logging
import math
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from mahdar.errors import ExtractionError, MahdarError, NoModelError

log = logging.getLogger("mahdar")

MEDIA_TYPE: Final = "application/problem+json"
NAMED: Final = 5
"""Faults of a request's body that are named."""
RETRY_AFTER: Final = 10
"""Seconds after which to try again, where nothing says how long it will take."""


class Kind(NamedTuple):
    """What holds for every problem of a class."""

    status: int
    title: str
    remedy: str


KINDS: Final[Mapping[str, Kind]] = {
    failure: Kind(**kind)
    for failure, kind in tomllib.loads((files(__package__) / "problems.toml").read_text(encoding="utf-8")).items()
}
"""Class → status, title, remedy."""
LATER: Final = frozenset({"rate_limited", "no_model", "too_many", "busy", "stopping"})
"""Classes whose answer says when to try again."""
_BY_STATUS: Final = {400: "invalid_request", 404: "not_found", 405: "not_allowed", 413: "too_large"}


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str
    """`urn:mahdar:problem:` and the class"""
    title: str
    status: int
    detail: str
    failure: str = Field(description="The class of the failure.")
    remedy: str
    document_id: str | None = None
    errors: list[dict[str, str]] | None = None
    """what is wrong with the request's body, each with a `pointer` (JSON Pointer) and its `detail`"""


class RequestProblem(HTTPException):
    """A request that cannot be answered.

    Args:
        failure: the class, one of `KINDS`.
        detail: what is wrong with this request; by default the class's title.
        retry_after: seconds until it may be sent again.
        more: further members of the problem details.
        status: in place of the class's.
    """

    def __init__(
        self, failure: str, detail: str = "", *, retry_after: float | None = None, status: int = 0, **more: Any
    ) -> None:
        kind = KINDS[failure]
        self.failure = failure
        self.retry_after = retry_after
        self.more = {name: value for name, value in more.items() if value is not None}
        super().__init__(status or kind.status, detail or kind.title)

    @classmethod
    def of(cls, error: MahdarError, document_id: str | None = None) -> "RequestProblem":
        """What an error of mahdar's is to a client."""
        if isinstance(error, ExtractionError):
            return cls(error.failure, str(error), retry_after=error.retry_after, document_id=document_id)
        kind = "no_model" if isinstance(error, NoModelError) else "invalid_request"
        return cls(kind, str(error), document_id=document_id)

    @property
    def response(self) -> JSONResponse:
        """The answer to the client."""
        kind = KINDS[self.failure]
        told = {
            "type": f"urn:mahdar:problem:{self.failure}",
            "title": kind.title,
            "status": self.status_code,
            "detail": self.detail,
            "failure": self.failure,
            "remedy": kind.remedy,
            **self.more,
        }
        headers = {}
        if self.failure in LATER:
            headers["Retry-After"] = str(math.ceil(self.retry_after or RETRY_AFTER))
        if self.failure == "unauthorized":
            headers["WWW-Authenticate"] = 'Bearer realm="mahdar"'
        return JSONResponse(told, self.status_code, headers, MEDIA_TYPE)


async def answer_http_error(_: Request, error: Exception) -> JSONResponse:
    """A problem, or an HTTP error of the framework, as problem details."""
    if isinstance(error, RequestProblem):
        return error.response
    assert isinstance(error, HTTPException)
    failure = _BY_STATUS.get(error.status_code, "invalid_request")
    answered = RequestProblem(failure, str(error.detail), status=error.status_code).response
    answered.headers.update(error.headers or {})  # such as Allow
    return answered


async def answer_invalid(_: Request, error: Exception) -> JSONResponse:
    """A body of the wrong shape as problem details, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)
    faults = [{"pointer": _pointer(one["loc"]), "detail": str(one["msg"])} for one in error.errors()[:NAMED]]
    said = "; ".join(f"{fault['pointer'] or 'the body'}: {fault['detail']}" for fault in faults)
    broken = any(one["type"] == "json_invalid" for one in error.errors())
    return RequestProblem("invalid_request", said, status=400 if broken else 0, errors=faults).response


def _pointer(place: tuple[int | str, ...]) -> str:
    """A place in the body as a JSON Pointer; which form the body has is no part of it."""
    parts = place[1:] if place[:1] == ("body",) else place
    parts = parts[1:] if parts[:1] in {("one",), ("several",)} else parts
    return "".join(f"/{str(part).encode(errors='backslashreplace').decode()}" for part in parts)


async def answer_fault(_: Request, error: Exception) -> JSONResponse:
    """A fault of ours: its class alone, for its words may be the article's."""
    log.warning("fault: %s", type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))
    return RequestProblem("internal", f"mahdar failed: {type(error).__name__}").response


async def answer_mahdar_error(_: Request, error: Exception) -> JSONResponse:
    """An error of mahdar's as problem details."""
    assert isinstance(error, MahdarError)
    return RequestProblem.of(error).response
