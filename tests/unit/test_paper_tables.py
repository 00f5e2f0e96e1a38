"""The ledger's file: what is written is read back the same, and what is not ours is left alone."""

import sqlite3
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import VenueExecution, VenueHolding, VenueOrder
from pointsman.venues.paper import tables

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
NUMBER = st.integers(1, 2**62)
AMOUNT = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
POSITION_SIDE = st.none() | st.sampled_from(PositionSide)

ORDERS = st.builds(
    VenueOrder,
    client_order_id=TEXT,
    venue_order_id=NUMBER.map(str),
    symbol=TEXT,
    side=st.sampled_from(Side),
    position_side=POSITION_SIDE,
    order_type=st.sampled_from(OrderType),
    quantity=AMOUNT,
    filled=AMOUNT,
    status=st.sampled_from(OrderStatus),
    reduce_only=st.booleans(),
    ts_ns=NUMBER,
    limit_price=st.none() | AMOUNT,
    trigger_price=st.none() | AMOUNT,
    is_triggered=st.booleans(),
    end_reason=st.none() | st.sampled_from(Reason),
)
TRADES = st.builds(
    VenueExecution,
    client_order_id=TEXT,
    venue_order_id=NUMBER.map(str),
    symbol=TEXT,
    side=st.sampled_from(Side),
    position_side=POSITION_SIDE,
    fill=st.builds(
        VenueFill,
        trade_id=NUMBER.map(str),
        quantity=AMOUNT,
        price=AMOUNT,
        fee=AMOUNT,
        ts_ns=NUMBER,
        cumulative=st.none() | AMOUNT,
    ),
)


def fresh() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(db, PositionMode.HEDGE)
    return db


@given(order=ORDERS, trade=TRADES)
def test_a_record_is_read_back_as_it_was_written(order: VenueOrder, trade: VenueExecution) -> None:
    db = fresh()
    holding = VenueHolding(order.symbol, order.position_side, order.quantity)
    db.execute(tables.PUT_ORDER, tables.order_row(order))
    db.execute(tables.ADD_FILL, tables.trade_row(trade))
    db.execute(tables.PUT_HOLDING, tables.holding_row(holding))
    assert (
        tables.order_of(db.execute(tables.FIND_ORDER, (order.client_order_id,)).fetchone()) == order
    )
    assert tables.trade_of(db.execute(tables.FILLS_AFTER, (0,)).fetchone()) == trade
    assert tables.holding_of(db.execute(tables.HOLDINGS).fetchone()) == holding
    db.close()


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("CREATE TABLE signals (signal_id TEXT)", "another program"),
        ("PRAGMA user_version = 99", "schema 99 is newer"),
    ],
)
def test_a_database_that_is_not_ours_is_refused(script: str, complaint: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute(script)
    with pytest.raises(tables.ForeignFile, match=complaint):
        tables.check(db)
    db.close()


def test_an_existing_ledger_keeps_its_content_and_its_mode() -> None:
    db = fresh()
    db.execute(tables.PUT_TOTALS, (str(Decimal("1.50")), "0", 7))
    tables.check(db)
    tables.create(db, PositionMode.NET)
    assert db.execute(tables.TOTALS).fetchone() == ("hedge", "1.50", "0", 7)
    db.close()


def test_starting_looks_at_open_orders_by_their_own_index() -> None:
    db = fresh()
    plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {tables.OPEN_ORDERS}"))
    assert "orders_open" in plan
    db.close()
