"""The kill switch: latched, never weakened, pressed by the machine only after readings that
agree."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.accounts import Incident, KillState, KillSwitch, TradingState
from pointsman.domain.events import (
    AccountOpened,
    CashMoved,
    Compared,
    Killed,
    Paused,
    Rearmed,
    ReportWord,
    Resumed,
    TaskDied,
)
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.execution.desk import Desk
from pointsman.execution.kill_switch import LIMIT_READINGS, NAKED_READINGS
from tests.desk_stories import (
    DAY_NS,
    MIDNIGHT_NS,
    SECOND_NS,
    VA,
    account,
    acknowledge,
    cancels,
    decide,
    enter,
    incidents,
    marked,
    of_type,
    order_sent,
    policy,
    quote,
    ready_desk,
    report,
    round_trip,
    send,
    signal,
    submits,
    tell,
    trade,
)

HALT, FLATTEN = Killed(False, "ann", "enough"), Killed(True, "ann", "enough")


def state(desk: Desk) -> KillState:
    return desk.books.kill_switch.state


def in_flight() -> tuple[Desk, str]:
    """VA001 holds a position behind its stop, and works a further entry."""
    desk = ready_desk()
    enter(desk, signal("held"))
    (entry,) = submits(send(desk, signal("working")))
    order_sent(desk, entry.client_order_id)
    return desk, entry.client_order_id


# -- pressed by a person ---------------------------------------------------------------------------


def test_rule_19_halt_cancels_entries_and_leaves_positions_behind_their_stops() -> None:
    desk, entry = in_flight()
    step = tell(desk, HALT)
    assert incidents(step) == [Reason.KILL_PRESSED]
    assert (cancels(step), submits(step)) == ([entry], [])
    assert desk.books.kill_switch.trading_state is TradingState.HALTED
    assert desk.books.kill_switch.changed_by == "ann"


def test_rule_19_after_halt_an_entry_fill_that_still_arrives_is_booked_and_gets_its_stop() -> None:
    desk, entry = in_flight()
    tell(desk, HALT)
    (stop,) = submits(trade(desk, entry, "10"))
    assert (stop.role, stop.quantity) == (Role.STOP, Decimal(10))


def test_rule_19_after_flatten_an_entry_fill_that_still_arrives_is_closed() -> None:
    desk, entry = in_flight()
    pressed = tell(desk, FLATTEN)
    assert (cancels(pressed), submits(pressed)) == (["ABCDEF1S1", entry], [])
    (first,) = submits(report(desk, "ABCDEF1S1", ReportWord.CANCELED))
    assert (first.role, first.position_id, first.exit_reason) == (Role.EXIT, 1, Reason.FLATTEN)
    late = submits(trade(desk, entry, "10"))
    assert [(order.role, order.position_id, order.quantity) for order in late] == [
        (Role.EXIT, 2, Decimal(10))
    ]


@pytest.mark.parametrize(
    ("presses", "expected"),
    [
        ([HALT], KillState.HALT),
        ([HALT, FLATTEN], KillState.FLATTEN),
        ([FLATTEN, HALT], KillState.FLATTEN),
    ],
)
def test_rule_19_a_flatten_is_never_weakened_to_a_halt(
    presses: list[Killed], expected: KillState
) -> None:
    desk = ready_desk()
    for press in presses:
        tell(desk, press)
    assert state(desk) is expected


@pytest.mark.parametrize("press", [HALT, FLATTEN])
def test_pressing_again_changes_nothing(press: Killed) -> None:
    desk, _ = in_flight()
    tell(desk, press)
    again = tell(desk, press)
    assert (again.changes, again.commands) == ((), ())


# -- flat, when it is true (I16) -------------------------------------------------------------------


def compared(desk: Desk, *, is_complete: bool = True, after_ns: int = SECOND_NS) -> bool:
    """Whether a comparison made the desk say that it is flat."""
    taken_ns = desk.now_ns + after_ns
    step = tell(desk, Compared(is_complete, taken_ns, 0, ""), after_ns)
    return any(switch.flat_at_ns == taken_ns for switch in of_type(step.changes, KillSwitch))


def test_i16_flat_is_said_only_when_nothing_is_held_nothing_can_fill_and_the_venue_agrees() -> None:
    desk = ready_desk()
    enter(desk, signal("a"))
    (leaving,) = submits(tell(desk, FLATTEN))
    assert not compared(desk), "the exit is under way"
    order_sent(desk, leaving.client_order_id)
    (stop,) = cancels(trade(desk, leaving.client_order_id, "10"))
    assert not compared(desk), "its stop may still fill"
    report(desk, stop, ReportWord.CANCELED)
    assert not compared(desk, is_complete=False), "a failed answer proves nothing"
    assert compared(desk)
    assert not compared(desk), "said once"


def test_i16_what_was_overfilled_is_not_flat() -> None:
    desk = ready_desk()
    position = enter(desk, signal("a"))
    (leaving,) = submits(tell(desk, FLATTEN))
    order_sent(desk, leaving.client_order_id)
    (stop,) = desk.books.orders_of(position.position_id, Role.STOP)
    trade(desk, leaving.client_order_id, "10")
    trade(desk, stop.client_order_id, "10")
    assert [one.state for one in desk.books.positions.values()] == [PositionState.OVERFILLED]
    assert not desk.books.orders
    assert not compared(desk)


def test_a_halt_is_not_said_to_be_flat() -> None:
    desk = ready_desk()
    tell(desk, HALT)
    assert not compared(desk)


# -- released by a person --------------------------------------------------------------------------


def test_rule_19_rearm_releases_the_latch_and_says_who() -> None:
    desk = ready_desk()
    tell(desk, FLATTEN)
    assert decide(desk, signal("a")).reason is Reason.KILLED
    step = tell(desk, Rearmed("bob", "looked at it"))
    assert incidents(step) == [Reason.KILL_RELEASED]
    assert (state(desk), desk.books.kill_switch.changed_by) == (KillState.OFF, "bob")
    assert decide(desk, signal("b")).reason is None


def test_rule_19_rearm_fails_while_the_settings_say_killed() -> None:
    desk = ready_desk(policy(kill_switch_enabled=True))
    assert state(desk) is KillState.HALT
    step = tell(desk, Rearmed("bob", "trying"))
    assert (step.changes, state(desk)) == ((), KillState.HALT)


def test_rearm_of_what_is_not_killed_changes_nothing() -> None:
    assert tell(ready_desk(), Rearmed("bob", "nothing")).changes == ()


# -- pressed by the machine ------------------------------------------------------------------------


def worth(desk: Desk, bid: str) -> list[Reason]:
    """A second passes with what is held worth `bid` each."""
    ask = str(Decimal(bid) + Decimal("0.01"))
    now = quote(desk.now_ns + SECOND_NS, bid=bid, ask=ask)
    return incidents(marked(desk, now, after_ns=SECOND_NS))


def two_vas(**changes: Any) -> Desk:
    """VA001 of 1000 holds 9 bought at 100; VA002 of 1000 holds nothing."""
    desk = ready_desk(policy(**changes), (VA, "VA002"), "1000")
    enter(desk, signal("a", quantity="9"))
    return desk


@pytest.mark.parametrize(
    ("changes", "at_limit", "beyond"),
    [
        pytest.param(
            {"global_max_drawdown_percentage": Decimal("4.5")}, "90", "89.99", id="drawdown"
        ),
        pytest.param({"global_max_daily_loss": Decimal(90)}, "90", "89.99", id="daily loss"),
    ],
)
def test_rule_19_a_global_limit_trips_after_several_readings_in_a_row(
    changes: dict[str, Any], at_limit: str, beyond: str
) -> None:
    desk = two_vas(**changes)
    assert [worth(desk, at_limit) for _ in range(5)] == [[]] * 5, "equal passes"
    for _ in range(LIMIT_READINGS - 1):
        assert worth(desk, beyond) == []
    assert worth(desk, at_limit) == [], "one good reading begins again"
    told = [worth(desk, beyond) for _ in range(LIMIT_READINGS)]
    assert told == [[], [], [Reason.KILL_PRESSED]]
    assert state(desk) is KillState.HALT
    assert next(iter(changes)).upper() in desk.books.kill_switch.note


def test_rule_17_only_the_sum_over_vas_may_trip_the_kill_switch() -> None:
    desk = ready_desk(
        policy(limits_by_va={}, global_max_drawdown_percentage=Decimal(5)), (VA, "VA002"), "1000"
    )
    enter(desk, signal("a", quantity="9"))
    for _ in range(5):
        worth(desk, "90")
    assert account(desk).max_drawdown == Decimal("0.09"), "9 % of one is 4.5 % of both"
    assert state(desk) is KillState.OFF


def test_rule_17_the_first_loss_counts_from_the_money_that_was_put_in() -> None:
    """The peak of all VAs is not what is left after the first entry was sampled."""
    desk = ready_desk(policy(global_max_drawdown_percentage=Decimal(5)), balance="1100")
    round_trip(desk, "a", "94")
    enter(desk, signal("b", quantity="9"))
    told = [worth(desk, "100") for _ in range(LIMIT_READINGS)]
    assert told[-1] == [Reason.KILL_PRESSED]


def test_rule_17_a_loss_before_the_first_second_of_a_day_is_a_loss_of_that_day() -> None:
    desk = ready_desk(policy(global_max_daily_loss=Decimal(50)), balance="1100")
    round_trip(desk, "a", "94")
    enter(desk, signal("b", quantity="9"))
    assert [worth(desk, "100") for _ in range(LIMIT_READINGS)][-1] == [Reason.KILL_PRESSED]


def test_rule_17_yesterdays_loss_does_not_trip_today() -> None:
    desk = two_vas(global_max_daily_loss=Decimal(50))
    for _ in range(LIMIT_READINGS - 1):
        assert worth(desk, "90") == []
    low = quote(desk.now_ns + DAY_NS, bid="90", ask="90.01")
    today = marked(desk, low, after_ns=DAY_NS, day_start_ns=MIDNIGHT_NS + DAY_NS)
    assert incidents(today) == []
    assert state(desk) is KillState.OFF


@pytest.mark.parametrize(
    "changes",
    [
        {"global_max_drawdown_percentage": Decimal("4.48")},
        {"global_max_daily_loss": Decimal(89)},
    ],
)
@pytest.mark.parametrize("how", ["an account is opened", "money is moved in"])
def test_rule_17_money_that_comes_in_hides_no_loss_of_the_day(
    how: str, changes: dict[str, Any]
) -> None:
    desk = two_vas(**changes)
    worth(desk, "100")
    if how == "money is moved in":
        tell(desk, CashMoved("VA002", Decimal(1), "ref", MIDNIGHT_NS))
    else:
        tell(desk, AccountOpened("VA003", Decimal(1)))
    told = [worth(desk, "90") for _ in range(LIMIT_READINGS)]
    assert told[-1] == [Reason.KILL_PRESSED]


def test_rule_19_after_rearm_the_machine_can_press_again() -> None:
    desk = two_vas(global_max_drawdown_percentage=Decimal("4.4"))
    for _ in range(LIMIT_READINGS):
        worth(desk, "90")
    tell(desk, Rearmed("bob", "looked at it"))
    assert [worth(desk, "90") for _ in range(LIMIT_READINGS)] == [[]] * LIMIT_READINGS, (
        "measured from here"
    )
    told = [worth(desk, "80") for _ in range(LIMIT_READINGS)]
    assert told[-1] == [Reason.KILL_PRESSED]


def test_rule_19_one_bad_quote_is_one_reading_however_long_it_stays_the_newest() -> None:
    desk = two_vas(global_max_daily_loss=Decimal(50))
    bad = quote(desk.now_ns + SECOND_NS, bid="10", ask="10.01")
    for _ in range(9):
        assert incidents(marked(desk, bad, after_ns=SECOND_NS)) == []
    assert worth(desk, "100") == []
    assert desk.books.desk.breach_readings == 0


def test_rule_19_a_reading_is_fresh_only_with_newer_quotes_of_all_that_is_held() -> None:
    """YYY is quoted each second; the bad quote of XXX, which stays the newest, is one reading."""
    desk = two_vas(global_max_daily_loss=Decimal(50))
    enter(desk, signal("b", quantity="1", va_id="VA002", symbol="YYY"))

    def passes(ts_ns: int) -> list[Reason]:
        bad, other = quote(ts_ns, bid="10", ask="10.01"), quote(desk.now_ns, symbol="YYY")
        return incidents(marked(desk, bad, other, after_ns=SECOND_NS))

    stands_ns = desk.now_ns
    assert [passes(stands_ns) for _ in range(9)] == [[]] * 9
    assert desk.books.desk.breach_readings == 1
    told = [passes(desk.now_ns) for _ in range(LIMIT_READINGS - 1)]
    assert told[-1] == [Reason.KILL_PRESSED], "with newer quotes of both it is"


def test_rule_19_a_quote_that_has_stood_for_long_counts_as_the_market() -> None:
    desk = two_vas(global_max_daily_loss=Decimal(50))
    halted = quote(desk.now_ns + SECOND_NS, bid="10", ask="10.01")
    told = [incidents(marked(desk, halted, after_ns=SECOND_NS)) for _ in range(14)]
    assert told[:12] == [[]] * 12
    assert told[12:] == [[Reason.KILL_PRESSED], []]


def test_rule_19_a_position_that_stays_naked_trips_after_several_readings() -> None:
    desk = ready_desk(policy(kill_on_naked_ns=SECOND_NS))
    (entry,) = submits(send(desk, signal("a")))
    order_sent(desk, entry.client_order_id)
    step = trade(desk, entry.client_order_id, "10")
    assert [worth(desk, "100") for _ in range(NAKED_READINGS)] == [[]] * NAKED_READINGS
    assert worth(desk, "100") == [Reason.KILL_PRESSED]
    acknowledge(desk, step)
    tell(desk, Rearmed("bob", "covered"))
    assert [worth(desk, "100") for _ in range(9)] == [[]] * 9


def test_rule_19_a_position_covered_in_time_trips_nothing() -> None:
    desk = ready_desk(policy(kill_on_naked_ns=SECOND_NS))
    enter(desk, signal("a"))
    assert [worth(desk, "100") for _ in range(9)] == [[]] * 9


def test_rule_19_comparisons_that_keep_differing_trip() -> None:
    desk = ready_desk(policy(kill_on_mismatch_cycles=3))
    counts = [1, 1, 0, 2, 1]
    for count in counts:
        assert incidents(tell(desk, Compared(True, desk.now_ns, count, ""), SECOND_NS)) == []
    assert incidents(tell(desk, Compared(False, desk.now_ns, 5, ""), SECOND_NS)) == []
    told = incidents(tell(desk, Compared(True, desk.now_ns, 1, ""), SECOND_NS))
    assert told == [Reason.KILL_PRESSED]


def test_a_limit_that_was_lowered_below_what_is_counted_already_trips() -> None:
    desk = ready_desk(policy(kill_on_mismatch_cycles=9))
    for _ in range(4):
        tell(desk, Compared(True, desk.now_ns, 1, ""), SECOND_NS)
    desk.books.policy = policy(kill_on_mismatch_cycles=3)
    told = incidents(tell(desk, Compared(True, desk.now_ns, 1, ""), SECOND_NS))
    assert told == [Reason.KILL_PRESSED]


def test_limits_that_are_off_trip_nothing() -> None:
    desk = two_vas()
    for _ in range(5):
        worth(desk, "1")
        tell(desk, Compared(True, desk.now_ns, 9, ""), SECOND_NS)
    assert state(desk) is KillState.OFF


def test_a_part_of_the_engine_that_died_is_an_incident() -> None:
    step = tell(ready_desk(), TaskDied("http", "LookupError: no such thing"))
    (incident,) = of_type(step.changes, Incident)
    assert (incident.kind, incident.value) == (Reason.TASK_DIED, "http")
    assert incident.detail == "http: LookupError: no such thing"


def test_while_killed_it_is_told_who_killed_and_why_whoever_pauses_besides() -> None:
    desk = ready_desk()
    tell(desk, Killed(False, "http", "runaway"), after_ns=5)
    tell(desk, Paused(None, "ann", "lunch"), after_ns=7)
    switch = desk.books.kill_switch
    assert (switch.is_paused, switch.changed_by, switch.note) == (True, "http", "runaway")
    assert switch.changed_at_ns == desk.now_ns - 7
    tell(desk, Rearmed("bob", "mended"))
    tell(desk, Resumed(None, "ann", "back"))
    switch = desk.books.kill_switch
    assert (switch.is_paused, switch.changed_by, switch.note) == (False, "ann", "back")
