"""What is remembered of this run alone."""

from pointsman.domain.market import Quote
from pointsman.domain.money import ONE
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.this_run import ThisRun

FIVE, SEVEN = (Timer(ns, TimerKind.COOLDOWN_END, "VA001", 0) for ns in (5, 7))


def test_wake_ups_come_in_the_order_in_which_they_are_due() -> None:
    run = ThisRun()
    run.wake(SEVEN)
    run.wake(FIVE)
    assert run.next_timer() == FIVE
    assert [run.pop_timer(), run.pop_timer()] == [FIVE, SEVEN]
    assert run.next_timer() is None


def test_a_wake_up_that_is_armed_twice_in_one_moment_comes_once() -> None:
    """An entry whose acceptance and cancel fall into the moment of its sending."""
    run = ThisRun()
    twice, other = (Timer(5, TimerKind.COOLDOWN_END, va_id, 0) for va_id in ("VA001", "VA002"))
    for timer in (twice, other, twice):
        run.wake(timer)
    assert [run.pop_timer(), run.pop_timer()] == [twice, other]
    assert run.next_timer() is None


def test_the_latest_trade_of_a_symbol_counts_in_whatever_order_they_are_reported() -> None:
    run = ThisRun()
    for ts_ns in (5, 9, 7):
        run.note_trade_time("AAPL", ts_ns)
    assert run.traded_at_ns == {"AAPL": 9}


def test_a_start_inherits_the_open_orders_and_forgets_the_marks_of_a_breach() -> None:
    run = ThisRun()
    run.note_breach_marks((Quote("AAPL", 3, ONE, ONE, ONE, ONE),))
    assert run.breach_marks == {"AAPL": 3}
    run.begin({"ABCDEF1S1": None}, 42)
    assert (run.started_at_ns, run.inherited) == (42, {"ABCDEF1S1"})
    assert run.breach_marks == {}


def test_an_order_is_asked_about_until_it_is_forgotten() -> None:
    run = ThisRun()
    run.note_asked("ABCDEF1S1", 6)
    assert run.asked_at_ns == {"ABCDEF1S1": 6}
    run.forget_asked("ABCDEF1S1")
    run.forget_asked("ABCDEF1S1")
    assert run.asked_at_ns == {}
