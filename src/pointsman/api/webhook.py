"""The webhook: alerts as chart services send them, and messages that are signed.

Forgiving in spelling, strict in meaning. Invariants: a wrong token learns nothing, not even
whether there is a webhook; the answer comes within a second; and since most senders do not send
again, an alert that is not decided by then stays in line.

Signed messages carry an HMAC-SHA256 over the time and the body. Invariants: the time is signed and
mandatory, so a captured message is worth nothing after a minute; within it, it is known, also after
a restart, for digests within their time stand in a file beside the database. They are written, but
not synced: they survive a kill of the process. After a power cut a replay still gets the id of the
first signal, so it changes nothing.
"""

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathField
from pydantic import SecretStr

from pointsman.api.alerts import Alerts
from pointsman.api.openapi import ALERT, DECISION, LATER, answers, takes
from pointsman.api.pending_decisions import ASK, Decisions, wait
from pointsman.api.ports import EnginePort
from pointsman.api.problems import JSON, HttpProblem, documented, nowhere
from pointsman.api.signals import malformed
from pointsman.domain.positions import Position
from pointsman.domain.signal_text import SignalProblem, parse_signal
from pointsman.domain.signal_values import OPENING_SUFFIX
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS
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
"""How many decisions of a VA and symbol are searched for one that came in between."""

_VA_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_RESPONSES = {
    200: answers("Decided, now or when it first came.", DECISION),
    202: answers("Not decided within a second: it stays queued.", LATER),
    **documented(HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
}
_BODY = takes({JSON: ALERT, "text/plain": {"type": "string", "description": "The same."}})
_Va = Annotated[str, Query(description="The virtual account, where the body names none.")]
_Token = Annotated[str, PathField(alias="token", description="WEBHOOK_TOKEN.")]
"""For the description only: admission has checked it."""

TIMESTAMP = "X-Pointsman-Timestamp"
SIGNATURE = "X-Pointsman-Signature"
WINDOW_SECONDS = 60
REMEMBERED_MAX = 10_000

_WINDOW_NS = WINDOW_SECONDS * SECOND_NS
_TIME = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?")
_LINE = re.compile(r"([0-9]{1,20}) ([0-9a-f]{64})")


def webhook_routes(engine: EnginePort, wall_ns: Callable[[], int] = time.time_ns) -> APIRouter:
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
        description=f"Take a signed message. Headers: {TIMESTAMP}, the time in epoch seconds, and "
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

    def __init__(self, engine: EnginePort, wall_ns: Callable[[], int]) -> None:
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
    text = "not decided yet: it stays queued, but is lost if the engine ends or storage fails"
    document = {"signal_id": signal_id, "status": "waiting", "detail": f"{text}; GET {ask}"}
    return Response(
        msgspec.json.encode(document), HTTPStatus.ACCEPTED, {"Location": ask}, media_type=JSON
    )


def signed_path(database: Path) -> Path:
    """The file of the digests that came within the last minutes, for the engine of a database."""
    return database.with_name(f"{database.name}.signed")


class Signatures:
    """Checks messages that are signed with one secret, and remembers those of the last minutes in
    the file `path`. `complain` is called once when that file cannot be used."""

    def __init__(
        self, secret: SecretStr, path: Path, now_ns: int, complain: Callable[[str], None]
    ) -> None:
        self._key = secret.get_secret_value().encode()
        self._path = path
        self._complain = complain
        self._is_failing = False
        self._seen = self._read(now_ns)
        if self._seen:
            self._write()

    def check(self, request: Request, body: bytes, now_ns: int) -> str:
        """The time at which a message was signed, as its sender wrote it. `now_ns` is that of the
        wall clock.

        Raises Problem 401 for one that is not signed, wrongly signed or not of this minute, 409 for
        one that came before, and 429 where too many came.
        """
        signed_at = request.headers.get(TIMESTAMP, "")
        signature = request.headers.get(SIGNATURE, "").strip().lower()
        digest = hmac.digest(self._key, signed_at.encode() + b"." + body, "sha256")
        is_ours = hmac.compare_digest(digest.hex().encode(), signature.encode())
        if not is_ours or not _TIME.fullmatch(signed_at):
            text = f"send {TIMESTAMP}, the time in epoch seconds, and {SIGNATURE}"
            told = f'{text}, the hex HMAC-SHA256 of TIMESTAMP + "." + BODY under WEBHOOK_SECRET'
            raise HttpProblem(HTTPStatus.UNAUTHORIZED, told)
        signed_ns = int(Decimal(signed_at) * SECOND_NS)
        if abs(now_ns - signed_ns) > _WINDOW_NS:
            text = f"signed more than {WINDOW_SECONDS} s from now by the engine's clock"
            raise HttpProblem(
                HTTPStatus.UNAUTHORIZED, f"{text}; set yours and sign the message again"
            )
        self._remember(digest.hex(), signed_ns + _WINDOW_NS, now_ns)
        return signed_at

    def _remember(self, digest: str, until_ns: int, now_ns: int) -> None:
        if digest in self._seen:
            text = "this message came before; sign each message with its own time"
            raise HttpProblem(HTTPStatus.CONFLICT, text)
        if len(self._seen) >= REMEMBERED_MAX:
            self._seen = _current(self._seen, now_ns)
            self._write()
        if len(self._seen) >= REMEMBERED_MAX:
            text = f"{REMEMBERED_MAX} signed messages came within {WINDOW_SECONDS} s"
            raise HttpProblem(
                HTTPStatus.TOO_MANY_REQUESTS, text, {"Retry-After": str(WINDOW_SECONDS)}
            )
        self._seen[digest] = until_ns
        self._append(digest, until_ns)

    def _read(self, now_ns: int) -> dict[str, int]:
        """What the file holds, without a line that broke off when the process was killed."""
        try:
            text = self._path.read_text("ascii", "replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._fail(error)
            return {}
        lines = map(_LINE.fullmatch, text.splitlines())
        return _current({line[2]: int(line[1]) for line in lines if line}, now_ns)

    def _append(self, digest: str, until_ns: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, f"{until_ns} {digest}\n".encode())
            finally:
                os.close(descriptor)
            self._is_failing = False
        except OSError as error:
            self._fail(error)

    def _write(self) -> None:
        """The file written again with what is remembered now: it is there whole, or as it was."""
        lines = "".join(f"{until_ns} {digest}\n" for digest, until_ns in self._seen.items())
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            draft.touch(0o600)
            draft.write_text(lines, "ascii")
            draft.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Go on without the file: it is the second defence after a restart, the id the first."""
        if not self._is_failing:
            self._complain(f"signed messages are not remembered over a restart: {error}")
        self._is_failing = True


def _current(seen: Mapping[str, int], now_ns: int) -> dict[str, int]:
    return {digest: until_ns for digest, until_ns in seen.items() if until_ns >= now_ns}
