"""A real HTTP server on loopback that answers as a test tells it to.

It speaks as much of OpenAI's chat completions as a client needs. Nothing is patched: the client under test opens a
socket, sends bytes, and gets back what a broken, slow or well-behaved endpoint would send.

    with Endpoint(completion('{"meetings": []}')) as endpoint:      # the same to every request
    with Endpoint([status(429, {"retry-after": "0"}), completion(…)]) as endpoint:   # one after the other
    with Endpoint(lambda asked: completion(answer_to(asked.article))) as endpoint:   # by the request

    environment = {"OPENAI_BASE_URL": endpoint.url, "OPENAI_API_KEY": …, "MAHDAR_MODEL": …}
    assert [asked.lists for asked in endpoint.requests] == [("meetings", "stances")]

A list that is used up answers 400, which no client repeats, so that a test of retries sees its mistake at once. Several
requests may be under way at a time; a list is handed out, and `requests` grows, in the order of arrival.

Delay without sleeping: a reply with `after` waits for that event. `endpoint.await_requests(n)` blocks until n requests
have arrived, so that a test can act (interrupt, set the event) exactly while one is in flight.
"""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

PATIENCE: Final = 120.0
"""Seconds after which a test that waits for something has failed: never reached by one that passes."""
_NO_GOODBYE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing resets."""
_NUMBER: Final = re.compile(r"^\[\d+\] ", re.MULTILINE)
_ARTICLE: Final = re.compile(r"<(article[^>]*)>\n(.*)\n</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    """names in lower case"""
    body: Any
    """the JSON, None where there is none"""
    raw: bytes = b""

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns of the conversation."""
        return list(self.body["messages"])

    @property
    def article(self) -> str:
        """What stands between the tags in the last turn that has them: the article, its sentences without numbers."""
        found = [_ARTICLE.search(turn["content"]) for turn in self.messages if turn["role"] == "user"]
        return _NUMBER.sub("", [match[2] for match in found if match][-1])

    @property
    def lists(self) -> tuple[str, ...]:
        """`("meetings", "stances")`: the records that the request's schema asks for; () where it is in no schema."""
        form = self.body.get("response_format", {}).get("json_schema") or self.body.get("tools", [{}])[0].get(
            "function"
        )
        schema = (form or {}).get("schema") or (form or {}).get("parameters") or {}
        return tuple(name for name in schema.get("properties", {}) if name != "actors")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back.

    Attributes:
        body: JSON unless text or bytes.
        after: the answer waits for this event; leaving the server sets it.
        drop_after: bytes of the body after which the connection is cut, although the header promised all of them.
        disconnect: cut the connection without a word.
        reset: tear it down, so that the client is told of a reset (RST).
        drip: seconds between one byte of the body and the next, for as long as the client listens.
    """

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: threading.Event | None = None
    drop_after: int | None = None
    disconnect: bool = False
    reset: bool = False
    drip: float = 0.0

    @property
    def data(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
        return text.encode()


Replies = Reply | Iterable[Reply] | Callable[[Asked], Reply]


def completion(
    content: Any,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] = (100, 20),
    model: str = "loopback",
    after: threading.Event | None = None,
) -> Reply:
    """A chat completion; content that is not text is sent as JSON."""
    text = content if isinstance(content, str | None) else json.dumps(content, ensure_ascii=False)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return Reply(
        {"id": "1", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}, after=after
    )


def status(code: int, headers: Mapping[str, str] | None = None, message: str = "as the test wants it") -> Reply:
    """An error as OpenAI words it."""
    return Reply({"error": {"message": message, "type": "loopback", "code": code}}, status=code, headers=headers or {})


class Endpoint:
    """An OpenAI-compatible server on a free port of 127.0.0.1, from `with` to its end.

    Attributes:
        requests: all that came, in the order of arrival.
        url: the base URL, for `OPENAI_BASE_URL`.
    """

    def __init__(self, replies: Replies) -> None:
        self.requests: list[Asked] = []
        self._choose = _chooser(replies)
        self._arrived = threading.Condition()
        self._held: list[threading.Event] = []
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def await_requests(self, count: int) -> None:
        """Block until so many have arrived.

        Raises:
            TimeoutError: they do not.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, PATIENCE):
                raise TimeoutError(f"{len(self.requests)} requests came, {count} were awaited")

    def receive(self, asked: Asked) -> Reply:
        """Record a request and choose its reply."""
        with self._arrived:
            self.requests.append(asked)
            reply = self._choose(asked)
            if reply.after is not None:
                self._held.append(reply.after)
            self._arrived.notify_all()
        return reply

    def connected(self, connection: socket.socket) -> None:
        """Remember a connection, to cut it at the end."""
        self._connections.add(connection)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        for event in self._held:
            event.set()
        for connection in self._connections:
            _cut(connection)
        self._server.server_close()


def _chooser(replies: Replies) -> Callable[[Asked], Reply]:
    if isinstance(replies, Reply):
        return lambda _: replies
    if callable(replies):
        return replies
    left = iter(replies)
    return lambda asked: next(left, status(400, message=f"no reply left for {asked.path}"))


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    request_queue_size = 512  # more would be torn down when they come at once
    daemon_threads = False  # so that closing waits for the handlers, and no socket outlives the test
    endpoint: Endpoint

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one to be reset without the goodbye that a shutdown would send."""
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_NO_GOODBYE)) == _NO_GOODBYE:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server: tests interrupt and cut connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.endpoint.connected(self.connection)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(raw)

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.endpoint.receive(Asked(self.path, headers, _json(raw), raw))
        if reply.after is not None:
            reply.after.wait(PATIENCE)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_GOODBYE)
        if reply.disconnect or reply.reset:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.data)))
        self.end_headers()
        for piece in _pieces(reply.data[: reply.drop_after], reply.drip):
            self.wfile.write(piece)
        self.close_connection = reply.drop_after is not None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Nothing: a test's output is its assertions."""


def _pieces(data: bytes, drip: float) -> Iterator[bytes]:
    """All of it at once, or a byte at a time."""
    if not drip:
        yield data
        return
    for at in range(len(data)):
        threading.Event().wait(drip)
        yield data[at : at + 1]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
