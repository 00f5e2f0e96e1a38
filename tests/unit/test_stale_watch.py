"""The moments at which the quote behind a working entry becomes too old."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pointsman.domain.policy import Policy
from pointsman.execution.books import Books
from pointsman.execution.clock_offset import ClockOffset
from pointsman.execution.quotes import QuoteTable
from pointsman.execution.stale_watch import StaleWatch
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS

TIGHT_NS, WIDE_NS = 500 * MILLISECOND_NS, 2 * SECOND_NS
SYMBOLS = {"VA001": "XXX", "VA002": "XXX", "VA003": "YYY"}


def rules() -> Policy:
    wide = told.limits(max_latency_ns=WIDE_NS, max_open_positions=10**6)
    return told.policy(
        replace(wide, max_latency_ns=TIGHT_NS, max_position_size=wide.max_position_size * 10**6),
        limits_by_va={"VA002": wide},
    )


class Market:
    """A desk, quotes and a watch, as the loop keeps them. `judged` is what was told."""

    def __init__(self) -> None:
        self.desk = told.ready_desk(rules(), accounts=tuple(SYMBOLS), balance="100000000")
        self.now_ns = START_NS
        self.quotes, self.clock_offset = QuoteTable(), ClockOffset()
        self.watch = StaleWatch(self.quotes, self.clock_offset)
        self.judged: dict[str, int] = {}

    @property
    def books(self) -> Books:
        return self.desk.books

    def rest(self, ns: int) -> None:
        self.now_ns += ns

    def quote(self, symbol: str, late_ns: int) -> None:
        self.quotes.update(told.quote(self.now_ns - late_ns, symbol=symbol))
        self.clock_offset.note(self.now_ns - late_ns, self.now_ns)
        self.watch.touch(symbol)

    def enter(self, va_id: str) -> None:
        name = f"{va_id} {len(self.books.orders)} {self.now_ns}"
        told.send(self.desk, told.signal(name, va_id=va_id, symbol=SYMBOLS[va_id]))
        self.watch.touch(SYMBOLS[va_id])

    def cancel(self, number: int) -> None:
        for order in list(self.books.orders.values())[number : number + 1]:
            self.books.put_order(replace(order, is_cancel_pending=True))
            self.watch.touch(order.symbol)

    def moments(self) -> dict[str, int]:
        """By a look at everything."""
        found: dict[str, int] = {}
        for order in self.books.orders.values():
            newest = self.quotes.newest(order.symbol)
            if newest is not None and not order.is_cancel_pending:
                limit_ns = self.books.policy.limits_of(order.va_id).max_latency_ns
                at_ns = newest.ts_ns + self.clock_offset.at(self.now_ns) + limit_ns + 1
                found[order.symbol] = min(at_ns, found.get(order.symbol, at_ns))
        return {name: at_ns for name, at_ns in found.items() if self.judged.get(name) != at_ns}


Act = Callable[[Market], None]
acts: st.SearchStrategy[Act] = st.one_of(
    st.integers(0, 3 * SECOND_NS).map(lambda ns: lambda market: market.rest(ns)),
    st.tuples(st.sampled_from(["XXX", "YYY"]), st.integers(-SECOND_NS, SECOND_NS)).map(
        lambda quoted: lambda market: market.quote(*quoted)
    ),
    st.sampled_from(sorted(SYMBOLS)).map(lambda va_id: lambda market: market.enter(va_id)),
    st.integers(0, 5).map(lambda number: lambda market: market.cancel(number)),
)


@given(st.lists(acts, max_size=40), st.data())
def test_the_next_moment_is_that_which_a_look_at_everything_finds(
    steps: list[Act], data: st.DataObject
) -> None:
    market = Market()
    for act in steps:
        act(market)
        moments = market.moments()
        next_ns = market.watch.next_ns(market.books, market.now_ns)
        assert next_ns == min(moments.values(), default=None)
        if data.draw(st.booleans()):
            stale = market.watch.take_stale(market.books, market.now_ns)
            due = {name: at_ns for name, at_ns in moments.items() if at_ns <= market.now_ns}
            assert sorted(stale) == sorted(due), "each once"
            market.judged |= due


def test_an_entry_that_is_being_withdrawn_has_no_moment_any_more() -> None:
    market = Market()
    market.quote("XXX", 0)
    market.enter("VA001")
    assert market.watch.next_ns(market.books, market.now_ns) is not None
    market.cancel(0)
    assert market.watch.next_ns(market.books, market.now_ns) is None


def test_one_quote_among_many_entries_is_one_look() -> None:
    """No scan of all that works, whatever is asked."""
    market = Market()
    names = [f"VA{number:04}" for number in range(500)]
    desk = told.ready_desk(rules(), accounts=tuple(names))
    for name in names:
        symbol = f"S{name}"
        told.send(desk, told.signal(name, va_id=name, symbol=symbol))
        market.quote(symbol, 0)
    market.watch.next_ns(desk.books, market.now_ns)
    looked: list[str] = []
    newest = market.quotes.newest

    def counted(symbol: str) -> object:
        looked.append(symbol)
        return newest(symbol)

    market.quotes.newest = counted  # type: ignore[method-assign,assignment]
    market.rest(MILLISECOND_NS)
    market.quote("SVA0007", 0)
    for _ in range(10):
        market.watch.next_ns(desk.books, market.now_ns)
        market.watch.take_stale(desk.books, market.now_ns)
    assert looked == ["SVA0007"]
