"""Random signals, fills, silence and time against one desk, and what must hold at every step.

A second desk is told the same: each of its steps must be equal, which is what lets the journal be
decided again (RULES 33). The rules are modelled here once more, in other words than the desk's: a
cooldown as the moment until which losses are not listened to, a throttle as a list of times.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Step
from pointsman.domain.events import (
    Event,
    Killed,
    Marked,
    OrderReport,
    OrderSent,
    Paused,
    Rearmed,
    ReportWord,
    Resumed,
    SignalReceived,
    TimerFired,
    VenueFill,
)
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Decision, Outcome, Signal, Window
from tests.desk_stories import (
    MIDNIGHT_NS,
    SECOND_NS,
    cancels,
    limits,
    of_type,
    policy,
    quote,
    ready_desk,
    signal,
    submits,
)

ACCOUNTS = ("VA001", "VA002", "VA003")
MAX_OPEN = 2
PER_MINUTE = 4
PER_MINUTE_OF_ALL = 8
LOSSES = 2
COOLDOWN_NS = 20 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS
ALWAYS = Window(0, 2**62)

GENERAL = limits(
    max_loss_cooldown=LOSSES,
    cooldown_ns=COOLDOWN_NS,
    max_open_positions=MAX_OPEN,
    max_orders_per_minute=PER_MINUTE,
    max_drawdown_percentage=Decimal(5),
)


def mostly(usual: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """`usual` four times in five, so that most of what happens is a story that goes on."""
    return st.integers(0, 4).flatmap(lambda n: st.sampled_from(rare) if n == 4 else st.just(usual))


va_ids = st.sampled_from(ACCOUNTS)


class Judging(RuleBasedStateMachine):
    """Two equal desks, told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.admitted: dict[str, list[int]] = defaultdict(list)
        self.deaf_until_ns: dict[str, int] = defaultdict(int)
        self.streak: dict[str, int] = defaultdict(int)
        self.signals = 0
        self.fills = 0

    @initialize(mode=st.sampled_from(PositionMode), reduce_only=st.sampled_from(ReduceOnlyMode))
    def begin(self, mode: PositionMode, reduce_only: ReduceOnlyMode) -> None:
        rules = policy(
            GENERAL,
            position_mode=mode,
            reduce_only_mode=reduce_only,
            global_max_orders_per_minute=PER_MINUTE_OF_ALL,
        )
        self.desk, self.twin = (ready_desk(rules, ACCOUNTS, "3000") for _ in range(2))

    def tell(self, event: Event, now_ns: int | None = None) -> Step:
        now_ns = self.desk.now_ns if now_ns is None else now_ns
        step = self.desk.handle(event, now_ns)
        assert self.twin.handle(event, now_ns) == step
        for trade in of_type(step.changes, Trade):
            self.listen_to(trade, now_ns)
        return step

    def listen_to(self, trade: Trade, now_ns: int) -> None:
        if now_ns < self.deaf_until_ns[trade.va_id] or trade.pnl == 0:
            return
        self.streak[trade.va_id] = self.streak[trade.va_id] + 1 if trade.pnl < 0 else 0
        if self.streak[trade.va_id] == LOSSES:
            self.streak[trade.va_id] = 0
            self.deaf_until_ns[trade.va_id] = now_ns + COOLDOWN_NS

    # -- what happens ------------------------------------------------------------------------------

    @rule(
        va_id=va_ids | mostly("VA001", "VA999"),
        side=mostly("buy", "sell", "close"),
        symbol=mostly("XXX", "YYY"),
        quantity=mostly("10", "1", "50", "0.5", None),
        bid=mostly("99.99", "99", "NaN", "0", "100.02"),
        reduce_only=mostly(False, True),
        price=mostly(None, Decimal(100), Decimal(50)),
    )
    def send(
        self, va_id: str, side: str, symbol: str, quantity: str | None, bid: str, **fields: Any
    ) -> None:
        if side == "close" or quantity is None:
            fields["reduce_only"] = True
        self.signals += 1
        sent = signal(f"s{self.signals}", side, quantity, va_id=va_id, symbol=symbol, **fields)
        newest = quote(self.desk.now_ns, bid, symbol=symbol)
        mark = newest if newest.is_valid else quote(self.desk.now_ns, symbol=symbol)
        event = SignalReceived(sent, newest, mark, ALWAYS, MIDNIGHT_NS)
        step = self.tell(event)
        (decision,) = of_type(step.changes, Decision)
        assert step.decision == decision
        self.check_decision(sent, decision, step)

    def check_decision(self, sent: Signal, decision: Decision, step: Step) -> None:
        failed = [check.rule for check in decision.checks if not check.passed]
        assert decision.reason is (failed[0] if failed else None)
        assert (decision.outcome is Outcome.REFUSED) is bool(failed)
        if failed:
            assert not submits(step), "a refusal sends nothing"
        elif decision.action is Action.ENTRY:
            self.check_entry(sent, decision, step)
        else:
            assert decision.quantity is not None
            assert decision.quantity > 0
            assert all(order.role is not Role.ENTRY for order in submits(step))

    def check_entry(self, sent: Signal, decision: Decision, step: Step) -> None:
        now_ns, (order,) = self.desk.now_ns, submits(step)
        assert not sent.reduce_only
        assert decision.quote is not None
        assert decision.quote.is_valid, "I14"
        assert now_ns >= self.deaf_until_ns[sent.va_id], "I13"
        assert order.client_order_id not in cancels(step), "not withdrawn in the same breath"
        assert self.desk.books.kill_switch.state is KillState.OFF
        assert order.client_order_id == decision.client_order_id
        self.admitted[sent.va_id].append(now_ns)
        every = [at_ns for times in self.admitted.values() for at_ns in times]
        for times, limit in ((self.admitted[sent.va_id], PER_MINUTE), (every, PER_MINUTE_OF_ALL)):
            assert sum(at_ns > now_ns - MINUTE_NS for at_ns in times) <= limit, "I12"

    def orders(self) -> list[Order]:
        return list(self.desk.books.orders.values())

    @precondition(lambda self: self.desk.books.orders)
    @rule(price=st.sampled_from(["99", "100", "101"]))
    def settle(self, price: str) -> None:
        """A venue that behaves answers everything: entries and exits fill, stops rest, what is to
        be cancelled is."""
        for order in self.orders():
            if order.is_cancel_pending:
                self.say(order, ReportWord.CANCELED)
            elif order.role is Role.STOP:
                self.say(order, ReportWord.ACCEPTED)
            else:
                self.say(
                    order, ReportWord.TRADE, price="100" if order.role is Role.ENTRY else price
                )

    @precondition(lambda self: any(order.role is Role.STOP for order in self.orders()))
    @rule(pick=st.integers(0, 99), price=st.sampled_from(["95", "98", "100", "105"]))
    def stop_out(self, pick: int, price: str) -> None:
        """A stop is filled."""
        stops = [order for order in self.orders() if order.role is Role.STOP]
        self.say(stops[pick % len(stops)], ReportWord.TRADE, price=price)

    @precondition(lambda self: self.desk.books.orders)
    @rule(
        pick=st.integers(0, 99),
        word=st.sampled_from(ReportWord),
        share=st.sampled_from(["all", "one"]),
        price=st.sampled_from(["95", "100", "110"]),
    )
    def hear(self, pick: int, word: ReportWord, share: str, price: str) -> None:
        """The venue says anything of one of the orders."""
        self.say(self.orders()[pick % len(self.orders())], word, share, price)

    def say(self, order: Order, word: ReportWord, share: str = "all", price: str = "100") -> None:
        now_ns, fill, reason = self.desk.now_ns, None, None
        if order.sent_at_ns is None:
            self.tell(OrderSent(order.client_order_id))
        if word is ReportWord.TRADE:
            self.fills += 1
            quantity = min(Decimal(1), order.leaves) if share == "one" else order.leaves
            fill = VenueFill(f"T{self.fills}", quantity, Decimal(price), Decimal("0.01"), now_ns)
        elif word is ReportWord.REJECTED:
            reason = Reason.WOULD_TRIGGER if order.role is Role.STOP else Reason.VENUE_REJECTED
        told = OrderReport(order.client_order_id, word, now_ns, "V", fill, reason=reason)
        self.tell(told)

    @rule(seconds=st.sampled_from([0, 1, 5, 19, 20, 40, 60]), beyond_ns=st.integers(0, 1))
    def wait(self, seconds: int, beyond_ns: int) -> None:
        """Time goes by; what the desk asked to be woken for happens at its moment."""
        until_ns = self.desk.now_ns + seconds * SECOND_NS + beyond_ns
        while (due_ns := self.desk.next_due_ns()) is not None and due_ns <= until_ns:
            timer = self.desk.due_timer(max(due_ns, self.desk.now_ns))
            assert timer is not None
            assert self.twin.due_timer(max(due_ns, self.desk.now_ns)) == timer
            self.tell(TimerFired(timer), max(due_ns, self.desk.now_ns))
        marks = (quote(until_ns), quote(until_ns, symbol="YYY"))
        self.tell(Marked(marks, MIDNIGHT_NS), until_ns)

    @rule(
        event=st.sampled_from(
            [
                Paused(None, "ann", "x"),
                *[Resumed(None, "ann", "x"), Rearmed("ann", "x")] * 4,
                Killed(False, "ann", "x"),
                Killed(True, "ann", "x"),
                *(Resumed(va_id, "ann", "x") for va_id in ACCOUNTS),
            ]
        )
    )
    def press(self, event: Event) -> None:
        self.tell(event)

    # -- what holds --------------------------------------------------------------------------------

    @invariant()
    def one_symbol_and_no_more_positions_than_slots(self) -> None:
        if not hasattr(self, "desk"):
            return
        books = self.desk.books
        for va_id in ACCOUNTS:
            entries = [o for o in self.orders() if o.va_id == va_id and o.role is Role.ENTRY]
            held = books.open_positions(va_id)
            symbols = {order.symbol for order in self.orders() if order.va_id == va_id}
            symbols |= {position.symbol for position in held}
            assert len(symbols) <= 1, "I10"
            assert not symbols or symbols == {books.accounts[va_id].leased_symbol}, "I10"
            slots = {order.position_id for order in entries}
            slots |= {position.position_id for position in held}
            assert len(slots) <= MAX_OPEN, "I11"

    @invariant()
    def no_entry_works_where_none_may(self) -> None:
        if not hasattr(self, "desk"):
            return
        for order in self.orders():
            is_deaf = self.desk.now_ns < self.deaf_until_ns[order.va_id]
            if order.role is Role.ENTRY and is_deaf:
                assert order.is_cancel_pending or order.is_unknown, "RULES 16"


Judging.TestCase.settings = settings(max_examples=120, stateful_step_count=50)
TestJudging = Judging.TestCase
