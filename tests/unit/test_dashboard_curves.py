"""A curve covers all of its time in a bounded number of points, and is drawn as it was heard."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dashboard.curves import (
    POINTS_MAX,
    TOTAL,
    Curve,
    Curves,
    Point,
    plot,
    sampled,
    sparkline,
)
from pointsman.dashboard.sampling import sample
from tests.dashboard_pictures import NOW_NS, SECOND_NS, busy_picture


def curve_of(*values: int) -> Curve:
    return tuple(Point(at, Decimal(value)) for at, value in enumerate(values))


def test_a_long_curve_keeps_its_beginning_and_its_newest_points() -> None:
    curves = Curves()
    for at in range(5 * POINTS_MAX):
        curves.add("x", Point(at, Decimal(at)))
        curves.add("x", Point(at, Decimal(-1)))  # not newer
    kept = curves.of("x")
    assert len(kept) <= POINTS_MAX
    assert (kept[0].at_ns, kept[-1].at_ns) == (0, 5 * POINTS_MAX - 1)
    assert [each.value for each in kept] == [Decimal(each.at_ns) for each in kept]


def test_what_was_before_is_put_in_front_and_nothing_twice() -> None:
    curves = Curves()
    curves.add("x", Point(10, Decimal(5)))
    older = [Point(at, Decimal(at)) for at in range(15)]
    curves.begin("x", older)
    assert [each.at_ns for each in curves.of("x")] == [*range(10), 10]
    assert curves.of("x")[-1].value == 5
    curves.begin("x", older)
    assert len(curves.of("x")) == 11
    curves.begin("y", [Point(at, Decimal(at)) for at in range(10 * POINTS_MAX)])
    assert len(curves.of("y")) <= POINTS_MAX // 2


@pytest.mark.parametrize(
    ("curve", "width", "values"),
    [
        (curve_of(), 5, []),
        (curve_of(7), 5, [7]),
        (curve_of(1, 2, 3), 4, [1, 2, 2, 3]),
        (curve_of(1, 2, 3, 4, 5), 2, [3, 5]),
        ((*curve_of(1, 2), Point(100, Decimal(9))), 3, [2, 2, 9]),
    ],
)
def test_a_curve_is_sampled_evenly_over_its_time(
    curve: Curve, width: int, values: list[int]
) -> None:
    assert sampled(curve, width) == values


def test_bars_go_from_the_least_to_the_greatest_and_level_ones_stand_half_high() -> None:
    assert sparkline([Decimal(value) for value in range(8)]) == "▁▂▃▄▅▆▇█"
    assert sparkline([Decimal(5)] * 3) == "▄▄▄"
    assert plot([Decimal(1), Decimal(2)], 2) == [" █", "▁█"]
    assert plot([], 2) == ["", ""]


@given(st.lists(st.decimals(-9, 9, places=2), min_size=1, max_size=30), st.integers(1, 6))
def test_each_value_has_a_bar_and_the_higher_one_the_higher_bar(
    values: list[Decimal], height: int
) -> None:
    lines = plot(values, height)
    assert [len(line) for line in lines] == [len(values)] * height
    heights = [sum(" ▁▂▃▄▅▆▇█".index(line[at]) for line in lines) for at in range(len(values))]
    assert all(each > 0 for each in heights)
    assert all(
        one <= other
        for low, one in zip(values, heights, strict=True)
        for high, other in zip(values, heights, strict=True)
        if low <= high
    )


def test_each_second_equity_and_prices_get_a_point() -> None:
    curves, shown = Curves(), busy_picture()
    sample(curves, shown, 10.0)
    sample(curves, shown | {"now_ns": NOW_NS + 1}, 10.9)
    sample(curves, shown | {"now_ns": NOW_NS + SECOND_NS}, 11.0)
    assert [each.at_ns for each in curves.of(TOTAL)] == [NOW_NS, NOW_NS + SECOND_NS]
    assert curves.of(TOTAL)[0].value == Decimal("299881.28")
    assert curves.of("VA002")[0].value == Decimal("99713.08")
    assert curves.of("price of BTC/USDT")[0].value == Decimal("42990.5")
    assert curves.of("price of DOGE/USDT") == ()
