"""The same pipeline as a Ray Data job: read → map_batches on a pool of extractors → write.

One task reads, so that ids are those of the local engine; any number of workers, each with an extractor of its own,
extract; whoever is free writes parts. Articles that were written before go no further than the reader. A worker that is
lost is started again, and finds in the store what it had paid for.

Settings go to the workers as a value, not by the environment: the key is in no log of Ray's, and on no page of its.
"""

import itertools
import logging
import os
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import ray
import ray.data
import ray.exceptions
from ray.data import ActorPoolStrategy, DataContext, Datasink, Datasource, ReadTask
from ray.data.block import BlockMetadata
from ray.data.datasource import WriteResult

from mahdar.documents.document import BadInput, Document, check
from mahdar.errors import BadInputError, MahdarError, UsageError
from mahdar.ray.parts import Known, Made, Parts, storage
from mahdar.results import Failure
from mahdar.runs.ledger import Entry, identity
from mahdar.runs.lines import dumps, json_line
from mahdar.schemas.records import Extraction
from mahdar.service import Extractor
from mahdar.settings import Settings
from mahdar.task_modules import import_tasks
from mahdar.wording import NAMED, counted

if TYPE_CHECKING:
    from ray.data._internal.execution.interfaces import TaskContext

Source = Callable[[], Iterable[Document | BadInput]]
"""reads the articles, on whatever machine it is called"""

GROUP: Final = 64
"""Articles that a worker is given at once, at least; as many as its calls in flight, if that is more."""
PART: Final = 512
"""Articles in a part, at least, but for the last: a million make two thousand files."""
AHEAD: Final = 2
"""Groups that a worker has under way, so that the slowest article of one does not hold up the next."""
LOCAL_MEMORY: Final = 256_000_000
"""Bytes for what is between two stages, where Ray is started here; on a cluster its own setting holds."""
_SHOWN: Final = 200
"""Characters of an error of Ray's in a message."""
CHANGED: Final = "changed"
"""Stands for the failure, and for its reason, of an article that has another text than when it was extracted."""

_READ: Final = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("published_at", pa.date32()),
        ("language", pa.string()),
        ("kept", pa.map_(pa.string(), pa.string())),
        ("reason", pa.string()),
        ("text_sha256", pa.string()),
    ]
)
_MADE: Final = pa.schema(
    [(name, pa.string()) for name in ("document_id", "text_sha256", "line", "failure")]
    + [(name, pa.int64()) for name in ("records", "rejected", "tokens")]
    + [("cost", pa.float64()), ("cached", pa.bool_())]
)


@dataclass(frozen=True, slots=True)
class Work:
    """What every worker does.

    Attributes:
        settings: who drafts; every worker makes its own drafter by them.
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


@dataclass(slots=True)
class Summary:
    """What a run came to.

    Attributes:
        cost: US dollars; None where one article's is not known.
        changed: articles that have another text than when they were extracted, and were left at that.
        changed_ids: the first of them.
        before: articles in parts of earlier runs.
        failed_before: articles that had failed, and were left at that.
    """

    extracted: int = 0
    cached: int = 0
    records: int = 0
    rejected: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    changed_ids: tuple[str, ...] = ()
    before: int = 0
    failed_before: int = 0

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """What a part holds."""
        well = [row for row in rows if row["failure"] is None]
        changed = [row["document_id"] for row in rows if row["failure"] == CHANGED]
        costs = [row["cost"] for row in rows if row["failure"] != CHANGED]
        return cls(
            extracted=len(well),
            cached=sum(row["cached"] for row in well),
            records=sum(row["records"] for row in well),
            rejected=sum(row["rejected"] for row in well),
            tokens=sum(row["tokens"] or 0 for row in rows),
            cost=None if None in costs else sum(costs),
            failures=Counter(row["failure"] for row in rows if row["failure"] not in {None, CHANGED}),
            changed=len(changed),
            changed_ids=tuple(changed[:NAMED]),
        )

    def __add__(self, other: "Summary") -> "Summary":
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Summary(
            self.extracted + other.extracted,
            self.cached + other.cached,
            self.records + other.records,
            self.rejected + other.rejected,
            self.tokens + other.tokens,
            cost,
            self.failures + other.failures,
            self.changed + other.changed,
            (self.changed_ids + other.changed_ids)[:NAMED],
        )

    def __str__(self) -> str:
        cached = f" ({self.cached} from the cache)" if self.cached else ""
        before = f", {self.before} done before" if self.before else ""
        left = f", {self.failed_before} failed before (--retry-errors takes them)" if self.failed_before else ""
        changed = f", {self.changed} with another text than before" if self.changed else ""
        return (
            f"{counted(self.extracted, 'article')}{cached}, {counted(self.records, 'record')}, "
            f"{self.rejected} rejected, {self.failures.total()} failed{before}{left}{changed}"
        )


def run(
    work: Work,
    source: Source,
    parts: Parts,
    *,
    overwrite: bool = False,
    retry_errors: bool = False,
    address: str | None = None,
    workers: int | None = None,
) -> Summary:
    """Extract what is not in the parts yet.

    Args:
        work: what every worker does.
        source: reads the articles.
        parts: where the results go.
        overwrite: remove the parts that are there.
        retry_errors: take only the articles that failed before.
        address: of a cluster; by default what `RAY_ADDRESS` names, else this machine.
        workers: at most; by default as many as there are processors, less the one that reads and writes.

    Raises:
        MahdarError: nothing can be extracted, read or written, or the results there are of another run.
    """
    with storage(parts):
        if retry_errors and (overwrite or not parts.begun):
            raise UsageError("--retry-errors takes what an earlier run failed on: name its folder with --output")
    source()  # a path that does not exist is found before a cluster is waited for
    with work.extractor() as mahdar, storage(parts):
        parts.begin(identity(mahdar), overwrite=overwrite)
        known, before = parts.known(), parts.failures()
    sink = _Sink(parts)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it would say with a stack is raised as well
    with _cluster(address), _named():
        DataContext.get_current().enable_progress_bars = sys.stderr.isatty()
        size = max(GROUP, work.concurrency)
        articles = _Articles(partial(_groups, source, ray.put(known), retry_errors, size))
        groups = ray.data.read_datasource(articles, override_num_blocks=1).repartition(target_num_rows_per_block=size)
        results = groups.map_batches(
            _Worker, fn_constructor_args=(work,), batch_size=None, batch_format="pyarrow", compute=_pool(workers)
        )
        results.write_datasink(sink)
    if retry_errors:
        with storage(parts):
            parts.forget_failures(before)
    return replace(sink.summary, before=len(known.done), failed_before=0 if retry_errors else known.left)


class _Articles(Datasource):
    """The articles that are to be extracted, read by one task, a group at a time."""

    def __init__(self, groups: Callable[[], Iterator[pa.Table]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of Ray's
        self._groups = groups

    def estimate_inmemory_data_size(self) -> int | None:
        """Unknown until it is read."""
        return None

    def get_read_tasks(self, *_: Any, **__: Any) -> list[ReadTask]:
        """One."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None, input_files=None)
        return [ReadTask(self._groups, unknown, schema=_READ)]


def _groups(
    source: Source,
    known: "ray.ObjectRef[Known]",
    retry: bool,  # noqa: FBT001  # a partial's
    size: int,
) -> Iterator[pa.Table]:
    """The articles that need anything."""
    here = ray.get(known)
    taken = filter(None, (_row(article, here, retry=retry) for article in source()))
    while group := list(itertools.islice(taken, size)):
        yield pa.Table.from_pylist(group, schema=_READ)


def _row(article: Document | BadInput, known: Known, *, retry: bool) -> dict[str, Any] | None:
    """An article as a row, unless it needs nothing; one that cannot be extracted has the reason."""
    article = _checked(article)
    text_sha256 = article.sha256 if isinstance(article, Document) else ""
    fate = known.fate(article.id, text_sha256)
    if retry:
        fate = "new" if known.has_failed(article.id) else "done"
    if fate == "changed":
        article = BadInput(article.id, CHANGED)
    elif fate != "new":
        return None
    fields = {name: getattr(article, name, None) for name in _READ.names}
    return fields | {"text_sha256": text_sha256}


def _checked(article: Document | BadInput) -> Document | BadInput:
    """An article that no model should read, with the reason: it may have characters that Arrow does not carry."""
    try:
        if isinstance(article, Document):
            check(article)
    except BadInputError as error:
        return BadInput(article.id, str(error))
    return article


class _Worker:
    """An extractor, on one of the machines."""

    def __init__(self, work: Work) -> None:
        self._mahdar = work.extractor()

    def __call__(self, group: pa.Table) -> pa.Table:
        """The results of a group of articles."""
        rows = group.to_pylist()
        texts = {row["id"]: row["text_sha256"] for row in rows}
        extracted = self._mahdar.extract_many(_document(row) for row in rows if row["reason"] is None)
        made = [_made(result, texts[result.document_id]) for result in extracted]
        return pa.Table.from_pylist(made + [_unread(row) for row in rows if row["reason"] is not None], schema=_MADE)


def _unread(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["reason"] == CHANGED:
        return {"document_id": row["id"], "text_sha256": row["text_sha256"], "line": "", "failure": CHANGED}
    return _made(Failure(row["id"], "bad_input", row["reason"]), row["text_sha256"])


def _document(row: Mapping[str, Any]) -> Document:
    return Document(row["id"], row["text"], row["published_at"], row["language"], dict(row["kept"] or ()))


def _made(result: Extraction | Failure, text_sha256: str) -> dict[str, Any]:
    known = {"document_id": result.document_id, "text_sha256": text_sha256}
    if isinstance(result, Failure):
        failed = Entry.of_failure(result, text_sha256, None)
        said = {**failed.error, "text_sha256": text_sha256}
        spent = {"tokens": failed.tokens_in + failed.tokens_out, "cost": failed.cost}
        return known | spent | {"line": dumps(said), "failure": result.failure}
    made = result.provenance
    return known | {
        "line": json_line(result),
        "records": sum(map(len, result.records.values())),
        "rejected": len(result.rejected),
        "tokens": made.tokens_in + made.tokens_out,
        "cost": made.cost,
        "cached": made.cached,
    }


class _Sink(Datasink[Summary]):
    """Writes parts, on whatever machine is free. A task that is done again writes the same part again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._run = uuid.uuid4().hex[:8]
        self.summary = Summary()

    @property
    def min_rows_per_write(self) -> int:
        """As many as a part is to have."""
        return PART

    def write(self, blocks: Iterable[pa.Table], ctx: "TaskContext") -> Summary:
        """Write a part."""
        tables = [table for table in blocks if table.num_rows]
        rows = [row for table in tables for row in table.to_pylist()]
        made = [Made(**{name: row[name] for name in Made.__slots__}) for row in rows if row["failure"] != CHANGED]
        self._parts.write(f"{self._run}-{ctx.task_idx:06d}", made)
        return Summary.of(rows)

    def on_write_complete(self, write_result: WriteResult[Summary]) -> None:
        """Add up what the parts hold."""
        self.summary = sum(write_result.write_returns, Summary())


def _pool(workers: int | None) -> ActorPoolStrategy:
    processors = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]  # of Ray's
    return ActorPoolStrategy(
        min_size=1,
        max_size=workers or max(processors - 1, 1),
        max_concurrent_calls_per_actor=AHEAD,
        enable_true_multi_threading=True,
    )


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Ray, until it is left: a cluster's, or one of this machine's own, whose reports of use are off.

    One that runs in this process already is used, and left running.
    """
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    try:
        _join(address) if address else _start()
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(f"Ray at {address or 'this machine'}: {_short(error)}; check --ray-address") from None
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str) -> None:
    ray.init(address, logging_level=logging.ERROR)


def _start() -> None:
    """Ray on this machine alone, without pages. It lets nobody in who has not the token that it makes for its user."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        "local",
        include_dashboard=False,
        object_store_memory=LOCAL_MEMORY,
        logging_level=logging.ERROR,
    )


@contextmanager
def _named() -> Iterator[None]:
    """What ends a job, as an error of ours: Ray wraps it, and adds the worker's stack."""
    try:
        yield
    except ray.exceptions.RayError as error:
        root = _root(error)
        root.args = (str(root).partition("\n")[0],)  # Ray adds advice about itself
        if isinstance(root, MahdarError):
            raise root from None
        raise MahdarError(f"Ray ended the job: {_short(root)}; the same command goes on where it was") from None


def _root(error: BaseException) -> BaseException:
    """What was raised first: what a worker raises comes wrapped, and looks like the same error with its stack in it."""
    while (cause := getattr(error, "cause", None) or error.__cause__) is not None:
        error = cause
    return error


def _short(error: BaseException) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:_SHOWN]}"
