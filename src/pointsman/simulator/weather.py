"""The weather: troubles that come at moments of their own, and whom they befall."""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from pointsman.domain.events import VenueLink
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.simulator.crashes import Boundary, CrashTrap
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.feed import FOR_EVER_NS, SimulatedFeed
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.ledger import NOTHING, Working
from pointsman.simulator.market_walk import LISTINGS, lot_of

_DRIFTS = (-8, -2, 1, 5)
"""Per thousand."""
_STEPS_NS = (-5_000 * MS_NS, -700 * MS_NS, 200 * MS_NS, 3_000 * MS_NS)
_SKIPPED_MAX = 5
_FUNDINGS = 4
_FUNDING_EVERY_NS = 180 * SECOND_NS
_LAST_MAX = {
    Fault.BAN: 30,
    Fault.DISCONNECT: 20,
    Fault.HALT: 60,
    Fault.FEED_FREEZE: 90,
    Fault.BAD_QUOTES: 60,
    Fault.CLOCK_STEP: 120,
    Fault.CLOCK_DRIFT: 300,
    Fault.ORDERS_DOWN: 20,
    Fault.ACCOUNT_STREAM_DOWN: 30,
    Fault.QUOTES_DOWN: 30,
    Fault.SLOW_DOWN: 20,
}
"""Seconds that a trouble lasts at most."""

BOUNDARIES = {
    Fault.CRASH_BEFORE_COMMIT: Boundary.BEFORE_COMMIT,
    Fault.CRASH_AFTER_COMMIT: Boundary.AFTER_COMMIT,
    Fault.CRASH_AFTER_SEND: Boundary.AFTER_SEND,
}


class Weather:
    """Brings trouble to a venue, a feed and the trap for crashes."""

    def __init__(
        self,
        random: Random,
        faults: Faults,
        venue: HostileVenue,
        feed: SimulatedFeed,
        trap: CrashTrap,
    ) -> None:
        self._random = random
        self._faults = faults
        self._venue = venue
        self._feed = feed
        self._trap = trap
        self._foreign = 0

    def strike(self, fault: Fault, now_ns: int) -> None:
        """Let one trouble come. Crashes are armed here, and counted when they happen."""
        if fault in BOUNDARIES:
            self._trap.arm(BOUNDARIES[fault], self._random.randrange(_SKIPPED_MAX))
            return
        lasts_s = self._random.randrange(1, _LAST_MAX.get(fault, 1) + 1)
        until_ns = now_ns + lasts_s * SECOND_NS
        befall = self._deeds[fault]
        if befall(self, now_ns, until_ns):
            self._faults.note(fault, now_ns, until_ns if fault in _LAST_MAX else now_ns)

    def _symbol(self) -> str:
        return self._random.choice(LISTINGS).instrument.symbol

    def _ban(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.ban(until_ns)
        return True

    def _cut(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.cut(until_ns)
        return True

    def _halt(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.matching.halted_until_ns[self._symbol()] = until_ns
        return True

    def _freeze(self, _now_ns: int, until_ns: int) -> bool:
        self._feed.freeze(self._symbol(), until_ns)
        return True

    def _spoil(self, _now_ns: int, until_ns: int) -> bool:
        self._feed.spoil(until_ns)
        return True

    def _step_clock(self, _now_ns: int, until_ns: int) -> bool:
        self._feed.step_clock(self._random.choice(_STEPS_NS), until_ns)
        return True

    def _drift(self, now_ns: int, until_ns: int) -> bool:
        self._feed.drift(self._random.choice(_DRIFTS), now_ns, until_ns)
        return True

    def _delist(self, now_ns: int, _until_ns: int) -> bool:
        """At most one symbol of a run, so that there is something left to trade."""
        matching = self._venue.matching
        if matching.delisted is not None:
            return False
        symbol = self._symbol()
        self._feed.freeze(symbol, FOR_EVER_NS)
        matching.delist(symbol, now_ns)
        return True

    def _move_holding(self, _now_ns: int, _until_ns: int) -> bool:
        """Part of a holding is gone, or there is more of it."""
        ledger = self._venue.ledger
        held = [(key, quantity) for key, quantity in ledger.holdings.items() if quantity]
        if not held:
            return False
        key, quantity = self._random.choice(held)
        lot = lot_of(key[0])
        part = quantity / self._random.choice((-3, -2, -1, 2)) // lot * lot
        ledger.move(key, part)
        return part != NOTHING

    def _drop_stop(self, now_ns: int, _until_ns: int) -> bool:
        stops = [
            order
            for opened in self._venue.ledger.open_by_symbol.values()
            for order in opened.values()
            if _is_resting_stop(order)
        ]
        if not stops:
            return False
        stop = self._random.choice(stops)
        self._venue.matching.end(stop, OrderStatus.CANCELED, Reason.VENUE_REJECTED, now_ns)
        return True

    def _close_by_hand(self, now_ns: int, _until_ns: int) -> bool:
        """A person closes a part or all; where the account nets, perhaps more than all."""
        share = self._random.choice((2, 1, 1))
        is_flip = not self._venue.ledger.is_hedged and self._random.randrange(3) == 0
        return self._foreign_close("web", now_ns, share, is_flip=is_flip)

    def _liquidate(self, now_ns: int, _until_ns: int) -> bool:
        return self._foreign_close("autoclose", now_ns, 1, is_flip=False)

    def _foreign_close(self, who: str, now_ns: int, divisor: int, *, is_flip: bool) -> bool:
        ledger = self._venue.ledger
        held = [(key, quantity) for key, quantity in ledger.holdings.items() if quantity]
        if not held:
            return False
        (symbol, side), quantity = self._random.choice(held)
        lot = lot_of(symbol)
        wanted = abs(quantity) / divisor // lot * lot * (2 if is_flip else 1)
        if wanted <= NOTHING:
            return False
        self._foreign += 1
        self._venue.matching.foreign_trade(
            f"{who}-{self._foreign}", symbol, Side.SELL if quantity > 0 else Side.BUY,
            side, wanted, now_ns, reduce_only=not is_flip,
        )  # fmt: skip
        return True

    def _foreign_order(self, now_ns: int, _until_ns: int) -> bool:
        self._foreign += 1
        self._venue.matching.foreign_rest(f"web-{self._foreign}", self._symbol(), now_ns)
        return True

    def _settle_funding(self, now_ns: int, _until_ns: int) -> bool:
        """Now, and every few minutes for a while; the venue counts what there was to settle."""
        for number in range(_FUNDINGS):
            self._venue.payments.settle_funding_at(now_ns + number * _FUNDING_EVERY_NS)
        return False

    def _charge(self, now_ns: int, _until_ns: int) -> bool:
        """For something that is held, mostly; for nothing at all, or for one side alone, at
        times."""
        held = [symbol for (symbol, _), quantity in self._venue.ledger.holdings.items() if quantity]
        symbol = self._random.choice([*held * 4, self._symbol(), ""])
        side = self._random.choice((None, None, *PositionSide)) if symbol else None
        amount = Decimal(self._random.randrange(-500, 100)) / 100
        self._venue.payments.charge(symbol, side, amount, now_ns)
        return True

    def _cut_orders(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.cut_link(VenueLink.ORDERS, until_ns)
        return True

    def _cut_account_stream(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.cut_link(VenueLink.ACCOUNT_STREAM, until_ns)
        return True

    def _cut_quotes(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.cut_link(VenueLink.QUOTES, until_ns)
        for listing in LISTINGS:
            self._feed.freeze(listing.instrument.symbol, until_ns)
        return True

    def _slow_down(self, _now_ns: int, until_ns: int) -> bool:
        self._venue.cut_link(VenueLink.BUDGET, until_ns)
        return True

    _deeds: dict[Fault, Callable[["Weather", int, int], bool]] = {  # noqa: RUF012 - a constant
        Fault.BAN: _ban,
        Fault.DISCONNECT: _cut,
        Fault.HALT: _halt,
        Fault.FEED_FREEZE: _freeze,
        Fault.BAD_QUOTES: _spoil,
        Fault.CLOCK_STEP: _step_clock,
        Fault.CLOCK_DRIFT: _drift,
        Fault.DELISTED: _delist,
        Fault.HOLDING_MOVED: _move_holding,
        Fault.STOP_DROPPED: _drop_stop,
        Fault.PERSON_CLOSES: _close_by_hand,
        Fault.LIQUIDATION: _liquidate,
        Fault.FOREIGN_ORDER: _foreign_order,
        Fault.FUNDING: _settle_funding,
        Fault.CHARGE: _charge,
        Fault.ORDERS_DOWN: _cut_orders,
        Fault.ACCOUNT_STREAM_DOWN: _cut_account_stream,
        Fault.QUOTES_DOWN: _cut_quotes,
        Fault.SLOW_DOWN: _slow_down,
    }


def _is_resting_stop(order: Working) -> bool:
    return order.order_type is OrderType.STOP and not order.is_triggered
