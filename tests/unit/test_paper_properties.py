"""Whatever is sent to the paper venue, in whatever order, with crashes in between: its books add
up.

The machine plays rows, orders, cancels, transfers and crashes (the ledger's files are copied as a
kill -9 would leave them, and opened again), and after each step recomputes from the reports alone
what must be true.
"""

import shutil
import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order, OrderType
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import OrderFound, Snapshot, VenueHolding
from pointsman.execution.ports import VenueReply
from pointsman.venues.paper.ledger import read_ledger
from tests.conformance.bench import FEE_BPS, Bench, entry, market_exit, open_paper, row, stop

CENTS = st.integers(9990, 10010)
SIZES = st.sampled_from([0, 1, 5, 30, 1000])
QUANTITIES = st.integers(1, 60)
POSITION_SIDES = st.sampled_from(PositionSide)
HoldingKey = PositionSide | None


def price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


class PaperMachine(RuleBasedStateMachine):
    @initialize(mode=st.sampled_from(PositionMode), reduce_only=st.sampled_from(ReduceOnlyMode))
    def open(self, mode: PositionMode, reduce_only: ReduceOnlyMode) -> None:
        self.mode, self.reduce_only = mode, reduce_only
        self.folder = Path(tempfile.mkdtemp())
        self.bench = self.open_bench()
        self.row: Quote | None = None
        self.taken: dict[Side, Decimal] = defaultdict(Decimal)
        self.orders: dict[str, Order] = {}
        self.reports: dict[str, list[OrderReport]] = defaultdict(list)
        self.holdings: dict[HoldingKey, Decimal] = defaultdict(Decimal)
        self.cash = self.fees = ZERO

    def open_bench(self) -> Bench:
        path = self.folder / "paper.db"
        return Bench(open_paper(path, position_mode=self.mode, reduce_only_mode=self.reduce_only))

    def teardown(self) -> None:
        self.bench.venue.close()
        shutil.rmtree(self.folder)

    @rule(bid=CENTS, spread=st.integers(0, 4), bid_size=SIZES, ask_size=SIZES)
    def valid_row(self, bid: int, spread: int, bid_size: int, ask_size: int) -> None:
        ts_ns = self.bench.now_ns + 1
        ask = price(bid + spread)
        self.row = row(ts_ns, price(bid), ask, bid_size=bid_size, ask_size=ask_size)
        self.taken.clear()
        filled = self.book(self.bench.quote(self.row))
        sent = list(self.orders)
        assert filled == sorted(filled, key=sent.index), "not in the order of sending"

    @rule()
    def invalid_row(self) -> None:
        self.row = None
        assert self.bench.quote(row(self.bench.now_ns + 1, "100.00", "99.00")) == []

    @rule(side=POSITION_SIDES, quantity=QUANTITIES, cents=CENTS)
    def send_entry(self, side: PositionSide, quantity: int, cents: int) -> None:
        self.send(entry(self.new_id(), side, quantity, price(cents)))

    @rule(side=POSITION_SIDES, quantity=QUANTITIES, cents=CENTS)
    def send_stop(self, side: PositionSide, quantity: int, cents: int) -> None:
        self.send(stop(self.new_id(), side, quantity, price(cents)))

    @rule(side=POSITION_SIDES, quantity=QUANTITIES)
    def send_exit(self, side: PositionSide, quantity: int) -> None:
        self.send(market_exit(self.new_id(), side, quantity))

    @rule(newest=st.integers(1, 5))
    def cancel(self, newest: int) -> None:
        for client_order_id in list(self.orders)[-newest:][:1]:
            replies = self.bench.ask(Cancel(client_order_id, "XXX"))
            self.book([reply for reply in replies if isinstance(reply, OrderReport)])

    @rule(amount=st.integers(-1000, 1000).map(Decimal), repeats=st.integers(1, 2))
    def move_cash(self, amount: Decimal, repeats: int) -> None:
        ref = f"move{self.bench.now_ns}"
        self.bench.ask(*[MoveCash(ref, amount)] * repeats)
        self.cash += amount

    @rule()
    def crash(self) -> None:
        """What was sent and had not arrived is lost; everything that was told is still there."""
        self.bench.venue.send(Submit(entry("LOST", PositionSide.LONG, 1, "200.00")), 0)
        after = Path(tempfile.mkdtemp())
        shutil.copytree(self.folder, after, dirs_exist_ok=True)
        now_ns = self.bench.now_ns
        self.teardown()
        self.folder, self.row = after, None
        self.bench = self.open_bench()
        self.bench.now_ns = now_ns

    def new_id(self) -> str:
        return f"N{len(self.orders)}"

    def send(self, order: Order) -> None:
        self.orders[order.client_order_id] = order
        self.book(self.bench.submit(order))

    def book(self, replies: list[VenueReply] | list[OrderReport]) -> list[str]:
        """Take in reports; returns whose orders filled, in order."""
        filled = []
        for report in replies:
            assert isinstance(report, OrderReport)
            self.reports[report.client_order_id].append(report)
            if report.kind is ReportWord.TRADE:
                self.book_fill(report)
                filled.append(report.client_order_id)
        return filled

    def book_fill(self, report: OrderReport) -> None:
        order, fill = self.orders[report.client_order_id], report.fill
        assert fill is not None
        assert self.row is not None, "filled without a valid row"
        assert fill.price == self.row.touch(order.side)
        if order.limit_price is not None:
            assert (order.limit_price - fill.price) * order.side.sign >= 0
        self.taken[order.side] += fill.quantity
        assert self.taken[order.side] <= self.displayed(order.side), "more than was displayed"
        key = order.position_side if self.mode is PositionMode.HEDGE else None
        before = self.holdings[key]
        after = before + fill.quantity * order.side.sign
        if order.reduce_only:
            assert abs(after) < abs(before), "a reduce-only order grew a holding"
            assert before * after >= 0, "a reduce-only order flipped a holding"
        self.holdings[key] = after
        assert fill.fee == fill.quantity * fill.price * FEE_BPS / 10_000
        self.fees += fill.fee
        self.cash -= fill.quantity * order.side.sign * fill.price + fill.fee

    def displayed(self, side: Side) -> Decimal:
        assert self.row is not None
        return self.row.ask_size if side is Side.BUY else self.row.bid_size

    def snapshot(self) -> Snapshot:
        (snapshot,) = self.bench.ask(Compare(""))
        assert isinstance(snapshot, Snapshot)
        return snapshot

    @invariant()
    def the_books_agree_with_what_was_told(self) -> None:
        held = {h.position_side: h.quantity for h in self.snapshot().holdings}
        assert held == {key: quantity for key, quantity in self.holdings.items() if quantity}
        totals = read_ledger(self.folder / "paper.db")
        assert (totals.cash, totals.fees) == (self.cash, self.fees)
        assert totals.holdings == tuple(
            VenueHolding("XXX", key, held[key]) for key in sorted(held, key=str)
        )

    @invariant()
    def each_order_was_told_its_life_and_its_fills_add_up(self) -> None:
        for client_order_id, reports in self.reports.items():
            (found,) = self.bench.ask(Query(client_order_id, "XXX"))
            assert isinstance(found, OrderFound)
            fills = [report.fill for report in reports if report.fill is not None]
            assert list(found.fills) == fills
            assert found.order.filled == sum((fill.quantity for fill in fills), ZERO)
            assert found.order.filled <= found.order.quantity
            for fill, total in zip(fills, self.running_totals(reports), strict=True):
                assert fill.cumulative == total
            assert reports[0].kind in (ReportWord.ACCEPTED, ReportWord.REJECTED)
            assert {report.venue_order_id for report in reports} == {found.order.venue_order_id}

    @staticmethod
    def running_totals(reports: list[OrderReport]) -> list[Decimal]:
        quantities = [report.fill.quantity for report in reports if report.fill is not None]
        return [sum(quantities[: n + 1], ZERO) for n in range(len(quantities))]

    @invariant()
    def nothing_rests_that_should_have_acted_on_the_newest_row(self) -> None:
        if self.row is None:
            return
        for order in self.snapshot().open_orders:
            touch = self.row.touch(order.side)
            if order.order_type is OrderType.STOP and not order.is_triggered:
                assert order.trigger_price is not None
                assert (touch - order.trigger_price) * order.side.sign < 0
            else:
                assert self.taken[order.side] == self.displayed(order.side), "size was left"


PaperMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, print_blob=True
)
TestPaperMachine = PaperMachine.TestCase
