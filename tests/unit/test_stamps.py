"""Stamps: each symbol has its own order in time, and no stamp far ahead rules other rows."""

from collections.abc import Iterable

import pytest

from pointsman.domain.market import Quote
from pointsman.market.stamps import DAY_NS, ROWS_AROUND, in_time_order
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS

FAR_NS = 36 * 365 * DAY_NS


def used(rows: Iterable[tuple[int, str]]) -> tuple[list[int], list[int]]:
    """The numbers of the rows that are used, in the order in which they are, and of those that are
    not. A row is its stamp from START_NS, and its symbol."""
    quotes = [told.quote(START_NS + ts_ns, symbol=symbol) for ts_ns, symbol in rows]
    numbers = {id(quote): number for number, quote in enumerate(quotes)}
    bad: list[int] = []
    written = ((number, quote, "") for number, quote in enumerate(quotes))
    given: list[Quote] = list(in_time_order(written, lambda row, _remedy: bad.append(row[0])))
    assert [quote.ts_ns for quote in given] == sorted(quote.ts_ns for quote in given)
    return [numbers[id(quote)] for quote in given], bad


def seconds(*rows: float) -> list[tuple[int, str]]:
    return [(int(second * SECOND_NS), "XXX") for second in rows]


@pytest.mark.parametrize("place", [0, 1, 4])
@pytest.mark.parametrize("ahead_ns", [DAY_NS + SECOND_NS * 20, FAR_NS])
def test_rule_60_a_row_far_ahead_is_bad_and_the_rows_after_it_are_used(
    place: int, ahead_ns: int
) -> None:
    rows = seconds(0, 1, 2, 3, 4, 5)
    rows.insert(place, (ahead_ns, "XXX"))
    others = [number for number in range(7) if number != place]
    assert used(rows) == (others, [place])


def test_rule_60_several_rows_far_ahead_are_bad() -> None:
    rows = seconds(*range(40))
    rows[7:7] = [(FAR_NS, "XXX"), (FAR_NS + 1, "YYY"), (FAR_NS, "XXX")]
    assert used(rows)[1] == [7, 8, 9]


def test_rule_60_after_a_weekend_the_first_and_even_a_single_row_is_used() -> None:
    monday = 3 * DAY_NS
    assert used([*seconds(0, 1), (monday, "XXX"), (monday + 1, "XXX")]) == ([0, 1, 2, 3], [])
    assert used([*seconds(0, 1), (monday, "XXX")]) == ([0, 1, 2], [])
    assert used([*seconds(0, 1), (FAR_NS, "XXX")]) == ([0, 1], [2])


def test_rule_60_each_symbol_has_its_own_order_and_late_rows_are_put_where_they_belong() -> None:
    rows = [(0, "XXX"), (2, "XXX"), (1, "YYY"), (1, "XXX"), (2, "YYY"), (2, "XXX")]
    assert used(rows) == ([0, 2, 1, 4, 5], [3])


def test_a_row_that_belongs_far_above_in_its_file_is_bad() -> None:
    rows = [(number, "XXX") for number in range(ROWS_AROUND + 9)]
    assert used([*rows, (3, "YYY")])[1] == [len(rows)]
    assert used([*rows, (20, "YYY")])[1] == []


def test_rows_of_every_day_or_month_are_no_rows_far_ahead() -> None:
    rows = [(30 * number * DAY_NS, "XXX") for number in range(2 * ROWS_AROUND)]
    assert used(rows)[1] == []
