"""Orders: what is left to fill, and which status is shown."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.sides import PositionSide, Side

ENTRY = Order(
    client_order_id="ABCDEF1E1",
    va_id="VA001",
    symbol="AAPL",
    position_id=1,
    role=Role.ENTRY,
    order_type=OrderType.LIMIT_IOC,
    side=Side.BUY,
    position_side=PositionSide.LONG,
    quantity=Decimal(100),
    created_at_ns=1,
)

ranks = st.sampled_from(
    sorted(set(OrderStatus) - {OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL})
)


@pytest.mark.parametrize(
    ("status", "is_unknown", "is_cancel_pending", "shown"),
    [
        ("SUBMITTED", False, False, "SUBMITTED"),
        ("SUBMITTED", True, False, "UNKNOWN"),
        ("ACCEPTED", False, True, "PENDING_CANCEL"),
        ("ACCEPTED", True, True, "UNKNOWN"),
        ("PARTIALLY_FILLED", False, True, "PENDING_CANCEL"),
        ("FILLED", True, True, "FILLED"),
        ("DENIED", True, False, "DENIED"),
    ],
)
def test_rule_27_the_marks_are_shown_in_place_of_the_rank_until_the_end(
    status: str, is_unknown: bool, is_cancel_pending: bool, shown: str
) -> None:
    order = msgspec.structs.replace(
        ENTRY,
        status=OrderStatus(status),
        is_unknown=is_unknown,
        is_cancel_pending=is_cancel_pending,
    )
    assert order.shown_status == shown


@given(ranks, st.integers(min_value=0, max_value=150))
def test_what_may_still_fill_is_never_negative_and_nothing_at_the_end(
    status: OrderStatus, filled: int
) -> None:
    order = msgspec.structs.replace(ENTRY, status=status, filled=Decimal(filled))
    assert order.is_final is (status in FINAL)
    assert order.leaves == (0 if status in FINAL else max(0, 100 - filled))


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("is_unknown", [False, True])
def test_an_order_works_once_the_venue_has_confirmed_it_and_while_nothing_is_in_doubt(
    status: OrderStatus, is_unknown: bool
) -> None:
    order = msgspec.structs.replace(ENTRY, status=status, is_unknown=is_unknown)
    confirmed = status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
    assert order.is_working is (confirmed and not is_unknown)


@pytest.mark.parametrize(("role", "reduces"), [("entry", False), ("stop", True), ("exit", True)])
def test_everything_but_an_entry_only_reduces(role: str, reduces: bool) -> None:
    assert msgspec.structs.replace(ENTRY, role=Role(role)).reduce_only is reduces
