"""Serve the pages: one for readers, and one that describes the requests. Neither loads anything from a network."""

import json
import re
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, FastAPI, Header, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from mahdar.html import page, payload
from mahdar.html.page import LANGUAGES, Language, PageSource
from mahdar.html.texts import Texts
from mahdar.runs.outputs import as_extraction
from mahdar.server.articles import EXAMPLE, ArticleRequest
from mahdar.server.routes import Asking
from mahdar.server.service import ExtractionService

STYLES: Final = ("page.css", "report.css", "serve.css")
READERS: Final = PageSource(__package__, "serve.html.j2", STYLES, ("page.js", "report.js", "serve.js"), calls=True)
DESCRIPTION: Final = PageSource(__package__, "docs.html.j2", ("page.css", "docs.css"), ("page.js", "docs.js"))
router = APIRouter(include_in_schema=False)


class Viewed(BaseModel):
    """An extraction, and its article as it was sent, if the client has it."""

    extraction: dict[str, Any]
    text: str | None = None


def render_pages(app: FastAPI, service: ExtractionService) -> dict[str, Response]:
    """Render the pages, which do not depend on the request: `docs`, and the page for readers by its language."""
    shown = {
        "makers": sorted({maker.name for maker in service.extractor.made_by.values()}),
        "tasks": [task.name for task in service.extractor.tasks],
        "closed": service.callers.closed,
    }
    example = json.dumps(EXAMPLE, ensure_ascii=False, indent=2)

    def rendered(source: PageSource, language: Language, values: dict[str, Any]) -> Response:
        text = page.render(source, language=language, title="mahdar", version=app.version, **values)
        return HTMLResponse(text, headers={"Content-Security-Policy": f"{source.policy}; frame-ancestors 'none'"})

    return {
        "docs": rendered(DESCRIPTION, "en", {"api": app.openapi(), "example": example}),
        **{language: rendered(READERS, language, shown) for language in LANGUAGES},
    }


@router.get("/")
def readers(request: Request, accept_language: Annotated[str, Header()] = "") -> Response:
    """Return the page for readers, in the first of its languages that the browser accepts, or else in English."""
    accepted = re.findall(r"\b[a-z]{2}\b", accept_language.lower())
    return _page(request, next((code for code in accepted if code in LANGUAGES), "en"))


@router.get("/docs")
def description(request: Request) -> Response:
    """Return the description of the requests."""
    return _page(request, "docs")


@router.post("/v1/view")
def view(viewed: list[Viewed], _: Asking) -> Response:
    """Return what the page's script shows of extractions, as in a report.

    A text that is not the one that was extracted is not shown, and the page says so.
    """
    shown = []
    for number, one in enumerate(viewed):
        extraction = as_extraction(f"/{number}/extraction", one.extraction)
        texts = Texts()
        if one.text is not None:
            document = ArticleRequest(text=one.text).document()
            texts = Texts({document.sha256: document.text}, {extraction.document_id})
        shown.append(payload.safe_json(payload.article(extraction, *texts.find(extraction))))
    return Response(f"[{','.join(shown)}]", media_type="application/json")


def _page(request: Request, name: str) -> Response:
    return cast("Response", request.app.state.pages[name])
