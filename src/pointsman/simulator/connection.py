"""The connection to the hostile venue: which parts of it are down, and what never leaves by it.

A process learns of a part that is down when it next listens, and so does one that starts while it
is down. Invariant: what was given back as not sent is never at the venue.
"""

from collections.abc import Iterator

from pointsman.domain.commands import Cancel, Query, Submit
from pointsman.domain.events import LinkChanged, NotSent, VenueLink
from pointsman.domain.reasons import Reason
from pointsman.execution.ports import VenueRequest


class Connection:
    """The parts of one connection. `reported_down` are those of which the process that runs knows
    that they are down, `given_back` the orders that certainly never left."""

    def __init__(self) -> None:
        self.reported_down: dict[VenueLink, None] = {}
        self.given_back: set[str] = set()
        self.owes_comparison = False
        """Whether the process has learned that the account stream is back, and not asked since."""
        self._down_until_ns: dict[VenueLink, int] = {}

    def cut(self, link: VenueLink, until_ns: int) -> None:
        """A part is down until then."""
        self._down_until_ns[link] = max(until_ns, self._down_until_ns.get(link, 0))

    def is_down(self, link: VenueLink, now_ns: int) -> bool:
        return now_ns < self._down_until_ns.get(link, 0)

    def begin(self) -> None:
        """Another process listens from now on."""
        self.reported_down.clear()
        self.owes_comparison = False

    def news(self, now_ns: int, engine_ns: int) -> Iterator[LinkChanged]:
        """What has changed since the process last listened, by its clock."""
        for link in VenueLink:
            is_down = self.is_down(link, now_ns)
            if is_down is (link in self.reported_down):
                continue
            if is_down:
                self.reported_down[link] = None
            else:
                del self.reported_down[link]
                self.owes_comparison |= link is VenueLink.ACCOUNT_STREAM
            yield LinkChanged(link, not is_down, engine_ns, "simulated")

    def give_back(self, request: Submit | Cancel, now_ns: int, engine_ns: int) -> NotSent:
        """A request does not leave."""
        is_cancel = isinstance(request, Cancel)
        order_id = (
            request.order.client_order_id
            if isinstance(request, Submit)
            else (request.client_order_id)
        )
        if not is_cancel:
            self.given_back.add(order_id)
        is_busy = self.is_down(VenueLink.BUDGET, now_ns)
        reason = Reason.VENUE_BUSY if is_busy else Reason.VENUE_DOWN
        return NotSent(
            client_order_id=order_id,
            is_cancel=is_cancel,
            reason=reason,
            ts_ns=engine_ns,
            detail="simulated",
        )

    def stops(self, now_ns: int) -> bool:
        """Whether no request leaves now."""
        return any(self.is_down(link, now_ns) for link in (VenueLink.ORDERS, VenueLink.BUDGET))


def symbol_of(request: VenueRequest) -> str | None:
    """What a request is about, if not about all."""
    if isinstance(request, Submit):
        return request.order.symbol
    return request.symbol if isinstance(request, Cancel | Query) else None
