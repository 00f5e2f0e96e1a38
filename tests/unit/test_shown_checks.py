"""Each check shows the value that broke it with the limit that it broke (RULES 64)."""

from decimal import Decimal

import pytest

from pointsman.domain.market import Instrument
from pointsman.domain.reasons import Reason
from tests.desk_stories import check, decide, policy, ready_desk, signal


@pytest.mark.parametrize(
    ("quantity", "minima", "shown"),
    [
        ("10", ("10", "980.61"), ("980.60", "980.61", "notional")),
        ("9", ("10", "5000"), ("9", "10", "")),
        ("0.9", ("0", "0"), ("0", "1", "")),
    ],
    ids=["the notional at its stop", "the quantity", "a lot"],
)
def test_rule_64_what_is_below_a_minimum_is_shown_beside_the_one_that_it_is_below(
    quantity: str, minima: tuple[str, str], shown: tuple[str, str, str]
) -> None:
    least, notional = map(Decimal, minima)
    share = Instrument("XXX", Decimal("0.01"), Decimal(1), least, notional, "USD")
    desk = ready_desk(policy(instruments={"XXX": share}))
    found = check(decide(desk, signal("a", quantity=quantity)), Reason.BELOW_MINIMUM)
    assert (found.value, found.limit, found.unit) == shown


@pytest.mark.parametrize(
    ("stop", "shown"),
    [("80", ("20.0080", "10", "%")), ("101", ("101", "100.01", "price"))],
    ids=["too far", "on the wrong side"],
)
def test_rule_64_a_stop_is_shown_against_the_touch_or_its_distance_against_the_limit(
    stop: str, shown: tuple[str, str, str]
) -> None:
    decision = decide(ready_desk(), signal("a", stop_loss=Decimal(stop)))
    found = check(decision, Reason.STOP_INVALID)
    assert (found.value, found.limit, found.unit) == shown
