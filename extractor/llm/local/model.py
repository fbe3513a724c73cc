"""The embedded model: an OpenAI-compatible endpoint on loopback, started when first needed.

    with EmbeddedModel() as embedded:
        endpoint = embedded.ensure()

Each process that uses the model has a server, a child process (`mahdar.llm.local.llama_server`) that ends with it.
Servers share the memory of the weights, which the engine maps from one file.
"""

import json
import os
import queue
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit

from mahdar.errors import NoModelError
from mahdar.llm.local import llama_server
from mahdar.llm.local.llama_server import Order
from mahdar.llm.local.weights import (
    QWEN,
    LocalModelMissingError,
    Model,
    Progress,
    Weights,
    locate,
    ready,
    require_engine,
    silent,
)
from mahdar.settings import cache_dir

CONTEXT: Final = 8_192
"""Tokens for prompt and answer: instructions, the longest passage, and the longest answer."""
COMMAND: Final = (sys.executable, "-P", llama_server.__file__)
START_TIMEOUT: Final = 300.0
"""Seconds for the server to start: loading took 2 to 15 on two idle cores, and 56 on two busy ones."""
END_TIMEOUT: Final = 1.0
"""Seconds for a server to end after its input is closed: it takes a tenth of that."""
TICK: Final = 0.1
"""Seconds between two reports of progress."""
LOG_TAIL: Final = 2_000
"""Bytes of the server's log in an error message."""


class EmbeddedStartError(NoModelError):
    """The server did not start."""


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """Base URL, key and model of a running server; `context` in tokens."""

    base_url: str
    api_key: str = field(repr=False)
    model: str
    context: int


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
        self._models = (cache or cache_dir()) / "models"
        self._command = command
        self._start_timeout = start_timeout
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self._endpoint: LocalEndpoint | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the running server; None where none runs."""
        return self._server.pid if self._server is not None else None

    def ensure(self, progress: Progress | None = None) -> LocalEndpoint:
        """Start the server unless it runs, and return its endpoint; call it again after a connection error.

        Blocks for seconds while the model is loaded: from a coroutine, call it in a thread. What `progress` raises ends
        the start, and so does `stop` from another thread.

        Args:
            progress: called with each phase of the start and the part of it that is done.

        Raises:
            LocalModelMissingError: the extra `local` is not installed.
            EmbeddedStartError: the server ended or did not answer in time.
            WeightsError, UsageError, StoreError: see `mahdar.llm.local.weights.locate`.
        """
        with self._lock:
            ended = self._server is None or self._server.poll() is not None
            if ended or self._endpoint is None or not _listens(self._endpoint):
                self._end_server()
                self._endpoint = self._start(progress or silent)
            return self._endpoint

    def stop(self) -> None:
        """End the server, or stop its start."""
        self._stopping.set()
        with self._lock:
            self._end_server()
            self._stopping.clear()

    def _end_server(self) -> None:
        if self._end is not None:
            self._end()
        self._server = self._endpoint = self._end = None

    def _start(self, progress: Progress) -> LocalEndpoint:
        """Start a server; `stop` ends the start at its next report of progress."""

        def report(phase: str, fraction: float | None) -> None:
            if self._stopping.is_set():
                raise EmbeddedStartError("the embedded model was stopped while it started")
            progress(phase, fraction)

        require_engine()
        model = locate(self._models, self._weights, report)
        order = Order(str(model.path), model.name, secrets.token_urlsafe(32), self._context, self._threads)
        with tempfile.TemporaryFile() as log:
            server = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # The child imports from where its parent does.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path)},
                start_new_session=True,  # Ctrl-C in the terminal is for the caller, who may still want answers
            )
            self._server, self._end = server, weakref.finalize(self, _end, server, os.getpid())
            try:
                address = self._wait_ready(server, order, log, report)
            except BaseException:
                server.kill()
                self._end_server()
                raise
        return LocalEndpoint(f"{address}/v1", order.key, order.model, order.context)

    def _wait_ready(self, server: "subprocess.Popen[bytes]", order: Order, log: IO[bytes], progress: Progress) -> str:
        """Send the order, and wait for the address that the server writes when it is ready."""
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(json.dumps(asdict(order), ensure_ascii=False).encode() + b"\n")
            server.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, which reading its output will show
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=lambda out=server.stdout: lines.put(out.readline()), daemon=True).start()
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            progress("loading the model", None)
            try:
                address = lines.get(timeout=TICK).decode().strip()
            except queue.Empty:
                continue
            if address:
                return address
            raise _start_error(order, f"ended with code {server.wait(self._start_timeout)}", log)
        raise _start_error(order, f"did not answer within {self._start_timeout:g} s", log)


def _listens(endpoint: LocalEndpoint) -> bool:
    """Whether the server accepts connections: one that was killed may not have ended yet."""
    url = urlsplit(endpoint.base_url)
    try:
        socket.create_connection((url.hostname or "", url.port or 0), END_TIMEOUT).close()
    except OSError:
        return False
    return True


def _start_error(order: Order, what: str, log: IO[bytes]) -> EmbeddedStartError:
    log.seek(0)
    tail = log.read()[-LOG_TAIL:].decode("utf-8", "replace").strip()
    return EmbeddedStartError(
        f"the embedded server for {order.path} {what}; free memory, name another file in MAHDAR_LOCAL_MODEL, "
        f"or set OPENAI_BASE_URL and OPENAI_API_KEY; its log ends with:\n{tail or '(nothing)'}"
    )


def _end(server: "subprocess.Popen[bytes]", owner: int) -> None:
    """End a server by closing its input. A process forked from the owner only closes its copies of the pipes."""
    for pipe in (server.stdin, server.stdout):
        if pipe is not None:
            pipe.close()
    if os.getpid() != owner:
        return
    try:
        server.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:  # a forked process keeps its input open
        server.kill()
        server.wait()


def _cores() -> int:
    """Return the number of cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Status:
    """State of the installation.

    Attributes:
        problem: why the model cannot be started; None when it can.
        model: the model that can be loaded at once; None when it has yet to be assembled or hashed.
    """

    problem: str | None
    model: Model | None


def status(cache: Path | None = None, weights: Weights = QWEN, environment: Mapping[str, str] = os.environ) -> Status:
    """Describe the installation, without starting, assembling or hashing anything."""
    model, problem = ready((cache or cache_dir(environment)) / "models", weights, environment)
    try:
        require_engine()
    except LocalModelMissingError as error:
        problem = str(error)
    return Status(problem, model)
