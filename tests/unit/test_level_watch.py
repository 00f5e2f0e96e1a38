"""The level watch: who is reached by a quote, against a model that looks at every position."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pointsman.domain.events import Level
from pointsman.domain.market import Quote
from pointsman.domain.sides import PositionSide
from pointsman.execution.level_watch import LevelWatch

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
STOP, TARGET = Level.STOP, Level.TAKE_PROFIT


def quote(bid: str | Decimal, ask: str | Decimal, symbol: str = "AAPL") -> Quote:
    return Quote(symbol, 1, Decimal(bid), Decimal(100), Decimal(ask), Decimal(100))


def watching(side: PositionSide, stop: str | None, take_profit: str | None) -> LevelWatch:
    watch = LevelWatch()
    watch.set(
        7,
        "AAPL",
        side,
        None if stop is None else Decimal(stop),
        None if take_profit is None else Decimal(take_profit),
    )
    return watch


@pytest.mark.parametrize(
    ("side", "stop", "take_profit", "bid", "ask", "level"),
    [
        (LONG, "98", "104", "98.01", "98.02", None),
        (LONG, "98", "104", "98.00", "98.02", STOP),
        (LONG, "98", "104", "90.00", "98.02", STOP),
        (LONG, "98", "104", "103.99", "104.50", None),
        (LONG, "98", "104", "104.00", "104.50", TARGET),
        (LONG, "98", None, "999", "1000", None),
        (LONG, None, "104", "1", "2", None),
        (SHORT, "102", "96", "101.50", "101.99", None),
        (SHORT, "102", "96", "101.50", "102.00", STOP),
        (SHORT, "102", "96", "101.50", "110.00", STOP),
        (SHORT, "102", "96", "95.00", "96.01", None),
        (SHORT, "102", "96", "95.00", "96.00", TARGET),
        (SHORT, "102", None, "1", "2", None),
        (SHORT, None, "96", "999", "1000", None),
    ],
)
def test_a_long_is_judged_on_the_bid_and_a_short_on_the_ask(
    side: PositionSide,
    stop: str | None,
    take_profit: str | None,
    bid: str,
    ask: str,
    level: Level | None,
) -> None:
    watch = watching(side, stop, take_profit)
    assert watch.on_quote(quote(bid, ask)) == ([] if level is None else [(7, level)])


def test_rule_4_a_wide_but_valid_quote_does_trigger() -> None:
    assert watching(LONG, "98", None).on_quote(quote("1", "1000")) == [(7, STOP)]


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        ("0", "97"),
        ("-5", "97"),
        ("97", "96"),
        ("NaN", "97"),
        ("97", "NaN"),
        ("-Infinity", "97"),
        ("97", "Infinity"),
        ("97", "0"),
    ],
)
@pytest.mark.parametrize("side", [LONG, SHORT])
def test_rule_4_an_invalid_quote_reaches_nothing_and_spends_nothing(
    side: PositionSide, bid: str, ask: str
) -> None:
    watch = watching(side, "98", "97.5")
    assert watch.on_quote(quote(bid, ask)) == []
    assert watch.on_quote(quote("97.6", "98")) == [(7, STOP)]


def test_an_invalid_size_makes_a_quote_reach_nothing() -> None:
    watch = watching(LONG, "98", None)
    nan = Decimal("NaN")
    assert watch.on_quote(Quote("AAPL", 1, Decimal(97), nan, Decimal(98), Decimal(1))) == []


@pytest.mark.parametrize(("side", "stop", "target"), [(LONG, "98", "97"), (SHORT, "97", "98")])
def test_rule_24_if_one_quote_reaches_both_levels_the_stop_wins(
    side: PositionSide, stop: str, target: str
) -> None:
    watch = watching(side, stop, target)
    assert watch.on_quote(quote("97.5", "97.5")) == [(7, STOP)]
    assert watch.on_quote(quote("97.5", "97.5")) == []


def test_a_level_is_reported_once_until_it_is_set_again() -> None:
    watch = watching(LONG, "98", "104")
    through = quote("97", "98")
    assert watch.on_quote(through) == [(7, STOP)]
    assert watch.on_quote(through) == []
    assert watch.on_quote(quote("104", "105")) == [(7, TARGET)]
    watch.set(7, "AAPL", LONG, Decimal(98), None)
    assert watch.on_quote(through) == [(7, STOP)]


def test_a_replaced_or_dropped_level_is_never_reported() -> None:
    watch = watching(LONG, "98", "104")
    watch.set(7, "AAPL", LONG, Decimal(95), None)
    assert watch.on_quote(quote("97", "98")) == []
    assert watch.on_quote(quote("104", "105")) == []
    watch.drop(7)
    watch.drop(7)
    assert watch.on_quote(quote("1", "2")) == []


def test_a_replaced_level_behind_the_nearest_is_not_reported_when_it_becomes_the_first() -> None:
    watch = watching(LONG, "98", None)
    watch.set(8, "AAPL", LONG, Decimal(99), None)
    watch.set(7, "AAPL", LONG, Decimal(90), None)
    watch.drop(8)
    assert watch.on_quote(quote("95", "96")) == []
    assert watch.on_quote(quote("90", "91")) == [(7, STOP)]


def test_a_position_may_change_its_symbol_and_side() -> None:
    watch = watching(LONG, "98", "104")
    watch.set(7, "MSFT", SHORT, Decimal(50), None)
    assert watch.on_quote(quote("1", "2")) == []
    assert watch.on_quote(quote("49", "50", "MSFT")) == [(7, STOP)]


def test_positions_are_reported_in_the_order_of_their_ids() -> None:
    watch = LevelWatch()
    for position_id in (5, 3, 9, 1):
        watch.set(position_id, "AAPL", LONG, Decimal(90 + position_id), None)
        watch.set(position_id + 100, "AAPL", SHORT, None, Decimal(100 + position_id))
    reached = watch.on_quote(quote("50", "60"))
    assert reached == [(n, STOP) for n in (1, 3, 5, 9)] + [
        (n, TARGET) for n in (101, 103, 105, 109)
    ]


# --- what it costs --------------------------------------------------------------------------------


class CountedDecimal(Decimal):
    """A Decimal that counts how often one is compared."""

    comparisons = 0

    def __lt__(self, other: Any) -> bool:
        CountedDecimal.comparisons += 1
        return super().__lt__(other)

    def __le__(self, other: Any) -> bool:
        CountedDecimal.comparisons += 1
        return super().__le__(other)

    def __gt__(self, other: Any) -> bool:
        CountedDecimal.comparisons += 1
        return super().__gt__(other)

    def __ge__(self, other: Any) -> bool:
        CountedDecimal.comparisons += 1
        return super().__ge__(other)


@pytest.mark.parametrize("positions", [0, 1, 10_000])
def test_a_quote_that_crosses_nothing_costs_four_comparisons_however_much_is_held(
    positions: int,
) -> None:
    watch = LevelWatch()
    for number in range(positions):
        side = (LONG, SHORT)[number % 2]
        below, above = Decimal(90) - number % 50, Decimal(110) + number % 50
        stop, target = (below, above) if side is LONG else (above, below)
        watch.set(number, "AAPL", side, stop, target)
    CountedDecimal.comparisons = 0
    between = Quote("AAPL", 1, CountedDecimal(99), Decimal(1), CountedDecimal(101), Decimal(1))
    assert watch.on_quote(between) == []
    assert CountedDecimal.comparisons == (4 if positions else 0)


def test_heaps_stay_bounded_while_stops_trail() -> None:
    """A trailing stop replaces its level at every step; what it left behind must not pile up."""
    watch = LevelWatch()
    watch.set(0, "AAPL", LONG, Decimal(5_000), Decimal(20_000))
    for step in range(5_000):
        watch.set(1, "AAPL", LONG, Decimal(1_000) - Decimal(step) / 10, Decimal(20_001) + step)
    ladders = watch._levels["AAPL"]
    assert len(ladders.long_stops._heap) <= 2 * 2 + 16
    assert len(ladders.long_targets._heap) <= 2 * 2 + 16


# --- against a model ------------------------------------------------------------------------------

IDS = st.integers(0, 6)
SYMBOLS = st.sampled_from(["A", "B"])
PRICES = st.integers(1, 12).map(Decimal) | st.sampled_from([Decimal("5.0"), Decimal("5.5")])
ODD_PRICES = PRICES | st.sampled_from(
    [Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")]
)
LEVELS = st.none() | PRICES


class WatchAgainstModel(RuleBasedStateMachine):
    """The same calls to the watch and to a model that walks over every position."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = LevelWatch()
        self.held: dict[int, tuple[str, PositionSide, dict[Level, Decimal]]] = {}

    @rule(
        position_id=IDS,
        symbol=SYMBOLS,
        side=st.sampled_from(PositionSide),
        stop=LEVELS,
        take_profit=LEVELS,
    )
    def set(
        self,
        position_id: int,
        symbol: str,
        side: PositionSide,
        stop: Decimal | None,
        take_profit: Decimal | None,
    ) -> None:
        self.watch.set(position_id, symbol, side, stop, take_profit)
        levels = {STOP: stop, TARGET: take_profit}
        live = {level: price for level, price in levels.items() if price is not None}
        self.held[position_id] = (symbol, side, live)

    @rule(position_id=IDS)
    def drop(self, position_id: int) -> None:
        self.watch.drop(position_id)
        self.held.pop(position_id, None)

    @rule(symbol=SYMBOLS, bid=ODD_PRICES, ask=ODD_PRICES)
    def quote(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        row = quote(bid, ask, symbol)
        assert self.watch.on_quote(row) == self.reached(row)

    def reached(self, row: Quote) -> list[tuple[int, Level]]:
        reached = []
        for position_id, (symbol, side, live) in sorted(self.held.items()):
            if symbol != row.symbol or not row.is_valid:
                continue
            touch = row.closing_touch(side)
            hit = []
            if STOP in live and side.less_favourable(touch, live[STOP]):
                hit.append(STOP)
            if TARGET in live and side.opposite.less_favourable(touch, live[TARGET]):
                hit.append(TARGET)
            for level in hit:
                del live[level]
            if hit:
                reached.append((position_id, hit[0]))
        return reached

    @invariant()
    def the_nearest_levels_are_those_of_the_model(self) -> None:
        for symbol, levels in self.watch._levels.items():
            for side in PositionSide:
                for level, ladder in zip((STOP, TARGET), levels.of(side)[1:], strict=True):
                    is_below = (side is LONG) == (level is STOP)
                    prices = [
                        live[level]
                        for at, held_side, live in self.held.values()
                        if (at, held_side) == (symbol, side) and level in live
                    ]
                    far = Decimal("-Infinity" if is_below else "Infinity")
                    nearest = max(prices, default=far) if is_below else min(prices, default=far)
                    assert ladder.nearest == nearest

    @invariant()
    def heaps_are_bounded(self) -> None:
        for levels in self.watch._levels.values():
            for ladder in (*levels.of(LONG)[1:], *levels.of(SHORT)[1:]):
                assert len(ladder._heap) <= 2 * len(ladder._prices) + 16


WatchAgainstModel.TestCase.settings = settings(stateful_step_count=60)
TestWatchAgainstModel = WatchAgainstModel.TestCase


@given(st.lists(st.tuples(PRICES, st.sampled_from(PositionSide)), max_size=40), PRICES)
def test_one_sweep_reaches_exactly_those_at_or_through_their_stop(
    stops: list[tuple[Decimal, PositionSide]], price: Decimal
) -> None:
    watch = LevelWatch()
    for number, (stop, side) in enumerate(stops):
        watch.set(number, "AAPL", side, stop, None)
    through = [n for n, (stop, side) in enumerate(stops) if side.less_favourable(price, stop)]
    assert watch.on_quote(quote(price, price)) == [(number, STOP) for number in through]
