"""Articles as requests have them, and what is answered to a list of them."""

import logging
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from mahdar.documents.document import Document
from mahdar.documents.pages import PagesUnreadableError, is_page, read_page
from mahdar.errors import ExtractionError, MahdarError
from mahdar.results import Usage
from mahdar.runs.lines import dumps
from mahdar.server.problems import RequestProblem
from mahdar.service import as_document

log = logging.getLogger("mahdar")

EXAMPLE: Final[dict[str, Any]] = {
    "id": "a1",
    "text": "استقبل وزير الخارجية الموريتاني محمد سالم ولد مرزوك في نواكشوط، الأحد 4 فبراير 2024، نظيره السنغالي "
    "إسماعيلا ماديور فال.",
    "published_at": "2024-02-05",
    "tasks": ["meetings"],
    "kept": {"title": "مرزوك يستقبل نظيره السنغالي", "outlet": "وكالة الأنباء"},
}


def _writable(text: str) -> str:
    """Refuse halves of surrogate pairs, which JSON may hold and nobody can write."""
    text.encode()
    return text


Name = Annotated[str, AfterValidator(_writable)]
Kept = dict[Annotated[Name, Field(max_length=100)], Annotated[Name, Field(max_length=5_000)]]


class ArticleRequest(BaseModel):
    """One article."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    text: str = Field(
        description="The article's plain text; offsets of the records are into it, in code points. Or a saved page."
    )
    id: Name | None = Field(None, max_length=1_000, description="Names it in the results; by default made of its hash.")
    published_at: str | None = Field(
        None, description="The day it appeared, ISO 8601; «yesterday» is a date only then.", max_length=100
    )
    tasks: list[str] | None = Field(None, description="What to look for; by default all of `GET /v1/tasks`.")
    kept: Kept = Field({}, max_length=50, description="Further fields, such as title and url, that the result carries.")

    def document(self) -> Document:
        """The article as mahdar reads it; of a saved page the article in it, which may take seconds.

        Raises:
            RequestProblem: `bad_input`, of the day or the page.
        """
        try:
            if not is_page(self.text):
                return replace(as_document(self.text, self.published_at, self.id), kept=self.kept)
            page = read_page(self.text)
            document = as_document(page.text, self.published_at or page.published_at, self.id)
            return replace(document, kept={**page.kept, **self.kept})
        except PagesUnreadableError as error:
            raise RequestProblem("bad_input", f"the text {error}", document_id=self.id) from None
        except MahdarError as error:
            raise RequestProblem.of(error, self.id) from None


def _form(body: Any) -> str:
    return "several" if isinstance(body, list) else "one"


Several = Annotated[list[ArticleRequest], Field(min_length=1)]
Body = Annotated[
    Annotated[ArticleRequest, Tag("one")] | Annotated[Several, Tag("several")],
    Discriminator(_form),
]
"""One article, or a list of them."""


class FailureLine(BaseModel):
    """An article that failed, among the results of a list."""

    document_id: str
    failure: str
    """its class"""
    message: str
    attempts: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


def failure_line(document_id: str, error: RequestProblem | MahdarError) -> str:
    """A failure on a line, as `mahdar extract` writes it into its file of errors."""
    usage = error.usage if isinstance(error, ExtractionError) else Usage()
    line = FailureLine(
        document_id=document_id,
        failure=class_of(error),
        message=str(error.detail if isinstance(error, RequestProblem) else error),
        attempts=usage.attempts,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=None if usage.unpriced else float(usage.cost),
    )
    return dumps(line.model_dump())


def class_of(error: RequestProblem | MahdarError) -> str:
    """The class of what went wrong."""
    return error.failure if isinstance(error, RequestProblem | ExtractionError) else RequestProblem.of(error).failure


def as_problem(error: Exception) -> RequestProblem | MahdarError:
    """An error as what it is to a client; a fault of ours is logged, and named by its class alone."""
    if isinstance(error, RequestProblem | MahdarError):
        return error
    log.warning(
        "fault: %s", type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG)
    )  # its words may be the article's
    return RequestProblem(
        "internal", f"mahdar failed: {type(error).__name__}; logged at the level DEBUG, it says where"
    )
