"""Jobs: batch runs in folders of the service, for what takes longer than a request.

A job's folder has its articles as they were sent, `job.json`, and what a run writes: records, ledger, failures. After a
restart every job that has not ended goes on by its ledger.
"""

import asyncio
import datetime as dt
import logging
import secrets
import shutil
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from mahdar.documents.document import Document
from mahdar.errors import BadInputError, MahdarError, UsageError
from mahdar.limits.budget import Spending
from mahdar.results import Failure
from mahdar.runs.identity import identity
from mahdar.runs.ledger import LEFT, Ledger, Progress
from mahdar.runs.lines import whole_lines
from mahdar.runs.outputs import ERRORS
from mahdar.runs.results import RunResults
from mahdar.runs.rows import Columns
from mahdar.runs.run import run
from mahdar.runs.sources import Articles
from mahdar.runs.target import LEDGER
from mahdar.schemas.records import Extraction
from mahdar.server.articles import as_problem
from mahdar.server.callers import Caller
from mahdar.server.problems import RequestProblem
from mahdar.server.service import ExtractionService, spending_of, spent_on

log = logging.getLogger("mahdar")

JobState = Literal["waiting", "running", "done", "stopped", "cancelled", "failed"]
ENDED: Final = frozenset({"done", "cancelled", "failed"})
SOME: Final = 64
"""Lines that are sent at once."""
TURN: Final = 0.5
"""Seconds between two looks whether a job that waits for its caller's rate was cancelled."""
UPLOADING: Final = ".new-"
"""Begins the name of a folder whose articles are still being sent."""
SUFFIXES: Final = {
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.apache.parquet": ".parquet",
}
"""Content-Type → how the file of a job's articles is called."""
PACKED: Final = {"": "", "identity": "", "gzip": ".gz", "zstd": ".zst"}


class JobOptions(BaseModel):
    """How a job's articles are read, as the options of `mahdar extract` say it."""

    published_at: str | None = None
    text_column: str = "text"
    id_column: str | None = None
    date_column: str | None = None
    keep: tuple[str, ...] = ()


class JobFile(BaseModel):
    """What is kept of a job beside its run."""

    id: str
    caller: str
    created_at: dt.datetime
    articles: str
    options: JobOptions
    state: JobState = "waiting"
    reason: str = ""


class JobStatus(BaseModel):
    """How far a job has come."""

    id: str
    state: JobState
    """waiting for its turn; running; done; stopped: it goes on when the service is started again, `reason` says why;
    cancelled; failed: it cannot go on"""
    reason: str = ""
    created_at: dt.datetime
    ahead: int = 0
    """jobs that come first"""
    total: int | None = None
    """articles there are, once all have been read"""
    done: int = 0
    failed: dict[str, int] = {}
    """articles that failed, by class"""
    records: int = 0
    rejected: int = 0
    cached: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    """US dollars; null where a price is not known"""


class ServiceJob:
    """One job, and its files."""

    def __init__(self, folder: Path, file: JobFile) -> None:
        self.folder = folder
        self.file = file
        self.cancelled = threading.Event()
        self.active = False
        self._lock = threading.Lock()

    @property
    def records(self) -> Path:
        """The results."""
        return self.folder / "records.jsonl"

    def set(self, state: JobState, reason: str = "") -> None:
        """Change the state, in one step; a job that was cancelled stays so."""
        with self._lock:
            if self.file.state == "cancelled":
                return
            self.file = self.file.model_copy(update={"state": state, "reason": self.unplaced(reason)})
            made = self.folder / "job.json.new"
            made.write_text(self.file.model_dump_json(indent=1), encoding="utf-8")
            made.replace(self.folder / "job.json")

    def unplaced(self, said: str) -> str:
        """A message without the folder of the service, which is nobody's business."""
        return said.replace(f"{self.folder}/", "")

    def articles(self) -> Articles:
        """The articles.

        Raises:
            MahdarError: the options do not fit them.
        """
        options = self.file.options
        columns = Columns(options.text_column, options.id_column, options.date_column, options.keep)
        return Articles([self.folder / self.file.articles], columns, published_at=options.published_at)

    def progress(self) -> Progress:
        """What the run has come to; nothing where it has not begun."""
        try:
            ledger = Ledger(Path(f"{self.records}{LEDGER}"))
        except (FileNotFoundError, UsageError):
            return Progress()
        try:
            return ledger.progress()
        finally:
            ledger.close()

    def results(self) -> Iterator[bytes]:
        """What there is so far, some lines at a time, one an article: extractions, then failures."""
        for path in (self.records, Path(f"{self.records}{ERRORS}")):
            with suppress(FileNotFoundError), path.open("rb") as file:
                lines = (line for line, _ in whole_lines(file))
                while some := b"".join(islice(lines, SOME)):
                    yield some


class Jobs:
    """All jobs of a service. At most so many run at once; the others wait in the order in which they came.

    Args:
        service: extracts, and knows the callers.
        folder: holds a folder for each job; one service at a time uses it.
    """

    def __init__(self, service: ExtractionService, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._jobs: dict[str, ServiceJob] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(service.bounds.jobs, "mahdar-job")

    async def start(self) -> None:
        """Go on with every job that has not ended, in their order."""
        self._loop = asyncio.get_running_loop()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._folder.glob(f"{UPLOADING}*"):
            shutil.rmtree(left, ignore_errors=True)
        for folder in sorted(self._folder.iterdir()):
            try:
                job = ServiceJob(folder, JobFile.model_validate_json((folder / "job.json").read_bytes()))
            except (OSError, ValueError):
                log.warning("%s holds no job; it is left as it is", folder.name)
                continue
            self._jobs[job.file.id] = job
            if job.file.state not in ENDED:
                self._begin(job)

    async def stop(self) -> None:
        """Begin nothing more, and wait until what is under way has come to its end; for as long as the bounds say."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._threads.shutdown), self._service.bounds.grace)

    async def add(self, caller: Caller, articles: AsyncIterator[bytes], name: str, options: JobOptions) -> ServiceJob:
        """Take a job in, once all of its articles have come.

        Raises:
            RequestProblem: the caller has as many jobs as wait, the articles cannot be read so, or the service stops.
        """
        if self._service.stopping:
            raise RequestProblem("stopping")
        waiting = [job for job in self.of(caller) if job.file.state not in ENDED]
        if len(waiting) >= self._service.bounds.waiting:
            raise RequestProblem("busy", f"{len(waiting)} jobs of {caller.name!r} wait or run, as many as may")
        now = dt.datetime.now(dt.UTC)
        id_ = f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
        uploading = self._folder / f"{UPLOADING}{id_}"
        uploading.mkdir(mode=0o700)
        try:
            job = ServiceJob(
                uploading, JobFile(id=id_, caller=caller.name, created_at=now, articles=name, options=options)
            )
            await save(articles, uploading / name)
            try:
                await asyncio.to_thread(job.articles)
            except MahdarError as error:
                raise RequestProblem("invalid_request", job.unplaced(str(error))) from None
            job.set("waiting")
            job.folder = uploading.rename(self._folder / id_)
        except BaseException:
            shutil.rmtree(uploading, ignore_errors=True)
            raise
        self._jobs[id_] = job
        self._begin(job)
        return job

    def of(self, caller: Caller) -> list[ServiceJob]:
        """A caller's jobs, in their order."""
        return [job for job in self._jobs.values() if job.file.caller == caller.name]

    def get(self, id_: str, caller: Caller) -> ServiceJob:
        """A job of a caller.

        Raises:
            RequestProblem: `not_found`; another caller's is none.
        """
        job = self._jobs.get(id_)
        if job is None or job.file.caller != caller.name:
            raise RequestProblem("not_found", f"{caller.name!r} has no job {id_!r}")
        return job

    def status(self, job: ServiceJob) -> JobStatus:
        """How far a job has come."""
        before = [
            one for one in self._jobs.values() if one.file.state in {"waiting", "running"} and one.file.id < job.file.id
        ]
        told = asdict(job.progress())
        tokens = told.pop("tokens_in") + told.pop("tokens_out")
        told.pop("rate")
        ahead = len(before) if job.file.state == "waiting" else 0
        known = job.file.model_dump(include={"id", "state", "reason", "created_at"})
        return JobStatus(**known, ahead=ahead, tokens=tokens, **told)

    def cancel(self, job: ServiceJob) -> None:
        """Begin no further article of a job; of one that has ended, remove everything."""
        if job.file.state in ENDED and not job.active:
            del self._jobs[job.file.id]
            shutil.rmtree(job.folder, ignore_errors=True)
            return
        job.cancelled.set()
        job.set("cancelled")

    def count(self) -> dict[str, int]:
        """How many jobs wait and run."""
        states = [job.file.state for job in self._jobs.values()]
        return {state: states.count(state) for state in ("waiting", "running")}

    def _begin(self, job: ServiceJob) -> None:
        job.set("waiting")
        self._threads.submit(self._work, job)

    def _work(self, job: ServiceJob) -> None:
        """Do a job, in its thread."""
        job.active = True
        try:
            self._run(job)
        finally:
            job.active = False

    def _run(self, job: ServiceJob) -> None:
        """Do a job until it has ended, or the service stops."""
        caller = self._service.callers.named(job.file.caller)
        if caller is None:
            job.set("stopped", f"the token of {job.file.caller!r} is gone")
            return
        if job.cancelled.is_set() or self._service.stopping:
            return
        job.set("running")
        assert self._loop is not None
        paying = PayingExtractor(self._service, caller, self._loop, job.cancelled)
        try:
            articles = job.articles()
            with RunResults(job.records, identity(self._service.extractor)) as results:
                tally = run(
                    paying, articles, results, cancelled=lambda: job.cancelled.is_set() or self._service.stopping
                )
        except MahdarError as error:
            state: JobState = "stopped" if not isinstance(error, UsageError) else "failed"
            job.set(state, str(error))
        except Exception as error:  # noqa: BLE001  # a fault in one job must not end the others
            job.set("stopped", str(as_problem(error)))
        else:
            if tally.stopped:
                job.set("stopped", tally.stopped)
            elif not self._service.stopping:
                job.set("done")


class PayingExtractor:
    """The service's extractor on a caller's account: each article waits for the rate, and is charged.

    Args:
        service: whose extractor it is.
        caller: who pays.
        loop: of the service.
        cancelled: ends the intake.
    """

    def __init__(
        self, service: ExtractionService, caller: Caller, loop: asyncio.AbstractEventLoop, cancelled: threading.Event
    ) -> None:
        self._service = service
        self._caller = caller
        self._loop = loop
        self._cancelled = cancelled
        self._set_aside: dict[str, Spending] = {}
        self._refused: Failure | None = None

    def extract_many(self, documents: Iterable[Document], /) -> Iterator[Extraction | Failure]:
        """Yield each result as soon as it is there; last, the article that the budget does not allow."""
        try:
            for result in self._service.extractor.extract_many(self._admitted(documents)):
                self._settle(result)
                yield result
        finally:
            for most in self._set_aside.values():
                self._charge(most, most)
        if self._refused is not None:
            yield self._refused

    def _admitted(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            try:
                most = self._waited(self._admit(document))
            except BadInputError:
                most = Spending()  # it fails as such
            except RequestProblem as problem:
                if problem.failure in LEFT:
                    self._refused = Failure(document.id, "over_budget", str(problem.detail))
                return
            self._set_aside[document.id] = most
            yield document

    def _waited(self, work: Coroutine[Any, Any, Spending]) -> Spending:
        """What the service's loop comes to, unless it has ended."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            try:
                return future.result(TURN)
            except TimeoutError:
                if self._loop.is_closed():
                    raise RequestProblem("stopping") from None

    async def _admit(self, document: Document) -> Spending:
        """Wait for the caller's rate, and set aside what the article may cost.

        Raises:
            RequestProblem: `over_budget`; `stopping` where no further article is to be begun.
        """
        while True:
            if self._cancelled.is_set() or self._service.stopping:
                raise RequestProblem("stopping")
            try:
                self._caller.admit(1)
                break
            except RequestProblem as wait:
                await asyncio.sleep(min(wait.retry_after or TURN, TURN))
        most = await self._service.most(document, self._caller)
        await self._service.callers.reserve(self._caller, most)
        return most

    def _settle(self, result: Extraction | Failure) -> None:
        metrics, name = self._service.metrics, self._caller.name
        if isinstance(result, Failure):
            metrics.failed(result.failure, name, result.usage)
            came_to = spending_of(result.usage)
        else:
            metrics.extracted(result, name)
            came_to = spent_on(result)
        self._charge(self._set_aside.pop(result.document_id), came_to)

    def _charge(self, most: Spending, came_to: Spending) -> None:
        with suppress(RuntimeError):  # the service has stopped, and its loop with it
            self._loop.call_soon_threadsafe(self._service.callers.settle, self._caller, most, came_to)


async def save(pieces: AsyncIterator[bytes], path: Path) -> None:
    """Write what a client sends into a file, as it comes."""
    with path.open("wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
