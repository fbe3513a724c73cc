"""Extract articles on a Ray cluster, behind the same interface as a local extractor.

The process of the run reads the articles and writes the results. Each worker has its own extractor, and gets as many
articles as it has calls in flight. Ray restarts a lost worker, whose answers are in the cache.

Settings are passed to the workers as a value, not through the environment, so that the key appears in no log and on no
page of Ray.
"""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import ray
import ray.exceptions

from mahdar.documents.document import Document
from mahdar.errors import MahdarError, NoModelError, UsageError
from mahdar.results import Failure, Usage
from mahdar.runs.lines import json_line
from mahdar.runs.outputs import as_extraction, json_object
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.settings import Settings
from mahdar.task_modules import import_tasks

LOCAL_MEMORY: Final = 80_000_000
"""Bytes of the object store if Ray is started on this machine; a cluster has its own setting."""
RETRIES: Final = 3
"""How often an article is retried after its worker was lost."""
_SHOWN: Final = 200
"""Maximum of characters of Ray's error in a message."""


@dataclass(frozen=True, slots=True)
class Work:
    """The configuration of a worker's extractor.

    Attributes:
        settings: endpoint, model and cache.
        tasks: `name` or `name@version`.
        prompts: folders with more templates, at the same path on every machine.
        schemas: modules that define more tasks: files at the same path on every machine, or names of modules.
        keep: whether the store that the settings name is used.
        concurrency: maximum of calls in flight of one worker.
    """

    settings: Settings
    tasks: tuple[str, ...]
    prompts: tuple[Path, ...] = ()
    schemas: tuple[str, ...] = ()
    keep: bool = True
    concurrency: int = 8

    def extractor(self) -> Extractor:
        """Make an extractor with this configuration."""
        import_tasks(self.schemas)
        return Extractor(
            self.settings,
            tasks=self.tasks,
            prompts=self.prompts,
            concurrency=self.concurrency,
            store="default" if self.keep else None,
        )


class Cluster:
    """Extractors on a Ray cluster, or on the processors of this machine; a context manager that ends them.

    Args:
        work: configuration of the workers.
        address: address of the cluster; by default `RAY_ADDRESS`, else Ray is started on this machine. If Ray runs in
            this process already, it is used, and left running.
        workers: maximum of workers; by default one for each processor but one, which reads and writes.

    Raises:
        UsageError: there is no cluster at the address.
    """

    def __init__(self, work: Work, *, address: str | None = None, workers: int | None = None) -> None:
        self._work = work
        self._own = not ray.is_initialized()
        if self._own:
            _connect(address or os.environ.get("RAY_ADDRESS"))
        processors = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]  # of Ray's
        worker: Any = ray.remote(_Worker)
        worker = worker.options(num_cpus=1, max_concurrency=work.concurrency, max_restarts=-1, max_task_retries=RETRIES)
        self._workers = [worker.remote(work) for _ in range(min(workers or max(processors - 1, 1), processors))]

    def extract_many(self, documents: Iterable[Document], /) -> Iterator[Extraction | Failure]:
        """Extract articles as they come, and yield each result as soon as it is ready.

        An error that stops all of them, also one that `documents` raises, is raised once the articles under way have
        ended.

        Raises:
            NoModelError: a worker reaches no model; `usage` is what was spent on the articles left unfinished.
            MahdarError: nothing can be extracted, or Ray ended the job.
        """
        waiting = iter(documents)
        starting = {worker.ready.remote(): worker for worker in self._workers}
        under_way: dict[Any, tuple[Any, Document]] = {}
        free: deque[Any] = deque()
        exhausted, unfinished = False, Usage()
        failed: Exception | None = None
        while True:
            while free and not exhausted:
                try:
                    document = next(waiting, None)
                except Exception as error:  # noqa: BLE001  # raised below
                    document, failed = None, error
                if document is None:
                    exhausted = True
                else:
                    worker = free.popleft()
                    under_way[worker.extract.remote(document)] = worker, document
            if not (under_way or (starting and not exhausted)):
                break
            with _translated_errors():
                (ended,), _ = ray.wait([*under_way, *starting], num_returns=1)
            try:
                with _translated_errors():
                    if ended in starting:
                        worker = starting.pop(ended)
                        ray.get(ended)
                        free.extend([worker] * self._work.concurrency)
                        continue
                    worker, document = under_way.pop(ended)
                    result = _result(ended, document)
            except MahdarError as error:
                unfinished += error.usage if isinstance(error, NoModelError) else Usage()
                exhausted, failed = True, failed or error
            else:
                free.append(worker)
                yield result
        if failed is not None:
            raise _charged(failed, unfinished)

    def close(self) -> None:
        """End the workers, and Ray if it was started here."""
        for worker in self._workers:
            ray.kill(worker)
        if self._own:
            ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Worker:
    """A Ray actor with an extractor, and as many threads as calls in flight."""

    def __init__(self, work: Work) -> None:
        self._mahdar = work.extractor()

    def ready(self) -> None:
        """Return once the worker runs."""

    def extract(self, document: Document) -> str | Failure:
        """Extract an article; return its extraction as JSON, since other machines may lack the classes of its tasks."""
        (result,) = self._mahdar.extract_many([document])
        return result if isinstance(result, Failure) else json_line(result)


def _result(ended: Any, document: Document) -> Extraction | Failure:
    try:
        result = ray.get(ended)
    except (ray.exceptions.ActorDiedError, ray.exceptions.WorkerCrashedError):
        return Failure(document.id, "internal", f"its worker was lost {RETRIES + 1} times; the next run tries it again")
    return result if isinstance(result, Failure) else as_extraction(document.id, json_object(result))


def _charged(error: Exception, usage: Usage) -> Exception:
    """Return an error with what was spent on the articles that it left unfinished."""
    if isinstance(error, NoModelError):
        error.usage = usage
    return error


def _connect(address: str | None) -> None:
    """Join a cluster, or start Ray on this machine without its dashboard and usage reports."""
    try:
        if address:
            ray.init(address, logging_level=logging.ERROR)
            return
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        ray.init("local", include_dashboard=False, object_store_memory=LOCAL_MEMORY, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"Ray at {address or 'this machine'}: {_short(error)}; check --ray-address") from None


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Translate Ray's errors into errors of one line; Ray wraps a worker's error, and adds its stack."""
    try:
        yield
    except ray.exceptions.RayError as error:
        root: BaseException = error
        while (cause := getattr(root, "cause", None) or root.__cause__) is not None:
            root = cause
        root.args = (str(root).partition("\n")[0],)  # the other lines are Ray's advice
        if isinstance(root, MahdarError):
            raise root from None
        raise MahdarError(f"Ray ended the job: {_short(root)}; give the same command again to resume") from None


def _short(error: BaseException) -> str:
    """Return an error as one short line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
