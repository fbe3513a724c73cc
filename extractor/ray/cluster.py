"""Extractors on a Ray cluster, which a run uses as it uses one of its own.

Articles are read and results are written where the run is. Every worker has an extractor of its own, and is given as
many articles as it has calls in flight. A lost worker is started again, and finds in the cache what it paid for.

Settings go to the workers as a value, not by the environment: the key is in no log of Ray's, and on no page of its.
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
from mahdar.errors import MahdarError, UsageError
from mahdar.results import Failure
from mahdar.runs.lines import json_line
from mahdar.runs.outputs import as_extraction, json_object
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.settings import Settings
from mahdar.task_modules import import_tasks

LOCAL_MEMORY: Final = 80_000_000
"""Bytes of Ray's object store, where Ray is started here; on a cluster its own setting holds."""
RETRIES: Final = 3
"""How often an article is given to a worker again that was lost with it."""
_SHOWN: Final = 200
"""Characters of an error of Ray's in a message."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every worker does.

    Attributes:
        settings: who drafts; every worker makes its own drafter by them.
        tasks: `name` or `name@version`.
        prompts: folders with further templates, which every machine sees.
        schemas: modules that define further tasks: files that every machine sees, or names of modules.
        keep: whether answers are kept in the store that the settings name.
        concurrency: calls in flight at once, of one worker.
    """

    settings: Settings
    tasks: tuple[str, ...]
    prompts: tuple[Path, ...] = ()
    schemas: tuple[str, ...] = ()
    keep: bool = True
    concurrency: int = 8

    def extractor(self) -> Extractor:
        """An extractor that does it."""
        import_tasks(self.schemas)
        return Extractor(
            self.settings,
            tasks=self.tasks,
            prompts=self.prompts,
            concurrency=self.concurrency,
            store="default" if self.keep else None,
        )


class Cluster:
    """Extractors on a cluster, or on the processors of this machine; a context manager that lets go of them.

    Args:
        work: what every worker does.
        address: of a cluster; by default what `RAY_ADDRESS` names, else this machine. Where Ray runs in this process
            already, that is used, and left running.
        workers: at most; by default as many as there are processors, less the one that reads and writes.

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
        """Extract articles as they come, each result as soon as it is there.

        Raises:
            MahdarError: nothing can be extracted, or Ray ended the work.
        """
        waiting = iter(documents)
        starting = {worker.ready.remote(): worker for worker in self._workers}
        under_way: dict[Any, tuple[Any, Document]] = {}
        free: deque[Any] = deque()
        exhausted = False
        with _named():
            while not exhausted or under_way:
                while free and not exhausted:
                    document = next(waiting, None)
                    if document is None:
                        exhausted = True
                    else:
                        worker = free.popleft()
                        under_way[worker.extract.remote(document)] = worker, document
                if not (under_way or (starting and not exhausted)):
                    return
                (ended,), _ = ray.wait([*under_way, *starting], num_returns=1)
                if ended in starting:
                    ray.get(ended)
                    free.extend([starting.pop(ended)] * self._work.concurrency)
                else:
                    worker, document = under_way.pop(ended)
                    free.append(worker)
                    yield _result(ended, document)

    def close(self) -> None:
        """Let go of the workers."""
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
    """An extractor, on one of the machines; as many threads of it as calls in flight."""

    def __init__(self, work: Work) -> None:
        self._mahdar = work.extractor()

    def ready(self) -> None:
        """Return once the worker runs."""

    def extract(self, document: Document) -> str | Failure:
        """The record of an article as a line of JSON, for the classes of its tasks may not be known elsewhere."""
        (result,) = self._mahdar.extract_many([document])
        return result if isinstance(result, Failure) else json_line(result)


def _result(ended: Any, document: Document) -> Extraction | Failure:
    try:
        result = ray.get(ended)
    except (ray.exceptions.ActorDiedError, ray.exceptions.WorkerCrashedError):
        return Failure(document.id, "internal", f"its worker was lost {RETRIES + 1} times; the next run tries it again")
    return result if isinstance(result, Failure) else as_extraction(document.id, json_object(result))


def _connect(address: str | None) -> None:
    """Join a cluster, or start Ray on this machine: without pages and reports of use, and with a token of its own."""
    try:
        if address:
            ray.init(address, logging_level=logging.ERROR)
            return
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        ray.init("local", include_dashboard=False, object_store_memory=LOCAL_MEMORY, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"Ray at {address or 'this machine'}: {_short(error)}; check --ray-address") from None


@contextmanager
def _named() -> Iterator[None]:
    """Turn what ends the work into an error of ours: Ray wraps it, and adds the worker's stack."""
    try:
        yield
    except ray.exceptions.RayError as error:
        root: BaseException = error
        while (cause := getattr(root, "cause", None) or root.__cause__) is not None:
            root = cause
        root.args = (str(root).partition("\n")[0],)  # Ray adds advice about itself
        if isinstance(root, MahdarError):
            raise root from None
        raise MahdarError(f"Ray ended the job: {_short(root)}; the same command goes on where it was") from None


def _short(error: BaseException) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
