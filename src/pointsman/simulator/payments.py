"""Funding and charges at the hostile venue: what is paid other than by a trade, and how badly it is
reported.

What was settled or charged stands in the ledger, whether or not anybody hears of it.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from pointsman.domain.events import ChargePaid, FundingPaid, VenueLink
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.simulator.connection import Connection
from pointsman.simulator.faults import Fault, Faults
from pointsman.simulator.ledger import Ledger
from pointsman.simulator.matching import Later

LATE_NS_MAX = 90 * SECOND_NS

Say = Callable[[FundingPaid | ChargePaid, int, int], None]
"""Put what was paid on its way: with the time now, and a delay."""


class Payments:
    """What one account pays and is paid. `prices` gives what funding is reckoned at."""

    def __init__(
        self,
        random: Random,
        faults: Faults,
        ledger: Ledger,
        connection: Connection,
        later: Later,
        say: Say,
        prices: Callable[[], dict[str, Decimal]],
    ) -> None:
        self._random = random
        self._faults = faults
        self._ledger = ledger
        self._connection = connection
        self._later = later
        self._say = say
        self._prices = prices

    def settle_funding_at(self, at_ns: int) -> None:
        """Settle funding on all that will be held at a time."""
        self._later(at_ns, self._settle_funding)

    def _settle_funding(self, now_ns: int) -> None:
        if self._faults.are_off:
            return
        rate = Decimal(self._random.randrange(-30, 31)) / 10_000
        for paid in self._ledger.settle_funding(rate, self._prices(), now_ns):
            self._faults.note(Fault.FUNDING, now_ns, now_ns)
            self._tell(paid, now_ns)

    def charge(self, symbol: str, side: PositionSide | None, amount: Decimal, now_ns: int) -> None:
        """Charge the account other than by a trade."""
        self._tell(self._ledger.charge(symbol, side, amount, now_ns), now_ns)

    def _tell(self, paid: FundingPaid | ChargePaid, now_ns: int) -> None:
        """Say what was settled or charged, as well as the wire allows."""
        faults, delay_ns = self._faults, 0
        if self._connection.is_down(VenueLink.ACCOUNT_STREAM, now_ns):
            return
        if faults.strikes(Fault.FUNDING_LOST, now_ns):
            return
        if faults.strikes(Fault.FUNDING_LATE, now_ns):
            delay_ns = self._random.randrange(MS_NS, LATE_NS_MAX)
        self._say(paid, now_ns, delay_ns)
        if faults.strikes(Fault.FUNDING_REPEATED, now_ns):
            self._say(paid, now_ns, self._random.randrange(MS_NS, LATE_NS_MAX))
