"""The monitor of a run: a check that has never been seen to fail is no evidence."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.accounts import Account, DeskRecord, KillState, KillSwitch
from pointsman.domain.commands import Cancel, Compare, Submit
from pointsman.domain.events import VenueLink
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Lot, Position
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.books import Books
from pointsman.simulator.broken import Broken
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.invariants import CANCELS_MAX, Monitor
from pointsman.simulator.ledger import NOTHING
from tests.desk_stories import quote
from tests.simulations import INSTRUMENTS, order, policy, struck_by, venue


def watched() -> tuple[Monitor, Faults, CoverWatch]:
    faults = struck_by({})
    at = venue(faults)
    cover = CoverWatch(at.ledger, INSTRUMENTS)
    monitor = Monitor(policy(), at, faults, cover)
    monitor._books = Books(policy(), DeskRecord("ABCDEF"))
    return monitor, faults, cover


def breaks(monitor: Monitor, request: Submit | Cancel, invariant: str) -> None:
    with pytest.raises(Broken) as broken:
        monitor.on_send(request, 0)
    assert broken.value.invariant == invariant


class Stored:
    """A database that holds every order, or none."""

    def __init__(self, holds: bool) -> None:
        self._holds = holds

    def known_order(self, client_order_id: str) -> str | None:
        return client_order_id if self._holds else None


def entry(**changes: object) -> Order:
    return msgspec.structs.replace(order(1, price="101"), **{"signal_id": "S1", **changes})


@pytest.mark.parametrize(
    ("is_stored", "wanted", "invariant"),
    [
        (False, entry(), "I1"),
        (True, entry(client_order_id="ABCDEF2E1"), "I3"),
        (True, entry(client_order_id="XXXXXX1E1"), "I3"),
        (True, entry(client_order_id="ABCDEF1E2"), "I3"),
        (True, entry(signal_id=None), "I22"),
        (True, entry(), "I14"),
        (True, order(1, Role.EXIT), "I3"),
    ],
)
def test_what_must_not_leave_is_seen(is_stored: bool, wanted: Order, invariant: str) -> None:
    monitor, _, _ = watched()
    monitor.__dict__["_manager"] = Stored(is_stored)
    breaks(monitor, Submit(wanted), invariant)


def test_i2_an_order_that_leaves_twice_is_seen() -> None:
    monitor, _, _ = watched()
    monitor.__dict__["_manager"] = Stored(True)
    breaks(monitor, Submit(entry()), "I14")
    breaks(monitor, Submit(entry()), "I2")


@pytest.mark.parametrize("link", VenueLink)
def test_i23_an_entry_that_leaves_while_a_link_is_down_is_seen(link: VenueLink) -> None:
    monitor, _, _ = watched()
    monitor.__dict__["_manager"] = Stored(True)
    monitor._venue.cut_link(link, 2 * SECOND_NS)
    monitor._venue.receive(SECOND_NS)
    breaks(monitor, Submit(entry()), "I23")


@pytest.mark.parametrize("is_certain", [True, False])
def test_i23_an_order_that_is_denied_although_it_may_have_left_is_seen(is_certain: bool) -> None:
    monitor, _, _ = watched()
    monitor._sent.add("ABCDEF1E1")
    monitor._books.put_account(Account("VA001", NOTHING, 0))
    if is_certain:
        monitor._venue.connection.give_back(Submit(entry()), 0, 0)
        monitor._order(entry(status=OrderStatus.DENIED))
        return
    with pytest.raises(Broken, match="I23"):
        monitor._order(entry(status=OrderStatus.DENIED))


def test_i23_no_comparison_after_the_account_stream_came_back_is_seen() -> None:
    monitor, _, _ = watched()
    monitor._venue.cut_link(VenueLink.ACCOUNT_STREAM, SECOND_NS)
    for now_ns in (1, SECOND_NS):
        monitor._venue.receive(now_ns)
    with pytest.raises(Broken, match="I23"):
        monitor.at_instant(SECOND_NS)
    monitor._venue.send(Compare(""), SECOND_NS)
    monitor.at_instant(SECOND_NS)


def test_an_order_that_is_cancelled_over_and_over_is_seen() -> None:
    monitor, _, _ = watched()
    for _ in range(CANCELS_MAX):
        monitor.on_send(Cancel("ABCDEF1S1", "AAA"), 0)
    breaks(monitor, Cancel("ABCDEF1S1", "AAA"), "I22")


def test_i7_naked_for_longer_than_allowed_is_seen_and_a_lost_request_allows_more() -> None:
    monitor, faults, cover = watched()
    cover.naked["AAA", PositionSide.LONG] = 0
    monitor.at_instant(2 * SECOND_NS)
    with pytest.raises(Broken, match="I7"):
        monitor.at_instant(3 * SECOND_NS)
    faults.note(Fault.REQUEST_LOST, 1, 1)
    monitor.at_instant(3 * SECOND_NS)
    monitor.on_send(Compare(""), 60 * SECOND_NS)
    with pytest.raises(Broken, match="I7"):
        monitor.at_instant(60 * SECOND_NS)


def test_i21_a_venue_that_is_not_asked_for_everything_in_time_is_seen() -> None:
    monitor, _, _ = watched()
    period_ns = policy().reconcile_interval_ns
    monitor.at_instant(0)
    monitor.on_send(Compare(""), period_ns)
    monitor.at_instant(2 * period_ns)
    with pytest.raises(Broken, match="I21"):
        monitor.at_instant(2 * period_ns + 2 * SECOND_NS)


def position(stop_price: str, attempts: int = 1) -> Position:
    lots = (Lot(Decimal(5), Decimal(100)),)
    return Position(
        1, 0, "VA001", "AAA", PositionSide.LONG, "ABCDEF1E1", 0, Decimal(101), Decimal(stop_price),
        quantity=Decimal(5), lots=lots, stops_made=attempts, exits_made=attempts,
    )  # fmt: skip


@pytest.mark.parametrize("stop_price", ["100", "101"])
def test_i8_a_stop_that_is_planned_through_its_entry_is_seen(stop_price: str) -> None:
    monitor, _, _ = watched()
    monitor._record(position("99"))
    with pytest.raises(Broken, match="I8"):
        monitor._record(position(stop_price))


def test_i9_an_exit_for_more_than_is_held_is_seen() -> None:
    monitor, _, _ = watched()
    monitor.__dict__["_manager"] = Stored(True)
    monitor._books.positions[1] = position("99")
    monitor.on_send(Submit(order(1, Role.EXIT, "5")), 0)
    larger = msgspec.structs.replace(order(1, Role.STOP, "6", trigger="99"))
    breaks(monitor, Submit(larger), "I9")


def test_i16_flat_while_the_venue_still_holds_what_is_ours_is_seen() -> None:
    monitor, _, cover = watched()
    flat = KillSwitch(KillState.FLATTEN, flat_at_ns=5)
    at = monitor._venue
    at.matching.on_quote(quote(0, symbol="AAA"), 0)
    monitor._record(flat)
    at.matching.create(entry(), 1)
    with pytest.raises(Broken, match="I16"):
        monitor._record(flat)
    assert cover.uncovered("AAA", PositionSide.LONG, Decimal(100)) > 0
