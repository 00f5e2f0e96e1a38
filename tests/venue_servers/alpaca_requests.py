"""The requests of Alpaca's paper trading API, answered from the books.

Written from Alpaca's documentation and from answers that users have published. Invariant: nothing
is answered that the books do not messages.
"""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.venue_servers import alpaca_messages as messages
from tests.venue_servers.alpaca_account import StockAccount
from tests.venue_servers.alpaca_messages import Listing
from tests.venue_servers.alpaca_rules import buying_power, invalid
from tests.venue_servers.alpaca_streams import AccountStream, DataStream
from tests.venue_servers.base import VenueServer
from tests.venue_servers.calls import Call, Refusal, Reply, Route, to_json
from tests.venue_servers.records import ENDED, Order
from tests.venue_servers.streams import StreamRoute

Amount = Decimal | int | str
SYMBOLS = ("AAPL", "MSFT", "SPY")
PAGE_MAX = 100
"""Rows of activities in one answer."""


class AlpacaRequests(VenueServer):
    account: StockAccount

    def __init__(
        self,
        *,
        key: str = "key",
        secret: str = "secret",
        port: int = 0,
        symbols: Iterable[str] = SYMBOLS,
        cash: Amount = 100_000,
    ) -> None:
        super().__init__(key=key, secret=secret, port=port)
        self.cancel_seconds: float | None = 0.02
        self.requests_per_minute = 200
        self._minute, self._asked = 0, 0
        self.updates = AccountStream(self)
        self.data = DataStream(self)
        self.account = StockAccount(
            {symbol: Listing() for symbol in symbols},
            Decimal(cash),
            now_ns=lambda: time.time_ns() + self.clock_ahead_ms * 1_000_000,
            publish=self.updates.push,
        )

    def stream_routes(self) -> Iterable[StreamRoute]:
        return [self.updates.route, self.data.route]

    def routes(self) -> Iterable[Route]:
        table: list[tuple[str, str, str, Callable[[Call], Any]]] = [
            ("GET", "/account", "account", lambda _: self._account()),
            ("GET", "/account/activities", "fills", self._activities),
            ("GET", "/account/activities/{type}", "fills", self._activities),
            ("GET", "/clock", "clock", lambda _: self.account.hours.clock()),
            ("GET", "/calendar", "calendar", self._calendar),
            ("GET", "/assets", "assets", self._assets),
            ("GET", "/assets/{symbol}", "assets", self._asset),
            ("POST", "/orders", "create", lambda call: self.account.enter(call.body)),
            ("GET", "/orders", "open_orders", self._orders),
            ("DELETE", "/orders", "cancel", self._cancel_all),
            ("GET", "/orders:by_client_order_id", "query", self._order_by_client_id),
            ("GET", "/orders/{id}", "query", self._order),
            ("PATCH", "/orders/{id}", "replace", self._replace),
            ("DELETE", "/orders/{id}", "cancel", self._cancel),
            ("GET", "/positions", "positions", self._positions),
            ("GET", "/positions/{symbol}", "positions", self._position),
            ("DELETE", "/positions/{symbol}", "close", self._close_position),
        ]
        return [
            Route(method=method, path=f"/v2{path}", name=name, handler=handler)
            for method, path, name, handler in table
        ]

    def admit(self, call: Call, route: Route) -> dict[str, str]:  # noqa: ARG002 - all are alike
        keys = call.headers.get("apca-api-key-id"), call.headers.get("apca-api-secret-key")
        if keys != (self.key, self.secret):
            raise Refusal(401, messages.refusal(40110000, "request is not authorized"))
        minute = self.now_ms() // 60_000
        self._asked = self._asked + 1 if minute == self._minute else 1
        self._minute = minute
        headers = {
            "X-RateLimit-Limit": str(self.requests_per_minute),
            "X-RateLimit-Remaining": str(max(self.requests_per_minute - self._asked, 0)),
            "X-RateLimit-Reset": str((minute + 1) * 60),
        }
        if self._asked > self.requests_per_minute:
            raise Refusal(429, messages.refusal(42910000, "rate limit exceeded"), headers)
        return headers

    def name_of(self, route: Route, call: Call) -> str:
        """Stops come by the same route as other orders."""
        is_stop = route.name == "create" and b'"stop' in call.body
        return "stop" if is_stop else route.name

    # --- orders -----------------------------------------------------------------------------------

    def _message(self, order: Order) -> dict[str, Any]:
        return messages.order_message(order, self.account.terms[order.id])

    def _hides(self, route: str, order: Order) -> bool:
        return self.faults.hides(route, (self.account.now_ns() - order.created_ns) / 1e9)

    def _order(self, call: Call) -> dict[str, Any]:
        order = self.account.find(call.inside_path["id"])
        if self._hides("query", order):
            raise Refusal(404, messages.refusal(40410000, f"order not found for {order.id}"))
        return self._message(order)

    def _order_by_client_id(self, call: Call) -> dict[str, Any]:
        client_id = call.query.get("client_order_id", "")
        order = self.account.by_client_id(client_id)
        if order is None or self._hides("query", order):
            raise Refusal(404, messages.refusal(40410000, f"order not found for {client_id}"))
        return self._message(order)

    def _orders(self, call: Call) -> list[dict[str, Any]]:
        query = call.query
        wanted, limit = query.get("status", "open"), int(query.get("limit", 50))
        if wanted not in ("open", "closed", "all"):
            raise invalid(f"invalid status: {wanted}")
        if not 0 < limit <= 500:
            raise invalid("limit must be between 1 and 500")
        symbols = set(filter(None, query.get("symbols", "").split(",")))
        after, until = read_times(query)
        found = [
            order
            for order in self.account.orders.values()
            if (wanted == "all" or (order.status in ENDED) is (wanted == "closed"))
            and (not symbols or order.symbol in symbols)
            and query.get("side", order.side) == order.side
            and after < order.created_ns < until
            and not self._hides("open_orders", order)
        ]
        if query.get("direction", "desc") == "desc":
            found.reverse()
        return [self._message(order) for order in found[:limit]]

    def _replace(self, call: Call) -> dict[str, Any]:
        return self.account.replace_order(call.inside_path["id"], call.body)

    def _cancel(self, call: Call) -> Reply:
        self._ask_cancel(call.inside_path["id"])
        return Reply(None, 204)

    def _cancel_all(self, _: Call) -> Reply:
        rows = []
        for order in self.account.open_orders():
            try:
                self._ask_cancel(order.id)
                rows.append({"id": order.id, "status": 200})
            except Refusal as refusal:
                reply = refusal.reply
                rows.append({"id": order.id, "status": reply.status, "body": reply.body})
        return Reply(rows, 207)

    def _ask_cancel(self, order_id: str) -> None:
        self.account.ask_cancel(order_id)
        if self.cancel_seconds is not None:
            self.later(self.cancel_seconds, self.account.finish_cancel, order_id)

    # --- the account ------------------------------------------------------------------------------

    def _account(self) -> dict[str, Any]:
        account = self.account
        return messages.account_message(
            account,
            buying_power=buying_power(account),
            is_blocked=account.is_blocked,
            shorts=account.shorts,
        )

    def _positions(self, _: Call) -> list[dict[str, Any]]:
        return [self._position_of(position.symbol) for position in self.account.held()]

    def _position(self, call: Call) -> dict[str, Any]:
        return self._position_of(call.inside_path["symbol"])

    def _position_of(self, symbol: str) -> dict[str, Any]:
        position = self.account.position(symbol)
        if not position.quantity:
            raise Refusal(404, messages.refusal(40410000, "position does not exist"))
        listing = self.account.listings[symbol]
        return messages.position_message(
            self.account, position, self.account.available(symbol), listing
        )

    def _close_position(self, call: Call) -> dict[str, Any]:
        """The venue's own way to flatten: a market order, so held shares forbid it."""
        position = self._position_of(call.inside_path["symbol"])
        quantity = Decimal(call.query.get("qty", position["qty"]))
        side = "sell" if position["side"] == "long" else "buy"
        return self._enter(position["symbol"], side, abs(quantity))

    def _enter(self, symbol: str, side: str, quantity: Amount, **fields: Any) -> dict[str, Any]:
        body = {"symbol": symbol, "side": side, "qty": quantity}
        body |= {"type": "market", "time_in_force": "day"} | fields
        return self.account.enter(to_json(body).encode())

    def _activities(self, call: Call) -> list[dict[str, Any]]:
        query = call.query
        kinds = call.inside_path.get("type") or query.get("activity_types", "")
        size = int(query.get("page_size", PAGE_MAX))
        if not 0 < size <= PAGE_MAX:
            raise invalid(f"page_size must be between 1 and {PAGE_MAX}")
        after, until = read_times(query)
        rows = [
            row
            for row in self.account.activities
            if (not kinds or row["activity_type"] in kinds.split(","))
            and after < read_time(activity_time(row)) < until
            and activity_time(row).startswith(query.get("date", ""))
        ]
        if query.get("direction", "desc") == "desc":
            rows.reverse()
        if token := query.get("page_token"):
            places = [place for place, row in enumerate(rows) if row["id"] == token]
            if not places:
                raise invalid(f"invalid page_token: {token}")
            rows = rows[places[0] + 1 :]
        return rows[:size]

    # --- the market -------------------------------------------------------------------------------

    def _assets(self, _: Call) -> list[dict[str, Any]]:
        return [messages.asset_message(*item) for item in self.account.listings.items()]

    def _asset(self, call: Call) -> dict[str, Any]:
        symbol = call.inside_path["symbol"]
        if symbol not in self.account.listings:
            raise Refusal(404, messages.refusal(40410000, f"asset not found for {symbol}"))
        return messages.asset_message(symbol, self.account.listings[symbol])

    def _calendar(self, call: Call) -> list[dict[str, str]]:
        today = self.account.hours.today()
        start = date.fromisoformat(call.query.get("start", f"{today}"))
        end = date.fromisoformat(call.query.get("end", f"{today + timedelta(days=30)}"))
        return self.account.hours.calendar(start, end)


def read_time(value: str) -> int:
    """RFC 3339 with as many digits as there are, or a day, as nanoseconds."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?)(?:\.(\d+))?(.*)", value)
    if parts is None:
        raise invalid(f"invalid time: {value}")
    try:
        at = datetime.fromisoformat(parts[1] + parts[3])
    except ValueError:
        raise invalid(f"invalid time: {value}") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000_000 + int((parts[2] or "0").ljust(9, "0")[:9])


def read_times(query: dict[str, str]) -> tuple[int, int]:
    """What `after` and `until` leave between them, themselves excluded."""
    after = read_time(query["after"]) if "after" in query else 0
    return after, read_time(query["until"]) if "until" in query else 1 << 63


def activity_time(row: dict[str, Any]) -> str:
    return str(row.get("transaction_time") or row["created_at"])
