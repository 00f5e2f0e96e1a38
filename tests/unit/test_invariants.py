"""The monitor of a run: a check that has never been seen to fail is no evidence."""

import msgspec
import pytest

from pointsman.domain.accounts import DeskRecord
from pointsman.domain.commands import Cancel, Submit
from pointsman.domain.orders import Order, Role
from pointsman.domain.sides import PositionSide
from pointsman.execution.books import Books
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.faults import SECOND_NS, Fault, Faults
from pointsman.simulator.invariants import CANCELS_MAX, Broken, Monitor
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
        (True, entry(signal_id=None), "I22"),
        (True, entry(), "I14"),
        (True, order(1, Role.EXIT), "I9"),
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
    with pytest.raises(Broken, match="I7"):
        monitor.at_instant(60 * SECOND_NS)
