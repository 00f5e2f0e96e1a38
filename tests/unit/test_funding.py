"""Funding and charges: money for what is held, shared out exactly (RULES 14, 16, 51; I6)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.accounts import EXTERNAL, Incident
from pointsman.domain.commands import Step
from pointsman.domain.events import ChargePaid, FundingPaid, HoldingDiffers
from pointsman.domain.money import exact
from pointsman.domain.policy import PositionMode
from pointsman.domain.positions import Funding, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from tests.desk_stories import account, enter, policy, signal, stop_out, tell
from tests.order_stories import KeptDesk, dump, kept_desk, loaded_again

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
NAMES = ("VA001", "VA002", "VA003")


def pay(desk: KeptDesk, amount: str | Decimal, side: PositionSide = LONG) -> Step:
    """A payment that is told for the first time."""
    number = len(desk.kept.all(Funding))
    return tell(desk, FundingPaid(f"F{number}", "XXX", side, Decimal(amount), desk.now_ns))


def shares(desk: KeptDesk) -> list[tuple[str, int, Decimal]]:
    return [(one.va_id, one.position_id, one.amount) for one in desk.kept.all(Funding)]


@given(
    quantities=st.lists(st.integers(1, 50), min_size=1, max_size=3),
    foreign=st.integers(-5, 30),
    amount=st.decimals("-1000", "1000", places=12),
)
def test_i6_the_shares_of_all_and_external_are_the_payment_to_the_last_digit(
    quantities: list[int], foreign: int, amount: Decimal
) -> None:
    desk = kept_desk(accounts=NAMES)
    for va_id, quantity in zip(NAMES, quantities, strict=False):
        enter(desk, signal(va_id, va_id=va_id, quantity=str(quantity)))
    tell(desk, HoldingDiffers("XXX", LONG, Decimal(sum(quantities) + foreign)))
    pay(desk, amount)
    with exact():
        assert sum((one.amount for one in desk.kept.all(Funding)), Decimal(0)) == amount
        for va_id, quantity in zip(NAMES, quantities, strict=False):
            va, share = account(desk, va_id), account(desk, va_id).realized
            assert va.cash == 100_000 - 100 * quantity + share
            exactly = amount * quantity / (sum(quantities) + max(0, foreign))
            assert abs(share - exactly) <= len(NAMES) * Decimal("0.000000000001")
    assert any(va_id == EXTERNAL for va_id, _, _ in shares(desk)) == (foreign > 0)


def test_rule_16_funding_counts_in_the_result_of_a_position() -> None:
    """What came out even is a loss by it; and what is held stays what it was."""
    desk = kept_desk()
    position = enter(desk, signal("a"))
    step = pay(desk, "-0.5")
    assert step.commands == ()
    held = desk.books.positions[1]
    assert (held.quantity, held.lots) == (position.quantity, position.lots)
    assert held.realized_to_date == account(desk).realized == Decimal("-0.5")
    stop_out(desk, held, "100")
    (closed,) = desk.kept.all(Trade)
    assert (closed.pnl, closed.fees, account(desk).losses) == (Decimal("-0.5"), 0, 1)
    assert dump(loaded_again(desk).books) == dump(desk.books)


@pytest.mark.parametrize("mode", list(PositionMode))
def test_a_payment_for_the_other_side_or_for_nothing_is_externals(mode: PositionMode) -> None:
    """It is told, since nobody here knows of what it was for."""
    desk = kept_desk(policy(position_mode=mode))
    enter(desk, signal("a"))
    pay(desk, "0.5", SHORT)
    assert shares(desk) == [(EXTERNAL, 0, Decimal("0.5"))]
    assert account(desk).cash == 100_000 - 1_000
    assert [one.kind for one in desk.kept.all(Incident)] == [Reason.EXTERNAL_ACTIVITY]


# -- charges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(PositionMode))
@pytest.mark.parametrize("side", [LONG, None])
def test_rule_51_a_charge_is_borne_by_who_holds_the_symbol(
    mode: PositionMode, side: PositionSide | None
) -> None:
    desk = kept_desk(policy(position_mode=mode), accounts=NAMES)
    enter(desk, signal("a", va_id="VA001", quantity="1"))
    enter(desk, signal("b", va_id="VA002", quantity="3"))
    step = tell(desk, ChargePaid("C1", Decimal("-0.4"), desk.now_ns, "XXX", side))
    assert step.commands == ()
    assert shares(desk) == [("VA001", 1, Decimal("-0.1")), ("VA002", 2, Decimal("-0.3"))]
    assert [one.is_charge for one in desk.kept.all(Funding)] == [True, True]
    assert account(desk, "VA002").realized == Decimal("-0.3")
    assert desk.books.positions[2].realized_to_date == Decimal("-0.3")
    assert dump(loaded_again(desk).books) == dump(desk.books)


def test_rule_51_a_charge_for_both_sides_is_shared_out_by_quantity() -> None:
    desk = kept_desk(accounts=NAMES)
    enter(desk, signal("a", va_id="VA001", quantity="1"))
    enter(desk, signal("b", va_id="VA002", side="sell", quantity="3"))
    tell(desk, ChargePaid("C1", Decimal("-0.4"), desk.now_ns, "XXX"))
    assert [amount for _, _, amount in shares(desk)] == [Decimal("-0.1"), Decimal("-0.3")]
    assert [one.side for one in desk.kept.all(Funding)] == [LONG, SHORT]


@pytest.mark.parametrize("symbol", ["", "YYY"])
def test_rule_51_a_charge_for_what_nobody_holds_is_externals(symbol: str) -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    cash = account(desk).cash
    tell(desk, ChargePaid("C1", Decimal("-0.4"), desk.now_ns, symbol))
    assert shares(desk) == [(EXTERNAL, 0, Decimal("-0.4"))]
    assert account(desk).cash == cash
    (incident,) = desk.kept.all(Incident)
    assert (incident.kind, incident.symbol) == (Reason.EXTERNAL_ACTIVITY, symbol or None)
    assert "of charge C1" in incident.detail
