"""Signals in, as programs send them: one by one, or many as JSON Lines.

Invariants: a body is read as `parse_signal` reads it, byte for byte; only what an
authorised caller sent is counted as malformed; lines are offered in their order, so they are
decided in it.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from pointsman.api.access import Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.openapi import (
    DECISION,
    DECISION_LINE,
    SIGNAL,
    SIGNAL_LINES,
    answers,
    takes,
)
from pointsman.api.pending_decisions import DECIDE_SECONDS, Decisions, Pending
from pointsman.api.ports import EnginePort
from pointsman.api.problems import (
    JSON,
    JSON_LINES,
    LINES,
    HttpProblem,
    documented,
    require_media_type,
    unreadable,
)
from pointsman.api.quotes import add_quote_route
from pointsman.domain.events import SignalMalformed
from pointsman.domain.signal_text import SignalProblem, parse_signal
from pointsman.reading.documents import Document

SOURCE = "http"
_ENCODER = msgspec.json.Encoder()
BULK_LINES_MAX = 1_000


class RawBodyRoute(APIRoute):
    """A route whose endpoint takes the request alone and reads the body itself.

    The framework's search for parameters, of which there are none, would add about 4 % to the
    processor time of a signal. The route's dependencies are called in their order, each with the
    request.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What the framework calls for a request."""
        endpoint = self.endpoint
        checks = [each.dependency for each in self.dependencies if each.dependency is not None]

        async def handle(request: Request) -> Response:
            for check in checks:
                await check(request)
            response: Response = await endpoint(request)
            return response

        return handle


def signal_routes(engine: EnginePort, wall_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The routes by which signals and quotes come in."""
    routes = APIRouter(
        prefix=PREFIX,
        tags=["signals"],
        dependencies=[Depends(Needs(Scope.SIGNAL))],
        route_class=RawBodyRoute,
    )
    add_quote_route(routes, engine, wall_ns)
    decisions = Decisions(engine)

    @routes.post(
        "/signals",
        openapi_extra=takes({JSON: SIGNAL}),
        responses={
            200: answers("Decided: accepted or refused.", DECISION),
            **documented(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )
    async def post_signal(request: Request) -> Response:
        """Have one signal decided. The answer comes when the decision is durable. The same
        signal_id with the same content is answered with its first decision; with other content it
        is a conflict. After a 503 nothing was decided, unless the answer says that it may be."""
        require_media_type(request, (JSON,), f"send one signal as {JSON}")
        try:
            signal = parse_signal(await request.body())
        except SignalProblem as problem:
            raise malformed(engine, SOURCE, problem) from problem
        document = await decisions.decide(signal, SOURCE)
        return Response(_ENCODER.encode(document), media_type=JSON)

    @routes.post(
        "/signals/bulk",
        openapi_extra=takes(dict.fromkeys(LINES, SIGNAL_LINES)),
        responses={200: answers("One answer a line.", DECISION_LINE, JSON_LINES)},
    )
    async def post_signals(request: Request) -> Response:
        """Have signals decided, one a line (JSON Lines), in their order: at most 1,000 lines and
        1 MiB. Each is answered by a line of its own, with a status of its own; one that cannot be
        read does not stop the others."""
        require_media_type(request, LINES, f"send one signal a line as {' or '.join(LINES)}")
        offered = _offer_lines(engine, decisions, await request.body())
        told = await _all_told(decisions, offered)
        return Response(_ENCODER.encode_lines(told), media_type=JSON_LINES)

    return routes


def malformed(
    engine: EnginePort, source: str, problem: SignalProblem, line: int = 0
) -> HttpProblem:
    """Have a signal counted that could not be read; the answer to it."""
    engine.offer_malformed(
        SignalMalformed(
            source=source,
            line=line,
            field=problem.field,
            value=problem.value,
            remedy=problem.remedy,
        )
    )
    return unreadable(problem)


class _Line(NamedTuple):
    """A line, and what waits for its decision."""

    number: int
    offered: Pending | HttpProblem


def _offer_lines(engine: EnginePort, decisions: Decisions, body: bytes) -> list[_Line]:
    """Offer every line that can be read, until the inbox is full: what comes after one that found
    no room finds none either, for its order would be lost. Raises Problem 413."""
    texts = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(texts) > BULK_LINES_MAX:
        text = f"{len(texts)} lines; send at most {BULK_LINES_MAX} at once"
        raise HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
    lines: list[_Line] = []
    full: HttpProblem | None = None
    for number, line in texts:
        try:
            signal = parse_signal(line)
            lines.append(_Line(number, full or decisions.offer(signal, SOURCE)))
        except SignalProblem as problem:
            lines.append(_Line(number, malformed(engine, SOURCE, problem, number)))
        except HttpProblem as problem:
            full = problem
            lines.append(_Line(number, full))
    return lines


async def _all_told(decisions: Decisions, lines: list[_Line]) -> list[Document]:
    """The answers to all lines. What is not decided in time is withdrawn, the last line first, so
    that none is decided after one before it was withdrawn."""
    waiting = [line.offered.woken for line in lines if isinstance(line.offered, Pending)]
    if waiting:
        await asyncio.wait(waiting, timeout=DECIDE_SECONDS)
    told = [_told(decisions, line) for line in reversed(lines)]
    told.reverse()
    return told


def _told(decisions: Decisions, line: _Line) -> Document:
    found = line.offered
    try:
        if isinstance(found, Pending):
            return {"line": line.number, "status": 200, **decisions.told(found)}
    except HttpProblem as problem:
        found = problem
    return {
        "line": line.number,
        "status": found.status.value,
        "detail": found.detail,
        **found.extra,
    }
