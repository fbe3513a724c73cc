"""The routes of jobs, and tables of what was extracted."""

import asyncio
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from mahdar.runs.target import OutputPaths
from mahdar.server.app import NDJSON, Asking
from mahdar.server.jobs import PACKED, SUFFIXES, JobOptions, Jobs, JobStatus, save
from mahdar.server.problems import RequestProblem
from mahdar.tables.export import export

Form = Literal["csv", "parquet", "duckdb", "xlsx"]
PIECE: Final = 1 << 16
"""Bytes that are sent at once."""
ROWS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "Articles: JSON Lines, CSV, TSV or Parquet; Content-Encoding may be gzip or zstd.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in SUFFIXES},
    }
}


def file_name(request: Request) -> str:
    """How the file of a request's rows is called.

    Raises:
        RequestProblem: `unsupported`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = request.headers.get("content-encoding", "").strip().lower()
    if kind not in SUFFIXES or packed not in PACKED:
        raise RequestProblem(
            "unsupported", f"the Content-Type is one of {', '.join(SUFFIXES)}; packed, if at all, by gzip or zstd"
        )
    return f"articles{SUFFIXES[kind]}{PACKED[packed]}"


def add_jobs(app: FastAPI, jobs: Jobs, folder: Path) -> None:
    """Add the routes.

    Args:
        app: the application.
        jobs: what they are of.
        folder: where tables are made.
    """

    @app.post("/v1/jobs", status_code=202, openapi_extra=ROWS, tags=["jobs"])
    async def begin_job(
        request: Request,
        response: Response,
        caller: Asking,
        name: Annotated[str, Depends(file_name)],
        options: Annotated[JobOptions, Query()],
    ) -> JobStatus:
        """Extract many articles, for as long as it takes: JSON Lines or a table.

        The job is a run of `mahdar extract`, with its ledger: a restart of the service loses nothing and pays nothing
        twice. Its columns are `text`, `id` and `published_at`, or as the parameters say.
        """
        job = await jobs.add(caller, request.stream(), name, options)
        response.headers["Location"] = f"/v1/jobs/{job.file.id}"
        return jobs.status(job)

    @app.get("/v1/jobs", tags=["jobs"])
    def list_jobs(caller: Asking) -> list[JobStatus]:
        """Your jobs, in their order."""
        return [jobs.status(job) for job in jobs.of(caller)]

    @app.get("/v1/jobs/{job_id}", tags=["jobs"])
    def get_job(job_id: str, caller: Asking) -> JobStatus:
        """How far a job has come: articles, failures by class, tokens and cost."""
        return jobs.status(jobs.get(job_id, caller))

    @app.delete("/v1/jobs/{job_id}", status_code=204, tags=["jobs"])
    def cancel_job(job_id: str, caller: Asking) -> None:
        """Cancel a job: no further article is begun. Of one that has ended, everything is removed."""
        jobs.cancel(jobs.get(job_id, caller))

    @app.get("/v1/jobs/{job_id}/results", tags=["jobs"], response_class=StreamingResponse)
    def get_results(job_id: str, caller: Asking) -> StreamingResponse:
        """What there is so far, also while the job runs: a line an article, extractions first, then failures."""
        return StreamingResponse(jobs.get(job_id, caller).results(), media_type=NDJSON)

    @app.get("/v1/jobs/{job_id}/tables.zip", tags=["jobs"], response_class=StreamingResponse)
    def get_tables(
        job_id: str, caller: Asking, form: Annotated[Form, Query(alias="format")] = "csv"
    ) -> StreamingResponse:
        """What there is so far, as `mahdar export` writes it."""
        job = jobs.get(job_id, caller)
        with tempfile.TemporaryDirectory(dir=folder, prefix="tables-") as made:
            records = Path(made, "extractions.jsonl")
            with records.open("wb") as file:
                file.writelines(job.results())  # whole lines, while the job may write more
            return _zipped(records, folder, form)

    @app.post("/v1/tables", openapi_extra=ROWS, tags=["extractions"], response_class=StreamingResponse)
    async def make_tables(
        request: Request,
        _: Asking,
        name: Annotated[str, Depends(file_name)],
        form: Annotated[Form, Query(alias="format")] = "csv",
    ) -> StreamingResponse:
        """Tables of extractions, which are sent as JSON lines: as `mahdar export` writes them, in a ZIP file."""
        if not name.endswith(".jsonl"):
            raise RequestProblem("unsupported", f"extractions are sent as {NDJSON}")
        with tempfile.TemporaryDirectory(dir=folder, prefix="tables-") as made:
            records = Path(made, "extractions.jsonl")
            await save(request.stream(), records)
            return await asyncio.to_thread(_zipped, records, folder, form)


def _zipped(records: Path, folder: Path, form: Form) -> StreamingResponse:
    """A ZIP file of tables."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="tables-") as made:
        target = Path(made, "tables" if form in {"csv", "parquet"} else f"mahdar.{form}")
        export(records, OutputPaths(target, form))
        packed = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed when it was sent
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(target.iterdir()) if target.is_dir() else [target]:
                archive.write(path, path.name)
    packed.seek(0)
    named = {"Content-Disposition": 'attachment; filename="tables.zip"'}
    return StreamingResponse(_pieces(packed), media_type="application/zip", headers=named)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
