"""What rounding changed of the numbers of a signal is in its decision."""

from decimal import Decimal

from pointsman.domain.signals import Outcome, Rounding
from tests import desk_stories as told
from tests.unit.test_learning import decided, desk


def test_rule_59_what_rounding_changed_is_told_in_the_decision() -> None:
    decision = decided(desk(), "100.00", "100.01", quantity="10.9", stop_loss=Decimal("98.123"))
    assert decision.outcome is Outcome.ACCEPTED
    assert decision.rounded == (
        Rounding("quantity", Decimal("10.9"), Decimal(10), Decimal(1)),
        Rounding("stop_loss", Decimal("98.123"), Decimal("98.13"), Decimal("0.01")),
    )
    whole = decided(desk(), "100.00", "100.01", quantity="10", stop_loss=Decimal("98.12"))
    assert whole.rounded == ()
    by_value = decided(desk(), "100.00", "100.01", quantity=None, notional=Decimal(950))
    assert (by_value.quantity, by_value.rounded) == (9, ())


def test_rule_59_an_exit_tells_what_rounding_changed_too() -> None:
    trader = told.ready_desk(told.policy(instruments={}))
    told.enter(trader, told.signal("e1"))
    decision = told.decide(trader, told.signal("x1", side="close", quantity="3.7"))
    assert decision.rounded == (Rounding("quantity", Decimal("3.7"), Decimal(3), Decimal(1)),)
