"""Judgement: one signal, one decision, for good; the first breach is the reason."""

import sys
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import Cursor
from pointsman.domain.commands import Record, Step
from pointsman.domain.events import Killed, Paused, SignalReceived
from pointsman.domain.reasons import REFUSALS, Reason
from pointsman.domain.signals import (
    Action,
    Decision,
    Outcome,
    Signal,
    SignalRecord,
    Window,
)
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    MIDNIGHT_NS,
    SECOND_NS,
    START_NS,
    VA,
    WINDOW,
    decide,
    enter,
    limits,
    of_type,
    policy,
    quote,
    ready_desk,
    send,
    signal,
    submits,
    tell,
)

EVERY_LIMIT = policy(
    limits(
        max_daily_loss=Decimal(1000),
        max_drawdown_percentage=Decimal(50),
        max_trades_per_day=100,
        max_orders_per_minute=100,
    )
)


def kinds(step: Step) -> set[type[Record]]:
    return {type(record) for record in step.changes}


# -- the decision ----------------------------------------------------------------------------------


def test_rule_11_all_rules_are_measured_in_the_order_of_the_reasons() -> None:
    sent = signal("a", price=Decimal(100), ts_ns=START_NS, ttl_ns=SECOND_NS)
    decision = decide(ready_desk(EVERY_LIMIT), sent)
    measured = [check.rule for check in decision.checks]
    told_where_broken = {
        Reason.VENUE_FORBIDS,
        Reason.ENTRIES_HELD,
        Reason.VENUE_DOWN,
        Reason.VENUE_BUSY,
        Reason.HOLDING_DISPUTED,
        Reason.TICK_TOO_COARSE,
    }
    not_of_an_entry = {Reason.STORAGE_FAILED, Reason.NOTHING_TO_CLOSE} | told_where_broken
    assert measured == [reason for reason in REFUSALS if reason not in not_of_an_entry]
    assert decision.outcome is Outcome.ACCEPTED


def test_rule_11_the_first_breach_is_the_reason_and_the_others_are_stored() -> None:
    desk = ready_desk(EVERY_LIMIT)
    tell(desk, Killed(False, "ann", "enough"))
    tell(desk, Paused(None, "ann", "lunch"))
    wide = quote(START_NS - SECOND_NS, bid="90")
    sent = signal("a", quantity="1000", price=Decimal(80), stop_loss=Decimal(200))
    decision = decide(desk, sent, quote=wide, window=None)
    failed = [check.rule for check in decision.checks if not check.passed]
    assert failed == [
        Reason.KILLED,
        Reason.PAUSED,
        Reason.MAX_POSITION_SIZE,
        Reason.OUTSIDE_WINDOW,
        Reason.LATENCY,
        Reason.SPREAD,
        Reason.PRICE_DEVIATION,
        Reason.SLIPPAGE,
        Reason.STOP_INVALID,
    ]
    assert (decision.reason, decision.value, decision.limit) == (Reason.KILLED, "halt", "off")


def test_an_accepted_entry_says_what_will_be_traded_on_which_quote() -> None:
    desk = ready_desk()
    newest = quote(START_NS)
    step = send(desk, signal("a"), quote=newest)
    (order,) = submits(step)
    assert step.decision == Decision(
        "a",
        VA,
        "XXX",
        Outcome.ACCEPTED,
        START_NS,
        action=Action.ENTRY,
        quantity=Decimal(10),
        limit_price=Decimal("100.06"),
        client_order_id="ABCDEF1E1",
        position_ids=(1,),
        quote=newest,
        checks=step.decision.checks if step.decision else (),
    )
    assert (order.client_order_id, order.signal_id) == ("ABCDEF1E1", "a")
    assert order.limit_price == Decimal("100.06")


def test_i22_a_signal_is_remembered_with_its_one_decision() -> None:
    step = send(ready_desk(), signal("a"), source="signals.jsonl", line=7)
    assert of_type(step.changes, Decision) == [step.decision]
    (record,) = of_type(step.changes, SignalRecord)
    assert record == SignalRecord(signal("a"), START_NS, "signals.jsonl", 7)
    assert of_type(step.changes, Cursor) == [Cursor("signals.jsonl", 7)]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal("a", va_id="VA999"), id="unknown account"),
        pytest.param(signal("a", quantity="10000"), id="too large"),
        pytest.param(signal("a", "close", None), id="nothing to close"),
    ],
)
def test_a_refusal_is_remembered_and_sends_nothing(sent: Signal) -> None:
    desk = ready_desk()
    decide(desk, signal("earlier", quantity="0.5"))  # the day begins with the first signal
    step = send(desk, sent)
    assert step.commands == ()
    assert kinds(step) == {SignalRecord, Decision}


# -- cost ------------------------------------------------------------------------------------------


def calls_of(desk: Desk, event: SignalReceived) -> int:
    """How many calls one decision makes, of functions and of built-ins alike."""
    count = 0

    def note(_frame: Any, kind: str, _function: Any) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    sys.setprofile(note)
    try:
        desk.handle(event, desk.now_ns)
    finally:
        sys.setprofile(None)
    return count


class CountingDict(dict[Any, Any]):
    """A dict that counts how often an entry of it is touched, a walk over it included."""

    def __init__(self, entries: dict[Any, Any]) -> None:
        super().__init__(entries)
        self.touches = 0

    def __getitem__(self, key: Any) -> Any:
        self.touches += 1
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        for key in super().__iter__():
            self.touches += 1
            yield key

    def get(self, key: Any, default: Any = None) -> Any:
        self.touches += 1
        return super().get(key, default)

    def values(self) -> Any:
        self.touches += len(self)
        return super().values()

    def items(self) -> Any:
        self.touches += len(self)
        return super().items()


def crowded(count: int) -> Desk:
    """A desk of so many VAs, each of which holds a position in the same symbol."""
    names = tuple(f"VA{number:04}" for number in range(count))
    own = dict.fromkeys(names, EVERY_LIMIT.limits_of(VA))
    desk = ready_desk(msgspec.structs.replace(EVERY_LIMIT, limits_by_va=own), names)
    for number, va_id in enumerate(names):
        enter(desk, signal(f"s{number}", va_id=va_id))
    return desk


@pytest.mark.parametrize("side", ["buy", "sell"], ids=["entry", "exit"])
def test_a_decision_costs_the_same_with_a_thousand_accounts_as_with_ten(side: str) -> None:
    newest = quote(START_NS)
    sent = signal("s", side, va_id="VA0005")
    event = SignalReceived(sent, newest, newest, Window(0, WINDOW.closes_ns), MIDNIGHT_NS)
    costs = set()
    for count in (10, 1000):
        desk = crowded(count)
        books = desk.books
        watched = [
            CountingDict(found)
            for found in (books.accounts, books.index, books.orders, books.positions)
        ]
        books.accounts, books.index, books.orders, books.positions = watched
        calls = calls_of(desk, event)
        costs.add((calls, *(found.touches for found in watched)))
    assert len(costs) == 1, costs
