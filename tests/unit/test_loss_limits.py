"""What losses teach: cooldown, daily loss, drawdown."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.events import (
    CashMoved,
    Compared,
    FlattenRequested,
    Killed,
    ReportWord,
    Resumed,
    Started,
)
from pointsman.domain.market import Quote
from pointsman.domain.orders import Role
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
    cancels,
    check,
    decide,
    enter,
    incidents,
    limited,
    limits,
    marked,
    of_type,
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

COOLDOWN_NS = 300 * SECOND_NS


def cool_down(desk: Desk) -> None:
    """Lose three times in a row."""
    for number in range(3):
        round_trip(desk, f"loss {number}")


# -- cooldown --------------------------------------------------------------------------------------


def test_rule_16_third_loss_in_a_row_starts_a_cooldown() -> None:
    desk = ready_desk()
    told = [incidents(round_trip(desk, f"loss {number}")) for number in range(3)]
    assert told == [[], [], [Reason.COOLDOWN_STARTED]]
    assert account(desk).cooldown_until_ns == desk.now_ns + COOLDOWN_NS


@pytest.mark.parametrize(
    ("after_ns", "reason"),
    [
        pytest.param(0, Reason.COOLDOWN, id="at its start"),
        pytest.param(COOLDOWN_NS - 1, Reason.COOLDOWN, id="at its last nanosecond"),
        pytest.param(COOLDOWN_NS, None, id="at its end it is over"),
    ],
)
@pytest.mark.parametrize("is_timer_fired", [True, False])
def test_rule_16_a_cooldown_is_from_its_loss_to_just_before_its_end(
    after_ns: int, reason: Reason | None, is_timer_fired: bool
) -> None:
    desk = ready_desk()
    cool_down(desk)
    if is_timer_fired:
        pass_time(desk, after_ns)
        after_ns = 0
    assert decide(desk, signal("a"), after_ns).reason is reason


def test_rule_16_the_streak_is_zero_at_the_end_of_a_cooldown() -> None:
    for is_timer_fired in (True, False):
        desk = ready_desk()
        cool_down(desk)
        if is_timer_fired:
            pass_time(desk, COOLDOWN_NS)
            assert account(desk).loss_streak == 0
            assert account(desk).cooldown_until_ns is None
        first = enter_after(desk, "a", 0 if is_timer_fired else COOLDOWN_NS)
        assert incidents(first) == []
        assert incidents(round_trip(desk, "b")) == []
        assert incidents(round_trip(desk, "c")) == [Reason.COOLDOWN_STARTED]


def enter_after(desk: Desk, signal_id: str, after_ns: int) -> Any:
    """A losing round trip that begins `after_ns` from now, without firing any wake-up."""
    order_sent(desk, "of nobody", after_ns)
    return round_trip(desk, signal_id)


def test_rule_16_losses_inside_a_cooldown_neither_extend_it_nor_count() -> None:
    desk = ready_desk()
    positions = [enter(desk, signal(f"s{number}")) for number in range(5)]
    told = [incidents(stop_out(desk, one, "98", SECOND_NS)) for one in positions]
    assert told == [[], [], [Reason.COOLDOWN_STARTED], [], []]
    until_ns = desk.now_ns - 2 * SECOND_NS + COOLDOWN_NS
    assert (account(desk).cooldown_until_ns, account(desk).loss_streak) == (until_ns, 3)
    assert (account(desk).losses, account(desk).trades) == (5, 5), "they are losses all the same"


def test_rule_16_a_loss_at_the_very_end_of_a_cooldown_starts_the_next_one() -> None:
    """Reports come before wake-ups at one instant (RULES 2): the late wake-up must not end it."""
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    first, second = enter(desk, signal("a")), enter(desk, signal("b"))
    stop_out(desk, first, "98")
    told = incidents(stop_out(desk, second, "98", COOLDOWN_NS))
    assert told == [Reason.COOLDOWN_STARTED]
    pass_time(desk, 0)
    assert decide(desk, signal("c"), COOLDOWN_NS - 1).reason is Reason.COOLDOWN
    assert decide(desk, signal("d"), 1).reason is None


def test_rule_16_a_win_inside_a_cooldown_does_not_end_it() -> None:
    desk = ready_desk()
    positions = [enter(desk, signal(f"s{number}")) for number in range(4)]
    for one in positions[:3]:
        stop_out(desk, one, "98")
    stop_out(desk, positions[3], "110")
    assert decide(desk, signal("a")).reason is Reason.COOLDOWN
    assert account(desk).wins == 1


@pytest.mark.parametrize(
    ("prices", "starts"),
    [
        pytest.param("99 99 99", True, id="three losses"),
        pytest.param("99 99 101 99 99", False, id="a win between begins again"),
        pytest.param("99 100 99 100 99", True, id="break-even leaves the streak alone"),
        pytest.param("100 100 100", False, id="break-even is no loss"),
        pytest.param("101 101 101", False, id="wins"),
    ],
)
def test_rule_16_what_counts_as_a_loss_in_a_row(prices: str, starts: bool) -> None:
    desk = ready_desk()
    for number, price in enumerate(prices.split()):
        round_trip(desk, f"s{number}", price)
    now = account(desk)
    assert now.is_cooling(desk.now_ns) is starts
    assert now.losses == prices.split().count("99")
    assert now.wins == prices.split().count("101")


def test_rule_16_fees_make_a_break_even_a_loss() -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    position = enter(desk, signal("a"), fee="0.01")
    assert incidents(stop_out(desk, position, "100")) == [Reason.COOLDOWN_STARTED]


def test_rule_15_a_position_closed_in_parts_is_one_loss_or_win_by_its_whole_result() -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    position = enter(desk, signal("a"))
    (part,) = submits(send(desk, signal("b", "close", "5")))
    acknowledge(desk, trade(desk, part.client_order_id, "5", "103"))
    assert account(desk).trades == 0, "a partial exit is no trade"
    order_sent(desk, part.client_order_id)
    for stop in list(desk.books.orders_of(position.position_id, Role.STOP)):
        trade(desk, stop.client_order_id, "5", "98")
    assert (account(desk).trades, account(desk).wins, account(desk).losses) == (1, 1, 0)
    assert account(desk).cooldown_until_ns is None


@pytest.mark.parametrize("way", ["signal", "flatten", "kill"])
def test_rule_16_every_way_of_closing_counts(way: str) -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    enter(desk, signal("a"))
    if way == "signal":
        step = send(desk, signal("b", "close", None))
    elif way == "flatten":
        step = tell(desk, FlattenRequested(VA, "ann", "enough"))
    else:
        step = tell(desk, Killed(True, "ann", "enough"))
    (leaving,) = submits(step)
    assert incidents(trade(desk, leaving.client_order_id, "10", "99")) == [Reason.COOLDOWN_STARTED]


def test_rule_16_a_max_loss_cooldown_of_zero_switches_it_off() -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=0)))
    for number in range(5):
        assert incidents(round_trip(desk, f"s{number}")) == []
    assert decide(desk, signal("a")).reason is None


def test_rule_16_entries_working_when_a_cooldown_starts_are_cancelled() -> None:
    desk = ready_desk(policy(limits(max_loss_cooldown=1)))
    held = enter(desk, signal("held"))
    (working,) = submits(send(desk, signal("working")))
    order_sent(desk, working.client_order_id)
    assert working.client_order_id in cancels(stop_out(desk, held, "98"))


def test_rule_16_exits_pass_in_a_cooldown() -> None:
    desk = ready_desk()
    held = [enter(desk, signal(f"s{number}")) for number in range(4)]
    for one in held[:3]:
        stop_out(desk, one, "98")
    assert decide(desk, signal("out", "close", None)).outcome is Outcome.ACCEPTED


# -- daily loss ------------------------------------------------------------------------------------


def daily(limit: str = "100") -> Desk:
    return limited(max_daily_loss=Decimal(limit), max_loss_cooldown=0)


@pytest.mark.parametrize(
    ("fee", "told", "expected"),
    [
        pytest.param("0", [], ACCEPTED, id="a loss equal to the limit passes"),
        pytest.param(
            "0.01",
            [Reason.DAILY_LOSS_STOP],
            (Reason.MAX_DAILY_LOSS, "100.01", "100"),
            id="a cent more stops",
        ),
    ],
)
def test_rule_17_the_daily_loss_is_an_amount(fee: str, told: list[Reason], expected: Any) -> None:
    desk = daily()
    step = stop_out(desk, enter(desk, signal("a")), "90", fee=fee)
    assert incidents(step) == told
    assert refusal(decide(desk, signal("b"))) == expected


def test_rule_17_an_open_loss_counts_against_the_day() -> None:
    desk = daily()
    enter(desk, signal("a"))
    assert incidents(marked(desk, quote(desk.now_ns, bid="90", ask="90.01"))) == []
    fallen = quote(desk.now_ns, bid="89.99", ask="90")
    assert refusal(decide(desk, signal("b"), quote=fallen))[:2] == (Reason.MAX_DAILY_LOSS, "100.10")
    step = marked(desk, fallen)
    assert incidents(step) == [Reason.DAILY_LOSS_STOP]
    (told,) = of_type(step.changes, Incident)
    assert (told.value, told.limit) == ("100.10", "100"), "RULES 64"
    assert incidents(marked(desk, fallen)) == [], "told once"


def test_rule_17_money_moved_is_neither_loss_nor_gain_of_the_day() -> None:
    desk = daily()
    round_trip(desk, "a", "95")
    tell(desk, CashMoved(VA, Decimal(-1000), "out", MIDNIGHT_NS))
    assert check(decide(desk, signal("b")), Reason.MAX_DAILY_LOSS).value == "50"
    tell(desk, CashMoved(VA, Decimal(5000), "in", MIDNIGHT_NS))
    assert check(decide(desk, signal("c")), Reason.MAX_DAILY_LOSS).value == "50"


def test_rule_17_a_daily_loss_stop_holds_over_midnight_until_resumed() -> None:
    desk = daily()
    stop_out(desk, enter(desk, signal("a")), "80")
    tomorrow_ns = MIDNIGHT_NS + DAY_NS
    held = decide(desk, signal("b"), DAY_NS, day_start_ns=tomorrow_ns, window=None)
    assert refusal(held) == (Reason.MAX_DAILY_LOSS, "0", "100")
    assert check(held, Reason.MAX_DAILY_LOSS).note == "stopped until resumed"
    tell(desk, Resumed(VA, "ann", "looked at it"))
    resumed = decide(desk, signal("c"), day_start_ns=tomorrow_ns, window=None)
    assert check(resumed, Reason.MAX_DAILY_LOSS).passed


def test_rule_17_resume_does_not_make_the_loss_of_the_day_forgotten() -> None:
    desk = daily()
    stop_out(desk, enter(desk, signal("a")), "80")
    tell(desk, Resumed(VA, "ann", "too early"))
    assert refusal(decide(desk, signal("b"))) == (Reason.MAX_DAILY_LOSS, "200", "100")


def test_rule_17_the_day_begins_when_equity_is_known() -> None:
    """A new day whose first second has no quote of what is held must not be measured from a stale
    equity."""
    desk = daily()
    enter(desk, signal("a"))
    marked(desk, quote(desk.now_ns, bid="120", ask="120.01"))
    tomorrow_ns = MIDNIGHT_NS + DAY_NS
    marked(desk, after_ns=DAY_NS, day_start_ns=tomorrow_ns)
    assert account(desk).day_start_ns == MIDNIGHT_NS
    low = quote(desk.now_ns, bid="95", ask="95.01")
    assert incidents(marked(desk, low, day_start_ns=tomorrow_ns)) == []
    assert account(desk).day_start_ns == tomorrow_ns
    assert account(desk).day_start_equity == 99_950


# -- drawdown --------------------------------------------------------------------------------------


def drawn(bid: str) -> tuple[Desk, Quote]:
    """A VA of 1001 that bought 10 at 100.1, with a drawdown limit of 10 %, marked at `bid`."""
    desk = limited("1001", max_drawdown_percentage=Decimal(10), max_leverage=Decimal(5))
    enter(desk, signal("a"), price="100.1")
    now = quote(desk.now_ns, bid=bid, ask=str(Decimal(bid) + Decimal("0.01")))
    marked(desk, now)
    return desk, now


@pytest.mark.parametrize(
    ("bid", "stopped_by", "value"),
    [
        pytest.param("90.10", None, "9.9900099900", id="below"),
        pytest.param("90.09", None, "10.0000000000", id="equal passes"),
        pytest.param("90.0899999999999", Reason.MAX_DRAWDOWN, "10.0000000000", id="a hair above"),
        pytest.param("80.08", Reason.MAX_DRAWDOWN, "20.0000000000", id="above"),
    ],
)
def test_rule_17_drawdown_is_how_far_equity_is_below_its_peak(
    bid: str, stopped_by: Reason | None, value: str
) -> None:
    desk, now = drawn(bid)
    assert account(desk).stopped_by is stopped_by
    decision = decide(desk, signal("b"), quote=now)
    assert check(decision, Reason.MAX_DRAWDOWN).value == value
    assert decision.reason is stopped_by


def test_rule_17_a_drawdown_stop_outlives_recovery_and_resume_restarts_the_peak() -> None:
    desk, _ = drawn("80.08")
    high = quote(desk.now_ns, bid="100.10", ask="100.11")
    marked(desk, high)
    assert decide(desk, signal("b"), quote=high).reason is Reason.MAX_DRAWDOWN
    half = quote(desk.now_ns, bid="95.10", ask="95.11")
    tell(desk, Resumed(VA, "ann", "looked at it"))
    marked(desk, half)
    assert account(desk).peak_equity == 951
    assert decide(desk, signal("c"), quote=half).reason is None
    assert account(desk).max_drawdown == Decimal("0.2"), "what was reached stays in the report"


def test_rule_17_resume_of_a_flat_va_restarts_the_peak_at_its_cash() -> None:
    desk, now = drawn("80.08")
    (position,) = desk.books.open_positions(VA)
    stop_out(desk, position, "85")
    tell(desk, Resumed(VA, "ann", "looked at it"))
    assert account(desk).peak_equity == account(desk).cash == 850
    assert check(decide(desk, signal("c"), quote=now), Reason.MAX_DRAWDOWN).value == "0.0000000000"


@pytest.mark.parametrize(("amount", "peak"), [("901", "2002"), ("-450.5", "500.5")])
def test_rule_17_money_moved_buys_or_sells_units_at_the_present_value(
    amount: str, peak: str
) -> None:
    desk, now = drawn("90.10")
    before = check(decide(desk, signal("b"), quote=now), Reason.MAX_DRAWDOWN)
    mark = quote(desk.now_ns, bid="90.10", ask="90.11")
    tell(desk, CashMoved(VA, Decimal(amount), "ref", MIDNIGHT_NS, mark))
    assert account(desk).peak_equity == Decimal(peak)
    after = check(decide(desk, signal("c"), quote=now), Reason.MAX_DRAWDOWN)
    assert after.value == before.value == "9.9900099900"


def test_rule_17_money_into_an_empty_va_begins_its_peak_again() -> None:
    desk = limited("1000", max_drawdown_percentage=Decimal(10))
    for amount in ("-1000", "500"):
        tell(desk, CashMoved(VA, Decimal(amount), f"ref {amount}", MIDNIGHT_NS))
    assert account(desk).peak_equity == account(desk).cash == 500


def test_a_stop_outlives_the_limit_that_it_came_from() -> None:
    """A limit that is switched off at a restart does not let a stopped VA enter, only to have its
    entry withdrawn in the same breath."""
    desk, now = drawn("80.08")
    off = policy(limits(max_leverage=Decimal(5)))
    tell(desk, Started("test", "ABCDEF", off, ()))
    tell(desk, Compared(True, desk.now_ns, 0, ""))
    for order in list(desk.books.orders.values()):
        report(desk, order.client_order_id, ReportWord.ACCEPTED)
    decision = decide(desk, signal("b"), quote=now)
    assert decision.reason is Reason.MAX_DRAWDOWN
    assert decision.limit is None
