"""The governor: how a VA stands, its slots, its size, its throttles; each limit at and above."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.events import (
    AccountOpened,
    Killed,
    Paused,
    ReportWord,
    Resumed,
)
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    ACCEPTED,
    DAY_NS,
    MIDNIGHT_NS,
    SECOND_NS,
    VA,
    account,
    acknowledge,
    check,
    decide,
    enter,
    limited,
    limits,
    order_sent,
    pass_time,
    policy,
    quote,
    ready_desk,
    refusal,
    report,
    round_trip,
    send,
    signal,
    stop_out,
    submits,
    tell,
    trade,
)

# -- standing --------------------------------------------------------------------------------------


def killed(desk: Desk) -> None:
    tell(desk, Killed(False, "ann", "enough"))


def paused_all(desk: Desk) -> None:
    tell(desk, Paused(None, "ann", "lunch"))


def paused_va(desk: Desk) -> None:
    tell(desk, Paused(VA, "ann", "lunch"))


def frozen(desk: Desk) -> None:
    """A stop that the venue will not take freezes the VA."""
    order = submits(send(desk, signal("e")))[0]
    order_sent(desk, order.client_order_id)
    (stop,) = submits(trade(desk, order.client_order_id, "10"))
    order_sent(desk, stop.client_order_id)
    report(desk, stop.client_order_id, ReportWord.REJECTED, reason=Reason.VENUE_REJECTED)


def unknown(desk: Desk) -> None:
    """An entry was sent, and nothing was heard of it."""
    (order,) = submits(send(desk, signal("e")))
    order_sent(desk, order.client_order_id)
    pass_time(desk, 5 * SECOND_NS)


def cooling(desk: Desk) -> None:
    for number in range(3):
        round_trip(desk, f"loss {number}")


@pytest.mark.parametrize(
    ("bring", "reason", "value"),
    [
        (killed, Reason.KILLED, "halt"),
        (paused_all, Reason.PAUSED, "paused"),
        (paused_va, Reason.PAUSED, "paused"),
        (frozen, Reason.FROZEN, "STOP_REJECTED"),
        (unknown, Reason.UNKNOWN_ORDER, "1"),
        (cooling, Reason.COOLDOWN, "300"),
    ],
)
def test_an_entry_is_refused_by_how_its_va_stands(bring: Any, reason: Reason, value: str) -> None:
    desk = ready_desk()
    bring(desk)
    decision = decide(desk, signal("a"))
    assert (decision.reason, decision.value) == (reason, value)
    assert check(decision, Reason.BELOW_MINIMUM).passed, "everything else is measured too"


@pytest.mark.parametrize("bring", [killed, paused_all, paused_va, frozen, cooling])
def test_working_entries_are_cancelled_when_their_va_may_not_enter_any_more(bring: Any) -> None:
    desk = ready_desk(accounts=(VA,))
    enter(desk, signal("held"))
    (working,) = submits(send(desk, signal("working")))
    order_sent(desk, working.client_order_id)
    bring(desk)
    assert desk.books.orders[working.client_order_id].is_cancel_pending


def test_a_pause_of_one_va_leaves_the_others_alone() -> None:
    desk = ready_desk(accounts=(VA, "VA002"))
    paused_va(desk)
    assert decide(desk, signal("a")).reason is Reason.PAUSED
    assert decide(desk, signal("b", va_id="VA002")).reason is None
    tell(desk, Resumed(VA, "ann", "back"))
    assert decide(desk, signal("c")).reason is None


# -- slots and size --------------------------------------------------------------------------------


def test_f67_of_ten_signals_at_once_three_slots_admit_three() -> None:
    desk = limited(max_open_positions=3)
    decisions = [decide(desk, signal(f"s{number}")) for number in range(10)]
    assert [one.outcome for one in decisions] == [Outcome.ACCEPTED] * 3 + [Outcome.REFUSED] * 7
    assert refusal(decisions[3]) == (Reason.MAX_OPEN_POSITIONS, "4", "3")


def test_i11_a_slot_is_held_from_admission_to_the_end_and_never_twice() -> None:
    desk = limited(max_open_positions=1)
    (order,) = submits(send(desk, signal("a")))
    order_sent(desk, order.client_order_id)
    assert decide(desk, signal("b")).reason is Reason.MAX_OPEN_POSITIONS
    acknowledge(desk, trade(desk, order.client_order_id, "4"))
    found = decide(desk, signal("c"))
    assert refusal(found) == (Reason.MAX_OPEN_POSITIONS, "2", "1"), "filled in part: one slot"
    report(desk, order.client_order_id, ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    assert decide(desk, signal("d")).reason is Reason.MAX_OPEN_POSITIONS
    stop_out(desk, desk.books.positions[order.position_id], "98")
    assert decide(desk, signal("e")).reason is None


def test_a_slot_is_free_again_when_an_entry_fills_nothing() -> None:
    desk = limited(max_open_positions=1)
    (order,) = submits(send(desk, signal("a")))
    order_sent(desk, order.client_order_id)
    report(desk, order.client_order_id, ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    assert decide(desk, signal("b")).reason is None
    assert account(desk).exposure == Decimal("1000.60")


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param("1000.61", ACCEPTED, id="below"),
        pytest.param("1000.60", ACCEPTED, id="equal passes"),
        pytest.param("1000.59", (Reason.MAX_POSITION_SIZE, "1000.60", "1000.59"), id="above"),
    ],
)
def test_rule_18_notional_is_quantity_times_the_limit_price(limit: str, expected: Any) -> None:
    assert refusal(decide(limited(max_position_size=Decimal(limit)), signal("a"))) == expected


def test_rule_18_working_orders_count_and_fills_keep_the_limit_price() -> None:
    desk = limited(max_position_size=Decimal("2001.20"))
    (order,) = submits(send(desk, signal("a")))
    assert decide(desk, signal("b", quantity="11")).value == "2101.26", "10 work, 11 come"
    order_sent(desk, order.client_order_id)
    acknowledge(desk, trade(desk, order.client_order_id, "4", price="99"))
    assert decide(desk, signal("c", quantity="11")).value == "2101.26", "4 held, 6 work"
    acknowledge(desk, report(desk, order.client_order_id, ReportWord.CANCELED))
    assert decide(desk, signal("d", quantity="17")).value == "2101.26", "4 held"
    assert refusal(decide(desk, signal("e", quantity="16"))) == ACCEPTED


@pytest.mark.parametrize(
    ("balance", "leverage", "expected"),
    [
        pytest.param("1000.60", "1", ACCEPTED, id="equal passes"),
        pytest.param(
            "1000.59", "1", (Reason.INSUFFICIENT_EQUITY, "1000.60", "1000.59"), id="above"
        ),
        pytest.param("500.30", "2", ACCEPTED, id="leverage, equal"),
        pytest.param(
            "500.29", "2", (Reason.INSUFFICIENT_EQUITY, "1000.60", "1000.58"), id="leverage, above"
        ),
    ],
)
def test_rule_18_notional_after_the_entry_is_within_equity_times_leverage(
    balance: str, leverage: str, expected: Any
) -> None:
    desk = limited(balance, max_leverage=Decimal(leverage))
    assert refusal(decide(desk, signal("a"))) == expected


def test_rule_17_equity_counts_what_is_held_at_the_touch_it_would_close_against() -> None:
    desk = limited("2100")
    enter(desk, signal("a"))
    fallen = quote(desk.now_ns, bid="89.99", ask="90.00")
    # 1100 of cash, and 10 at the bid: 1999.90. Asked: 1000.60 held and 11 at 90.04, 990.44.
    assert refusal(decide(desk, signal("b", quantity="11"), quote=fallen)) == ACCEPTED
    assert decide(desk, signal("c"), quote=fallen).limit == "1999.90"


def test_rule_11_equity_that_cannot_be_computed_refuses() -> None:
    desk = limited()
    enter(desk, signal("a"))
    decision = decide(desk, signal("b"), mark=None)
    assert refusal(decision) == (Reason.INSUFFICIENT_EQUITY, None, None)


def test_limits_of_one_va_replace_the_general_ones() -> None:
    own = {VA: limits(max_open_positions=1)}
    desk = ready_desk(policy(limits_by_va=own), (VA, "VA002"))
    reasons = [
        decide(desk, signal(f"{va_id}{number}", va_id=va_id)).reason
        for va_id in (VA, "VA002")
        for number in range(2)
    ]
    assert reasons == [None, Reason.MAX_OPEN_POSITIONS, None, None]


# -- throttles -------------------------------------------------------------------------------------


def test_rule_17_trades_per_day_are_accepted_entries_since_midnight() -> None:
    desk = limited(max_trades_per_day=2)
    decide(desk, signal("refused", quantity="0.1"))
    assert [decide(desk, signal(str(number))).reason for number in range(2)] == [None, None]
    assert refusal(decide(desk, signal("c"))) == (Reason.MAX_TRADES_PER_DAY, "3", "2")
    assert decide(desk, signal("out", "sell")).reason is Reason.OPPOSING_EXPOSURE
    tomorrow_ns = MIDNIGHT_NS + DAY_NS
    assert decide(desk, signal("d"), day_start_ns=tomorrow_ns).reason is None
    assert account(desk).day_entries == 1


@pytest.mark.parametrize(
    ("after_ns", "reason"),
    [
        pytest.param(0, Reason.MAX_ORDERS_PER_MINUTE, id="at once"),
        pytest.param(60 * SECOND_NS - 1, Reason.MAX_ORDERS_PER_MINUTE, id="just inside"),
        pytest.param(60 * SECOND_NS, None, id="a minute after the first"),
    ],
)
def test_i12_orders_per_minute_slide_with_time(after_ns: int, reason: Reason | None) -> None:
    desk = limited(max_orders_per_minute=2)
    assert decide(desk, signal("a")).reason is None
    assert decide(desk, signal("b"), SECOND_NS).reason is None
    decision = decide(desk, signal("c"), after_ns - SECOND_NS if after_ns else 0)
    assert decision.reason is reason
    assert check(decision, Reason.MAX_ORDERS_PER_MINUTE).value == ("2" if reason is None else "3")


def test_rule_18_orders_per_minute_over_all_accounts() -> None:
    rules = policy(limits(max_orders_per_minute=3), global_max_orders_per_minute=4)
    desk = ready_desk(rules, (VA, "VA002"))
    for number in range(2):
        assert decide(desk, signal(f"a{number}")).reason is None
        assert decide(desk, signal(f"b{number}", va_id="VA002")).reason is None
    decision = decide(desk, signal("c"))
    assert refusal(decision) == (Reason.MAX_ORDERS_PER_MINUTE, "5", "4")
    own, total = [one for one in decision.checks if one.rule is Reason.MAX_ORDERS_PER_MINUTE]
    assert (own.passed, own.value, total.note) == (True, "3", "over all accounts")


def test_limits_that_are_off_are_not_measured() -> None:
    measured = {one.rule for one in decide(ready_desk(), signal("a")).checks}
    off = {
        Reason.MAX_DAILY_LOSS,
        Reason.MAX_DRAWDOWN,
        Reason.MAX_TRADES_PER_DAY,
        Reason.MAX_ORDERS_PER_MINUTE,
    }
    assert not measured & off


def test_an_account_opened_later_begins_with_its_own_money() -> None:
    desk = limited(max_daily_loss=Decimal(1))
    tell(desk, AccountOpened("VA009", Decimal(5000)))
    decision = decide(desk, signal("a", va_id="VA009"))
    assert decision.reason is None
    assert check(decision, Reason.MAX_DAILY_LOSS).value == "0"
