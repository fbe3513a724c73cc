"""The application: the service's routes, described by OpenAPI."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mahdar.errors import MahdarError
from mahdar.runs.lines import json_line
from mahdar.schemas.records import Extraction
from mahdar.server.articles import Body, FailureLine
from mahdar.server.callers import Caller
from mahdar.server.gate import CALLER, Gate
from mahdar.server.problems import (
    MEDIA_TYPE,
    ProblemDetails,
    RequestProblem,
    answer_fault,
    answer_http_error,
    answer_invalid,
    answer_mahdar_error,
)
from mahdar.server.service import ExtractionService, Gone, while_connected

NDJSON: Final = "application/x-ndjson"
DESCRIPTION: Final = """\
Who met whom and who stands where, from news articles: every record tied to the words that say it.

Errors are problem details (RFC 9457): `failure` is the class, `remedy` what to do. Where the service needs a token,
send `Authorization: Bearer TOKEN`."""
PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDetails"}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request cannot be answered.", "content": {MEDIA_TYPE: {"schema": PROBLEM}}},
    "5XX": {"description": "No result, or none now.", "content": {MEDIA_TYPE: {"schema": PROBLEM}}},
}


class TaskInfo(BaseModel):
    """A task of the service."""

    task: str
    made_by: str
    """who makes its records: a model, or the rule reader"""
    prompt: str | None = None
    schema_sha256: str | None = None


class ServiceState(BaseModel):
    """How the service is."""

    status: str


def create_app(service: ExtractionService, folder: Path) -> Gate:
    """The application.

    Args:
        service: what it answers with.
        folder: where jobs are kept; no other service uses it.
    """
    from mahdar.server.jobs import Jobs
    from mahdar.server.jobs_api import add_jobs
    from mahdar.server.pages import add_pages

    jobs = Jobs(service, folder / "jobs")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await jobs.start()
        yield
        await jobs.stop()

    app = FastAPI(
        title="mahdar",
        version=_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEMS,
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(MahdarError, answer_mahdar_error)
    app.add_exception_handler(Gone, answer_nobody)
    app.add_exception_handler(ClientDisconnect, answer_nobody)
    app.add_exception_handler(Exception, answer_fault)
    _add_extractions(app, service)
    _add_tasks(app, service)
    _add_state(app, service, jobs.count)
    add_jobs(app, jobs, folder)
    add_pages(app, service)
    described = app.openapi()["components"]["schemas"]  # made once; what FastAPI cannot know of is added
    described.update({model.__name__: model.model_json_schema() for model in (ProblemDetails, FailureLine)})
    return Gate(app, service)


bearer = HTTPBearer(auto_error=False, description="A token of the service, where it has some.")


def caller_of(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    """Who asks, as the gate has found out."""
    caller: Caller = request.scope[CALLER]
    return caller


def in_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON: what a page of another site may send unasked says no such thing.

    Raises:
        RequestProblem: `unsupported`.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestProblem("unsupported", "the Content-Type is application/json")


Asking = Annotated[Caller, Depends(caller_of)]


def _add_extractions(app: FastAPI, service: ExtractionService) -> None:
    described: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "Of one article its extraction; of a list a line each, as they come, failures among them.",
            "model": Extraction,
            "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/FailureLine"}}},
        }
    }

    @app.post(
        "/v1/extractions",
        response_model=None,
        responses=described,
        tags=["extractions"],
        dependencies=[Depends(in_json)],
    )
    async def extract(request: Request, body: Body, caller: Asking) -> Response:
        """Extract one article, or several.

        One article is answered by its extraction, as `mahdar extract` writes it. A list is answered by a stream of JSON
        lines (`application/x-ndjson`), each an extraction or a failure with its class, as results come. What is not
        begun when the client disconnects is not begun, and not paid for.
        """
        articles = body if isinstance(body, list) else [body]
        service.admit(caller, articles)
        if isinstance(body, list):
            return StreamingResponse(service.lines(articles, caller), media_type=NDJSON)
        result = await while_connected(request, service.extract(body, caller))
        return Response(json_line(result), media_type="application/json")


def _add_tasks(app: FastAPI, service: ExtractionService) -> None:
    @app.get("/v1/tasks", tags=["tasks"])
    async def get_tasks(_: Asking) -> list[TaskInfo]:
        """What the service looks for, and who makes the records."""
        makers = service.extractor.made_by
        return [
            TaskInfo(task=name, made_by=maker.name, prompt=maker.prompt, schema_sha256=maker.schema)
            for name, maker in makers.items()
        ]

    @app.get("/v1/schemas/{task}", tags=["tasks"])
    async def get_schema(task: str, _: Asking) -> dict[str, Any]:
        """The JSON Schema of a task's records, or of a whole extraction (`extraction`)."""
        models: dict[str, type[BaseModel]] = {one.name: one.schema.record for one in service.extractor.tasks}
        models["extraction"] = Extraction
        if task not in models:
            raise RequestProblem("not_found", f"task {task!r}: this service has {', '.join(models)}")
        return models[task].model_json_schema(mode="serialization")


def _add_state(app: FastAPI, service: ExtractionService, count_jobs: Callable[[], Mapping[str, int]]) -> None:
    @app.get("/healthz", tags=["state"])
    async def healthz() -> ServiceState:
        """Whether the process answers."""
        return ServiceState(status="ok")

    @app.get("/readyz", tags=["state"])
    async def readyz() -> ServiceState:
        """Whether it takes articles; not while it is being stopped."""
        if service.stopping:
            raise RequestProblem("stopping")
        return ServiceState(status="ready")

    @app.get("/metrics", tags=["state"], response_class=Response)
    async def metrics(_: Asking) -> Response:
        """Counters for Prometheus; with a token, where the service has some."""
        for state, number in count_jobs().items():
            service.metrics.jobs.labels(state).set(number)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


async def answer_nobody(_: Request, __: Exception) -> Response:
    """The client has gone; the status is for the log."""
    return Response(status_code=499)


def _version() -> str:
    try:
        return version("mahdar")
    except PackageNotFoundError:
        return "0"
