"""The gate: what holds for every request, before and around its route.

It bounds the bytes and the seconds of a body and the requests at once, counts and logs without a word of an article,
and turns what was not foreseen into a problem.
"""

import asyncio
import logging
import time
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mahdar.server.problems import RequestProblem
from mahdar.server.service import MEGABYTE, ExtractionService

log = logging.getLogger("mahdar")

UPLOADS: Final = ("/v1/jobs", "/v1/tables")
"""Paths whose body is written to a file as it comes."""
CLOSED: Final = ("/v1/", "/metrics")
"""Paths that need a token, where there are tokens."""
CALLER: Final = "mahdar.caller"
"""Who asks, in a request's scope."""
ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that answer however busy the service is."""
LEFT_UNREAD: Final = 64 * MEGABYTE
"""Bytes that are read and dropped of a body that is too large: a client that still sends may not hear an answer."""
UNREAD_SECONDS: Final = 10.0
METHODS: Final = frozenset({"GET", "POST", "DELETE"})
"""Methods that are counted by their names."""
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Gate:
    """Stands around the application (ASGI).

    Args:
        app: the application.
        service: whose bounds and metrics these are.
    """

    def __init__(self, app: ASGIApp, service: ExtractionService) -> None:
        self._app = app
        self._service = service
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, metrics = time.perf_counter(), 0, self._service.metrics

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                message["headers"] += [(name, value) for name, value in SAFE.items() if name not in given]
            await send(message)

        self._requests += 1
        metrics.under_way.inc()
        try:
            await self._answered(scope, receive, answer)
        except RequestProblem as problem:
            await problem.response(scope, receive, answer)
        except asyncio.CancelledError:  # the server waits no longer
            if not self._service.stopping:
                raise
            if not status:
                said = "the service was stopped before there was an answer"
                await RequestProblem("stopping", said).response(scope, receive, answer)
        except Exception:  # noqa: BLE001  # answered and logged by the application, by its class alone
            log.debug("the answer was cut")
        finally:
            self._requests -= 1
            metrics.under_way.dec()
            route = getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in METHODS else "other"
            metrics.requests.labels(method, route, status).inc()
            metrics.seconds.labels(route).observe(seconds)
            asked_by = scope[CALLER].name if CALLER in scope else "-"
            log.info("%s %s %d in %.3f s, %s", scope["method"], route, status, seconds, asked_by)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._admit(scope)
        await self._app(scope, BodyReader(scope, receive, self._service).receive, send)

    def _admit(self, scope: Scope) -> None:
        """Refuse a request before anything of its body is read.

        Raises:
            RequestProblem: who asks may not, or there are too many requests.
        """
        headers, callers, path = Headers(scope=scope), self._service.callers, scope["path"]
        if not callers.closed and not _is_local(headers):
            # a page of another site could otherwise have the reader's browser spend money here
            raise RequestProblem(
                "forbidden", "without tokens the service answers requests of this machine to itself only"
            )
        if path.startswith(CLOSED):
            kind, _, secret = headers.get("authorization", "").partition(" ")
            scope[CALLER] = callers.authorized(secret.strip() if kind.lower() == "bearer" else None)
        if self._requests > self._service.bounds.requests and path not in ALWAYS:
            raise RequestProblem("busy", f"{self._service.bounds.requests} requests are under way, as many as it takes")


def _is_local(headers: Headers) -> bool:
    """Whether a request names this machine as its host, and comes from no page of another site."""
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    origin = headers.get("origin")
    return name in LOCAL_HOSTS and (origin is None or origin.partition("://")[2] == host)


class BodyReader:
    """Reads a request's body within its bounds."""

    def __init__(self, scope: Scope, receive: Receive, service: ExtractionService) -> None:
        bounds = service.bounds
        self._upload = scope["method"] == "POST" and scope["path"].startswith(UPLOADS)
        self._most = bounds.upload if self._upload else bounds.body
        self._pause = bounds.upload_pause if self._upload else bounds.receive
        self._deadline = asyncio.get_running_loop().time() + self._pause
        self._announced = int(length) if (length := Headers(scope=scope).get("content-length", "")).isdigit() else 0
        self._receive = receive
        self._read = 0
        self._whole = False

    async def receive(self) -> Message:
        """The next piece; once all have come, the client's leaving.

        Raises:
            RequestProblem: `too_large` or `too_slow`.
        """
        if self._whole:
            return await self._receive()
        if self._announced > self._most:
            await self._refuse()
        message = await self._piece()
        self._read += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        if self._read > self._most:
            await self._refuse()
        return message

    async def _piece(self) -> Message:
        loop = asyncio.get_running_loop()
        if self._upload:
            self._deadline = loop.time() + self._pause
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError:
            said = f"the body did not come within {self._pause:g} seconds"
            raise RequestProblem("too_slow", said) from None

    async def _refuse(self) -> None:
        left = max(self._announced, self._read) <= LEFT_UNREAD
        self._deadline = asyncio.get_running_loop().time() + UNREAD_SECONDS
        while left and not self._whole and self._read <= LEFT_UNREAD:
            message = await self._piece()
            self._read += len(message.get("body", b""))
            self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        raise RequestProblem("too_large", f"the request has more than the {self._most:,} bytes that it may have")
