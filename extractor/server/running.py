"""Running the service: its address, its start and its stop."""

import ipaddress
import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from mahdar.errors import UsageError
from mahdar.server.app import create_app
from mahdar.server.callers import VARIABLE
from mahdar.server.service import ExtractionService

BACKLOG: Final = 512
"""Connections that wait to be taken."""


def check_address(host: str, *, closed: bool) -> None:
    """Refuse an address that others reach, where anybody may use the service.

    Args:
        host: a name or an address.
        closed: whether tokens are needed.

    Raises:
        UsageError: it may not be served there.
    """
    if closed or host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageError(
            f"--host {host}: other machines may reach it, and anybody could spend your money; set {VARIABLE} "
            "(mahdar serve --help), or serve on 127.0.0.1"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 for any that is free.

    Raises:
        UsageError: the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        at = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(f"{host}:{port}: cannot be listened at ({error.strerror}); give another --port") from None
    at.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # which asyncio does for sockets of its own only
    return at


class Server(uvicorn.Server):
    """Answers requests until it is told to stop, and lets what is under way end, for as long as the bounds say.

    Args:
        service: what it serves.
        at: where it listens.
        folder: where its jobs are kept.
    """

    def __init__(self, service: ExtractionService, at: socket.socket, folder: Path) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(service, folder),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=int(service.bounds.grace),
                ws="none",
            )
        )
        self._service = service
        self._at = at
        host, port = at.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def serve_until_stopped(self) -> None:
        """Answer requests until `stop`, SIGINT or SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them again when it has stopped: all is done
                signal.signal(number, lambda _number, _frame: None)
        self.run(sockets=[self._at])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear a signal: nothing more is begun. The second SIGINT stops at once."""
        self._service.stopping = True
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop as after a signal."""
        self.handle_exit(signal.SIGTERM, None)
