"""What Binance USDM futures does when it is asked: one function for each request, from what it says
to what the venue answers.
"""

from decimal import Decimal
from typing import Any

from tests.venue_servers import binance_messages as messages
from tests.venue_servers import binance_replies as replies
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance_events import Events
from tests.venue_servers.binance_gate import Gate
from tests.venue_servers.binance_messages import STOP_ENDED, Stop
from tests.venue_servers.binance_orders import (
    ORDER_TAKES,
    STOP_TAKES,
    Parameters,
    check_band,
    read_plain_order,
    read_stop,
    refusal,
    refused,
)
from tests.venue_servers.binance_streams import ListenKeys
from tests.venue_servers.binance_symbols import INSTRUMENTS, symbol_rules
from tests.venue_servers.matching import Account
from tests.venue_servers.records import (
    ZERO,
    Holding,
    Instrument,
    Order,
    Reason,
    Status,
    replace,
)
from tests.venue_servers.rules import AT_ONCE
from tests.venue_servers.streams import ACCOUNT

DAY_MS = 86_400_000
FILLS_MAX = 1000
FILLS_WINDOW_MS = 7 * DAY_MS


class BinanceRequests(VenueServer):
    """Switches are plain attributes: of the server, of `events` (how stops trigger) and of `gate`
    (limits of requests)."""

    account: Account

    def __init__(
        self,
        *,
        key: str = "key",
        secret: str = "secret",
        port: int = 0,
        cash: str = "100000",
        is_hedging: bool = False,
        instruments: dict[str, Instrument] | None = None,
    ) -> None:
        super().__init__(key=key, secret=secret, port=port)
        self.gate = Gate(key, secret, self.now_ms)
        self.listen_keys = ListenKeys()
        self.events = Events(self._push, self.later, self.now_ms)
        self.account = Account(
            dict(INSTRUMENTS) if instruments is None else instruments,
            Decimal(cash),
            now_ns=lambda: self.now_ms() * 1_000_000,
            hears=self.events.hear,
            keeps_ids=False,
            taker_rate=Decimal("0.0005"),
            maker_rate=Decimal("0.0002"),
            leverage=Decimal(20),
        )
        self.account.is_hedging = is_hedging
        self.events.account = self.account
        self.enable_withdrawals = False
        self.multi_assets = False
        self.serves_ended_stops = True
        self.stops_hold_position = False
        """Whether a reduce-only order is refused where stops already cover the position: not known
        of the venue."""
        self.stops_per_symbol_max = 10
        self.updates = 0

    # --- what is public ---

    def time(self, _: Parameters) -> Any:
        return {"serverTime": self.now_ms()}

    def symbols(self, _: Parameters) -> Any:
        halted = self.account.halted
        limits = [
            ("REQUEST_WEIGHT", self.gate.weight_limit),
            ("ORDERS", self.gate.order_limit),
        ]
        return {
            "timezone": "UTC",
            "serverTime": self.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": kind, "interval": "MINUTE", "intervalNum": 1, "limit": limit}
                for kind, limit in limits
            ],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": [
                symbol_rules(rules, "SETTLING" if name in halted else "TRADING")
                for name, rules in self.account.instruments.items()
            ],
        }

    def tickers(self, said: Parameters) -> Any:
        rows = [replies.ticker(*quoted) for quoted in self.account.quotes.items()]
        if said.get("symbol") is None:
            return rows
        symbol = self._rules(said).symbol
        return next((row for row in rows if row["symbol"] == symbol), {})

    # --- plain orders ---

    def create(self, said: Parameters) -> Any:
        said = Parameters(said.values, ORDER_TAKES)
        client_id = said.client_id("newClientOrderId", f"auto{self.now_ms()}")
        rules = self._rules(said)
        is_hedging = self.account.is_hedging
        order = read_plain_order(said, rules, client_id, is_hedging=is_hedging)
        check_band(order, self.account.quotes.get(order.symbol))
        if self.stops_hold_position and order.is_reduce_only:
            self._check_beside_stops(order)
        placed = self.account.place(order)
        tells_result = said.get("newOrderRespType") == "RESULT" and (
            order.price is None or order.time_in_force in AT_ONCE
        )
        if not tells_result:  # the venue answers with the order as it took it
            placed = replace(placed, status=Status.NEW, filled=ZERO, cost=ZERO)
        return replies.order_reply(placed, client_id)

    def query(self, said: Parameters) -> Any:
        order = self._find(said, "query")
        if order is None:
            raise refusal(-2013, "Order does not exist.")
        return replies.order_reply(order, self.events.client_id(order))

    def cancel(self, said: Parameters) -> Any:
        order = self._find(said, "cancel")
        if order is None:
            raise refused(Reason.UNKNOWN_ORDER)
        ended = self.account.cancel(order.id)
        return replies.order_reply(ended, self.events.client_id(ended))

    def open_orders(self, said: Parameters) -> Any:
        found = [o for o in self.account.open_orders(said.get("symbol")) if self.events.is_plain(o)]
        return [
            replies.order_reply(order, self.events.client_id(order))
            for order in found
            if not self._hides("open_orders", order)
        ]

    def cancel_all(self, said: Parameters) -> Any:
        for order in self.account.open_orders(self._rules(said).symbol):
            if self.events.is_plain(order):
                self.account.cancel(order.id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    # --- conditional orders ---

    def create_stop(self, said: Parameters) -> Any:
        said = Parameters(said.values, STOP_TAKES)
        rules = self._rules(said)
        client_id = said.client_id("clientAlgoId", f"auto{self.now_ms()}")
        stops = self.events.placed_stops()
        open_stops = [(o, s) for o, s in stops if s.status not in STOP_ENDED]
        if any(stop.client_algo_id == client_id for _, stop in open_stops):
            raise refused(Reason.DUPLICATE_ID)
        if sum(o.symbol == rules.symbol for o, _ in open_stops) >= self.stops_per_symbol_max:
            raise refusal(-4045, "Reach max stop order limit.")
        stop = self.events.new_stop(
            client_id,
            said.text("type"),
            said.text("workingType", "CONTRACT_PRICE"),
            said.is_true("priceProtect"),
        )
        ledger_id = f"stop {stop.algo_id}"
        order = read_stop(said, rules, ledger_id, is_hedging=self.account.is_hedging)
        return replies.stop_reply(self.account.place(order), stop)

    def query_stop(self, said: Parameters) -> Any:
        found = self._find_stop(said, "stop_query")
        if found is None or (found[1].status in STOP_ENDED and not self.serves_ended_stops):
            raise refusal(-2013, "Order does not exist.")
        return replies.stop_reply(*found)

    def cancel_stop(self, said: Parameters) -> Any:
        found = self._find_stop(said, "stop_cancel")
        if found is None or found[1].status != "NEW":
            raise refused(Reason.UNKNOWN_ORDER)
        order, stop = found
        self.account.cancel(order.id)
        ids = {"algoId": stop.algo_id, "clientAlgoId": stop.client_algo_id}
        return {**ids, "code": "200", "msg": "success"}

    def open_stops(self, said: Parameters) -> Any:
        return [
            replies.stop_reply(order, stop)
            for order, stop in self.events.placed_stops()
            if stop.status == "NEW" and said.get("symbol") in (None, order.symbol)
            if not self._hides("open_stops", order)
        ]

    def all_stops(self, said: Parameters) -> Any:
        symbol = self._rules(said).symbol
        return [
            replies.stop_reply(order, stop)
            for order, stop in self.events.placed_stops()
            if order.symbol == symbol
        ]

    def cancel_all_stops(self, said: Parameters) -> Any:
        symbol = self._rules(said).symbol
        for order, stop in self.events.placed_stops():
            if order.symbol == symbol and stop.status == "NEW":
                self.account.cancel(order.id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    # --- what became of them ---

    def fills(self, said: Parameters) -> Any:
        """Ascending. Without `fromId` of the last seven days; a window is at most seven days."""
        symbol = self._rules(said).symbol
        limit = min(said.number("limit", 500), FILLS_MAX)
        rows = [replies.user_trade(f) for f in self.account.fills if f.symbol == symbol]
        if said.get("orderId"):
            rows = [row for row in rows if row["orderId"] == said.number("orderId")]
        starts, ends = said.get("startTime"), said.get("endTime")
        if said.get("fromId"):
            if starts or ends:
                raise refusal(-1128, "Combination of optional parameters invalid.")
            return [row for row in rows if row["id"] >= said.number("fromId")][:limit]
        end = said.number("endTime", self.now_ms())
        start = said.number("startTime", end - FILLS_WINDOW_MS)
        if end - start > FILLS_WINDOW_MS and starts and ends:
            raise refusal(-4165, "Search window is restricted to recent 7 days only.")
        end = min(end, start + FILLS_WINDOW_MS)
        inside = [row for row in rows if start <= row["time"] <= end]
        return inside[:limit] if starts else inside[-limit:]

    def positions(self, said: Parameters) -> Any:
        """Only symbols with a position or an order; when hedging, both sides of each."""
        symbols = {position.symbol for position in self.account.held()}
        symbols |= {order.symbol for order in self.account.open_orders()}
        return self._position_rows(symbols & {said.get("symbol") or name for name in symbols})

    def older_positions(self, said: Parameters) -> Any:
        """Every symbol, whether there is a position or not."""
        every = set(self.account.instruments)
        rows = self._position_rows(every & {said.get("symbol") or name for name in every})
        return [replies.older_position_risk(row, self.account.leverage) for row in rows]

    def account_info(self, said: Parameters) -> Any:
        rows = [replies.account_position(row) for row in self.positions(said)]
        return self._account_info(rows)

    def older_account_info(self, said: Parameters) -> Any:
        leverage = self.account.leverage
        rows = self.older_positions(said)
        return self._account_info([replies.older_account_position(row, leverage) for row in rows])

    def balance(self, _: Parameters) -> Any:
        return [replies.balance_row(self.account, self.now_ms())]

    def income(self, said: Parameters) -> Any:
        limit = min(said.number("limit", 100), 1000)
        start, end = said.number("startTime", 0), said.number("endTime", self.now_ms())
        rows = [
            row
            for row in replies.incomes(self.account.fills, self.account.payments)
            if said.get("symbol") in (None, row["symbol"])
            and said.get("incomeType") in (None, row["incomeType"])
            and start <= row["time"] <= end
        ]
        return rows[:limit] if said.get("startTime") else rows[-limit:]

    # --- the account's settings ---

    def mode(self, _: Parameters) -> Any:
        return {"dualSidePosition": self.account.is_hedging}

    def set_mode(self, said: Parameters) -> Any:
        asked = said.is_true("dualSidePosition")
        if asked is self.account.is_hedging:
            raise refusal(-4059, "No need to change position side.")
        if self.account.open_orders():
            raise refusal(-4067, "Position side cannot be changed if there exists open orders.")
        if self.account.held():
            raise refusal(-4068, "Position side cannot be changed if there exists position.")
        self.account.is_hedging = asked
        return {"code": 200, "msg": "success"}

    def assets_mode(self, _: Parameters) -> Any:
        return {"multiAssetsMargin": self.multi_assets}

    def brackets(self, said: Parameters) -> Any:
        symbols = [s for s in self.account.instruments if said.get("symbol") in (None, s)]
        return [replies.bracket(symbol) for symbol in symbols]

    def set_leverage(self, said: Parameters) -> Any:
        symbol = self._rules(said).symbol
        self.account.leverage = Decimal(said.number("leverage"))
        leverage = int(self.account.leverage)
        self._push(messages.leverage_update(symbol, leverage, self.now_ms()))
        told = {"leverage": leverage, "maxNotionalValue": "1000000"}
        return {**told, "symbol": symbol}

    def restrictions(self, _: Parameters) -> Any:
        return replies.restrictions(self.enable_withdrawals)

    def take_listen_key(self, _: Parameters) -> Any:
        return {"listenKey": self.listen_keys.take()}

    def keep_listen_key(self, _: Parameters) -> Any:
        if not self.listen_keys.current:
            raise refusal(-1125, "This listenKey does not exist.")
        return {"listenKey": self.listen_keys.current}

    def end_listen_key(self, _: Parameters) -> Any:
        self.listen_keys.end()
        return {}

    # --- looking up ---

    def _check_beside_stops(self, order: Order) -> None:
        held = abs(self.account.position(order.symbol, order.holding).quantity)
        for other, stop in self.events.placed_stops():
            if stop.status == "NEW" and (other.symbol, other.side) == (order.symbol, order.side):
                held -= other.quantity
        if order.quantity > held:
            text = "ReduceOnly Order Failed. Please check your existing position and open orders"
            raise refusal(-4118, text)

    def _push(self, message: Any) -> None:
        key = self.listen_keys.current
        self.streams.push(ACCOUNT, message, to=lambda socket: key in socket.tags)

    def _rules(self, said: Parameters) -> Instrument:
        rules = self.account.instruments.get(said.text("symbol"))
        if rules is None:
            raise refused(Reason.UNKNOWN_SYMBOL)
        return rules

    def _hides(self, route: str, order: Order) -> bool:
        age_seconds = (self.account.now_ns() - order.created_ns) / 1e9
        return self.faults.hides(route, age_seconds)

    def _find(self, said: Parameters, route: str) -> Order | None:
        """An ordinary order: the newest, where a client id was used again after its end."""
        symbol = self._rules(said).symbol
        order_id, client_id = said.get("orderId"), said.get("origClientOrderId")
        if not order_id and not client_id:
            raise refusal(-1102, "Param 'origClientOrderId' or 'orderId' must be sent.")
        for order in reversed(self.account.orders.values()):
            shown = self.events.client_id(order)
            is_named = order.id == order_id if order_id else shown == client_id
            if is_named and order.symbol == symbol and self.events.is_plain(order):
                return None if self._hides(route, order) else order
        return None

    def _find_stop(self, said: Parameters, route: str) -> tuple[Order, Stop] | None:
        algo_id, client_id = said.get("algoId"), said.get("clientAlgoId")
        if not algo_id and not client_id:
            raise refusal(-1102, "Param 'algoId' or 'clientAlgoId' must be sent.")
        for order, stop in reversed(self.events.placed_stops()):
            if str(stop.algo_id) == algo_id or (not algo_id and stop.client_algo_id == client_id):
                return None if self._hides(route, order) else (order, stop)
        return None

    def _position_rows(self, symbols: set[str]) -> list[dict[str, Any]]:
        account = self.account
        sides = (Holding.LONG, Holding.SHORT) if account.is_hedging else (Holding.NET,)
        rows = []
        for symbol in sorted(symbols):
            for side in sides:
                position, quote = account.position(symbol, side), account.quotes.get(symbol)
                mark = quote.last if quote else position.entry_price
                rows.append(replies.position_risk(position, mark, account.leverage))
        return rows

    def _account_info(self, positions: list[dict[str, Any]]) -> dict[str, Any]:
        return replies.account_info(
            self.account, positions, self.now_ms(), multi_assets=self.multi_assets
        )
