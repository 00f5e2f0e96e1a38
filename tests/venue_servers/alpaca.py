"""Alpaca's paper trading on loopback: US stocks, two streams, sessions and halts, the rules about
wash trades and held shares.

Invariant: the venue decides; a test moves only the market, the session and what the venue or the
account's owner does of their own accord.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from tests.venue_servers import alpaca_messages as messages
from tests.venue_servers.alpaca_requests import AlpacaRequests, Amount
from tests.venue_servers.records import Order, Quote


class AlpacaServer(AlpacaRequests):
    """Switches for tests: `cancel_seconds` between a cancel's 204 and its end (None: it never
    ends), `requests_per_minute`, `account.shorts`, `account.is_blocked`, `account.pieces`,
    `account.sends_pending_cancel`, `account.refuses_passed_stops`, `data.connections`,
    `data.symbols`."""

    _trade_numbers = count(1)

    def quote(
        self,
        symbol: str,
        bid: Amount,
        ask: Amount,
        *,
        bid_size: Amount | None = None,
        ask_size: Amount | None = None,
        last: Amount | None = None,
    ) -> None:
        """A price of zero is a side without anybody, a size of None has no end. Stops go by the
        last trade: it follows no farther than it must to stand between bid and ask."""
        words = {"bid_size": bid_size, "ask_size": ask_size, "last": last}
        self.call(self._quote, symbol, Decimal(bid), Decimal(ask), words)

    def trade(self, symbol: str, price: Amount, size: Amount = 100) -> None:
        """Others trade: it sets off stops, and the quote stays."""
        self.call(self._trade, symbol, Decimal(price), Decimal(size))

    def halt(self, symbol: str) -> None:
        self.call(self._halt, symbol, is_halted=True)

    def resume(self, symbol: str) -> None:
        self.call(self._halt, symbol, is_halted=False)

    def open_market(self) -> None:
        self.call(self.account.open_market)

    def close_market(self) -> None:
        self.call(self.account.close_market)

    def foreign_order(
        self, symbol: str, side: str, quantity: Amount, **fields: Any
    ) -> dict[str, Any]:
        """An order that the account's owner enters elsewhere: at market unless `fields`, named as
        the API names them, say otherwise."""
        message: dict[str, Any] = self.call(self._enter, symbol, side, quantity, **fields)
        return message

    def liquidate(self, symbol: str) -> None:
        """A margin call: the venue cancels the symbol's orders and sells what is held."""
        self.call(self._liquidate, symbol)

    def fee(self, symbol: str, amount: Amount) -> None:
        """A regulatory fee, booked after the trades that caused it."""
        self.call(self.account.pay, symbol, -Decimal(amount))

    def end_order(self, client_order_id: str, status: str = "canceled", reason: str = "") -> None:
        """The venue ends an order of its own accord, or suspends it."""
        self.call(self._end_order, client_order_id, status, reason)

    def publish_again(self, client_order_id: str) -> None:
        """The account stream repeats `new` and the fills of an order, with their execution ids."""
        self.call(lambda: self.account.publish_again(self._known(client_order_id).id))

    def _quote(
        self, symbol: str, bid: Decimal, ask: Decimal, words: dict[str, Amount | None]
    ) -> Quote:
        if symbol not in self.account.listings:
            raise ValueError(f"{symbol} is none of {', '.join(self.account.listings)}")
        given = {name: Decimal(value) for name, value in words.items() if value is not None}
        hundred = Decimal(100)
        message = messages.quote_message(
            symbol,
            self.data.now(),
            bid,
            ask,
            given.get("bid_size", hundred) if bid else Decimal(0),
            given.get("ask_size", hundred) if ask else Decimal(0),
        )
        self.data.push("quotes", message)
        if not (bid and ask) and symbol not in self.account.quotes:
            given.setdefault("last", bid or ask)
        return self.account.quote(symbol, bid, ask, **given)

    def _trade(self, symbol: str, price: Decimal, size: Decimal) -> None:
        number = next(self._trade_numbers)
        message = messages.trade_message(symbol, self.data.now(), number, price, size)
        self.data.push("trades", message)
        quote = self.account.quotes[symbol]
        self.account.quote(
            symbol,
            quote.bid,
            quote.ask,
            bid_size=quote.bid_size,
            ask_size=quote.ask_size,
            last=price,
        )

    def _halt(self, symbol: str, *, is_halted: bool) -> None:
        message = messages.halt_message(symbol, self.data.now(), is_halted=is_halted)
        self.data.push("statuses", message)
        if is_halted:
            self.account.halt(symbol)
        else:
            self.account.resume(symbol)

    def _liquidate(self, symbol: str) -> None:
        for order in self.account.open_orders(symbol):
            self.account.finish_cancel(order.id)
        self.account.liquidate(symbol)

    def _end_order(self, client_order_id: str, status: str, reason: str) -> None:
        self.account.end_order(self._known(client_order_id).id, status, reason)

    def _known(self, client_order_id: str) -> Order:
        order = self.account.by_client_id(client_order_id)
        if order is None:
            raise ValueError(f"no order {client_order_id}")
        return order

    def _session(self, is_open: bool, seconds: Amount = 14_400) -> None:
        """`seconds` are until the next close or open, which comes by itself."""
        until = timedelta(seconds=float(seconds))
        if is_open:
            self.account.open_market(until)
        else:
            self.account.close_market(until)
        self.later(until.total_seconds(), self._turn_session, self.account.hours.turns)

    def _turn_session(self, turns: int) -> None:
        """Unless the session was opened or closed by hand since then."""
        if turns == self.account.hours.turns:
            (
                self.account.close_market
                if self.account.hours.is_open
                else self.account.open_market
            )()

    def controls(self) -> dict[str, Callable[..., Any]]:
        return {
            "quote": self.quote,
            "trade": self.trade,
            "foreign": self.foreign_order,
            "liquidate": self.liquidate,
            "funding": lambda symbol, amount: self.fee(symbol, -Decimal(amount)),
            "halt": self.halt,
            "resume": self.resume,
            "session": self._session,
            "end_order": self.end_order,
            "publish_again": self.publish_again,
        }

    def account_view(self) -> Any:
        return {
            "account": self._account(),
            "positions": [self._position_of(held.symbol) for held in self.account.held()],
            "orders": [self._message(order) for order in self.account.orders.values()],
            "activities": self.account.activities,
            "is_open": self.account.hours.is_open,
        }
