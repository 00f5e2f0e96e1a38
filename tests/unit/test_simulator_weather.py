"""Troubles that come at moments of their own."""

from random import Random

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import VenueLink
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Role
from pointsman.domain.sides import PositionSide
from pointsman.simulator.crashes import Boundary, Crash, CrashTrap
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.feed import SimulatedFeed
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.weather import Weather
from tests.simulations import order, struck_by, venue
from tests.unit.test_matching import quote

SECOND_NS = 10**9


class Place:
    """A venue where five are held, with a stop, and the weather over it."""

    def __init__(self) -> None:
        self.faults: Faults = struck_by({})
        self.venue: HostileVenue = venue(self.faults)
        self.trap = CrashTrap()
        self.feed = SimulatedFeed(Random(1))
        self.weather = Weather(Random(1), self.faults, self.venue, self.feed, self.trap)
        self.venue.matching.on_quote(quote("100", "100.01"), 0)
        for wanted in (order(1, price="101"), order(1, Role.STOP, trigger="99")):
            self.venue.send(Submit(wanted), 0)
            self.venue.receive(SECOND_NS)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.mark.parametrize("fault", [Fault.LIQUIDATION, Fault.PERSON_CLOSES])
def test_f51_f57_somebody_else_closes_what_we_hold(place: Place, fault: Fault) -> None:
    before = place.venue.ledger.holdings[place.venue.ledger.orders["ABCDEF1E1"].holding]
    place.weather.strike(fault, SECOND_NS)
    after = place.venue.ledger.holdings[place.venue.ledger.orders["ABCDEF1E1"].holding]
    assert 0 <= after < before
    assert place.venue.ledger.trades[-1].client_order_id.startswith(("web", "autoclose"))
    assert place.faults.counts == {fault: 1}


def test_the_venue_may_drop_a_stop_and_others_may_order(place: Place) -> None:
    place.weather.strike(Fault.STOP_DROPPED, SECOND_NS)
    assert place.venue.ledger.orders["ABCDEF1S1"].status is OrderStatus.CANCELED
    place.weather.strike(Fault.STOP_DROPPED, SECOND_NS)
    assert place.faults.counts[Fault.STOP_DROPPED] == 1
    place.weather.strike(Fault.FOREIGN_ORDER, SECOND_NS)
    opened = [o for some in place.venue.ledger.open_by_symbol.values() for o in some.values()]
    assert [o.is_foreign for o in opened] == [True]


def test_bans_cuts_and_halts_last_and_are_logged_for_as_long(place: Place) -> None:
    for fault in (Fault.BAN, Fault.DISCONNECT, Fault.HALT):
        place.weather.strike(fault, SECOND_NS)
    ends = [trouble.until_ns for trouble in place.faults.log]
    halted = place.venue.matching.halted_until_ns.values()
    assert ends == [place.venue.banned_until_ns, place.venue.cut_until_ns, *halted]
    assert min(ends) > SECOND_NS


def test_f48_a_symbol_that_is_delisted_is_closed_out_and_stays_gone(place: Place) -> None:
    while place.venue.matching.delisted != "AAA":
        place.venue.matching.delisted = None
        place.weather.strike(Fault.DELISTED, SECOND_NS)
    assert place.venue.ledger.shown_holdings() == ()
    assert place.venue.ledger.orders["ABCDEF1S1"].status is OrderStatus.CANCELED
    place.venue.send(Submit(order(2, price="101")), 10**15)
    place.venue.receive(10**15 + SECOND_NS)
    assert place.venue.ledger.orders["ABCDEF2E1"].status is OrderStatus.REJECTED
    before = place.faults.counts[Fault.DELISTED]
    place.weather.strike(Fault.DELISTED, SECOND_NS)
    assert place.faults.counts[Fault.DELISTED] == before, "one a run is enough"


def test_a_holding_may_change_and_no_trade_says_why(place: Place) -> None:
    trades = len(place.venue.ledger.trades)
    before = place.venue.ledger.shown_holdings()
    place.weather.strike(Fault.HOLDING_MOVED, SECOND_NS)
    assert place.venue.ledger.shown_holdings() != before
    assert len(place.venue.ledger.trades) == trades
    assert all(holding.quantity >= 0 for holding in place.venue.ledger.shown_holdings())


def test_a_feed_may_freeze_spoil_and_step(place: Place) -> None:
    for fault in (Fault.FEED_FREEZE, Fault.BAD_QUOTES, Fault.CLOCK_STEP):
        place.weather.strike(fault, SECOND_NS)
    assert place.feed.told([quote("100", "100.01")] * 9, SECOND_NS) != [quote("100", "100.01")] * 9


def test_a_crash_is_armed_and_counted_when_it_happens(place: Place) -> None:
    place.weather.strike(Fault.CRASH_AFTER_COMMIT, 0)
    assert place.faults.counts == {}

    def pass_often() -> None:
        for _ in range(10):
            place.trap.passes(Boundary.AFTER_COMMIT)

    with pytest.raises(Crash):
        pass_often()


@pytest.mark.parametrize(
    ("fault", "link"),
    [
        (Fault.ORDERS_DOWN, VenueLink.ORDERS),
        (Fault.ACCOUNT_STREAM_DOWN, VenueLink.ACCOUNT_STREAM),
        (Fault.QUOTES_DOWN, VenueLink.QUOTES),
        (Fault.SLOW_DOWN, VenueLink.BUDGET),
    ],
)
def test_rules_45_and_46_a_link_goes_down_for_a_while(
    place: Place, fault: Fault, link: VenueLink
) -> None:
    place.weather.strike(fault, 2 * SECOND_NS)
    assert place.venue.connection.is_down(link, 2 * SECOND_NS)
    assert not place.venue.connection.is_down(link, 33 * SECOND_NS)
    (trouble,) = place.faults.log
    assert (trouble.fault, trouble.until_ns > trouble.at_ns) == (fault, True)
    quotes = [place.venue.matching.quotes["AAA"]]
    assert place.feed.told(quotes, 2 * SECOND_NS) == ([] if link is VenueLink.QUOTES else quotes)


def test_rule_51_the_account_is_charged_for_what_it_holds_for_others_and_for_nothing(
    place: Place,
) -> None:
    for number in range(200):
        place.weather.strike(Fault.CHARGE, number * SECOND_NS)
    charges = place.venue.ledger.charges
    assert len({paid.charge_id for paid in charges}) == len(charges) == 200
    symbols = [paid.symbol for paid in charges]
    assert {"AAA", "BBB", ""} <= set(symbols)
    assert {paid.position_side for paid in charges} == {None, *PositionSide}
    assert any(paid.amount > 0 for paid in charges)
    assert any(paid.amount < 0 for paid in charges)
