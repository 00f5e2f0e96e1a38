"""Bybit v5 on loopback: USDT perpetuals of one unified account, in one-way or hedge mode.

Written from the venue's documentation. A conditional order keeps its id when it triggers. An
answer to a request that changes an order says only that it was taken; what came of it is told by
the streams and found by questions.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from tests.venue_servers.base import VenueServer
from tests.venue_servers.bybit_holdings import BybitHoldings
from tests.venue_servers.bybit_messages import (
    MADE_BY,
    Row,
    instrument_row,
    order_row,
    position_row,
    ticker_row,
)
from tests.venue_servers.bybit_orders import BybitOrders
from tests.venue_servers.bybit_requests import (
    PARAMETER,
    REFUSALS,
    BadRequest,
    Fields,
    category_of,
    fields_of,
    page,
    payload,
    sign,
)
from tests.venue_servers.bybit_streams import BybitStreams
from tests.venue_servers.calls import Call, Refusal, Route
from tests.venue_servers.matching import Account
from tests.venue_servers.records import (
    ZERO,
    Change,
    ChangeKind,
    FillKind,
    Holding,
    Instrument,
    Order,
    Reason,
    Refused,
    Side,
    TimeInForce,
)
from tests.venue_servers.streams import StreamRoute


def perpetual(base: str, tick: str, lot: str, most: str, most_at_market: str) -> Instrument:
    return Instrument(
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_quantity=Decimal(lot),
        max_quantity=Decimal(most),
        max_market_quantity=Decimal(most_at_market),
        min_notional=Decimal(5),
    )


INSTRUMENTS = [
    perpetual("BTC", "0.1", "0.001", "1190", "500"),
    perpetual("ETH", "0.01", "0.01", "7240", "724"),
    perpetual("XRP", "0.0001", "0.1", "3000000", "800000"),
]


BEHAVIOUR = (
    "pieces",
    "cancel_takes_seconds",
    "keeps_ended_in_realtime",
    "cursor_stands_still",
    "orders_per_second",
    "queries_per_second",
)
ORDER_PATHS = ("create", "amend", "cancel", "cancel-all")
Number = Decimal | int | str
Handler = Callable[[Fields], Any]


class BybitServer(VenueServer):
    account: Account

    def __init__(self, *, key: str = "key", secret: str = "secret", port: int = 0) -> None:
        super().__init__(key=key, secret=secret, port=port)
        self._changes: list[Change] = []
        self.account = Account(
            {instrument.symbol: instrument for instrument in INSTRUMENTS},
            Decimal(100_000),
            now_ns=lambda: time.time_ns() + self.clock_ahead_ms * 1_000_000,
            hears=self._hear,
            new_id=lambda: str(uuid.uuid4()),
            taker_rate=Decimal("0.00055"),
            maker_rate=Decimal("0.0002"),
            leverage=Decimal(10),
        )
        self.refuses_key_with: int | None = None
        """A code such as 10003 (deleted) or 33004 (expired) that every signed request gets."""
        self.key_can_withdraw = False
        self.key_is_read_only = False
        self.orders_per_second = 10
        """For each path that places, changes or cancels; `queries_per_second` for each other."""
        self.queries_per_second = 50
        self.cancel_takes_seconds = 0.0
        self.keeps_ended_in_realtime = True
        """A restart of the venue empties that part of `/v5/order/realtime`; the history stays."""
        self.cursor_stands_still = False
        """The cursor of a list of orders leads to the same page again: seen at the venue."""
        self._asked_ms: dict[str, list[int]] = defaultdict(list)
        self._last_on_created: dict[str, Decimal] = {}
        self._made_by: dict[str, str] = {}
        self._messages = BybitStreams(self)

    def routes(self) -> Iterator[Route]:
        def get(path: str, name: str, handler: Handler, **more: Any) -> Route:
            answer = self._answering(handler)
            return Route(method="GET", path=path, name=name, handler=answer, **more)

        def post(path: str, name: str, handler: Handler) -> Route:
            return Route(method="POST", path=path, name=name, handler=self._answering(handler))

        orders, holdings = BybitOrders(self), BybitHoldings(self)
        yield get("/v5/market/time", "time", self._time, signed=False)
        yield get("/v5/market/instruments-info", "symbols", self._instruments, signed=False)
        yield get("/v5/market/tickers", "tickers", self._tickers, signed=False)
        yield post("/v5/order/create", "create", orders.create)
        yield post("/v5/order/amend", "amend", orders.amend)
        yield post("/v5/order/cancel", "cancel", orders.cancel)
        yield post("/v5/order/cancel-all", "cancel_all", orders.cancel_all)
        yield get("/v5/order/realtime", "open_orders", orders.realtime)
        yield get("/v5/order/history", "history", orders.history)
        yield get("/v5/position/list", "positions", holdings.positions)
        yield post("/v5/position/switch-mode", "mode", holdings.switch_mode)
        yield get("/v5/execution/list", "fills", holdings.executions)
        yield get("/v5/account/wallet-balance", "account", holdings.wallet)
        yield get("/v5/account/info", "account_info", holdings.account_info)
        yield get("/v5/user/query-api", "key", holdings.key)

    def stream_routes(self) -> Iterator[StreamRoute]:
        return self._messages.routes()

    def name_of(self, route: Route, call: Call) -> str:
        """One path takes orders and stops; a question about one order is a "query" for both routes
        that know orders."""
        if route.name == "create":
            return "stop" if b'"triggerPrice"' in call.body else "create"
        is_single = call.query.get("orderId") or call.query.get("orderLinkId")
        return "query" if is_single and route.name in ("open_orders", "history") else route.name

    # --- admission and answers --------------------------------------------------------------------

    def admit(self, call: Call, route: Route) -> dict[str, str]:
        if not route.signed:
            return {}
        names = ("x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign")
        key, stamp, signature = (call.headers.get(name, "") for name in names)
        recv_window = call.headers.get("x-bapi-recv-window", "5000")
        now = self.now_ms()
        if not (key and stamp.isdigit() and signature and recv_window.isdigit()):
            raise Refusal(401, self._envelope({}, PARAMETER, "authentication headers are missing"))
        if key != self.key or self.refuses_key_with:
            code = self.refuses_key_with or 10003
            raise Refusal(200, self._envelope({}, code, "API key is invalid."))
        if not now - int(recv_window) <= int(stamp) < now + 1000:
            text = (
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{recv_window}]"
            )
            raise Refusal(200, self._envelope({}, 10002, text))
        text = f"{stamp}{key}"
        text += (recv_window if "x-bapi-recv-window" in call.headers else "") + payload(call)
        if signature != sign(self.secret, text):
            raise Refusal(200, self._envelope({}, 10004, "error sign! please check your signature"))
        if call.method == "POST" and self.key_is_read_only:
            text = "Permission denied, please check your API key permissions."
            raise Refusal(200, self._envelope({}, 10005, text))
        return self._count(call.path, now)

    def _count(self, path: str, now_ms: int) -> dict[str, str]:
        """Requests of the last second on this path."""
        is_order = path.startswith("/v5/order/") and path.endswith(ORDER_PATHS)
        limit = self.orders_per_second if is_order else self.queries_per_second
        recent = [at for at in self._asked_ms[path] if at > now_ms - 1000]
        is_over = len(recent) >= limit
        self._asked_ms[path] = recent if is_over else [*recent, now_ms]
        headers = {
            "X-Bapi-Limit": str(limit),
            "X-Bapi-Limit-Status": str(limit - len(self._asked_ms[path])),
            "X-Bapi-Limit-Reset-Timestamp": str(recent[0] + 1000 if is_over else now_ms),
        }
        if is_over:
            text = "Too many visits. Exceeded the API Rate Limit."
            raise Refusal(200, self._envelope({}, 10006, text), headers)
        return headers

    def _envelope(self, result: Any, code: int = 0, text: str = "OK") -> Row:
        return {
            "retCode": code,
            "retMsg": text,
            "result": result,
            "retExtInfo": {},
            "time": self.now_ms(),
        }

    def _answering(self, handler: Handler) -> Callable[[Call], Row]:
        def answer(call: Call) -> Row:
            try:
                return self._envelope(handler(fields_of(call)))
            except BadRequest as bad:
                return self._envelope({}, bad.code, bad.text)
            except Refused as refused:
                return self._envelope({}, *REFUSALS[refused.reason])
            finally:
                self.tell()

        return answer

    def _hear(self, change: Change) -> None:
        self._changes.append(change)
        order = change.order
        if order and change.kind is ChangeKind.NEW:
            quote = self.account.quotes.get(order.symbol)
            self._last_on_created[order.id] = quote.last if quote else ZERO
        if change.fill and change.fill.kind in MADE_BY:
            self._made_by[change.fill.order_id] = MADE_BY[change.fill.kind]

    def tell(self) -> None:
        changes, self._changes = self._changes, []
        self._messages.tell(changes)

    def list_inside(self, body: Any) -> list[Any]:
        result = body.get("result") if isinstance(body, dict) else None
        found = result.get("list") if isinstance(result, dict) else None
        return found if isinstance(found, list) else []

    def order_row(self, order: Order, status: str = "") -> Row:
        return order_row(
            order,
            made_by=self._made_by.get(order.id, ""),
            last_on_created=self._last_on_created[order.id],
            status=status,
        )

    # --- the market -------------------------------------------------------------------------------

    def _time(self, _: Fields) -> Row:
        now = time.time_ns() + self.clock_ahead_ms * 1_000_000
        return {"timeSecond": str(now // 10**9), "timeNano": str(now)}

    def _instruments(self, fields: Fields) -> Row:
        rows = [instrument_row(i, leverage=self.account.leverage) for i in self._asked_for(fields)]
        shown, cursor = page(rows, fields, lambda row: str(row["symbol"]), usual=500, most=1000)
        is_last = not shown or shown[-1] is rows[-1]
        cursor = "" if is_last else cursor
        return {"category": fields["category"], "list": shown, "nextPageCursor": cursor}

    def _tickers(self, fields: Fields) -> Row:
        quotes = self.account.quotes
        asked = [i.symbol for i in self._asked_for(fields) if i.symbol in quotes]
        rows = [ticker_row(symbol, quotes[symbol]) for symbol in asked]
        return {"category": fields["category"], "list": rows}

    def _asked_for(self, fields: Fields) -> list[Instrument]:
        """Other categories than linear are empty here."""
        if category_of(fields) != "linear":
            return []
        symbol = fields.get("symbol")
        if symbol and symbol not in self.account.instruments:
            raise Refused(Reason.UNKNOWN_SYMBOL, symbol)
        return [i for i in self.account.instruments.values() if symbol in (None, "", i.symbol)]

    # --- what happens without the user ------------------------------------------------------------

    def controls(self) -> dict[str, Callable[..., Any]]:
        return {
            "quote": self.quote,
            "foreign": self.foreign_order,
            "foreign_cancel": self.foreign_cancel,
            "liquidate": self.liquidate,
            "funding": self.funding,
            "halt": self.halt,
            "resume": self.resume,
            "mode": self.switch_mode,
            "key": self.change_key,
            "clock": self.move_clock,
            "behave": self.behave,
        }

    def account_view(self) -> Row:
        account = self.account
        return {
            "cash": account.cash,
            "equity": account.equity(),
            "is_hedging": account.is_hedging,
            "positions": [position_row(p, account) for p in account.held()],
            "open_orders": [self.order_row(order) for order in account.open_orders()],
            "orders": len(account.orders),
            "fills": len(account.fills),
        }

    def quote(self, symbol: str, bid: Number, ask: Number, **more: Number) -> None:
        """`bid_size`, `ask_size` and `last` may be given."""

        def move() -> None:
            words = {name: Decimal(str(value)) for name, value in more.items()}
            self.account.quote(symbol, Decimal(str(bid)), Decimal(str(ask)), **words)
            self._messages.show(symbol)
            self.tell()

        self.call(move)

    def foreign_order(
        self,
        symbol: str,
        side: str,
        quantity: Number,
        *,
        price: Number | None = None,
        holding: str = "net",
    ) -> str:
        """An order that a person makes on the venue's own page; gives its id."""
        order = Order(
            symbol=symbol,
            side=Side(side),
            quantity=Decimal(str(quantity)),
            price=None if price is None else Decimal(str(price)),
            time_in_force=TimeInForce.IOC if price is None else TimeInForce.GTC,
            holding=Holding(holding),
        )
        placed: Order = self._happen(self.account.place, order)
        return placed.id

    def foreign_cancel(self, order_id: str) -> None:
        self._happen(self.account.cancel, order_id)

    def liquidate(self, symbol: str, holding: str = "net", kind: str = "liquidation") -> None:
        """`kind` may be "deleveraging"."""
        self._happen(self.account.liquidate, symbol, Holding(holding), FillKind(kind))

    def funding(self, symbol: str, amount: Number, holding: str = "net") -> None:
        """Received if positive."""
        self._happen(self.account.pay, symbol, Decimal(str(amount)), Holding(holding))

    def halt(self, symbol: str) -> None:
        self._happen(self.account.halt, symbol)

    def resume(self, symbol: str) -> None:
        self._happen(self.account.resume, symbol)

    def switch_mode(self, is_hedging: bool) -> None:
        """Made by a person elsewhere; at a true venue only without positions and orders."""
        self.account.is_hedging = is_hedging

    def change_key(
        self,
        *,
        refused_with: int | None = None,
        can_withdraw: bool = False,
        is_read_only: bool = False,
    ) -> None:
        self.refuses_key_with = refused_with
        self.key_can_withdraw, self.key_is_read_only = can_withdraw, is_read_only

    def move_clock(self, ahead_ms: int) -> None:
        self.clock_ahead_ms = ahead_ms

    def behave(self, **words: Any) -> None:
        """Sets one of `BEHAVIOUR` by its name; `pieces` is in how many trades a match is told."""
        for name, value in words.items():
            if name not in BEHAVIOUR:
                raise ValueError(f"{name} is none of {', '.join(BEHAVIOUR)}")
            setattr(self.account if name == "pieces" else self, name, value)

    def _happen(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Runs it on the server's thread and tells the user what came of it."""

        def run() -> Any:
            done = action(*arguments)
            self.tell()
            return done

        return self.call(run)
