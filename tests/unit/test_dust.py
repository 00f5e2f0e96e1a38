"""Dust: what is too small to trade stays in the books, and there is never more than one residue
in broken lots."""

from decimal import Decimal

import msgspec

from pointsman.domain.events import ReportWord
from pointsman.domain.positions import PositionState
from pointsman.domain.reasons import Reason
from tests.desk_stories import (
    account,
    acknowledge,
    cancels,
    order_sent,
    quote,
    report,
    send,
    signal,
    submits,
    tell,
    trade,
)
from tests.order_stories import (
    KeptDesk,
    dump,
    fill_of,
    kept_desk,
    loaded_again,
    quantities,
    shared_desk,
)

SPOT = "BTC/USDT"
"""In lots of a millionth, with no minimum."""
FEE = Decimal("0.0000004")


def buy(desk: KeptDesk, number: int) -> None:
    """An entry of 2 at 100, its fee taken from what was bought, and a stop that rests."""
    fresh = quote(desk.now_ns, symbol=SPOT)
    acknowledge(desk, send(desk, signal(f"s{number}", "buy", "2", symbol=SPOT), quote=fresh))
    told = fill_of(desk, f"ABCDEF{number}E1", "t1", "2", fee=str(FEE))
    assert told.fill is not None
    fill = msgspec.structs.replace(told.fill, fee_currency="BTC")
    acknowledge(desk, tell(desk, msgspec.structs.replace(told, fill=fill)))


def be_stopped_out(desk: KeptDesk, number: int) -> None:
    """The stop sells all that it is for."""
    stop = f"ABCDEF{number}S1"
    tell(desk, fill_of(desk, stop, "t1", str(desk.books.orders[stop].quantity), "98"))


def held(desk: KeptDesk) -> dict[int, Decimal]:
    return {key: position.quantity for key, position in desk.books.positions.items()}


def test_i7_a_stop_is_for_the_lots_that_a_fee_has_left() -> None:
    desk = kept_desk()
    buy(desk, 1)
    assert held(desk) == {1: 2 - FEE}
    assert desk.books.orders["ABCDEF1S1"].quantity == Decimal("1.999999")


def test_a_residue_in_broken_lots_is_taken_up_by_the_next_position() -> None:
    """With its own cost; and the books that a start would load are the same."""
    desk = kept_desk()
    for number, left in ((1, "0.0000006"), (2, "0.0000002"), (3, "0.0000008")):
        buy(desk, number)
        be_stopped_out(desk, number)
        assert held(desk) == {number: Decimal(left)}
        assert desk.books.positions[number].state is PositionState.DUST
    assert account(desk).trades == 3
    assert dump(loaded_again(desk).books) == dump(desk.books)


def test_a_residue_of_the_other_side_is_left_alone() -> None:
    """Long and short are two holdings."""
    desk = kept_desk()
    buy(desk, 1)
    be_stopped_out(desk, 1)
    fresh = quote(desk.now_ns, symbol=SPOT)
    acknowledge(desk, send(desk, signal("s2", "sell", "2", symbol=SPOT), quote=fresh))
    tell(desk, fill_of(desk, "ABCDEF2E1", "t1", "2"))
    assert held(desk) == {1: Decimal("0.0000006"), 2: Decimal(2)}


def test_rule_61_what_a_venue_fills_in_broken_lots_is_booked_and_only_whole_lots_are_sent() -> None:
    """Two accounts hold 10 each; the exit of one is filled 0.36879 and then 9, and ends."""
    desk, position = shared_desk()
    send(desk, signal("out", "close", None))
    (freed,) = cancel_told(desk, "ABCDEF1S1")
    acknowledge_one(desk, freed)
    step = trade(desk, freed, "0.36879")
    assert (cancels(step), submits(step)) == ([], []), "its exit works on, for 9.63121"
    step = trade(desk, freed, "9")
    assert (cancels(step), submits(step)) == ([], [])
    ended(desk, freed)
    left = desk.books.positions[position.position_id]
    assert (left.quantity, left.state) == (Decimal("0.63121"), PositionState.DUST)
    assert account(desk).trades == 1


def test_rule_61_a_part_of_a_holding_in_broken_lots_is_closed_and_the_rest_covered_in_lots() -> (
    None
):
    desk, position = shared_desk()
    broken = trade(desk, "ABCDEF1S1", "0.36879", "98")
    assert submits(broken) == [], "the stop that trades is for 9.63121 still"
    ended(desk, "ABCDEF1S1")
    acknowledge_one(desk, "ABCDEF1S2")
    assert desk.books.orders["ABCDEF1S2"].quantity == 9
    send(desk, signal("part", "close", "4"))
    (freed, again) = cancel_told(desk, "ABCDEF1S2")
    assert quantities([desk.books.orders[freed], desk.books.orders[again]]) == [4, 5]
    assert desk.books.positions[position.position_id].quantity == Decimal("9.63121")


def cancel_told(desk: KeptDesk, order_id: str) -> list[str]:
    """The venue confirms a cancel: the ids of what is sent then."""
    step = report(desk, order_id, ReportWord.CANCELED)
    return [order.client_order_id for order in submits(step)]


def acknowledge_one(desk: KeptDesk, order_id: str) -> None:
    order_sent(desk, order_id)
    report(desk, order_id, ReportWord.ACCEPTED)


def ended(desk: KeptDesk, order_id: str) -> None:
    """The venue ends what is left of a reduce-only order: less than a lot is held."""
    report(desk, order_id, ReportWord.CANCELED, reason=Reason.REDUCE_ONLY)
