"""The webhook: alerts as chart services send them, and messages that are signed.

Forgiving in spelling, strict in meaning. Invariants: a wrong token learns nothing, not even
whether there is a webhook; the answer comes within a second; and since most senders do not send
again, an alert that is not decided by then stays in line.
"""

import re
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from pointsman.api.alerts import Alerts
from pointsman.api.bodies import JSON
from pointsman.api.pending_decisions import ASK, Decisions, wait
from pointsman.api.ports import Engine
from pointsman.api.problems import documented, nowhere
from pointsman.api.schemas import ALERT, DECISION, LATER, answers, takes
from pointsman.api.signals import malformed
from pointsman.api.signatures import SIGNATURE, TIMESTAMP, Signatures, signed_path
from pointsman.domain.positions import Position
from pointsman.domain.signal_text import SignalProblem, parse_signal
from pointsman.domain.signal_values import OPENING_SUFFIX
from pointsman.domain.signals import Signal
from pointsman.storage import queries
from pointsman.storage.reader import open_reader

SOURCE = "webhook"
DECIDE_SECONDS = 0.8  # not money: seconds
"""So long an answer waits for its decision: with the rest, less than a second."""

_MISSING = {
    "va_id": "name the account in the URL, as ?va=ACCOUNT, or send va_id in the message",
    "quantity": "send contracts or quantity, or leave them out and set WEBHOOK_DEFAULT_NOTIONAL",
}
"""The fix where an alert lacks something that can be set elsewhere."""

_NEWEST_MAX = 100
"""So many decisions of a VA and symbol are looked at for one that came in between."""

_VA_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_RESPONSES = {
    200: answers("Decided, now or when it first came.", DECISION),
    202: answers("Not decided within a second: it stays in line.", LATER),
    **documented(HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
}
_BODY = takes({JSON: ALERT, "text/plain": {"type": "string", "description": "The same."}})
_Va = Annotated[str, Query(description="The virtual account, where the body names none.")]
_Token = Annotated[str, Path(alias="token", description="WEBHOOK_TOKEN.")]
"""For the description only: admission has checked it."""


def webhook_routes(engine: Engine, wall_ns: Callable[[], int] = time.time_ns) -> APIRouter:
    """The routes of the webhook. `wall_ns` tells the wall clock, which signed times are held
    against."""
    routes = APIRouter(tags=["webhook"])
    take = _Taker(engine, wall_ns).take
    secret = engine.settings.webhook_secret
    signatures: Signatures | None = None
    if secret is not None:
        path = signed_path(engine.database)
        signatures = Signatures(secret, path, wall_ns(), engine.complain)

    @routes.post(
        "/webhook/{token:path}",
        openapi_extra=_BODY,
        responses=_RESPONSES,
    )
    async def post_alert(request: Request, _token: _Token, va: _Va = "") -> Response:
        """Take an alert as TradingView, TradersPost or trade-relay send it: JSON, whatever its
        Content-Type. The same alert again is answered with the first decision."""
        return await take(await request.body(), va, "")

    @routes.post(
        "/webhook",
        openapi_extra=_BODY,
        responses={**_RESPONSES, **documented(HTTPStatus.UNAUTHORIZED)},
        description=f"Take a message with the headers {TIMESTAMP}, the time in epoch seconds, and "
        f'{SIGNATURE}, the hex HMAC-SHA256 of TIMESTAMP + "." + BODY under WEBHOOK_SECRET. The '
        "same message again is refused, and so is one with a query, which is not signed. Without a "
        "signal_id and a time in it, two messages that were signed at different times are two "
        "signals.",
    )
    async def post_signed(request: Request) -> Response:
        if signatures is None:
            raise nowhere()
        body = await request.body()
        signed_at = signatures.check(request, body, wall_ns())
        if request.scope["query_string"]:
            field = "va" if "va" in request.query_params else "query"
            remedy = "the query is not signed; send va_id and all else in the message, and sign it"
            raise malformed(engine, SOURCE, SignalProblem(field, "", remedy))
        return await take(body, "", signed_at)

    return routes


class _Taker:
    """Takes alerts of senders that may send them."""

    def __init__(self, engine: Engine, wall_ns: Callable[[], int]) -> None:
        self._engine = engine
        self._wall_ns = wall_ns
        self._decisions = Decisions(engine)
        self._alerts = Alerts(wall_ns(), self._decided)

    async def take(self, body: bytes, va: str, signed_at: str) -> Response:
        """Have an alert decided; the answer to it. `va` stands in for an account that it does not
        name."""
        try:
            if va and not _VA_ID.fullmatch(va):
                raise SignalProblem("va", va, "use 1 to 32 letters, digits, _ and -")
            signal = self._read(body, va)
            signal = self._alerts.named(signal, body, signed_at, self._wall_ns())
        except SignalProblem as problem:
            may_stand_in_url = not signed_at or problem.field != "va_id"
            if not problem.value and problem.field in _MISSING and may_stand_in_url:
                problem = SignalProblem(problem.field, "", _MISSING[problem.field])
            raise malformed(self._engine, SOURCE, problem) from problem
        pending = self._decisions.offer(signal, SOURCE)
        await wait(pending, DECIDE_SECONDS)
        if pending.future.done():
            return Response(msgspec.json.encode(self._decisions.told(pending)), media_type=JSON)
        return _later(signal.signal_id)

    def _read(self, body: bytes, va: str) -> Signal:
        """The signal of an alert. One against what its account holds is an exit, and done whatever
        else stands in it. Raises SignalProblem."""
        try:
            return parse_signal(
                body,
                default_va_id=va or None,
                default_notional=self._engine.settings.webhook_default_notional,
                # No sender can send it: it stands for "none".
                default_signal_id="",
            )
        except SignalProblem as problem:
            leaving = problem.as_exit
            if leaving is None or not self._holds_against(leaving):
                raise
            return leaving

    def _holds_against(self, signal: Signal) -> bool:
        with closing(open_reader(self._engine.database)) as connection:
            held = queries.records(
                connection,
                Position,
                "WHERE va_id = ? AND symbol = ?",
                (signal.va_id, signal.symbol),
            )
        return any(p.is_live and p.side.closes_with.value == signal.side.value for p in held)

    def _decided(self, va_id: str, symbol: str) -> list[str]:
        """The newest ids that were decided of a VA and symbol, newest first, without the opening
        parts of reversals, which come of them."""
        with closing(open_reader(self._engine.database)) as connection:
            found = queries.newest_decided(connection, va_id, symbol, _NEWEST_MAX)
        return [signal_id for signal_id in found if not signal_id.endswith(OPENING_SUFFIX)]


def _later(signal_id: str) -> Response:
    ask = ASK.format(signal_id=quote(signal_id, safe=""))
    text = "not decided yet: it stays in line, but is lost if the engine ends or storage fails"
    document = {"signal_id": signal_id, "status": "waiting", "detail": f"{text}; GET {ask}"}
    return Response(
        msgspec.json.encode(document), HTTPStatus.ACCEPTED, {"Location": ask}, media_type=JSON
    )
