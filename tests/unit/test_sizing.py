"""An entry under judgement: what it would be, on one quote; what cannot be computed is None."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.events import SignalReceived
from pointsman.domain.market import Quote
from pointsman.domain.money import exact
from pointsman.domain.policy import SizeDecay
from pointsman.domain.sides import Side
from pointsman.domain.signals import Signal
from pointsman.execution.sizing import Candidate, build_candidate
from tests.desk_stories import (
    MIDNIGHT_NS,
    START_NS,
    WINDOW,
    limits,
    policy,
    quote,
    ready_desk,
    round_trip,
    signal,
)

FRESH = quote(START_NS)


def candidate(sent: Signal, newest: Quote | None = FRESH, **general: Any) -> Candidate:
    desk = ready_desk(policy(limits(**general)))
    event = SignalReceived(sent, newest, newest, WINDOW, MIDNIGHT_NS)
    with exact():
        return build_candidate(desk.books, event, Side(sent.side.value), START_NS)


def test_an_entry_without_levels_gets_the_default_stop_from_its_limit_price() -> None:
    entry = candidate(signal("a"))
    assert (entry.touch, entry.reference) == (Decimal("100.01"), Decimal("100.01"))
    assert (entry.limit_price, entry.stop_price) == (Decimal("100.06"), Decimal("98.06"))
    assert entry.stop_percentage == 2
    assert entry.take_profit is None
    assert (entry.quantity, entry.notional) == (Decimal(10), Decimal("1000.60"))
    assert entry.equity == 100_000


@pytest.mark.parametrize(
    ("fields", "stop", "target"),
    [
        pytest.param({"stop_loss": "97.995"}, "98.00", None, id="a price, rounded up for a long"),
        pytest.param({"stop_loss_percentage": "1"}, "99.06", None, id="a percentage"),
        pytest.param({"take_profit": "104"}, "98.06", "104", id="a target as a price"),
        pytest.param(
            {"take_profit_percentage": "4"}, "98.06", "104.06", id="a target, rounded down"
        ),
    ],
)
def test_rule_9_stop_and_target_of_a_signal(
    fields: dict[str, str], stop: str, target: str | None
) -> None:
    levels: dict[str, Any] = {name: Decimal(text) for name, text in fields.items()}
    entry = candidate(signal("a", **levels))
    assert entry.stop_price == Decimal(stop)
    assert entry.take_profit == (None if target is None else Decimal(target))


def test_a_short_is_the_mirror_of_a_long() -> None:
    entry = candidate(signal("a", "sell", take_profit_percentage=Decimal(4)))
    assert (entry.touch, entry.limit_price) == (Decimal("99.99"), Decimal("99.95"))
    assert entry.stop_price == Decimal("101.94")
    assert entry.take_profit == Decimal("95.96")


def test_the_risk_percentage_is_lost_from_limit_price_to_stop() -> None:
    entry = candidate(signal("a", quantity=None, risk_percentage=Decimal("0.1")))
    assert entry.limit_price is not None
    assert entry.stop_price is not None
    assert entry.quantity == 50
    assert 50 * (entry.limit_price - entry.stop_price) == 100


@pytest.mark.parametrize(
    "newest",
    [
        pytest.param(None, id="no quote"),
        pytest.param(quote(START_NS, bid="NaN"), id="not a number"),
        pytest.param(quote(START_NS, bid="100.02"), id="crossed"),
    ],
)
def test_without_a_valid_quote_nothing_has_a_price(newest: Quote | None) -> None:
    entry = candidate(signal("a"), newest)
    assert entry.quote is None
    unknown = (entry.touch, entry.reference, entry.limit_price, entry.stop_price, entry.quantity)
    assert unknown == (None,) * 5
    assert entry.notional is None


def test_a_limit_that_rounds_down_to_nothing_has_no_size() -> None:
    entry = candidate(signal("a"), quote(START_NS, bid="0.004", ask="0.004"))
    assert entry.limit_price == 0
    assert (entry.quantity, entry.notional) == (None, None)


def test_rule_18_size_decays_after_losses_in_a_row() -> None:
    steps = (SizeDecay(1, Decimal("0.5")), SizeDecay(2, Decimal("0.25")))
    desk = ready_desk(policy(limits(loss_size_decay=steps)))
    sizes = []
    for number in range(3):
        event = SignalReceived(signal("x"), FRESH, FRESH, WINDOW, MIDNIGHT_NS)
        with exact():
            sizes.append(build_candidate(desk.books, event, Side.BUY, desk.now_ns).quantity)
        round_trip(desk, f"loss {number}")
    assert sizes == [10, 5, 2]
