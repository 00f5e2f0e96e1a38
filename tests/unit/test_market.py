"""Quotes and instruments: what may be traded on, at which price, in which size."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Instrument, InstrumentSteps, Quote, letters_of
from pointsman.domain.money import BPS
from pointsman.domain.sides import PositionSide, Side


def quote(bid: str, ask: str, bid_size: str = "1", ask_size: str = "1") -> Quote:
    return Quote("XXX", 0, Decimal(bid), Decimal(bid_size), Decimal(ask), Decimal(ask_size))


@pytest.mark.parametrize(
    ("prices", "is_valid"),
    [
        pytest.param(("99", "101"), True, id="usual"),
        pytest.param(("1", "1000000"), True, id="wide"),
        pytest.param(("100", "100"), True, id="locked"),
        pytest.param(("99", "101", "0", "0"), True, id="nothing displayed"),
        pytest.param(("101", "99"), False, id="crossed"),
        pytest.param(("0", "101"), False, id="no bid"),
        pytest.param(("99", "0"), False, id="no ask"),
        pytest.param(("-1", "101"), False, id="negative"),
        pytest.param(("NaN", "101"), False, id="bid not a number"),
        pytest.param(("99", "NaN"), False, id="ask not a number"),
        pytest.param(("99", "sNaN"), False, id="signalling"),
        pytest.param(("99", "Infinity"), False, id="infinite"),
        pytest.param(("-Infinity", "101"), False, id="infinite below"),
        pytest.param(("99", "101", "-1", "1"), False, id="negative bid size"),
        pytest.param(("99", "101", "1", "-1"), False, id="negative ask size"),
        pytest.param(("99", "101", "NaN", "1"), False, id="bid size not a number"),
        pytest.param(("99", "101", "1", "Infinity"), False, id="infinite ask size"),
    ],
)
def test_rule_4_when_a_quote_is_valid(prices: tuple[str, ...], is_valid: bool) -> None:
    assert quote(*prices).is_valid is is_valid


@pytest.mark.parametrize(
    ("bid", "ask", "mid", "spread"),
    [("99.95", "100.05", "100", "10"), ("100", "100", "100", "0"), ("1", "3", "2", "10000")],
)
def test_mid_and_spread(bid: str, ask: str, mid: str, spread: str) -> None:
    assert quote(bid, ask).mid == Decimal(mid)
    assert quote(bid, ask).spread_bps == Decimal(spread)


prices = st.decimals("0.01", "100000", places=2)


@given(prices, prices)
def test_the_spread_is_that_of_the_mid(one: Decimal, other: Decimal) -> None:
    seen = quote(str(min(one, other)), str(max(one, other)))
    assert abs(seen.spread_bps - (seen.ask - seen.bid) / seen.mid * BPS) < Decimal("1e-15")


def test_rule_7_a_buy_trades_against_the_ask_and_a_sell_against_the_bid() -> None:
    seen = quote("99", "101")
    assert [seen.touch(side) for side in (Side.BUY, Side.SELL)] == [101, 99]
    assert [seen.closing_touch(side) for side in PositionSide] == [99, 101]


@pytest.mark.parametrize(
    ("quantity", "price", "is_tradeable"),
    [("10", "10", True), ("9", "100", False), ("10", "9.99", False), ("0", "100", False)],
)
def test_a_venue_takes_its_minimum_of_quantity_and_of_notional(
    quantity: str, price: str, is_tradeable: bool
) -> None:
    one = Decimal(1)
    instrument = Instrument("XXX", one, one, Decimal(10), Decimal(100), "USD")
    assert instrument.is_tradeable(Decimal(quantity), Decimal(price)) is is_tradeable


def test_nothing_is_never_tradeable() -> None:
    zero = Decimal(0)
    assert not Instrument("XXX", zero, zero, zero, zero, "USD").is_tradeable(zero, Decimal(1))


@given(
    quantity=st.integers(1, 10**6),
    largest=st.integers(1, 10**4),
    lot=st.sampled_from([Decimal("0.001"), Decimal("0.5"), Decimal(1), Decimal(100)]),
)
def test_rule_48_what_is_too_large_for_one_market_order_is_parts_as_even_as_lots_allow(
    quantity: int, largest: int, lot: Decimal
) -> None:
    instrument = Instrument(
        "XXX", lot, lot, lot, Decimal(0), "USD", max_market_quantity=largest * lot
    )
    parts = instrument.market_parts(quantity * lot)
    assert sum(parts) == quantity * lot
    assert max(parts) <= largest * lot
    assert max(parts) - min(parts) <= lot
    assert all(part % lot == 0 for part in parts)
    assert len(parts) == -(-quantity // largest)


DERIVED = Instrument(
    "EURUSD", Decimal("0.01"), Decimal(1), Decimal(1), Decimal(0), "USD", None, True, True
)


@pytest.mark.parametrize(
    ("given", "seen", "steps"),
    [
        ({}, ("0.00001", "1"), ("0.00001", "1")),
        ({}, ("0.1", "0.001"), ("0.01", "0.001")),
        ({}, ("0.01", "1"), None),
        ({}, ("0.1", "100"), None),
        ({"is_tick_derived": False}, ("0.00001", "0.1"), ("0.01", "0.1")),
        ({"is_lot_derived": False}, ("0.00001", "0.1"), ("0.00001", "1")),
        ({"is_tick_derived": False, "is_lot_derived": False}, ("0.00001", "0.1"), None),
    ],
)
def test_rule_59_what_is_derived_becomes_finer_and_what_was_given_stays(
    given: dict[str, bool], seen: tuple[str, str], steps: tuple[str, str] | None
) -> None:
    instrument = msgspec.structs.replace(DERIVED, **given)
    finer = instrument.finer_steps(*map(Decimal, seen))
    assert (finer is None) is (steps is None)
    if finer is not None and steps is not None:
        assert (finer.tick, finer.lot) == tuple(map(Decimal, steps))
        taken = instrument.with_steps(finer)
        assert (taken.tick, taken.lot, taken.min_qty) == (finer.tick, finer.lot, finer.lot)


def test_rule_59_a_least_quantity_that_was_given_stays_with_a_finer_lot() -> None:
    instrument = msgspec.structs.replace(DERIVED, min_qty=Decimal(5))
    taken = instrument.with_steps(InstrumentSteps("EURUSD", Decimal("0.001"), Decimal("0.5")))
    assert (taken.lot, taken.min_qty) == (Decimal("0.5"), Decimal(5))


@pytest.mark.parametrize(
    "spelling",
    [
        "BTCUSDT",
        "BTC/USDT",
        "btc-usdt",
        "BTC_USDT",
        "BTC/USDT:USDT",
        "BINANCE:BTCUSDT",
        "BTCUSDT.P",
    ],
)
def test_spellings_of_one_symbol_have_the_same_letters(spelling: str) -> None:
    assert letters_of(spelling) == "BTCUSDT"
