"""What one execution is to a holding and to cash, whatever its fee was taken from (I6)."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import VenueFill
from pointsman.domain.market import Instrument
from pointsman.domain.money import exact
from pointsman.domain.orders import Fill
from pointsman.domain.policy import default_instrument
from pointsman.domain.positions import PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.execution.fills import as_held
from tests.desk_stories import account, acknowledge, limits, policy, quote, send, signal, tell
from tests.order_stories import KeptDesk, fill_of, kept_desk

replace = msgspec.structs.replace
SPOT = "BTC/USDT"
CURRENCIES = [None, "USDT", "BTC", "BNB"]


def told(fee: str, currency: str | None) -> VenueFill:
    """An execution of 2 at 100."""
    return VenueFill("t1", Decimal(2), Decimal(100), Decimal(fee), 7, fee_currency=currency)


@pytest.mark.parametrize(
    ("symbol", "side", "currency", "held", "costs"),
    [
        (SPOT, Side.BUY, None, "2", "0.01"),
        (SPOT, Side.BUY, "USDT", "2", "0.01"),
        (SPOT, Side.BUY, "BTC", "1.99", "1"),
        (SPOT, Side.SELL, "BTC", "2.01", "1"),
        (SPOT, Side.BUY, "BNB", "2", "0"),
        ("BTC/USDT:USDT", Side.BUY, "USDT", "2", "0.01"),
        ("BTC/USD:BTC", Side.BUY, "BTC", "2", "0"),
        ("AAPL", Side.SELL, "USD", "2", "0.01"),
        ("AAPL", Side.SELL, "AAPL", "2", "0"),
    ],
)
def test_i6_what_is_held_and_what_a_fee_costs(
    symbol: str, side: Side, currency: str | None, held: str, costs: str
) -> None:
    booked = as_held(told("0.01", currency), side, default_instrument(symbol))
    assert (booked.quantity, booked.fee) == (Decimal(held), Decimal(costs))


def test_i6_a_rebate_in_the_coin_adds_to_what_is_held() -> None:
    booked = as_held(told("-0.01", "BTC"), Side.BUY, default_instrument(SPOT))
    assert (booked.quantity, booked.fee) == (Decimal("2.01"), Decimal(-1))


FEES = st.tuples(st.decimals("0", "0.01", places=6), st.sampled_from(CURRENCIES))
SLICES = st.lists(
    st.tuples(st.integers(1, 4), st.decimals("95", "105", places=2), FEES), min_size=1, max_size=3
)
ROOMY = policy(
    limits(max_position_size=Decimal(10**6)),
    instruments={
        SPOT: Instrument(SPOT, Decimal("0.01"), Decimal(1), Decimal(1), Decimal(0), "USDT")
    },
)

Slices = list[tuple[int, Decimal, tuple[Decimal, str | None]]]


def fill_in_slices(desk: KeptDesk, order_id: str, slices: Slices) -> None:
    for number, (quantity, price, (fee, currency)) in enumerate(slices):
        report = fill_of(desk, order_id, f"t{number}", str(quantity), str(price), fee=str(fee))
        assert report.fill is not None
        tell(desk, replace(report, fill=replace(report.fill, fee_currency=currency)))


@given(side=st.sampled_from(["buy", "sell"]), entries=SLICES, exits=SLICES)
def test_i6_cash_and_holding_follow_from_the_fills_as_the_venue_told_them(
    side: str, entries: Slices, exits: Slices
) -> None:
    """Whatever each fee was taken from; and the balance is what results add up to (RULES 14)."""
    desk = kept_desk(ROOMY)
    total = sum(quantity for quantity, _, _ in entries)
    fresh = quote(desk.now_ns, symbol=SPOT)
    acknowledge(desk, send(desk, signal("a", side, str(total), symbol=SPOT), quote=fresh))
    fill_in_slices(desk, "ABCDEF1E1", entries)
    send(desk, signal("b", "close", None, symbol=SPOT))
    fill_in_slices(desk, "ABCDEF1X1", exits if sum(one[0] for one in exits) < total else [])
    fills, va = desk.kept.all(Fill), account(desk)
    with exact():
        cash = holding = Decimal(0)
        for fill in fills:
            cash -= fill.side.sign * fill.quantity * fill.price
            holding += fill.side.sign * fill.quantity
            if fill.fee_currency is None:
                cash -= fill.fee
            elif fill.fee_currency == "BTC":
                holding -= fill.fee
        assert va.cash == 100_000 + cash
        held = sum((p.side.sign * p.quantity for p in desk.books.positions.values()), Decimal(0))
        assert held == holding
        to_date = sum((p.realized_to_date for p in desk.books.positions.values()), Decimal(0))
        assert va.realized == sum((one.pnl for one in desk.kept.all(Trade)), to_date)


def test_rule_21_a_sellers_fee_beyond_what_is_held_is_an_overfill_like_any_other() -> None:
    """The venue took more of the coin than the account had: booked, and a person must look."""
    desk = kept_desk(ROOMY)
    fresh = quote(desk.now_ns, symbol=SPOT)
    acknowledge(desk, send(desk, signal("a", "buy", "4", symbol=SPOT), quote=fresh))
    fill_in_slices(desk, "ABCDEF1E1", [(4, Decimal(100), (Decimal(0), None))])
    send(desk, signal("b", "close", None, symbol=SPOT))
    fill_in_slices(desk, "ABCDEF1X1", [(4, Decimal(100), (Decimal("0.004"), "BTC"))])
    (beyond,) = desk.books.positions.values()
    assert (beyond.state, beyond.quantity) == (PositionState.OVERFILLED, Decimal("0.004"))
    assert account(desk).cash == 100_000
    assert account(desk).frozen_for is Reason.OVERFILL
