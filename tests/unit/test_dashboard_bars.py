"""A bar says what its number says: how much of a limit, and where a price is on its way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dashboard.bars import EMPTY, FULL, Marks, bar, meter, tone_of, way
from pointsman.dashboard.theme import ALARM, GOOD, LOSS, WAIT


@pytest.mark.parametrize(
    ("used", "limit", "words"),
    [
        ("0", "500", "──────   0%"),
        ("-20", "500", "──────   0%"),
        ("1", "500", "━─────   0%"),
        ("250", "500", "━━━───  50%"),
        ("499.99", "500", "━━━━━─  99%"),
        ("500", "500", "━━━━━━ 100%"),
        ("900", "500", "━━━━━━ 180%"),
        ("1", "0", "━━━━━━ 100%"),
        ("1", None, "no limit"),
    ],
)
def test_a_meter_says_how_much_of_a_limit_is_used(used: str, limit: str | None, words: str) -> None:
    assert meter(Decimal(used), None if limit is None else Decimal(limit)).plain == words


@pytest.mark.parametrize(("part", "tone"), [("0.74", GOOD), ("0.75", WAIT), ("1", ALARM)])
def test_a_meter_warns_before_its_limit(part: str, tone: str) -> None:
    assert tone_of(Decimal(part)) == tone


@given(st.decimals(-2, 3, places=3), st.integers(1, 40))
def test_a_bar_has_its_width_and_only_all_of_it_is_full(part: Decimal, width: int) -> None:
    drawn = bar(part, width, GOOD).plain
    assert len(drawn) == width
    assert (EMPTY not in drawn) is (part >= 1 or (width == 1 and part > 0))
    assert (FULL in drawn) is (part > 0)


def marks(stop: str, entry: str, now: str | None, target: str | None = None) -> Marks:
    def price(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    return Marks(Decimal(stop), Decimal(entry), price(now), price(target))


@pytest.mark.parametrize(
    ("side", "prices", "words"),
    [
        ("long", marks("98", "100", "101"), "S──────E━━●────"),
        ("long", marks("98", "100", "99"), "S───●━━E───────"),
        ("short", marks("102", "100", "101"), "S───●━━E───────"),
        ("short", marks("102", "100", "99"), "S──────E━━●────"),
        ("long", marks("98", "100", "97"), "●━━━━━━E───────"),
        ("long", marks("98", "100", "150"), "S──────E━━━━━━●"),
        ("long", marks("98", "100", "100"), "S──────●───────"),
        ("long", marks("98", "100", "101", "104"), "S────E━●──────T"),
        ("long", marks("101", "100", "102", "104"), "E━━━S━━●──────T"),
        ("long", marks("98", "100", None), "no price"),
        ("long", marks("100", "100", "101"), ""),
    ],
)
def test_the_way_of_a_price_has_gain_on_the_right_for_both_sides(
    side: str, prices: Marks, words: str
) -> None:
    assert way(side, prices).plain == words


@pytest.mark.parametrize(("now", "tone"), [("101", GOOD), ("99", LOSS)])
def test_its_colour_says_the_side_of_the_entry_again(now: str, tone: str) -> None:
    assert tone in {str(span.style) for span in way("long", marks("98", "100", now)).spans}
