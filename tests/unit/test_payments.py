"""Funding and charges at the hostile venue: always in its ledger, reported well or badly."""

from decimal import Decimal

import pytest

from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import ChargePaid, FundingPaid, VenueLink
from pointsman.domain.venue_reports import Snapshot
from pointsman.simulator.faults import Fault
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.payments import LATE_NS_MAX
from tests.simulations import order, struck_by, venue
from tests.unit.test_matching import quote

SECOND_NS = 10**9
FEE = Decimal("-0.25")


def holding(**rates: float) -> HostileVenue:
    """A venue at which five are held."""
    at = venue(struck_by({Fault(name): rate for name, rate in rates.items()}))
    at.matching.on_quote(quote("100", "100.01"), 0)
    at.send(Submit(order(1, price="101")), 0)
    at.receive(SECOND_NS)
    return at


def heard(at: HostileVenue, until_ns: int) -> list[str]:
    """The ids of the payments that are reported, in order."""
    return [
        reply.charge_id if isinstance(reply, ChargePaid) else reply.funding_id
        for reply in at.receive(until_ns)
        if isinstance(reply, ChargePaid | FundingPaid)
    ]


def test_a_charge_and_funding_are_reported_once_and_soon() -> None:
    at = holding()
    at.payments.charge("AAA", None, FEE, SECOND_NS)
    at.payments.settle_funding_at(2 * SECOND_NS)
    told = heard(at, 3 * SECOND_NS)
    assert told == [at.ledger.charges[0].charge_id, at.ledger.fundings[0].funding_id]


@pytest.mark.parametrize(
    ("fault", "count"),
    [("funding_lost", 0), ("funding_repeated", 2), ("funding_late", 1)],
)
def test_a_charge_may_be_lost_late_or_repeated_and_is_in_the_comparison(
    fault: str, count: int
) -> None:
    at = holding(**{fault: 1.0})
    at.payments.charge("AAA", None, FEE, SECOND_NS)
    told = heard(at, 3 * LATE_NS_MAX)
    assert told == [at.ledger.charges[0].charge_id] * count
    at.send(Compare(""), 3 * LATE_NS_MAX)
    (shown,) = [one for one in at.receive(4 * LATE_NS_MAX) if isinstance(one, Snapshot)]
    assert shown.charges == tuple(at.ledger.charges)


def test_while_the_account_stream_is_down_no_payment_is_reported() -> None:
    at = holding()
    at.cut_link(VenueLink.ACCOUNT_STREAM, 5 * SECOND_NS)
    at.payments.charge("", None, FEE, SECOND_NS)
    at.payments.settle_funding_at(2 * SECOND_NS)
    assert heard(at, 60 * SECOND_NS) == []
    assert (len(at.ledger.charges), len(at.ledger.fundings)) == (1, 1)
