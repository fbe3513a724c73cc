"""The service's pages: one for readers, and its description, without anything from a network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from mahdar.documents.pages import is_page
from mahdar.html import page, payload
from mahdar.html.page import LANGUAGES, Language, PageSource
from mahdar.runs.outputs import as_extraction
from mahdar.server.app import Asking
from mahdar.server.articles import EXAMPLE, ArticleRequest
from mahdar.server.service import ExtractionService

if TYPE_CHECKING:
    from mahdar.html.texts import Presence

STYLES: Final = ("page.css", "report.css", "serve.css")
READERS: Final = PageSource(__package__, "serve.html.j2", STYLES, ("page.js", "report.js", "serve.js"), calls=True)
DESCRIPTION: Final = PageSource(__package__, "docs.html.j2", ("page.css", "docs.css"), ("page.js", "docs.js"))
HTML: Final = "text/html; charset=utf-8"


class Viewed(BaseModel):
    """An extraction, and the text that it was made from, where that is at hand."""

    extraction: dict[str, Any]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A request that the service answers, as its description shows it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[tuple[str, str, str], ...]
    """name, where it stands, what it is by default"""
    takes: tuple[str, ...]
    """media types of the body"""
    answers: tuple[tuple[str, str, str], ...]
    """status, media types, description, where there is no problem"""


def add_pages(app: FastAPI, service: ExtractionService) -> None:
    """Add the pages.

    Args:
        app: the application; all other routes are there already.
        service: whose pages they are.
    """

    @app.get("/", include_in_schema=False)
    def readers(accept_language: Annotated[str, Header()] = "") -> Response:
        """Answer with the page for readers, in the first of its languages that the browser asks for."""
        return _html(READERS, _readers(preferred(accept_language)))

    @app.get("/docs", include_in_schema=False)
    def description() -> Response:
        """Answer with the description for people."""
        return _html(DESCRIPTION, _described())

    @app.post("/v1/view", include_in_schema=False)
    def view(found: list[Viewed], _: Asking) -> Response:
        """Answer with what the page's script shows of extractions, as a report has it."""
        shown = []
        for number, one in enumerate(found):
            extraction = as_extraction(f"/{number}/extraction", one.extraction)
            text = one.text
            if text is not None and is_page(text):
                text = ArticleRequest(text=text).document().text
            presence: Presence = "absent" if text is None else "found"
            shown.append(payload.safe_json(payload.article(extraction, text, presence)))
        return Response(f"[{','.join(shown)}]", media_type="application/json")

    @cache
    def _readers(language: Language) -> str:
        made_by = {maker.name for maker in service.extractor.made_by.values()}
        tasks = [task.name for task in service.extractor.tasks]
        shared = {"title": "mahdar", "version": app.version, "closed": service.callers.closed}
        return page.render(READERS, language=language, makers=sorted(made_by), tasks=tasks, **shared)

    @cache
    def _described() -> str:
        schema = app.openapi()
        shown = {"title": "mahdar", "version": app.version, "about": schema["info"]["description"].split("\n\n")}
        example = json.dumps(EXAMPLE, ensure_ascii=False, indent=2)
        operations = list(operations_of(schema))
        return page.render(DESCRIPTION, language="en", operations=operations, example=example, **shown)


def preferred(accepted: str) -> Language:
    """The first of the page's languages that an Accept-Language header names; English where it names none."""
    for part in accepted.split(","):
        code = part.partition(";")[0].partition("-")[0].strip().lower()
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"


def operations_of(schema: dict[str, Any]) -> Iterator[Operation]:
    """Every request of an OpenAPI description, in its order."""
    for path, methods in schema["paths"].items():
        for method, one in methods.items():
            yield Operation(
                method.upper(),
                path,
                one["summary"],
                one.get("description", ""),
                tuple(
                    (each["name"], each["in"], str(each["schema"].get("default") or ""))
                    for each in one.get("parameters", ())
                ),
                tuple(one.get("requestBody", {}).get("content", ())),
                tuple(
                    (status, ", ".join(answer.get("content", ())), answer["description"])
                    for status, answer in one["responses"].items()
                    if status.startswith("2")
                ),
            )


def _html(source: PageSource, text: str) -> Response:
    return HTMLResponse(text, headers={"Content-Security-Policy": f"{source.policy}; frame-ancestors 'none'"})
