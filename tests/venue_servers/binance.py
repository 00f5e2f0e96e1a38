"""Binance USDM futures on loopback: one account, its REST routes, its streams, and what the market
does to it.

Written from what the venue documents. Not built: closePosition, trailing stops, amending, batches,
the order entry by websocket, isolated margin, mark prices other than the last price.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from tests.venue_servers import binance_messages as messages
from tests.venue_servers import binance_replies as replies
from tests.venue_servers.binance_events import ChildClientId, TriggerSequence
from tests.venue_servers.binance_gate import parameters
from tests.venue_servers.binance_orders import HOLDINGS, Parameters, refused
from tests.venue_servers.binance_requests import BinanceRequests
from tests.venue_servers.binance_streams import stream_routes
from tests.venue_servers.calls import Call, Reply, Route
from tests.venue_servers.records import FillKind, Order, Refused, Side, TimeInForce
from tests.venue_servers.streams import QUOTES, StreamRoute


class BinanceServer(BinanceRequests):
    funding_rate = "0.0001"

    def admit(self, call: Call, route: Route) -> dict[str, str]:
        return self.gate.admit(call, route)

    def routes(self) -> Iterable[Route]:
        """Name, method and path, handler, weight; unsigned where a mark says so."""
        fapi, free = "/fapi/v1", {"signed": False}
        rows: list[tuple[str, str, str, Callable[[Parameters], Any], int, dict[str, bool]]] = [
            ("ping", "GET", "/api/v3/ping", lambda _: {}, 1, free),
            ("time", "GET", "/api/v3/time", self.time, 1, free),
            ("ping", "GET", f"{fapi}/ping", lambda _: {}, 1, free),
            ("time", "GET", f"{fapi}/time", self.time, 1, free),
            ("symbols", "GET", f"{fapi}/exchangeInfo", self.symbols, 1, free),
            ("tickers", "GET", f"{fapi}/ticker/bookTicker", self.tickers, 2, free),
            ("create", "POST", f"{fapi}/order", self.create, 1, {}),
            ("query", "GET", f"{fapi}/order", self.query, 1, {}),
            ("cancel", "DELETE", f"{fapi}/order", self.cancel, 1, {}),
            ("open_orders", "GET", f"{fapi}/openOrders", self.open_orders, 1, {}),
            ("cancel_all", "DELETE", f"{fapi}/allOpenOrders", self.cancel_all, 1, {}),
            ("stop", "POST", f"{fapi}/algoOrder", self.create_stop, 1, {}),
            ("stop_query", "GET", f"{fapi}/algoOrder", self.query_stop, 1, {}),
            ("stop_cancel", "DELETE", f"{fapi}/algoOrder", self.cancel_stop, 1, {}),
            ("open_stops", "GET", f"{fapi}/openAlgoOrders", self.open_stops, 1, {}),
            ("all_stops", "GET", f"{fapi}/allAlgoOrders", self.all_stops, 5, {}),
            ("cancel_all_stops", "DELETE", f"{fapi}/algoOpenOrders", self.cancel_all_stops, 1, {}),
            ("fills", "GET", f"{fapi}/userTrades", self.fills, 5, {}),
            ("positions", "GET", "/fapi/v2/positionRisk", self.older_positions, 5, {}),
            ("positions", "GET", "/fapi/v3/positionRisk", self.positions, 5, {}),
            ("account", "GET", "/fapi/v2/account", self.older_account_info, 5, {}),
            ("account", "GET", "/fapi/v3/account", self.account_info, 5, {}),
            ("balance", "GET", "/fapi/v2/balance", self.balance, 5, {}),
            ("balance", "GET", "/fapi/v3/balance", self.balance, 5, {}),
            ("mode", "GET", f"{fapi}/positionSide/dual", self.mode, 30, {}),
            ("set_mode", "POST", f"{fapi}/positionSide/dual", self.set_mode, 1, {}),
            ("multi_assets", "GET", f"{fapi}/multiAssetsMargin", self.assets_mode, 30, {}),
            ("brackets", "GET", f"{fapi}/leverageBracket", self.brackets, 1, {}),
            ("leverage", "POST", f"{fapi}/leverage", self.set_leverage, 1, {}),
            ("income", "GET", f"{fapi}/income", self.income, 30, {}),
            ("rates", "GET", f"{fapi}/fundingRate", self.funding_rates, 1, free),
            ("restrictions", "GET", "/sapi/v1/account/apiRestrictions", self.restrictions, 1, {}),
            ("listen_key", "POST", f"{fapi}/listenKey", self.take_listen_key, 1, free),
            ("listen_key", "PUT", f"{fapi}/listenKey", self.keep_listen_key, 1, free),
            ("listen_key", "DELETE", f"{fapi}/listenKey", self.end_listen_key, 1, free),
        ]
        for name, method, path, handler, weight, marks in rows:
            yield Route(
                name=name,
                method=method,
                path=path,
                handler=answering(handler),
                weight=weight,
                signed=marks.get("signed", True),
            )

    def stream_routes(self) -> Iterable[StreamRoute]:
        return stream_routes()

    def list_inside(self, body: Any) -> list[Any]:
        if isinstance(body, dict) and isinstance(body.get("positions"), list):
            inside: list[Any] = body["positions"]
            return inside
        return super().list_inside(body)

    def account_view(self) -> Any:
        account = self.account
        return {
            "cash": account.cash,
            "positions": self.positions(Parameters({})),
            "open_orders": self.open_orders(Parameters({})),
            "stops": [replies.stop_reply(*placed) for placed in self.events.placed_stops()],
            "fills": [replies.user_trade(fill) for fill in account.fills],
        }

    # --- what the market does: from any thread ---

    def quote(
        self,
        symbol: str,
        bid: Any,
        ask: Any,
        bid_size: Any = None,
        ask_size: Any = None,
        last: Any = None,
    ) -> None:
        """Moves the market: orders that it reaches trade, then the stream tells what is left."""
        self.call(self._quote, symbol, *map(exact, (bid, ask, bid_size, ask_size, last)))

    def _quote(
        self,
        symbol: str,
        bid: Decimal,
        ask: Decimal,
        bid_size: Decimal | None,
        ask_size: Decimal | None,
        last: Decimal | None,
    ) -> None:
        self.account.instruments[symbol]
        self.account.quote(symbol, bid, ask, bid_size=bid_size, ask_size=ask_size, last=last)
        told = messages.book_ticker(symbol, self.account.quotes[symbol], self._next_update())
        names = {f"{symbol.lower()}@bookTicker", "!bookTicker"}
        self.streams.push(QUOTES, told, to=lambda socket: bool(names & socket.tags))

    def foreign_order(
        self,
        symbol: str,
        side: str,
        quantity: Any,
        price: Any = None,
        *,
        time_in_force: str = "gtc",
        holding: str = "BOTH",
        reduce_only: bool = False,
        client_id: str = "",
    ) -> int:
        """The owner of the account trades by hand; gives the order's id."""
        order = Order(
            client_id=client_id or f"web_{self.now_ms()}",
            symbol=symbol,
            side=Side(side.lower()),
            quantity=Decimal(str(quantity)),
            price=exact(price),
            time_in_force=TimeInForce(time_in_force),
            holding=HOLDINGS[holding.upper()],
            is_reduce_only=reduce_only,
        )
        return int(self.call(self.account.place, order).id)

    def liquidate(self, symbol: str, holding: str = "BOTH", deleveraging: bool = False) -> int:
        kind = FillKind.DELEVERAGING if deleveraging else FillKind.LIQUIDATION
        client_id = f"{messages.VENUES_OWN[kind]}{self.now_ms()}"
        order = self.call(self.account.liquidate, symbol, HOLDINGS[holding], kind, client_id)
        return int(order.id)

    def funding(self, symbol: str, amount: Any, holding: str = "BOTH") -> None:
        """Received where it is positive."""
        self.call(self.account.pay, symbol, Decimal(str(amount)), HOLDINGS[holding])

    def funding_rates(self, said: Parameters) -> Any:
        """One for each settlement in which the account took part."""
        start, end = said.number("startTime", 0), said.number("endTime", self.now_ms())
        times = sorted({each.at_ns // 1_000_000 for each in self.account.payments})
        row = {"symbol": said.text("symbol"), "fundingRate": self.funding_rate, "markPrice": "1"}
        return [{**row, "fundingTime": at_ms} for at_ms in times if start <= at_ms <= end]

    def halt(self, symbol: str) -> None:
        self.call(self.account.halt, symbol)

    def resume(self, symbol: str) -> None:
        self.call(self.account.resume, symbol)

    def expire_listen_key(self) -> None:
        """The stream says so and then nothing more; the socket stays open."""

        def expire() -> None:
            key, now = self.listen_keys.current, self.now_ms()
            self._push({"e": "listenKeyExpired", "E": now, "listenKey": key})
            self.listen_keys.end()

        self.call(expire)

    def switch(self, **values: Any) -> None:
        """The switches by their names, for the control route."""
        owners = {
            "trigger_sequence": (self.events, "sequence", TriggerSequence),
            "child_client_id": (self.events, "child_client_id", ChildClientId),
            "child_leads_seconds": (self.events, "child_leads_seconds", float),
            "sends_trade_lite": (self.events, "sends_trade_lite", bool),
            "weight_limit": (self.gate, "weight_limit", int),
            "order_limit": (self.gate, "order_limit", int),
            "enable_withdrawals": (self, "enable_withdrawals", bool),
            "multi_assets": (self, "multi_assets", bool),
            "serves_ended_stops": (self, "serves_ended_stops", bool),
            "stops_hold_position": (self, "stops_hold_position", bool),
            "clock_ahead_ms": (self, "clock_ahead_ms", int),
            "pieces": (self.account, "pieces", int),
        }
        for name, value in values.items():
            if name not in owners:
                raise ValueError(f"{name}: there are {', '.join(owners)}")
            owner, attribute, reads = owners[name]
            setattr(owner, attribute, reads(value))

    def controls(self) -> dict[str, Callable[..., Any]]:
        return {
            "quote": self.quote,
            "foreign": self.foreign_order,
            "liquidate": self.liquidate,
            "funding": self.funding,
            "halt": self.halt,
            "resume": self.resume,
            "expire_listen_key": self.expire_listen_key,
            "switch": self.switch,
        }

    def _next_update(self) -> int:
        self.updates += 1
        return self.updates


def exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def answering(handler: Callable[[Parameters], Any]) -> Callable[[Call], Reply]:
    """Between a call and what it says; what the ledger refuses is refused with the venue's code."""

    def answer(call: Call) -> Reply:
        try:
            return Reply(handler(Parameters(parameters(call))))
        except Refused as error:
            raise refused(error.reason) from error

    return answer
