"""The door: what is asked of every request before any route sees it.

In this order: is it sent to us and by a page of ours, does the caller ask too often, who is it, and
is the body whole. What always holds: below `/api/v1` nothing but the open routes is reached without
a known token; no body is read of a caller who is not known; a kill and a pause have a budget of
their own, and guesses of others do not lock them out.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointsman.api.access import Access
from pointsman.api.limits import (
    BATCH_BYTES_MAX,
    BODY_BYTES_MAX,
    Buckets,
    Limits,
    address_key,
    check_headers,
    read_whole,
    replayed,
)
from pointsman.api.origins import Origins
from pointsman.api.problems import Problem, problem_response

PREFIX = "/api/v1"
WEBHOOK = "/webhook"
STREAM = f"{PREFIX}/stream"
_OPEN = frozenset((f"{PREFIX}/ping", f"{PREFIX}/version"))
_STOPS = frozenset((f"{PREFIX}/kill", f"{PREFIX}/pause"))
_CONTROLS = _STOPS | {f"{PREFIX}/{verb}" for verb in ("rearm", "resume", "flatten", "reconcile")}
_BATCHES = frozenset((f"{PREFIX}/signals/bulk", f"{PREFIX}/quotes"))
_SIGNALS = _BATCHES | _OPEN | {f"{PREFIX}/signals"}
"""What costs little and may come often."""


class Door:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, access: Access, origins: Origins, limits: Limits) -> None:
        self._app = app
        self._access = access
        self._origins = origins
        self._limits = limits
        self._signals = Buckets(limits.signals)
        self._reads = Buckets(limits.reads)
        self._stops = Buckets(limits.controls)
        self._controls = Buckets(limits.controls)
        self._failures = Buckets(limits.failures)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            passed = await self._passed(scope, receive)
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        if passed is None:
            return
        is_head = scope["method"] == "HEAD" and scope["path"] != STREAM
        if is_head:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if scope["path"].startswith(WEBHOOK):
            send = self._counting(send, _address(scope))
        await self._app(scope, passed, send)

    async def _passed(self, scope: Scope, receive: Receive) -> Receive | None:
        """The way to the body of a request that may pass; None where the caller went away.

        Raises Problem for one that may not.
        """
        headers, path, address = Headers(scope=scope), scope["path"], _address(scope)
        check_headers(headers)
        self._origins.check(scope["method"], headers)
        self._budget(scope["method"], path).take(address)
        if path.startswith(WEBHOOK):
            self._failures.check(address)
        elif path.startswith(f"{PREFIX}/") and path not in _OPEN:
            self._identify(path, headers, scope, address)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        bytes_max = BATCH_BYTES_MAX if path in _BATCHES else BODY_BYTES_MAX
        body = await read_whole(receive, headers, bytes_max, self._limits.body_seconds)
        return None if body is None else replayed(body, receive)

    def _budget(self, method: str, path: str) -> Buckets:
        if path in _STOPS:
            return self._stops
        if path in _CONTROLS:
            return self._controls
        is_often = (method == "POST" and path in _SIGNALS) or path in _OPEN
        return self._signals if is_often or path.startswith(WEBHOOK) else self._reads

    def _identify(self, path: str, headers: Headers, scope: Scope, address: str) -> None:
        """Raises Problem 401 for a caller who is not known, 429 after too many wrong tokens."""
        has_guessed = "authorization" in headers
        if has_guessed and path not in _STOPS:
            self._failures.check(address)
        try:
            self._access.caller(headers, _host(scope))
        except Problem:
            if has_guessed:
                self._failures.take(address)
            raise

    def _counting(self, send: Send, address: str) -> Send:
        """Counts a wrong token in the address of the webhook."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_unknown(message):
                self._failures.spend(address)
            await send(message)

        return counted


def _is_unknown(message: Mapping[str, object]) -> bool:
    return message["status"] in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


def _without_body(send: Send) -> Send:
    """HEAD is answered as GET is, without the body."""

    async def bodiless(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bodiless


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return "" if client is None else str(client[0])


def _address(scope: Scope) -> str:
    return address_key(_host(scope))
