"""Define the routes for programs: extractions, tasks, jobs, tables, and the state of the service."""

import asyncio
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import generate_latest
from pydantic import BaseModel

from mahdar.errors import UsageError
from mahdar.runs.target import OutputPaths
from mahdar.schemas.records import Extraction
from mahdar.server.articles import Body
from mahdar.server.callers import Caller
from mahdar.server.jobs import Job, JobOptions, Jobs, JobStatus, save_body
from mahdar.server.problems import RequestProblem
from mahdar.server.service import ExtractionService, while_connected
from mahdar.tables.export import export

NDJSON: Final = "application/x-ndjson"
SUFFIXES: Final = {
    NDJSON: ".jsonl",
    "application/jsonl": ".jsonl",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.apache.parquet": ".parquet",
}
"""Content-Type → suffix of the file of articles."""
COMPRESSED: Final = {"": "", "identity": "", "gzip": ".gz", "zstd": ".zst"}
"""Content-Encoding → further suffix."""
ROWS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "JSON Lines, CSV, TSV or Parquet; Content-Encoding may be gzip or zstd.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES},
    }
}
EXTRACTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "For one article its extraction; for a list a line each as they are ready, failures included.",
        "model": Extraction,
        "content": {NDJSON: {"schema": {"$ref": "#/components/schemas/FailureLine"}}},
    }
}


class TaskInfo(BaseModel):
    """A task of the service, and the model or rules that make its records."""

    task: str
    made_by: str
    prompt: str | None = None
    schema_sha256: str | None = None


class ServiceState(BaseModel):
    """The state of the service."""

    status: Literal["ok", "ready"]


def known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not have: a misspelt one would have no effect."""
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    if unknown := [name for name in request.query_params if name not in known]:
        message = f"query parameter {unknown[0]!r}: this request has {', '.join(known) or 'none'}"
        raise RequestProblem("invalid_request", message)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def json_body(request: Request) -> None:
    """Refuse a body that is not declared as JSON; a page of another site cannot declare that without permission."""
    if _content_type(request) != "application/json":
        raise RequestProblem("unsupported", "the Content-Type must be application/json")


def file_name(request: Request) -> str:
    """Return the name of the file for the rows in a body, or fail as `unsupported`."""
    kind, encoding = _content_type(request), request.headers.get("content-encoding", "").strip().lower()
    if kind not in SUFFIXES or encoding not in COMPRESSED:
        message = f"the Content-Type must be one of {', '.join(SUFFIXES)}, the Content-Encoding gzip or zstd"
        raise RequestProblem("unsupported", message)
    return f"articles{SUFFIXES[kind]}{COMPRESSED[encoding]}"


bearer = HTTPBearer(auto_error=False, description="A token of the service, if it has any.")


def caller_of(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    """Return the caller, whom the gate has authenticated."""
    return cast("Caller", request.scope["caller"])


def service_of(request: Request) -> ExtractionService:
    """Return the service of the application."""
    return cast("ExtractionService", request.app.state.service)


def jobs_of(request: Request) -> Jobs:
    """Return the jobs of the application."""
    return cast("Jobs", request.app.state.jobs)


Asking = Annotated[Caller, Depends(caller_of)]
Service = Annotated[ExtractionService, Depends(service_of)]
AllJobs = Annotated[Jobs, Depends(jobs_of)]
FileName = Annotated[str, Depends(file_name)]
TableForm = Literal["csv", "parquet", "duckdb", "xlsx"]
Form = Annotated[TableForm, Query(alias="format")]


def job_of(job_id: str, jobs: AllJobs, caller: Asking) -> Job:
    """Return a job of the caller, or fail as `not_found`."""
    return jobs.get(job_id, caller)


def extractions_file(request: Request) -> Iterator[Path]:
    """Yield the path for a file of extractions, in a folder that is removed once the answer was sent."""
    with tempfile.TemporaryDirectory(dir=request.app.state.folder, prefix="tables-") as folder:
        yield Path(folder, "extractions.jsonl")


ExtractionsFile = Annotated[Path, Depends(extractions_file)]
router = APIRouter(dependencies=[Depends(known_parameters)])
state = APIRouter(tags=["state"])
"""Routes that probes and Prometheus ask, which may add parameters of their own."""


@router.post(
    "/v1/extractions",
    response_model=None,
    responses=EXTRACTED,
    tags=["extractions"],
    dependencies=[Depends(json_body)],
)
async def extract(request: Request, body: Body, caller: Asking, service: Service) -> Response:
    """Extract one article, or several.

    The answer for one article is its extraction, as `mahdar extract` writes it. For a list it is a stream of JSON lines
    (`application/x-ndjson`), each an extraction or a failure with its class, as results are ready. After the client has
    disconnected no further article is begun.
    """
    service.admit(caller, body if isinstance(body, list) else [body])
    if isinstance(body, list):
        return StreamingResponse(service.answers(body, caller), media_type=NDJSON)
    return Response(await while_connected(request, service.answer(body, caller)), media_type="application/json")


@router.get("/v1/tasks", tags=["tasks"])
async def get_tasks(_: Asking, service: Service) -> list[TaskInfo]:
    """List the tasks, and what makes their records."""
    return [
        TaskInfo(task=name, made_by=maker.name, prompt=maker.prompt, schema_sha256=maker.schema)
        for name, maker in service.extractor.made_by.items()
    ]


@router.get("/v1/schemas/{task}", tags=["tasks"])
async def get_schema(task: str, _: Asking, service: Service) -> dict[str, Any]:
    """Return the JSON Schema of the records of a task, or of an `extraction`."""
    models: dict[str, type[BaseModel]] = {one.name: one.schema.record for one in service.extractor.tasks}
    models["extraction"] = Extraction
    if task not in models:
        raise RequestProblem("not_found", f"task {task!r}: this service has {', '.join(models)}")
    return models[task].model_json_schema(mode="serialization")


@state.get("/healthz")
async def healthz() -> ServiceState:
    """Return whether the process answers."""
    return ServiceState(status="ok")


@state.get("/readyz")
async def readyz(service: Service) -> ServiceState:
    """Return whether the service takes articles, without asking the model.

    It does not while it is being stopped, and for half a minute after an article has found that no model can be
    reached; then the next article tries it again. Before the first article nothing is known of the model.
    """
    service.check_ready()
    return ServiceState(status="ready")


@state.get("/metrics", response_class=Response)
async def metrics(_: Asking, service: Service) -> Response:
    """Return the metrics in Prometheus's text format."""
    return Response(generate_latest(service.metrics.registry), media_type="text/plain; version=0.0.4")


@router.post("/v1/jobs", status_code=202, openapi_extra=ROWS, tags=["jobs"])
async def begin_job(  # noqa: PLR0917  # FastAPI passes them by name
    request: Request,
    response: Response,
    caller: Asking,
    jobs: AllJobs,
    name: FileName,
    options: Annotated[JobOptions, Query()],
) -> JobStatus:
    """Extract many articles: JSON Lines or a table.

    The job is a run of `mahdar extract` with its ledger: a restart of the service loses nothing and pays nothing twice.
    The columns are `text`, `id` and `published_at`, unless the parameters name others.
    """
    job = await jobs.add(caller, request.stream(), name, options)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return await asyncio.to_thread(jobs.status, job)  # reads the ledger


@router.get("/v1/jobs", tags=["jobs"])
def list_jobs(caller: Asking, jobs: AllJobs) -> list[JobStatus]:
    """List your jobs, the earliest first."""
    return [jobs.status(job) for job in jobs.of(caller)]


@router.get("/v1/jobs/{job_id}", tags=["jobs"])
def get_job(job: Annotated[Job, Depends(job_of)], jobs: AllJobs) -> JobStatus:
    """Return the progress of a job: articles, failures by class, tokens and cost."""
    return jobs.status(job)


@router.delete("/v1/jobs/{job_id}", status_code=204, tags=["jobs"])
def cancel_job(job: Annotated[Job, Depends(job_of)], jobs: AllJobs) -> None:
    """Cancel a job, so that no further article is begun. Remove everything of a job that has ended."""
    jobs.cancel(job)


@router.get("/v1/jobs/{job_id}/results", tags=["jobs"], response_class=StreamingResponse)
def get_results(job: Annotated[Job, Depends(job_of)]) -> StreamingResponse:
    """Return the results so far, also while the job runs: a line an article, extractions first, then failures."""
    return StreamingResponse(job.results(), media_type=NDJSON)


@router.get("/v1/jobs/{job_id}/tables.zip", tags=["jobs"], response_class=FileResponse)
def get_tables(job: Annotated[Job, Depends(job_of)], records: ExtractionsFile, form: Form = "csv") -> FileResponse:
    """Return the results so far as the tables of `mahdar export`."""
    with records.open("wb") as file:
        file.writelines(job.results())  # whole lines, while the job may write more
    return _zipped(records, form)


@router.post("/v1/tables", openapi_extra=ROWS, tags=["extractions"], response_class=FileResponse)
async def make_tables(
    request: Request, _: Asking, name: FileName, records: ExtractionsFile, form: Form = "csv"
) -> FileResponse:
    """Convert extractions, sent as JSON Lines, to the tables of `mahdar export` in a ZIP file."""
    if not name.endswith(".jsonl"):
        raise RequestProblem("unsupported", f"the Content-Type of extractions must be {NDJSON}")
    await save_body(request.stream(), records)
    return await asyncio.to_thread(_zipped, records, form)


def _zipped(records: Path, form: TableForm) -> FileResponse:
    """Return the tables of a file of extractions as a ZIP file, made beside it."""
    tables = records.with_name("tables" if form in {"csv", "parquet"} else f"mahdar.{form}")
    try:
        export(records, OutputPaths(tables, form))
    except UsageError as error:
        raise RequestProblem("invalid_request", str(error).replace(f"{records.parent}/", "")) from None
    archive = records.with_name("tables.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(tables.iterdir()) if tables.is_dir() else [tables]:
            zipped.write(path, path.name)
    return FileResponse(archive, media_type="application/zip", filename=archive.name)
