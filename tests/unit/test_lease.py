"""The lease: one symbol per VA, from the accepted entry until nothing is left to trade."""

from decimal import Decimal

from pointsman.domain.events import ReportWord
from pointsman.domain.market import Instrument
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from pointsman.execution.desk import Desk
from tests.desk_stories import (
    SECOND_NS,
    account,
    decide,
    enter,
    order_sent,
    pass_time,
    policy,
    ready_desk,
    report,
    send,
    signal,
    submits,
    trade,
)


def orders_of(desk: Desk, position_id: int) -> list[str]:
    return list(desk.books.orders_of_position[position_id])


def locked(desk: Desk, signal_id: str = "other") -> Reason | None:
    """What an entry in another symbol is refused for."""
    return decide(desk, signal(signal_id, quantity="1000", symbol="YYY")).reason


def test_i10_the_lease_is_taken_when_an_entry_is_accepted_not_when_it_fills() -> None:
    desk = ready_desk()
    send(desk, signal("a"))
    decision = decide(desk, signal("b", symbol="YYY"))
    assert (decision.reason, decision.value, decision.limit) == (
        Reason.SYMBOL_LOCKED,
        "YYY",
        "XXX",
    )


def test_i10_a_refused_entry_takes_no_lease() -> None:
    desk = ready_desk()
    assert locked(desk) is Reason.MAX_POSITION_SIZE
    assert account(desk).leased_symbol is None


def test_i10_the_lease_is_held_while_anything_is_open_working_or_unknown() -> None:
    desk = ready_desk()
    (order,) = submits(send(desk, signal("a")))
    order_sent(desk, order.client_order_id)
    pass_time(desk, 5 * SECOND_NS)
    assert desk.books.orders[order.client_order_id].is_unknown
    assert locked(desk, "while unknown") is Reason.SYMBOL_LOCKED
    trade(desk, order.client_order_id, "10")
    assert locked(desk, "while open") is Reason.SYMBOL_LOCKED
    (stop,) = orders_of(desk, order.position_id)
    (leaving,) = submits(send(desk, signal("out", "close", None)))
    order_sent(desk, leaving.client_order_id)
    trade(desk, leaving.client_order_id, "10")
    assert locked(desk, "while its stop rests") is Reason.SYMBOL_LOCKED
    report(desk, stop, ReportWord.CANCELED)
    assert account(desk).leased_symbol is None
    assert locked(desk, "free") is Reason.MAX_POSITION_SIZE


def test_i10_the_lease_ends_with_an_entry_that_filled_nothing() -> None:
    desk = ready_desk()
    (order,) = submits(send(desk, signal("a")))
    order_sent(desk, order.client_order_id)
    report(desk, order.client_order_id, ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    assert account(desk).leased_symbol is None


def test_i10_dust_does_not_hold_the_lease() -> None:
    tenths = Instrument("XXX", Decimal("0.01"), Decimal("0.1"), Decimal(1), Decimal(0), "USD")
    desk = ready_desk(policy(instruments={"XXX": tenths}))
    position = enter(desk, signal("a"))
    (stop,) = orders_of(desk, position.position_id)
    (leaving,) = submits(send(desk, signal("out", "close", "9.5")))
    order_sent(desk, leaving.client_order_id)
    trade(desk, leaving.client_order_id, "9.5")
    report(desk, stop, ReportWord.CANCELED)
    assert desk.books.positions[position.position_id].state is PositionState.DUST
    assert account(desk).leased_symbol is None
    assert decide(desk, signal("b", symbol="YYY")).reason is None
    assert decide(desk, signal("c", "close", None)).reason is Reason.SYMBOL_LOCKED
