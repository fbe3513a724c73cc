"""The embedded model: an OpenAI-compatible endpoint on loopback, started when first needed.

    with EmbeddedModel() as embedded:
        endpoint = embedded.ensure()

The server is a child process (`mahdar.llm.local.llama_server`). Its run file in the cache folder says where it
listens and with which key, and is at the same time its lease (`mahdar.llm.local.locks`): another process that finds
a fitting one joins it, and the server ends with its last user.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mahdar.llm.local import llama_server
from mahdar.llm.local.llama_server import Order
from mahdar.llm.local.local_server import Child, EmbeddedStartError, Launch, RunningServer, read_run_file
from mahdar.llm.local.locks import Lease, exclusive
from mahdar.llm.local.weights import (
    QWEN,
    LocalModelMissingError,
    Model,
    Progress,
    Weights,
    locate,
    private_folder,
    ready,
    require_engine,
    silent,
)
from mahdar.settings import cache_dir

CONTEXT = 8_192  # tokens for prompt and answer: instructions, the longest passage, and the longest answer
COMMAND = (sys.executable, "-P", llama_server.__file__)
START_TIMEOUT = 300.0  # seconds: loading took 2 to 15 on two idle cores, and 56 on two busy ones
END_TIMEOUT = 1.0  # seconds: a server without users is gone in a tenth of that
RUN_FILES = "server-*.json"


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """Where the embedded model answers: base URL, key and model, as of any other endpoint."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    context: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A server in use: its lease, and its process if it was started here."""

    server: RunningServer
    lease: Lease
    child: Child | None = None

    def release(self) -> None:
        self.lease.release()
        if self.child is None:
            return
        try:
            self.child.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:  # others use it: it stays, and is reaped if it ends before this process
            threading.Thread(target=self.child.wait, daemon=True).start()


class EmbeddedModel:
    """The embedded model, kept running until `stop`, this object's deletion, or the end of the process.

    Args:
        weights: what to load unless `MAHDAR_LOCAL_MODEL` names a file.
        context: tokens that prompt and answer may have together.
        threads: CPU threads; None is one for each core that this process may use.
        cache: the cache folder; None is the user's.
        command: the program that serves; it follows `mahdar.llm.local.llama_server.serve`.
        start_timeout: seconds until a server that does not answer is given up.
    """

    def __init__(
        self,
        *,
        weights: Weights = QWEN,
        context: int = CONTEXT,
        threads: int | None = None,
        cache: Path | None = None,
        command: Sequence[str] = COMMAND,
        start_timeout: float = START_TIMEOUT,
    ) -> None:
        self._weights = weights
        self._context = context
        self._threads = threads or _cores()
        self._cache = cache or cache_dir()
        self._command = command
        self._start_timeout = start_timeout
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: RunningServer | None = None
        self._release: weakref.finalize[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def ensure(self, progress: Progress | None = None) -> LocalEndpoint:
        """Start the server, or join a running one, and return its endpoint; call it again after a connection error.

        Blocks for seconds while the model is loaded: from a coroutine, call it in a thread. What `progress` raises ends
        the start, and so does `stop` from another thread.

        Args:
            progress: told each phase of the start, and the part of it that is done.

        Raises:
            LocalModelMissingError: the extra `local` is not installed.
            EmbeddedStartError: the server ended or did not answer in time.
            WeightsError, UsageError, StoreError: see `mahdar.llm.local.weights.locate`.
        """
        with self._lock:
            if self._server is None or not self._server.answers():
                self._let_go()
                self._hold(self._join_or_start(self._stoppable(progress or silent)))
            assert self._server is not None
            return _endpoint(self._server)

    def stop(self) -> None:
        """Stop using the server, or starting it; it ends with its last user."""
        self._stopping.set()
        with self._lock:
            self._let_go()
            self._stopping.clear()

    def _stoppable(self, progress: Progress) -> Progress:
        def report(phase: str, fraction: float | None) -> None:
            if self._stopping.is_set():
                raise EmbeddedStartError("the embedded model was stopped while it started")
            progress(phase, fraction)

        return report

    def _hold(self, held: _Held) -> None:
        self._server = held.server
        self._release = weakref.finalize(self, held.release)

    def _let_go(self) -> None:
        if self._release is not None:
            self._release()
        self._server = self._release = None

    def _join_or_start(self, progress: Progress) -> _Held:
        require_engine()
        model = locate(self._cache / "models", self._weights, progress)
        run = private_folder(self._cache / "run")
        with exclusive(
            run / "start.lock",
            timeout=2 * self._start_timeout,  # the other may take its whole time and fail
            waiting=lambda: progress("waiting for another process that loads the model", None),
        ):
            return _join(run, model, self._context) or self._start(run, model, progress)

    def _start(self, run: Path, model: Model, progress: Progress) -> _Held:
        lease = Lease.create(run / RUN_FILES.replace("*", secrets.token_hex(8)))
        try:
            launch = Launch(self._command, self._order(model, lease), run / "embedded.log", self._start_timeout)
            child, server = launch.run(progress)
            lease.path.write_text(json.dumps(asdict(server), ensure_ascii=False), encoding="utf-8")
        except BaseException:
            lease.path.unlink(missing_ok=True)
            lease.release()
            raise
        return _Held(server, lease, child)

    def _order(self, model: Model, lease: Lease) -> Order:
        return Order(
            path=str(model.path),
            model=model.name,
            key=secrets.token_urlsafe(32),
            context=self._context,
            threads=self._threads,
            lease=str(lease.path),
        )


def _endpoint(server: RunningServer) -> LocalEndpoint:
    return LocalEndpoint(f"{server.address}/v1", server.key, server.model, server.context)


def _cores() -> int:
    """Count the cores that this process may use: fewer than the machine has, where it is confined to some."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _join(run: Path, model: Model, context: int) -> _Held | None:
    """Join a fitting server of another process; None where there is none. Run files of dead servers are removed."""
    for path in sorted(run.glob(RUN_FILES)):
        if (lease := Lease.join(path)) is None:
            continue
        server = read_run_file(path)
        if server is not None and server.serves(model.name, context) and server.answers():
            return _Held(server, lease)
        if server is None or (server.is_here() and not server.answers()):
            path.unlink(missing_ok=True)
        lease.release()
    return None


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the installation.

    Attributes:
        problem: why the model cannot be started; None when it can.
        model: what would be loaded without further work; None when it has yet to be assembled or hashed.
        servers: those that answer now.
    """

    problem: str | None
    model: Model | None
    servers: tuple[RunningServer, ...]


def status(cache: Path | None = None, weights: Weights = QWEN, environment: Mapping[str, str] = os.environ) -> Status:
    """Describe the installation, without starting, assembling or hashing anything."""
    folder = cache or cache_dir(environment)
    model, problem = ready(folder / "models", weights, environment)
    try:
        require_engine()
    except LocalModelMissingError as error:
        problem = str(error)
    found = (read_run_file(path) for path in sorted((folder / "run").glob(RUN_FILES)))
    return Status(problem, model, tuple(server for server in found if server is not None and server.answers()))
