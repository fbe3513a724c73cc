"""Local servers, from the side of the process that uses them: the run file, the health check, the launch."""

import http.client
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mahdar.errors import NoModelError
from mahdar.llm.local.llama_server import Order
from mahdar.llm.local.weights import ENGINE, Progress

LOOPBACK = "127.0.0.1"
ANSWER_TIMEOUT = 5.0  # seconds: the server answers these requests at once, also while it generates
TICK = 0.1  # seconds between two reports of progress
LOG_TAIL = 2_000  # characters of the log in an error message

Child = subprocess.Popen[bytes]


class EmbeddedStartError(NoModelError):
    """The server did not start."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server, as its run file describes it."""

    address: str
    key: str = field(repr=False)
    model: str
    context: int
    engine: str
    pid: int
    host: str

    def serves(self, model: str, context: int) -> bool:
        """Tell whether it was started with this model, this context and the installed engine."""
        return (self.model, self.context, self.engine) == (model, context, engine_version())

    def answers(self) -> bool:
        """Check its health: it is up, takes the key, and serves its model."""
        return self._get("/health") is not None and self.model in _model_ids(self._get("/v1/models"))

    def is_here(self) -> bool:
        """Tell whether it runs on this machine: home folders are shared between machines, loopback ports are not."""
        return self.host == socket.gethostname()

    def _get(self, path: str) -> Any:
        """Fetch the JSON at a path; None without an answer. No proxy is used, whatever the environment says."""
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            place = urlsplit(self.address)
            with closing(http.client.HTTPConnection(LOOPBACK, place.port, timeout=ANSWER_TIMEOUT)) as connection:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                return json.load(answer) if answer.status == http.HTTPStatus.OK else None
        except (OSError, ValueError, http.client.HTTPException):
            return None


def _model_ids(listing: Any) -> list[object]:
    entries = listing.get("data") if isinstance(listing, dict) else None
    return [entry.get("id") for entry in entries or [] if isinstance(entry, dict)]


def engine_version() -> str:
    """Return the version of the installed engine; another one may give other answers."""
    try:
        return version(ENGINE)
    except PackageNotFoundError:
        return "unknown"


def read_run_file(path: Path) -> RunningServer | None:
    """Read a run file; None unless it is complete, ours, and closed to others, since it decides where articles go."""
    try:
        state = path.stat()
        if state.st_uid != os.getuid() or state.st_mode & 0o077:
            return None
        server = RunningServer(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return server if str(server.address).startswith(f"http://{LOOPBACK}:") else None


@dataclass(frozen=True, slots=True)
class Launch:
    """One attempt to start a server.

    Attributes:
        command: the program that serves; it follows `mahdar.llm.local.llama_server.serve`.
        order: what it is to serve.
        log: where its messages go, emptied first.
        timeout: seconds until it has to answer.
    """

    command: Sequence[str]
    order: Order
    log: Path
    timeout: float

    def run(self, progress: Progress) -> tuple[Child, RunningServer]:
        """Start the server and wait until it answers; an error leaves no process behind.

        Raises:
            EmbeddedStartError: it ended or took too long.
        """
        child = self._spawn()
        with _ended_on_error(child):
            _hand_over(child, self.order)
            return child, self._await(child, progress)

    def _spawn(self) -> Child:
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(  # noqa: S603 - our own program
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_child_environment(os.environ),
                start_new_session=True,  # Ctrl-C in the terminal is for the caller, who may still want answers
            )
        finally:
            os.close(log)

    def _await(self, child: Child, progress: Progress) -> RunningServer:
        assert child.stdout is not None
        deadline = time.monotonic() + self.timeout
        server = None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while server is None or not server.answers():
                progress("loading the model", None)
                if selector.select(TICK):
                    server = self._server(child, child.stdout.readline().decode().strip())
                elif time.monotonic() > deadline:
                    raise self._failed(f"did not answer within {self.timeout:g} s")
        return server

    def _server(self, child: Child, address: str) -> RunningServer:
        if not address:
            with suppress(subprocess.TimeoutExpired):
                child.wait(ANSWER_TIMEOUT)
            raise self._failed(f"ended with code {child.returncode}")
        return RunningServer(
            address=address,
            key=self.order.key,
            model=self.order.model,
            context=self.order.context,
            engine=engine_version(),
            pid=child.pid,
            host=socket.gethostname(),
        )

    def _failed(self, what: str) -> EmbeddedStartError:
        tail = self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:].strip()
        return EmbeddedStartError(
            f"the embedded server for {self.order.path} {what}; free memory, name another file in MAHDAR_LOCAL_MODEL, "
            f"or set OPENAI_BASE_URL and OPENAI_API_KEY; {self.log} ends with:\n{tail or '(nothing)'}"
        )


@contextmanager
def _ended_on_error(child: Child) -> Iterator[None]:
    try:
        yield
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


def _hand_over(child: Child, order: Order) -> None:
    """Send the order; a child that has already ended is noticed when its answer is awaited."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.write(json.dumps(asdict(order), ensure_ascii=False).encode() + b"\n")
        child.stdin.flush()


def _child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the child, which imports from where its parent does."""
    return {**environment, "PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path)}
