"""What the desk remembers of this run of the program alone, and does not store.

A start sets all of it again: wake-ups, when the venue was asked about an order, when a symbol
traded last, which orders are of an earlier run, what of the connection is down, what did not reach
the venue. No stored record follows from it alone.
"""

import heapq
from collections.abc import Iterable, Mapping

import msgspec

from pointsman.domain.events import VenueLink
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import ForeignOrder
from pointsman.domain.timers import Timer
from pointsman.execution.last_worth import LastWorth
from pointsman.execution.pacing import Pacing


class LinkDown(msgspec.Struct, frozen=True, gc=False):
    """Since when a part of the connection to the venue is down, and what is known of it."""

    since_ns: int
    detail: str = ""


class ThisRun:
    """The part of the books that no record holds. `inherited` are the orders of an earlier run.
    `instruments` are those that the policy was asked for. `links_down` is replaced whole, so that
    any thread may read it."""

    def __init__(self) -> None:
        self.started_at_ns = 0
        self.inherited: frozenset[str] = frozenset()
        self.asked_at_ns: dict[str, int] = {}
        self.traded_at_ns: dict[str, int] = {}
        self.breach_marks: dict[str, int] = {}
        self.links_down: Mapping[VenueLink, LinkDown] = {}
        self.foreign_orders: tuple[ForeignOrder, ...] = ()
        self.unlisted_at_ns: dict[tuple[str, str], int] = {}
        self.pacing = Pacing()
        self.worth = LastWorth()
        self.instruments: dict[str, Instrument] = {}
        self._timers: list[Timer] = []

    def begin(self, order_ids: Iterable[str], now_ns: int) -> None:
        """The program has started, with `order_ids` not final yet."""
        self.started_at_ns = now_ns
        self.inherited = frozenset(order_ids)
        self.breach_marks.clear()
        self.links_down = {}
        self.foreign_orders = ()
        self.unlisted_at_ns = {}
        self.pacing = Pacing()
        self.worth = LastWorth()

    def note_link(self, link: VenueLink, down: LinkDown | None) -> None:
        """A part of the connection is down or, with None, up."""
        others = {each: known for each, known in self.links_down.items() if each is not link}
        self.links_down = others if down is None else {**others, link: down}

    def note_foreign_orders(self, orders: tuple[ForeignOrder, ...]) -> None:
        """A comparison showed what others have at work at the account."""
        self.foreign_orders = orders

    def is_news(self, code: str, order_id: str, now_ns: int, quiet_ns: int) -> bool:
        """Whether a code that is in no table has not been met for so long, of this order; it has
        been from now on."""
        seen = self.unlisted_at_ns
        self.unlisted_at_ns = {key: at for key, at in seen.items() if now_ns < at + quiet_ns}
        if (code, order_id) in self.unlisted_at_ns:
            return False
        self.unlisted_at_ns[code, order_id] = now_ns
        return True

    def note_asked(self, order_id: str, now_ns: int) -> None:
        """The venue is asked about an order."""
        self.asked_at_ns[order_id] = now_ns

    def forget_asked(self, order_id: str) -> None:
        """An order is final: nothing will be asked about it."""
        self.asked_at_ns.pop(order_id, None)

    def note_trade_time(self, symbol: str, ts_ns: int) -> None:
        """The venue says that a symbol traded at `ts_ns`; an earlier time than one known is no
        news."""
        self.traded_at_ns[symbol] = max(ts_ns, self.traded_at_ns.get(symbol, 0))

    def note_breach_marks(self, marks: tuple[Quote, ...]) -> None:
        """A reading beyond a global limit was counted, by these quotes."""
        self.breach_marks.update({mark.symbol: mark.ts_ns for mark in marks})

    def clear_breach_marks(self) -> None:
        """The next reading beyond a global limit is the first of its series."""
        self.breach_marks.clear()

    def wake(self, timer: Timer) -> None:
        """Ask for a wake-up."""
        heapq.heappush(self._timers, timer)

    def next_timer(self) -> Timer | None:
        return self._timers[0] if self._timers else None

    def pop_timer(self) -> Timer:
        """Take the next wake-up out. One that was armed twice in one moment is one."""
        timer = heapq.heappop(self._timers)
        while self._timers and self._timers[0] == timer:
            heapq.heappop(self._timers)
        return timer
