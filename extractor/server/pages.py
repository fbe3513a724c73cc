"""Serve the pages: one for readers, and one that describes the requests. Neither loads anything from a network."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from mahdar.documents.pages import is_page
from mahdar.html import page, payload
from mahdar.html.page import LANGUAGES, PageSource
from mahdar.runs.outputs import as_extraction
from mahdar.server.articles import EXAMPLE, ArticleRequest
from mahdar.server.routes import Asking, Service

if TYPE_CHECKING:
    from mahdar.html.texts import Presence

STYLES: Final = ("page.css", "report.css", "serve.css")
READERS: Final = PageSource(__package__, "serve.html.j2", STYLES, ("page.js", "report.js", "serve.js"), calls=True)
DESCRIPTION: Final = PageSource(__package__, "docs.html.j2", ("page.css", "docs.css"), ("page.js", "docs.js"))
router = APIRouter(include_in_schema=False)


class Viewed(BaseModel):
    """An extraction, and the text it was made from, if the client has it."""

    extraction: dict[str, Any]
    text: str | None = None


@router.get("/")
def readers(request: Request, service: Service, accept_language: Annotated[str, Header()] = "") -> Response:
    """Return the page for readers, in the first of its languages that the browser accepts, or else in English."""
    accepted = re.findall(r"\b[a-z]{2}\b", accept_language.lower())
    return _html(
        READERS,
        language=next((code for code in accepted if code in LANGUAGES), "en"),
        makers=tuple(sorted({maker.name for maker in service.extractor.made_by.values()})),
        tasks=tuple(task.name for task in service.extractor.tasks),
        closed=service.callers.closed,
        version=request.app.version,
    )


@router.get("/docs")
def description(request: Request) -> Response:
    """Return the description of the requests."""
    example = json.dumps(EXAMPLE, ensure_ascii=False, indent=2)
    return _html(DESCRIPTION, language="en", api=request.app.openapi(), example=example, version=request.app.version)


@router.post("/v1/view")
def view(viewed: list[Viewed], _: Asking) -> Response:
    """Return what the page's script shows of extractions, as in a report."""
    shown = []
    for number, one in enumerate(viewed):
        text = one.text
        if text is not None and is_page(text):
            text = ArticleRequest(text=text).document().text
        presence: Presence = "absent" if text is None else "found"
        extraction = as_extraction(f"/{number}/extraction", one.extraction)
        shown.append(payload.safe_json(payload.article(extraction, text, presence)))
    return Response(f"[{','.join(shown)}]", media_type="application/json")


def _html(source: PageSource, **values: Any) -> Response:
    policy = f"{source.policy}; frame-ancestors 'none'"
    text = page.render(source, title="mahdar", **values)
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})
