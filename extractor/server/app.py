"""Create the application: routes, error handlers, and the gate around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mahdar.errors import MahdarError
from mahdar.server import pages, routes
from mahdar.server.articles import FailureLine
from mahdar.server.gate import Gate
from mahdar.server.jobs import Jobs
from mahdar.server.problems import MEDIA_TYPE, ProblemDetails, answer
from mahdar.server.service import ExtractionService
from mahdar.wording import installed_version

DESCRIPTION: Final = """\
Who met whom and who stands where, from news articles: every record tied to the words that say it.

Errors are problem details (RFC 9457): `failure` is the class, `remedy` what to do. If the service has tokens,
send `Authorization: Bearer TOKEN`."""
PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request cannot be answered.", "content": PROBLEM},
    "5XX": {"description": "No result, or none now.", "content": PROBLEM},
}


def create_app(service: ExtractionService, folder: Path) -> FastAPI:
    """Create the application.

    Args:
        service: extracts articles.
        folder: holds the jobs; used by no other service.
    """
    jobs = Jobs(service, folder / "jobs")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        yield
        await jobs.stop()

    app = FastAPI(
        title="mahdar",
        version=installed_version("0"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEMS,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={HTTPException: answer, RequestValidationError: answer, MahdarError: answer},
    )
    app.state.service, app.state.jobs, app.state.folder = service, jobs, folder
    app.include_router(routes.router)
    app.include_router(routes.state)
    app.include_router(pages.router)
    described = app.openapi()["components"]["schemas"]  # cached by FastAPI, which does not see these models
    described.update({model.__name__: model.model_json_schema() for model in (ProblemDetails, FailureLine)})
    app.state.pages = pages.render_pages(app, service)
    app.add_middleware(Gate, service=service)
    return app
