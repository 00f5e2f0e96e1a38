"""Live rows: what is taken, and what is told of the rest."""

import pytest

from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market import live_rows
from pointsman.market.live_rows import LiveRows
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS


class Door:
    """A door for rows whose clock is moved by hand."""

    def __init__(self, newest: dict[str, int] | None = None, held: str = "") -> None:
        self.now_ns = START_NS
        self.skipped = SkippedRows()
        self.rows = LiveRows(lambda: self.now_ns, self.skipped, newest, lambda name: name == held)

    def takes(self, after_ns: int, stamp_ns: int | None = None, symbol: str = "XXX") -> bool:
        """Whether a row is taken that comes so much later, stamped then unless told otherwise."""
        self.now_ns += after_ns
        stamp_ns = self.now_ns if stamp_ns is None else stamp_ns
        return not self.rows.take(told.quote(stamp_ns, symbol=symbol))


def test_rule_60_a_row_more_than_a_minute_ahead_is_bad_and_the_next_ones_are_taken() -> None:
    door = Door()
    assert door.takes(0)
    assert not door.takes(SECOND_NS, START_NS + 62 * SECOND_NS)
    assert door.takes(SECOND_NS)


@pytest.mark.parametrize("ahead_s", [2, 59])
def test_rule_60_a_stamp_ahead_of_the_clock_makes_no_true_stamp_late(ahead_s: int) -> None:
    door = Door()
    assert door.takes(0, START_NS + ahead_s * SECOND_NS)
    assert door.takes(100 * MILLISECOND_NS)
    assert not door.takes(0, START_NS - 1)


def test_the_rows_of_a_sender_that_is_ahead_keep_their_order() -> None:
    door = Door()
    assert door.takes(0, START_NS + 30 * SECOND_NS)
    assert not door.takes(SECOND_NS, START_NS + 29 * SECOND_NS)
    assert door.takes(0, START_NS + 31 * SECOND_NS)


def test_rule_60_symbols_hear_nothing_of_each_other() -> None:
    door = Door()
    assert door.takes(0, START_NS + 5)
    assert door.takes(0, START_NS, "YYY")
    assert not door.takes(0, START_NS, "XXX")


def test_stamps_of_an_earlier_session_count_but_none_that_a_clock_put_back_leaves_ahead() -> None:
    door = Door({"XXX": START_NS - SECOND_NS, "YYY": START_NS + 3600 * SECOND_NS})
    assert not door.takes(0, START_NS - 2 * SECOND_NS)
    assert door.takes(0, START_NS - SECOND_NS)
    assert door.takes(0, START_NS, "YYY")


def test_the_symbols_are_bounded_and_one_that_is_held_is_always_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_rows, "SYMBOLS_MAX", 3)
    door = Door(held="HELD")
    assert [door.takes(0, symbol=name) for name in "ABCDE"] == [True, True, True, False, False]
    assert door.takes(0, symbol="A")
    assert door.takes(0, symbol="HELD")
    assert "3 symbols are known" in door.rows.problem(told.quote(START_NS, symbol="D"), START_NS)


def test_rule_60_a_symbol_whose_rows_are_skipped_for_10_s_is_told_until_one_is_taken() -> None:
    skipped = SkippedRows()
    for second in range(11):
        now_ns = START_NS + second * SECOND_NS
        assert skipped.why(now_ns) == ""
        skipped.skip("XXX", now_ns, "too old")
        skipped.take("YYY")
    assert skipped.why(now_ns) == "every row of XXX has been skipped for 10 s: too old"
    assert skipped.why(now_ns + 61 * SECOND_NS) == ""
    skipped.take("XXX")
    assert skipped.why(now_ns) == ""


def test_the_first_rows_that_were_skipped_are_told_once() -> None:
    skipped = SkippedRows()
    for number in range(100):
        skipped.skip("XXX", START_NS + number, str(number))
    assert list(skipped.take_news()) == [f"XXX: {number}" for number in range(20)]
    skipped.skip("XXX", START_NS, "more")
    assert not list(skipped.take_news())
