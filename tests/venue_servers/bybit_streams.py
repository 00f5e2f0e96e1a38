"""The websockets of the loopback Bybit: `/v5/private` tells what happened to the account,
`/v5/public/linear` what the market is.

What happened during one request or one move of the market is told together: the executions of an
order in one message, then the orders, the positions, the wallet. An order that traded at once is
not told as `New` first.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.venue_servers.bybit_messages import (
    Row,
    book_change,
    book_levels,
    execution_row,
    funding_row,
    position_row,
    ticker_row,
    wallet_row,
)
from tests.venue_servers.bybit_requests import sign
from tests.venue_servers.records import Change, ChangeKind, Quote, Status
from tests.venue_servers.streams import ACCOUNT, QUOTES, Socket, StreamRoute

if TYPE_CHECKING:
    from tests.venue_servers.bybit import BybitServer

PRIVATE_TOPICS = {
    f"{name}{end}" for name in ("order", "execution", "position") for end in ("", ".linear")
} | {"wallet"}
PUBLIC_TOPICS = ("orderbook.1", "orderbook.50", "tickers")
REPEAT_SECONDS = 3
"""A book that has not changed for so long is sent again as a snapshot."""


class BybitStreams:
    def __init__(self, server: "BybitServer") -> None:
        self._server = server
        self._shown: dict[str, tuple[Quote, int, float]] = {}
        """The quote that was sent last, its update id, and when on the monotonic clock."""
        self._is_repeating = False

    def routes(self) -> Iterator[StreamRoute]:
        yield StreamRoute(path="/v5/private", channel=ACCOUNT, on_message=self._private)
        yield StreamRoute(path="/v5/public/linear", channel=QUOTES, on_message=self._public)

    # --- what clients ask -------------------------------------------------------------------------

    def _private(self, socket: Socket, data: str | bytes) -> None:
        asked = json.loads(data)
        operation, arguments = asked.get("op"), asked.get("args") or []
        if operation == "ping":
            pong = {
                "op": "pong",
                "args": [str(self._server.now_ms())],
                "conn_id": _connection(socket),
            }
            socket.send(pong | _request_id(asked))
        elif operation == "auth":
            problem = self._auth_problem(arguments)
            socket.is_authorized = not problem
            self._answer(socket, asked, problem)
            if problem:
                socket.close_soon(1008)
        elif not socket.is_authorized:
            self._answer(socket, asked, "Request not authorized")
        else:
            unknown = [topic for topic in arguments if topic not in PRIVATE_TOPICS]
            self._subscribe(socket, asked, unknown)

    def _public(self, socket: Socket, data: str | bytes) -> None:
        asked = json.loads(data)
        arguments = asked.get("args") or []
        if asked.get("op") == "ping":
            self._answer(socket, asked, "", told="pong")
            return
        known = {f"{kind}.{symbol}" for kind in PUBLIC_TOPICS for symbol in self._symbols()}
        before = set(socket.tags)
        self._subscribe(socket, asked, [topic for topic in arguments if topic not in known])
        for topic in sorted(socket.tags - before):
            kind, _, symbol = topic.rpartition(".")
            if symbol in self._shown:
                socket.send(self._snapshot(kind, symbol))
        if not self._is_repeating:
            self._is_repeating = True
            self._repeat()

    def _subscribe(self, socket: Socket, asked: Row, unknown: list[str]) -> None:
        operation, topics = asked.get("op"), set(asked.get("args") or [])
        if operation not in ("subscribe", "unsubscribe"):
            self._answer(socket, asked, f"error:unknown op,op:{operation}")
        elif unknown or not topics:
            self._answer(socket, asked, f"error:handler not found,topic:{','.join(unknown)}")
        else:
            if operation == "subscribe":
                socket.tags |= topics
            else:
                socket.tags -= topics
            self._answer(socket, asked, "")

    def _answer(self, socket: Socket, asked: Row, problem: str, told: str = "") -> None:
        answer = {
            "success": not problem,
            "ret_msg": problem or told,
            "conn_id": _connection(socket),
            "op": asked.get("op", ""),
        }
        socket.send(answer | _request_id(asked))

    def _auth_problem(self, arguments: list[Any]) -> str:
        if len(arguments) != 3:
            return "Params Error"
        key, expires, signature = (str(argument) for argument in arguments)
        if key != self._server.key or self._server.refuses_key_with:
            return "Invalid api_key"
        if not expires.isdigit() or int(expires) <= self._server.now_ms():
            return "request expired"
        is_signed = signature == sign(self._server.secret, f"GET/realtime{expires}")
        return "" if is_signed else "Invalid sign"

    def _symbols(self) -> list[str]:
        return list(self._server.account.instruments)

    # --- what happened to the account -------------------------------------------------------------

    def tell(self, changes: list[Change]) -> None:
        """Everything that happened together."""
        fills = [change.fill for change in changes if change.fill]
        for order_id in dict.fromkeys(fill.order_id for fill in fills):
            self._push("execution", list(self._execution_rows(changes, order_id)))
        for change in changes:
            if change.payment:
                self._push("execution", [funding_row(change.payment)])
        account = self._server.account
        went_on = {c.order.id for c in changes if c.order and c.kind is not ChangeKind.NEW}
        for change in changes:
            if change.order and not _is_passed_over(change, went_on):
                status = "Triggered" if change.kind is ChangeKind.TRIGGERED else ""
                self._push("order", [self._server.order_row(change.order, status=status)])
        for symbol, holding in dict.fromkeys((fill.symbol, fill.holding) for fill in fills):
            held = account.position(symbol, holding)
            self._push("position", [position_row(held, account, is_stream=True)])
        if fills or any(change.payment for change in changes):
            self._push("wallet", [wallet_row(account)])

    def _execution_rows(self, changes: list[Change], order_id: str) -> Iterator[Row]:
        for change in changes:
            if change.fill and change.order and change.order.id == order_id:
                left = change.order.quantity - change.order.filled
                yield execution_row(change.fill, change.order, leaves=left)

    def _push(self, topic: str, rows: list[Row]) -> None:
        """Under the name by which a socket subscribed to it."""
        message = {
            "id": str(uuid.uuid4()),
            "topic": topic,
            "creationTime": self._server.now_ms(),
            "data": rows,
        }
        self._send(ACCOUNT, message, lambda socket: topic in socket.tags)
        narrow = f"{topic}.linear"
        self._send(ACCOUNT, message | {"topic": narrow}, lambda socket: narrow in socket.tags)

    def _send(self, channel: str, message: Row, hears: Callable[[Socket], bool]) -> None:
        """Only where somebody hears it: else a fault would be spent on a message to nobody."""
        streams = self._server.streams
        if any(socket.channel == channel and hears(socket) for socket in streams.open):
            streams.push(channel, message, hears)

    # --- what the market is -----------------------------------------------------------------------

    def show(self, symbol: str) -> None:
        """Tells the newest quote of a symbol, as changes of the one before."""
        quote = self._server.account.quotes[symbol]
        before = self._shown.get(symbol)
        number = before[1] + 1 if before else 1
        self._shown[symbol] = (quote, number, time.monotonic())
        for kind in PUBLIC_TOPICS:
            message = (
                self._delta(kind, symbol, before[0]) if before else self._snapshot(kind, symbol)
            )
            if message:
                self._publish(f"{kind}.{symbol}", message)

    def _publish(self, topic: str, message: Row) -> None:
        self._send(QUOTES, message, lambda socket: topic in socket.tags)

    def _snapshot(self, kind: str, symbol: str) -> Row:
        quote, number, _ = self._shown[symbol]
        if kind == "tickers":
            return self._message(kind, symbol, "snapshot", ticker_row(symbol, quote))
        bids, asks = book_levels(quote)
        return self._message(kind, symbol, "snapshot", _book(symbol, bids, asks, number))

    def _delta(self, kind: str, symbol: str, before: Quote) -> Row | None:
        quote, number, _ = self._shown[symbol]
        if kind == "tickers":
            old = ticker_row(symbol, before)
            changed = {k: v for k, v in ticker_row(symbol, quote).items() if old[k] != v}
            return self._message(kind, symbol, "delta", {"symbol": symbol} | changed)
        sides = zip(book_levels(before), book_levels(quote), strict=True)
        bids, asks = (book_change(old, new) for old, new in sides)
        if not bids and not asks:
            return None
        return self._message(kind, symbol, "delta", _book(symbol, bids, asks, number))

    def _message(self, kind: str, symbol: str, how: str, data: Row) -> Row:
        now_ms = self._server.now_ms()
        return {
            "topic": f"{kind}.{symbol}",
            "type": how,
            "ts": now_ms,
            "cts": now_ms,
            "cs": now_ms,
            "data": data,
        }

    def _repeat(self) -> None:
        """Sends the books that have not changed again, with the update id that they had."""
        now = time.monotonic()
        for symbol, (quote, number, at) in list(self._shown.items()):
            if now - at >= REPEAT_SECONDS:
                self._shown[symbol] = (quote, number, now)
                self._publish(f"orderbook.1.{symbol}", self._snapshot("orderbook.1", symbol))
        self._server.later(0.25, self._repeat)


def _is_passed_over(change: Change, went_on: set[str]) -> bool:
    order = change.order
    return (
        change.kind is ChangeKind.NEW
        and order is not None
        and order.status is not Status.UNTRIGGERED
        and order.id in went_on
    )


def _book(symbol: str, bids: list[list[str]], asks: list[list[str]], number: int) -> Row:
    return {"s": symbol, "b": bids, "a": asks, "u": number, "seq": number}


def _connection(socket: Socket) -> str:
    return f"c{id(socket):x}"


def _request_id(asked: Row) -> Row:
    return {"req_id": asked["req_id"]} if asked.get("req_id") else {}
