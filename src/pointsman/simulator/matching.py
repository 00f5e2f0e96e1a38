"""Matching at the hostile venue: how orders meet the market there, on a bad day or a good one.

It has its own rules for lots, ticks, minimums and displayed size, its own rounding, and a timetable
of its own: an order may fill in slices over some time, a triggered stop may rest. What it says goes
to `tell`, in the order in which it happened; how and when that arrives is not decided here.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from pointsman.domain.events import OrderReport, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import AT_MARKET, Order, OrderType
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.ledger import NOTHING, Ledger, Working

SLICE_NS_MAX = 150 * MS_NS
REST_NS_MAX = 8 * SECOND_NS
FORBIDDEN_NS_MAX = 20 * SECOND_NS

Tell = Callable[[OrderReport, int], None]
Later = Callable[[int, Callable[[int], None]], None]
"""Have something done at a time."""


class Matching:
    """The venue's engine. `tell(report, now)` is what it says, `later(at, deed)` its timetable."""

    def __init__(
        self,
        random: Random,
        faults: Faults,
        ledger: Ledger,
        instruments: dict[str, Instrument],
        policy: Policy,
        tell: Tell,
        later: Later,
    ) -> None:
        self.halted_until_ns: dict[str, int] = {}
        self.delisted: str | None = None
        self.quotes: dict[str, Quote] = {}
        self._shown: dict[tuple[str, Side], Decimal] = {}
        self._random = random
        self._faults = faults
        self._ledger = ledger
        self._instruments = instruments
        self._refuses = not policy.venue_clips
        self._abilities = policy.abilities
        self._tell = tell
        self._later = later

    # -- the market --------------------------------------------------------------------------------

    def on_quote(self, quote: Quote, now_ns: int) -> None:
        """The market moves: sizes are renewed, stops may trigger, what waits may trade."""
        symbol = quote.symbol
        self.quotes[symbol] = quote
        self._shown[symbol, Side.BUY] = quote.ask_size
        self._shown[symbol, Side.SELL] = quote.bid_size
        if self._is_halted(symbol, now_ns):
            return
        for order in self._ledger.open_orders(symbol):
            if order.order_type is OrderType.STOP and not order.is_triggered:
                if self._is_reached(order, quote):
                    self._trigger(order, now_ns)
            elif order.order_type is not OrderType.LIMIT_IOC and now_ns >= order.rests_until_ns:
                self._trade(order, now_ns)

    def _is_halted(self, symbol: str, now_ns: int) -> bool:
        return symbol == self.delisted or now_ns < self.halted_until_ns.get(symbol, 0)

    def _is_reached(self, order: Working, quote: Quote) -> bool:
        trigger = order.trigger_price
        assert trigger is not None
        return quote.bid <= trigger if order.side is Side.SELL else quote.ask >= trigger

    def _trigger(self, order: Working, now_ns: int) -> None:
        order.is_triggered = True
        if self._faults.strikes(Fault.STOP_RENAMED, now_ns, order.symbol):
            order.venue_order_id = f"V{self._ledger.next_number()}"
            self._trade(order, now_ns)
            self._say_triggered(order, now_ns)
            return
        if self._faults.strikes(Fault.TRIGGER_REJECTED, now_ns, order.symbol):
            if self._random.randrange(2):
                self._say_triggered(order, now_ns)
            status = self._random.choice((OrderStatus.REJECTED, OrderStatus.EXPIRED))
            self.end(order, status, Reason.REDUCE_ONLY, now_ns)
            return
        self._say_triggered(order, now_ns)
        if self._faults.strikes(Fault.CHILD_ORDER, now_ns, order.symbol):
            self._beget(order, now_ns)
            return
        if self._faults.strikes(Fault.STOP_RESTS, now_ns, order.symbol):
            order.rests_until_ns = now_ns + self._random.randrange(SECOND_NS, REST_NS_MAX)
            self._faults.excuse(Fault.STOP_RESTS, now_ns, order.rests_until_ns, order.symbol)
            return
        self._trade(order, now_ns)

    def _say_triggered(self, order: Working, now_ns: int) -> None:
        """Tell that a stop has triggered, where the venue tells that."""
        if self._abilities.tells_triggered:
            order.shows_trigger = True
            self.say(order, ReportWord.TRIGGERED, now_ns)

    def _beget(self, order: Working, now_ns: int) -> None:
        """The stop ends unfilled, and an order of the venue's own naming closes what it covered."""
        self._ledger.finish(order, OrderStatus.EXPIRED, Reason.NOT_FILLED)
        self.say(order, ReportWord.EXPIRED, now_ns, reason=Reason.NOT_FILLED)
        self.foreign_trade(
            f"{order.venue_order_id}-child", order.symbol, order.side, order.position_side,
            order.leaves or order.quantity - order.filled, now_ns, reduce_only=True,
        )  # fmt: skip

    # -- what others do on the account -------------------------------------------------------------

    def foreign_trade(
        self,
        name: str,
        symbol: str,
        side: Side,
        position_side: PositionSide | None,
        quantity: Decimal,
        now_ns: int,
        *,
        reduce_only: bool,
    ) -> None:
        """An order that is not ours trades at the touch, at once and whole."""
        quote = self.quotes.get(symbol)
        if quote is None or quantity <= NOTHING:
            return
        order = Working(
            name, f"V{self._ledger.next_number()}", symbol, side, position_side, OrderType.MARKET,
            quantity, reduce_only, now_ns, is_foreign=True,
        )  # fmt: skip
        self._ledger.add(order)
        fill = self._ledger.execute(order, quantity, quote.touch(side), now_ns)
        if fill is not None:
            self.say(order, ReportWord.TRADE, now_ns, fill)
        if order.is_open:
            self._ledger.finish(order, OrderStatus.CANCELED, Reason.REDUCE_ONLY)

    def foreign_rest(self, name: str, symbol: str, now_ns: int) -> None:
        """An order that is not ours rests, far away from the market. Where that forbids an order of
        ours it is taken back after a while."""
        side = PositionSide.LONG if self._ledger.is_hedged else None
        order = Working(
            name, f"V{self._ledger.next_number()}", symbol, Side.BUY, side,
            OrderType.LIMIT_IOC, self._instruments[symbol].lot, False, now_ns,
            limit_price=self._instruments[symbol].tick, is_foreign=True,
        )  # fmt: skip
        self._ledger.add(order)
        if self._abilities.forbids:
            until_ns = now_ns + self._random.randrange(MS_NS, FORBIDDEN_NS_MAX)
            self._faults.excuse(Fault.FORBIDDEN, now_ns, until_ns, symbol)
            self._later(until_ns, lambda _at_ns: self._take_back(order))

    def _take_back(self, order: Working) -> None:
        if order.is_open:
            self._ledger.finish(order, OrderStatus.CANCELED)

    def delist(self, symbol: str, now_ns: int) -> None:
        """A symbol ends: its orders are cancelled, and what is held of it is closed out."""
        self.delisted = symbol
        for order in self._ledger.open_orders(symbol):
            self.end(order, OrderStatus.CANCELED, Reason.VENUE_REJECTED, now_ns)
        for (held_symbol, side), held in list(self._ledger.holdings.items()):
            if held_symbol == symbol:
                self.foreign_trade(
                    f"delist-{side or symbol}", symbol, Side.SELL if held > NOTHING else Side.BUY,
                    side, abs(held), now_ns, reduce_only=True,
                )  # fmt: skip

    # -- requests ----------------------------------------------------------------------------------

    def create(self, wanted: Order, now_ns: int) -> None:
        """A request for an order arrives."""
        order = Working(
            wanted.client_order_id, f"V{self._ledger.next_number()}", wanted.symbol, wanted.side,
            wanted.position_side if self._ledger.is_hedged else None, wanted.order_type,
            wanted.quantity, wanted.reduce_only, now_ns, wanted.limit_price, wanted.trigger_price,
        )  # fmt: skip
        refusal = self._refusal(order, now_ns)
        self._ledger.add(order)
        if refusal is not None:
            self._ledger.finish(order, OrderStatus.REJECTED, refusal)
            if order.reduce_only and refusal is not Reason.VENUE_FORBIDS:
                self._faults.excuse(Fault.PRICE_BAND, now_ns, now_ns, order.symbol)
            self.say(order, ReportWord.REJECTED, now_ns, reason=refusal)
            return
        if order.order_type is OrderType.STOP:
            self.say(order, ReportWord.ACCEPTED, now_ns)
            return
        is_late = self._faults.strikes(Fault.FILL_BEFORE_ACK, now_ns, order.symbol)
        if not is_late:
            self.say(order, ReportWord.ACCEPTED, now_ns)
        self._trade(order, now_ns)
        if is_late:
            self.say(order, ReportWord.ACCEPTED, now_ns)

    def _refusal(self, order: Working, now_ns: int) -> Reason | None:
        instrument, quote = self._instruments[order.symbol], self.quotes.get(order.symbol)
        if quote is None or self._is_halted(order.symbol, now_ns):
            return Reason.VENUE_REJECTED
        if self._is_forbidden(order, now_ns):
            return Reason.VENUE_FORBIDS
        price = order.limit_price or order.trigger_price
        largest = instrument.max_market_quantity
        if largest is not None and order.quantity > largest and order.order_type in AT_MARKET:
            return Reason.BAD_QUANTITY
        if order.quantity % instrument.lot or order.quantity < instrument.min_qty:
            return Reason.BAD_QUANTITY
        if price is not None and (price % instrument.tick or price <= NOTHING):
            return Reason.BAD_PRICE
        is_closing = order.reduce_only and order.order_type is OrderType.MARKET
        if order.quantity * (price or quote.bid) < instrument.min_notional and not is_closing:
            return Reason.BAD_QUANTITY
        if order.reduce_only:
            others = self._reducing(order) if self._refuses else NOTHING
            wanted = order.quantity if self._refuses else instrument.lot
            if self._ledger.reducible(order) < others + wanted:
                return Reason.REDUCE_ONLY
        if order.order_type is OrderType.STOP:
            if self._is_reached(order, quote):
                return Reason.WOULD_TRIGGER
            if self._faults.strikes(Fault.PRICE_BAND, now_ns, order.symbol):
                return Reason.BAD_PRICE
        return None

    def _is_forbidden(self, order: Working, now_ns: int) -> bool:
        """Whether the venue refuses an order for what is at work beside it; now and then it says so
        of a stop or an exit for no reason that can be seen."""
        abilities, is_entry = self._abilities, not order.reduce_only
        if abilities.entry_beside_stop if is_entry else abilities.stop_beside_entry:
            return False
        if not is_entry and self._faults.strikes(Fault.FORBIDDEN, now_ns, order.symbol):
            return True
        beside = self._ledger.open_orders(order.symbol)
        others = [other for other in beside if other.side is not order.side]
        return any(is_entry or not other.reduce_only for other in others)

    def _reducing(self, order: Working) -> Decimal:
        """What other reduce-only orders have left against the same holding."""
        others = self._ledger.open_orders(order.symbol)
        against = [o for o in others if o.reduce_only and o.holding == order.holding]
        return sum((o.leaves for o in against if o.side is order.side), NOTHING)

    def end(self, order: Working, status: OrderStatus, reason: Reason | None, now_ns: int) -> None:
        """An order ends without a further fill."""
        self._ledger.finish(order, status, reason)
        self.say(order, ReportWord(status.value), now_ns, reason=reason)

    # -- trading -----------------------------------------------------------------------------------

    def _trade(self, order: Working, now_ns: int) -> None:
        """Trade what the market shows, in one or more slices at worse and worse prices; then an
        immediate-or-cancel order ends."""
        quote = self.quotes[order.symbol]
        tick, lot = self._instruments[order.symbol].tick, self._instruments[order.symbol].lot
        shown = self._shown[order.symbol, order.side]
        slices = self._random.randrange(1, 4)
        worse = tick if order.side is Side.BUY else -tick
        price, left = quote.touch(order.side), min(order.leaves, shown)
        at_ns = now_ns
        for number in range(slices):
            if left <= NOTHING or not _within(order, price):
                break
            part = left if number == slices - 1 else max(lot, left / 2 // lot * lot)
            if self._faults.strikes(Fault.BROKEN_LOT, now_ns, order.symbol):
                part -= lot * _BROKEN_OFF
            self._slice(order, part, price, at_ns)
            left -= part
            price += worse * self._random.randrange(2)
            if price <= NOTHING:
                break
        if order.order_type is OrderType.LIMIT_IOC:
            self._end_immediate(order, at_ns)
        elif order.reduce_only and order.is_open and not self._ledger.reducible(order):
            self.end(order, OrderStatus.CANCELED, Reason.REDUCE_ONLY, at_ns)

    def _slice(self, order: Working, part: Decimal, price: Decimal, now_ns: int) -> None:
        fill = self._ledger.execute(order, part, price, now_ns)
        if fill is None:
            return
        self._shown[order.symbol, order.side] -= fill.quantity
        self.say(order, ReportWord.TRADE, now_ns, fill)

    def _end_immediate(self, order: Working, now_ns: int) -> None:
        if not order.is_open:
            return
        if self._random.randrange(3) == 0:
            # What is left may trade a moment later, or be cancelled.
            at_ns = now_ns + self._random.randrange(MS_NS, SLICE_NS_MAX)
            self._later(at_ns, lambda then_ns: self._finish_immediate(order, then_ns))
            return
        self._finish_immediate(order, now_ns)

    def _finish_immediate(self, order: Working, now_ns: int) -> None:
        if not order.is_open:
            return
        price = self.quotes[order.symbol].touch(order.side)
        shown = self._shown[order.symbol, order.side]
        if now_ns > order.ts_ns and shown > NOTHING and _within(order, price):
            self._slice(order, min(shown, order.leaves), price, now_ns)
        if order.filled == order.quantity:
            return
        status = OrderStatus.CANCELED
        if order.filled and self._faults.strikes(Fault.REJECTED_WITH_FILLS, now_ns, order.symbol):
            status = OrderStatus.REJECTED
        elif order.filled and self._faults.strikes(Fault.EXPIRED_WITH_FILLS, now_ns, order.symbol):
            status = OrderStatus.EXPIRED
        self.end(order, status, Reason.NOT_FILLED, now_ns)

    def say(
        self,
        order: Working,
        word: ReportWord,
        now_ns: int,
        fill: VenueFill | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Say something of an order."""
        report = OrderReport(
            client_order_id=order.client_order_id,
            kind=word,
            ts_ns=now_ns,
            venue_order_id=order.venue_order_id,
            fill=fill,
            reason=reason,
        )
        self._tell(report, now_ns)


_BROKEN_OFF = Decimal("0.37")
"""How much less than whole lots is traded where a lot is broken."""


def _within(order: Working, price: Decimal) -> bool:
    limit = order.limit_price
    if limit is None or order.order_type is not OrderType.LIMIT_IOC:
        return True
    return price <= limit if order.side is Side.BUY else price >= limit
