"""A person says whose position a foreign execution has closed (RULES 28)."""

from decimal import Decimal

import pytest

from pointsman.domain.accounts import ExternalHolding
from pointsman.domain.commands import Cancel
from pointsman.domain.events import Assigned, Compared, ForeignFill, HoldingDiffers, VenueFill
from pointsman.domain.policy import PositionMode
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.desk import Desk
from pointsman.execution.external_holdings import our_holdings, price_of_lack
from tests.desk_stories import (
    SECOND_NS,
    VA,
    account,
    enter,
    incidents,
    of_type,
    policy,
    quote,
    ready_desk,
    signal,
    tell,
)

OTHER = "VA002"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def sold(desk: Desk, quantity: str, price: str, trade_id: str, fee: str = "0") -> None:
    """Somebody else sells what we hold long."""
    fill = VenueFill(trade_id, Decimal(quantity), Decimal(price), Decimal(fee), desk.now_ns)
    tell(desk, ForeignFill("XXX", LONG, Side.SELL, fill, f"F{trade_id}"), SECOND_NS)


def shared(mode: PositionMode = PositionMode.HEDGE) -> Desk:
    """VA001 holds 6 and 4, VA002 holds 10, all bought at 100."""
    desk = ready_desk(policy(position_mode=mode), accounts=(VA, OTHER))
    enter(desk, signal("a", quantity="6"))
    enter(desk, signal("b", quantity="4"))
    enter(desk, signal("c", quantity="10", va_id=OTHER))
    return desk


def everything(desk: Desk) -> Decimal:
    """VAs and EXTERNAL together, as the venue would count them."""
    key = desk.books.policy.venue_key("XXX", LONG)
    held = desk.books.externals.get(key)
    return our_holdings(desk.books).get(key, Decimal(0)) + (held.quantity if held else 0)


@pytest.mark.parametrize("mode", list(PositionMode))
def test_rule_28_it_closes_first_in_first_out_at_the_average_of_the_foreign_fills(
    mode: PositionMode,
) -> None:
    desk = shared(mode)
    sold(desk, "3", "98", "1")
    sold(desk, "5", "90", "2")
    assert everything(desk) == 12
    step = tell(desk, Assigned(VA, "XXX", Decimal(8), "ann", "ours"), SECOND_NS)
    (trade,) = of_type(step.changes, Trade)
    assert (trade.quantity, trade.exit_price) == (Decimal(6), Decimal(93)), "(3 x 98 + 5 x 90) / 8"
    assert trade.exit_reason is Reason.EXTERNAL_CLOSE
    assert incidents(step) == [Reason.EXTERNAL_ACTIVITY]
    assert [p.quantity for p in desk.books.positions.values()] == [2, 10]
    assert desk.books.externals[desk.books.policy.venue_key("XXX", LONG)].quantity == 0
    assert everything(desk) == 12
    assert account(desk).realized == 8 * (Decimal(93) - Decimal(100))
    assert account(desk).cash + 2 * 100 == account(desk).balance
    assert of_type(step.commands, Cancel), "the stop of what is gone"
    assert account(desk).frozen_for is Reason.EXTERNAL_ACTIVITY, "until a person resumes it"


def test_a_part_takes_its_part_of_the_value_along() -> None:
    desk = shared()
    sold(desk, "3", "98", "1")
    sold(desk, "5", "90", "2")
    tell(desk, Assigned(VA, "XXX", Decimal(2), "ann", "a part"), SECOND_NS)
    assert desk.books.externals["XXX", LONG] == ExternalHolding(
        "XXX", LONG, Decimal(-6), Decimal("-558.0000000000")
    )
    tell(desk, Assigned(OTHER, "XXX", Decimal(6), "ann", "the rest"), SECOND_NS)
    held = desk.books.externals["XXX", LONG]
    assert (held.quantity, held.value) == (Decimal(0), Decimal(0))
    assert everything(desk) == 12


def test_without_a_price_of_its_own_it_counts_at_the_touch() -> None:
    desk = shared()
    tell(desk, HoldingDiffers("XXX", LONG, Decimal(17)), SECOND_NS)
    assert price_of_lack(desk.books, "XXX", LONG, None) is None
    tell(desk, Assigned(VA, "XXX", Decimal(3), "ann", "no price"))
    assert everything(desk) == 17
    assert desk.books.positions[1].quantity == 6, "nothing is made up"
    mark = quote(desk.now_ns, "97.5", "97.6")
    step = tell(desk, Assigned(VA, "XXX", Decimal(3), "ann", "as of now", mark))
    assert account(desk).realized == 3 * (Decimal("97.5") - 100)
    assert not of_type(step.changes, Trade)


@pytest.mark.parametrize("quantity", ["9", "1000"])
def test_more_than_the_lack_or_the_holding_changes_nothing(quantity: str) -> None:
    desk = shared()
    sold(desk, "8", "98", "1")
    step = tell(desk, Assigned(VA, "XXX", Decimal(quantity), "ann", "too much"), SECOND_NS)
    assert (step.changes, step.commands) == ((), ())


def test_two_assignments_within_one_instant_are_two() -> None:
    desk = shared()
    sold(desk, "8", "98", "1")
    for _ in range(2):
        tell(desk, Assigned(VA, "XXX", Decimal(2), "ann", "half"))
    assert [p.quantity for p in desk.books.positions.values()] == [2, 4, 10]
    tell(desk, Compared(True, desk.now_ns, 0, ""), SECOND_NS)
    assert everything(desk) == 12
