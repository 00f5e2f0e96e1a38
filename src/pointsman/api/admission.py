"""Admission: what every request must pass before it reaches a route.

In this order: Host and Origin are allowed, the caller is identified, the rate is within limits, and
the body is complete. Invariants: below `/api/v1` nothing but the open routes is reached without a
known token; its bearer is identified here, once, and left in the ASGI scope for the route; the body
of an unknown caller is not read, unless a signature covers it; a right token is never refused or
delayed for what others did, from any address; and health, metrics and ping have no budget
to exhaust.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pointsman.api.access import CALLER, Access, Origins, bearer_token, client_host
from pointsman.api.limits import (
    BATCH_BYTES_MAX,
    BODY_BYTES_MAX,
    GUESSING_SECONDS,
    HOLD,
    REFUSAL_SECONDS,
    Buckets,
    Guesses,
    RequestLimits,
    address_key,
    check_headers,
    read_whole,
    replayed,
)
from pointsman.api.problems import HttpProblem, nowhere, problem_response

PREFIX = "/api/v1"
WEBHOOK = "/webhook"
STREAM = f"{PREFIX}/stream"
_PINGS = frozenset((f"{PREFIX}/ping", f"{PREFIX}/version"))
_UNLIMITED = _PINGS | {"/health/live", "/health/ready", "/metrics"}
_STOPS = frozenset((f"{PREFIX}/kill", f"{PREFIX}/pause"))
_CONTROLS = _STOPS | {f"{PREFIX}/{verb}" for verb in ("rearm", "resume", "flatten", "reconcile")}
_BATCHES = frozenset((f"{PREFIX}/signals/bulk", f"{PREFIX}/quotes"))
_SIGNALS = _BATCHES | {f"{PREFIX}/signals"}
"""What costs little and may come often."""
_SIGNATURE = "a signature"


class Admission:
    """ASGI middleware around the whole application."""

    def __init__(
        self, app: ASGIApp, access: Access, origins: Origins, limits: RequestLimits
    ) -> None:
        self._app = app
        self._access = access
        self._origins = origins
        self._limits = limits
        self._signals = Buckets(limits.signals)
        self._reads = Buckets(limits.reads)
        self._stops = Buckets(limits.controls)
        self._controls = Buckets(limits.controls)
        self._open_reads = Buckets(limits.reads, "requests from this address")
        self._guesses = Guesses(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            passed = await self._passed(scope, receive)
        except HttpProblem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        if passed is None:
            return
        is_head = scope["method"] == "HEAD" and scope["path"] != STREAM
        if is_head:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if scope["path"] == WEBHOOK:
            send = self._slowing(scope, receive, send)
        await self._app(scope, passed, send)

    async def _passed(self, scope: Scope, receive: Receive) -> Receive | None:
        """The way to the body of a request that may pass; None where the caller went away.

        Raises Problem for one that may not.
        """
        headers, path = Headers(scope=scope), scope["path"]
        check_headers(headers)
        self._origins.check(scope["method"], headers)
        if path not in _UNLIMITED:
            await self._admit(scope, headers, path)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return receive
        bytes_max = BATCH_BYTES_MAX if path in _BATCHES else BODY_BYTES_MAX
        body = await read_whole(receive, headers, bytes_max, self._limits.body_seconds)
        return None if body is None else replayed(body, receive)

    async def _admit(self, scope: Scope, headers: Headers, path: str) -> None:
        """Raises Problem 401, or 404 at the webhook, for a caller who is not known; 429 for one who
        tries too many tokens, or asks too often."""
        if path.startswith(f"{PREFIX}/"):
            try:
                caller = self._access.caller(scope)
            except HttpProblem as problem:
                raise await self._slowed(scope, bearer_token(headers), problem) from None
            self._budget(scope["method"], path).take(caller.name)
            scope[CALLER] = caller
        elif path.startswith(f"{WEBHOOK}/"):
            token = path.removeprefix(f"{WEBHOOK}/")
            if not self._access.is_webhook_token(token):
                raise await self._slowed(scope, token.removesuffix("/"), nowhere())
            self._signals.take(WEBHOOK)
        elif path != WEBHOOK:
            try:
                self._open_reads.take(address_key(client_host(scope)))
            except HttpProblem as problem:
                raise await self._slowed(scope, None, problem) from None

    def _budget(self, method: str, path: str) -> Buckets:
        if path in _STOPS:
            return self._stops
        if path in _CONTROLS:
            return self._controls
        return self._signals if method == "POST" and path in _SIGNALS else self._reads

    async def _slowed(self, scope: Scope, guess: str | None, problem: HttpProblem) -> HttpProblem:
        """The answer to a caller without a right token, after the time that this takes. `guess` is
        the token that was tried, if one was."""
        seconds = REFUSAL_SECONDS
        if guess:
            try:
                self._guesses.take(guess)
            except HttpProblem as too_many:
                problem, seconds = too_many, GUESSING_SECONDS
        hold = scope.get("state", {}).get(HOLD, asyncio.sleep)
        await hold(seconds)
        return problem

    def _slowing(self, scope: Scope, receive: Receive, send: Send) -> Send:
        """Counts and slows wrong signatures, which are only known once the body was read."""
        is_replaced = False

        async def slowed(message: Message) -> None:
            nonlocal is_replaced
            if _is_unauthorized(message):
                wrong = HttpProblem(HTTPStatus.UNAUTHORIZED, "")
                told = await self._slowed(scope, _SIGNATURE, wrong)
                is_replaced = told is not wrong
                if is_replaced:
                    await problem_response(told)(scope, receive, send)
            if not is_replaced:
                await send(message)

        return slowed


def _is_unauthorized(message: Mapping[str, object]) -> bool:
    return message.get("status") == HTTPStatus.UNAUTHORIZED


def _without_body(send: Send) -> Send:
    """HEAD is answered as GET is, without the body."""

    async def bodiless(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return bodiless
