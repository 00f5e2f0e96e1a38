"""Single cells of the lists."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.terminal import columns
from tests.unit.stored_samples import order, position

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({"quantity": Decimal("1500")}, "1,500"),
        ({"notional": Decimal("2500")}, "for 2,500.00"),
        ({"risk_percentage": Decimal("0.50")}, "risk 0.5 %"),
        ({}, "all"),
    ],
)
def test_a_size_is_shown_as_it_was_asked_for(size: dict[str, Any], words: str) -> None:
    signal = Signal("s", "VA001", "XXX", SignalSide.CLOSE, **size)
    assert columns.wanted_size(signal) == words


def test_an_order_is_bound_by_its_trigger_its_limit_or_nothing() -> None:
    assert columns.order_price(order(1, limit_price=Decimal("158.4")), 2) == "158.40"
    assert columns.order_price(order(1, Role.STOP, trigger_price=Decimal("155.22")), 2) == "155.22"
    assert columns.order_price(order(1, Role.EXIT), 2) == "market"


def test_an_average_needs_a_fill() -> None:
    filled = order(1, filled=Decimal(3), filled_value=Decimal("475.18"))
    assert columns.average_price(filled, 2) == "158.3933"
    assert columns.average_price(order(1), 2) == ""


def test_rule_27_a_mark_of_our_knowledge_is_shown_in_place_of_the_rank() -> None:
    assert columns.order_status(order(1, is_unknown=True)).plain == "UNKNOWN"
    assert columns.order_status(order(1, is_cancel_pending=True)).plain == "PENDING_CANCEL"
    done = order(1, is_unknown=True, status=OrderStatus.FILLED)
    assert columns.order_status(done).plain == "FILLED"


@pytest.mark.parametrize(
    ("state", "naked_since_ns", "words"),
    [
        (PositionState.OPEN, None, "covered"),
        (PositionState.OPEN, 1, "NAKED"),
        (PositionState.DUST, 1, "dust"),
        (PositionState.OVERFILLED, None, "overfilled"),
    ],
)
def test_cover_is_said_in_a_word(
    state: PositionState, naked_since_ns: int | None, words: str
) -> None:
    held = replace(position(1, state), naked_since_ns=naked_since_ns)
    assert columns.cover_text(held).plain == words


def test_directions_are_coloured_words() -> None:
    assert [columns.side_text(side).style for side in ("buy", "long")] == ["green", "green"]
    assert [columns.side_text(side).style for side in ("sell", "short")] == ["red", "red"]
