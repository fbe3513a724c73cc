"""Run jobs: batch runs in folders of the service, for what takes longer than a request.

The folder of a job holds its articles as they were sent, `job.json`, and the files of a run: records, ledger, failures.
When the service is started again, every job that has not ended resumes from its ledger.
"""

import asyncio
import datetime as dt
import logging
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field

from mahdar.documents.document import Document
from mahdar.errors import MahdarError, UsageError
from mahdar.results import Failure
from mahdar.runs.identity import MADE_BY, Identity, identity
from mahdar.runs.ledger import Ledger, Progress
from mahdar.runs.lines import dumps, whole_lines
from mahdar.runs.locations import Location
from mahdar.runs.outputs import ERRORS
from mahdar.runs.results import RunResults
from mahdar.runs.rows import Columns, check_readable
from mahdar.runs.run import run
from mahdar.runs.sources import Articles
from mahdar.runs.target import LEDGER
from mahdar.schemas.records import Extraction
from mahdar.server.callers import Caller
from mahdar.server.problems import RequestProblem, as_problem
from mahdar.server.service import ExtractionService
from mahdar.service import extract_each

log = logging.getLogger("mahdar")

JobState = Literal["waiting", "running", "done", "stopped", "cancelled", "failed"]
ENDED: Final = frozenset({"done", "cancelled", "failed"})
LINES_PER_CHUNK: Final = 64
"""Lines of results sent at once."""
POLL_INTERVAL: Final = 0.5
"""Seconds between two checks whether a job that waits for the rate limit was cancelled."""
UPLOADING: Final = ".new-"
"""Prefix of the folder of a job whose articles are still arriving."""


class JobOptions(BaseModel):
    """How to read the articles of a job, as the options of `mahdar extract`, and the tasks."""

    published_at: str | None = None
    text_column: str = "text"
    id_column: str | None = None
    date_column: str | None = None
    keep: tuple[str, ...] = ()
    tasks: tuple[str, ...] = Field((), description="Names of `GET /v1/tasks`; by default all.")

    @property
    def columns(self) -> Columns:
        """The names of the columns."""
        return Columns(self.text_column, self.id_column, self.date_column, self.keep)


class JobSummary(BaseModel):
    """What identifies a job, and its state."""

    id: str
    state: JobState = Field(
        "waiting", description="`stopped` resumes when the service is started again; `failed` does not."
    )
    reason: str = Field("", description="Why the job stopped or failed.")
    created_at: dt.datetime


class JobStatus(JobSummary):
    """The state and the progress of a job."""

    ahead: int = Field(0, description="Jobs that run first.")
    total: int | None = Field(None, description="Number of articles; null until all were read.")
    done: int = 0
    failed: dict[str, int] = Field({}, description="Failed articles by class.")
    records: int = 0
    rejected: int = 0
    cached: int = 0
    tokens: int = 0
    cost: float | None = Field(0.0, description="US dollars; null if a price is unknown.")


class Job(JobSummary):
    """A job, as its folder keeps it in `job.json`."""

    caller: str
    articles: str
    """name of the file of articles"""
    options: JobOptions
    folder: Path = Field(Path(), exclude=True)
    active: bool = Field(default=False, exclude=True)
    """whether its thread uses the folder"""

    @property
    def records(self) -> Path:
        """The file of records."""
        return self.folder / "records.jsonl"

    def save(self) -> None:
        """Write `job.json` in one step."""
        temporary = self.folder / "job.json.new"
        temporary.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        temporary.replace(self.folder / "job.json")

    def read_articles(self) -> Articles:
        """Open the articles.

        Raises:
            MahdarError: the options do not fit them.
        """
        return Articles([self.folder / self.articles], self.options.columns, published_at=self.options.published_at)

    def without_folder(self, text: str) -> str:
        """Return a message without the name of the folder, which is no business of the caller."""
        return text.replace(f"{self.folder}/", "")

    def progress(self) -> Progress:
        """Return the progress of the run; zeros before it has begun."""
        try:
            with closing(Ledger(Path(f"{self.records}{LEDGER}"))) as ledger:
                return ledger.progress()
        except (FileNotFoundError, UsageError):
            return Progress()

    def results(self) -> Iterator[bytes]:
        """Yield the results so far, some lines at a time: extractions, then failures, which do not name the folder."""
        folder = dumps(f"{self.folder}/")[1:-1].encode()
        for path in (self.records, Path(f"{self.records}{ERRORS}")):
            with suppress(FileNotFoundError), path.open("rb") as file:
                lines = (line for line, _ in whole_lines(file))
                while chunk := b"".join(islice(lines, LINES_PER_CHUNK)):
                    yield chunk if path == self.records else chunk.replace(folder, b"")


class Jobs:
    """All jobs of a service. A limited number run at once, the others wait in the order of their creation.

    Args:
        service: extracts the articles, and holds the callers.
        folder: contains a folder for each job; used by one service at a time.
    """

    def __init__(self, service: ExtractionService, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(service.bounds.jobs, "mahdar-job")
        self._given_up = threading.Event()
        self._uploads = Counter[str]()  # by caller; only the event loop uses it
        for state in ("waiting", "running"):
            service.metrics.jobs.labels(state).set_function(partial(self._count, state))

    def start(self) -> None:
        """Resume every job that has not ended, in their order; to be called in the event loop of the service."""
        self._loop = asyncio.get_running_loop()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for unfinished in self._folder.glob(f"{UPLOADING}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        for folder in sorted(self._folder.iterdir()):
            try:
                job = Job.model_validate_json((folder / "job.json").read_bytes())
            except (OSError, ValueError):
                log.warning("%s holds no job, and is ignored", folder.name)
                continue
            job.folder = folder
            self._jobs[job.id] = job
            if job.state not in ENDED:
                self._set(job, "waiting")
                self._threads.submit(self._run, job)

    async def stop(self) -> None:
        """Begin nothing more; wait for articles under way for the grace period, then cancel them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._threads.shutdown), self._service.bounds.grace)
        self._given_up.set()

    async def add(self, caller: Caller, articles: AsyncIterator[bytes], name: str, options: JobOptions) -> Job:
        """Add a job once all of its articles have arrived.

        Raises:
            RequestProblem: the caller has too many jobs, the options do not fit, or the service is stopping.
        """
        self._service.check_tasks(options.tasks)
        unfinished = self._uploads[caller.name] + sum(job.state not in ENDED for job in self.of(caller))
        if unfinished >= self._service.bounds.waiting:
            raise RequestProblem("busy", f"{unfinished} jobs of {caller.name!r} wait or run, the most allowed")
        now = dt.datetime.now(dt.UTC)
        id_ = f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
        uploading = self._folder / f"{UPLOADING}{id_}"
        uploading.mkdir(mode=0o700)
        job = Job(id=id_, caller=caller.name, created_at=now, articles=name, options=options, folder=uploading)
        self._uploads[caller.name] += 1  # counted from now on, so that parallel uploads cannot exceed the limit
        try:
            await save_body(articles, uploading / name)
            await asyncio.to_thread(job.read_articles)
            job.save()
            job.folder = uploading.rename(self._folder / id_)
            self._jobs[id_] = job
        except MahdarError as error:
            raise RequestProblem("invalid_request", job.without_folder(str(error))) from None
        finally:
            self._uploads[caller.name] -= 1
            shutil.rmtree(uploading, ignore_errors=True)  # unless it was renamed
        self._threads.submit(self._run, job)
        return job

    def of(self, caller: Caller) -> list[Job]:
        """Return the jobs of a caller, in their order."""
        return [job for job in self._all() if job.caller == caller.name]

    def get(self, id_: str, caller: Caller) -> Job:
        """Return a job of a caller.

        Raises:
            RequestProblem: `not_found`, also for another caller's job.
        """
        job = self._jobs.get(id_)
        if job is None or job.caller != caller.name:
            raise RequestProblem("not_found", f"{caller.name!r} has no job {id_!r}")
        return job

    def status(self, job: Job) -> JobStatus:
        """Return the state and the progress of a job."""
        progress = job.progress()
        before = sum(other.state in {"waiting", "running"} and other.id < job.id for other in self._all())
        ahead = before if job.state == "waiting" else 0
        return JobStatus(**job.model_dump(), **asdict(progress), tokens=progress.tokens, ahead=ahead)

    def cancel(self, job: Job) -> None:
        """Begin no further article of a job; remove everything of a job that has ended."""
        if job.state in ENDED and not job.active:
            self._jobs.pop(job.id, None)  # another request may have removed it
            shutil.rmtree(job.folder, ignore_errors=True)
        else:
            self._set(job, "cancelled")

    def _count(self, state: str) -> int:
        return sum(job.state == state for job in self._all())

    def _all(self) -> list[Job]:
        """Return all jobs, copied in one step: requests in other threads add and remove some."""
        return list(self._jobs.values())

    def _set(self, job: Job, state: JobState, reason: str = "") -> None:
        """Change the state of a job, unless it was cancelled."""
        with self._lock:
            if job.state != "cancelled":
                job.state, job.reason = state, job.without_folder(reason)
                job.save()

    def _run(self, job: Job) -> None:
        """Run a job in its thread until it has ended or the service stops."""

        def cancelled() -> bool:
            return job.state == "cancelled" or self._service.stopping

        caller = self._service.callers.named(job.caller)
        if cancelled():
            return
        if caller is None:
            self._set(job, "stopped", f"{job.caller!r} has no token any more")
            return
        job.active = True
        self._set(job, "running")
        try:
            check_readable(Location(str(job.folder / job.articles)), job.options.columns)
            tasks = job.options.tasks or tuple(task.name for task in self._service.extractor.tasks)
            extractor = CallersExtractor(self._service, self._loop, caller, tasks, cancelled, self._given_up)
            with RunResults(job.records, _identity(identity(self._service.extractor), tasks)) as results:
                tally = run(extractor, job.read_articles(), results, cancelled=cancelled)
            if tally.stopped or not cancelled():
                self._set(job, "stopped" if tally.stopped else "done", tally.stopped)
        except Exception as error:  # noqa: BLE001  # an error in one job must not end the others
            if not cancelled():
                self._set(job, "failed" if isinstance(error, UsageError) else "stopped", as_problem(error).detail)
        finally:
            job.active = False


@dataclass(frozen=True, slots=True)
class CallersExtractor:
    """Extracts the articles of a job at the rate and on the budget of its caller.

    Attributes:
        service: extracts them.
        loop: the event loop of the service.
        caller: pays.
        tasks: names of the tasks.
        cancelled: returns whether to begin no further article.
        given_up: once set, articles under way are given up.
    """

    service: ExtractionService
    loop: asyncio.AbstractEventLoop
    caller: Caller
    tasks: tuple[str, ...]
    cancelled: Callable[[], bool]
    given_up: threading.Event

    def extract_many(self, documents: Iterable[Document], /) -> Iterator[Extraction | Failure]:
        """Yield each result as soon as it is ready, as `Extractor.extract_many` does."""
        submit = partial(asyncio.run_coroutine_threadsafe, loop=self.loop)
        return extract_each(documents, self._extract, submit, self.service.bounds.at_once, self.given_up)

    async def _extract(self, document: Document) -> Extraction:
        """Extract an article as soon as the caller's rate allows it."""
        while True:
            if self.cancelled():
                raise MahdarError("cancelled before the article was begun")
            try:
                self.caller.admit(1)
                break
            except RequestProblem as refusal:
                await asyncio.sleep(min(refusal.retry_after or POLL_INTERVAL, POLL_INTERVAL))
        return await self.service.extract(document, self.caller, self.tasks, None)


def _identity(whole: Identity, tasks: tuple[str, ...]) -> Identity:
    """Return the identity of a run of some of the extractor's tasks."""
    by_task = (MADE_BY, "prompts", "schemas")
    chosen = {part: {task: made for task, made in whole[part].items() if task in tasks} for part in by_task}
    return {**whole, **chosen}


async def save_body(pieces: AsyncIterator[bytes], path: Path) -> None:
    """Write the body of a request to a file as it arrives."""
    with path.open("wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
