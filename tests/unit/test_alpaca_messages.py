"""What Alpaca's answers become: payloads of its documentation, and what nobody should believe."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import VenueOrder
from pointsman.venues.adapter import Incomplete
from pointsman.venues.alpaca import messages
from pointsman.venues.alpaca.messages import AccountRow, FeeRow, FillRow, OrderRow, PositionRow
from pointsman.venues.shapes import read_as

ORDER: dict[str, Any] = {
    "id": "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "client_order_id": "ABCDEF1S1",
    "created_at": "2026-03-16T18:38:01.942282Z",
    "updated_at": "2026-03-16T14:38:02.942282-04:00",
    "symbol": "AAPL",
    "asset_class": "us_equity",
    "qty": "15",
    "filled_qty": "0",
    "filled_avg_price": None,
    "type": "stop",
    "side": "sell",
    "time_in_force": "gtc",
    "limit_price": None,
    "stop_price": "106.00",
    "status": "accepted",
    "legs": None,
}
FILL: dict[str, Any] = {
    "activity_type": "FILL",
    "cum_qty": "3",
    "id": "20190524113406977::8efc7b9a-8b2b-4000-9955-d36e7db0df74",
    "leaves_qty": "0",
    "price": "1.63",
    "qty": "1",
    "side": "sell_short",
    "symbol": "LPCN",
    "transaction_time": "2019-05-24T15:34:06.977Z",
    "order_id": "904837e3-3b76-47ec-b432-046db621571b",
    "type": "fill",
}


def test_an_order_is_read_with_its_exact_numbers_and_time() -> None:
    order = messages.venue_order(read_as(OrderRow, ORDER))
    assert order is not None
    assert (order.quantity, order.trigger_price, order.side) == (15, Decimal("106.00"), Side.SELL)
    assert order.ts_ns == 1_773_686_282_942_282_000
    assert order.position_side is None


STATUSES = [
    ({"status": "new"}, OrderStatus.ACCEPTED, None),
    ({"status": "done_for_day"}, OrderStatus.ACCEPTED, None),
    ({"status": "pending_cancel", "filled_qty": "2"}, OrderStatus.PARTIALLY_FILLED, None),
    ({"status": "filled", "filled_qty": "15"}, OrderStatus.FILLED, None),
    ({"status": "canceled"}, OrderStatus.CANCELED, None),
    ({"status": "canceled", "time_in_force": "ioc"}, OrderStatus.CANCELED, Reason.NOT_FILLED),
    ({"status": "expired"}, OrderStatus.EXPIRED, None),
    ({"status": "rejected"}, OrderStatus.REJECTED, Reason.VENUE_REJECTED),
    ({"status": "replaced", "replaced_by": "2"}, OrderStatus.CANCELED, None),
    ({"status": "replaced", "replaced_by": None}, None, None),
    ({"status": "suspended"}, None, None),
    ({"status": "something_new"}, None, None),
]


@pytest.mark.parametrize(("changed", "status", "reason"), STATUSES)
def test_a_status_counts_as(
    changed: dict[str, str], status: OrderStatus | None, reason: Reason | None
) -> None:
    order = messages.venue_order(read_as(OrderRow, ORDER | changed))
    assert (order and order.status, order and order.end_reason) == (status, reason)


def test_an_order_for_an_amount_of_money_has_what_was_filled_as_its_quantity() -> None:
    row = read_as(OrderRow, ORDER | {"qty": None, "notional": "100", "filled_qty": "0.25"})
    order = messages.venue_order(row)
    assert order is not None
    assert order.quantity == Decimal("0.25")


LEGS = {"symbol": "", "side": None, "type": None, "order_class": "mleg"}


def test_an_order_of_several_legs_is_somebody_elses_and_passed_over() -> None:
    assert read_order(ORDER | LEGS | {"client_order_id": "by hand"}) is None
    with pytest.raises(Incomplete, match="side=''"):
        read_order(ORDER | LEGS)


def test_the_key_of_a_fill_is_its_order_and_what_is_filled_with_it() -> None:
    row = read_as(FillRow, FILL)
    trade = messages.trade_of(row, "ABCDEF1E1")
    assert trade.fill.trade_id == "904837e3-3b76-47ec-b432-046db621571b/3"
    assert (trade.side, trade.fill.fee, trade.fill.cumulative) == (Side.SELL, 0, 3)
    same = messages.fill_of(read_as(FillRow, FILL | {"cum_qty": "3.00", "id": "other"}))
    assert same.trade_id == trade.fill.trade_id


def read_order(row: dict[str, Any]) -> VenueOrder | None:
    return messages.venue_order(read_as(OrderRow, row))


def read_fill(row: dict[str, Any]) -> VenueFill:
    return messages.fill_of(read_as(FillRow, row))


FALSE = [
    ("order", {"id": None}, "id"),
    ("order", {"qty": "many"}, "qty"),
    ("order", {"filled_qty": "NaN"}, "filled_qty=NaN"),
    ("order", {"side": "hold"}, "side='hold'"),
    ("order", {"updated_at": "yesterday"}, "yesterday"),
    ("fill", {"cum_qty": None}, "cum_qty"),
    ("fill", {"qty": "0"}, "a fill of 0"),
    ("fill", {"qty": "4"}, "a fill of 4"),
    ("fill", {"price": "Infinity"}, "price=Infinity"),
]


@pytest.mark.parametrize(("what", "changed", "told"), FALSE)
def test_what_cannot_be_read_concludes_nothing_and_names_the_field(
    what: str, changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(Incomplete, match=told):
        read_order(ORDER | changed) if what == "order" else read_fill(FILL | changed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(ORDER)), JSON, max_size=4))
def test_an_order_with_any_other_value_is_read_or_said_to_be_unreadable(
    changed: dict[str, Any],
) -> None:
    try:
        order = read_order(ORDER | changed)
    except Incomplete:
        return
    assert order is None or order.quantity.is_finite()


POSITIONS = [
    ({"qty": "5", "side": "long"}, "5"),
    ({"qty": "-5", "side": "short"}, "-5"),
    ({"qty": "5", "side": "short"}, "-5"),
    ({"qty": "0.5"}, "0.5"),
]


@pytest.mark.parametrize(("row", "quantity"), POSITIONS)
def test_a_holding_has_the_sign_of_its_side(row: dict[str, str], quantity: str) -> None:
    held = messages.holding(read_as(PositionRow, {"symbol": "AAPL"} | row))
    assert held.quantity == Decimal(quantity)


def fee(day: str, amount: str = "-0.02", **more: Any) -> FeeRow:
    row = {"id": f"{day}::1", "date": day, "net_amount": amount, "description": "TAF fee"}
    return read_as(FeeRow, row | more)


def test_fees_of_a_day_and_later_are_charged_and_may_come_late() -> None:
    rows = [fee("2026-03-01"), fee("2026-03-02"), fee("2026-03-20", status="canceled")]
    (charge,) = messages.charges_since("2026-03-02", rows)
    assert (charge.charge_id, charge.amount) == ("2026-03-02::1", Decimal("-0.02"))
    assert messages.next_fees_day("2026-03-02", rows) == "2026-03-13"
    assert messages.next_fees_day("2026-03-18", rows) == "2026-03-18"
    assert messages.next_fees_day("2026-03-18", []) == "2026-03-18"


@pytest.mark.parametrize(
    ("value", "is_empty"),
    [("0", True), ("0.00", True), ("-83291.33333333333333", False), ("NaN", False), ("", False)],
)
def test_an_account_is_empty_where_its_holdings_are_worth_nothing_however_many_digits_that_has(
    value: str, is_empty: bool
) -> None:
    row = {"account_number": "PA1", "status": "ACTIVE", "short_market_value": value}
    assert read_as(AccountRow, row).is_empty is is_empty
