"""What the venue holds less than our accounts: nothing is bought there until it is settled."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.events import Assigned, HoldingDiffers
from pointsman.domain.money import exact
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Outcome
from pointsman.execution.shortfall import disputed, lacking
from tests.desk_stories import SECOND_NS, VA, decide, enter, quote, signal, tell
from tests.order_stories import KeptDesk, fill_of, kept_desk

OTHER, THIRD = "VA002", "VA003"
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def lose_a_holding(desk: KeptDesk) -> None:
    """The venue holds 4 less than the accounts, and no execution says why."""
    tell(desk, HoldingDiffers("XXX", LONG, Decimal(16)), SECOND_NS)


def overfill(desk: KeptDesk) -> None:
    """The stop of one account sold 4 of the other's along."""
    for trade_id, quantity in (("t1", "10"), ("t2", "4")):
        tell(desk, fill_of(desk, "ABCDEF1S1", trade_id, quantity, "98"))


@pytest.fixture
def desk() -> KeptDesk:
    desk = kept_desk(accounts=(VA, OTHER, THIRD))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id=OTHER))
    return desk


@pytest.mark.parametrize("lose", [lose_a_holding, overfill])
def test_nobody_enters_on_a_symbol_whose_holding_is_disputed(
    lose: Callable[[KeptDesk], None], desk: KeptDesk
) -> None:
    """The next exit there could sell what a third account has bought. Other symbols go on."""
    lose(desk)
    with exact():
        assert disputed(desk.books, "XXX") == lacking(desk.books, "XXX", LONG) == 4
        assert disputed(desk.books, "YYY") == lacking(desk.books, "XXX", SHORT) == 0
    refused = decide(desk, signal("late", va_id=THIRD))
    assert (refused.reason, refused.value, refused.limit) == (Reason.HOLDING_DISPUTED, "4", "0")
    elsewhere = decide(desk, signal("elsewhere", va_id=THIRD, symbol="YYY"))
    assert elsewhere.outcome is Outcome.ACCEPTED


def test_once_a_person_has_said_whose_it_is_entries_go_on(desk: KeptDesk) -> None:
    lose_a_holding(desk)
    mark = quote(desk.now_ns, "99", "99.02")
    tell(desk, Assigned(VA, "XXX", Decimal(4), "ann", "hers", mark))
    assert decide(desk, signal("late", va_id=THIRD)).outcome is Outcome.ACCEPTED


def test_what_the_venue_holds_beyond_us_is_no_dispute(desk: KeptDesk) -> None:
    tell(desk, HoldingDiffers("XXX", LONG, Decimal(25)), SECOND_NS)
    assert decide(desk, signal("late", va_id=THIRD)).outcome is Outcome.ACCEPTED
