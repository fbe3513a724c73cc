"""Answer every error with problem details (RFC 9457): the class of the failure, and the remedy.

A class is that of an article's failure (`mahdar.errors`), or one of the service's own: then the request was refused,
nothing was extracted, and nothing was paid.
"""

import logging
import math
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from mahdar.errors import ExtractionError, MahdarError, NoModelError
from mahdar.wording import NAMED

log = logging.getLogger("mahdar")

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 10
"""Default of Retry-After, in seconds."""
RETRIED: Final = frozenset({"rate_limited", "no_model", "too_many", "busy", "stopping"})
"""Classes answered with Retry-After."""
CLASSES: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(
    (files(__package__) / "problems.toml").read_text(encoding="utf-8")
)
"""Status, title and remedy by class."""
_BY_STATUS: Final = {404: "not_found", 405: "not_allowed", 413: "too_large"}


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="`urn:mahdar:problem:` and the class.")
    title: str
    status: int
    detail: str
    failure: str = Field(description="The class of the failure.")
    remedy: str


class RequestProblem(HTTPException):
    """A request that cannot be answered.

    Args:
        failure: the class, a key of `CLASSES`.
        detail: what is wrong with this request; by default the title of the class.
        retry_after: seconds until the client may try again.
        status: overrides the status of the class.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        failure: str,
        detail: str = "",
        *,
        retry_after: float | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        kind, headers = CLASSES[failure], dict(headers or {})
        if failure in RETRIED:
            headers["Retry-After"] = str(math.ceil(retry_after or RETRY_AFTER))
        if failure == "unauthorized":
            headers["WWW-Authenticate"] = 'Bearer realm="mahdar"'
        super().__init__(status or kind["status"], detail or kind["title"], headers)
        self.failure, self.retry_after = failure, retry_after

    def response(self) -> Response:
        """Return the answer to the client."""
        shown = {**CLASSES[self.failure], "status": self.status_code, "detail": self.detail, "failure": self.failure}
        details = ProblemDetails(type=f"urn:mahdar:problem:{self.failure}", **shown)
        return JSONResponse(details.model_dump(), self.status_code, self.headers, MEDIA_TYPE)


def as_problem(error: Exception) -> RequestProblem:
    """Return an error as a problem; log an unexpected one by its class alone, as its message may quote an article."""
    match error:
        case RequestProblem():
            return error
        case HTTPException():
            failure = _BY_STATUS.get(error.status_code, "invalid_request")
            return RequestProblem(failure, str(error.detail), status=error.status_code, headers=error.headers)
        case RequestValidationError():
            errors = error.errors()
            detail = "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in errors[:NAMED])
            return RequestProblem(
                "invalid_request", detail, status=400 if errors[0]["type"] == "json_invalid" else None
            )
        case ExtractionError():
            return RequestProblem(error.failure, str(error), retry_after=error.retry_after)
        case MahdarError():
            return RequestProblem("no_model" if isinstance(error, NoModelError) else "invalid_request", str(error))
    log.warning("failed: %s", type(error).__name__, exc_info=error if log.isEnabledFor(logging.DEBUG) else None)
    return RequestProblem(
        "internal", f"mahdar failed: {type(error).__name__}; logged at the level DEBUG, it says where"
    )


async def answer(_: Request, error: Exception) -> Response:
    """Answer with the problem details of an error."""
    return as_problem(error).response()


def _place(parts: tuple[int | str, ...]) -> str:
    """Return a place in the body as a JSON Pointer, without pydantic's tags of the body's two forms."""
    pointer = re.sub("^/body(/one|/several)?", "", "".join(f"/{part}" for part in parts))
    return pointer.encode(errors="backslashreplace").decode() or "the body"
