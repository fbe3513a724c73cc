"""Run the service: listen at an address, answer requests, and stop cleanly."""

import signal
import socket
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from mahdar.errors import UsageError
from mahdar.server.app import create_app
from mahdar.server.callers import VARIABLE
from mahdar.server.gate import LOOPBACK
from mahdar.server.service import ExtractionService


def listen(host: str, port: int, *, closed: bool) -> socket.socket:
    """Return a listening socket; for port 0 at any free port.

    Args:
        host: a name or an address; one that other machines can reach only if `closed`.
        port: its TCP port.
        closed: whether the service needs tokens.

    Raises:
        UsageError: the service may not or cannot listen there.
    """
    if not (closed or LOOPBACK.fullmatch(_in_url(host))):
        raise UsageError(
            f"--host {host}: other machines may reach it, and anybody could spend your money; set {VARIABLE} "
            "(mahdar serve --help), or listen on 127.0.0.1"
        )
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise UsageError(f"{host}:{port}: cannot listen there ({error.strerror}); give another --port") from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only for its own sockets
    return listening


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Server(uvicorn.Server):
    """Answers requests until it is stopped; work under way may then end within the grace period.

    Args:
        service: extracts articles.
        listening: the socket.
        folder: holds the jobs.
    """

    def __init__(self, service: ExtractionService, listening: socket.socket, folder: Path) -> None:
        app, grace = create_app(service, folder), int(service.bounds.grace)
        quiet = {"log_config": None, "access_log": False, "server_header": False}
        super().__init__(uvicorn.Config(app, **quiet, lifespan="on", timeout_graceful_shutdown=grace, ws="none"))  # type: ignore[arg-type]
        self._service = service
        self._listening = listening
        host, port = listening.getsockname()[:2]
        self.url = f"http://{_in_url(host)}:{port}"

    def serve_until_stopped(self) -> None:
        """Answer requests until `stop`, SIGINT or SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them again once it has stopped
                signal.signal(number, lambda _number, _frame: None)
        self.run(sockets=[self._listening])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal: begin nothing more. The second SIGINT stops at once."""
        self._service.stopping = True
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop as SIGTERM does."""
        self.handle_exit(signal.SIGTERM, None)
