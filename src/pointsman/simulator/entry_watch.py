"""The watch on entries: what must hold when one is accepted, and again when it leaves.

Limits, losses, the kill switch and the quality of quotes are implemented here a second time, from
the trades, the orders and the quotes that were fed; the engine's own opinion plays no part in it,
but for what it holds.
"""

from decimal import Decimal
from sqlite3 import Connection

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.domain.events import Event, Killed, Rearmed, SignalReceived
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.books import Books
from pointsman.execution.pacing import cancelling
from pointsman.simulator.broken import expect
from pointsman.simulator.losses import Losses
from pointsman.storage import reader

MINUTE_NS = 60 * SECOND_NS
_BPS = 10_000
_STOPS_AN_EXIT = (
    Reason.UNKNOWN_ACCOUNT,
    Reason.EXPIRED,
    Reason.SYMBOL_LOCKED,
    Reason.NOTHING_TO_CLOSE,
    Reason.BELOW_MINIMUM,
)
"""What an exit may be refused for: no limit on entries is among it."""


class EntryWatch:
    """Watches the entries of one run, over all lives of the engine. `fed` is the newest quote that
    the feed gave of each symbol. `reload` after each start."""

    def __init__(self, policy: Policy) -> None:
        self.fed: dict[str, Quote] = {}
        self._policy = policy
        self._is_killed = False
        self._losses: dict[str, Losses] = {}
        self._times: dict[str, list[int]] = {}

    def reload(self, connection: Connection) -> None:
        """A new life: what was not committed never was."""
        self._is_killed = reader.kill_switch(connection).state is not KillState.OFF
        self._losses, self._times = {}, {}
        for trade in reader.trades(connection):
            self.closed(trade)
        for order in reader.orders(connection):
            if order.role is Role.ENTRY:
                self._times.setdefault(order.va_id, []).append(order.created_at_ns)

    def closed(self, trade: Trade) -> None:
        """A position was closed: a win or a loss."""
        self._losses_of(trade.va_id).take(trade.pnl, trade.closed_at_ns)

    def _losses_of(self, va_id: str) -> Losses:
        limits = self._policy.limits_of(va_id)
        made = Losses(limits.max_loss_cooldown, limits.cooldown_ns)
        return self._losses.setdefault(va_id, made)

    # -- the kill switch ---------------------------------------------------------------------------

    def switched(self, switch: KillSwitch) -> None:
        """The engine tells that it is killed. That it is not, only a person's word can tell."""
        if switch.state is not KillState.OFF:
            self._is_killed = True

    def took_in(self, event: Event, books: Books) -> None:
        """I15: once killed, and until a person releases it, every entry in flight is being
        cancelled."""
        if isinstance(event, Killed | Rearmed):
            self._is_killed = isinstance(event, Killed)
        if self._is_killed:
            for orders in books.entries_by_symbol.values():
                for order in (books.orders[order_id] for order_id in orders):
                    # A cancel that did not reach the venue is asked for again a little later.
                    is_given_up = books.this_run.pacing.is_counted(cancelling(order))
                    is_ending = order.is_cancel_pending or is_given_up
                    expect(is_ending, "I15", ("works on", order), order.va_id)

    # -- decisions ---------------------------------------------------------------------------------

    def decided(self, event: Event, decision: Decision, books: Books, now_ns: int) -> None:
        """Look at a decision on a new signal."""
        if decision.action is Action.EXIT and decision.outcome is Outcome.REFUSED:
            expect(decision.reason in _STOPS_AN_EXIT, "I13", ("kept", decision), decision.va_id)
        if decision.action is Action.ENTRY and decision.outcome is Outcome.ACCEPTED:
            assert isinstance(event, SignalReceived)
            if event.is_opening:
                self._is_flat(decision, books)
            self._within_limits(decision, books, now_ns)
            self._good_moment(event, decision, now_ns)

    def _is_flat(self, decision: Decision, books: Books) -> None:
        """RULES 55: the opening part of a reversal comes after all of the closing part."""
        mine = [p for p in books.positions.values() if p.va_id == decision.va_id and p.is_live]
        expect(not mine, "I10", ("opens beside", mine, decision), decision.va_id)

    def _within_limits(self, decision: Decision, books: Books, now_ns: int) -> None:
        """I11 and I12: by what is held and was accepted. I13: by the trades alone."""
        va_id, limits = decision.va_id, self._policy.limits_of(decision.va_id)
        live = [p for p in books.positions.values() if p.va_id == va_id and p.is_live]
        works = [o for o in books.orders.values() if o.va_id == va_id and o.role is Role.ENTRY]
        slots = len({p.position_id for p in live} | {order.position_id for order in works})
        expect(slots <= limits.max_open_positions, "I11", (slots, decision), va_id)
        times = self._times.setdefault(va_id, [])
        times.append(now_ns)
        if limits.max_orders_per_minute is not None:
            recent = sum(1 for at_ns in times if at_ns > now_ns - MINUTE_NS)
            expect(recent <= limits.max_orders_per_minute, "I12", (recent, decision), va_id)
        until_ns = self._losses_of(va_id).until_ns
        expect(now_ns >= until_ns, "I13", ("cools down until", until_ns, decision), va_id)

    def _good_moment(self, event: SignalReceived, decision: Decision, now_ns: int) -> None:
        """I14: window, and everything on the one quote that is journaled with the decision."""
        va_id, limits, window = decision.va_id, self._policy.limits_of(decision.va_id), event.window
        is_open = window is not None and window.opens_ns <= now_ns < window.closes_ns
        expect(is_open, "I14", ("outside its window", window, decision), va_id)
        self._good_quote(decision.quote, va_id, now_ns)
        quote, signal = decision.quote, event.signal
        assert quote is not None
        if signal.price is not None:
            touch = quote.ask if signal.side == "buy" else quote.bid
            worse = touch - signal.price if signal.side == "buy" else signal.price - touch
            within = worse * _BPS <= limits.max_slippage_bps * signal.price
            expect(within, "I14", ("slippage", decision), va_id)

    def _good_quote(self, quote: Quote | None, va_id: str, now_ns: int) -> None:
        """I14: finite, above zero, not crossed, narrow and new enough; none at all is a breach."""
        limits = self._policy.limits_of(va_id)
        expect(quote is not None and _is_sane(quote), "I14", ("on", quote), va_id)
        assert quote is not None
        spread = (quote.ask - quote.bid) * 2 * _BPS / (quote.ask + quote.bid)
        expect(spread <= limits.max_spread_bps, "I14", ("spread", spread, quote), va_id)
        age_ns = now_ns - quote.ts_ns
        expect(age_ns <= limits.max_latency_ns, "I14", ("age", age_ns, quote), va_id)

    # -- leaving -----------------------------------------------------------------------------------

    def sent(self, order: Order, now_ns: int) -> None:
        """I14, I15, at the moment of leaving."""
        expect(not self._is_killed, "I15", ("left while killed", order), order.va_id)
        self._good_quote(self.fed.get(order.symbol), order.va_id, now_ns)


def _is_sane(quote: Quote) -> bool:
    numbers = (quote.bid, quote.ask, quote.bid_size, quote.ask_size)
    if not all(number.is_finite() for number in numbers):
        return False
    return Decimal(0) < quote.bid <= quote.ask and min(quote.bid_size, quote.ask_size) >= 0
