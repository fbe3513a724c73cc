"""Define the articles that requests carry, and the failures among the results of a list."""

from collections import Counter
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from mahdar.documents.document import Document, as_document
from mahdar.documents.pages import PagesUnreadableError, is_page, read_page
from mahdar.errors import BadInputError, ExtractionError, NoModelError
from mahdar.results import Failure, Usage
from mahdar.runs.entry import Entry
from mahdar.server.problems import as_problem

EXAMPLE: Final[dict[str, Any]] = {
    "id": "a1",
    "text": "استقبل وزير الخارجية الموريتاني محمد سالم ولد مرزوك في نواكشوط، الأحد 4 فبراير 2024، نظيره السنغالي "
    "إسماعيلا ماديور فال.",
    "published_at": "2024-02-05",
    "tasks": ["meetings"],
    "kept": {"title": "مرزوك يستقبل نظيره السنغالي", "outlet": "وكالة الأنباء"},
}


def _encodable(text: str) -> str:
    """Refuse lone surrogates, which JSON can escape and UTF-8 cannot encode."""
    text.encode()
    return text


Name = Annotated[str, AfterValidator(_encodable)]
Kept = dict[Annotated[Name, Field(max_length=100)], Annotated[Name, Field(max_length=5_000)]]


class ArticleRequest(BaseModel):
    """One article."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    text: str = Field(
        description="The plain text, which the offsets of the records count in code points. Or a saved web page."
    )
    id: Name | None = Field(None, max_length=1_000, description="By default the beginning of the text's hash.")
    published_at: str | None = Field(
        None, description="The day of publication, ISO 8601; «yesterday» is dated only with it.", max_length=100
    )
    tasks: list[str] | None = Field(None, description="Names of `GET /v1/tasks`; by default all.", min_length=1)
    kept: Kept = Field({}, max_length=50, description="Fields that the result carries, such as title and url.")

    def document(self) -> Document:
        """Read the article; of a saved web page the article in it, which can take seconds.

        Raises:
            BadInputError: the day is none, or the page cannot be read.
        """
        if not is_page(self.text):
            return replace(as_document(self.text, self.published_at, self.id), kept=self.kept)
        try:
            page = read_page(self.text)
        except PagesUnreadableError as error:
            raise BadInputError(f"the text {error}") from None
        document = as_document(page.text, self.published_at or page.published_at, self.id)
        return replace(document, kept={**page.kept, **self.kept})


def _unique(articles: list[ArticleRequest]) -> list[ArticleRequest]:
    ids = Counter(article.id for article in articles if article.id is not None)
    if ids and (first := ids.most_common(1)[0])[1] > 1:
        raise ValueError(f"{first[1]} articles have the id {first[0]!r}; give each its own")
    return articles


Body = Annotated[
    Annotated[ArticleRequest, Tag("one")]
    | Annotated[list[ArticleRequest], Field(min_length=1), AfterValidator(_unique), Tag("several")],
    Discriminator(lambda body: "several" if isinstance(body, list) else "one"),
]
"""One article, or a list of them."""


class FailureLine(BaseModel):
    """An article that failed, among the results of a list."""

    document_id: str
    failure: str = Field(description="The class of the failure.")
    message: str
    attempts: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = Field(None, description="US dollars; null if the price is unknown.")


def failure_line(document_id: str, error: Exception) -> str:
    """Return a failure as a line of JSON, in the format of the error file of `mahdar extract`."""
    problem = as_problem(error)
    failed = Failure(document_id, problem.failure, problem.detail, usage_of(error))  # type: ignore[arg-type]  # or ours
    return Entry.of_failure(failed, "", None, None, 0).error_line


def usage_of(error: Exception) -> Usage:
    """Return what was spent before an error."""
    return error.usage if isinstance(error, ExtractionError | NoModelError) else Usage()
