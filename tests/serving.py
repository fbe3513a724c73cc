"""A service on loopback, in a thread of the test: real sockets, one extractor, and a model that answers as told.

with serving(Endpoint(...), tmp_path) as service:
    service.post("/v1/extractions", {"text": ARTICLE}).json()
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx2
from newsroom import HURRIED

from mahdar import Extractor, Settings
from mahdar.limits.estimate import max_input_tokens, max_output_tokens
from mahdar.llm.conversation import arguments_of
from mahdar.server.callers import Callers, read_tokens
from mahdar.server.running import Server, listen
from mahdar.server.service import Bounds, ExtractionService

PATIENCE: Final = 120.0
"""Seconds after which a test has failed."""


@dataclass
class Served:
    """A service under test."""

    server: Server
    service: ExtractionService
    client: httpx2.Client
    thread: threading.Thread

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.client.get(path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.client.post(path, json=body, **more)

    def stop(self) -> None:
        """Stop it as a signal does, and wait until it has."""
        self.server.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextmanager
def serving(
    settings: Settings,
    folder: Path,
    *,
    bounds: Bounds = Bounds(grace=PATIENCE),  # noqa: B008  # frozen
    tokens: str = "",
    secret: str = "",
    tasks: Sequence[str] = ("meetings", "stances"),
    **options: Any,
) -> Iterator[Served]:
    """Serve until the block ends."""
    folder.mkdir(exist_ok=True)
    callers = Callers(read_tokens(tokens), folder / "accounts.sqlite3")
    options = {"policy": HURRIED, **options}
    bounds = replace(bounds, at_once=options.get("concurrency", bounds.at_once))  # as the command does
    with Extractor(settings, tasks=tasks, **options) as extractor, listen("127.0.0.1", 0, closed=bool(tokens)) as at:
        service = ExtractionService(extractor, callers, bounds)
        server = Server(service, at, folder)
        thread = threading.Thread(target=server.serve_until_stopped)
        thread.start()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with httpx2.Client(base_url=server.url, timeout=PATIENCE, headers=headers, trust_env=False) as client:
            served = Served(server, service, client, thread)
            try:
                yield served
            finally:
                served.stop()
                callers.close()


def most_of_a_call(settings: Settings, article: str) -> int:
    """The most tokens that the first call about an article can take."""
    with Extractor(settings) as extractor:
        arguments = arguments_of(extractor.plan(article)[0])
    return max_input_tokens(arguments) + max_output_tokens(arguments)


def until(held: Callable[[], bool]) -> None:
    """Wait for what another thread or process brings about."""
    for _ in range(int(PATIENCE / 0.01)):
        if held():
            return
        threading.Event().wait(0.01)
    raise TimeoutError
