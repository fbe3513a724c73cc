"""Bound, authenticate, count and log every request, and answer unexpected errors."""

import asyncio
import logging
import re
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mahdar.server.problems import RequestProblem, as_problem
from mahdar.server.service import ExtractionService

log = logging.getLogger("mahdar")

UPLOADS: Final = ("/v1/jobs", "/v1/tables")
"""Paths whose body is written to a file as it arrives."""
PROTECTED: Final = ("/v1/", "/metrics")
"""Beginnings of the paths that need a token, if there are tokens."""
UNLIMITED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are answered however many requests are under way."""
METHODS: Final = frozenset({"GET", "POST", "DELETE"})
"""Methods that metrics name."""
LOOPBACK: Final = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?")
"""Host headers of requests of this machine."""
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer."""


class Gate:
    """ASGI middleware around all routes.

    Args:
        app: the application.
        service: gives the callers, bounds and metrics.
    """

    def __init__(self, app: ASGIApp, service: ExtractionService) -> None:
        self._app = app
        self._service = service
        self._requests = 0
        service.metrics.under_way.set_function(lambda: self._requests)

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
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        self._requests += 1
        try:
            self._admit(scope)
            await self._app(scope, self._bounded(scope, receive), answer)
        except ClientDisconnect:
            status = status or 499  # nobody reads an answer
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError):
                if not self._service.stopping:
                    raise
                error = RequestProblem("stopping", "the service was stopped before there was an answer")
            problem = as_problem(error)
            if not status:
                await problem.response()(scope, receive, answer)
        finally:
            self._requests -= 1
            route, seconds = getattr(scope.get("route"), "path", "other"), time.perf_counter() - started
            metrics.requests.labels(scope["method"] if scope["method"] in METHODS else "other", route, status).inc()
            metrics.seconds.labels(route).observe(seconds)
            name = scope["caller"].name if "caller" in scope else "-"
            log.info("%s %s %d in %.3f s, %s", scope["method"], route, status, seconds, name)

    def _admit(self, scope: Scope) -> None:
        """Authenticate a request before its body is read.

        Raises:
            RequestProblem: the caller is not allowed, or too many requests are under way.
        """
        headers, callers, path = Headers(scope=scope), self._service.callers, scope["path"]
        host, origin = headers.get("host", ""), headers.get("origin")
        if not callers.closed and (
            not LOOPBACK.fullmatch(host) or (origin is not None and origin.partition("://")[2] != host)
        ):  # a page of another site could otherwise make the reader's browser spend money here
            raise RequestProblem("forbidden", "without tokens the service answers only requests of this machine")
        if path.startswith(PROTECTED):
            scheme, _, secret = headers.get("authorization", "").partition(" ")
            scope["caller"] = callers.authenticate(secret.strip() if scheme.lower() == "bearer" else "")
        if self._requests > self._service.bounds.requests and path not in UNLIMITED:
            raise RequestProblem("busy", f"{self._service.bounds.requests} requests are under way, the most allowed")

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Bound the bytes and the time of a request's body: of an upload the time for each piece, else for the whole.

        uvicorn reads and drops the rest of a body that is refused, so that the client sees the answer.
        """
        bounds, clock = self._service.bounds, asyncio.get_running_loop()
        upload = scope["method"] == "POST" and scope["path"].startswith(UPLOADS)
        limit, deadline = bounds.upload if upload else bounds.body, clock.time() + bounds.receive
        received, complete = 0, False

        async def piece() -> Message:
            nonlocal received, complete, deadline
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                detail = f"the body did not arrive within {bounds.receive:g} seconds"
                raise RequestProblem("too_slow", detail) from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if upload:
                deadline = clock.time() + bounds.receive
            if received > limit:
                raise RequestProblem("too_large", f"the body has more than the {limit:,} bytes allowed")
            return message

        return piece
